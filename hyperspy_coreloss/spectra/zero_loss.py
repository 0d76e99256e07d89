"""The zero-loss peak of low-loss spectra: whether there is one, its energy and its width.

A zero loss is the highest peak of its spectrum, lies near 0 eV, is narrower than a plasmon, falls
on both sides alike, and stands far above the noise. What is not such a peak is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.optimize import nnls

from hyperspy_coreloss.errors import EnergyRangeError, SignalError
from hyperspy_coreloss.spectra.energy import channel_widths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: Largest distance of a zero loss from 0 eV, in eV. Calibrations are wrong by less; the plasmons of
#: nearly all solids lie further away.
FARTHEST = 5.0
#: Largest full width at half maximum of a zero loss, in eV. Tungsten filaments give up to 2.5 eV.
WIDEST = 3.0
# The spectrum is examined up to these distances below and above the peak, in eV.
_BELOW, _ABOVE = 20.0, 10.0
# Width of the bins in which the peak is looked for, in eV.
_COARSE = 0.5
# Bins in a full width at half maximum: with more, counting noise distorts the peak, with fewer the
# spline through the bins does.
_BINS_PER_WIDTH = 5
# Points in a bin at which the spline is read.
_FINE = 20
# Narrower peaks, in channels, look broader than they are.
_FEWEST_CHANNELS = 2.0
# The pedestal is read this many widths and more below the peak, and needs as many channels.
_CLEAR = 1.5
_FEWEST_CLEAR = 4
# A peak is this many times higher than the noise of a bin.
_LEAST_SIGNAL_TO_NOISE = 20.0
# The ratio of the two halves of the width: cold field emission has up to 2.5.
_LARGEST_ASYMMETRY = 4.0
# Width at this fraction of the height, divided by the width at half of it: 0.57 for a Gaussian, 0.5
# for a Lorentzian. A Gaussian clipped at three quarters of its height has 0.72.
_UPPER_LEVEL = 0.8
_FLATTEST = 0.72
# Equal channels at the maximum are a clipped peak if they are three or more, and take up this
# fraction of the width.
_LONGEST_PLATEAU = 0.15
# Standard deviation of a Gaussian per median absolute deviation.
_SIGMA_PER_DEVIATION = 1.4826


@dataclass(frozen=True)
class ZeroLoss:
    """The zero-loss peak of one spectrum.

    Parameters
    ----------
    energy
        Energy of the maximum on the axis, in eV.
    fwhm
        Full width at half maximum in eV, without the width of the channels.
    height
        Intensity of the maximum above the pedestal.
    pedestal
        Intensity without electrons: the pedestal of the camera.
    """

    energy: float
    fwhm: float
    height: float
    pedestal: float


def find_zero_loss(spectrum: ArrayLike, energy: ArrayLike) -> ZeroLoss:
    """Find and measure the zero loss of one low-loss spectrum.

    A channel counts all electrons between its limits. The sum of the counts up to each limit is
    interpolated by a spline, whose derivative is the spectrum without the broadening by the
    channels. Narrow channels are first added up to a fifth of the width, against noise. A constant
    pedestal is taken off; it is fitted below the peak together with a Lorentzian tail.

    Parameters
    ----------
    spectrum
        Intensities, shape (channels,).
    energy
        Ascending energies in eV, shape (channels,).

    Returns
    -------
    ZeroLoss
        The peak. Of 10000 electrons or more and four channels or more, its width is right to a few
        per cent. At two channels, that of a Lorentzian is up to 17 per cent too large.

    Raises
    ------
    EnergyRangeError
        If the axis does not hold 0 eV, or does not begin far enough below the peak.
    SignalError
        If the spectrum has no zero loss, or one that is clipped, too narrow or too noisy to
        measure.
    """
    axis = np.asarray(energy, dtype=np.float64)
    intensity = np.asarray(spectrum, dtype=np.float64)
    _check_axis(axis)
    if not np.isfinite(intensity).all():
        msg = (
            "A low-loss spectrum needs finite intensities, but "
            f"{np.sum(~np.isfinite(intensity))} of its {intensity.size} channels are not. Replace "
            "them, or choose another spectrum."
        )
        raise SignalError(msg)
    near = _coarse_maximum(intensity, axis)
    if abs(near) > FARTHEST:
        msg = (
            f"The maximum of a low-loss spectrum must be the zero loss, within {FARTHEST:g} eV of "
            f"0 eV, but it is at {near:.1f} eV. Pass a spectrum with a zero loss, calibrate the "
            "axis (s.align_zero_loss_peak), or give the resolution in eV."
        )
        raise SignalError(msg)
    part = (axis > near - _BELOW) & (axis < near + _ABOVE)
    return _measure(intensity[part], axis[part])


def median_fwhm(spectra: ArrayLike, energy: ArrayLike) -> float:
    """Return the median width of the zero losses of several spectra.

    Spectra without a measurable zero loss, such as dead pixels, are left out.

    Parameters
    ----------
    spectra
        Intensities, shape (spectra, channels).
    energy
        Ascending energies in eV, shape (channels,).

    Returns
    -------
    float
        Full width at half maximum in eV.

    Raises
    ------
    EnergyRangeError
        If the axis does not hold 0 eV, or does not begin far enough below the zero loss.
    SignalError
        If less than half of the spectra have a zero loss that can be measured.
    """
    rows = np.asarray(spectra)
    _check_axis(np.asarray(energy, dtype=np.float64))
    if len(rows) == 1:
        return find_zero_loss(rows[0], energy).fwhm
    widths, refusals = [], []
    for row in rows:
        try:
            widths.append(find_zero_loss(row, energy).fwhm)
        except (SignalError, EnergyRangeError) as error:
            refusals.append(error)
    if len(widths) < len(rows) / 2:
        msg = (
            "At least half of the spectra need a zero loss, but only "
            f"{len(widths)} of the {len(rows)} spectra read have one. The first without: "
            f"{refusals[0]}"
        )
        raise SignalError(msg)
    return float(np.median(widths))


def _check_axis(axis: NDArray[np.float64]) -> None:
    if not axis[0] < 0 < axis[-1]:
        msg = (
            f"A low-loss spectrum must have a zero loss, so its axis must hold 0 eV, but it goes "
            f"from {axis[0]:.1f} to {axis[-1]:.1f} eV. Pass low-loss spectra, or give the "
            "resolution in eV."
        )
        raise EnergyRangeError(msg)


def _coarse_maximum(intensity: NDArray[np.float64], axis: NDArray[np.float64]) -> float:
    """Return the energy of the highest bin, in eV; in bins, single channels do not stand out."""
    widths = channel_widths(axis)
    first = _bin_starts(axis, _COARSE)
    heights = np.add.reduceat(intensity * widths, first) / np.add.reduceat(widths, first)
    highest = int(np.argmax(heights))
    return float(np.append(axis[first], axis[-1])[highest : highest + 2].mean())


def _bin_starts(positions: NDArray[np.float64], width: float) -> NDArray[np.intp]:
    """Return the indices at which bins of about one width begin."""
    grid = np.arange(positions[0], positions[-1], width)
    # Rounding of the grid must not skip the position that it stands for.
    return np.unique(np.searchsorted(positions, grid - 1e-6 * width))


@dataclass(frozen=True)
class _Peak:
    """A peak on a fine grid: its maximum, and the spline that it is read from."""

    energy: float
    height: float
    pedestal: float
    left: float
    right: float
    flatness: float
    noise: float

    @property
    def fwhm(self) -> float:
        return self.left + self.right


def _measure(intensity: NDArray[np.float64], axis: NDArray[np.float64]) -> ZeroLoss:
    between = (axis[1:] + axis[:-1]) / 2
    edges = np.concatenate([[2 * axis[0] - between[0]], between, [2 * axis[-1] - between[-1]]])
    widths = np.diff(edges)
    total = np.append(0.0, np.cumsum(intensity * widths))
    finest = float(widths.min())
    size = max(_COARSE, finest)
    peak = _read_peak(intensity, axis, (edges, total), size)
    # From coarse to fine bins, because in fine bins noise looks like a narrow peak.
    while size > finest and peak.fwhm / _BINS_PER_WIDTH < 0.9 * size:
        size = max(peak.fwhm / _BINS_PER_WIDTH, finest)
        peak = _read_peak(intensity, axis, (edges, total), size, peak)
    _check_peak(peak, finest)
    _check_clipping(intensity, axis, peak)
    _check_symmetry(peak)
    return ZeroLoss(peak.energy, peak.fwhm, peak.height, peak.pedestal)


def _read_peak(
    intensity: NDArray[np.float64],
    axis: NDArray[np.float64],
    counted: tuple[NDArray[np.float64], NDArray[np.float64]],
    size: float,
    coarser: _Peak | None = None,
) -> _Peak:
    edges, total = counted
    knots = _bin_starts(edges, size)
    if knots.size < 8:
        msg = (
            "A zero loss needs a spectrum of some eV on both sides of it, but this one goes from "
            f"{axis[0]:.1f} to {axis[-1]:.1f} eV in {axis.size} channels. Use a longer range or "
            "finer channels."
        )
        raise EnergyRangeError(msg)
    density = make_interp_spline(edges[knots], total[knots], k=5).derivative()
    start, stop, width = edges[knots[0]], edges[knots[-1]], 2 * _COARSE
    if coarser is not None:
        width = coarser.fwhm
        start = max(start, coarser.energy - 2 * width)
        stop = min(stop, coarser.energy + 2 * width)
    fine = np.linspace(start, stop, int(_FINE * (stop - start) / size))
    curve = density(fine)
    top = int(np.argmax(curve))
    below = axis < fine[top] - _CLEAR * width
    if below.sum() < _FEWEST_CLEAR:
        msg = (
            f"The axis must begin {2 * width:.2g} eV or more below the zero loss at "
            f"{fine[top]:.2f} eV, because the pedestal is read there, but it begins at "
            f"{axis[0]:.2f} eV. Use a longer range, or give the resolution in eV."
        )
        raise EnergyRangeError(msg)
    pedestal, noise = _pedestal(intensity[below], (fine[top] - axis[below]) / width)
    above = curve - pedestal
    left, right = _half_widths(fine, above, top, 0.5)
    upper = _half_widths(fine, above, top, _UPPER_LEVEL)
    inside = (axis > fine[top] - left) & (axis < fine[top] + right)
    if inside.any():
        noise = max(noise, float(np.std(intensity[inside] - density(axis[inside]))))
    in_bin = max(1.0, size / float(np.mean(np.diff(axis))))
    return _Peak(
        energy=float(fine[top]),
        height=float(above[top]),
        pedestal=pedestal,
        left=left,
        right=right,
        flatness=sum(upper) / (left + right),
        noise=noise / np.sqrt(in_bin),
    )


def _pedestal(below: NDArray[np.float64], distance: NDArray[np.float64]) -> tuple[float, float]:
    """Return the pedestal, and the noise of a channel, from channels below the peak.

    The distances are in full widths. The tail of a Lorentzian is fitted with the pedestal: near
    the peak it is several per cent of the height.
    """
    lowest = float(below.min())
    tail = 1.0 / (1.0 + 4.0 * distance**2)
    terms, _ = nnls(np.stack([np.ones(below.size), tail], axis=1), below - lowest)
    residual = below - lowest - terms[0] - terms[1] * tail
    deviation = np.median(np.abs(residual - np.median(residual)))
    return lowest + float(terms[0]), _SIGMA_PER_DEVIATION * float(deviation)


def _half_widths(
    energy: NDArray[np.float64], above: NDArray[np.float64], top: int, level: float
) -> tuple[float, float]:
    """Return the distances from the maximum at which a curve falls to a fraction of its height."""
    low = above < level * above[top]
    left, right = np.flatnonzero(low[:top]), np.flatnonzero(low[top:])
    if not (above[top] > 0 and left.size and right.size):
        msg = (
            "The zero loss must rise from and fall to half its height within the spectrum, but "
            f"the maximum at {energy[top]:.1f} eV does not. Pass a low-loss spectrum with the "
            "whole zero loss, or give the resolution in eV."
        )
        raise SignalError(msg)

    def crossing(outer: int, inner: int) -> float:
        fraction = (level * above[top] - above[outer]) / (above[inner] - above[outer])
        return float(energy[outer] + fraction * (energy[inner] - energy[outer]))

    before, after = int(left[-1]), top + int(right[0])
    return (
        float(energy[top]) - crossing(before, before + 1),
        crossing(after, after - 1) - float(energy[top]),
    )


def _check_peak(peak: _Peak, channel: float) -> None:
    found = f"the maximum at {peak.energy:.2f} eV is"
    remedy = "Pass a spectrum with a zero loss, or give the resolution in eV."
    if abs(peak.energy) > FARTHEST or peak.fwhm > WIDEST:
        msg = (
            f"A zero loss lies within {FARTHEST:g} eV of 0 eV and is at most {WIDEST:g} eV wide, "
            f"but {found} {peak.fwhm:.2g} eV wide, like a plasmon. {remedy}"
        )
        raise SignalError(msg)
    if peak.height < _LEAST_SIGNAL_TO_NOISE * peak.noise:
        msg = (
            f"A zero loss is at least {_LEAST_SIGNAL_TO_NOISE:g} times higher than the noise, but "
            f"{found} {peak.height / peak.noise:.1f} times higher. Add up spectra, or give the "
            "resolution in eV."
        )
        raise SignalError(msg)
    if peak.fwhm < _FEWEST_CHANNELS * channel:
        msg = (
            f"A zero loss must be {_FEWEST_CHANNELS:g} channels wide or more to be measured, but "
            f"{found} {peak.fwhm / channel:.1f} channels of {channel:.3g} eV wide. Measure with a "
            "finer dispersion, or give the resolution in eV."
        )
        raise SignalError(msg)


def _check_clipping(intensity: NDArray[np.float64], axis: NDArray[np.float64], peak: _Peak) -> None:
    highest = np.flatnonzero(intensity == intensity.max())
    runs = np.split(highest, np.flatnonzero(np.diff(highest) > 1) + 1)
    longest = max(runs, key=len)
    length = axis[longest[-1]] - axis[longest[0]]
    plateau = longest.size > 2 and length > _LONGEST_PLATEAU * peak.fwhm
    if plateau or peak.flatness > _FLATTEST:
        msg = (
            f"A zero loss must not be clipped, but that at {peak.energy:.2f} eV is flat at an "
            f"intensity of {intensity[highest[0]]:.4g}: the detector was saturated, and the width "
            "would be too large. Measure with a shorter exposure, or give the resolution in eV."
        )
        raise SignalError(msg)


def _check_symmetry(peak: _Peak) -> None:
    if max(peak.left, peak.right) > _LARGEST_ASYMMETRY * min(peak.left, peak.right):
        msg = (
            "A zero loss falls on both sides alike, but half of the height is "
            f"{peak.left:.2g} eV below and {peak.right:.2g} eV above the maximum at "
            f"{peak.energy:.2f} eV. Pass a spectrum with a zero loss, or give the resolution in eV."
        )
        raise SignalError(msg)
