"""Maxima and widths of peaks whose curves are given at even points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def vertex(
    curve: NDArray[np.float64], top: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each maximum lies from the highest point, and how high it is.

    Parameters
    ----------
    curve
        Curves at even points, shape (curves, points).
    top
        Index of the highest point of each curve, shape (curves,).

    Returns
    -------
    shift, height : ndarray
        Distance in points and value of the parabola through three points, each of shape (curves,).
    """
    inner = np.clip(top, 1, curve.shape[1] - 2)[:, None] + np.arange(-1, 2)
    before, highest, behind = np.take_along_axis(curve, inner, axis=-1).T
    bend = before - 2 * highest + behind
    shift = np.where(bend < 0, 0.5 * (before - behind) / np.where(bend < 0, bend, 1.0), 0.0)
    shift = np.clip(shift, -0.5, 0.5)
    return shift, highest - 0.25 * (before - behind) * shift


def distances(
    above: NDArray[np.float64],
    top: NDArray[np.intp],
    shift: NDArray[np.float64],
    level: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances from the maxima at which curves fall to a level on both sides.

    Parameters
    ----------
    above
        Curves at even points, shape (curves, points).
    top, shift
        Index of the highest point, and distance of the maximum from it, from :func:`vertex`.
    level
        Level of each curve, shape (curves,).

    Returns
    -------
    left, right : ndarray
        Distances in points, each of shape (curves,); NaN where a curve does not fall so low.
    """
    index = np.arange(above.shape[1])
    low = above < level[:, None]
    before = np.where(low & (index < top[:, None]), index, -1).max(axis=-1)
    behind = np.where(low & (index > top[:, None]), index, index.size).min(axis=-1)

    def crossing(outer: NDArray[np.intp], inward: int) -> NDArray[np.float64]:
        found = (outer >= 0) & (outer < index.size)
        outer = np.where(found, outer, 1)
        ends = np.take_along_axis(above, np.stack([outer, outer + inward], axis=-1), axis=-1)
        rise = ends[:, 1] - ends[:, 0]
        part = (level - ends[:, 0]) / np.where(rise == 0, 1.0, rise)
        return np.where(found, outer + inward * part, np.nan)

    peak = top + shift
    return peak - crossing(before, 1), crossing(behind, -1) - peak
