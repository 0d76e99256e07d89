"""Labels of a site from its CASTEP runs: populations and excitation energy.

The populations are those of CASTEP, which projects on its pseudo-atomic orbitals; they differ from
those of :mod:`.populations`. Each function raises an error with the reason rather than return a
number of a different definition.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours, without_hydrogen
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    from hyperspy_coreloss.simulation.castep.output import CastepRun

#: Atoms of two runs are the same if closer than this, in angstrom.
_SAME_PLACE = 0.01

# Energies of the same pseudo-atom in two runs differ by less than this, in eV.
_SAME_ENERGY = 0.01


def matching_atoms(first: Atoms, second: Atoms) -> NDArray[np.integer] | None:
    """Return the index in `second` of each atom of `first`, or None if the structures differ.

    Parameters
    ----------
    first, second
        Periodic structures; their atoms may be in different order.

    Returns
    -------
    ndarray or None
        Indices, shape (atoms,).
    """
    if len(first) != len(second) or not np.allclose(first.cell, second.cell, atol=_SAME_PLACE):
        return None
    difference = first.get_scaled_positions()[:, None] - second.get_scaled_positions()[None]
    difference -= np.round(difference)
    distance = np.linalg.norm(difference @ first.cell[:], axis=2)
    distance[first.numbers[:, None] != second.numbers[None]] = np.inf
    nearest = distance.argmin(axis=1)
    same = distance.min(axis=1) < _SAME_PLACE
    return nearest if same.all() and len(set(nearest)) == len(nearest) else None


def mulliken_charge(run: CastepRun, site: int) -> float:
    """Return the Mulliken charge of atom `site` in elementary charges.

    Raises
    ------
    DatasetError
        If the run has no Mulliken analysis.
    """
    if run.mulliken_charges is None:
        msg = (
            f"{run.path} must contain Mulliken charges; it has none. Run CASTEP with "
            "POPN_CALCULATE : TRUE."
        )
        raise DatasetError(msg)
    return float(run.mulliken_charges[site])


def bond_overlap_population(run: CastepRun, site: int) -> float:
    """Return the overlap population of atom `site` in electrons, averaged over its bonds.

    CASTEP gives one number for a pair of atoms, the sum over all their periodic images. This number
    is divided among the bonds of the pair. Bonds to hydrogen are left out, unless there are no
    others.

    Parameters
    ----------
    run
        Ground state.
    site
        Index of the atom.

    Returns
    -------
    float
        Overlap population in electrons.

    Raises
    ------
    DatasetError
        If the atom has no bonds, or the table lacks one of them or gives it a different length.
    """
    neighbours = without_hydrogen(bonded_neighbours(run.atoms, site), run.atoms)
    lengths = defaultdict(list)
    for index, distance in zip(neighbours.indices, neighbours.distances, strict=True):
        lengths[int(index)].append(distance)
    if not lengths:
        msg = (
            f"An overlap population needs bonds; atom {site} of {run.path} has no neighbour within "
            "bonding distance. Check the structure."
        )
        raise DatasetError(msg)
    total = dict.fromkeys(lengths, np.nan)
    for bond in run.bonds:
        ends = [_atom_index(run, *end) for end in (bond.first, bond.second)]
        if site not in ends:
            continue
        other = ends[1 - ends.index(site)]
        if np.isclose(lengths.get(other, []), bond.length, atol=_SAME_PLACE).any():
            total[other] = np.nansum([total[other], bond.population])
    missing = [f"{run.labels[index]} {run.number_in_species(index)}" for index in total
               if np.isnan(total[index])]  # fmt: skip
    if missing:
        msg = (
            f"{run.path} must list the overlap population of every bond of atom {site}; it lacks "
            f"those to {', '.join(missing)}. Run CASTEP with a larger POPN_BOND_CUTOFF."
        )
        raise DatasetError(msg)
    return float(sum(total.values()) / len(neighbours.indices))


def _atom_index(run: CastepRun, label: str, number: int) -> int:
    """Return the index of an atom in a table; some tables truncate long labels."""
    labels = dict.fromkeys(run.labels)
    meant = [label] if label in labels else [full for full in labels if full.startswith(label)]
    atoms = [index for index, full in enumerate(run.labels) if meant == [full]]
    if not 1 <= number <= len(atoms):
        msg = (
            f"The overlap populations in {run.path} name the atom {label} {number}, but the "
            f"structure has {len(atoms)} such atoms. Run the calculation again."
        )
        raise DatasetError(msg)
    return atoms[number - 1]


def transition_energy(
    ground: CastepRun, excited: CastepRun, atoms: NDArray[np.integer], site: int
) -> tuple[float, float]:
    """Return the two contributions to the excitation energy; it is their sum.

    The difference of the total energies includes only the valence electrons. The energy change of
    the core is that of a free atom: the all-electron minus the pseudo-atomic energy, with and
    without the core hole (T. Mizoguchi, I. Tanaka, S.-P. Gao, C. J. Pickard, J. Phys.: Condens.
    Matter 21 (2009) 104204).

    Parameters
    ----------
    ground, excited
        Ground state and core-hole calculation of the same structure.
    atoms
        Index in the ground state of each atom of the core-hole calculation, shape (atoms,).
    site
        Index of the absorbing atom in the core-hole calculation.

    Returns
    -------
    tuple of float
        Change of the total energy and of the energy of the core, in eV.

    Raises
    ------
    DatasetError
        If the energies of the two runs are not comparable, or an atomic energy is missing.
    """
    for what in ("functional", "cutoff", "sampling"):
        if getattr(ground, what) != getattr(excited, what):
            msg = (
                f"{ground.path} and {excited.path} must agree in {what} for an excitation energy; "
                f"found {getattr(ground, what)} and {getattr(excited, what)}. Use the same in both."
            )
            raise DatasetError(msg)
    for run in (ground, excited):
        if abs(run.charge) > 1e-3:
            msg = (
                "An excitation energy needs neutral cells, with the excited electron in the "
                f"conduction band; {run.path} has the charge {run.charge:+g} e. Run CASTEP with "
                "CHARGE : 0."
            )
            raise DatasetError(msg)
    hole = excited.species[excited.labels[site]].occupation_1s
    if abs(hole - 1) > 1e-6:
        msg = (
            f"An excitation energy needs a full core hole (1s1); {excited.path} has 1s{hole:g}. "
            "Run CASTEP with a full core hole."
        )
        raise DatasetError(msg)
    _check_pseudopotentials(ground, excited, atoms, site)
    core = _core_energy(excited, site) - _core_energy(ground, int(atoms[site]))
    return excited.energy - ground.energy, core


def _check_pseudopotentials(
    ground: CastepRun, excited: CastepRun, atoms: NDArray[np.integer], site: int
) -> None:
    """Raise an error if atoms other than the absorber have different pseudopotentials.

    Pseudopotentials count as different if the energies of their pseudo-atoms differ.
    """
    for index, other in enumerate(atoms):
        label = excited.labels[index]
        here, there = excited.species[label].valence, ground.species[ground.labels[other]].valence
        if index == site or here is None or there is None:
            continue
        if abs(here - there) > _SAME_ENERGY:
            msg = (
                f"All atoms but the absorber need the same pseudopotential in {ground.path} and "
                f"{excited.path}; the energy of a free {label} atom is {there} eV and {here} eV. "
                "Use the same pseudopotentials in both."
            )
            raise DatasetError(msg)


def _core_energy(run: CastepRun, site: int) -> float:
    atom = run.species[run.labels[site]]
    if atom.all_electron is None or atom.valence is None:
        what = "all-electron" if atom.all_electron is None else "pseudo-atomic"
        msg = (
            f"{run.path} must give the {what} energy of a free {run.labels[site]} atom. Let CASTEP "
            "generate that pseudopotential on the fly (a dry run is enough)."
        )
        raise DatasetError(msg)
    return atom.all_electron - atom.valence
