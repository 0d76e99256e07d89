"""Comparison of two computed spectra by their cosine similarity.

Spectra are broadened to the same resolution and aligned where they first rise through 10 % of their
highest intensity. Networks align spectra at 30 % (`Recipe.threshold_fraction`), so cosines measured
here do not describe exactly what a network reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.computed_site import RecursionChains
from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.spectra.broadening import broadening_operator
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.onset import threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.simulation.recursion import Recursion
    from hyperspy_coreloss.simulation.site_record import SiteRecord

#: Standard deviation in eV of the Gaussian with which spectra are broadened for a comparison.
SIGMA = 0.5
#: The same at the resolution of the sharpest experiments that have a pretrained model.
SHARP_SIGMA = 0.1
#: Fraction of the highest intensity at which the threshold lies. Networks use 0.3; the records in
#: training/convergence.jsonl were measured with this value, and would have to be measured again.
THRESHOLD_FRACTION = 0.1

# Energies in eV from the lowest empty state. The first range contains every threshold and the
# window above it; the second adds a margin for the Gaussian.
_SEARCHED = np.arange(-3.0, 21.0, 0.02)
_FINE = np.arange(-6.0, 24.0, 0.02)


def recursion_chains(
    recursion: Recursion | SiteRecord, homo: float, lumo: float
) -> RecursionChains:
    """Return the spectrum of one site, with energies from its lowest empty state.

    Parameters
    ----------
    recursion
        Recursion coefficients with the axes k-point, polarisation, step.
    homo, lumo
        Energies of the highest occupied and the lowest empty state of the core-hole cell in eV.
    """
    steps = recursion.alpha.shape[-1]
    return RecursionChains(
        alpha=recursion.alpha.reshape(-1, steps),
        beta=recursion.beta.reshape(-1, steps),
        norm=recursion.norm.ravel(),
        lowest_empty=lumo,
        gap_middle=0.5 * (homo + lumo),
    )


def aligned_spectrum(chains: RecursionChains, sigma: float = SIGMA) -> NDArray[np.float64]:
    """Return the spectrum on the default window, -1 to 15 eV from its threshold.

    The threshold is that of :func:`.onset.threshold` at `THRESHOLD_FRACTION` of the highest
    intensity.

    Parameters
    ----------
    chains
        Spectrum of one site.
    sigma
        Standard deviation in eV of the Gaussian with which the spectrum is broadened.

    Returns
    -------
    numpy.ndarray
        Intensities, shape (160,), in the unit of `chains.norm` per eV.

    Raises
    ------
    SimulationError
        If the spectrum does not rise from below its threshold.
    """
    broaden = broadening_operator(_FINE, sigma, _SEARCHED)
    spectrum = broaden @ chains.intensity(_FINE)
    scaled = (spectrum / max(spectrum.max(), np.finfo(float).tiny)).astype(np.float32)
    first, last = np.array([_SEARCHED[0]]), np.array([_SEARCHED[0] + 15.0])
    energy, exists = threshold(
        scaled[np.newaxis], _SEARCHED, first, last, np.zeros(1), THRESHOLD_FRACTION
    )
    if not exists[0]:
        msg = (
            f"A spectrum must rise through {100 * THRESHOLD_FRACTION:.0f} % of its maximum within "
            f"{_SEARCHED[0]:.0f} to {_SEARCHED[0] + 15:.0f} eV of its lowest empty state; this one "
            "does not. Check the band edges of the calculation."
        )
        raise SimulationError(msg)
    return np.interp(float(energy[0]) + EnergyWindow().grid, _SEARCHED, spectrum)


def cosine(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the cosine similarity of two spectra on the same grid: 1 for the same shape."""
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))
