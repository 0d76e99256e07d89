"""The Voronoi cell of an atom in a periodic structure: its corners and its volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import ConvexHull, Voronoi

from hyperspy_coreloss.errors import StructureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# First and largest search radius for the neighbours that bound a Voronoi cell, in angstrom.
_FIRST_REACH = 6.5
_LARGEST_REACH = 60.0


def voronoi_volume(cell: NDArray[np.floating], positions: NDArray[np.floating], site: int) -> float:
    """Return the volume of the unweighted Voronoi cell of an atom in angstrom cubed.

    The volumes of all atoms sum to the volume of the unit cell.

    Parameters
    ----------
    cell, positions, site
        As in :func:`voronoi_corners`.

    Raises
    ------
    StructureError
        If the neighbours within 60 Å do not close the Voronoi cell.
    """
    return float(ConvexHull(voronoi_corners(cell, positions, site)).volume)


def voronoi_corners(
    cell: NDArray[np.floating], positions: NDArray[np.floating], site: int
) -> NDArray[np.float64]:
    """Return the corners of the unweighted Voronoi cell of an atom, relative to the atom.

    The search radius grows until no neighbour beyond it can cut the Voronoi cell.

    Parameters
    ----------
    cell
        Lattice vectors in angstrom, one per row, shape (3, 3).
    positions
        Positions of the atoms in angstrom, shape (atoms, 3).
    site
        Index of the atom.

    Returns
    -------
    ndarray
        Vectors from the atom to the corners in angstrom, shape (corners, 3).

    Raises
    ------
    StructureError
        If the neighbours within 60 Å do not close the Voronoi cell.
    """
    reach = _FIRST_REACH
    while reach < _LARGEST_REACH:
        _, vectors = atoms_within(cell, positions, site, reach)
        corners = _corners(vectors)
        # An atom cuts the cell only if it is nearer than twice the farthest corner.
        if corners is not None and 2.0 * np.linalg.norm(corners, axis=1).max() <= reach:
            return corners
        reach *= 1.5
    msg = (
        f"The Voronoi cell of atom {site} must close within {_LARGEST_REACH:.0f} Å; it is open. "
        "Check that the structure is periodic in three dimensions."
    )
    raise StructureError(msg)


def _corners(vectors: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """Return the corners of the Voronoi cell around the origin, or None if it is open."""
    if len(vectors) < 4 or np.linalg.matrix_rank(vectors) < 3:
        return None
    diagram = Voronoi(np.vstack([np.zeros(3), vectors]))
    region = diagram.regions[diagram.point_region[0]]
    return diagram.vertices[region] if region and -1 not in region else None


def atoms_within(
    cell: NDArray[np.floating], positions: NDArray[np.floating], site: int, reach: float
) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
    """Return indices of and vectors to all atoms within `reach`, periodic images included.

    Parameters
    ----------
    cell, positions, site
        As in :func:`voronoi_corners`.
    reach
        Largest distance in angstrom.
    """
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    # One more cell on each side, because atoms may lie anywhere inside or outside the cell.
    fractional = np.linalg.solve(np.transpose(cell), np.transpose(positions)).T % 1.0
    counts = np.ceil(reach / heights).astype(int) + 1
    ranges = [np.arange(-count, count + 1) for count in counts]
    shifts = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    offsets = (fractional - fractional[site])[np.newaxis, :, :] + shifts[:, np.newaxis, :]
    vectors = offsets.reshape(-1, 3) @ cell
    indices = np.tile(np.arange(len(positions)), len(shifts))
    distances = np.linalg.norm(vectors, axis=1)
    near = (distances < reach) & (distances > 1e-6)
    return indices[near], vectors[near]
