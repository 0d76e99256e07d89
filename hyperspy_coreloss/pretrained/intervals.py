"""Prediction intervals from errors on held-out spectra (split conformal prediction)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.properties import possible_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def conformal_half_width(residuals: NDArray[np.floating], level: float) -> NDArray[np.floating]:
    """Return the half width of the split-conformal prediction interval of each property.

    The method :meth:`PretrainedModel.half_width` describes the interval.

    Parameters
    ----------
    residuals
        Errors on held-out spectra, shape (spectra, properties).
    level
        Coverage: the probability that the interval contains the true value, between 0 and 1.

    Raises
    ------
    SignalError
        If `level` is not a number between 0 and 1.
    """
    given = np.asarray(level)
    if given.shape or given.dtype.kind not in "iuf" or not 0 < given < 1:
        msg = (
            f"The level of an interval must be between 0 and 1, but it is {level!r}. "
            "Give 0.9 for a 90 % interval."
        )
        raise SignalError(msg)
    sorted_errors = np.sort(np.abs(residuals), axis=0)
    rank = int(np.ceil((len(residuals) + 1) * level))
    if rank > len(residuals):
        return np.full(sorted_errors.shape[1], np.inf)
    return sorted_errors[rank - 1]


def half_width_of_mean(
    values: NDArray[np.floating], floor: NDArray[np.floating], level: float
) -> NDArray[np.float64]:
    """Return the half width of the interval of a mean over pixels of one material.

    The part of noise shrinks with the number of pixels. The rest is the same for all of them.

    Parameters
    ----------
    values
        Predictions, shape (pixels, properties). Of a single pixel, nothing tells the noise, and the
        half width is infinite.
    floor
        Half width for means without noise, shape (properties,).
    level
        Coverage, between 0 and 1.
    """
    pixels = len(values)
    scatter = values.std(axis=0, ddof=1) if pixels > 1 else np.full(len(floor), np.inf)
    noise = norm.ppf((1 + level) / 2) * scatter / np.sqrt(pixels)
    half_width: NDArray[np.float64] = np.hypot(floor, noise)
    return half_width


def is_believable(
    values: NDArray[np.floating],
    half_width: NDArray[np.floating],
    labels: NDArray[np.floating],
    names: Sequence[str],
) -> NDArray[np.bool_]:
    """Return whether each spectrum has predictions that the training labels allow.

    A prediction may lie outside the labels by the half width of its 90 % interval, but never
    outside what is possible: no volume is negative, and no angle exceeds 180 degrees.

    Parameters
    ----------
    values, half_width
        Predictions and half widths of their 90 % intervals, shape (spectra, properties).
    labels
        Lowest and highest label of the training, shape (2, properties).
    names
        Names of the properties.

    Returns
    -------
    ndarray
        Shape (spectra,).
    """
    lowest, highest = np.transpose([possible_range(name) for name in names])
    low = np.maximum(labels[0] - half_width, lowest)
    high = np.minimum(labels[1] + half_width, highest)
    return ((values >= low) & (values <= high)).all(axis=-1)
