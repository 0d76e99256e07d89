"""Preprocessing of measured spectra into network inputs.

The steps are: replacement of spikes, subtraction of the power-law background, broadening to the
resolution of the pretrained model, determination of the threshold of each spectrum, interpolation
to the window, and area normalisation. Spectra are processed in float32. The operators that depend
only on the energy axis are computed once, in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.alignment import aligned, first_point, laid_out
from hyperspy_coreloss.spectra.background import background_error, fitted_background
from hyperspy_coreloss.spectra.broadening import broadened, broadening_operator
from hyperspy_coreloss.spectra.compiled import plain_array
from hyperspy_coreloss.spectra.counting import blank_channels, count_step
from hyperspy_coreloss.spectra.edges import (
    BACKGROUND_GAP,
    BACKGROUND_WIDTH,
    POSITION_ERROR,
    SIGNIFICANCE,
    Edges,
    EdgeSearch,
    edge_search,
    find_edges,
)
from hyperspy_coreloss.spectra.energy import channel_widths
from hyperspy_coreloss.spectra.gaps import edges_beside_gaps, gap_within
from hyperspy_coreloss.spectra.onset import PEAK_RANGE, channel_noise, edge_height, threshold
from hyperspy_coreloss.spectra.quality import Quality, input_quality
from hyperspy_coreloss.spectra.rises import (
    RISE_WIDTH,
    noise_behind,
    rise_behind,
    rise_in_background,
    rise_in_gap,
)
from hyperspy_coreloss.spectra.scaling import scaled, scales
from hyperspy_coreloss.spectra.spikes import replace_outliers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from hyperspy_coreloss.spectra.energy import EnergyWindow
    from hyperspy_coreloss.spectra.preparation import Preparation

# Most spikes and dead channels of a spectrum that is read.
_MOST_OUTLIERS = 5
_TAIL = 5.0  # Number of standard deviations beyond which a Gaussian is negligible.


@dataclass(frozen=True, slots=True)
class Inputs:
    """Network inputs, and the threshold and quality code of each spectrum.

    Parameters
    ----------
    spectra
        Area-normalised spectra on the window, shape (spectra, window channels), float32. They are
        zero where the quality is not ``GOOD``.
    onset
        Threshold of each spectrum in eV, shape (spectra,), float32: on its axis, or above its zero
        loss where this is given. It is NaN where the quality is not ``GOOD``.
    quality
        :class:`~hyperspy_coreloss.spectra.Quality` codes, shape (spectra,), uint8.
    spikes
        Number of spikes and dead channels that were replaced, shape (spectra,), uint16.
    background_error
        Standard error of the extrapolated background at the end of the window due to the noise
        before the edge, divided by the height of the edge: its highest intensity up to 10 eV above
        the threshold, at the resolution of the model. Shape (spectra,), float32. It is NaN where
        the quality is not ``GOOD``, or if no background is subtracted.
    """

    spectra: NDArray[np.float32]
    onset: NDArray[np.float32]
    quality: NDArray[np.uint8]
    spikes: NDArray[np.uint16]
    background_error: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Operators:
    """Arrays that depend only on the energy axis."""

    channels: slice
    energy: NDArray[np.floating]
    channels_per_sigma: float
    density: NDArray[np.float32] | None
    search: EdgeSearch | None
    dispersion: float
    broadening: csr_array
    tail: float
    noise_gain: float
    points: NDArray[np.floating]


@lru_cache(maxsize=8)
def _operators(preparation: Preparation) -> _Operators:
    recipe, window = preparation.recipe, preparation.recipe.window
    first_read, last_read = window.read_range
    energy = np.array(preparation.energy)
    low, high = preparation.onset_range
    # Four-point interpolation of a Gaussian of σ has an error of 1e-4 at a spacing of σ / 5.
    stride = max(int(np.ceil(window.step / (recipe.sigma / 5.0) - 1e-9)), 1)
    step = window.step / stride
    start = max(energy[0], low + first_read - POSITION_ERROR)
    stop = min(energy[-1], high + last_read + PEAK_RANGE)
    points = start + step * np.arange(int((stop - start) / step + 1e-6) + 1)

    tail = _TAIL * preparation.broadening + 2 * np.abs(np.diff(energy)).max()
    first = start - tail
    if preparation.background_range is not None:
        first = min(first, preparation.background_range[0])
    elif preparation.background is not None:
        first = min(first, low - BACKGROUND_GAP - BACKGROUND_WIDTH[1])
    channels = slice(
        int(np.searchsorted(energy, first)), int(np.searchsorted(energy, stop + tail, "right"))
    )
    widths = channel_widths(energy)[channels]
    energy = energy[channels]
    even = np.allclose(widths, widths[0], rtol=1e-4)
    broadening = broadening_operator(energy, preparation.broadening, points)
    search = None
    if preparation.background is not None:
        search = edge_search(energy, widths, (low, high), preparation.background_range)
    measured = math.sqrt(max(recipe.sigma**2 - preparation.broadening**2, 0.0))
    return _Operators(
        channels=channels,
        energy=energy,
        channels_per_sigma=measured / float(widths.max()),
        density=None if even or not preparation.binned else (1.0 / widths).astype(np.float32),
        search=search,
        dispersion=float(widths.max()),
        broadening=broadening.astype(np.float32),
        tail=float(tail),
        noise_gain=float(np.sqrt((broadening**2).sum(axis=1).mean())),
        points=points,
    )


def preprocess(
    spectra: NDArray,
    preparation: Preparation,
    excitation_energy: NDArray | None = None,
    zero_loss: NDArray | None = None,
) -> Inputs:
    """Convert spectra into network inputs.

    A spectrum that cannot be read gets a quality code. It does not affect the other spectra.

    Parameters
    ----------
    spectra
        Intensities of any real dtype, shape (spectra, channels). Masked channels have no value.
    preparation
        Settings from :func:`prepare`.
    excitation_energy
        Energy of the threshold of each spectrum in an absolute window, in eV, shape (spectra,). The
        default is the measured threshold plus the energy offset of `preparation`.
    zero_loss
        Energy of the zero loss of each spectrum on its axis in eV, shape (spectra,): thresholds are
        relative to it. NaN if it is not known, and then the threshold is NaN too.

    Raises
    ------
    SignalError
        If the spectra have other channels than those of `preparation`.
    """
    _check_channels(spectra, preparation)
    operators = _operators(preparation)
    window = preparation.recipe.window
    if preparation.descending:
        spectra = spectra[:, ::-1]
    counts = plain_array(spectra[:, operators.channels])
    quality = input_quality(counts)
    read = _read(counts, quality, operators)
    net = _without_background(read, preparation, operators)
    smooth = broadened(operators.broadening, net.spectra)
    onset, detected = threshold(
        smooth,
        operators.points,
        net.low,
        net.high,
        net.noise * np.float32(operators.noise_gain),
        preparation.recipe.threshold_fraction,
    )
    zero = np.zeros(len(onset)) if zero_loss is None else np.asarray(zero_loss, dtype=np.float64)
    known = np.where(np.isfinite(zero), zero, 0.0)
    first, channel, inside = first_point(onset, preparation, excitation_energy, known)
    read_out, covered = aligned(smooth, operators.points, first, window)
    last = first + (window.n_read - 1) * window.step + operators.tail
    # Behind a gap, data seem to rise. Without a background, an edge rises from zeros.
    rises = first if operators.search is None else np.minimum(first, onset - BACKGROUND_GAP)
    covered &= ~gap_within(read.blank, rises, last, operators.energy)
    area = read_out.sum(axis=-1) * np.float32(window.step)

    low, high = preparation.onset_range
    expected = (onset >= low) & (onset <= high)
    readable = quality == Quality.GOOD
    quality[readable & ~covered] = Quality.WINDOW_NOT_COVERED
    missing = ~(net.clear & detected) | (covered & ~(expected & (area > 0)))
    quality[readable & missing] = Quality.NO_ONSET
    quality[readable & net.lacking] = Quality.WINDOW_NOT_COVERED
    quality[readable & net.negative] = Quality.NEGATIVE
    quality[readable & (read.spikes > _MOST_OUTLIERS)] = Quality.OUTLIERS
    quality[(quality == Quality.GOOD) & ~inside] = Quality.EXCITATION_ENERGY_OUTSIDE
    height = edge_height(read_out, window)
    other = _other_edge(net, smooth, read_out, onset, height, operators, window)
    quality[(quality == Quality.GOOD) & other] = Quality.OTHER_EDGE
    good = quality == Quality.GOOD
    error = np.full(len(onset), np.nan, dtype=np.float32)
    if net.edges is not None:
        error = background_error(net.edges.background, onset + window.read_range[1]) / height
    read_out /= np.where(good, area, 1.0)[:, None]
    read_out[~good] = 0
    windows = laid_out(read_out, channel, window)
    lost = (onset - zero).astype(np.float32)
    lost[~good] = error[~good] = np.nan
    return Inputs(windows, lost, quality, read.spikes, error)


def subtracted_background(
    spectra: NDArray, preparation: Preparation
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the background that :func:`preprocess` subtracts from spectra, to draw it.

    Parameters
    ----------
    spectra, preparation
        As for :func:`preprocess`.

    Returns
    -------
    energy : numpy.ndarray
        Ascending energies of the channels that are used in eV, shape (used channels,).
    background : numpy.ndarray
        Background in the units of the spectra, shape (spectra, used channels). It is zero if none
        is subtracted, and NaN for spectra that cannot be read.
    """
    operators, counts, quality, edges = _found_edges(spectra, preparation)
    background: NDArray[np.floating] = np.zeros(counts.shape)
    if edges is not None:
        background = fitted_background(edges.background, operators.energy)
        background = background * scales(counts, quality)[:, None]
        if operators.density is not None:
            background /= operators.density
    background[quality != Quality.GOOD] = np.nan
    return operators.energy, background


def fitted_range(spectra: NDArray, preparation: Preparation) -> NDArray[np.floating]:
    """Return the limits between which :func:`preprocess` fits the background, to draw them.

    Parameters
    ----------
    spectra, preparation
        As for :func:`preprocess`.

    Returns
    -------
    numpy.ndarray
        First and last energy of the fit in eV, shape (spectra, 2). They are NaN for spectra that
        cannot be read, or if no background is subtracted.
    """
    operators, counts, quality, edges = _found_edges(spectra, preparation)
    limits = np.full((len(counts), 2), np.nan)
    if edges is not None and preparation.background_range is not None:
        limits[:] = preparation.background_range
    elif edges is not None:
        stop = edges.position.astype(np.float64) - BACKGROUND_GAP
        limits[:, 0] = np.maximum(stop - BACKGROUND_WIDTH[1], operators.energy[0])
        limits[:, 1] = stop
    limits[quality != Quality.GOOD] = np.nan
    return limits


def _found_edges(
    spectra: NDArray, preparation: Preparation
) -> tuple[_Operators, NDArray, NDArray[np.uint8], Edges | None]:
    """Return the edges of spectra, None if no background is subtracted, and what they are from."""
    _check_channels(spectra, preparation)
    operators = _operators(preparation)
    ordered = spectra[:, ::-1] if preparation.descending else spectra
    counts = plain_array(ordered[:, operators.channels])
    quality = input_quality(counts)
    if operators.search is None:
        return operators, counts, quality, None
    read = _read(counts, quality, operators)
    edges = find_edges(read.intensities, operators.search, read.step, read.blank)
    return operators, counts, quality, edges


def _check_channels(spectra: NDArray, preparation: Preparation) -> None:
    """Compiled functions would read beyond the end of spectra with fewer channels."""
    if spectra.shape[-1] != len(preparation.energy):
        msg = (
            f"The preparation is that of spectra with {len(preparation.energy)} channels, but "
            f"these have {spectra.shape[-1]}. Prepare them anew."
        )
        raise SignalError(msg)


def _other_edge(
    net: _Net,
    smooth: NDArray[np.float32],
    read_out: NDArray[np.float32],
    onset: NDArray[np.float32],
    height: NDArray[np.float32],
    operators: _Operators,
    window: EnergyWindow,
) -> NDArray[np.bool_]:
    """Return whether other edges lie before each edge or behind it."""
    edges, search, dispersion = net.edges, operators.search, operators.dispersion
    if edges is None or search is None:
        noise = net.noise * np.float32(math.sqrt(dispersion / RISE_WIDTH))
        return rise_behind(read_out, window, noise, height)
    found = rise_in_background(edges, search, height)
    found |= rise_in_gap(edges, smooth, operators.points, onset, dispersion, height)
    found |= rise_behind(read_out, window, noise_behind(edges, dispersion, height), height)
    return found


@dataclass(frozen=True, slots=True)
class _Read:
    """Spectra without spikes, and what is known of their counting."""

    intensities: NDArray[np.float32]
    step: NDArray[np.floating]
    blank: NDArray[np.bool_] | None
    spikes: NDArray[np.uint16]


def _read(counts: NDArray, quality: NDArray[np.uint8], operators: _Operators) -> _Read:
    """Scale spectra, find their channels without data, and replace their spikes."""
    raw = scaled(counts, quality)
    step = count_step(raw)
    intensities, spikes = replace_outliers(raw, step, operators.channels_per_sigma)
    blank = blank_channels(intensities, step)
    if operators.density is not None:
        intensities = intensities * operators.density
    return _Read(intensities, step, blank if blank.any() else None, spikes)


@dataclass(frozen=True, slots=True)
class _Net:
    """Spectra without background, and the limits of their thresholds."""

    spectra: NDArray[np.float32]
    low: NDArray
    high: NDArray
    noise: NDArray[np.float32]
    clear: NDArray[np.bool_]
    negative: NDArray[np.bool_]
    lacking: NDArray[np.bool_]
    edges: Edges | None = None


def _without_background(read: _Read, preparation: Preparation, operators: _Operators) -> _Net:
    intensities = read.intensities
    if operators.search is None:
        low, high = (np.full(len(intensities), limit) for limit in preparation.onset_range)
        searched = slice(*np.searchsorted(operators.energy, (low[0], high[0] + PEAK_RANGE)))
        noise = channel_noise(intensities[:, searched])
        # Few counts are no edge, however far they lie from one another.
        clear = intensities[:, searched].sum(axis=-1) > np.square(SIGNIFICANCE) * read.step
        never = np.zeros(len(intensities), dtype=bool)
        return _Net(intensities, low, high + PEAK_RANGE, noise, clear, never, never)
    edges = find_edges(intensities, operators.search, read.step, read.blank)
    background = fitted_background(edges.background, operators.energy)
    return _Net(
        np.subtract(intensities, background, out=background),
        edges.position - POSITION_ERROR,
        edges.position + PEAK_RANGE,
        edges.noise,
        edges.clear,
        edges.negative,
        edges_beside_gaps(edges, intensities, operators.search, read.step, read.blank),
        edges,
    )
