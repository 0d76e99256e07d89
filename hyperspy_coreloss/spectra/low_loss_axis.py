"""Energy axes of low-loss spectra: they hold 0 eV, and have channels of one width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import EnergyRangeError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_low_loss_axis(axis: NDArray[np.float64]) -> None:
    """Raise an error if an energy axis cannot be that of low-loss spectra.

    Raises
    ------
    EnergyRangeError
        If the axis does not hold 0 eV.
    """
    if not axis[0] < 0 < axis[-1]:
        msg = (
            f"A low-loss spectrum must have a zero loss, so its axis must hold 0 eV, but it goes "
            f"from {axis[0]:.1f} to {axis[-1]:.1f} eV. Pass low-loss spectra, or give the "
            "resolution in eV."
        )
        raise EnergyRangeError(msg)


def even_channels(
    spectra: NDArray[np.float64], axis: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return spectra in channels of one width, and the energies of these.

    Parameters
    ----------
    spectra
        Intensities, shape (spectra, channels); in uneven channels, they are per eV.
    axis
        Ascending energies in eV, shape (channels,).
    """
    widths = np.diff(axis)
    step = float(np.median(widths))
    if np.allclose(widths, step, rtol=1e-3):
        return spectra, axis
    between = (axis[1:] + axis[:-1]) / 2
    limits = np.concatenate([[2 * axis[0] - between[0]], between, [2 * axis[-1] - between[-1]]])
    total = running_total(spectra * np.diff(limits))
    grid = np.arange(limits[0], limits[-1], step)
    place = np.interp(grid, limits, np.arange(limits.size))
    whole = np.minimum(place.astype(np.intp), limits.size - 2)
    part = place - whole
    at_grid = (1 - part) * total[:, whole] + part * total[:, whole + 1]
    return np.diff(at_grid, axis=-1) / step, grid[:-1] + step / 2


def running_total(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums up to each limit of the channels, shape (spectra, channels + 1)."""
    total = np.zeros((len(counts), counts.shape[1] + 1))
    np.cumsum(counts, axis=-1, out=total[:, 1:])
    return total
