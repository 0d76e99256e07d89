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


@dataclass(frozen=True, slots=True)
class Areas:
    """Sets of channels whose mean is taken, one set a column.

    Parameters
    ----------
    weights
        Shape (channels, sets), float32; each column adds up to one.
    energy
        Geometric mean of the energies of each set in eV, shape (sets,).
    spread
        Variance of their logarithms, shape (sets,).
    counts
        Number of channels in each set, shape (sets,).
    """

    weights: NDArray[np.float32]
    energy: NDArray[np.floating]
    spread: NDArray[np.floating]
    counts: NDArray[np.floating]


def areas(
    energy: NDArray[np.floating],
    widths: NDArray[np.floating],
    start: NDArray[np.floating],
    stop: NDArray[np.floating],
) -> Areas:
    """Return the channels with ``start <= energy < stop``, for each pair of limits.

    Parameters
    ----------
    energy, widths
        Ascending channel energies and channel widths in eV, shape (channels,).
    start, stop
        Limits in eV, shape (sets,). Every set must hold at least one channel.
    """
    # Limits often fall on a channel, where rounding must not decide.
    rounded = energy[:, None] + 1e-6
    inside = (rounded >= start) & (rounded < stop)
    weights = inside * widths[:, None]
    weights /= weights.sum(axis=0)
    logarithm = np.log(energy)[:, None]
    mean = np.sum(weights * logarithm, axis=0)
    return Areas(
        weights.astype(np.float32),
        np.exp(mean),
        np.sum(weights * (logarithm - mean) ** 2, axis=0),
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
    first_mean: NDArray[np.float32], second_mean: NDArray[np.float32], first: Areas, second: Areas
) -> PowerLaw:
    """Fit power laws to the means of two areas; their reference is the energy of the second.

    A spectrum without counts in one of the areas gets a constant (exponent 0).

    Parameters
    ----------
    first_mean, second_mean
        Mean intensities, shape (..., sets).
    first, second
        The areas, the first at lower energy.
    """
    fits = (first_mean > 0) & (second_mean > 0)
    ratio = np.where(fits, first_mean, 1.0) / np.where(fits, second_mean, 1.0)
    distance = np.log(second.energy / first.energy)
    exponent = np.log(ratio) / distance
    curvature = area_mean(exponent, second.spread) / area_mean(exponent, first.spread)
    exponent = np.log(ratio * curvature) / distance
    exponent = np.where(fits, exponent, 0.0)
    height = np.maximum(second_mean, 0) / area_mean(exponent, second.spread)
    return PowerLaw(height.astype(np.float32), exponent.astype(np.float32))


def area_mean(exponent: NDArray, spread: NDArray) -> NDArray:
    """Return the mean of a power law over an area, over its value at the area's energy."""
    return 1.0 + np.square(exponent) * spread / 2


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
