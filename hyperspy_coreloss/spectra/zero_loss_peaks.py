"""The zero-loss peaks of low-loss spectra: whether there is one, its energy and its width.

A zero loss is the highest peak of its spectrum, lies near 0 eV, is narrower than a plasmon, falls
on both sides alike, and stands far above the noise. What is not such a peak is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import make_interp_spline

from hyperspy_coreloss.spectra.energy import channel_widths
from hyperspy_coreloss.spectra.low_loss_axis import (
    check_low_loss_axis,
    even_channels,
    running_total,
)
from hyperspy_coreloss.spectra.peak_curves import distances, vertex
from hyperspy_coreloss.spectra.pedestal import BELOW, fit_pedestals, noise_below, read_below

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from numpy.typing import ArrayLike, NDArray

#: Largest distance of a zero loss from 0 eV, in eV. Calibrations are wrong by less; the plasmons of
#: nearly all solids lie further away.
FARTHEST = 5.0
#: Largest full width at half maximum of a zero loss, in eV. Tungsten filaments give up to 2.5 eV.
WIDEST = 3.0
# The spectrum is examined up to this distance above the peak, in eV.
_ABOVE = 10.0
# Width of the bins in which the peak is looked for, in eV.
_COARSE = 0.5
# Bins in a full width at half maximum: with more, counting noise distorts the peak, with fewer the
# spline through the bins does.
_BINS_PER_WIDTH = 5
# Bins of the spline on either side of the one at the peak, and points in a bin at which it is read.
_SIDE, _FINE = 8, 5
#: Narrower peaks, in channels, look broader than they are.
FEWEST_CHANNELS = 2.0
#: A peak is this many times higher than the noise of a bin.
LEAST_SIGNAL_TO_NOISE = 20.0
# The ratio of the two halves of the width: cold field emission has up to 2.5.
_LARGEST_ASYMMETRY = 4.0
# Width at this fraction of the height, divided by the width at half of it: 0.57 for a Gaussian, 0.5
# for a Lorentzian. A Gaussian clipped at three quarters of its height has 0.72.
_UPPER_LEVEL = 0.8
_FLATTEST = 0.72
# Equal channels at the maximum are a clipped peak if they are three or more, and take up this
# fraction of the width.
_LONGEST_PLATEAU = 0.15


class Refusal(IntEnum):
    """Reasons why a spectrum has no zero loss that can be measured."""

    NONE = 0
    NOT_FINITE = 1
    FAR = 2
    SHORT_AXIS = 3
    NOT_WHOLE = 4
    WIDE = 5
    NOISY = 6
    NARROW = 7
    CLIPPED = 8
    LOPSIDED = 9


@dataclass(frozen=True, slots=True)
class ZeroLosses:
    """The zero-loss peaks of several spectra; undefined where a peak is refused.

    Parameters
    ----------
    energy
        Energy of the maximum on the axis in eV, shape (spectra,).
    height
        Intensity of the maximum above the pedestal, shape (spectra,).
    pedestal
        Intensity without electrons, shape (spectra,): the pedestal of the camera.
    left, right
        Distances from the maximum at which half of the height is reached, in eV, shape (spectra,).
    flatness
        Width at four fifths of the height divided by that at half of it, shape (spectra,).
    noise
        Standard deviation of the noise of a bin, shape (spectra,).
    refusal
        :class:`Refusal` codes, shape (spectra,), uint8.
    """

    energy: NDArray[np.float64]
    height: NDArray[np.float64]
    pedestal: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    flatness: NDArray[np.float64]
    noise: NDArray[np.float64]
    refusal: NDArray[np.uint8]

    @property
    def fwhm(self) -> NDArray[np.float64]:
        """Full width at half maximum in eV, without the width of the channels."""
        return self.left + self.right

    def take(self, rows: NDArray[np.integer]) -> ZeroLosses:
        """Return the peaks of some of the spectra."""
        return ZeroLosses(*(getattr(self, one.name)[rows] for one in fields(self)))


def find_zero_losses(spectra: ArrayLike, energy: ArrayLike) -> ZeroLosses:
    """Find and measure the zero losses of low-loss spectra.

    A channel counts all electrons between its limits. The sum of the counts up to each limit is
    interpolated by a spline, whose derivative is the spectrum without the broadening by the
    channels. Narrow channels are first added up to a fifth of the width, against noise. A constant
    pedestal is taken off; it is fitted together with the tail below the peak. The result of a
    spectrum has the same bits beside any other spectra.

    Parameters
    ----------
    spectra
        Intensities, shape (spectra, channels).
    energy
        Ascending energies in eV, shape (channels,).

    Returns
    -------
    ZeroLosses
        The peaks. Of 10000 electrons or more and four channels or more, a width is right to a few
        per cent. At two channels, that of a Lorentzian is up to 17 per cent too large.

    Raises
    ------
    EnergyRangeError
        If the axis does not hold 0 eV.
    """
    axis = np.asarray(energy, dtype=np.float64)
    check_low_loss_axis(axis)
    rows = np.asarray(spectra, dtype=np.float64)
    finite = np.logical_and.reduce(np.isfinite(rows), axis=-1)
    if not finite.all():
        rows = np.where(finite[:, None], rows, 0.0)
    near = _coarse_maximum(rows, axis)
    refusal = np.where(np.abs(near) > FARTHEST, np.uint8(Refusal.FAR), np.uint8(Refusal.NONE))
    refusal = np.where(finite, refusal, np.uint8(Refusal.NOT_FINITE))
    part = (axis > -FARTHEST - BELOW) & (axis < FARTHEST + _ABOVE)
    # What is refused already is measured too, somewhere near 0 eV, and not reported.
    read = _Channels.of(*even_channels(rows[:, part], axis[part]), np.where(refusal, 0.0, near))
    found = _measure(read)
    return replace(
        found,
        energy=np.where(refusal == Refusal.FAR, near, found.energy),
        refusal=np.where(refusal, refusal, _checked(found, read)),
    )


def _coarse_maximum(rows: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the energy of the highest bin, in eV; in bins, single channels do not stand out."""
    widths = channel_widths(axis)
    grid = np.arange(axis[0], axis[-1], _COARSE)
    # Rounding of the grid must not skip the channel that it stands for.
    first = np.unique(np.searchsorted(axis, grid - 1e-6 * _COARSE))
    heights = np.add.reduceat(rows * widths, first, axis=-1) / np.add.reduceat(widths, first)
    limits = np.append(axis[first], axis[-1])
    return ((limits[1:] + limits[:-1]) / 2)[np.argmax(heights, axis=-1)]


@dataclass(frozen=True, slots=True)
class _Channels:
    """Even channels near 0 eV, and their sums, continued beyond both ends."""

    counts: NDArray[np.float64]
    axis: NDArray[np.float64]
    near: NDArray[np.float64]
    step: float
    total: NDArray[np.float64]
    first_limit: float

    @classmethod
    def of(
        cls, counts: NDArray[np.float64], axis: NDArray[np.float64], near: NDArray[np.float64]
    ) -> _Channels:
        step = float(axis[-1] - axis[0]) / (axis.size - 1)
        beyond = (_SIDE + 2) * max(round(_COARSE / step), 1)
        total = running_total(np.pad(counts, ((0, 0), (beyond, beyond)), mode="edge"))
        return cls(counts, axis, near, step, total, float(axis[0]) - (beyond + 0.5) * step)

    @property
    def lower(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The channels that can lie below a peak, and their energies."""
        possible = self.axis < FARTHEST
        return self.counts[:, possible], self.axis[possible]

    def take(self, rows: NDArray[np.integer]) -> _Channels:
        return replace(self, counts=self.counts[rows], near=self.near[rows], total=self.total[rows])


@lru_cache(maxsize=1)
def _density_weights() -> NDArray[np.float64]:
    """Return the weights of sums up to the limits of unit bins, for densities in these bins."""
    limits = np.arange(2 * _SIDE + 2)
    points = np.linspace(0, limits[-1], _FINE * limits[-1] + 1)
    density = make_interp_spline(limits, np.eye(limits.size), k=5).derivative()
    return np.ascontiguousarray(density(points).T)


@dataclass(frozen=True, slots=True)
class _Curves:
    """What peaks are read from: splines at even points, and the tails below them."""

    values: NDArray[np.float64]
    start: NDArray[np.float64]
    spacing: NDArray[np.float64]
    tail: NDArray[np.float64]
    width: NDArray[np.float64]


def _measure(read: _Channels) -> ZeroLosses:
    coarsest = max(round(_COARSE / read.step), 1)
    size = np.full(len(read.counts), coarsest)
    peaks, curves = _read_peaks(read, size, read.near, np.full(len(size), 2 * _COARSE))
    # From coarse to fine bins, because in fine bins noise looks like a narrow peak.
    for _ in range(coarsest):
        bins = peaks.fwhm / (_BINS_PER_WIDTH * read.step)
        rows = np.flatnonzero((size > 1) & (bins < 0.9 * size))
        if not rows.size:
            break
        size[rows] = np.clip(np.rint(bins[rows]), 1, size[rows] - 1)
        finer = _read_peaks(read.take(rows), size[rows], peaks.energy[rows], peaks.fwhm[rows])
        _replace_rows(peaks, rows, finer[0])
        _replace_rows(curves, rows, finer[1])
    noise = _noise(read, peaks, curves) / np.sqrt(size)
    return _centred(replace(peaks, noise=noise), curves)


def _replace_rows(
    arrays: DataclassInstance, rows: NDArray[np.integer], others: DataclassInstance
) -> None:
    for one in fields(arrays):
        getattr(arrays, one.name)[rows] = getattr(others, one.name)


def _read_peaks(
    read: _Channels,
    size: NDArray[np.integer],
    around: NDArray[np.float64],
    width: NDArray[np.float64],
) -> tuple[ZeroLosses, _Curves]:
    """Measure peaks in bins of a number of channels, within two widths of an energy."""
    centre = np.floor((around - read.first_limit) / read.step).astype(np.intp)
    first = centre - size * (2 * _SIDE + 1) // 2
    limits = first[:, None] + size[:, None] * np.arange(2 * _SIDE + 2)
    sums = np.take_along_axis(read.total, np.clip(limits, 0, read.total.shape[1] - 1), axis=-1)
    sums = (sums - sums[:, :1]) / size[:, None]
    curve = np.zeros((len(size), _density_weights().shape[1]))
    # Not a matrix product, whose rounding would depend on the number of spectra.
    for column, weights in enumerate(_density_weights()):
        curve += sums[:, column, None] * weights
    start = read.first_limit + first * read.step
    spacing = size * read.step / _FINE
    points = start[:, None] + spacing[:, None] * np.arange(curve.shape[1])
    searched = np.abs(points - around[:, None]) <= 2 * width[:, None]
    top = np.argmax(np.where(searched, curve, -np.inf), axis=-1)
    shift, highest = vertex(curve, top)
    energy = start + spacing * (top + shift)
    below = read_below(*read.lower, (energy, width))
    pedestal, tail, short = fit_pedestals(below)
    above, height = curve - pedestal[:, None], highest - pedestal
    half, upper = (distances(above, top, shift, level * height) for level in (0.5, _UPPER_LEVEL))
    refusal = np.zeros(len(size), dtype=np.uint8)
    refusal[~(np.isfinite(sum(half)) & (height > 0))] = Refusal.NOT_WHOLE
    refusal[short] = Refusal.SHORT_AXIS
    peaks = ZeroLosses(
        energy=energy,
        height=height,
        pedestal=pedestal,
        left=spacing * half[0],
        right=spacing * half[1],
        flatness=sum(upper) / np.where(refusal, 1.0, sum(half)),
        noise=np.zeros(len(size)),
        refusal=refusal,
    )
    return peaks, _Curves(curve, start, spacing, tail.T, width.copy())


def _centred(peaks: ZeroLosses, curves: _Curves) -> ZeroLosses:
    """Return peaks whose energy is that of the parabola through their upper fifth.

    Counting noise moves it several times less than the highest point.
    """
    number = np.arange(curves.values.shape[1])
    half = (0.5 * peaks.flatness * peaks.fwhm / curves.spacing)[:, None]
    x = number - ((peaks.energy - curves.start) / curves.spacing)[:, None]
    upper = curves.values - peaks.pedestal[:, None] >= _UPPER_LEVEL * peaks.height[:, None]
    weight = (upper & (np.abs(x) <= 2 * half)).astype(np.float64)
    moments = []
    for _ in range(5):
        moments.append(weight.sum(axis=-1))
        weight = weight * x
    zeroth, first, second, third, fourth = moments
    value = np.where(upper & (np.abs(x) <= 2 * half), curves.values, 0.0)
    y, xy, xxy = value.sum(axis=-1), (value * x).sum(axis=-1), (value * x * x).sum(axis=-1)
    # Cramer's rule for the linear and the quadratic coefficient.
    slope = (
        zeroth * (xy * fourth - xxy * third)
        - y * (first * fourth - second * third)
        + second * (first * xxy - second * xy)
    )
    bend = (
        zeroth * (second * xxy - third * xy)
        - first * (first * xxy - second * xy)
        + y * (first * third - second**2)
    )
    shift = np.where(bend < 0, -0.5 * slope / np.where(bend < 0, bend, -1.0), 0.0)
    moved = curves.spacing * np.clip(shift, -half[:, 0], half[:, 0])
    moved = np.where(np.isfinite(moved) & (zeroth > 3), moved, 0.0)
    return replace(
        peaks, energy=peaks.energy + moved, left=peaks.left + moved, right=peaks.right - moved
    )


def _noise(read: _Channels, peaks: ZeroLosses, curves: _Curves) -> NDArray[np.float64]:
    """Return the noise of a channel below or within each peak, whichever is larger."""
    below = read_below(*read.lower, (peaks.energy, curves.width))
    beside = noise_below(below, peaks.pedestal, curves.tail.T)
    return np.maximum(beside, _noise_inside(read, peaks, curves))


def _noise_inside(read: _Channels, peaks: ZeroLosses, curves: _Curves) -> NDArray[np.float64]:
    """Return the deviation of the channels within half of the height from the curve."""
    possible = np.abs(read.axis) < FARTHEST + WIDEST
    axis, counts = read.axis[possible], read.counts[:, possible]
    inside = axis > (peaks.energy - peaks.left)[:, None]
    inside &= axis < (peaks.energy + peaks.right)[:, None]
    place = (axis - curves.start[:, None]) / curves.spacing[:, None]
    place = np.clip(place, 0, curves.values.shape[1] - 1.001)
    whole = place.astype(np.intp)
    part = place - whole
    at_channel = (1 - part) * np.take_along_axis(curves.values, whole, axis=-1)
    at_channel += part * np.take_along_axis(curves.values, whole + 1, axis=-1)
    residual = np.where(inside, counts - at_channel, 0.0)
    number = np.maximum(inside.sum(axis=-1), 1)
    mean = residual.sum(axis=-1) / number
    return np.sqrt(np.maximum(np.square(residual).sum(axis=-1) / number - mean**2, 0.0))


def _checked(peaks: ZeroLosses, read: _Channels) -> NDArray[np.uint8]:
    """Return the refusal of each peak; of several reasons, the first of :class:`Refusal`."""
    refusal = peaks.refusal.copy()
    left, right = np.nan_to_num(peaks.left), np.nan_to_num(peaks.right)
    reasons = {
        Refusal.WIDE: (np.abs(peaks.energy) > FARTHEST) | (left + right > WIDEST),
        Refusal.NOISY: peaks.height < LEAST_SIGNAL_TO_NOISE * peaks.noise,
        Refusal.NARROW: left + right < FEWEST_CHANNELS * read.step,
        Refusal.CLIPPED: (peaks.flatness > _FLATTEST) | _has_plateau(read, left + right),
        Refusal.LOPSIDED: np.maximum(left, right) > _LARGEST_ASYMMETRY * np.minimum(left, right),
    }
    for reason, applies in reasons.items():
        refusal[(refusal == Refusal.NONE) & applies] = reason
    return refusal


def _has_plateau(read: _Channels, width: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether neighbouring channels are equal at the maximum, over too much of the width."""
    near = np.abs(read.axis - read.near[:, None]) < _ABOVE
    highest = np.max(read.counts, axis=-1, keepdims=True, where=near, initial=-np.inf)
    equal = (read.counts == highest) & near
    plateau = np.zeros(len(equal), dtype=bool)
    for row in np.flatnonzero(equal.sum(axis=-1) > 2):
        limits = np.flatnonzero(np.diff(equal[row], prepend=False, append=False))
        longest = int((limits[1::2] - limits[::2]).max())
        plateau[row] = longest > 2 and (longest - 1) * read.step > _LONGEST_PLATEAU * width[row]
    return plateau
