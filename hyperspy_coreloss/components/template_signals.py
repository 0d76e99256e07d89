"""Signals of one spectrum, and the curves of templates from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hyperspy.signals import Signal1D

from hyperspy_coreloss.components.curves import SampledCurves, sample_curve
from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.metadata import describe_spectra
from hyperspy_coreloss.signals.spectrum_axis import channel_energies
from hyperspy_coreloss.spectra.onset import channel_noise, threshold
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray


def unit_area(template: BaseSignal) -> SampledCurves:
    """Return the spectrum of a signal as a curve of unit area.

    Parameters
    ----------
    template
        Signal of one spectrum.

    Raises
    ------
    SignalError
        If the signal has more than one spectrum, or its area is not positive.
    """
    curve = sample_curve(*one_spectrum(template))
    if not curve.area[0] > 0:
        msg = (
            "A template needs a positive area, because it is normalised to unit area; this one "
            f"has {curve.area[0]:.4g}. Check the background, or choose another energy range."
        )
        raise SignalError(msg)
    return SampledCurves(curve.start, curve.step, curve.values / curve.area)


def one_spectrum(signal: BaseSignal) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return rising energies in eV and the intensities per eV of a signal of one spectrum.

    Raises
    ------
    SignalError
        If the signal has more than one spectrum, or its data are not real.
    EnergyAxisError
        If the axis has no energy units.
    """
    if signal.axes_manager.navigation_size > 1:
        msg = (
            f"A template is one spectrum, but {signal} has the shape "
            f"{signal.data.shape}. Choose one with s.inav, or take the mean: s.mean()."
        )
        raise SignalError(msg)
    energy = channel_energies(signal)
    axis = signal.axes_manager.signal_axes[0]
    values = np.asarray(signal.data, dtype=np.float64).ravel()
    if axis.is_binned and not axis.is_uniform:
        values = values / np.abs(np.gradient(energy))
    rising = np.argsort(energy)
    return energy[rising], values[rising]


def find_threshold(curve: SampledCurves, fraction: float = Recipe().threshold_fraction) -> float:
    """Return the threshold of a curve in eV, by :func:`.onset.threshold`.

    Parameters
    ----------
    curve
        One spectrum without background.
    fraction
        Fraction of the height of the main peak that defines the threshold.

    Raises
    ------
    SignalError
        If the curve has no threshold.
    """
    values = curve.values.astype(np.float32)
    energy, exists = threshold(
        values,
        curve.energy,
        curve.energy[:1],
        curve.energy[-1:],
        channel_noise(values),
        fraction,
    )
    if not exists[0]:
        msg = (
            "No threshold: the spectrum needs a lasting rise to a peak of ten times its noise. "
            "Remove the background, or pass onset= in eV."
        )
        raise SignalError(msg)
    return float(energy[0])


def template_signal(
    energy: NDArray[np.floating], values: NDArray[np.floating], title: str
) -> Signal1D:
    """Return the signal of a template, as :func:`unit_area` reads it.

    Parameters
    ----------
    energy
        Rising energies in eV, shape (energies,).
    values
        Intensities per eV, shape (energies,).
    title
        Title of the signal.
    """
    axis = {"name": "Energy", "axis": energy, "units": "eV", "is_binned": False}
    return Signal1D(values, axes=[axis], metadata=describe_spectra(title))
