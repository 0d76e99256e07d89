"""Reading of windows: each spectrum is interpolated to the steps of its window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.energy import EnergyWindow
    from hyperspy_coreloss.spectra.preparation import Preparation


def first_point(
    onset: NDArray[np.float32],
    preparation: Preparation,
    excitation_energy: NDArray | None,
    zero_loss: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.bool_]]:
    """Return the first energy at which each spectrum is read, and its channel in the window.

    The third array is whether the range that is read lies within the window. The first energy is
    shifted to the nearest grid point of the window, so that spectra on an absolute window are
    interpolated only once. In a window relative to the threshold it lies on the grid already.
    """
    window = preparation.recipe.window
    measured = onset.astype(np.float64)
    threshold_in_window = np.zeros_like(measured)
    if excitation_energy is not None:
        threshold_in_window = np.asarray(excitation_energy, dtype=np.float64)
    elif window.origin == "absolute" and preparation.energy_offset is not None:
        threshold_in_window = measured - zero_loss + preparation.energy_offset
    first_read = window.read_range[0]
    nearest = np.rint((threshold_in_window + first_read - window.start) / window.step)
    inside = (nearest >= 0) & (nearest + window.n_read <= window.n_channels)
    channel = np.where(inside, nearest, 0).astype(np.intp)
    to_grid = window.start + channel * window.step - threshold_in_window
    return measured + np.where(inside, to_grid, first_read), channel, inside


def laid_out(
    read: NDArray[np.float32], channel: NDArray[np.intp], window: EnergyWindow
) -> NDArray[np.float32]:
    """Return windows that contain the read range of each spectrum and are zero elsewhere."""
    if window.n_read == window.n_channels:
        return read
    windows = np.zeros((len(read), window.n_channels), dtype=np.float32)
    np.put_along_axis(windows, channel[:, None] + np.arange(window.n_read), read, axis=-1)
    return windows


def aligned(
    spectra: NDArray[np.float32],
    points: NDArray[np.floating],
    start: NDArray[np.float64],
    window: EnergyWindow,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Interpolate each spectrum to the steps of the window, beginning at its first energy.

    Parameters
    ----------
    spectra
        Intensities, shape (spectra, points).
    points
        Ascending, evenly spaced energies in eV, shape (points,). A step of the window is one or
        several of theirs.
    start
        Energy in eV at which each spectrum is read first, shape (spectra,).
    window
        The window.

    Returns
    -------
    aligned : ndarray
        Intensities, shape (spectra, points read).
    covered : ndarray of bool
        Whether each spectrum covers all points that are read, shape (spectra,).
    """
    stride = round(window.step / (points[1] - points[0]))
    position = (start - points[0]) / (points[1] - points[0])
    first = np.floor(position)
    needed = (window.n_read - 1) * stride
    # The outermost points may lie outside the grid, where their weights are small; the end point
    # of the grid is used instead.
    covered = (first >= 0) & (first + needed <= points.size - 1)
    nearest = np.clip(first, 0, max(points.size - 1 - needed, 0)).astype(np.int64)
    fraction = (position - first).astype(np.float32)
    return _interpolated(spectra, nearest, fraction, stride, window.n_read), covered


@compiled
def _interpolated(
    spectra: NDArray[np.float32],
    first: NDArray[np.int64],
    fraction: NDArray[np.float32],
    stride: int,
    number: int,
) -> NDArray[np.float32]:
    """Return points of each spectrum a stride apart, a fraction of a step behind its first point.

    All of them have the same distance from the nearest points of the grid, so that four Lagrange
    weights per spectrum suffice.
    """
    interpolated = np.empty((len(spectra), number), dtype=np.float32)
    last = spectra.shape[1] - 1
    one, two, six = np.float32(1), np.float32(2), np.float32(6)
    for i in range(len(spectra)):
        x = fraction[i]
        a = -x * (x - one) * (x - two) / six
        b = (x + one) * (x - one) * (x - two) / two
        c = -(x + one) * x * (x - two) / two
        d = (x + one) * x * (x - one) / six
        begin, end = first[i] - 1, first[i] + stride * (number - 1) + 2
        if begin >= 0 and end <= last:
            left, right = spectra[i, begin:], spectra[i, begin + 1 :]
            third, fourth = spectra[i, begin + 2 :], spectra[i, begin + 3 :]
            for j in range(number):
                k = stride * j
                interpolated[i, j] = ((a * left[k] + b * right[k]) + c * third[k]) + d * fourth[k]
            continue
        for j in range(number):
            point = first[i] + stride * j
            value = a * spectra[i, min(max(point - 1, 0), last)]
            value += b * spectra[i, min(point, last)]
            value += c * spectra[i, min(point + 1, last)]
            value += d * spectra[i, min(point + 2, last)]
            interpolated[i, j] = value
    return interpolated
