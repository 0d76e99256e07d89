"""Slicers of results, which also take the names of properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.properties import property_index
from hyperspy_coreloss.signals.metadata import (
    MAPS,
    describe_map,
    forget_properties,
    get_map,
    property_axis,
    property_items,
)

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal


class PropertySlicer:
    """HyperSpy's ``isig`` and ``inav`` of a result, which also take the names of properties."""

    def __init__(self, signal: BaseSignal, slicer: Any, axes: tuple[Any, ...]) -> None:
        self._signal, self._slicer, self._axes = signal, slicer, axes

    def __getitem__(self, slices: Any, out: BaseSignal | None = None) -> BaseSignal | None:
        for name in MAPS:
            get_map(self._signal, name)  # with the axes of the signal, as it is sliced with it
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
        if axis is None or axis not in self._axes:
            return slices
        several = slices if isinstance(slices, tuple) else (slices,)
        items = property_items(self._signal, "names")
        names = [items[round(index)] for index in axis.axis]
        place = self._place(axis, several)
        if place is None:
            return slices
        one = several[place]
        if isinstance(one, slice):
            start, stop = (
                property_index(end, names) if isinstance(end, str) else end
                for end in (one.start, one.stop)
            )
            one = slice(start, stop, one.step)
        elif isinstance(one, str):
            one = property_index(one, names)
        several = (*several[:place], one, *several[place + 1 :])
        return several if isinstance(slices, tuple) else one

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
        label = property_items(self._signal, "labels")[round(axis.axis[position])]
        described = describe_map(self._signal, label)
        forget_properties(result, described["General"]["title"])
        result.metadata.add_dictionary(described)
