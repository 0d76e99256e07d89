"""The threshold of an edge: one estimator for computed and for measured spectra.

The background is subtracted and the spectrum is broadened to the resolution of the pretrained
model. The threshold is the energy at which the intensity first rises through a given fraction of
the highest intensity of the following 10 eV, and stays above it for 1 eV on average. In measured
spectra, a coarse edge position is determined first, because it sets the range of the background
fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.background import (
    NOTHING,
    Areas,
    BackgroundFit,
    PowerLaw,
    area_means,
    area_variances,
    areas,
    extrapolation_variance,
    mean_over_centre,
    running_sums,
    two_area_power_law,
    with_offset,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.energy import EnergyWindow

#: Range above the threshold in which the highest intensity is determined, in eV.
PEAK_RANGE = 10.0
#: Distance of the background areas from a candidate edge position, in eV.
BACKGROUND_GAP = 5.0
#: Smallest and largest width of the background fit range before the edge, in eV.
BACKGROUND_WIDTH = (10.0, 30.0)
#: Largest distance of a coarse edge position from the threshold, in eV.
POSITION_ERROR = 8.0

#: Standard errors by which an edge must rise above its background. In pure counting noise on a
#: power law, the largest of all candidates stays below 5 (tests/spectra/test_onset.py).
SIGNIFICANCE = 7.0

_AFTER_WIDTH = 10.0
_CANDIDATE_STEP = 0.5
# Misfits of backgrounds with high counts are small compared with the fall of the background between
# its two areas, which a pedestal of the camera does not change. The ratio is 1 % of the background
# for an exponent of 3.
_JUMP_TO_FALL = 0.12
# Standard errors by which a mean intensity before the edge must be negative.
_NEGATIVE = 5.0
_PEAK_TO_NOISE = 10.0

# Energy range over which the mean intensity must stay above the fraction, in eV. A rise caused by
# noise before the edge is shorter.
_LASTING = 1.0


@dataclass(frozen=True, slots=True)
class EdgeSearch:
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
    """

    candidates: NDArray[np.floating]
    widths: NDArray[np.floating]
    first: Areas
    second: Areas
    before: Areas
    after: Areas


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
    running
        Integrals of the spectra with their background, from :func:`.running_sums`.
    """

    candidate: NDArray[np.intp]
    position: NDArray[np.float32]
    background: BackgroundFit
    noise: NDArray[np.float32]
    clear: NDArray[np.bool_]
    negative: NDArray[np.bool_]
    running: NDArray[np.floating]


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
    return EdgeSearch(
        candidates,
        widths,
        areas(energy, widths, start, middle),
        areas(energy, widths, middle, stop),
        areas(energy, widths, start, stop),
        areas(energy, widths, candidates, candidates + _AFTER_WIDTH),
    )


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
    running = running_sums(spectra, search.widths)
    first, second, after = (
        area_means(running, over) for over in (search.first, search.second, search.after)
    )
    law = two_area_power_law(first, second, search.first, search.second)
    distance = np.log(search.after.energy / search.second.energy)
    background = law.height * np.exp(-law.exponent * distance)
    background *= mean_over_centre(law.exponent, search.after.spread)
    jump = after - background

    before, behind = _variances(spectra, search, second, after, step)
    relative = area_variances(before, (first, second), (search.first.counts, search.second.counts))
    lever = distance / np.log(search.second.energy / search.first.energy)
    extrapolated = extrapolation_variance(*relative, lever)
    error = np.square(background) * extrapolated + behind / search.after.counts
    significance = jump / np.sqrt(error + np.square(1e-4 * np.maximum(after, 1e-6)))
    if blank is not None:
        lacking = running_sums(blank, search.widths)
        for over in (search.before, search.after):
            significance[area_means(lacking, over) > 0] = -np.inf

    best = np.argmax(significance, axis=-1)[:, None]

    def at_best(values: NDArray) -> NDArray[np.float32]:
        return np.take_along_axis(values, best, axis=-1)[:, 0].astype(np.float32)

    clear = (at_best(significance) > SIGNIFICANCE) & (
        at_best(jump) > _JUMP_TO_FALL * np.abs(at_best(first - second))
    )
    # The error of a mean cannot be below the precision of spectra with a maximum of one.
    lowest = np.minimum(
        first / np.sqrt(before / search.first.counts + NOTHING),
        second / np.sqrt(before / search.second.counts + NOTHING),
    )
    return Edges(
        candidate=best[:, 0],
        position=search.candidates[best[:, 0]].astype(np.float32),
        background=_chosen_fit(search, best[:, 0], law, before / search.second.counts, relative),
        noise=np.sqrt(at_best(before)),
        clear=clear,
        negative=at_best(lowest) < -_NEGATIVE,
        running=running,
    )


def _chosen_fit(
    search: EdgeSearch,
    best: NDArray[np.intp],
    law: PowerLaw,
    least: NDArray[np.floating],
    relative: tuple[NDArray[np.floating], NDArray[np.floating]],
) -> BackgroundFit:
    """Return the background of the chosen candidate of each spectrum."""
    rows = np.arange(len(best))

    def at_best(values: NDArray) -> NDArray[np.float32]:
        return values[rows, best].astype(np.float32)

    fit = BackgroundFit(
        law=PowerLaw(at_best(law.height), at_best(law.exponent)),
        offset=np.zeros(len(best), dtype=np.float32),
        reference=search.second.energy[best].astype(np.float32),
        first_energy=search.first.energy[best].astype(np.float32),
        least=np.sqrt(at_best(least)),
        # Of an area without counts, no more is known than that.
        first_variance=np.minimum(at_best(relative[0]), 1.0),
        second_variance=np.minimum(at_best(relative[1]), 1.0),
    )
    return with_offset(fit)


def _variances(
    spectra: NDArray[np.float32],
    search: EdgeSearch,
    second: NDArray[np.floating],
    after: NDArray[np.floating],
    step: NDArray[np.floating],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the variances of one channel before and after each candidate.

    Where channels before the edge are empty, their variance is not zero but that of up to one count
    in all of them.
    """
    # The difference of neighbouring channels has sqrt(2) times the noise of one channel, and the
    # slope of the background, which is larger than the noise of many counts.
    squares = np.square(np.diff(spectra, axis=-1, append=spectra[:, -1:]))
    over = search.before
    slope = (
        spectra[:, np.minimum(over.last, spectra.shape[1] - 1)] - spectra[:, over.first]
    ) / over.counts
    before = (area_means(running_sums(squares, search.widths), over) - np.square(slope)) / 2
    count = step.astype(np.float64)[:, None]
    before = np.maximum(before, np.square(count) / search.before.counts)
    # The variance of counting noise is proportional to the intensity. Where there is hardly any
    # background, second differences after the candidate are a better estimate; the edge itself
    # adds to them.
    gain = np.maximum(np.maximum(after, second), 0) / np.maximum(second, NOTHING)
    second_differences = np.square(np.diff(spectra, n=2, axis=-1, append=spectra[:, -2:]))
    own = area_means(running_sums(second_differences, search.widths), search.after) / 6
    behind = np.minimum(before * gain, np.maximum(before, own))
    return before, np.maximum(behind, count * after)


def channel_noise(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the noise of one channel, estimated from second differences, shape (spectra,)."""
    if spectra.shape[-1] < 3:
        return np.zeros(spectra.shape[:-1], dtype=np.float32)
    # The second differences of white noise have six times its variance.
    return np.sqrt(np.mean(np.square(np.diff(spectra, n=2, axis=-1)), axis=-1) / 6)


def threshold(
    spectra: NDArray[np.float32],
    points: NDArray[np.floating],
    low: NDArray,
    high: NDArray,
    noise: NDArray,
    fraction: float,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the threshold of each spectrum, interpolated between channels.

    Parameters
    ----------
    spectra
        Intensities without background at the model's resolution, shape (spectra, points).
    points
        Ascending, evenly spaced energies in eV, shape (points,).
    low, high
        Limits in eV of the range that contains the threshold and the peak used for its first
        estimate, shape (spectra,).
    noise
        Standard deviation of the noise of one point of `spectra`, shape (spectra,).
    fraction
        Intensity at the threshold, as a fraction of the highest intensity.

    Returns
    -------
    energy : ndarray
        Threshold in eV, shape (spectra,). It is undefined where `detected` is False.
    detected : ndarray of bool
        Whether the spectrum rises through the fraction to a peak of at least 10 times the noise,
        shape (spectra,).
    """
    # Mean of the points that follow each point, over the range in which the rise has to last.
    n_lasting = round(_LASTING / (points[1] - points[0]))
    total = np.cumsum(spectra, axis=-1)
    lasting = (total[:, n_lasting:] - total[:, :-n_lasting]) / np.float32(n_lasting)
    n_starts = lasting.shape[-1]

    def rise(start: NDArray, stop: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        peak_index = _highest(spectra, points, start, stop)
        peak = np.take_along_axis(spectra, peak_index, axis=-1)
        level = np.float32(fraction) * peak
        rises = (spectra[:, :n_starts] < level) & (spectra[:, 1 : n_starts + 1] >= level)
        rises &= lasting >= level
        rises &= (points[:n_starts] >= low[:, None]) & (np.arange(n_starts) < peak_index)
        before = np.argmax(rises, axis=-1)[:, None]
        left = np.take_along_axis(spectra, before, axis=-1)
        right = np.take_along_axis(spectra, before + 1, axis=-1)
        detected = rises.any(axis=-1) & (peak[:, 0] > 0)
        slope = np.where(detected[:, None], right - left, 1.0)
        step = points[1] - points[0]
        energy = points[before[:, 0]] + step * ((level - left) / slope)[:, 0]
        return energy.astype(np.float32), detected, peak[:, 0]

    energy, detected, _ = rise(low, high)
    # Repeated with the peak range relative to the threshold, so that the result does not depend
    # on the limits.
    energy, detected_again, peak = rise(energy, energy + PEAK_RANGE)
    return energy, detected & detected_again & (peak > _PEAK_TO_NOISE * noise)


def edge_height(read: NDArray[np.float32], window: EnergyWindow) -> NDArray[np.float32]:
    """Return the highest intensity up to 10 eV above the threshold; NaN where it is not positive.

    Parameters
    ----------
    read
        Intensities at the points at which the window is read, shape (spectra, points read).
    window
        The window.
    """
    near = max(round((PEAK_RANGE - window.read_range[0]) / window.step), 1)
    height = read[:, :near].max(axis=-1)
    return np.where(height > 0, height, np.float32(np.nan))


def _highest(
    spectra: NDArray[np.float32], points: NDArray[np.floating], start: NDArray, stop: NDArray
) -> NDArray[np.intp]:
    """Return the index of the highest point between two limits, shape (spectra, 1)."""
    inside = (points >= start[:, None]) & (points <= stop[:, None])
    return np.argmax(np.where(inside, spectra, -np.inf), axis=-1)[:, None]
