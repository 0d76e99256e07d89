"""Computed edges of known materials, to calibrate measurements on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.dataset import excitation_energies
from hyperspy_coreloss.dataset.minerals import find_sites, mean_spectrum
from hyperspy_coreloss.spectra.calibration import ReferenceEdge

if TYPE_CHECKING:
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

# Range of a reference in eV, relative to its mean excitation energy.
_RANGE = (-15.0, 120.0)


def reference_edge(dataset: SpectrumDataset, material: str) -> ReferenceEdge:
    """Return the mean spectrum of a material, in which each site lies at its own energy.

    Parameters
    ----------
    dataset
        Computed spectra with excitation energies.
    material
        Name of a mineral or structure, or ``"amorphous silica"``, see :func:`find_sites`.

    Raises
    ------
    DatasetError
        If the data set does not have the material, or an excitation energy is missing.
    """
    sites = find_sites(dataset, material)
    energies = excitation_energies(sites)
    first, last = sites.energy_range
    # The spectra of sites are shifted to their own energies.
    low = max(_RANGE[0], first + float(np.ptp(energies)))
    high = min(_RANGE[1], last - float(np.ptp(energies)))
    energy, intensity, excitation_energy = mean_spectrum(sites, material, (low, high))
    return ReferenceEdge(
        material=material,
        edge=dataset.edge,
        energy=energy,
        intensity=intensity,
        sigma=float(np.sqrt(np.mean(sites.sigma**2))),
        excitation_energy=excitation_energy,
    )
