"""Maps of one property, or of what accompanies the properties, taken from a result as signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hyperspy.signals import BaseSignal, LazySignal

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, array_axes, needed_axis
from hyperspy_coreloss.signals.held_out_errors import scores_of
from hyperspy_coreloss.signals.metadata import SPREAD, describe_map, get_map
from hyperspy_coreloss.signals.positions import property_positions
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
    data = companion_data(result, name)
    if data is None:
        only = " It needs predict_properties(low_loss=...)." if _field(name).of_low_loss else ""
        msg = (
            f"The {name} map has one entry per spectrum and is lost when spectra are combined. "
            f"Take it from the signals that predict_properties returned.{only}"
        )
        raise SignalError(msg)
    return layer_map(result, data, position, label)


def companion_data(result: BaseSignal, name: str) -> Any:
    """Return the array of a map that accompanies the properties, or None if there is none.

    It has the shape of the data of the result, and is lazy if the result is. Entries are blank
    where the values were set to NaN later, as by a region of interest.
    """
    companion, quality = get_map(result, name), get_map(result, "quality")
    if companion is None:
        return None
    codes = None if quality is None else quality.data
    return _without_blanks(companion.data, result.data, codes, _field(name))


def half_width_data(result: BaseSignal, level: float) -> Any:
    """Return the half widths of the prediction intervals, or None if the result has no intervals.

    Parameters
    ----------
    result
        Result in memory or lazy.
    level
        Coverage: the probability that an interval contains the true value, between 0 and 1.

    Returns
    -------
    ndarray, dask.array.Array or None
        Array of the shape of the data of the result, in the units of the properties; NaN where
        there is no prediction.

    Raises
    ------
    SignalError
        If `level` is not a number between 0 and 1.
    """
    scores, spread = scores_of(result), get_map(result, SPREAD)
    if scores is None:
        return None
    widths = conformal_half_width(scores, level)[property_positions(result)].astype(np.float32)
    shape = np.ones(result.data.ndim, dtype=int)
    shape[needed_axis(result).index_in_array] = -1
    spreads = np.float32(1) if spread is None else spread.data
    return np.where(np.isnan(result.data), np.float32(np.nan), spreads * widths.reshape(shape))


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
