"""Energy resolution: spectra are broadened to the resolution of a model, and never sharpened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.sparse import csr_array

from hyperspy_coreloss.errors import ResolutionError, SignalError
from hyperspy_coreloss.spectra.compiled import compiled
from hyperspy_coreloss.spectra.energy import channel_widths, single_energy

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Weights of an operator below this fraction of the largest weight are set to zero: they lie below
# the precision of float32.
_NEGLIGIBLE = 1e-8
# Relative tolerance within which two widths count as equal.
_ROUNDING = 1e-6
# Number of spectra that are broadened side by side.
_BESIDE = 64
#: Full width at half maximum of a Gaussian of unit standard deviation.
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))


def check_resolution(resolution: Any) -> float:
    """Return an energy resolution as a float, in eV.

    Parameters
    ----------
    resolution
        Full width at half maximum in eV: one real number of any type.

    Raises
    ------
    SignalError
        If it is not one number, not finite, or below zero.
    """
    width = single_energy(resolution)
    if width is None or width < 0:
        msg = (
            f"The resolution must be a width in eV, zero or more, but it is {resolution!r}. Give "
            "the full width at half maximum of the zero-loss peak."
        )
        raise SignalError(msg)
    return width


def can_be_broadened(target: float, resolution: float, dispersion: float) -> bool:
    """Return whether measured spectra can be broadened to a resolution.

    Parameters
    ----------
    target, resolution, dispersion
        See :func:`missing_broadening`.
    """
    return not (_exceeds(dispersion, target) or _exceeds(_sigma(resolution, dispersion), target))


def missing_broadening(target: float, resolution: float, dispersion: float) -> float:
    """Return the Gaussian broadening that brings a measured spectrum to a target resolution.

    The broadening of a measured spectrum is the energy resolution of the instrument and the width
    of a channel, added in quadrature. A channel is a box function, whose variance is
    ``dispersion**2 / 12``.

    Parameters
    ----------
    target
        Standard deviation of the target broadening, in eV.
    resolution
        Energy resolution of the measurement (full width at half maximum of the zero-loss peak),
        in eV.
    dispersion
        Largest channel width, in eV.

    Returns
    -------
    float
        Standard deviation of the Gaussian to convolve the spectrum with, in eV.

    Raises
    ------
    ResolutionError
        If the measured broadening or the dispersion exceeds `target`.
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
            f"{target * FWHM_PER_SIGMA:.2f} eV (FWHM) or better, but the resolution given is "
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
    """Return the matrix that broadens spectra and interpolates them at given energies.

    The matrix is sparse because a Gaussian decays quickly. The product with a sparse matrix is the
    same for each spectrum to the last bit, for any number of spectra and threads.

    If the Gaussian is at least as wide as the widest channel, the convolution integral is a sum
    over the channels. If it is narrower, the integral is the Gauss-Hermite quadrature of the cubic
    spline through the channels. With a width of 0, this is spline interpolation.

    Parameters
    ----------
    energy
        Ascending channel energies in eV, shape (channels,), evenly spaced or not.
    sigma
        Standard deviation of the Gaussian, in eV, 0 or more.
    points
        Energies in eV of the broadened spectrum, shape (points,), within the range of `energy`.

    Returns
    -------
    csr_array
        Matrix of shape (points, channels): ``operator @ spectrum`` is the broadened spectrum.
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


def broadened(operator: csr_array, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the products of an operator with many spectra, shape (spectra, points).

    Parameters
    ----------
    operator
        Matrix of :func:`broadening_operator`, in float32.
    spectra
        Intensities, shape (spectra, channels).
    """
    return _products(operator.data, operator.indices, operator.indptr, spectra)


@compiled
def _products(
    weights: NDArray[np.float32],
    channels: NDArray[np.integer],
    ends: NDArray[np.integer],
    spectra: NDArray[np.float32],
) -> NDArray[np.float32]:
    n_points = len(ends) - 1
    products = np.empty((len(spectra), n_points), dtype=np.float32)
    # Spectra are multiplied side by side, in vectors. What the last ones lack is zero.
    beside = np.zeros((spectra.shape[1], _BESIDE), dtype=np.float32)
    sums = np.empty((n_points, _BESIDE), dtype=np.float32)
    for start in range(0, len(spectra), _BESIDE):
        number = min(_BESIDE, len(spectra) - start)
        for j in range(number):
            for channel in range(spectra.shape[1]):
                beside[channel, j] = spectra[start + j, channel]
        for point in range(n_points):
            total = sums[point]
            total[:] = 0
            k, end = ends[point], ends[point + 1]
            # Four at a time, in the same order: a total is read and written once for them.
            while k + 4 <= end:
                a, b, c, d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
                of_a, of_b = beside[channels[k]], beside[channels[k + 1]]
                of_c, of_d = beside[channels[k + 2]], beside[channels[k + 3]]
                for j in range(_BESIDE):
                    total[j] = (((total[j] + a * of_a[j]) + b * of_b[j]) + c * of_c[j]) + d * of_d[
                        j
                    ]
                k += 4
            while k < end:
                a, of_a = weights[k], beside[channels[k]]
                for j in range(_BESIDE):
                    total[j] += a * of_a[j]
                k += 1
        for j in range(number):
            for point in range(n_points):
                products[start + j, point] = sums[point, j]
    return products


def _sparse(operator: NDArray[np.floating]) -> csr_array:
    return csr_array(np.where(np.abs(operator) > _NEGLIGIBLE * operator.max(), operator, 0.0))
