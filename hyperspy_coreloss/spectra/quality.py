"""Codes of the quality map: the reason why a pixel has no prediction."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.counting import count_step

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
    finite = np.logical_and.reduce(np.ma.filled(np.isfinite(counts), False), axis=-1)
    counts = np.ma.getdata(counts)
    safe = np.where(finite[:, None], counts, np.zeros((), counts.dtype))
    maximum = safe.max(axis=-1, keepdims=True)
    at_maximum = safe == maximum
    plateau = np.ones((len(safe), max(safe.shape[1] - _PLATEAU + 1, 0)), dtype=bool)
    for shift in range(_PLATEAU):
        plateau &= at_maximum[:, shift : shift + plateau.shape[1]]
    saturated = plateau.any(axis=-1) & _many_counts(safe)
    if np.issubdtype(counts.dtype, np.integer):
        saturated |= maximum[:, 0] == np.iinfo(counts.dtype).max
    quality = np.full(len(counts), Quality.GOOD, dtype=np.uint8)
    quality[saturated] = Quality.SATURATED
    quality[~safe.any(axis=-1)] = Quality.EMPTY
    quality[~finite] = Quality.NOT_FINITE
    return quality


def _many_counts(spectra: NDArray) -> NDArray[np.bool_]:
    """Return whether spectra have so many counts that equal channels are no accident."""
    values = spectra.astype(np.float64)
    return values.max(axis=-1, initial=0) > _MANY_COUNTS * count_step(values)
