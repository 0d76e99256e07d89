"""Codes of the quality map: the reason why a pixel has no prediction."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.compiled import compiled, plain_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Number of adjacent channels at the maximum that counting statistics cannot explain, from a maximum
# of this many counts.
_PLATEAU = 5
_MANY_COUNTS = 50


class Quality(IntEnum):
    """Codes of the quality map. The predictions are NaN for every code except ``GOOD``.

    If several reasons apply, the code is that of the reason listed first.
    """

    GOOD = 0
    MASKED = 1
    NOT_FINITE = 2
    EMPTY = 3
    NEGATIVE = 4
    SATURATED = 5
    NO_ONSET = 6
    WINDOW_NOT_COVERED = 7
    EXCITATION_ENERGY_OUTSIDE = 8
    OUTLIERS = 9
    OUTSIDE_LABELS = 10
    NO_ZERO_LOSS = 11
    TOO_THICK = 12
    OTHER_EDGE = 13
    UNFAMILIAR = 14

    @property
    def reason(self) -> str:
        """Description of the reason."""
        return _REASONS[self]

    @property
    def phrase(self) -> str:
        """The reason in two words, for counts."""
        return _PHRASES[self]


_PHRASES = {
    Quality.GOOD: "predicted",
    Quality.MASKED: "masked",
    Quality.NOT_FINITE: "not finite",
    Quality.EMPTY: "empty",
    Quality.NEGATIVE: "negative",
    Quality.SATURATED: "saturated",
    Quality.NO_ONSET: "no edge",
    Quality.WINDOW_NOT_COVERED: "data missing",
    Quality.EXCITATION_ENERGY_OUTSIDE: "excitation energy outside",
    Quality.OUTLIERS: "spikes",
    Quality.OUTSIDE_LABELS: "outside the labels",
    Quality.NO_ZERO_LOSS: "no zero loss",
    Quality.TOO_THICK: "too thick",
    Quality.OTHER_EDGE: "another edge",
    Quality.UNFAMILIAR: "unfamiliar",
}
_REASONS = {
    Quality.GOOD: "predicted",
    Quality.MASKED: "excluded by the navigation mask or a region of interest",
    Quality.NOT_FINITE: "NaN, infinite or masked channels",
    Quality.EMPTY: "all channels are zero",
    Quality.NEGATIVE: "the background before the edge is negative",
    Quality.SATURATED: "saturated detector: the maximum is a plateau or the largest integer",
    Quality.NO_ONSET: "no edge onset rises clearly above the noise in the searched range",
    Quality.WINDOW_NOT_COVERED: (
        "the spectrum ends, or has no data, inside the window that the onset asks for, or it has "
        "no data in the background before the edge"
    ),
    Quality.EXCITATION_ENERGY_OUTSIDE: (
        "the onset plus energy_offset lies outside the excitation energies of the pretrained model"
    ),
    Quality.OUTLIERS: "too many spikes or dead channels",
    Quality.OUTSIDE_LABELS: (
        "a predicted property lies outside the training labels by more than its 90 % interval, or "
        "outside what is possible"
    ),
    Quality.NO_ZERO_LOSS: "the low-loss spectrum has no zero loss that can be measured",
    Quality.TOO_THICK: "the specimen is thicker than those that the model was trained for",
    Quality.OTHER_EDGE: (
        "before the edge lies what is no power law, or far behind it a steep rise: another edge"
    ),
    Quality.UNFAMILIAR: "no computed site has a spectrum like this one: see the novelty map",
}


def input_quality(counts: NDArray) -> NDArray[np.uint8]:
    """Return the quality codes of spectra, as determined by their intensities before preprocessing.

    Parameters
    ----------
    counts
        Intensities of any real dtype, shape (spectra, channels); masked channels have no value.

    Returns
    -------
    ndarray
        :class:`Quality` codes, shape (spectra,).
    """
    counts = plain_array(counts)
    integer = np.issubdtype(counts.dtype, np.integer)
    full_scale = np.array([np.iinfo(counts.dtype).max if integer else np.inf], dtype=counts.dtype)
    with np.errstate(invalid="ignore"):
        # Both are NaN if one value is.
        highest, lowest = counts.max(axis=-1), counts.min(axis=-1)
    finite = np.isfinite(highest) & np.isfinite(lowest)
    saturated = finite & _saturated(counts, highest, full_scale)
    quality = np.full(len(counts), Quality.GOOD, dtype=np.uint8)
    quality[saturated] = Quality.SATURATED
    quality[(highest == 0) & (lowest == 0)] = Quality.EMPTY
    quality[~finite] = Quality.NOT_FINITE
    return quality


@compiled
def _saturated(counts: NDArray, highest: NDArray, full_scale: NDArray) -> NDArray[np.bool_]:
    """Return which spectra have the highest value of their type, or a plateau of many counts."""
    saturated = np.zeros(len(counts), dtype=np.bool_)
    for i in range(len(counts)):
        saturated[i] = highest[i] == full_scale[0] or (
            highest[i] > 0
            and _has_plateau(counts[i], highest[i])
            and _many_counts(counts[i], highest[i])
        )
    return saturated


@compiled
def _has_plateau(spectrum: NDArray, highest: float) -> bool:
    at_maximum = 0
    for channel in range(len(spectrum)):
        at_maximum += int(spectrum[channel] == highest)
    if at_maximum < _PLATEAU:
        return False
    run = longest = 0
    for value in spectrum:
        run = run + 1 if value == highest else 0
        longest = max(longest, run)
    return longest >= _PLATEAU


@compiled
def _many_counts(spectrum: NDArray, highest: float) -> bool:
    """Return whether so many counts cannot be equal by accident, from the step of one count."""
    smallest_step = np.inf
    for channel in range(1, len(spectrum)):
        step = abs(np.float64(spectrum[channel]) - np.float64(spectrum[channel - 1]))
        if 0 < step < smallest_step:
            smallest_step = step
    return math.isinf(smallest_step) or bool(np.float64(highest) > _MANY_COUNTS * smallest_step)
