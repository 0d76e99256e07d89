"""Results as a table with a row for each pixel, for spreadsheets and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, array_axes, needed_axis
from hyperspy_coreloss.signals.held_out_errors import scores_of
from hyperspy_coreloss.signals.metadata import SPREAD, get_map
from hyperspy_coreloss.signals.positions import items_along, property_positions
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

_LEVEL = 0.9
_WORDS: dict[str, Callable[[int], str]] = {
    "quality": lambda code: Quality(code).phrase,
    "population": lambda code: dict(enumerate(POPULATIONS)).get(code, ""),
}


def pixel_table(result: BaseSignal) -> dict[str, NDArray]:
    """Return the columns of a table with a row for each pixel.

    Parameters
    ----------
    result
        Result in memory.

    Returns
    -------
    dict
        Columns of shape (pixels,) by their heads, which have the units in parentheses: the place of
        the pixel on the navigation axes, the properties, the half widths of their 90 % intervals if
        there are any, and the maps that the result has, with qualities and populations in words.
        The order of the rows is that of the array.
    """
    place = needed_axis(result).index_in_array
    axes = [axis for axis in array_axes(result) if axis.name != PROPERTY_AXIS]
    positions = np.meshgrid(*(axis.axis for axis in axes), indexing="ij")
    columns = {
        _head(axis, number): position.ravel()
        for number, (axis, position) in enumerate(zip(axes[::-1], positions[::-1], strict=True))
    }
    labels = items_along(result, "labels")
    values = _rows(result.data, place)
    columns |= dict(zip(labels, values.T, strict=True))
    scores, spread = scores_of(result), get_map(result, SPREAD)
    if scores is not None:
        widths = conformal_half_width(scores, _LEVEL)[property_positions(result)]
        spreads = np.ones_like(values) if spread is None else _rows(spread.data, place)
        half = np.where(np.isfinite(values), widths * spreads, np.nan)
        columns |= {
            f"half width of {label}": one for label, one in zip(labels, half.T, strict=True)
        }
    for field in MAP_FIELDS:
        one = None if field.per_property else get_map(result, field.name)
        if one is not None:
            column = _rows(one.data, place)[:, 0]
            words = _WORDS.get(field.name)
            columns[field.label] = (
                column if words is None else np.array([words(code) for code in column.tolist()])
            )
    return columns


def _rows(data: Any, place: int) -> NDArray:
    """Return an array with a row for each pixel."""
    moved = np.moveaxis(np.asarray(data), place, -1)
    return moved.reshape(-1, moved.shape[-1])


def _head(axis: Any, number: int) -> str:
    name = axis.name if isinstance(axis.name, str) and axis.name else f"axis {number}"
    units = axis.units if isinstance(axis.units, str) else ""
    return f"{name} ({units})" if units else name
