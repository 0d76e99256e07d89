"""Geometric labels of a site: bond length, bond angle and Voronoi volume.

The definitions are those of :mod:`hyperspy_coreloss.properties`. The two populations are computed
in :mod:`.populations`, the excitation energy in :mod:`.engine`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.voronoi import surroundings, voronoi_volume

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

#: Two atoms are bonded if closer than this multiple of the sum of their covalent radii (Cordero
#: et al. 2008, Dalton Trans. 2832): 2.2 Å for Si-O.
BOND_TOLERANCE = 2.2 / 1.77

_HYDROGEN = 1


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


@dataclass(frozen=True)
class GeometryLabels:
    """Labels of one site that depend only on the geometry.

    Parameters
    ----------
    bond_length
        Mean distance to the bonded neighbours in angstrom, as :func:`without_hydrogen` chooses.
    bond_angle
        Mean angle between the bonds in degrees, those to hydrogen included; NaN with fewer than
        two bonds.
    voronoi_volume
        Volume of the unweighted Voronoi cell in cubic angstrom.
    coordination
        Number of bonded neighbours.
    bonds
        Bond lengths in angstrom, in ascending order.
    """

    bond_length: float
    bond_angle: float
    voronoi_volume: float
    coordination: int
    bonds: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dictionary."""
        return asdict(self) | {"bonds": list(self.bonds)}


def bonded_neighbours(atoms: Atoms, site: int) -> Neighbours:
    """Return the atoms closer to `site` than 1.243 times the sum of their covalent radii.

    Parameters
    ----------
    atoms
        Periodic structure.
    site
        Index of the atom.
    """
    from ase.data import covalent_radii

    radii = covalent_radii[atoms.numbers] * BOND_TOLERANCE
    indices, vectors = surroundings(
        atoms.cell[:], atoms.positions, site, float(radii[site] + radii.max())
    )
    bonded = np.linalg.norm(vectors, axis=1) < radii[site] + radii[indices]
    return Neighbours(indices[bonded], vectors[bonded])


def without_hydrogen(neighbours: Neighbours, atoms: Atoms) -> Neighbours:
    """Return neighbours without hydrogen, or all of them if there are no others, as in water.

    Bond lengths and overlap populations are averaged over these. In a silanol group, Si-O is 1.6 Å
    long and O-H 1.0 Å; their mean would be the length of no bond.

    Parameters
    ----------
    neighbours
        From :func:`bonded_neighbours`.
    atoms
        The same structure.
    """
    others = atoms.numbers[neighbours.indices] != _HYDROGEN
    if not others.any():
        return neighbours
    return Neighbours(neighbours.indices[others], neighbours.vectors[others])


def geometry_labels(atoms: Atoms, site: int) -> GeometryLabels:
    """Return the geometric labels of `site`.

    Parameters
    ----------
    atoms
        Periodic structure.
    site
        Index of the absorbing atom.

    Raises
    ------
    StructureError
        If the atom has no bonded neighbour.
    """
    neighbours = bonded_neighbours(atoms, site)
    distances = neighbours.distances
    if not len(distances):
        msg = (
            f"The absorbing atom {atoms[site].symbol}{site} must have bonded neighbours, which "
            "define its bond length; found none. Choose another site."
        )
        raise StructureError(msg)
    return GeometryLabels(
        bond_length=float(without_hydrogen(neighbours, atoms).distances.mean()),
        bond_angle=_mean_angle(neighbours.vectors),
        voronoi_volume=voronoi_volume(atoms.cell[:], atoms.positions, site),
        coordination=len(distances),
        bonds=tuple(float(distance) for distance in np.sort(distances)),
    )


def _mean_angle(vectors: NDArray[np.float64]) -> float:
    if len(vectors) < 2:
        return float("nan")
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [first @ second for first, second in combinations(directions, 2)]
    return float(np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0))).mean())
