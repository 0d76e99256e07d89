"""The labels that come from the structure alone: bond length, bond angle, Voronoi volume.

Definitions as in :mod:`hyperspy_coreloss.properties`; the two populations are in
:mod:`.populations`, the excitation energy in :mod:`.engine`.
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

#: Atoms are bonded within this multiple of the sum of their covalent radii (Cordero et al.
#: 2008, Dalton Trans. 2832): 2.2 Å for Si-O.
BOND_TOLERANCE = 2.2 / 1.77


@dataclass(frozen=True)
class Neighbours:
    """Bonded neighbours of one atom.

    Parameters
    ----------
    indices
        Atoms, shape ``(n,)``; an atom bonded through two images appears twice.
    vectors
        From the absorber to each, in angstrom, shape ``(n, 3)``.
    """

    indices: NDArray[np.int64]
    vectors: NDArray[np.float64]

    @property
    def distances(self) -> NDArray[np.float64]:
        """Bond lengths in angstrom, shape ``(n,)``."""
        return np.linalg.norm(self.vectors, axis=1)


@dataclass(frozen=True)
class GeometryLabels:
    """Labels of one site that need no electrons.

    Parameters
    ----------
    bond_length
        Mean distance to the bonded neighbours in angstrom.
    bond_angle
        Mean angle between the bonds in degree; NaN with fewer than two bonds.
    voronoi_volume
        Volume of the unweighted Voronoi cell in angstrom cubed.
    coordination
        Number of bonded neighbours.
    bonds
        The bond lengths in angstrom.
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
    """Find the atoms bonded to `site`: within 1.243 times the sum of the covalent radii.

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


def geometry_labels(atoms: Atoms, site: int) -> GeometryLabels:
    """Compute the geometric labels of `site`.

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
            f"The absorber {atoms[site].symbol}{site} must have bonded neighbours, or its bond "
            "length has no meaning; found none. Choose another site."
        )
        raise StructureError(msg)
    return GeometryLabels(
        bond_length=float(distances.mean()),
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
