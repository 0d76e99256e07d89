"""The axes of signals in the order of their arrays, and the property axis of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.errors import SignalError

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal

#: Name of the property axis, along which the properties lie.
PROPERTY_AXIS = "property"


def array_axes(signal: BaseSignal) -> list[Any]:
    """Return the axes of a signal in the order of its array."""
    axes = signal.axes_manager
    return sorted((*axes.navigation_axes, *axes.signal_axes), key=lambda axis: axis.index_in_array)


def property_axis(signal: BaseSignal) -> Any:
    """Return the axis along which the properties lie, or None if the signal has no such axis."""
    return next((axis for axis in array_axes(signal) if axis.name == PROPERTY_AXIS), None)


def needed_axis(result: BaseSignal) -> Any:
    """Return the axis along which the properties of a result lie.

    Raises
    ------
    SignalError
        If the signal has no such axis.
    """
    axis = property_axis(result)
    if axis is None:
        msg = (
            f"Maps need a signal with an axis named {PROPERTY_AXIS!r}, but this signal has "
            "none. Take the maps from the signal that predict_properties returned."
        )
        raise SignalError(msg)
    return axis
