"""Low-loss spectra that belong to the pixels of a signal of spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
from hyperspy.signals import LazySignal

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.inference import LowLossSpectra
from hyperspy_coreloss.signals.spectrum_axis import channel_energies
from hyperspy_coreloss.spectra.low_loss import prepare_low_loss
from hyperspy_coreloss.spectra.zero_loss import median_fwhm

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal


def low_loss_spectra(low_loss: BaseSignal, signal: BaseSignal) -> LowLossSpectra:
    """Return the low-loss spectra of the pixels of a signal; those of a map are not read.

    Parameters
    ----------
    low_loss
        Low-loss spectra of the same navigation shape, or one spectrum for all pixels, which is
        read.
    signal
        The spectra.

    Raises
    ------
    SignalError
        If the navigation shapes differ, or the low-loss signal does not contain real spectra along
        one signal axis.
    EnergyAxisError
        If the low-loss axis has no units of energy.
    EnergyRangeError
        If the low-loss axis does not hold 0 eV.
    """
    axis = prepare_low_loss(channel_energies(low_loss))
    shape, expected = (tuple(one.axes_manager.navigation_shape) for one in (low_loss, signal))
    if np.prod(shape) == 1:
        # Once, although each chunk of the spectra needs it.
        one = low_loss.data.reshape(low_loss.data.shape[-1:])
        return LowLossSpectra(one.compute() if isinstance(low_loss, LazySignal) else one, axis)
    if shape != expected:
        msg = (
            f"Low-loss spectra of the navigation shape {expected} are needed, as the spectra have, "
            f"or one spectrum for all, but their navigation shape is {shape}. Crop or rebin one of "
            "the signals, or pass the mean low_loss.mean()."
        )
        raise SignalError(msg)
    return LowLossSpectra(low_loss.data, axis)


def median_resolution(low_loss: LowLossSpectra) -> float:
    """Return the median of the resolutions of at most 256 evenly spaced spectra, in eV.

    Parameters
    ----------
    low_loss
        Low-loss spectra, of which these are read.

    Raises
    ------
    SignalError
        If less than half of these have a zero loss that can be measured.
    """
    axis = low_loss.axis
    spectra = low_loss.spectra.reshape(-1, len(axis.energy))
    chosen = spectra[np.unique(np.linspace(0, len(spectra) - 1, 256).astype(int))]
    in_memory = chosen.compute() if isinstance(chosen, da.Array) else chosen
    read = np.ma.filled(in_memory.astype(np.float64), np.nan)
    return median_fwhm(read[:, ::-1] if axis.descending else read, np.array(axis.energy))
