"""Maps of one property, or of what accompanies the properties, taken from a result as signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hyperspy.signals import BaseSignal, LazySignal

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, array_axes, needed_axis
from hyperspy_coreloss.signals.metadata import describe_map, get_map
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.results import ResultField

# Number of axes of a map.
_MAP_AXES = 2


def layer_map(result: BaseSignal, data: Any, position: int, label: str) -> BaseSignal:
    """Return one position along the property axis of an array as a signal.

    Parameters
    ----------
    result
        Result, whose navigation axes the map has as signal axes. Of more than two, the first two
        are signal axes.
    data
        Array of the shape of the data of the result, in memory or of dask.
    position
        Index along the property axis.
    label
        Name and unit of the values.
    """
    axis = needed_axis(result).index_in_array
    layer = data[(slice(None),) * axis + (position,)]
    axes = [other for other in array_axes(result) if other.name != PROPERTY_AXIS]
    # Three axes cannot be shown at once, so the first of three is for navigation.
    described = [
        {**other.get_axis_dictionary(), "navigate": place < len(axes) - _MAP_AXES}
        for place, other in enumerate(axes)
    ]
    if not axes:  # a single spectrum
        layer, described = layer.reshape(1), [{"name": "spectrum", "size": 1}]
    kind = LazySignal if isinstance(result, LazySignal) else BaseSignal
    plain = kind(layer, axes=described, metadata=describe_map(result, label))
    plain.set_signal_type("")
    return plain


def companion_map(result: BaseSignal, name: str, label: str, position: int = 0) -> BaseSignal:
    """Return a map that accompanies the properties of a result.

    Parameters
    ----------
    result
        Result whose pixels are single spectra.
    name
        Name of the map.
    label
        Name and unit of its values.
    position
        Index along the property axis, for maps with a value for each property.

    Raises
    ------
    SignalError
        If the result does not have the map, because spectra were combined or nothing measured it.
    """
    companion, field = get_map(result, name), _field(name)
    if companion is None:
        only = " It needs predict_properties(low_loss=...)." if field.of_low_loss else ""
        msg = (
            f"The {name} map has one entry per spectrum and is lost when spectra are combined. "
            f"Take it from the signals that predict_properties returned.{only}"
        )
        raise SignalError(msg)
    quality = get_map(result, "quality")
    codes = None if quality is None else quality.data
    data = _without_blanks(companion.data, result.data, codes, field)
    return layer_map(result, data, position, label)


def _field(name: str) -> ResultField:
    (field,) = (one for one in MAP_FIELDS if one.name == name)
    return field


def _without_blanks(layer: Any, values: Any, quality: NDArray | None, field: ResultField) -> Any:
    """Return a map without its entries where the values were set to NaN later, as by a region."""
    blank = np.isnan(values)
    if quality is not None:
        blank = blank & (quality == Quality.GOOD)
    entry = field.unreadable
    if entry is None:
        entry = np.nan if np.issubdtype(field.dtype, np.floating) else 0
    if field.name == "quality":
        entry = Quality.MASKED
    return np.where(blank, np.asarray(entry, field.dtype), layer)
