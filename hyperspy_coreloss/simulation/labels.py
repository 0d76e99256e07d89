"""Geometric labels of a site: bond length, bond angle and Voronoi volume.

The definitions are those of :mod:`hyperspy_coreloss.properties`. The two populations are computed
in :mod:`.populations`, the excitation energy in :mod:`.engine`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.surroundings import (
    bond_angles,
    bonded_neighbours,
    without_hydrogen,
)
from hyperspy_coreloss.dataset.voronoi import voronoi_volume
from hyperspy_coreloss.errors import StructureError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray


@dataclass(frozen=True)
class GeometryLabels:
    """Labels of one site that depend only on the geometry.

    Parameters
    ----------
    bond_length
        Mean distance to the bonded neighbours in angstrom, without hydrogen, see
        :func:`.surroundings.without_hydrogen`.
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
    return float(bond_angles(vectors).mean())
