"""Computed spectra as HyperSpy signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.dataset import excitation_energies
from hyperspy_coreloss.signals.metadata import describe_spectra

if TYPE_CHECKING:
    from exspy.signals import EELSSpectrum

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset


def dataset_to_signal(
    dataset: SpectrumDataset,
    sigma: float = 0.5,
    *,
    offset: float | None = None,
    dispersion: float = 0.1,
    size: int = 400,
    aligned: bool = False,
) -> EELSSpectrum:
    """Return the spectra of a data set as an EELS signal, with one navigation position per site.

    Parameters
    ----------
    dataset
        Computed spectra.
    sigma
        Standard deviation of the Gaussian broadening in eV.
    offset
        First energy of the signal axis in eV. The default is 10 eV below the first edge.
    dispersion, size
        Channel width of the signal axis in eV, and its number of channels.
    aligned
        If True, the lowest empty states of all sites lie at 0 eV. If False, the lowest empty state
        of each site lies at its excitation energy.

    Returns
    -------
    EELSSpectrum
        Signal of dimensions ``(sites | size)``. The names of the sites are in
        ``metadata.Sample.site_names``.

    Raises
    ------
    DatasetError
        If a spectrum does not cover the axis, or an excitation energy is missing.
    ResolutionError
        If the broadening of a spectrum already exceeds `sigma`.

    Examples
    --------
    >>> from hyperspy_coreloss.data import oxygen_k_sites
    >>> dataset_to_signal(oxygen_k_sites().take(range(5)), size=300)
    <EELSSpectrum, title: O_K of 5 computed sites, dimensions: (5|300)>
    """
    from exspy.signals import EELSSpectrum

    edges = np.zeros(len(dataset)) if aligned else excitation_energies(dataset)
    start = float(np.floor(edges.min() - 10.0)) if offset is None else float(offset)
    energy = start + dispersion * np.arange(size)
    spectra = dataset.spectra(energy - edges[:, np.newaxis], sigma)
    axes = [
        {"name": "site", "size": len(dataset), "navigate": True},
        {
            "name": "Energy loss",
            "size": size,
            "offset": start,
            "scale": dispersion,
            "units": "eV",
            "navigate": False,
        },
    ]
    metadata = describe_spectra(
        f"{dataset.edge} of {len(dataset)} computed sites",
        "Intensity (arbitrary units)",
        elements=[dataset.edge.partition("_")[0]],
        site_names=dataset.names,
    )
    return EELSSpectrum(spectra.astype(np.float32), axes=axes, metadata=metadata)
