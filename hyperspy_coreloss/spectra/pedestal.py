"""The pedestal of low-loss spectra: what the channels below a zero loss count without electrons."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The pedestal is read up to this distance below the zero loss, in eV.
BELOW = 20.0
# It is read this many widths and more below the peak, and in the outer part of what the axis holds;
# it needs as many channels.
_CLEAR, _INNER = 1.5, 1 / 3
# Powers of the distance with which a tail can fall, in steps of one.
_EXPONENTS = (2, 3, 4)
_FEWEST_CLEAR = 4
# Standard deviation of a Gaussian per median absolute deviation.
_SIGMA_PER_DEVIATION = 1.4826


class ChannelsBelow(NamedTuple):
    """The channels below the zero losses of several spectra.

    Parameters
    ----------
    counts
        Intensities, shape (spectra, channels).
    nearness
        Distance of the nearest channel divided by that of these ones, of the same shape.
    present
        Which channels are read, of the same shape.
    """

    counts: NDArray[np.float64]
    nearness: NDArray[np.float64]
    present: NDArray[np.bool_]


def read_below(
    counts: NDArray[np.float64],
    axis: NDArray[np.float64],
    peak: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> ChannelsBelow:
    """Return the channels far enough below peaks.

    Parameters
    ----------
    counts
        Intensities, shape (spectra, channels).
    axis
        Ascending energies in eV, shape (channels,).
    peak
        Energy and full width at half maximum of the peak of each spectrum, in eV, shape (spectra,).
    """
    energy, width = peak
    distance = energy[:, None] - axis
    reach = np.minimum(energy - axis[0], BELOW)
    nearest = np.maximum(_CLEAR * width, _INNER * reach)
    present = (distance > nearest[:, None]) & (distance < BELOW)
    nearness = nearest[:, None] / np.where(present, distance, np.inf)
    return ChannelsBelow(counts, nearness, present)


def fit_pedestals(
    below: ChannelsBelow,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the pedestal, the tail, and whether too few channels lie below.

    A tail is fitted with the pedestal, because the tails of peaks and detectors are not over where
    the axis begins. It falls with the second, third or fourth power of the distance, whichever
    fits best, and is not negative.

    Returns
    -------
    pedestal : ndarray
        Intensity, shape (spectra,).
    tail : ndarray
        Height at the nearest channel and exponent of the tail, shape (2, spectra).
    short : ndarray of bool
        Shape (spectra,).
    """
    counts, nearness, present = below
    number = present.sum(axis=-1)
    short = number < _FEWEST_CLEAR
    number = np.where(short, 1, number)
    value = np.where(present, counts, 0.0)
    mean = value.sum(axis=-1) / number
    value = np.where(present, value - mean[:, None], 0.0)
    pedestal, gained, shape = mean, np.zeros(len(mean)), nearness
    tails = np.zeros((2, len(mean)))
    for exponent in _EXPONENTS:
        shape = shape * nearness
        centre = shape.sum(axis=-1) / number
        spread = np.maximum(np.square(shape).sum(axis=-1) - number * centre**2, 0.0)
        product = np.maximum((shape * value).sum(axis=-1), 0.0)
        tail = product / np.where(spread > 0, spread, 1.0)
        # What the fit takes off the sum of squares.
        better = tail * product > gained
        gained = np.where(better, tail * product, gained)
        pedestal = np.where(better, mean - tail * centre, pedestal)
        tails = np.where(better, (tail, np.full(len(tail), exponent)), tails)
    return pedestal, tails, short


def noise_below(
    below: ChannelsBelow, pedestal: NDArray[np.float64], tail: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the standard deviation of the channels from the fit, shape (spectra,).

    Parameters
    ----------
    below
        The channels.
    pedestal, tail
        From :func:`fit_pedestals`.
    """
    height, exponent = tail
    fitted = height[:, None] * below.nearness ** exponent[:, None]
    residual = below.counts - pedestal[:, None] - fitted
    return _SIGMA_PER_DEVIATION * _median_deviation(residual, below.present)


def _median_deviation(
    values: NDArray[np.float64], present: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the median absolute deviation from the median, over the values that are present."""
    half = np.maximum(present.sum(axis=-1) - 1, 0)[:, None] // 2
    ordered = np.sort(np.where(present, values, np.inf), axis=-1)
    middle = np.take_along_axis(ordered, half, axis=-1)
    middle = np.where(np.isfinite(middle), middle, 0.0)
    deviation = np.sort(np.where(present, np.abs(values - middle), np.inf), axis=-1)
    deviation = np.take_along_axis(deviation, half, axis=-1)[:, 0]
    return np.where(np.isfinite(deviation), deviation, 0.0)
