"""Power-law background of an edge, fitted to two areas before the edge.

This module implements Egerton's two-area method, vectorised over spectra and over candidate edge
positions, and the statistical error of the extrapolated background (R. F. Egerton, Electron
Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed., sections 4.4.1 and 4.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Backgrounds of core-loss spectra fall with an exponent of 2 to 5. A fitted exponent below the
# first one, by two standard errors, is that of a constant with a power law of the second exponent.
# So is one that rises: with the noise of hardly any background, the power law would grow endlessly.
_TOO_FLAT, _USUAL = 1.3, 3.0
#: Prevents division by zero; spectra are scaled to a maximum of one.
NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Areas:
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
    moments = running_sums(np.log(energy) ** np.arange(3)[:, None], widths)
    width, mean, square = moments[:, last] - moments[:, first]
    return Areas(first, last, width, np.exp(mean / width), square / width - (mean / width) ** 2)


def running_sums(spectra: NDArray, widths: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the integral of each spectrum up to each channel, in float64.

    Parameters
    ----------
    spectra
        Intensities, shape (spectra, channels).
    widths
        Channel widths in eV, shape (channels,).

    Returns
    -------
    ndarray
        Integrals, shape (spectra, channels + 1). The first column is zero.
    """
    running = np.zeros((len(spectra), spectra.shape[-1] + 1))
    np.cumsum(spectra * widths, axis=-1, out=running[:, 1:])
    return running


def area_means(running: NDArray[np.floating], over: Areas) -> NDArray[np.floating]:
    """Return the mean of each spectrum over each area, shape (spectra, areas).

    Parameters
    ----------
    running
        Integrals from :func:`running_sums`.
    over
        The areas.
    """
    return (running[:, over.last] - running[:, over.first]) / over.width


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
    law = fit.law.height[:, None] * np.exp(-fit.law.exponent[:, None] * logarithm)
    return law + fit.offset[:, None] if fit.offset.any() else law


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


def area_variances(
    variance: NDArray[np.floating],
    means: tuple[NDArray[np.floating], NDArray[np.floating]],
    counts: tuple[NDArray[np.integer], NDArray[np.integer]],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the relative variances of the mean intensities of two adjacent areas.

    The variance of counting noise is proportional to the intensity, and so is larger in the area
    with the higher mean.

    Parameters
    ----------
    variance
        Variance of one channel, as a mean over both areas, shape (spectra,).
    means
        Mean intensities of the areas, of the same shape.
    counts
        Number of channels of the areas, of the same shape.
    """
    low, high = (np.maximum(mean, NOTHING) for mean in means)
    both = 2.0 * variance / (low + high)
    return both / (low * counts[0]), both / (high * counts[1])


def two_area_power_law(
    first_mean: NDArray[np.float32], second_mean: NDArray[np.float32], first: Areas, second: Areas
) -> PowerLaw:
    """Fit power laws to the means of two areas.

    The reference energy of each power law is the mean energy of its second area. If the mean
    intensity of an area is zero or negative, the exponent is 0.

    Parameters
    ----------
    first_mean, second_mean
        Mean intensities of the first and of the second areas, shape (..., sets).
    first, second
        The areas. The first ones lie at lower energy.
    """
    fits = (first_mean > 0) & (second_mean > 0)
    ratio = np.where(fits, first_mean, 1.0) / np.where(fits, second_mean, 1.0)
    distance = np.log(second.energy / first.energy)
    exponent = np.log(ratio) / distance
    curvature = mean_over_centre(exponent, second.spread) / mean_over_centre(exponent, first.spread)
    exponent = np.log(ratio * curvature) / distance
    exponent = np.where(fits, exponent, 0.0)
    height = np.maximum(second_mean, 0) / mean_over_centre(exponent, second.spread)
    return PowerLaw(height.astype(np.float32), exponent.astype(np.float32))


def mean_over_centre(exponent: NDArray, spread: NDArray) -> NDArray:
    """Return the mean of a power law over an area, divided by its value at the area's energy."""
    return 1.0 + np.square(exponent) * spread / 2


def extrapolation_variance(
    first_variance: NDArray, second_variance: NDArray, lever: NDArray
) -> NDArray:
    """Return the relative variance of a two-area power law extrapolated beyond its areas.

    Parameters
    ----------
    first_variance, second_variance
        Relative variances of the two mean intensities.
    lever
        ``log(energy / second energy) / log(second energy / first energy)``.
    """
    return first_variance * lever**2 + second_variance * (1.0 + lever) ** 2
