"""Energy resolution: bring spectra to a pretrained model's, and never sharpen them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.sparse import csr_array

from hyperspy_coreloss.errors import ResolutionError, SignalError
from hyperspy_coreloss.spectra.energy import channel_widths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Weights of an operator that float32 would lose anyway.
_NEGLIGIBLE = 1e-8
# Widths that are equal but for rounding count as equal.
_ROUNDING = 1e-6
#: Full width at half maximum of a Gaussian of unit standard deviation.
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))


def can_be_broadened(target: float, resolution: float, dispersion: float) -> bool:
    """Tell whether measured spectra are sharp and fine enough to be broadened to a resolution.

    Parameters
    ----------
    target, resolution, dispersion
        As for :func:`missing_broadening`.
    """
    return not (_exceeds(dispersion, target) or _exceeds(_sigma(resolution, dispersion), target))


def missing_broadening(target: float, resolution: float, dispersion: float) -> float:
    """Return the Gaussian that takes a measured spectrum to a target resolution.

    The measured width is the instrument's, plus that of a channel (a box of one dispersion
    has the variance ``dispersion**2 / 12``); widths add in quadrature.

    Parameters
    ----------
    target
        Standard deviation to reach, in eV.
    resolution
        Energy resolution of the measurement, full width at half maximum of the zero loss, in eV.
    dispersion
        Largest channel width, in eV.

    Returns
    -------
    float
        Standard deviation of the missing Gaussian, in eV.

    Raises
    ------
    ResolutionError
        If the measurement is coarser than the target, or the dispersion too coarse to sample it.
    """
    if _exceeds(dispersion, target):
        msg = (
            f"The dispersion must be {target:g} eV per channel or finer for this pretrained "
            f"model (Gaussian broadening σ = {target:g} eV), but it is {dispersion:.3g} eV per "
            "channel. Measure with a finer dispersion, or use a model of coarser resolution (see "
            "list_pretrained())."
        )
        raise ResolutionError(msg)
    measured = _sigma(resolution, dispersion)
    if _exceeds(measured, target):
        msg = (
            f"This pretrained model reads spectra of σ = {target:g} eV, that is a resolution of "
            f"{target * FWHM_PER_SIGMA:.2f} eV (FWHM), but the resolution given is "
            f"{resolution:.2f} eV with {dispersion:.3g} eV per channel. Spectra are never "
            "sharpened: use a model of coarser resolution (see list_pretrained())."
        )
        raise ResolutionError(msg)
    return math.sqrt(max(target**2 - measured**2, 0.0))


def _sigma(resolution: float, dispersion: float) -> float:
    """Return the standard deviation of a measured spectrum's broadening, in eV."""
    return math.hypot(resolution / FWHM_PER_SIGMA, dispersion / math.sqrt(12.0))


def _exceeds(width: float, target: float) -> bool:
    return width > target * (1 + _ROUNDING)


def broadening_operator(
    energy: NDArray[np.floating], sigma: float, points: NDArray[np.floating]
) -> csr_array:
    """Return the matrix that broadens spectra and reads them at given energies, in one step.

    Sparse, because a Gaussian ends soon; and then a product with it treats every spectrum alike,
    whatever the number of spectra and of threads, to the last bit.

    Where the Gaussian spans the channels, the convolution integral is summed over the channels;
    where it is narrower than a channel, it is taken over the cubic spline through them
    (Gauss-Hermite quadrature), so that no broadening at all leaves plain spline interpolation.

    Parameters
    ----------
    energy
        Ascending channel energies in eV, shape (channels,), evenly spaced or not.
    sigma
        Standard deviation of the Gaussian, in eV; may be 0.
    points
        Energies in eV at which the broadened spectrum is wanted, shape (points,), within `energy`.

    Returns
    -------
    csr_array
        Shape (points, channels): ``operator @ spectrum`` is the broadened spectrum.
    """
    widths = channel_widths(energy)
    if sigma >= widths.max():
        distance = (points[None, :] - energy[:, None]) / sigma
        operator = np.exp(-0.5 * distance**2) * widths[:, None]
        return _sparse((operator / operator.sum(axis=0)).T)
    spline = CubicSpline(energy, np.eye(energy.size), axis=0)
    nodes, weights = np.polynomial.hermite.hermgauss(9 if sigma > 0 else 1)
    operator = np.zeros((points.size, energy.size))
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        shifted = np.clip(points - math.sqrt(2.0) * sigma * node, energy[0], energy[-1])
        operator += weight * spline(shifted)
    return _sparse(operator)


def _sparse(operator: NDArray[np.floating]) -> csr_array:
    return csr_array(np.where(np.abs(operator) > _NEGLIGIBLE * operator.max(), operator, 0.0))


def zero_loss_fwhm(spectrum: ArrayLike, energy: ArrayLike) -> float:
    """Return the full width at half maximum of the zero loss, the energy resolution.

    Parameters
    ----------
    spectrum
        Low-loss spectrum, shape (channels,).
    energy
        Ascending energies in eV, shape (channels,).

    Returns
    -------
    float
        Width in eV, interpolated linearly between channels.

    Raises
    ------
    SignalError
        If the highest peak does not fall to its half on both sides.
    """
    intensity = np.asarray(spectrum, dtype=np.float64)
    axis = np.asarray(energy, dtype=np.float64)
    peak = int(np.argmax(intensity))
    half = intensity[peak] / 2.0
    below = np.flatnonzero(intensity < half)
    left, right = below[below < peak], below[below > peak]
    if not (np.isfinite(intensity).all() and half > 0 and left.size and right.size):
        msg = (
            "The zero loss must rise from and fall to half its height inside the spectrum, but "
            f"the highest channel, at {axis[peak]:.1f} eV, does not. Give a low-loss spectrum "
            "with its zero loss, or the resolution as a number."
        )
        raise SignalError(msg)

    def crossing(low: int, high: int) -> float:
        fraction = (half - intensity[low]) / (intensity[high] - intensity[low])
        return float(axis[low] + fraction * (axis[high] - axis[low]))

    return crossing(right[0], right[0] - 1) - crossing(left[-1], left[-1] + 1)
