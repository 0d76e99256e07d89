"""Sampled spectra as smooth functions of energy, onset, broadening and lifetime.

Model components need spectra at any energy, shifted and broadened by fitted amounts, and the
derivatives with respect to these amounts. Outside its energy range a curve is continued with its
first and its last value; without this, broadening would pull its ends towards zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.integrate import trapezoid
from scipy.interpolate import CubicSpline

from hyperspy_coreloss.errors import SignalError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Distance over which the ends are continued, in standard deviations of the Gaussian and in half
# widths of the Lorentzian. Beyond it the kernels weigh 1e-15 and 2e-3 of the step at an end.
_GAUSSIAN_REACH = 8.0
_LORENTZIAN_REACH = 200.0

#: Largest broadening (standard deviation) and lifetime (half width) in eV. Wider features are no
#: fine structure, and a fit of noise would make curves longer without limit.
WIDEST = {"broadening": 10.0, "lifetime": 5.0}
# Most samples of a curve, and most values of a continued curve: 130 MB.
_MOST_SAMPLES = 1 << 20
_MOST_VALUES = 1 << 24
# Splines with more values than this are large, and few of them are kept.
_LARGE = 1 << 16

CurveArgument = Literal["energy", "broadening", "lifetime"]


@dataclass(frozen=True, eq=False)
class SampledCurves:
    """One or more curves on one evenly spaced energy axis.

    Parameters
    ----------
    start, step
        First energy and energy step, in eV.
    values
        Shape (curves, samples).

    Raises
    ------
    SignalError
        If there are fewer than four samples, or some are not finite.
    """

    start: float
    step: float
    values: NDArray[np.floating]

    def __post_init__(self) -> None:
        values = np.atleast_2d(np.asarray(self.values, dtype=np.float64))
        object.__setattr__(self, "values", values)
        if values.shape[1] < 4 or not self.step > 0:
            msg = (
                "A sampled curve needs four or more samples at rising energies; this one has "
                f"{values.shape[1]} samples in steps of {self.step} eV."
            )
            raise SignalError(msg)
        if not np.isfinite(values).all():
            msg = (
                f"A sampled curve must be finite; {np.sum(~np.isfinite(values))} of its "
                f"{values.size} values are not. Replace them, or choose another energy range."
            )
            raise SignalError(msg)

    @property
    def energy(self) -> NDArray[np.floating]:
        """Energies of the samples in eV, shape (samples,)."""
        return self.start + self.step * np.arange(self.values.shape[1])

    @property
    def area(self) -> NDArray[np.floating]:
        """Integral of each curve between its ends, shape (curves,)."""
        return trapezoid(self.values, dx=self.step, axis=1)


def sample_curve(energy: NDArray[np.floating], values: NDArray[np.floating]) -> SampledCurves:
    """Return the curve through samples at rising energies, evenly spaced or not.

    Uneven samples are interpolated by a cubic spline in steps of the narrowest spacing.

    Parameters
    ----------
    energy
        Energies in eV, shape (samples,).
    values
        Values at these energies, shape (samples,).

    Raises
    ------
    SignalError
        If the narrowest spacing would need more than a million samples.
    """
    spacing = np.diff(energy)
    step = float(spacing.min())
    if np.allclose(spacing, step, rtol=1e-4):
        return SampledCurves(float(energy[0]), float(spacing.mean()), values)
    if (energy[-1] - energy[0]) / step > _MOST_SAMPLES:
        msg = (
            f"A sampled curve needs {_MOST_SAMPLES} samples or fewer, but from {energy[0]:.6g} to "
            f"{energy[-1]:.6g} eV the narrowest spacing is {step:.3g} eV. Remove samples that are "
            "too close, or interpolate to an even axis."
        )
        raise SignalError(msg)
    grid = np.arange(energy[0], energy[-1] + step / 2, step)
    return SampledCurves(float(energy[0]), step, CubicSpline(energy, values)(grid))


def evaluate_curves(
    curves: SampledCurves,
    energy: NDArray[np.floating],
    broadening: float = 0.0,
    lifetime: float = 0.0,
    derivative: CurveArgument | None = None,
) -> NDArray[np.float64]:
    """Return broadened curves, or their derivative with respect to one variable.

    Parameters
    ----------
    curves
        Curves to broaden.
    energy
        Energies in eV, shape (energies,), in any order.
    broadening
        Standard deviation of the Gaussian in eV.
    lifetime
        Half width at half maximum of the Lorentzian in eV.
    derivative
        Variable of the derivative; None for the curves themselves.

    Returns
    -------
    ndarray
        Shape (curves, energies). It is NaN if a width is NaN, as in a fit of spectra with NaN.

    Raises
    ------
    SignalError
        If a width is too large, or the samples are too dense for it.
    """
    broadening, lifetime = abs(float(broadening)), abs(float(lifetime))
    if np.isnan(broadening + lifetime):
        return np.full((len(curves.values), np.size(energy)), np.nan)
    variable = None if derivative == "energy" else derivative
    size = _continued_size(curves, broadening, lifetime) * len(curves.values)
    spline = (_large_spline if size > _LARGE else _small_spline)(
        curves, broadening, lifetime, variable
    )
    inside = np.clip(energy, spline.x[0], spline.x[-1])
    values = spline(inside, 1 if derivative == "energy" else 0)
    if derivative == "energy":
        values = np.where((energy == inside)[:, np.newaxis], values, 0.0)
    return values.T


def _spline(
    curves: SampledCurves, broadening: float, lifetime: float, derivative: CurveArgument | None
) -> CubicSpline:
    """Return the spline through broadened curves, continued beyond their ends.

    In Fourier space the Gaussian is exp(-σ² k² / 2) and the Lorentzian exp(-Γ |k|), so the
    derivative with respect to a width is a product too.
    """
    margin = _margin(curves, broadening, lifetime)
    n_samples = curves.values.shape[1]
    n_total = _continued_size(curves, broadening, lifetime)
    first, last = curves.values[:, :1], curves.values[:, -1:]
    # The transform is periodic: outside the kept range a cosine joins the last value to the first.
    back = 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, n_total - n_samples - 4 * margin))
    ones = np.ones(2 * margin)
    padded = np.hstack([first * ones, curves.values, last * ones, first + (last - first) * back])
    wave = 2 * np.pi * np.fft.rfftfreq(n_total, curves.step)
    kernel = np.exp(-0.5 * (broadening * wave) ** 2 - lifetime * wave)
    if derivative == "broadening":
        kernel *= -broadening * wave**2
    elif derivative == "lifetime":
        kernel *= -wave
    kept = slice(margin, 3 * margin + n_samples)
    values = irfft(rfft(padded, axis=1) * kernel, n_total, axis=1)[:, kept]
    energy = curves.start + curves.step * np.arange(-margin, n_samples + margin)
    return CubicSpline(energy, values.T)


_small_spline = lru_cache(maxsize=64)(_spline)
# One for the curve and for each of its derivatives, in a model of two components.
_large_spline = lru_cache(maxsize=6)(_spline)


def _continued_size(curves: SampledCurves, broadening: float, lifetime: float) -> int:
    """Return the number of samples of continued curves, after a check that it is not too large."""
    for name, width in (("broadening", broadening), ("lifetime", lifetime)):
        if width > WIDEST[name]:
            msg = (
                f"The {name} of a curve must be {WIDEST[name]:g} eV or less, but it is {width:g} "
                f"eV. Give bounds to the parameter, or fix it."
            )
            raise SignalError(msg)
    n_samples = curves.values.shape[1] + 6 * _margin(curves, broadening, lifetime)
    if n_samples * len(curves.values) > _MOST_VALUES:
        msg = (
            f"Curves of {curves.step:.3g} eV per sample are too dense for a broadening of "
            f"{broadening:g} eV and a lifetime of {lifetime:g} eV: they need {n_samples} samples. "
            "Interpolate them to a coarser axis, or fix the widths."
        )
        raise SignalError(msg)
    return next_fast_len(n_samples, real=True)


def _margin(curves: SampledCurves, broadening: float, lifetime: float) -> int:
    """Return the number of samples by which curves are continued at each end.

    A power of two, so that nearly every small change of a width leaves the cut-off of the kernel
    unchanged. Where it changes, broadened curves jump by about 1e-4 of the step at an end.
    """
    reach = _GAUSSIAN_REACH * broadening + _LORENTZIAN_REACH * lifetime
    return 1 << int(np.ceil(np.log2(reach / curves.step + 2)))
