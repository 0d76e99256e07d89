"""Prediction intervals from errors on held-out spectra (split conformal prediction)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
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
    """
    if not 0 < level < 1:
        msg = (
            f"The level of an interval must be between 0 and 1, but it is {level!r}. "
            "Give 0.9 for a 90 % interval."
        )
        raise ValueError(msg)
    sorted_errors = np.sort(np.abs(residuals), axis=0)
    rank = int(np.ceil((len(residuals) + 1) * level))
    if rank > len(residuals):
        return np.full(sorted_errors.shape[1], np.inf)
    return sorted_errors[rank - 1]
