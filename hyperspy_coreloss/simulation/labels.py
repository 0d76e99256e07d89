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

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

#: Atoms are bonded within this multiple of the sum of their covalent radii (Cordero et al.
#: 2008, Dalton Trans. 2832): 2.2 Å for Si-O.
BOND_TOLERANCE = 2.2 / 1.77

#: First guess of how far the neighbours that bound a Voronoi cell reach, in angstrom.
_VORONOI_REACH = 6.5

_LARGEST_REACH = 60.0


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
    indices, vectors = _surroundings(atoms, site, float(radii[site] + radii.max()))
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
        voronoi_volume=voronoi_volume(atoms, site),
        coordination=len(distances),
        bonds=tuple(float(distance) for distance in np.sort(distances)),
    )


def voronoi_volume(atoms: Atoms, site: int) -> float:
    """Volume of the unweighted Voronoi cell of `site` in angstrom cubed.

    The volumes of all atoms sum to the volume of the cell: the neighbours are gathered until
    none farther away could cut the cell.

    Raises
    ------
    StructureError
        If the cell stays open within 60 Å.
    """
    from scipy.spatial import ConvexHull, Voronoi

    reach = _VORONOI_REACH
    while reach < _LARGEST_REACH:
        _, vectors = _surroundings(atoms, site, reach)
        if len(vectors) >= 4:
            diagram = Voronoi(np.vstack([np.zeros(3), vectors]))
            region = diagram.regions[diagram.point_region[0]]
            if region and -1 not in region:
                corners = diagram.vertices[region]
                # An atom cuts the cell only if it is nearer than twice the farthest corner.
                needed = 2.0 * float(np.linalg.norm(corners, axis=1).max())
                if needed <= reach:
                    return float(ConvexHull(corners).volume)
        reach *= 1.5
    msg = (
        f"The Voronoi cell of {atoms[site].symbol}{site} must close within {_LARGEST_REACH:.0f} "
        "Å; it does not. Check that the structure is periodic in three dimensions."
    )
    raise StructureError(msg)


def _mean_angle(vectors: NDArray[np.float64]) -> float:
    if len(vectors) < 2:
        return float("nan")
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [first @ second for first, second in combinations(directions, 2)]
    return float(np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0))).mean())


def _surroundings(
    atoms: Atoms, site: int, reach: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Indices of and vectors to all atoms within `reach` of `site`, images included."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(atoms.cell[:]), axis=0)
    # One cell more on each side, because atoms may lie anywhere in or outside the cell.
    fractional = atoms.get_scaled_positions(wrap=True)
    counts = np.ceil(reach / heights).astype(int) + 1
    ranges = [np.arange(-count, count + 1) for count in counts]
    shifts = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    offsets = (fractional - fractional[site])[np.newaxis, :, :] + shifts[:, np.newaxis, :]
    vectors = offsets.reshape(-1, 3) @ atoms.cell[:]
    indices = np.tile(np.arange(len(atoms)), len(shifts))
    distances = np.linalg.norm(vectors, axis=1)
    near = (distances < reach) & (distances > 1e-6)
    return indices[near], vectors[near]
