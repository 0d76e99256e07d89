"""Results as a table with a row for each pixel, for spreadsheets and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, array_axes, needed_axis
from hyperspy_coreloss.signals.layers import companion_data, half_width_data
from hyperspy_coreloss.signals.positions import items_along
from hyperspy_coreloss.signals.summary import count_codes
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Container

    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

#: Level of the intervals of a table, unless another one is asked for.
USUAL_LEVEL = 0.9
#: What the codes of columns stand for, in the order of the codes.
WORDS: dict[str, tuple[str, ...]] = {
    "quality": tuple(code.phrase for code in Quality),
    "population": tuple(POPULATIONS),
}


def pixel_table(result: BaseSignal, level: float | None = USUAL_LEVEL) -> dict[str, NDArray]:
    """Return the columns of a table with a row for each pixel.

    Parameters
    ----------
    result
        Result in memory.
    level
        Coverage of the intervals, between 0 and 1; None leaves their half widths out.

    Returns
    -------
    dict
        Columns of shape (pixels,) by their heads, which have the units in parentheses: the place of
        the pixel on the navigation axes, the properties, the half widths of their intervals if
        there are any, and the maps that the result has, with qualities and populations in words.
        The order of the rows is that of the array.

    Raises
    ------
    SignalError
        If `level` is not between 0 and 1, or the result is of a damaged file.
    """
    place = needed_axis(result).index_in_array
    labels = items_along(result, "labels")
    columns = dict(zip(labels, _rows(result.data, place).T, strict=True))
    half = None if level is None else half_width_data(result, level)
    if half is not None and level is not None:
        heads = (half_width_head(label, level) for label in labels)
        columns |= dict(zip(heads, _rows(half, place).T, strict=True))
    for field in MAP_FIELDS:
        data = None if field.per_property else companion_data(result, field.name)
        if data is not None:
            column = _rows(data, place)[:, 0]
            columns[field.label] = _in_words(column, field.name) if field.name in WORDS else column
    return {**_places(result, columns), **columns}


def place_heads(result: BaseSignal, taken: Container[str] = ()) -> list[str]:
    """Return the heads of the columns with the place of a pixel, in the order of HyperSpy's axes.

    Parameters
    ----------
    result
        Result whose navigation axes are meant.
    taken
        Heads of other columns, which the axes do not get.
    """
    heads = []
    for axis, name in zip(place_axes(result)[::-1], axis_names(result), strict=True):
        units = axis.units if isinstance(axis.units, str) else ""
        head = f"{name} ({units})" if units else name
        heads.append(f"{name} axis ({units})" if head in taken else head)
    return heads


def place_axes(result: BaseSignal) -> list[Any]:
    """Return the axes of the pixels of a result, in the order of its array."""
    return [axis for axis in array_axes(result) if axis.name != PROPERTY_AXIS]


def axis_names(result: BaseSignal) -> list[str]:
    """Return a name for each axis of the pixels, in the order of HyperSpy's axes."""
    return [
        axis.name if isinstance(axis.name, str) and axis.name else f"axis {number}"
        for number, axis in enumerate(place_axes(result)[::-1])
    ]


def half_width_head(label: str, level: float = USUAL_LEVEL) -> str:
    """Return the head of the half widths of a property; that of 90 % intervals has no level."""
    if level == USUAL_LEVEL:
        return f"half width of {label}"
    return f"{100 * level:g} % half width of {label}"


def _places(result: BaseSignal, taken: Container[str]) -> dict[str, NDArray]:
    grids = np.meshgrid(*(axis.axis for axis in place_axes(result)), indexing="ij")
    heads = place_heads(result, taken)
    return {head: grid.ravel() for head, grid in zip(heads, grids[::-1], strict=True)}


def _rows(data: Any, place: int) -> NDArray:
    """Return an array with a row for each pixel."""
    moved = np.moveaxis(np.asarray(data), place, -1)
    return moved.reshape(-1, moved.shape[-1])


def _in_words(codes: NDArray, name: str) -> NDArray[np.str_]:
    """Return the words that codes stand for; none for a population that is not known."""
    if name == "quality":
        count_codes(codes)  # refuses those that no version knows
    words = np.array([*WORDS[name], ""])
    return words[np.minimum(codes, len(words) - 1).astype(np.int64)]
