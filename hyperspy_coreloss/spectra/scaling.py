"""Spectra in single precision, scaled to a maximum near one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.compiled import compiled
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray


def scales(counts: NDArray, quality: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the largest absolute value of each spectrum, or one if it is zero or unreadable.

    Parameters
    ----------
    counts
        Intensities of any real data type, shape (spectra, channels).
    quality
        Codes of :func:`.input_quality`, shape (spectra,).
    """
    with np.errstate(invalid="ignore"):
        extremes = np.stack([counts.max(axis=-1), counts.min(axis=-1)]).astype(np.float64)
    largest = np.abs(extremes).max(axis=0)
    return np.where((quality == Quality.GOOD) & (largest > 0), largest, 1.0)


def scaled(counts: NDArray, quality: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return intensities divided by their scale; zero for unreadable spectra.

    Parameters
    ----------
    counts, quality
        As for :func:`scales`.
    """
    # Values of float64 may exceed the range of float32.
    wide = counts.dtype == np.float64
    return _divided(counts, quality == Quality.GOOD, scales(counts, quality), wide)


@compiled
def _divided(
    counts: NDArray, readable: NDArray[np.bool_], scale: NDArray[np.float64], wide: bool
) -> NDArray[np.float32]:
    divided = np.zeros(counts.shape, dtype=np.float32)
    for i in range(len(counts)):
        if not readable[i]:
            continue
        if wide:
            for channel in range(counts.shape[1]):
                divided[i, channel] = np.float32(np.float64(counts[i, channel]) / scale[i])
        else:
            for channel in range(counts.shape[1]):
                divided[i, channel] = np.float32(counts[i, channel]) / np.float32(scale[i])
    return divided
