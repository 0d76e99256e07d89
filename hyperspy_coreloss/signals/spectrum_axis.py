"""The energy axis of a signal of spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hyperspy.signals import BaseSignal

from hyperspy_coreloss.errors import EnergyAxisError, EnergyRangeError, SignalError
from hyperspy_coreloss.spectra.energy import axis_in_ev, energy_unit_in_ev

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.calibration import Calibration


def channel_energies(
    signal: BaseSignal, calibration: Calibration | None = None
) -> NDArray[np.floating]:
    """Return the channel energies of a signal of spectra, in eV.

    Parameters
    ----------
    signal
        Signal to check; its data are not read.
    calibration
        Calibration of the energies, or None for those on the axis.

    Returns
    -------
    ndarray
        Energies in the order of the channels, shape (channels,).

    Raises
    ------
    SignalError
        If the signal does not have one signal axis, has no spectra, or its data are not real.
    EnergyAxisError
        If the signal axis is not an energy axis.
    CalibrationError
        If the axis has another dispersion than that of the calibration.
    """
    if not isinstance(signal, BaseSignal):
        msg = (
            f"A HyperSpy signal of spectra is needed, but {_shown(signal)} was given. Make one "
            "with hyperspy.api.signals.Signal1D(array), or give arrays to PretrainedModel.predict."
        )
        raise SignalError(msg)
    axes = signal.axes_manager
    if axes.signal_dimension != 1:
        msg = (
            f"Spectra with one signal axis are needed, but the signal has {axes.signal_dimension} "
            f"signal axes. {_transposed(signal)}"
        )
        raise SignalError(msg)
    axis = axes.signal_axes[0]
    others = [name for name in _energy_axes(signal) if name != axis.name]
    if others and energy_unit_in_ev(axis.units) is None:
        msg = (
            f"The energy axis must be the signal axis, but the signal axis is {_name(axis)!r}. "
            f"{_transposed(signal)}"
        )
        raise EnergyAxisError(msg)
    if axis.index_in_array != signal.data.ndim - 1:
        msg = (
            "The channels must be the last axis of the data, but they are axis "
            f"{axis.index_in_array} of {signal.data.ndim}. Use s.transpose(signal_axes="
            f"[{axis.index_in_axes_manager}], optimize=True)."
        )
        raise EnergyAxisError(msg)
    if signal.data.dtype.kind not in "iuf":
        msg = (
            f"Real spectra are needed, but the data are of type {signal.data.dtype}. "
            "For complex data, take s.real or s.amplitude; for other types, use "
            "s.change_dtype('float32')."
        )
        raise SignalError(msg)
    if not all(axes.navigation_shape):
        msg = (
            f"Spectra are needed, but the navigation shape is {tuple(axes.navigation_shape)}, so "
            "the signal has none. Select at least one position with s.inav."
        )
        raise SignalError(msg)
    energy = axis_in_ev(axis.axis, axis.units, _name(axis))
    if calibration is None:
        return energy
    calibration.check_axis(energy)
    return calibration.energies(energy)


def limits_in_ev(
    signal: BaseSignal, limits: Any, name: str, calibration: Calibration | None = None
) -> tuple[float, float] | None:
    """Convert the limits of a HyperSpy signal range to eV, in ascending order.

    Parameters
    ----------
    signal
        Spectra, with an energy axis.
    limits
        Two limits, in any order: floats are axis values, integers are channel indices. None stays
        None.
    name
        Name of the range in error messages.
    calibration
        Calibration of the energies, or None for those on the axis.

    Raises
    ------
    EnergyRangeError
        If there are not two different limits, a limit is not a number or not a channel, or an
        integer limit could also be an energy.
    """
    if limits is None:
        return None
    try:
        first, second = (np.asarray(limit) for limit in limits)
    except (TypeError, ValueError) as error:
        msg = f"{name} needs two limits, for example (490.0, 520.0), but {limits!r} was given."
        raise EnergyRangeError(msg) from error
    both = (first, second)
    if any(limit.shape or limit.dtype.kind not in "iuf" for limit in both) or not all(
        np.isfinite(limit) for limit in both
    ):
        msg = (
            f"{name} needs two finite numbers, for example (490.0, 520.0), but it is {limits!r}. "
            "Give energies with a decimal point, or channels as integers."
        )
        raise EnergyRangeError(msg)
    axis = signal.axes_manager.signal_axes[0]
    channels = [int(limit) for limit in both if limit.dtype.kind in "iu"]
    if channels:
        _check_channels(axis, channels, (float(first), float(second)), name)
    values = [
        float(axis.index2value(int(limit)) if limit.dtype.kind in "iu" else limit) for limit in both
    ]
    if values[0] == values[1]:
        msg = f"{name} needs two different limits, but {limits!r} was given. Give a wider range."
        raise EnergyRangeError(msg)
    energies = axis_in_ev(np.array(values), axis.units)
    if calibration is not None:
        energies = calibration.energies(energies)
    low, high = sorted(energies.tolist())
    return low, high


def _check_channels(axis: Any, channels: list[int], limits: tuple[float, float], name: str) -> None:
    lowest, highest = sorted((float(axis.axis[0]), float(axis.axis[-1])))
    written = f"({limits[0]:.1f}, {limits[1]:.1f})"
    if all(lowest <= limit <= highest for limit in limits):
        meaning = (
            "channels outside the axis"
            if any(not -axis.size <= channel < axis.size for channel in channels)
            else "the channels at "
            + " and ".join(f"{axis.index2value(channel):g}" for channel in channels)
        )
        msg = (
            f"The integers in {name} are channels in HyperSpy, here {meaning} {axis.units}, but "
            f"they could also be energies, because the axis goes from {lowest:g} to {highest:g} "
            f"{axis.units}. Write energies with a decimal point: {name}={written}."
        )
        raise EnergyRangeError(msg)
    for channel in channels:
        if not -axis.size <= channel < axis.size:
            msg = (
                f"The integers in {name} are channels, which go from 0 to {axis.size - 1} on this "
                f"axis, but {channel} was given. Write energies with a decimal point: "
                f"{name}={written}."
            )
            raise EnergyRangeError(msg)


def _name(axis: Any) -> str:
    # The name of a HyperSpy axis without a name is not a string.
    return axis.name if isinstance(axis.name, str) and axis.name else "signal"


def _energy_axes(signal: BaseSignal) -> list[str]:
    """Return the names of the axes with units of energy."""
    axes = signal.axes_manager._axes
    return [_name(axis) for axis in axes if energy_unit_in_ev(axis.units) is not None]


def _transposed(signal: BaseSignal) -> str:
    """Return how to make the energy axis the signal axis."""
    names = _energy_axes(signal)
    axis = repr(names[0]) if len(names) == 1 and names[0] != "signal" else "..."
    return (
        f"Use s.transpose(signal_axes=[{axis}], optimize=True) to make the energy axis the signal "
        "axis."
    )


def _shown(value: object) -> str:
    return f"an array of the shape {value.shape}" if hasattr(value, "shape") else repr(value)
