"""Spikes and dead channels: outliers of one to three channels, replaced by their neighbours.

Cosmic rays and X-rays leave spikes, and cameras have hot and dead channels. No feature of a
spectrum is narrower than the energy resolution. An outlier is therefore compared with the channels
beside it, and with what the resolution allows at their distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Widest outlier in channels.
WIDEST = 3
# Standard deviations of the noise by which an outlier exceeds what the resolution allows.
_SIGNIFICANCE = 8.0
# Margin of the ratio that the resolution allows, for its error and for features on one another.
_MARGIN = 1.3
# Standard deviations of the resolution beyond which nothing counts as an outlier.
_FINEST = 3.5
# Median of the absolute second difference of white noise of unit standard deviation.
_SECOND_DIFFERENCE = 0.6745 * np.sqrt(6.0)


def replace_outliers(
    intensities: NDArray[np.float32], step: NDArray[np.float32], channels_per_sigma: float
) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
    """Replace outliers of one to three channels by the line between their neighbours.

    Parameters
    ----------
    intensities
        Intensities with background, shape (spectra, channels).
    step
        Intensity of one count, from :func:`.count_step`, shape (spectra,).
    channels_per_sigma
        Standard deviation of the spectra's Gaussian broadening, in channels; 0 if it is unknown.
        If it is small, nothing is an outlier.

    Returns
    -------
    intensities : ndarray
        Spectra without outliers. It is the argument itself if there are none.
    n_replaced : ndarray of int
        Number of channels that were replaced, shape (spectra,).
    """
    # At the distance of the last ones, the resolution may allow anything.
    ratios = [_steepest_ratio(width + 1, channels_per_sigma) for width in range(1, WIDEST + 1)]
    ratios = [ratio for ratio in ratios if math.isfinite(ratio)]
    rows = np.flatnonzero(_suspects(intensities, step, np.array(ratios, dtype=np.float32)))
    n_replaced = np.zeros(len(intensities), dtype=np.uint16)
    if not rows.size:
        return intensities, n_replaced
    suspects = intensities[rows]
    clean = suspects.copy()
    for width, ratio in enumerate(ratios, start=1):
        noise = _Noise.of(clean, step[rows])
        low, high = _beside(_median_of_three(clean), width + 1)
        low, high = np.maximum(low, 0), np.maximum(high, 0)
        outlier = clean - ratio * high > _SIGNIFICANCE * noise.at(high)
        outlier |= low / ratio - clean > _SIGNIFICANCE * noise.at(low)
        outlier &= ~_in_run_longer_than(width, outlier)
        _interpolate(clean, outlier)
    n_replaced[rows] = (clean != suspects).sum(axis=-1)
    if not n_replaced.any():
        return intensities, n_replaced
    replaced = intensities.copy()
    replaced[rows] = clean
    return replaced, n_replaced


def _steepest_ratio(distance: int, channels_per_sigma: float) -> float:
    """Return the highest ratio of a channel to another that the resolution allows.

    This is the height of a Gaussian at its centre over that at `distance` channels, with a margin.
    """
    if channels_per_sigma * _FINEST <= distance:
        return math.inf
    return _MARGIN * math.exp(0.5 * (distance / channels_per_sigma) ** 2)


@compiled
def _suspects(
    spectra: NDArray[np.float32], step: NDArray[np.float32], ratios: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Return which spectra have channels that may be outliers, with the least noise possible.

    Such channels are higher than a ratio times the channels at its distance on either side, or
    lower than those divided by it. Of those channels, each is the median of itself and its
    neighbours. The distance of the first ratio is 2, that of the second 3, and so on.
    """
    suspect = np.zeros(len(spectra), dtype=np.bool_)
    number, most = spectra.shape[1], len(ratios) + 1
    # The end channels stand for those beyond the ends.
    extended = np.empty(number + 2, dtype=spectra.dtype)
    median = np.empty(number + 2 * most, dtype=spectra.dtype)
    before, at, behind = extended[:-2], extended[1:-1], extended[2:]
    of_channel = median[most : most + number]
    for i in range(len(spectra)):
        spectrum = spectra[i]
        extended[0], extended[-1] = spectrum[0], spectrum[-1]
        at[:] = spectrum
        for channel in range(number):
            left, middle, right = before[channel], at[channel], behind[channel]
            low = left if left < middle else middle
            high = middle if left < middle else left
            high = high if high < right else right
            of_channel[channel] = low if low > high else high
        median[:most] = of_channel[0]
        median[most + number :] = of_channel[-1]
        for k in range(len(ratios)):
            ratio, distance = ratios[k], k + 2
            below = median[most - distance : most - distance + number]
            above = median[most + distance : most + distance + number]
            found = 0
            for channel in range(number):
                value, left, right = spectrum[channel], below[channel], above[channel]
                low = left if left < right else right
                high = right if left < right else left
                found += int(value > ratio * high) + int(value * ratio < low)
            if not found:
                continue
            for channel in range(number):
                value, left, right = spectrum[channel], below[channel], above[channel]
                low, high = max(min(left, right), 0.0), max(max(left, right), 0.0)
                suspect[i] |= value - ratio * high > _least_noise(high, step[i])
                suspect[i] |= low / ratio - value > _least_noise(low, step[i])
    return suspect


@compiled
def _least_noise(intensity: float, step: float) -> float:
    """Return how far an outlier lies off at least: the noise is that of counting, or more."""
    # Slightly less, because the noise itself is computed in single precision.
    return 0.999 * _SIGNIFICANCE * max(math.sqrt(step * intensity), step)


def _median_of_three(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of each channel and its two neighbours."""
    padded = np.pad(spectra, ((0, 0), (1, 1)), mode="edge")
    left, middle, right = padded[:, :-2], padded[:, 1:-1], padded[:, 2:]
    return np.maximum(np.minimum(left, middle), np.minimum(np.maximum(left, middle), right))


def _beside(
    median: NDArray[np.float32], distance: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the lower and the higher of the medians at a distance on either side."""
    padded = np.pad(median, ((0, 0), (distance, distance)), mode="edge")
    left, right = padded[:, : -2 * distance], padded[:, 2 * distance :]
    return np.minimum(left, right), np.maximum(left, right)


@dataclass(frozen=True)
class _Noise:
    """Counting noise: its variance is proportional to the intensity, and at least one count."""

    gain: NDArray[np.floating]
    floor: NDArray[np.floating]

    @classmethod
    def of(cls, spectra: NDArray[np.float32], step: NDArray[np.float32]) -> _Noise:
        # Medians, which outliers do not change.
        second = np.abs(np.diff(spectra, n=2, axis=-1))
        deviation = np.median(second, axis=-1) / _SECOND_DIFFERENCE
        level = np.maximum(np.median(spectra, axis=-1), step)
        variance = np.divide(deviation**2, level, out=np.zeros_like(level), where=level > 0)
        return cls(np.maximum(variance, step)[:, None], np.maximum(deviation, step)[:, None])

    def at(self, intensity: NDArray[np.float32]) -> NDArray[np.floating]:
        """Return the standard deviation of channels with an expected intensity."""
        return np.maximum(np.sqrt(self.gain * intensity), self.floor)


def _in_run_longer_than(width: int, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which marked channels belong to a run of more than `width` channels."""
    window = np.lib.stride_tricks.sliding_window_view(marked, width + 1, axis=-1).all(axis=-1)
    in_run = np.zeros_like(marked)
    for shift in range(width + 1):
        in_run[:, shift : shift + window.shape[-1]] |= window
    return in_run


def _interpolate(spectra: NDArray[np.float32], outlier: NDArray[np.bool_]) -> None:
    """Replace outliers by the line between their neighbours, in place."""
    channel = np.arange(spectra.shape[-1])
    for spectrum, marked in zip(spectra, outlier, strict=True):
        if marked.any():
            kept = ~marked
            spectrum[marked] = np.interp(channel[marked], channel[kept], spectrum[kept])
