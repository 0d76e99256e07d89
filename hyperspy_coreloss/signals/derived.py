"""What HyperSpy's operations make of a result: properties again, or plain numbers.

A mean of bond lengths is a bond length; a sum of them is not, and is returned as a plain signal
without names, units and intervals. Each operation that HyperSpy would perform as on counts is
overridden here.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np
from hyperspy.signals import BaseSignal

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, array_axes, property_axis
from hyperspy_coreloss.signals.held_out_errors import forget_intervals
from hyperspy_coreloss.signals.metadata import (
    MAPS,
    SPREAD,
    forget_maps,
    forget_properties,
    get_map,
    restore_properties,
    set_map,
    set_title,
    title_of,
)
from hyperspy_coreloss.signals.slicing import PropertySlicer

if TYPE_CHECKING:
    from collections.abc import Callable

#: Averages along a navigation axis are properties, with the intervals of single spectra.
AVERAGES = {"mean": "Mean", "nanmean": "Mean"}
#: Extremes are properties, but the errors of single spectra do not apply to the largest of many.
EXTREMES = {
    **dict.fromkeys(("max", "nanmax"), "Maximum"),
    **dict.fromkeys(("min", "nanmin"), "Minimum"),
}
#: Results of these are not properties.
NUMBERS = {
    **dict.fromkeys(("sum", "nansum"), "Sum"),
    **dict.fromkeys(("std", "nanstd"), "Standard deviation"),
    **dict.fromkeys(("var", "nanvar"), "Variance"),
    **dict.fromkeys(("integrate1D", "integrate_simpson"), "Integral"),
    **dict.fromkeys(("indexmax", "indexmin", "valuemax", "valuemin"), "Position of an extreme"),
    "diff": "Difference",
    "derivative": "Derivative",
    "fft": "Fourier transform",
}
#: Operators, functions of NumPy and functions of the user: their results are not properties either.
ARITHMETIC = (
    *(
        f"__{prefix}{name}__"
        for name in (
            *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"),
            *("lshift", "rshift", "and", "or", "xor"),
        )
        for prefix in ("", "i")
    ),
    *("__divmod__", "__lt__", "__le__", "__eq__", "__ne__", "__ge__", "__gt__"),
    *("__neg__", "__pos__", "__abs__", "__invert__", "__array_wrap__", "map"),
)
#: Operations that move the pixels of the maps of a result with those of the result.
MOVED = ("transpose", "swap_axes", "rollaxis")


def _title(word: str, result: BaseSignal) -> str:
    title = title_of(result)
    return f"{word} {title[:1].lower()}{title[1:]}" if title else word.rpartition(" ")[0]


class DerivedSignal(BaseSignal):
    """A signal of properties on which HyperSpy's operations give properties or plain numbers."""

    # HyperSpy stores its slicers in each signal, also after its class has changed.
    @property
    def isig(self) -> PropertySlicer:
        """Slicer of the signal axes; a name, as in ``isig["bond_length"]``, takes that property."""
        return PropertySlicer(self, self.__dict__["isig"], self.axes_manager.signal_axes)

    @isig.setter
    def isig(self, slicer: Any) -> None:
        self.__dict__["isig"] = slicer

    @property
    def inav(self) -> PropertySlicer:
        """Slicer of the navigation axes, for a transposed result also by the name of a property."""
        return PropertySlicer(self, self.__dict__["inav"], self.axes_manager.navigation_axes)

    @inav.setter
    def inav(self, slicer: Any) -> None:
        self.__dict__["inav"] = slicer

    def rebin(
        self,
        new_shape: Any = None,
        scale: Any = None,
        crop: bool | None = None,
        dtype: Any = None,
        out: BaseSignal | None = None,
        **kwargs: Any,
    ) -> BaseSignal | None:
        """Average neighbouring pixels.

        Other signals are summed in HyperSpy. Pixels without a prediction are left out of the
        averages, which are NaN only where no pixel has a prediction. The maps of the quality and
        the onset are lost. The parameters are those of
        :meth:`hyperspy.api.signals.BaseSignal.rebin`.

        Raises
        ------
        SignalError
            If properties would be averaged with each other.
        """
        _check_properties_are_kept(self, new_shape, scale)
        options = {"new_shape": new_shape, "scale": scale, "dtype": dtype, **kwargs}
        if crop is not None:
            options["crop"] = crop
        result = _averaged(self, self.data, options)
        result.data = result.data.astype(dtype or self.data.dtype)
        spread = get_map(self, SPREAD)
        restore_properties(result, self)
        if spread is not None:
            set_map(result, SPREAD, _averaged(self, spread.data, options))
        if out is None:
            return result
        out.data = result.data
        for axis, new in zip(array_axes(out), array_axes(result), strict=True):
            axis.update_from(new, ["scale", "offset", "size"])
        out.events.data_changed.trigger(obj=out)
        return None

    def crop(self, axis: Any, *args: Any, **kwargs: Any) -> None:
        """Crop the signal and its maps in place.

        The parameters are those of :meth:`hyperspy.api.signals.BaseSignal.crop`.
        """
        maps = {name: get_map(self, name) for name in MAPS}
        name = self.axes_manager[axis].name
        super().crop(axis, *args, **kwargs)
        for key, one in maps.items():
            if one is not None:
                one.crop(axis if not isinstance(name, str) else name, *args, **kwargs)
                set_map(self, key, one)

    def split(self, *args: Any, **kwargs: Any) -> list[BaseSignal]:
        """Split the signal and its maps.

        The parameters are those of :meth:`hyperspy.api.signals.BaseSignal.split`.
        """
        maps = {name: get_map(self, name) for name in MAPS}
        parts = super().split(*args, **kwargs)
        for name, one in maps.items():
            if one is not None:
                for part, own in zip(parts, one.split(*args, **kwargs), strict=True):
                    set_map(part, name, own)
        return parts

    def interpolate_on_axis(
        self, new_axis: Any, axis: Any = 0, inplace: bool = False, degree: int = 1
    ) -> BaseSignal | None:
        """Interpolate between pixels; the maps of the quality and the onset are lost.

        The parameters are those of :meth:`hyperspy.api.signals.BaseSignal.interpolate_on_axis`.

        Raises
        ------
        SignalError
            If the axis is that of the properties, between which nothing lies.
        """
        if self.axes_manager[axis].name == PROPERTY_AXIS:
            msg = (
                "Nothing lies between two properties, so the property axis cannot be interpolated. "
                "Give a navigation axis of the spectra."
            )
            raise SignalError(msg)
        spread = get_map(self, SPREAD)
        result = super().interpolate_on_axis(new_axis, axis, inplace, degree)
        changed = self if inplace else result
        forget_maps(changed)
        if spread is not None:
            set_map(changed, SPREAD, spread.interpolate_on_axis(new_axis, axis, False, degree))
        return result


def _check_properties_are_kept(signal: BaseSignal, new_shape: Any, scale: Any) -> None:
    axis = property_axis(signal)
    if axis is None:
        return
    place = axis.index_in_axes_manager
    kept = (scale is None or scale[place] == 1) and (
        new_shape is None or new_shape[place] == axis.size
    )
    if not kept:
        msg = (
            "Properties cannot be averaged with each other, but the property axis, number "
            f"{place} in the scale and the new shape, was to be rebinned. Give 1 as its scale, or "
            f"{axis.size} as its new size."
        )
        raise SignalError(msg)


def _averaged(signal: BaseSignal, data: Any, options: dict[str, Any]) -> BaseSignal:
    """Return the averages of the data of a signal over neighbouring pixels that have any."""
    known = np.isfinite(data)
    result, counts = (
        _plain(signal, part).rebin(**options)
        for part in (np.where(known, data, 0), known.astype(data.dtype))
    )
    result.data = result.data / np.where(counts.data > 0, counts.data, np.nan)
    return result


def _plain(signal: BaseSignal, data: Any) -> BaseSignal:
    """Return a plain signal with other data and the axes of a signal."""
    plain = signal.deepcopy()
    plain.data = data
    forget_properties(plain, title_of(signal))
    return plain


def _derived(
    name: str, describe: Callable[[BaseSignal, BaseSignal], None], spread: bool = False
) -> Any:
    """Return a method of HyperSpy that describes its result, which may be the signal itself.

    With `spread`, the same is done to the spreads of the values: the error of a mean of pixels of
    one phase is hardly smaller than that of one of them.
    """
    inherited = getattr(BaseSignal, name)

    @wraps(inherited)
    def method(self: BaseSignal, *args: Any, **kwargs: Any) -> Any:
        spreads = get_map(self, SPREAD) if spread else None
        result = getattr(super(DerivedSignal, self), name)(*args, **kwargs)
        describe(self, result)
        if spreads is not None and result is not None and property_axis(result) is not None:
            set_map(result, SPREAD, getattr(spreads, name)(*args, **kwargs))
        return result

    return method


def _as_average(word: str, *, intervals: bool) -> Callable[[BaseSignal, BaseSignal], None]:
    def describe(signal: BaseSignal, result: BaseSignal) -> None:
        if result is None or result is signal:  # it was written elsewhere, or nothing was done
            return
        if property_axis(result) is None:
            forget_properties(result, _title(f"{word} of", signal))
            return
        set_title(result, _title(f"{word} of", signal))
        forget_maps(result)
        if not intervals:
            forget_intervals(result)

    return describe


def _as_numbers(word: str) -> Callable[[BaseSignal, BaseSignal], None]:
    def describe(signal: BaseSignal, result: BaseSignal) -> None:
        if result is not None and result is not signal:
            forget_properties(result, _title(f"{word} of", signal))

    return describe


def _as_arithmetic(signal: BaseSignal, result: Any) -> None:
    changed = signal if result is None else result  # None of a map in place
    if isinstance(changed, BaseSignal):
        forget_properties(changed, _title("Numbers from", signal))


def _moved(name: str) -> Any:
    inherited = getattr(BaseSignal, name)

    @wraps(inherited)
    def method(self: BaseSignal, *args: Any, **kwargs: Any) -> Any:
        maps = {one: get_map(self, one) for one in MAPS}
        result = getattr(super(DerivedSignal, self), name)(*args, **kwargs)
        for key, one in maps.items():
            if one is not None:
                set_map(result, key, getattr(one, name)(*args, **kwargs))
        return result

    return method


for _name, _word in AVERAGES.items():
    setattr(DerivedSignal, _name, _derived(_name, _as_average(_word, intervals=True), spread=True))
for _name, _word in EXTREMES.items():
    setattr(DerivedSignal, _name, _derived(_name, _as_average(_word, intervals=False)))
for _name, _word in NUMBERS.items():
    setattr(DerivedSignal, _name, _derived(_name, _as_numbers(_word)))
for _name in ARITHMETIC:
    setattr(DerivedSignal, _name, _derived(_name, _as_arithmetic))
for _name in MOVED:
    setattr(DerivedSignal, _name, _moved(_name))
