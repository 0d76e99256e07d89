"""Gaps: edges that cannot be read, because channels beside or below them hold no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.edges import BACKGROUND_GAP, POSITION_ERROR, find_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.edges import Edges, EdgeSearch

# Largest distance in eV of the candidate that is left from the best one, on the side where the edge
# would begin to enter the background.
_LATER = BACKGROUND_GAP / 2
# Channels beside a gap whose mean is an end of the line across it; one channel has much noise.
_BESIDE = 20


def edges_beside_gaps(
    edges: Edges,
    spectra: NDArray[np.float32],
    search: EdgeSearch,
    step: NDArray[np.floating],
    blank: NDArray[np.bool_] | None,
) -> NDArray[np.bool_]:
    """Return which spectra have an edge, but lack the data beside it that the search needs.

    The search leaves out candidates with a gap in their areas. What remains may be no candidate, or
    one so far from the edge that its threshold would be wrong. The edge is searched again as if the
    gaps were bridged by straight lines.

    Parameters
    ----------
    edges
        Result of :func:`.find_edges` for the same arguments.
    spectra, search, step, blank
        As for :func:`.find_edges`.

    Returns
    -------
    ndarray
        Shape (spectra,).
    """
    lacking = np.zeros(len(spectra), dtype=bool)
    if blank is None:
        return lacking
    rows = np.flatnonzero(blank.any(axis=-1) & ~blank.all(axis=-1))
    if rows.size:
        best = find_edges(_bridged(spectra[rows], blank[rows]), search, step[rows])
        distance = edges.position[rows] - best.position
        far = (distance > _LATER) | (distance < -POSITION_ERROR)
        lacking[rows] = best.clear & (far | ~edges.clear[rows])
    return lacking


def gap_within(
    blank: NDArray[np.bool_] | None,
    first: NDArray[np.floating],
    last: NDArray[np.floating],
    energy: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Return whether each spectrum has a gap between two energies.

    Parameters
    ----------
    blank
        Channels without data, from :func:`.blank_channels`, shape (spectra, channels), or None.
    first, last
        Limits of each spectrum in eV, shape (spectra,).
    energy
        Channel energies in eV, shape (channels,).
    """
    if blank is None:
        return np.zeros(len(first), dtype=bool)
    within = (energy >= first[:, None]) & (energy <= last[:, None])
    return np.any(blank & within, axis=-1)


def _bridged(spectra: NDArray[np.float32], blank: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return spectra with straight lines across their gaps."""
    bridged = spectra.copy()
    for spectrum, gaps in zip(bridged, blank, strict=True):
        kept = spectrum[~gaps]
        ends = np.flatnonzero(np.diff(gaps, prepend=False, append=False))
        for start, stop in ends.reshape(-1, 2):
            before = np.count_nonzero(~gaps[:start])
            beside = (kept[max(before - _BESIDE, 0) : before], kept[before : before + _BESIDE])
            # At an end of the axis there is one side only.
            means = [side.mean() for side in beside if side.size]
            spectrum[start:stop] = np.linspace(means[0], means[-1], stop - start)
    return bridged
