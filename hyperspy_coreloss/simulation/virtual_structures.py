"""Virtual structures: strained, rattled and oxygen-poor variants, reproducible by their seeds.

Kiyohara et al. 2019 (J. Phys. Mater. 2, 024003) propose virtual structures to fill the gaps between
the existing crystal structures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import StructureError

if TYPE_CHECKING:
    from ase import Atoms

#: Einstein temperature in kelvin. With it, uncorrelated displacements at 300 K spread the Si-O
#: distances by about 0.05 Å, as in molecular dynamics.
EINSTEIN_TEMPERATURE = 800.0

#: Length in angstrom of the Si-Si bond that closes a neutral oxygen vacancy. In quartz it is close
#: to that of elemental silicon, 2.35 Å (Sulimov et al. 2002, Phys. Rev. B 66, 024108).
SILICON_BOND = 2.4

#: Largest strain under which a silicate keeps its bonds.
_LARGEST_STRAIN = 0.1


def strain(atoms: Atoms, magnitude: float, seed: int) -> Atoms:
    """Return a copy with a random homogeneous strain.

    Parameters
    ----------
    atoms
        Periodic structure.
    magnitude
        Largest component of the symmetric strain tensor (0.03 is 3 %). The six components are
        drawn uniformly between minus and plus this value.
    seed
        Seed of the random numbers.

    Raises
    ------
    StructureError
        If `magnitude` is outside 0 to 0.1.
    """
    if not 0 <= magnitude <= _LARGEST_STRAIN:
        msg = (
            f"A strain must lie between 0 and {_LARGEST_STRAIN}; found {magnitude}. "
            "Choose a value in this range; larger strains break bonds."
        )
        raise StructureError(msg)
    draw = np.random.default_rng([seed, 1]).uniform(-magnitude, magnitude, size=(3, 3))
    tensor = np.triu(draw) + np.triu(draw, 1).T
    strained = atoms.copy()
    strained.set_cell(atoms.cell[:] @ (np.eye(3) + tensor), scale_atoms=True)
    return strained


def rattle(
    atoms: Atoms,
    temperature: float,
    seed: int,
    einstein_temperature: float = EINSTEIN_TEMPERATURE,
) -> Atoms:
    r"""Return a copy with random thermal displacements, independent for each atom.

    Displacements are normally distributed with the variance of a classical Einstein oscillator,
    :math:`\hbar^2 T / (m k_B \Theta_E^2)` per direction.

    Parameters
    ----------
    atoms
        Periodic structure, usually a supercell.
    temperature
        Temperature in kelvin.
    seed
        Seed of the random numbers.
    einstein_temperature
        Einstein temperature in kelvin; higher for stiffer bonds.

    Raises
    ------
    StructureError
        If `temperature` is negative or `einstein_temperature` is not positive.
    """
    if temperature < 0 or einstein_temperature <= 0:
        msg = (
            "Rattling needs a temperature of at least 0 K and a positive Einstein temperature; "
            f"found {temperature} K and {einstein_temperature} K. Change the temperatures."
        )
        raise StructureError(msg)
    from ase.units import _amu, _hbar, _k

    masses = atoms.get_masses() * _amu
    spread = 1e10 * _hbar / einstein_temperature * np.sqrt(temperature / (masses * _k))
    draw = np.random.default_rng([seed, 2]).normal(size=(len(atoms), 3))
    rattled = atoms.copy()
    rattled.positions += spread[:, np.newaxis] * draw
    return rattled


def remove_oxygen(atoms: Atoms, count: int, seed: int) -> Atoms:
    """Return a copy without some of its bridging oxygen atoms, as neutral vacancies.

    The two silicon atoms at each vacancy are moved towards each other, to the length of an Si-Si
    bond. The other oxygen atoms bonded to them are moved half as far. The result is not relaxed;
    it is an initial structure for :func:`.relaxation.relax`.

    Parameters
    ----------
    atoms
        Silica, usually a supercell.
    count
        Number of oxygen atoms to remove.
    seed
        Seed of the random choice. Oxygen atoms are drawn one after another; one that would take
        a second oxygen neighbour from a silicon atom is skipped.

    Raises
    ------
    StructureError
        If `count` is below one, or fewer than `count` oxygen atoms can be removed.
    """
    order = np.random.default_rng([seed, 3]).permutation(np.flatnonzero(atoms.numbers == 8))
    poorer = atoms.copy()
    removed: list[int] = []
    taken: set[int] = set()
    for site in order:
        ends = bonded_neighbours(atoms, int(site))
        pair = {int(index) for index in ends.indices}
        if len(removed) == count or len(ends.indices) != 2 or len(pair) != 2 or pair & taken:
            continue
        removed.append(int(site))
        taken |= pair
        close_vacancy(poorer, atoms, int(site))
    if count < 1 or len(removed) < count:
        msg = (
            f"Removing {count} oxygen atoms needs a number of at least one, and as many oxygen "
            "atoms that bridge two silicon atoms, none of which is shared; found "
            f"{len(removed)} in {atoms.get_chemical_formula()}. Remove fewer, or use a larger cell."
        )
        raise StructureError(msg)
    del poorer[removed]
    return poorer


def close_vacancy(poorer: Atoms, atoms: Atoms, site: int) -> None:
    """Move the two neighbours of `site` into a bond, and their other neighbours half as far.

    Parameters
    ----------
    poorer
        Structure whose atoms are moved, in place.
    atoms
        The same structure before any atom was moved; it says who is bonded, and the way.
    site
        Index of an oxygen atom that bridges two silicon atoms.
    """
    ends = bonded_neighbours(atoms, site)
    apart = ends.vectors[1] - ends.vectors[0]
    distance = np.linalg.norm(apart)
    way = 0.5 * (distance - SILICON_BOND) * apart / distance
    for end, move in zip(ends.indices, (way, -way), strict=True):
        poorer.positions[end] += move
        followers = bonded_neighbours(atoms, int(end)).indices
        poorer.positions[[i for i in followers if i != site]] += 0.5 * move
