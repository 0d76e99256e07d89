"""The threshold of an edge: one estimator for computed and for measured spectra.

The background is subtracted and the spectrum is broadened to the resolution of the pretrained
model. The threshold is the energy at which the intensity first rises through a given fraction of
the highest intensity of the following 10 eV, and stays above it for 1 eV on average.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.energy import EnergyWindow

#: Range above the threshold in which the highest intensity is determined, in eV.
PEAK_RANGE = 10.0

_PEAK_TO_NOISE = 10.0
# Energy range over which the mean intensity must stay above the fraction, in eV. A rise caused by
# noise before the edge is shorter.
_LASTING = 1.0


def channel_noise(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the noise of one channel, estimated from second differences, shape (spectra,)."""
    if spectra.shape[-1] < 3:
        return np.zeros(spectra.shape[:-1], dtype=np.float32)
    # The second differences of white noise have six times its variance.
    return np.sqrt(np.mean(np.square(np.diff(spectra, n=2, axis=-1)), axis=-1) / 6)


def threshold(
    spectra: NDArray[np.float32],
    points: NDArray[np.floating],
    low: NDArray,
    high: NDArray,
    noise: NDArray,
    fraction: float,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the threshold of each spectrum, interpolated between channels.

    Parameters
    ----------
    spectra
        Intensities without background at the model's resolution, shape (spectra, points).
    points
        Ascending, evenly spaced energies in eV, shape (points,).
    low, high
        Limits in eV of the range that contains the threshold and the peak used for its first
        estimate, shape (spectra,).
    noise
        Standard deviation of the noise of one point of `spectra`, shape (spectra,).
    fraction
        Intensity at the threshold, as a fraction of the highest intensity.

    Returns
    -------
    energy : ndarray
        Threshold in eV, shape (spectra,). It is undefined where `detected` is False.
    detected : ndarray of bool
        Whether the spectrum rises through the fraction to a peak of at least 10 times the noise,
        shape (spectra,).
    """
    step = points[1] - points[0]
    found = _rises(
        np.ascontiguousarray(spectra),
        points,
        np.asarray(low, dtype=np.float64),
        np.asarray(high, dtype=np.float64),
        np.float32(fraction),
        # Number of points over which the rise has to last.
        round(_LASTING / step),
    )
    energy, detected, peak = found
    return energy, detected & (peak > _PEAK_TO_NOISE * noise)


@compiled
def _rises(
    spectra: NDArray[np.float32],
    points: NDArray[np.floating],
    low: NDArray[np.floating],
    high: NDArray[np.floating],
    fraction: np.float32,
    n_lasting: int,
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """Return where each spectrum rises, whether it does, and its highest intensity."""
    energies = np.empty(len(spectra), dtype=np.float32)
    detected = np.empty(len(spectra), dtype=np.bool_)
    peaks = np.empty(len(spectra), dtype=np.float32)
    for i in range(len(spectra)):
        start = np.searchsorted(points, low[i])
        highest = _highest(spectra[i], points, low[i], high[i])
        level = fraction * spectra[i, highest]
        first, exists = _rise(spectra[i], points, (start, highest), level, n_lasting)
        # Repeated with the peak range relative to the threshold, so that the result does not depend
        # on the limits.
        last = np.float64(first + np.float32(PEAK_RANGE))
        highest = _highest(spectra[i], points, np.float64(first), last)
        peaks[i] = spectra[i, highest]
        energies[i], detected[i] = _rise(
            spectra[i], points, (start, highest), fraction * peaks[i], n_lasting
        )
        detected[i] &= exists
    return energies, detected, peaks


@compiled
def _highest(
    spectrum: NDArray[np.float32], points: NDArray[np.floating], first: float, last: float
) -> int:
    """Return the index of the highest point between two energies, or 0 if there is no point."""
    start, stop = np.searchsorted(points, first), np.searchsorted(points, last, "right")
    highest = start if start < stop else 0
    for point in range(start, stop):
        if spectrum[point] > spectrum[highest]:
            highest = point
    return int(highest)


@compiled
def _rise(
    spectrum: NDArray[np.float32],
    points: NDArray[np.floating],
    between: tuple[int, int],
    level: np.float32,
    n_lasting: int,
) -> tuple[np.float32, bool]:
    """Return where one spectrum first rises through a level, and whether it does."""
    start, peak = between
    for point in range(start, min(peak, len(points) - n_lasting)):
        left, right = spectrum[point], spectrum[point + 1]
        if not left < level <= right or spectrum[peak] <= 0:
            continue
        lasting = np.float32(0.0)
        for following in range(point + 1, point + 1 + n_lasting):
            lasting += spectrum[following]
        if lasting >= level * np.float32(n_lasting):
            energy = points[point] + (points[1] - points[0]) * ((level - left) / (right - left))
            return np.float32(energy), True
    return np.float32(points[0]), False


def edge_height(read: NDArray[np.float32], window: EnergyWindow) -> NDArray[np.float32]:
    """Return the highest intensity up to 10 eV above the threshold; NaN where it is not positive.

    Parameters
    ----------
    read
        Intensities at the points at which the window is read, shape (spectra, points read).
    window
        The window.
    """
    near = max(round((PEAK_RANGE - window.read_range[0]) / window.step), 1)
    height = read[:, :near].max(axis=-1)
    return np.where(height > 0, height, np.float32(np.nan))
