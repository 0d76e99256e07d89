"""The spectrum of one pixel, as it was measured and as the model reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.metadata import get_map, options_of
from hyperspy_coreloss.signals.place import Place, values_at
from hyperspy_coreloss.signals.spectrum_axis import channel_energies
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess, subtracted_background
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.spectra.recipe import Background

# Largest difference in eV of the thresholds of one spectrum, read twice.
_SAME = 0.02


@dataclass(frozen=True, slots=True)
class MeasuredSpectrum:
    """The spectrum of one pixel, as it was measured and as the model reads it.

    Parameters
    ----------
    energy
        Energies of all channels in eV, with the calibration of the result, shape (channels,).
    counts
        Intensities as measured, shape (channels,).
    background_energy, background
        The background that was subtracted, at the energies that were used, shape (used channels,);
        NaN if none could be fitted.
    onset
        Threshold in eV on the axis of `energy`; NaN if none was found.
    window
        First and last energy that the model reads, in eV above the threshold.
    quality
        Why the spectrum cannot be read, or ``GOOD``.
    read
        The spectrum as the model reads it, of unit area, shape (window channels,).
    """

    energy: NDArray[np.floating]
    counts: NDArray
    background_energy: NDArray[np.floating]
    background: NDArray[np.floating]
    onset: float
    window: tuple[float, float]
    quality: Quality
    read: NDArray[np.float32]


def measured_spectrum(
    result: BaseSignal, place: Place, signal: BaseSignal, model: PretrainedModel
) -> MeasuredSpectrum:
    """Return the spectrum at one place of a result.

    Only this spectrum is computed. It is found by its place on the axes, because a result may have
    been sliced.

    Parameters
    ----------
    result
        Result of a prediction.
    place
        Place of a pixel of the result.
    signal
        Spectra that the properties were predicted from.
    model
        Model of the prediction.

    Raises
    ------
    SignalError
        If the result is not predicted, or the signal has other navigation axes.
    """
    options = options_of(result)
    if options is None:
        msg = (
            "The spectrum of a predicted pixel is needed, but this signal is not predicted. "
            "Take the signal that predict_properties returned."
        )
        raise SignalError(msg)
    energy = options.energies(channel_energies(signal))
    navigation = signal.axes_manager.navigation_axes
    if len(navigation) != len(place.axes):
        msg = (
            f"The spectra need the {len(place.axes)} navigation axes of the result, but they have "
            f"{len(navigation)}. Give the signal that the properties were predicted from."
        )
        raise SignalError(msg)
    coordinates = (float(axis.axis[i]) for axis, i in zip(place.axes, place.indices, strict=True))
    indices = tuple(
        axis.value2index(value) for axis, value in zip(navigation, coordinates, strict=True)
    )
    counts = np.asarray(signal.data[indices[::-1]])[None]
    preparation = prepare(
        model.recipe,
        energy,
        resolution=options.resolution or 0.0,
        binned=signal.axes_manager.signal_axes[0].is_binned,
        background=cast("Background", options.background),
        background_range=options.background_range,
        onset_range=options.onset_range,
        energy_offset=options.energy_offset if model.recipe.window.origin == "absolute" else None,
    )
    read = preprocess(counts, preparation)
    used, background = subtracted_background(counts, preparation)
    return MeasuredSpectrum(
        energy=energy,
        counts=counts[0],
        background_energy=used,
        background=background[0],
        onset=float(read.onset[0]),
        window=model.recipe.window.read_range,
        quality=Quality(int(read.quality[0])),
        read=read.spectra[0],
    )


def check_same(result: BaseSignal, place: Place, onset: float) -> None:
    """Check by its threshold that a spectrum is the one that a pixel was predicted from."""
    recorded, zero_loss = get_map(result, "onset"), get_map(result, "zero_loss")
    if recorded is None:
        msg = (
            "The spectra of single pixels are needed, but spectra were combined, as by mean or "
            "rebin. Take a pixel of the signal that predict_properties returned."
        )
        raise SignalError(msg)
    expected = [values_at(place, recorded.data)[0]]
    if zero_loss is not None:  # from which thresholds are counted, unless the axis is calibrated
        expected.append(expected[0] + values_at(place, zero_loss.data)[0])
    # Of pixels that were excluded, no threshold is recorded: NaN differs by no number.
    if all(abs(onset - one) > _SAME for one in expected):
        msg = (
            f"The spectrum of {place} has its threshold at {onset:.2f} eV, but that of the result "
            f"has {expected[-1]:.2f} eV. Give the signal that the properties were predicted from."
        )
        raise SignalError(msg)
