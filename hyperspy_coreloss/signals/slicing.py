"""Slicers of results, which also take the names of properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.properties import property_index
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, property_axis
from hyperspy_coreloss.signals.metadata import become_map, check_maps
from hyperspy_coreloss.signals.positions import items_along

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal


class PropertySlicer:
    """HyperSpy's ``isig`` and ``inav`` of a result, which also take the names of properties."""

    def __init__(self, signal: BaseSignal, slicer: Any, axes: tuple[Any, ...]) -> None:
        self._signal, self._slicer, self._axes = signal, slicer, axes

    def __getitem__(self, slices: Any, out: BaseSignal | None = None) -> BaseSignal | None:
        check_maps(self._signal)
        result = self._slicer.__getitem__(self._positions(slices), out=out)
        if result is not None and property_axis(result) is None:
            axis = property_axis(self._signal)
            if axis is not None:
                self._describe_one(result, axis, slices)
        return result

    def __setitem__(self, slices: Any, values: Any) -> None:
        self._slicer.__setitem__(self._positions(slices), values)

    def __len__(self) -> int:
        return len(self._slicer)

    def _positions(self, slices: Any) -> Any:
        """Replace names of properties by positions along the property axis."""
        axis = property_axis(self._signal)
        several = slices if isinstance(slices, tuple) else (slices,)
        if axis is None or axis not in self._axes:
            _refuse_names(several)
            return slices
        place = self._place(axis, several)
        if place is None:
            return slices
        one = several[place]
        if isinstance(one, slice):
            one = slice(self._position(one.start), self._position(one.stop), one.step)
        else:
            one = self._position(one)
        several = (*several[:place], one, *several[place + 1 :])
        return several if isinstance(slices, tuple) else one

    def _position(self, end: Any) -> Any:
        """Replace the name of a property by its position along the property axis."""
        if not isinstance(end, str):
            return end
        return property_index(end, items_along(self._signal, "names"))

    def _place(self, axis: Any, slices: tuple[Any, ...]) -> int | None:
        """Return which of the slices is that of the property axis."""
        place = self._axes.index(axis)
        first = next((i for i, one in enumerate(slices) if one is Ellipsis), len(slices))
        if place >= first:  # counted from the end
            place += len(slices) - len(self._axes)
            return place if place > first else None
        return place if place < len(slices) else None

    def _describe_one(self, result: BaseSignal, axis: Any, slices: Any) -> None:
        """Describe the values of one property as those of its map."""
        several = self._positions(slices)
        several = several if isinstance(several, tuple) else (several,)
        place = self._place(axis, several)
        assert place is not None  # since the axis was removed
        one = several[place]
        position = axis.value2index(one) if isinstance(one, float) else one
        become_map(result, self._signal, items_along(self._signal, "labels")[position])


def _refuse_names(slices: tuple[Any, ...]) -> None:
    # HyperSpy's own texts, such as "5 nm" and "rel0.5", are no identifiers.
    names = [one for one in slices if isinstance(one, str) and one.isidentifier()]
    if names:
        msg = (
            f"The name of a property selects along the axis {PROPERTY_AXIS!r}, but {names[0]!r} "
            "was given for other axes. Use isig of the signal that predict_properties returned, or "
            "inav after a transpose."
        )
        raise SignalError(msg)
