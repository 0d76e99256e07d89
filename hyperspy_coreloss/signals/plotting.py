"""Figures of predicted properties: maps, and comparisons of predicted with true maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from hyperspy.drawing.utils import contrast_stretching

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.properties import property_index
from hyperspy_coreloss.signals.map_figure import Group, Look, MapCell, columns_that_fit, draw_figure
from hyperspy_coreloss.signals.metadata import label_of
from hyperspy_coreloss.signals.panels import axis_label, is_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.signals import BaseSignal
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    Limit = float | str | Mapping[str, float | str] | None

_LARGEST = 36  # maps in one figure
# Panels in a row: of maps with a colour bar each, of those that share one, of pairs.
_COLUMNS, _SHARED_COLUMNS, _PAIRS = 3, 6, 2


class Mapped(Protocol):
    """A result that provides a map of each property."""

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties."""

    def get_property_map(self, name: str) -> BaseSignal:
        """Return the map of one property."""


def plot_maps(
    maps: Mapping[str, BaseSignal] | Sequence[BaseSignal],
    *,
    half_widths: Mapping[str, BaseSignal] | Sequence[BaseSignal] = (),
    scalebar: bool | str | Sequence[int] | None = False,
    axes_decor: str | None = None,
    cmap: str | Colormap | None = None,
    colorbar: str | None = "multi",
    vmin: Limit = None,
    vmax: Limit = None,
    per_row: int | None = None,
    suptitle: str = "",
    note: str = "",
    width: float | None = None,
    style: Any = None,
) -> Figure:
    """Plot maps side by side with colour bars; line scans are plotted as curves.

    Maps of one signal, at the positions of its navigation axes, have the same colours and one
    colour bar in each row. Arguments that HyperSpy's :func:`hyperspy.api.plot.plot_images` has too
    have its names.

    Parameters
    ----------
    maps
        Signals with one or two signal axes, by name as from
        :meth:`~hyperspy_coreloss.CoreLossPropertySignal.as_maps`, or in a list. Of signals with
        two, the maps at all navigation positions are plotted.
    half_widths
        Half widths of the intervals of all maps, in the same order and of the same axes. They are
        drawn as maps below the others; around curves as bands.
    scalebar
        Whether maps have a scale bar in place of axes; or the numbers of the maps that have one,
        from 0. Maps whose axes have different units get none.
    axes_decor
        ``"all"`` draws the axes of maps with labels, ``"ticks"`` without, ``"off"`` nothing. The
        default is ``"off"`` with scale bars, and ``"all"`` without.
    cmap
        Colour map of matplotlib. The default is viridis, which does not depend on telling red from
        green. Pixels without a value are grey.
    colorbar
        ``"multi"``, or None to draw none.
    vmin, vmax
        Limits of the colours: a number, a percentile such as ``"2th"``, or a dictionary with one of
        them for the names of some maps. The default is the range of the values.
    per_row
        Number of maps in a row.
    suptitle
        Title of the figure.
    note
        Text below the figure.
    width
        Width of the figure in millimetres, as it is printed: 85 for a column of a journal. Letters
        then have 7 points, and images 300 dots per inch, unless `style` says otherwise.
    style
        Style of matplotlib, as in :func:`matplotlib.style.context`: a name such as
        ``"dark_background"``, a dictionary, or a list of them.

    Raises
    ------
    SignalError
        If a map does not have one or two signal axes, there are too many maps, or an argument is
        none of the above.
    UnknownPropertyError
        If `vmin` or `vmax` have a name that no map has.
    """
    named = _named(maps)
    parts = {name: _parts(one) for name, one in named.items()}
    wide = [_parts(one) for one in _named(half_widths).values()]
    _check_number(parts, wide)
    look = Look(scalebar, axes_decor, cmap, colorbar, suptitle, note, width, style)
    with look.applied():
        limits = {
            name: _limits([cell.shown for cell in cells], name, parts, (vmin, vmax))
            for name, cells in parts.items()
        }
        groups = [Group(cells, limits[name]) for name, cells in parts.items()]
        below = [Group(cells, _range(cell.shown for cell in cells)) for cells in wide]
        if below and is_curve(groups[0].cells[0].shown):
            groups = [_banded(*pair) for pair in zip(groups, below, strict=True)]
            below = []
        return draw_figure(_rows(groups, below, per_row, width), look)


def plot_comparison(
    predicted: Mapped,
    reference: Mapped,
    *,
    scalebar: bool | str | Sequence[int] | None = False,
    axes_decor: str | None = None,
    cmap: str | Colormap | None = None,
    per_row: int | None = None,
    suptitle: str = "",
    width: float | None = None,
    style: Any = None,
) -> Figure:
    """Plot the maps of two results side by side, with one colour scale per property.

    Parameters
    ----------
    predicted, reference
        Results of the same shape, for example a prediction and the true properties from
        :func:`hyperspy_coreloss.data.silica_spectrum_image`. The colours span the values of the
        reference.
    scalebar, axes_decor, cmap, suptitle, width, style
        As for :func:`plot_maps`.
    per_row
        Number of maps in a row, an even number.
    """
    look = Look(scalebar, axes_decor, cmap, suptitle=suptitle, width=width, style=style)
    groups = []
    for name in predicted.property_names:
        pair = {
            "true": reference.get_property_map(name),
            "predicted": predicted.get_property_map(name),
        }
        cells = [MapCell(f"{label_of(one)}\n{word}", one) for word, one in pair.items()]
        groups.append(Group(cells, _range([pair["true"]])))
    with look.applied():
        pairs = (per_row or columns_that_fit(width, 2 * _PAIRS)) // 2 or 1
        return draw_figure(_chunks(groups, pairs), look)


def _named(maps: Mapping[str, BaseSignal] | Sequence[BaseSignal]) -> dict[str, BaseSignal]:
    if isinstance(maps, Mapping):
        return dict(maps)
    return {str(number): one for number, one in enumerate(maps)}


def _parts(property_map: BaseSignal) -> list[MapCell]:
    """Return the maps at all positions of a stack of maps, each with its label."""
    axes, label = property_map.axes_manager, label_of(property_map)
    if axes.signal_dimension != 2 or not axes.navigation_dimension:
        return [MapCell(label, property_map)]
    parts = []
    for indices in np.ndindex(*axes.navigation_shape):
        where = (
            f"{axis_label(axis)} = {axis.axis[index]:g}"
            for axis, index in zip(axes.navigation_axes, indices, strict=True)
        )
        parts.append(MapCell(f"{label}\n{', '.join(where)}", property_map.inav[indices]))
    return parts


def _check_number(
    parts: Mapping[str, Sequence[MapCell]], wide: Sequence[Sequence[MapCell]]
) -> None:
    number = sum(map(len, parts.values()))
    if number > _LARGEST:
        msg = (
            f"At most {_LARGEST} maps are plotted in one figure, but there are {number}. "
            "Select fewer positions along the third navigation axis, or fewer properties."
        )
        raise SignalError(msg)
    if not number or (wide and [*map(len, wide)] != [*map(len, parts.values())]):
        msg = (
            "A figure needs at least one map, and half widths of all maps or of none, but there "
            f"are {number} maps, and half widths of {sum(map(len, wide))}."
        )
        raise SignalError(msg)


def _range(maps: Any) -> tuple[float | None, float | None]:
    """Return the lowest and the highest value of maps; None if they have no values."""
    values = np.concatenate([np.ravel(np.asarray(one.data)) for one in maps])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (None, None)


def _limits(
    maps: Sequence[BaseSignal],
    name: str,
    names: Mapping[str, Any],
    given: tuple[Limit, Limit],
) -> tuple[float | None, float | None]:
    """Return the limits of the colours of the maps of one name."""
    values = np.concatenate([np.ravel(np.asarray(one.data)) for one in maps])
    values, limits = values[np.isfinite(values)], list(_range(maps))
    for end, limit in enumerate(given):
        if isinstance(limit, Mapping):
            for key in limit:
                property_index(key, tuple(names))
            limit = limit.get(name)
        if isinstance(limit, str) and len(values):
            limit = contrast_stretching(values, limit, limit)[0]
        if limit is not None and not isinstance(limit, str):
            limits[end] = float(limit)
    return limits[0], limits[1]


def _banded(group: Group, widths: Group) -> Group:
    cells = zip(group.cells, widths.cells, strict=True)
    return Group([MapCell(cell.title, cell.shown, width.shown) for cell, width in cells])


def _rows(
    groups: Sequence[Group], below: Sequence[Group], per_row: int | None, width: float | None
) -> list[list[Group]]:
    """Return the groups of each row of a figure, with those below in rows of their own."""
    most = max(len(group.cells) for group in groups)
    if most == 1:
        columns = per_row or columns_that_fit(width, _COLUMNS)
        rows = _chunks(groups, columns)
        others = _chunks(below, columns)
    else:
        columns = per_row or columns_that_fit(width, _SHARED_COLUMNS)
        if not per_row:
            columns = -(-most // -(-most // columns))
        rows, others = (_split(each, columns) for each in (groups, below))
    if not others:
        return rows
    return [row for pair in zip(rows, others, strict=True) for row in pair]


def _split(groups: Sequence[Group], columns: int) -> list[list[Group]]:
    """Return a row, or several, for each group."""
    return [
        [Group(cells, group.limits)] for group in groups for cells in _chunks(group.cells, columns)
    ]


def _chunks(items: Sequence[Any], size: int) -> list[list[Any]]:
    return [list(items[first : first + size]) for first in range(0, len(items), size)]
