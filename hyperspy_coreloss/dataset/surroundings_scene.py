"""The surroundings of a site as a picture shows them: atoms, bonds and Voronoi cell, turned to it.

Coordinates are in angstrom, with the absorbing atom at the origin: x points to the right, y up, and
z to the reader. Nothing is foreshortened but by this projection along z.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import ConvexHull

from hyperspy_coreloss.dataset.elements import covalent_radii
from hyperspy_coreloss.dataset.surroundings import BOND_TOLERANCE, Neighbours, bonded_neighbours
from hyperspy_coreloss.dataset.voronoi import voronoi_corners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.surroundings import PeriodicStructure

# Atoms closer than this, in angstrom, are the same one, reached through two bonds.
_SAME = 0.05
# Bonds are taken as one straight line if their unit vectors sum to less.
_STRAIGHT = 1e-6
# A bond that is seen shorter than this share of its length points to the reader.
_SHORT = 0.1
_DIRECTIONS = 300
# With more bonds than this, the next neighbours would hide the atom.
_OPEN = 3
# Adjacent triangles belong to one face of a Voronoi cell if the cosine of their normals exceeds it.
_COPLANAR = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class Scene:
    """An atom, its bonded neighbours and theirs, in the coordinates of a picture.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (atoms,): the absorbing atom, its bonded neighbours by length of the
        bond, and their further bonded neighbours, except those that a third atom bridges. With more
        than three bonds, there are no further neighbours.
    positions
        Positions in angstrom, shape (atoms, 3); the absorbing atom is at the origin.
    bonds
        The two atoms of each bond, shape (bonds, 2).
    n_bonded
        Number of bonded neighbours of the absorbing atom; they are the atoms 1 to `n_bonded`.
    corners
        Corners of the Voronoi cell of the absorbing atom, shape (corners, 3); none if they were
        not asked for.
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    bonds: NDArray[np.int64]
    n_bonded: int
    corners: NDArray[np.float64]

    @property
    def bonded(self) -> NDArray[np.float64]:
        """Vectors to the bonded neighbours of the absorbing atom, shape (n_bonded, 3)."""
        return self.positions[1 : 1 + self.n_bonded]

    @property
    def bond_lengths(self) -> NDArray[np.float64]:
        """Lengths of the bonds of the absorbing atom in angstrom, shape (n_bonded,)."""
        return np.linalg.norm(self.bonded, axis=1)


def scene_of(structure: PeriodicStructure, absorber: int, *, voronoi: bool = True) -> Scene:
    """Return the surroundings of an atom, turned so that its bonds are seen best.

    The plane of two bonds is that of the picture, so that their lengths and angle are the true
    ones; the angle opens downwards.

    Parameters
    ----------
    structure
        Periodic structure.
    absorber
        Index of the atom.
    voronoi
        Find the corners of its Voronoi cell.

    Raises
    ------
    StructureError
        If the Voronoi cell does not close within 60 Å.
    """
    numbers, positions, bonds, n_bonded = _atoms_and_bonds(structure, absorber)
    axes = picture_axes(positions, n_bonded)
    corners = np.empty((0, 3))
    if voronoi:
        corners = voronoi_corners(structure.cell[:], structure.positions, absorber)
    return Scene(numbers, positions @ axes.T, bonds, n_bonded, corners @ axes.T)


def _atoms_and_bonds(
    structure: PeriodicStructure, absorber: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], int]:
    first = bonded_neighbours(structure, absorber)
    order = np.argsort(first.distances, kind="stable")
    indices = [absorber, *first.indices[order].tolist()]
    positions = [np.zeros(3), *first.vectors[order]]
    bonds = [(0, number) for number in range(1, len(indices))]
    for number in range(1, len(bonds) + 1) if len(bonds) <= _OPEN else ():
        further = _without_bridged(structure, indices[number])
        for index, vector in zip(further.indices.tolist(), further.vectors, strict=True):
            place = positions[number] + vector
            near = np.linalg.norm(np.array(positions) - place, axis=1) < _SAME
            other = int(near.argmax()) if near.any() else len(positions)
            if other == len(positions):
                indices.append(index)
                positions.append(place)
            if (other, number) not in bonds:
                bonds.append((number, other))
    numbers = np.asarray(structure.numbers)[indices]
    pairs = np.array(bonds, dtype=np.int64).reshape(-1, 2)
    return numbers, np.array(positions), pairs, len(first.indices)


def _without_bridged(structure: PeriodicStructure, site: int) -> Neighbours:
    """Return bonded neighbours without those that a third atom bridges by two shorter bonds.

    In dense oxides, metal atoms on either side of an oxygen atom are as close as bonded ones.
    """
    found = bonded_neighbours(structure, site)
    radii = covalent_radii(structure.numbers[found.indices]) * BOND_TOLERANCE
    between = np.linalg.norm(found.vectors[:, np.newaxis] - found.vectors, axis=2)
    longest = found.distances[:, np.newaxis]
    bridged = (between < radii[:, np.newaxis] + radii) & (between < longest)
    bridged &= found.distances < longest
    kept = ~bridged.any(axis=1)
    return Neighbours(found.indices[kept], found.vectors[kept])


def picture_axes(positions: NDArray[np.float64], n_bonded: int) -> NDArray[np.float64]:
    """Return the directions to the right, up and to the reader, one per row, shape (3, 3).

    They are right-handed, so that a picture is never a mirror image. Of two views from opposite
    sides, that with more atoms behind the absorbing one is taken.

    Parameters
    ----------
    positions, n_bonded
        As in :class:`Scene`, but in any directions.
    """
    bonded = positions[1 : 1 + n_bonded]
    units = bonded / np.linalg.norm(bonded, axis=1, keepdims=True)
    if n_bonded == 0:
        return np.eye(3)
    if n_bonded == 2 and np.linalg.norm(units.sum(axis=0)) > _STRAIGHT:
        right, up = units[1] - units[0], -units.sum(axis=0)
    elif n_bonded <= 2:
        right = units[0]
        others = positions - np.outer(positions @ right, right)
        up = _principal(np.vstack([1e3 * right, others]))[1]
    else:
        normal = _principal(bonded - bonded.mean(axis=0))[2] if n_bonded == 3 else _clearest(bonded)
        up = next(
            flat
            for flat in units - np.outer(units @ normal, normal)
            if np.linalg.norm(flat) > _SHORT
        )
        right = np.cross(up, normal)
    right, up = right / np.linalg.norm(right), up / np.linalg.norm(up)
    towards = np.cross(right, up)
    if (positions @ towards).sum() > 1e-9:
        # Two bonds keep opening downwards, straight ones keep their line.
        right, towards = -right, -towards
    return np.stack([right, up, towards])


def _principal(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the principal axes of vectors, that of the largest spread first, shape (3, 3)."""
    return np.linalg.svd(np.vstack([vectors, np.zeros((3, 3))]))[2]


def _clearest(bonded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the direction along which the nearest two of an atom and its neighbours are farthest.

    Along an axis of symmetry, atoms of octahedra and cubes hide one another.
    """
    heights = (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    turns = np.arange(_DIRECTIONS) * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - heights**2)
    directions = np.stack([flat * np.cos(turns), flat * np.sin(turns), heights], axis=1)
    atoms = np.vstack([np.zeros(3), bonded])
    differences = np.array([one - other for one, other in combinations(atoms, 2)])
    seen = (differences**2).sum(axis=1) - (directions @ differences.T) ** 2
    return directions[seen.min(axis=1).argmax()]


def angle_arc(
    first: NDArray[np.float64], second: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Return points of the arc from one bond to another around the origin, shape (points, 3).

    Parameters
    ----------
    first, second
        Vectors along the bonds, shape (3,).
    radius
        Radius of the arc in angstrom.
    """
    start = first / np.linalg.norm(first)
    across = second - (second @ start) * start
    if np.linalg.norm(across) < _STRAIGHT * np.linalg.norm(second):
        across = np.array([start[1], -start[0], 0.0])  # around below the bonds
        across *= -1 if across[1] > 0 else 1
    across /= np.linalg.norm(across)
    angle = np.arctan2(abs(second @ across), second @ start)
    turns = np.linspace(0, angle, max(2, int(np.degrees(angle) / 3)))
    return radius * (np.outer(np.cos(turns), start) + np.outer(np.sin(turns), across))


def cell_edges(
    corners: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the edges of a Voronoi cell, and which of them are on the side of the reader.

    Parameters
    ----------
    corners
        Corners, shape (corners, 3).

    Returns
    -------
    edges : ndarray
        The two corners of each edge, shape (edges, 2).
    front : ndarray
        Whether a face beside the edge is seen, shape (edges,).
    """
    hull = ConvexHull(corners)
    normals = hull.equations[:, :3]
    triangle, side = np.nonzero(np.arange(len(normals))[:, np.newaxis] < hull.neighbors)
    other = hull.neighbors[triangle, side]
    sharp = (normals[triangle] * normals[other]).sum(axis=1) < _COPLANAR
    triangle, side, other = triangle[sharp], side[sharp], other[sharp]
    ends = np.stack([(side + 1) % 3, (side + 2) % 3], axis=1)
    edges = np.take_along_axis(hull.simplices[triangle], ends, axis=1)
    front = (normals[triangle, 2] > 1e-9) | (normals[other, 2] > 1e-9)
    return edges.astype(np.int64), front
