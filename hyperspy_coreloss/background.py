"""Power-law background under an edge, from two areas before it.

Egerton's two-area method, vectorised over spectra and over candidate edge positions, with the
statistical error of its extrapolation (R. F. Egerton, Electron Energy-Loss Spectroscopy in the
Electron Microscope, 3rd ed., sections 4.4.1 and 4.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Window means of E**-r equal a power of one effective energy; it depends on r so weakly
# (below 1e-5 of the background for r between 1 and 6) that one exponent serves for all.
_TYPICAL_EXPONENT = 3.0


@dataclass(frozen=True, slots=True)
class Areas:
    """Sets of channels whose mean is taken, one set a column.

    Parameters
    ----------
    weights
        Shape (channels, sets), float32; each column adds up to one.
    energy
        Effective energy of each set for a power law, in eV, shape (sets,).
    counts
        Number of channels in each set, shape (sets,).
    """

    weights: NDArray[np.float32]
    energy: NDArray[np.float64]
    counts: NDArray[np.float64]


def areas(
    energy: NDArray[np.float64],
    widths: NDArray[np.float64],
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
) -> Areas:
    """Return the channels with ``start <= energy < stop``, for each pair of limits.

    Parameters
    ----------
    energy, widths
        Ascending channel energies and channel widths in eV, shape (channels,).
    start, stop
        Limits in eV, shape (sets,). Every set must hold at least one channel.
    """
    inside = (energy[:, None] >= start) & (energy[:, None] < stop)
    weights = inside * widths[:, None]
    weights /= weights.sum(axis=0)
    mean_power = np.sum(weights * energy[:, None] ** -_TYPICAL_EXPONENT, axis=0)
    return Areas(
        weights.astype(np.float32),
        mean_power ** (-1.0 / _TYPICAL_EXPONENT),
        inside.sum(axis=0).astype(np.float64),
    )


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Power laws ``height * (energy / reference)**-exponent``.

    Parameters
    ----------
    height
        Value at the reference energy, any shape.
    exponent
        Exponent, shape of `height`.
    """

    height: NDArray[np.float32]
    exponent: NDArray[np.float32]


def two_area_power_law(
    first: NDArray[np.float32], second: NDArray[np.float32], log_ratio: NDArray[np.float64]
) -> PowerLaw:
    """Fit power laws to the means of two areas; the second area is the reference.

    A spectrum without counts in one of the areas gets a constant (exponent 0).

    Parameters
    ----------
    first, second
        Mean intensities of the two areas, shape (..., sets).
    log_ratio
        ``log(second energy / first energy)``, shape (sets,).
    """
    fits = (first > 0) & (second > 0)
    safe_first, safe_second = np.where(fits, first, 1.0), np.where(fits, second, 1.0)
    exponent = np.log(safe_first / safe_second) / log_ratio.astype(np.float32)
    return PowerLaw(np.maximum(second, 0), np.where(fits, exponent, 0.0).astype(np.float32))


def extrapolation_variance(
    first_variance: NDArray, second_variance: NDArray, lever: NDArray
) -> NDArray:
    """Return the relative variance of a two-area power law carried beyond its areas.

    Parameters
    ----------
    first_variance, second_variance
        Relative variances of the two mean intensities.
    lever
        ``log(energy / second energy) / log(second energy / first energy)``.
    """
    return first_variance * lever**2 + second_variance * (1.0 + lever) ** 2
