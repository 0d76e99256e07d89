"""Power-law background of an edge, fitted to two areas before the edge.

This module implements Egerton's two-area method, and the statistical error of the extrapolated
background (R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed.,
sections 4.4.1 and 4.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hyperspy_coreloss.spectra.compiled import callable_from_compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Backgrounds of core-loss spectra fall with an exponent of 2 to 5. A fitted exponent below the
# first one, by two standard errors, is that of a constant with a power law of the second exponent.
# So is one that rises: with the noise of hardly any background, the power law would grow endlessly.
_TOO_FLAT, _USUAL = 1.3, 3.0
#: Prevents division by zero; spectra are scaled to a maximum of one.
NOTHING = 1e-12


class Areas(NamedTuple):
    """Intervals of adjacent channels over which intensities are averaged.

    Parameters
    ----------
    first, last
        Index of the first channel of each area, and of the first channel after the area, shape
        (areas,).
    width
        Sum of the channel widths of each area in eV, shape (areas,).
    energy
        Geometric mean of the energies of each area in eV, shape (areas,).
    spread
        Variance of the logarithms of the energies of each area, shape (areas,).
    """

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    width: NDArray[np.floating]
    energy: NDArray[np.floating]
    spread: NDArray[np.floating]

    @property
    def counts(self) -> NDArray[np.intp]:
        """Number of channels in each area, shape (areas,)."""
        return self.last - self.first


def areas(
    energy: NDArray[np.floating],
    widths: NDArray[np.floating],
    start: NDArray[np.floating],
    stop: NDArray[np.floating],
) -> Areas:
    """Return the areas of the channels with ``start <= energy < stop``, for each pair of limits.

    Parameters
    ----------
    energy, widths
        Ascending channel energies and channel widths in eV, shape (channels,).
    start, stop
        Limits in eV, shape (areas,). Every area must contain at least one channel.
    """
    # Limits often coincide with a channel; the margin makes the result independent of rounding.
    first, last = (np.searchsorted(energy, limit - 1e-6) for limit in (start, stop))
    moments = np.zeros((3, energy.size + 1))
    np.cumsum(np.log(energy) ** np.arange(3)[:, None] * widths, axis=-1, out=moments[:, 1:])
    width, mean, square = moments[:, last] - moments[:, first]
    return Areas(first, last, width, np.exp(mean / width), square / width - (mean / width) ** 2)


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Power laws ``height * (energy / reference)**-exponent``.

    Parameters
    ----------
    height
        Intensity at the reference energy, of any shape.
    exponent
        Exponent, of the shape of `height`.
    """

    height: NDArray[np.float32]
    exponent: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BackgroundFit:
    """The power law before the edge of each spectrum, and the error of its two areas.

    Parameters
    ----------
    law
        Power laws, of the shape (spectra,).
    offset
        Constant to add to each power law, such as the pedestal of a camera, shape (spectra,); zero
        where the power law alone is the background.
    reference
        Reference energy of each power law in eV: the mean energy of its second area, shape
        (spectra,).
    first_energy
        Mean energy of the first area in eV, shape (spectra,).
    least
        Standard error of the mean intensity of the second area, shape (spectra,).
    first_variance, second_variance
        Relative variances of the mean intensities of the areas, shape (spectra,).
    """

    law: PowerLaw
    offset: NDArray[np.float32]
    reference: NDArray[np.float32]
    first_energy: NDArray[np.float32]
    least: NDArray[np.float32]
    first_variance: NDArray[np.float32]
    second_variance: NDArray[np.float32]


def fitted_background(fit: BackgroundFit, energy: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the background of each spectrum at the same energies, shape (spectra, energies)."""
    logarithm = np.log(energy).astype(np.float32) - np.log(fit.reference)[:, None]
    logarithm *= -fit.law.exponent[:, None]
    law = np.exp(logarithm, out=logarithm)
    law *= fit.law.height[:, None]
    if fit.offset.any():
        law += fit.offset[:, None]
    return law


def with_offset(fit: BackgroundFit) -> BackgroundFit:
    """Return backgrounds in which power laws that are too flat, or rise, have a constant.

    The new background has the same intensity at the mean energies of the two areas.

    Parameters
    ----------
    fit
        Power laws without a constant.
    """
    distance = np.log(fit.reference / fit.first_energy)
    error = np.sqrt(fit.first_variance + fit.second_variance) / distance
    flat = (fit.law.exponent + 2.0 * error < _TOO_FLAT) | (fit.law.exponent < 0)
    flat &= fit.law.height > 0
    if not flat.any():
        return fit
    share = np.expm1(fit.law.exponent * distance) / np.expm1(_USUAL * distance)
    height = np.where(flat, fit.law.height * share, fit.law.height)
    return replace(
        fit,
        law=PowerLaw(
            height.astype(np.float32),
            np.where(flat, np.float32(_USUAL), fit.law.exponent),
        ),
        offset=(fit.law.height - height).astype(np.float32),
    )


def background_error(fit: BackgroundFit, energy: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the standard error of each background due to the noise of its areas, shape (spectra,).

    It is that of the statistics only: a background that is no power law has a larger error.

    Parameters
    ----------
    fit
        Backgrounds.
    energy
        An energy in eV for each of them, shape (spectra,).
    """
    distance, apart = np.log(energy / fit.reference), np.log(fit.reference / fit.first_energy)
    height = fit.law.height * np.exp(-fit.law.exponent * distance)
    variance = extrapolation_variance(fit.first_variance, fit.second_variance, distance / apart)
    # The error of a background without counts is not zero.
    error: NDArray[np.float32] = np.maximum(height, fit.least) * np.sqrt(variance)
    if fit.offset.any():
        # Linear in the means of the areas, as the exponent is not fitted.
        rise = np.exp(fit.law.exponent * apart)
        lever = np.expm1(-fit.law.exponent * distance) / np.maximum(rise - 1.0, NOTHING)
        of_first = np.square((fit.law.height * rise + fit.offset) * lever) * fit.first_variance
        of_second = np.square((fit.law.height + fit.offset) * (1 - lever)) * fit.second_variance
        error = np.where(fit.offset > 0, np.sqrt(of_first + of_second), error)
    return error


@inlined
def area_variances(
    variance: float, means: tuple[float, float], counts: tuple[int, int]
) -> tuple[float, float]:
    """Return the relative variances of the mean intensities of two adjacent areas.

    The variance of counting noise is proportional to the intensity, and so is larger in the area
    with the higher mean.

    Parameters
    ----------
    variance
        Variance of one channel, as a mean over both areas.
    means
        Mean intensities of the areas.
    counts
        Number of channels of the areas.
    """
    low, high = max(means[0], NOTHING), max(means[1], NOTHING)
    both = 2.0 * variance / (low + high)
    return both / (low * counts[0]), both / (high * counts[1])


@inlined
def two_area_power_law(
    first_mean: float, second_mean: float, apart: float, first_spread: float, second_spread: float
) -> tuple[np.float32, np.float32]:
    """Fit a power law to the means of two areas.

    Parameters
    ----------
    first_mean, second_mean
        Mean intensities of the first and of the second area. The first one lies at lower energy.
    apart
        Logarithm of the mean energy of the second area over that of the first.
    first_spread, second_spread
        Variance of the logarithms of the energies of each area.

    Returns
    -------
    height, exponent : float
        The power law at the mean energy of the second area. If the mean intensity of an area is
        zero or negative, the exponent is 0.
    """
    exponent = 0.0
    if first_mean > 0 and second_mean > 0:
        ratio = first_mean / second_mean
        exponent = np.log(ratio) / apart
        curvature = mean_over_centre(exponent, second_spread)
        curvature /= mean_over_centre(exponent, first_spread)
        exponent = np.log(ratio * curvature) / apart
    height = max(second_mean, 0.0) / mean_over_centre(exponent, second_spread)
    return np.float32(height), np.float32(exponent)


@callable_from_compiled
def mean_over_centre(exponent: Any, spread: Any) -> Any:
    """Return the mean of a power law over an area, divided by its value at the area's energy."""
    return 1.0 + np.square(exponent) * spread / 2


@callable_from_compiled
def extrapolation_variance(first_variance: Any, second_variance: Any, lever: Any) -> Any:
    """Return the relative variance of a two-area power law extrapolated beyond its areas.

    Parameters
    ----------
    first_variance, second_variance
        Relative variances of the two mean intensities.
    lever
        ``log(energy / second energy) / log(second energy / first energy)``.
    """
    return first_variance * lever**2 + second_variance * (1.0 + lever) ** 2
