"""One pixel of a result: where it is, and its values."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, array_axes
from hyperspy_coreloss.signals.held_out_errors import scores_of
from hyperspy_coreloss.signals.metadata import SPREAD, get_map
from hyperspy_coreloss.signals.positions import property_positions

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Place:
    """A position of the spectra, along their navigation axes in the order of HyperSpy."""

    axes: tuple[Any, ...]
    indices: tuple[int, ...]

    def __str__(self) -> str:
        if not self.axes:
            return "the spectrum"
        words = []
        for number, (axis, index) in enumerate(zip(self.axes, self.indices, strict=True)):
            name = axis.name if isinstance(axis.name, str) and axis.name else f"axis {number}"
            unit = f" {axis.units}" if isinstance(axis.units, str) and axis.units else ""
            words.append(f"{name} = {axis.axis[index]:g}{unit}")
        return f"the pixel at {', '.join(words)}"


def find_place(result: BaseSignal, position: Any) -> Place:
    """Return a position, given as in ``inav``: whole numbers are indices, others axis values."""
    axes = [axis for axis in array_axes(result)[::-1] if axis.name != PROPERTY_AXIS]
    given = list(position) if np.ndim(position) else [position] if axes else []
    if len(given) != len(axes) or not all(isinstance(one, Real) for one in given):
        msg = (
            f"The position of a pixel needs a number for each of the {len(axes)} navigation axes, "
            f"as in inav[...], but it is {position!r}."
        )
        raise SignalError(msg)
    indices = []
    for axis, one in zip(axes, given, strict=True):
        index = axis.value2index(one) if isinstance(one, (float, np.floating)) else int(one)
        if not -axis.size <= index < axis.size:
            msg = (
                f"The navigation axis {axis.name!r} has {axis.size} pixels, so that it has none at "
                f"the index {index}. Give a position inside the map."
            )
            raise SignalError(msg)
        indices.append(int(index) % axis.size)
    return Place(tuple(axes), tuple(indices))


def values_at(place: Place, data: Any) -> NDArray[np.float64]:
    """Return the values of all properties at one place, of an array like that of a result."""
    indices: list[Any] = [slice(None)] * data.ndim
    for axis, index in zip(place.axes, place.indices, strict=True):
        indices[axis.index_in_array] = index
    return np.ravel(np.asarray(data[tuple(indices)], dtype=np.float64))


def half_widths_at(result: BaseSignal, place: Place, level: float = 0.9) -> NDArray[np.floating]:
    """Return the half widths of the intervals of one coverage at a place; NaN if there are none."""
    scores, spread = scores_of(result), get_map(result, SPREAD)
    positions = property_positions(result)
    if scores is None:
        return np.full(len(positions), np.nan)
    widths = conformal_half_width(scores, level)[positions]
    return widths if spread is None else widths * values_at(place, spread.data)
