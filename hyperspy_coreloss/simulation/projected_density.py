"""The p-projected densities of states of a site and its neighbours, from its record.

Kiyohara et al. 2019 (J. Phys. Mater. 2, 024003, figure 4) explain spectra by the densities of the
ground state and of the core-hole cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.continued_fraction import spectrum_from_recursion
from hyperspy_coreloss.errors import SimulationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hyperspy_coreloss.simulation.site_record import ProjectedDensity, SiteRecord

#: Atoms beyond this fraction of the largest distance from the core hole count as far from it.
_FAR = 0.9


def find_density(
    record: SiteRecord, *, core_hole: bool, atom: int | None = None
) -> ProjectedDensity:
    """Return one of the projected densities of a record.

    Parameters
    ----------
    record
        Record of a site that was computed with projected densities.
    core_hole
        Whether the density is of the core-hole cell; if not, it is of the ground state.
    atom
        Index of the atom in the supercell; default: the absorbing atom.

    Raises
    ------
    SimulationError
        If the record has no such density.
    """
    atom = record.site if atom is None else atom
    for density in record.densities:
        if density.atom == atom and density.core_hole == core_hole:
            return density
    available = [(density.atom, density.core_hole) for density in record.densities]
    msg = (
        f"The record must hold a projected density of atom {atom} with core_hole={core_hole}; "
        f"found those of (atom, core_hole) {available}. Compute the site with "
        "SiteSimulator(projected_density=...)."
    )
    raise SimulationError(msg)


def density_of_states(
    record: SiteRecord, density: ProjectedDensity, energy: ArrayLike, lifetime: float = 0.3
) -> NDArray[np.float64]:
    """Return a projected density of states on the energy scale of the ground state.

    Parameters
    ----------
    record
        Record that holds `density`.
    density
        Projected density of the record, from :func:`find_density`.
    energy
        Energies in eV above the highest occupied state of the ground state, shape ``(n,)``.
    lifetime
        Half width at half maximum of the Lorentzian in eV.

    Returns
    -------
    numpy.ndarray
        States per eV and spin, summed over the three p functions, shape ``(n,)``.

    Raises
    ------
    SimulationError
        If the coefficients are not finite or have the wrong shape.
    """
    absolute = np.asarray(energy, dtype=float) + record.label["homo_gs"]
    if density.core_hole:
        absolute = absolute + potential_shift(record)
    spectra = spectrum_from_recursion(density.alpha, density.beta, density.norm, absolute, lifetime)
    return spectra.mean(axis=0).sum(axis=0)


def potential_shift(record: SiteRecord) -> float:
    """Return the offset in eV of the core-hole cell's energy scale above that of the ground state.

    The mean potential of a periodic cell is arbitrary, but far from the core hole the potential
    must equal that of the ground state. The two are compared at atoms beyond 0.9 times the largest
    distance from the core hole. In a cell of 8 Å, their difference still varies by up to 0.1 eV
    between these atoms.

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
