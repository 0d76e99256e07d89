"""The energy axis of a signal of spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.energy import axis_in_ev

if TYPE_CHECKING:
    import numpy as np
    from hyperspy.signal import BaseSignal
    from numpy.typing import NDArray


def channel_energies(signal: BaseSignal) -> NDArray[np.floating]:
    """Return the channel energies of a signal of spectra, in eV.

    Parameters
    ----------
    signal
        Signal to check; its data are not read.

    Returns
    -------
    ndarray
        Energies in the order of the channels, shape (channels,).

    Raises
    ------
    SignalError
        If the signal does not have one signal axis, or its data are not real.
    EnergyAxisError
        If the signal axis is not an energy axis.
    """
    axes = signal.axes_manager
    if axes.signal_dimension != 1:
        msg = (
            f"Spectra with one signal axis are needed, but the signal has {axes.signal_dimension} "
            "signal axes. Use s.transpose(signal_axes=[...]) to make the energy axis the signal "
            "axis."
        )
        raise SignalError(msg)
    if signal.data.dtype.kind not in "iuf":
        msg = (
            f"Real spectra are needed, but the data are of type {signal.data.dtype}. "
            "For complex data, take s.real or s.amplitude; for other types, use "
            "s.change_dtype('float32')."
        )
        raise SignalError(msg)
    axis = axes.signal_axes[0]
    # The name of a HyperSpy axis without a name is not a string.
    name = axis.name if isinstance(axis.name, str) and axis.name else "signal"
    return axis_in_ev(axis.axis, axis.units, name)
