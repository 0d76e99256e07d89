"""Rises before and behind an edge that are no fine structure of it, as other edges cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.background import background_error, mean_over_centre
from hyperspy_coreloss.spectra.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.edges import Edges, EdgeSearch
    from hyperspy_coreloss.spectra.energy import EnergyWindow

# The misfit of a background is examined in parts of its range, and in the gap behind it, in eV
# relative to the threshold; nearer, the edge itself rises.
_GAP = (-5.0, -2.5)
# Standard errors, and the fraction of the edge's height, above which a misfit is no accident.
# Measured backgrounds without another edge (ice, NMC, SrTiO3) are off a power law by up to 0.08.
_SIGNIFICANT = 5.0
_LARGE = 0.1
# Far behind the threshold, from this distance in eV, no fine structure rises by such a fraction of
# the edge's height between two adjacent ranges.
_FAR = 25.0
_STEEP = 0.25
#: Width of these ranges in eV, and the steps in which they are moved.
RISE_WIDTH, _RISE_STEP = 3.0, 0.5


def rise_in_background(
    edges: Edges, search: EdgeSearch, height: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Return whether the range of each background holds what is no power law, shape (spectra,).

    A misfit counts if it is larger than the noise, and than a tenth of the edge.

    Parameters
    ----------
    edges
        The edges, with their backgrounds.
    search
        The areas of the candidates.
    height
        Height of each edge, shape (spectra,).
    """
    fit = edges.background
    bounds, width, centre = (values[edges.candidate] for values in search.parts)
    number = np.maximum(np.diff(bounds, axis=-1), 1)
    exponent = fit.law.exponent[:, None]
    fitted = fit.law.height[:, None] * (centre / fit.reference[:, None]) ** -exponent
    fitted *= mean_over_centre(exponent, np.square(width / centre) / 12.0)
    fitted += fit.offset[:, None]
    misfit = np.where(width > 0, np.abs(edges.parts - fitted), 0.0)
    least = np.maximum(
        _SIGNIFICANT * edges.noise[:, None] / np.sqrt(number), _LARGE * height[:, None]
    )
    return (misfit > least).any(axis=-1)


def rise_in_gap(
    edges: Edges,
    net: NDArray[np.float32],
    points: NDArray[np.floating],
    onset: NDArray[np.floating],
    dispersion: float,
    height: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Return whether spectra rise between the range of the background and the edge.

    Parameters
    ----------
    edges, height
        As for :func:`rise_in_background`.
    net
        Intensities without background at the model's resolution, shape (spectra, points).
    points
        Ascending, evenly spaced energies in eV, shape (points,).
    onset
        Threshold of each spectrum in eV, shape (spectra,).
    dispersion
        Width of a channel in eV.
    """
    step = points[1] - points[0]
    number = max(round((_GAP[1] - _GAP[0]) / step), 1)
    start = np.rint((onset + _GAP[0] - points[0]) / step)
    index = np.clip(start, 0, max(points.size - number, 0)).astype(np.intp)[:, None]
    mean = np.take_along_axis(net, index + np.arange(number), axis=-1).mean(axis=-1)
    error = np.hypot(
        edges.noise * np.sqrt(dispersion / (_GAP[1] - _GAP[0])),
        background_error(edges.background, onset + sum(_GAP) / 2),
    )
    rises: NDArray[np.bool_] = mean > np.maximum(_SIGNIFICANT * error, _LARGE * height)
    return rises


def rise_behind(
    read: NDArray[np.float32],
    window: EnergyWindow,
    noise: NDArray[np.floating],
    height: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Return whether spectra rise far behind the edge, more steeply than its fine structure.

    Parameters
    ----------
    read
        Intensities at the points at which the window is read, shape (spectra, points read).
    window
        The window.
    noise
        Standard error of the mean intensity over 3 eV there, shape (spectra,).
    height
        Height of each edge, shape (spectra,).
    """
    together = max(round(_RISE_STEP / window.step), 1)
    width = max(round(RISE_WIDTH / (together * window.step)), 1)
    first = round((_FAR - window.read_range[0]) / window.step)
    number = (read.shape[-1] - first) // together
    if number < 2 * width + 1:
        return np.zeros(len(read), dtype=bool)
    rise = _steepest(read[:, first : first + number * together], together, width)
    steep: NDArray[np.bool_] = rise > np.maximum(
        np.sqrt(2.0) * _SIGNIFICANT * noise, _STEEP * height
    )
    return steep


@compiled
def _steepest(read: NDArray[np.float32], together: int, width: int) -> NDArray[np.float32]:
    """Return the largest rise of the mean between two adjacent ranges, or 0 if there is none.

    Parameters
    ----------
    read
        Intensities, shape (spectra, points).
    together
        Number of points in a step.
    width
        Number of steps in a range.
    """
    steepest = np.zeros(len(read), dtype=np.float32)
    total = np.empty(read.shape[1] // together, dtype=np.float32)
    for i in range(len(read)):
        so_far = np.float32(0.0)
        for step in range(len(total)):
            together_here = np.float32(0.0)
            for value in read[i, step * together : (step + 1) * together]:
                together_here += value
            so_far += together_here / np.float32(together)
            total[step] = so_far
        for step in range(len(total) - 2 * width):
            middle = total[step + width]
            before = (middle - total[step]) / np.float32(width)
            behind = (total[step + 2 * width] - middle) / np.float32(width)
            steepest[i] = max(steepest[i], behind - before)
    return steepest


def noise_behind(
    edges: Edges, dispersion: float, height: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return the standard error of a mean over 3 eV behind the edge, shape (spectra,).

    The variance of counting noise is proportional to the intensity.
    """
    fit = edges.background
    level = np.maximum(fit.law.height + fit.offset, fit.least)
    of_one = edges.noise * np.sqrt(1.0 + height / np.maximum(level, np.finfo(np.float32).tiny))
    error: NDArray[np.floating] = of_one * np.sqrt(dispersion / RISE_WIDTH)
    return error
