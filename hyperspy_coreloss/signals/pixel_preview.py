"""What a prediction would make of one pixel: its background, its threshold and its quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np

from hyperspy_coreloss.pretrained.inference import predict_chunk
from hyperspy_coreloss.spectra.preprocessing import fitted_range, subtracted_background
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.signals.prediction_plan import PredictionPlan


@dataclass(frozen=True, slots=True)
class PixelPreview:
    """What a prediction would make of one pixel, at the values of its signal axis.

    Parameters
    ----------
    position, background
        Values of the axis, and the background that would be subtracted there in the units of the
        spectrum, each of shape (used channels,). The background is NaN if none can be fitted.
    background_range
        Limits of the background fit on the axis; NaN if there are none.
    onset_range
        Limits of the search for the threshold on the axis.
    threshold
        Threshold on the axis; NaN if none was found.
    onset
        Threshold in eV as the result gives it: calibrated, and above the zero loss if that is
        known. NaN if none was found.
    quality
        Why the pixel would have no prediction, or ``GOOD``.
    """

    position: NDArray[np.floating]
    background: NDArray[np.floating]
    background_range: tuple[float, float]
    onset_range: tuple[float, float]
    threshold: float
    onset: float
    quality: Quality


def preview_pixel(signal: BaseSignal, plan: PredictionPlan) -> PixelPreview:
    """Return what a prediction would make of the pixel at the pointer of a signal.

    Of a lazy signal, only the chunk of this pixel is computed, which HyperSpy keeps for its plots.

    Parameters
    ----------
    signal
        Core-loss spectra.
    plan
        Plan of the prediction, for this signal.

    Raises
    ------
    ImportError
        If PyTorch cannot be imported.
    """
    current = signal.get_current_signal(auto_title=False, auto_filename=False)
    spectrum = current.data[None]
    place = tuple(signal.axes_manager.indices[::-1])
    preparation, low = plan.preparation, plan.low_loss
    low_loss = None if low is None else _one_spectrum(low.spectra, place)
    predicted = predict_chunk(
        spectrum,
        None if plan.excluded is None else plan.excluded[place].reshape(1, 1),
        low_loss,
        preparation=preparation,
        pretrained=plan.model,
        low_loss_axis=None if low is None else low.axis,
        zero_from_low_loss=low is not None and low.sets_zero,
        novelty_level=plan.novelty_level,
    )[0]
    energy, background = subtracted_background(spectrum, preparation)
    zero = predicted["zero_loss"] if low is not None and low.sets_zero else 0.0
    axis = np.asarray(signal.axes_manager.signal_axes[0].axis, dtype=float)
    ascending = axis[::-1] if preparation.descending else axis

    def on_axis(energies: NDArray | float) -> NDArray:
        # The energies of the plan are those of the channels, in eV and calibrated.
        return np.interp(energies, preparation.energy, ascending, left=np.nan, right=np.nan)

    low_fit, high_fit = on_axis(fitted_range(spectrum, preparation)[0])
    low_onset, high_onset = on_axis(np.array(preparation.onset_range))
    return PixelPreview(
        position=on_axis(energy),
        background=background[0],
        background_range=(float(low_fit), float(high_fit)),
        onset_range=(float(low_onset), float(high_onset)),
        threshold=float(on_axis(float(predicted["onset"]) + float(zero))),
        onset=float(predicted["onset"]),
        quality=Quality(int(predicted["quality"])),
    )


def _one_spectrum(low_loss: NDArray | da.Array, place: tuple[int, ...]) -> NDArray:
    """Return the low-loss spectrum of one pixel, shape (1, channels); that of all is one."""
    one = low_loss if low_loss.ndim == 1 else low_loss[place]
    return (one.compute() if isinstance(one, da.Array) else np.asanyarray(one))[None]
