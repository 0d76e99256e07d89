"""The p-projected density of states of a site and its neighbours, kept in its record.

The paper explains spectra by those of the ground state and of the core-hole cell (Kiyohara et al.
2019, J. Phys. Mater. 2, 024003, figure 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.continued_fraction import spectrum_from_recursion
from hyperspy_coreloss.errors import SimulationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hyperspy_coreloss.simulation.site_record import ProjectedDensity, SiteRecord

#: Atoms at more than this share of the largest distance from the core hole count as far from it.
_FAR = 0.9


def find_density(
    record: SiteRecord, *, core_hole: bool, atom: int | None = None
) -> ProjectedDensity:
    """Return one of the densities of a record.

    Parameters
    ----------
    record
        Record of a site that was computed with projected densities.
    core_hole
        Whether of the core-hole cell; if not, of the ground state.
    atom
        Index of the atom in the supercell; default: the absorbing one.

    Raises
    ------
    SimulationError
        If the record has no such density.
    """
    atom = record.site if atom is None else atom
    for density in record.densities:
        if density.atom == atom and density.core_hole == core_hole:
            return density
    known = [(density.atom, density.core_hole) for density in record.densities]
    msg = (
        f"The record must hold a projected density of atom {atom} with core_hole={core_hole}; "
        f"found {known}. Compute the site with SiteSimulator(projected_density=...)."
    )
    raise SimulationError(msg)


def density_of_states(
    record: SiteRecord, density: ProjectedDensity, energy: ArrayLike, lifetime: float = 0.3
) -> NDArray[np.float64]:
    """Evaluate a projected density of states on the scale of the ground state.

    Parameters
    ----------
    record
        Record that holds `density`.
    density
        One of its densities, see :func:`find_density`.
    energy
        Energies in eV above the highest occupied state of the ground state, shape ``(n,)``.
    lifetime
        Half width of the Lorentzian in eV.

    Returns
    -------
    numpy.ndarray
        States per eV and spin, summed over the three p functions, shape ``(n,)``.

    Raises
    ------
    SimulationError
        If the coefficients are not usable.
    """
    absolute = np.asarray(energy, dtype=float) + record.label["homo_gs"]
    if density.core_hole:
        absolute = absolute + potential_shift(record)
    parts = spectrum_from_recursion(density.alpha, density.beta, density.norm, absolute, lifetime)
    return parts.mean(axis=0).sum(axis=0)


def potential_shift(record: SiteRecord) -> float:
    """Return by how much energies of the core-hole cell lie above those of the ground state, in eV.

    The mean potential of a periodic cell is arbitrary; far from the core hole the potential is
    that of the ground state. It is compared at the atoms beyond 0.9 times the largest distance
    from the core hole; in a cell of 8 Å it still varies by up to 0.1 eV there.

    Parameters
    ----------
    record
        Record of any site.
    """
    from ase.geometry import get_distances

    _, distances = get_distances(
        record.positions[record.site], record.positions, cell=record.cell, pbc=True
    )
    far = distances[0] > _FAR * distances.max()
    shifts = np.subtract(record.label["potentials_xch"], record.label["potentials_gs"])
    return float(shifts[far].mean())
