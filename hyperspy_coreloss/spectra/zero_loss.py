"""The zero-loss peak of one low-loss spectrum, or the reason why it has none.

:mod:`.zero_loss_peaks` measures many spectra. Here a refusal is an error with numbers and a remedy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import CoreLossError, EnergyRangeError, SignalError
from hyperspy_coreloss.spectra.zero_loss_peaks import (
    FARTHEST,
    FEWEST_CHANNELS,
    LEAST_SIGNAL_TO_NOISE,
    WIDEST,
    Refusal,
    ZeroLosses,
    find_zero_losses,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


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
    """Find and measure the zero loss of one low-loss spectrum, as :func:`find_zero_losses`.

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
    intensity = np.asarray(spectrum, dtype=np.float64)
    peaks = find_zero_losses(intensity[None], energy)
    if peaks.refusal[0]:
        raise _refused(peaks, intensity, np.asarray(energy, dtype=np.float64))
    return ZeroLoss(
        energy=float(peaks.energy[0]),
        fwhm=float(peaks.fwhm[0]),
        height=float(peaks.height[0]),
        pedestal=float(peaks.pedestal[0]),
    )


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
    rows, axis = np.asarray(spectra), np.asarray(energy, dtype=np.float64)
    peaks = find_zero_losses(rows, axis)
    refused = np.flatnonzero(peaks.refusal)
    if refused.size:
        error = _refused(peaks.take(refused[:1]), rows[refused[0]], axis)
        if len(rows) == 1:
            raise error
        if refused.size > len(rows) / 2:
            msg = (
                "At least half of the spectra need a zero loss, but only "
                f"{len(rows) - refused.size} of the {len(rows)} spectra read have one. The first "
                f"without: {error}"
            )
            raise SignalError(msg) from error
    return float(np.median(peaks.fwhm[peaks.refusal == Refusal.NONE]))


_REMEDY = "Pass a spectrum with a zero loss, or give the resolution in eV."


def _refused(
    peaks: ZeroLosses, spectrum: NDArray[np.floating], axis: NDArray[np.float64]
) -> CoreLossError:
    """Return the error of one refused peak."""
    code = Refusal(int(peaks.refusal[0]))
    if code is Refusal.NOT_FINITE:
        return SignalError(
            "A low-loss spectrum needs finite intensities, but "
            f"{np.sum(~np.isfinite(spectrum))} of its {spectrum.size} channels are not. Replace "
            "them, or choose another spectrum."
        )
    if not spectrum.any():
        return SignalError(f"A low-loss spectrum has no counts: all channels are zero. {_REMEDY}")
    energy, width, height = (float(v[0]) for v in (peaks.energy, peaks.fwhm, peaks.height))
    if code is Refusal.SHORT_AXIS:
        return EnergyRangeError(
            f"The axis must begin {2 * width:.2g} eV or more below the zero loss at "
            f"{energy:.2f} eV, because the pedestal is read there, but it begins at "
            f"{axis[0]:.2f} eV. Use a longer range, or give the resolution in eV."
        )
    if code is Refusal.FAR:
        return SignalError(
            f"The maximum of a low-loss spectrum must be the zero loss, within {FARTHEST:g} eV of "
            f"0 eV, but it is at {energy:.1f} eV. Pass a spectrum with a zero loss, calibrate the "
            "axis (s.align_zero_loss_peak), or give the resolution in eV."
        )
    if code is Refusal.NOT_WHOLE:
        return SignalError(
            "The zero loss must rise from and fall to half its height within the spectrum, but "
            f"the maximum at {energy:.1f} eV does not. Pass a low-loss spectrum with the whole "
            "zero loss, or give the resolution in eV."
        )
    if code is Refusal.CLIPPED:
        return SignalError(
            f"A zero loss must not be clipped, but that at {energy:.2f} eV is flat at an "
            f"intensity of {spectrum.max():.4g}: the detector was saturated, and the width would "
            "be too large. Measure with a shorter exposure, or give the resolution in eV."
        )
    if code is Refusal.LOPSIDED:
        return SignalError(
            "A zero loss falls on both sides alike, but half of the height is "
            f"{peaks.left[0]:.2g} eV below and {peaks.right[0]:.2g} eV above the maximum at "
            f"{energy:.2f} eV. {_REMEDY}"
        )
    return _unlike_a_zero_loss(code, (energy, width), height / float(peaks.noise[0] or 1.0), axis)


def _unlike_a_zero_loss(
    code: Refusal, peak: tuple[float, float], ratio: float, axis: NDArray[np.float64]
) -> SignalError:
    """Return the error of a peak that is too wide, too low or too narrow."""
    energy, width = peak
    found = f"the maximum at {energy:.2f} eV is"
    if code is Refusal.WIDE:
        return SignalError(
            f"A zero loss lies within {FARTHEST:g} eV of 0 eV and is at most {WIDEST:g} eV wide, "
            f"but {found} {width:.2g} eV wide, like a plasmon. {_REMEDY}"
        )
    if code is Refusal.NOISY:
        return SignalError(
            f"A zero loss is at least {LEAST_SIGNAL_TO_NOISE:g} times higher than the noise, but "
            f"{found} {ratio:.1f} times higher. Add up spectra, or give the resolution in eV."
        )
    channel = float(np.median(np.diff(axis)))
    return SignalError(
        f"A zero loss must be {FEWEST_CHANNELS:g} channels wide or more to be measured, but "
        f"{found} {width / channel:.1f} channels of {channel:.3g} eV wide. Measure with a "
        "finer dispersion, or give the resolution in eV."
    )
