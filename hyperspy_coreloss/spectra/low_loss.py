"""Low-loss spectra: energy zero, energy resolution and relative thickness of each pixel.

The relative thickness is that of Egerton's log-ratio, the logarithm of all electrons divided by
those of the zero loss (R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope,
3rd ed., section 5.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.spectra.low_loss_axis import (
    check_low_loss_axis,
    even_channels,
    running_total,
)
from hyperspy_coreloss.spectra.zero_loss_peaks import FARTHEST, Refusal, find_zero_losses

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Energy losses up to this one are read, in eV; the edges and the noise beyond are not.
_REACH = 120
# With fewer energy losses there is no relative thickness: plasmons lie up to 34 eV. In eV.
_SHORTEST = 40
# The zero loss ends where the spectrum is lowest between these energy losses: the first in full
# widths, the second in eV, not before the first.
_ENDS = (1.5, 10.0)
# Width of the bins in which the lowest intensity is looked for, in eV.
_BIN = 0.5
# The last part of the energy losses gives the height of the tail beyond, which falls with the third
# power of the energy loss and, nearer, with the fifth: twice the square of a plasmon's energy less
# the square of its width, in eV².
_TAIL, _BEND = 0.2, 800.0


@dataclass(frozen=True, slots=True)
class LowLossAxis:
    """The energy axis of low-loss spectra, from :func:`prepare_low_loss`.

    Parameters
    ----------
    energy
        Ascending channel energies, in eV.
    descending
        Whether the channels of the spectra are in descending order of energy.
    """

    energy: tuple[float, ...]
    descending: bool


@dataclass(frozen=True, slots=True)
class LowLoss:
    """What low-loss spectra tell of their pixels; NaN where a spectrum has no zero loss.

    Parameters
    ----------
    zero_loss
        Energy of the maximum of the zero loss on the axis, in eV, shape (spectra,).
    resolution
        Full width at half maximum of the zero loss in eV, shape (spectra,).
    relative_thickness
        Thickness divided by the inelastic mean free path, shape (spectra,). It is also NaN if the
        axis ends before 45 eV.
    """

    zero_loss: NDArray[np.float64]
    resolution: NDArray[np.float64]
    relative_thickness: NDArray[np.float64]


def prepare_low_loss(energy: NDArray[np.floating]) -> LowLossAxis:
    """Check the energy axis of low-loss spectra.

    Parameters
    ----------
    energy
        Channel energies in eV, ascending or descending, evenly spaced or not.

    Raises
    ------
    EnergyRangeError
        If the axis does not hold 0 eV.
    """
    descending = bool(energy[0] > energy[-1])
    ascending = np.asarray(energy[::-1] if descending else energy, dtype=np.float64)
    check_low_loss_axis(ascending)
    return LowLossAxis(tuple(ascending.tolist()), descending)


def measure_low_loss(spectra: NDArray, axis: LowLossAxis) -> LowLoss:
    """Measure low-loss spectra; each gives the same bits beside any others.

    Parameters
    ----------
    spectra
        Intensities of any real dtype, shape (spectra, channels). Masked channels have no value.
    axis
        Their energy axis.

    Returns
    -------
    LowLoss
        Energy, width and relative thickness of each spectrum.
    """
    if axis.descending:
        spectra = spectra[:, ::-1]
    energy = np.array(axis.energy)
    # Far from the peak nothing is read, and nothing there makes a spectrum unreadable.
    read = energy < _REACH + 2 * FARTHEST
    counts = np.ma.filled(spectra[:, read].astype(np.float64), np.nan)
    peaks = find_zero_losses(counts, energy[read])
    found = peaks.refusal == Refusal.NONE
    zero_loss = np.where(found, peaks.energy, np.nan)
    width = np.where(found, peaks.fwhm, np.nan)
    safe = np.where(found[:, None], counts, 0.0) - np.where(found, peaks.pedestal, 0.0)[:, None]
    sums = _Sums.of(safe, energy[read], np.where(found, peaks.energy, 0.0))
    thickness = _relative_thickness(sums, np.where(found, peaks.fwhm, 1.0))
    return LowLoss(zero_loss, width, np.where(found, thickness, np.nan))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Electrons below any energy loss, without the pedestal."""

    total: NDArray[np.float64]
    first_limit: float
    step: float
    zero: NDArray[np.float64]

    @classmethod
    def of(
        cls, counts: NDArray[np.float64], energy: NDArray[np.float64], zero: NDArray[np.float64]
    ) -> _Sums:
        even, axis = even_channels(counts, energy)
        step = float(axis[-1] - axis[0]) / (axis.size - 1)
        return cls(running_total(even), float(axis[0]) - step / 2, step, zero)

    @property
    def below(self) -> NDArray[np.float64]:
        """Distance from each zero loss to the beginning of the axis, in eV."""
        return self.zero - self.first_limit

    @property
    def above(self) -> float:
        """Energy losses that the axis holds for every spectrum, in eV."""
        return self.first_limit + self.step * (self.total.shape[1] - 1) - FARTHEST

    def up_to(self, loss: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the electrons below energy losses in eV, shape (spectra, losses)."""
        place = (self.zero[:, None] + loss - self.first_limit) / self.step
        place = np.clip(place, 0.0, self.total.shape[1] - 1)
        whole = np.minimum(place.astype(np.intp), self.total.shape[1] - 2)
        low = np.take_along_axis(self.total, whole, axis=-1)
        high = np.take_along_axis(self.total, whole + 1, axis=-1)
        return low + (place - whole) * (high - low)


def _relative_thickness(sums: _Sums, width: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return t/λ from the zero loss, and from the losses that the axis holds.

    The losses :math:`J` in bins of 1 eV and the electrons :math:`I_0` of the zero loss give the
    single-scattering distribution :math:`S` by the logarithm of a power series,
    :math:`\sum_n (t/λ) S_n z^n = \log(1 + \sum_n J_n z^n / I_0)`, which is exact up to the last bin
    whatever follows. Its sum is the log-ratio. Beyond the axis, it falls with the third power of
    the energy loss, as that of free electrons does.
    """
    last = int(min(sums.above, _REACH))
    if last < _SHORTEST:
        return np.full(len(width), np.nan)
    end = _end_of_zero_loss(sums, width)
    middle = np.arange(1, last + 1)
    limits = np.maximum(np.append(middle - 0.5, last + 0.5), end[:, None])
    zero_loss, tail = _zero_loss_electrons(sums, end, limits)
    losses = np.diff(sums.up_to(limits), axis=-1) - tail
    known = zero_loss > 0
    single = _logarithm(losses / np.where(known, zero_loss, 1.0)[:, None])
    outer = slice(round((1 - _TAIL) * last), last)
    fall = middle[outer] ** -3.0 * (1 + _BEND / middle[outer] ** 2)
    height = np.maximum((single[:, outer] / fall).mean(axis=-1), 0.0)
    end_of_axis = last + 0.5
    beyond = height * (0.5 / end_of_axis**2 + 0.25 * _BEND / end_of_axis**4)
    return np.where(known, single.sum(axis=-1) + beyond, np.nan)


def _end_of_zero_loss(sums: _Sums, width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the energy loss at which each spectrum is lowest before the first losses, in eV."""
    limits = np.arange(0.0, _ENDS[1] + _BIN, _BIN)
    counts = np.diff(sums.up_to(np.broadcast_to(limits, (len(width), limits.size))), axis=-1)
    possible = limits[:-1] >= np.minimum(_ENDS[0] * width, _ENDS[1] - _BIN)[:, None]
    lowest = np.argmin(np.where(possible, counts, np.inf), axis=-1)
    return limits[lowest] + _BIN / 2


def _zero_loss_electrons(
    sums: _Sums, end: NDArray[np.float64], limits: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the electrons of the zero loss, and its share of the bins behind its end.

    Behind its end, the zero loss is the mirror image of what lies before it. Where the axis begins
    too late for this, it continues with the second power of the distance, as detectors' tails do.
    """
    reach = sums.below
    outermost = 0.75 * reach
    mirrored = sums.up_to(-np.minimum(limits, reach[:, None]))
    outer = sums.up_to(-outermost[:, None])[:, 0]
    # Of a tail that falls with the second power, from three quarters of the reach to its end.
    beyond = np.maximum(outer, 0.0) / (1 / outermost - 1 / reach)
    far = np.maximum(limits, reach[:, None])
    tail = mirrored[:, :-1] - mirrored[:, 1:]
    tail += beyond[:, None] * (1 / far[:, :-1] - 1 / far[:, 1:])
    up_to_end, before_mirror = sums.up_to(np.stack([end, -end], axis=-1)).T
    return up_to_end + np.maximum(before_mirror, 0.0) + 2 * beyond / reach, tail


def _logarithm(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coefficients of log(1 + a z + b z² + ...) for rows of coefficients a, b, ..."""
    # Coefficients first, so that the sums are over rows of memory.
    ascending = np.ascontiguousarray(series.T)
    backwards = np.ascontiguousarray(ascending[::-1])
    size = len(ascending)
    weighted = np.empty_like(ascending)
    for n in range(size):
        earlier = (weighted[:n] * backwards[size - n :]).sum(axis=0)
        weighted[n] = (n + 1) * ascending[n] - earlier
    return np.ascontiguousarray(weighted.T) / np.arange(1, size + 1)
