"""The surroundings of an atom in a periodic structure: its bonds, and the angles between them.

The labels of the sites are computed from these, and the pictures of the sites show them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hyperspy_coreloss.dataset.elements import covalent_radii
from hyperspy_coreloss.dataset.voronoi import atoms_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Two atoms are bonded if closer than this multiple of the sum of their covalent radii (Cordero
#: et al. 2008, Dalton Trans. 2832): 2.2 Å for Si-O.
BOND_TOLERANCE = 2.2 / 1.77

_HYDROGEN = 1


class PeriodicStructure(Protocol):
    """What both :class:`.computed_site.ComputedStructure` and ``ase.Atoms`` have."""

    @property
    def numbers(self) -> NDArray[np.integer]:
        """Atomic numbers, shape (atoms,)."""

    @property
    def positions(self) -> NDArray[np.floating]:
        """Positions of the atoms in angstrom, shape (atoms, 3)."""

    @property
    def cell(self) -> Any:
        """Lattice vectors in angstrom, one per row, shape (3, 3)."""


@dataclass(frozen=True)
class Neighbours:
    """Bonded neighbours of one atom.

    Parameters
    ----------
    indices
        Indices of the neighbours, shape ``(n,)``. A neighbour that is bonded through two periodic
        images appears twice.
    vectors
        Vectors from the atom to its neighbours in angstrom, shape ``(n, 3)``.
    """

    indices: NDArray[np.int64]
    vectors: NDArray[np.float64]

    @property
    def distances(self) -> NDArray[np.float64]:
        """Bond lengths in angstrom, shape ``(n,)``."""
        return np.linalg.norm(self.vectors, axis=1)


def bonded_neighbours(structure: PeriodicStructure, site: int) -> Neighbours:
    """Return the atoms closer to `site` than 1.243 times the sum of their covalent radii.

    Parameters
    ----------
    structure
        Periodic structure.
    site
        Index of the atom.
    """
    radii = covalent_radii(structure.numbers) * BOND_TOLERANCE
    indices, vectors = atoms_within(
        structure.cell[:], structure.positions, site, float(radii[site] + radii.max())
    )
    bonded = np.linalg.norm(vectors, axis=1) < radii[site] + radii[indices]
    return Neighbours(indices[bonded], vectors[bonded])


def without_hydrogen(neighbours: Neighbours, structure: PeriodicStructure) -> Neighbours:
    """Return neighbours without hydrogen, or all of them if there are no others, as in water.

    Bond lengths and overlap populations are averaged over these. In a silanol group, Si-O is 1.6 Å
    long and O-H 1.0 Å; their mean would be the length of no bond.

    Parameters
    ----------
    neighbours
        From :func:`bonded_neighbours`.
    structure
        The same structure.
    """
    others = structure.numbers[neighbours.indices] != _HYDROGEN
    if not others.any():
        return neighbours
    return Neighbours(neighbours.indices[others], neighbours.vectors[others])


def bond_angles(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angles between all pairs of bonds in degrees, shape ``(n (n - 1) / 2,)``.

    Parameters
    ----------
    vectors
        Vectors from an atom to its bonded neighbours, shape ``(n, 3)``. The pairs are those of
        :func:`itertools.combinations`.
    """
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [first @ second for first, second in combinations(directions, 2)]
    return np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
