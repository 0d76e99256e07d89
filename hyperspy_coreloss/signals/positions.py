"""Positions along the property axis of a result, which count the properties of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, needed_axis
from hyperspy_coreloss.signals.metadata import property_items

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

# By how much the values of the axis may differ from whole numbers.
_ROUNDING = 1e-6


def property_positions(result: BaseSignal) -> NDArray[np.int64]:
    """Return which property of the model lies at each position of the property axis.

    Parameters
    ----------
    result
        Signal with a property axis, which may have been sliced.

    Returns
    -------
    ndarray
        Shape (properties of the signal,).

    Raises
    ------
    SignalError
        If there is no such axis, or it has other values, as after a change of its scale.
    """
    values, count = np.asarray(needed_axis(result).axis), len(property_items(result, "names"))
    whole = np.rint(values)
    if not ((abs(values - whole) < _ROUNDING) & (whole >= 0) & (whole < count)).all():
        shown = ", ".join(f"{value:g}" for value in values[:6])
        msg = (
            f"The axis {PROPERTY_AXIS!r} counts the {count} properties of the model, from 0 to "
            f"{count - 1}, but its values are {shown}. Set its offset and its scale as they were; "
            "after a prediction, these are 0 and 1."
        )
        raise SignalError(msg)
    return whole.astype(np.int64)


def items_along(result: BaseSignal, item: Literal["names", "labels", "units"]) -> tuple[str, ...]:
    """Return an item of the property at each position of the property axis.

    The errors are those of :func:`property_positions` and :func:`.property_items`.
    """
    positions, entries = property_positions(result), property_items(result, item)
    return tuple(entries[position] for position in positions)
