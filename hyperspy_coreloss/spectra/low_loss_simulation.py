"""Low-loss spectra as a microscope would measure them of silica: zero loss, plasmons, counting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.scattering import (
    REACH,
    plural_scattering,
    silica_single_scattering,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Distance of the energies at which a spectrum is computed, in eV, and what they hold on either side
# of the axis.
_STEP = 0.02
_MARGIN = 30.0
# Full width at half maximum of the Lorentzian tails, in eV.
_TAIL_WIDTH = 4.0


def simulate_low_loss(
    energy: NDArray[np.floating],
    relative_thickness: ArrayLike,
    *,
    zero_loss: ArrayLike = 0.0,
    resolution: float = 0.5,
    tail_fraction: float = 0.0,
    electrons: float = 1e7,
    generator: np.random.Generator | None = None,
) -> NDArray[np.float64]:
    """Return simulated low-loss spectra of silica.

    Parameters
    ----------
    energy
        Evenly spaced, ascending energies of the channels in eV, shape (channels,).
    relative_thickness
        Thickness divided by the inelastic mean free path, shape (...).
    zero_loss
        Energy of the zero loss in eV, of the same shape or one for all.
    resolution
        Full width at half maximum of the Gaussian zero loss, in eV.
    tail_fraction
        Fraction of the electrons in Lorentzian tails of 4 eV, as some detectors have.
    electrons
        Electrons of each spectrum, at any energy.
    generator
        Random generator of the counting noise, or None for expected counts.

    Returns
    -------
    ndarray
        Counts of each channel, shape (..., channels).
    """
    thickness, zero = np.broadcast_arrays(
        np.asarray(relative_thickness, dtype=np.float64), np.asarray(zero_loss, dtype=np.float64)
    )
    width = float(energy[1] - energy[0])
    first = min(float(energy[0]), 0.0) - _MARGIN
    grid = first + _STEP * np.arange(round((max(energy[-1], REACH) + _MARGIN - first) / _STEP))
    peak = np.exp(-0.5 * np.square(grid * FWHM_PER_SIGMA / resolution))
    tails = 1.0 / (1.0 + np.square(2.0 * grid / _TAIL_WIDTH))
    peak = (1 - tail_fraction) * peak / peak.sum() + tail_fraction * tails / tails.sum()
    # Twice the length, so that losses beyond the end do not come back at the beginning.
    length = fft.next_fast_len(2 * grid.size, real=True)
    losses = silica_single_scattering(_STEP * np.arange(round(REACH / _STEP)))
    transform, once = fft.rfft(peak, length), fft.rfft(losses, length)
    limits = np.append(energy, energy[-1] + width) - width / 2
    spectra = np.empty((thickness.size, energy.size))
    for row, (t, offset) in enumerate(zip(thickness.ravel(), zero.ravel(), strict=True)):
        scattered = transform * plural_scattering(once, np.array([t]))[0]
        density = fft.irfft(scattered, length)[: grid.size]
        total = np.append(0.0, np.cumsum(density))
        ends = np.append(grid, grid[-1] + _STEP) - _STEP / 2
        spectra[row] = np.diff(np.interp(limits - offset, ends, total))
    spectra = np.maximum(electrons * spectra, 0.0).reshape(*thickness.shape, energy.size)
    return spectra if generator is None else generator.poisson(spectra).astype(np.float64)
