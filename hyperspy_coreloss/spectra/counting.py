"""What the numbers of a spectrum tell about its counting: the step of one count, blank channels.

Files hold counts, counts times a gain, or means over frames. The smallest difference between
neighbouring channels is the step of one count as long as there are few counts, which is where it
matters. With many counts or a continuous scale it is negligible, and so are its effects.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Expected counts in a stretch of zeros that chance does not explain: its probability is exp(-20).
_NOT_BY_CHANCE = 20.0
# Fewest channels beside a stretch of zeros, whose mean is expected in the stretch.
_BESIDE = 20


def count_step(intensities: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the smallest difference above zero between neighbouring channels of each spectrum.

    Parameters
    ----------
    intensities
        Intensities, shape (spectra, channels).

    Returns
    -------
    ndarray
        Intensity of one count, shape (spectra,); 0 if all channels are equal.
    """
    return _smallest_steps(np.ascontiguousarray(intensities, dtype=np.float32))


@compiled
def _smallest_steps(intensities: NDArray[np.float32]) -> NDArray[np.float32]:
    steps = np.zeros(len(intensities), dtype=np.float32)
    size = np.empty(intensities.shape[1] - 1, dtype=np.float32)
    # The bits of positive numbers, read as integers, have their order. Minima of integers are taken
    # of several at once; those of numbers that might be NaN are not.
    bits = size.view(np.int32)
    none = np.iinfo(np.int32).max
    for i in range(len(intensities)):
        values, following = intensities[i, :-1], intensities[i, 1:]
        for channel in range(len(size)):
            size[channel] = abs(following[channel] - values[channel])
        smallest = none
        for channel in range(len(bits)):
            step = bits[channel] if bits[channel] > 0 else none
            smallest = step if step < smallest else smallest
        if smallest < none:
            bits[0] = smallest
            steps[i] = size[0]
    return steps


def blank_channels(
    intensities: NDArray[np.float32], step: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Return which channels hold no data: stretches of zeros that are not zero counts by chance.

    Detectors and programs fill gaps, masked regions and the ends of shifted spectra with zeros.
    The counts expected in a stretch are those of the channels beside it, on the side with more.

    Parameters
    ----------
    intensities
        Intensities, shape (spectra, channels).
    step
        Intensity of one count, from :func:`count_step`, shape (spectra,).

    Returns
    -------
    ndarray
        True for channels without data, shape (spectra, channels).
    """
    zero = intensities == 0
    blank = np.zeros_like(zero)
    for row in np.flatnonzero(zero.any(axis=-1) & (step > 0)):
        counts = intensities[row] / step[row]
        ends = np.flatnonzero(np.diff(zero[row], prepend=False, append=False))
        for start, stop in ends.reshape(-1, 2):
            length = stop - start
            reach = max(length, _BESIDE)
            beside = (counts[max(start - reach, 0) : start], counts[stop : stop + reach])
            if length * max(map(_least_mean, beside)) > _NOT_BY_CHANCE:
                blank[row, start:stop] = True
    return blank


def _least_mean(counts: NDArray[np.floating]) -> float:
    """Return a mean below which that of the counting process hardly lies."""
    total = float(counts.sum())
    return max(total - 3.0 * math.sqrt(max(total, 0.0)) - 1.0, 0.0) / max(counts.size, 1)
