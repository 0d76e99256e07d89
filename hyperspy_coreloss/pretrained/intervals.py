"""Prediction intervals from errors on held-out spectra (split conformal prediction)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def conformal_half_width(residuals: NDArray[np.floating], level: float) -> NDArray[np.floating]:
    """Return the split-conformal half width at a level, see :meth:`PretrainedModel.half_width`.

    Parameters
    ----------
    residuals
        Errors on held-out spectra, shape (spectra, properties).
    level
        Share of spectra, between 0 and 1.
    """
    if not 0 < level < 1:
        msg = f"The level of an interval must lie between 0 and 1, but it is {level!r}."
        raise ValueError(msg)
    sorted_errors = np.sort(np.abs(residuals), axis=0)
    rank = int(np.ceil((len(residuals) + 1) * level))
    if rank > len(residuals):
        return np.full(sorted_errors.shape[1], np.inf)
    return sorted_errors[rank - 1]
