"""Edges of measured spectra: a coarse position, the background before it, and its significance.

The position sets the range of the background fit, and where the threshold is looked for
(:mod:`.onset`). At each candidate, the mean intensity of the following 10 eV is compared with the
power law that is fitted before it. The edge is where it rises most significantly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hyperspy_coreloss.spectra.background import (
    NOTHING,
    Areas,
    BackgroundFit,
    PowerLaw,
    area_variances,
    areas,
    extrapolation_variance,
    mean_over_centre,
    two_area_power_law,
    with_offset,
)
from hyperspy_coreloss.spectra.compiled import compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Distance of the background areas from a candidate edge position, in eV.
BACKGROUND_GAP = 5.0
#: Smallest and largest width of the background fit range before the edge, in eV.
BACKGROUND_WIDTH = (10.0, 30.0)
#: Largest distance of a coarse edge position from the threshold, in eV.
POSITION_ERROR = 8.0
#: Number of parts of the background range whose means are kept.
PARTS = 5

#: Standard errors by which an edge must rise above its background. In pure counting noise on a
#: power law, the largest of all candidates stays below 5 (tests/spectra/test_edges.py).
SIGNIFICANCE = 7.0

_AFTER_WIDTH = 10.0
_CANDIDATE_STEP = 0.5
# Misfits of backgrounds with high counts are small compared with the fall of the background between
# its two areas, which a pedestal of the camera does not change. The ratio is 1 % of the background
# for an exponent of 3.
_JUMP_TO_FALL = 0.12
# Standard errors by which a mean intensity before the edge must be negative.
_NEGATIVE = 5.0


class Parts(NamedTuple):
    """The parts of the background range before each candidate.

    Parameters
    ----------
    bounds
        First channel of each part, and the one behind the last, shape (candidates, parts + 1).
    width
        Width of each part in eV, shape (candidates, parts); 0 where channels are fewer than parts.
    centre
        Geometric mean of the first and the last energy of each part in eV, of the same shape.
    """

    bounds: NDArray[np.intp]
    width: NDArray[np.floating]
    centre: NDArray[np.floating]


class EdgeSearch(NamedTuple):
    """Candidate edge positions on one energy axis, with the areas before and after each candidate.

    Parameters
    ----------
    candidates
        Positions in eV, shape (candidates,).
    widths
        Channel widths in eV, shape (channels,).
    first, second
        The two background areas. The first one lies at lower energy.
    before
        Both background areas combined.
    after
        The area after each candidate.
    parts
        The parts of both background areas.
    """

    candidates: NDArray[np.floating]
    widths: NDArray[np.floating]
    first: Areas
    second: Areas
    before: Areas
    after: Areas
    parts: Parts


@dataclass(frozen=True, slots=True)
class Edges:
    """The edge of each spectrum: coarse position, background and noise.

    Parameters
    ----------
    candidate
        Index of the chosen candidate, shape (spectra,).
    position
        Coarse position in eV, within `POSITION_ERROR` of the threshold, shape (spectra,).
    background
        Background fitted before the edge.
    noise
        Standard deviation of the noise of one channel before the edge, shape (spectra,).
    clear
        Whether the edge is significant against the noise, shape (spectra,).
    negative
        Whether the intensity before the edge is negative, beyond the noise, shape (spectra,).
    parts
        Mean intensity of each part of the background range, shape (spectra, parts).
    """

    candidate: NDArray[np.intp]
    position: NDArray[np.float32]
    background: BackgroundFit
    noise: NDArray[np.float32]
    clear: NDArray[np.bool_]
    negative: NDArray[np.bool_]
    parts: NDArray[np.floating]


def edge_search(
    energy: NDArray[np.floating],
    widths: NDArray[np.floating],
    onset_range: tuple[float, float],
    background_range: tuple[float, float] | None = None,
) -> EdgeSearch:
    """Return candidate edge positions, 0.5 eV apart, and their areas.

    Parameters
    ----------
    energy, widths
        Ascending channel energies and channel widths in eV, shape (channels,).
    onset_range
        First and last candidate in eV. The axis must extend from `BACKGROUND_GAP` plus the
        smallest background width before the first candidate to 10 eV after the last one.
    background_range
        Fixed limits of the background fit in eV. By default the range ends 5 eV before each
        candidate and is up to 30 eV wide.
    """
    low, high = onset_range
    n_candidates = max(int((high - low) / _CANDIDATE_STEP) + 1, 1)
    candidates = low + _CANDIDATE_STEP * np.arange(n_candidates)
    if background_range is None:
        stop = candidates - BACKGROUND_GAP
        start = np.maximum(stop - BACKGROUND_WIDTH[1], energy[0])
    else:
        start, stop = (np.full(n_candidates, limit) for limit in background_range)
    middle = np.sqrt(start * stop)
    before = areas(energy, widths, start, stop)
    return EdgeSearch(
        candidates,
        widths,
        areas(energy, widths, start, middle),
        areas(energy, widths, middle, stop),
        before,
        areas(energy, widths, candidates, candidates + _AFTER_WIDTH),
        _parts(energy, widths, before),
    )


def _parts(energy: NDArray[np.floating], widths: NDArray[np.floating], of: Areas) -> Parts:
    bounds = of.first[:, None] + of.counts[:, None] * np.arange(PARTS + 1) // PARTS
    width = np.diff(np.concatenate([[0.0], np.cumsum(widths)])[bounds], axis=-1)
    last = np.maximum(bounds[:, 1:] - 1, 0)
    return Parts(bounds, width, np.sqrt(energy[bounds[:, :-1]] * energy[last]))


def find_edges(
    spectra: NDArray[np.float32],
    search: EdgeSearch,
    step: NDArray[np.floating],
    blank: NDArray[np.bool_] | None = None,
) -> Edges:
    """Return the candidate at which each spectrum rises most significantly above its background.

    Parameters
    ----------
    spectra
        Intensities with background, at most one, shape (spectra, channels).
    search
        Candidate positions on the energy axis of the spectra.
    step
        Intensity of one count, from :func:`.count_step`, shape (spectra,).
    blank
        Channels without data, from :func:`.blank_channels`, shape (spectra, channels). Candidates
        whose areas contain such channels are left out.
    """
    if blank is None:
        blank = np.zeros((0, spectra.shape[-1]), dtype=bool)
    best, parts, found = _best_candidates(
        np.ascontiguousarray(spectra), search, step.astype(np.float64), blank
    )
    significance, jump, fall, lowest, noise, height, exponent, least, first, second = found.T
    fit = BackgroundFit(
        law=PowerLaw(height, exponent),
        offset=np.zeros(len(best), dtype=np.float32),
        reference=search.second.energy[best].astype(np.float32),
        first_energy=search.first.energy[best].astype(np.float32),
        least=least,
        # Of an area without counts, no more is known than that.
        first_variance=np.minimum(first, 1.0),
        second_variance=np.minimum(second, 1.0),
    )
    return Edges(
        candidate=best,
        position=search.candidates[best].astype(np.float32),
        background=with_offset(fit),
        noise=noise,
        clear=(significance > SIGNIFICANCE) & (jump > _JUMP_TO_FALL * np.abs(fall)),
        negative=lowest < -_NEGATIVE,
        parts=parts,
    )


@compiled
def _best_candidates(
    spectra: NDArray[np.float32],
    search: EdgeSearch,
    step: NDArray[np.float64],
    blank: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.floating], NDArray[np.float32]]:
    """Return the most significant candidate of each spectrum, and what belongs to it.

    The second array is the mean intensity of the parts of the background range. The columns of the
    third one are: significance, intensity above the background, difference of the two background
    areas, lower of them in standard errors, noise of one channel, height and exponent of the power
    law, standard error of the second area, and relative variances of the first and second area.
    """
    best = np.zeros(len(spectra), dtype=np.intp)
    parts = np.empty((len(spectra), PARTS))
    found = np.zeros((len(spectra), 10), dtype=np.float32)
    apart = np.log(search.second.energy / search.first.energy)
    behind = np.log(search.after.energy / search.second.energy)
    lever = behind / apart
    sums = np.zeros((4, spectra.shape[1] + 1))
    changes = np.zeros(spectra.shape[1] + 1, dtype=np.float32)
    for i in range(len(spectra)):
        spectrum, count = spectra[i], step[i]
        _sum_up(spectrum, search.widths, changes, sums)
        if len(blank):
            sums[3, 1:] = np.cumsum(blank[i] * search.widths)
        highest = -np.inf
        for c in range(len(lever)):
            first = _mean(sums[0], search.first, c)
            second = _mean(sums[0], search.second, c)
            after = _mean(sums[0], search.after, c)
            height, exponent = two_area_power_law(
                first, second, apart[c], search.first.spread[c], search.second.spread[c]
            )
            background = height * math.exp(-exponent * behind[c])
            background *= mean_over_centre(exponent, search.after.spread[c])
            noise = _variance_before(spectrum, sums[1], search.before, c, count)
            numbers = (_number(search.first, c), _number(search.second, c))
            relative = area_variances(noise, (first, second), numbers)
            own = _mean(sums[2], search.after, c) / 6
            error = _variance_after(noise, own, second, after, count) / _number(search.after, c)
            error += background * background * extrapolation_variance(*relative, lever[c])
            least = 1e-4 * max(after, 1e-6)
            significance = (after - background) / math.sqrt(error + least * least)
            if len(blank) and (
                _mean(sums[3], search.before, c) > 0 or _mean(sums[3], search.after, c) > 0
            ):
                significance = -np.inf
            if significance > highest or c == 0:
                highest, best[i] = significance, c
                kept = (after - background, first, second, noise, height, exponent, *relative)
        jump, first, second, noise, height, exponent, of_first, of_second = kept
        numbers = (_number(search.first, best[i]), _number(search.second, best[i]))
        # The error of a mean cannot be below the precision of spectra with a maximum of one.
        lowest = min(
            first / math.sqrt(noise / numbers[0] + NOTHING),
            second / math.sqrt(noise / numbers[1] + NOTHING),
        )
        found[i, :4] = highest, jump, first - second, lowest
        found[i, 4] = np.sqrt(np.float32(noise))
        found[i, 5], found[i, 6] = height, exponent
        found[i, 7] = np.sqrt(np.float32(noise / numbers[1]))
        found[i, 8], found[i, 9] = of_first, of_second
        ends, width = search.parts.bounds[best[i]], search.parts.width[best[i]]
        for part in range(PARTS):
            total = sums[0, ends[part + 1]] - sums[0, ends[part]]
            parts[i, part] = total / (width[part] if width[part] > 0 else 1.0)
    return best, parts, found


@inlined
def _number(over: Areas, candidate: int) -> int:
    """Return the number of channels in the area of a candidate."""
    return over.last[candidate] - over.first[candidate]


@inlined
def _mean(sums: NDArray[np.floating], over: Areas, candidate: int) -> float:
    """Return the mean over the area of a candidate, from the integrals up to each channel."""
    integral = sums[over.last[candidate]] - sums[over.first[candidate]]
    return integral / over.width[candidate]


@inlined
def _variance_before(
    spectrum: NDArray[np.float32],
    sums: NDArray[np.floating],
    over: Areas,
    candidate: int,
    count: float,
) -> float:
    """Return the variance of one channel before a candidate.

    Parameters
    ----------
    spectrum
        Intensities.
    sums
        Integrals of squared differences of neighbouring channels.
    over
        The areas before the candidates.
    candidate
        The candidate.
    count
        Intensity of one count.
    """
    # The difference of neighbouring channels has sqrt(2) times the noise of one channel, and the
    # slope of the background, which is larger than the noise of many counts.
    number, last = _number(over, candidate), min(over.last[candidate], len(spectrum) - 1)
    slope = (spectrum[last] - spectrum[over.first[candidate]]) / number
    variance = (_mean(sums, over, candidate) - slope * slope) / 2
    # Where channels before the edge are empty, their variance is not zero but that of up to one
    # count in all of them.
    return max(variance, count * count / number)


@inlined
def _variance_after(before: float, own: float, second: float, after: float, count: float) -> float:
    """Return the variance of one channel after a candidate.

    The variance of counting noise is proportional to the intensity. Where there is hardly any
    background, second differences after the candidate are a better estimate; the edge itself adds
    to them.

    Parameters
    ----------
    before, own
        Variance of one channel before the candidate, and after it from second differences.
    second, after
        Mean intensities of the second background area, and after the candidate.
    count
        Intensity of one count.
    """
    gain = max(after, second, 0.0) / max(second, NOTHING)
    return max(min(before * gain, max(before, own)), count * after)


@inlined
def _sum_up(
    spectrum: NDArray[np.float32],
    widths: NDArray[np.floating],
    changes: NDArray[np.float32],
    sums: NDArray[np.floating],
) -> None:
    """Integrate a spectrum, and its squared first and second differences, up to each channel.

    The array of differences has two places more than there are, which are zero.
    """
    zero = np.float32(0.0)
    change, next_change = changes[:-1], changes[1:]
    for channel in range(len(widths) - 1):
        change[channel] = spectrum[channel + 1] - spectrum[channel]
    intensity = of_first = of_second = 0.0
    intensities, first_squares, second_squares = sums[0, 1:], sums[1, 1:], sums[2, 1:]
    for channel in range(len(widths)):
        width, slope = widths[channel], change[channel]
        # The last channels have no differences.
        bend = next_change[channel] - slope if channel < len(widths) - 2 else zero
        intensity += spectrum[channel] * width
        of_first += slope * slope * width
        of_second += bend * bend * width
        intensities[channel] = intensity
        first_squares[channel] = of_first
        second_squares[channel] = of_second
