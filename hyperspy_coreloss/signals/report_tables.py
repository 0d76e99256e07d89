"""Maps and curves as tables of means, so that nothing on a page is only in a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.pages.layers import averaged
from hyperspy_coreloss.pages.tables import plain_table

if TYPE_CHECKING:
    from hyperspy_coreloss.pages.layers import Layer, Layers
    from hyperspy_coreloss.pages.tables import Table

# Largest number of rows and columns of the table of a map, and of rows of that of curves.
_AREAS, _POINTS = 8, 100


def single_table(layers: Layers, level: str) -> Table:
    """Return a table of the values of a single pixel."""
    header = ["property", "value", *([f"{level} interval"] if _intervals(layers) else [])]
    rows = []
    for layer in layers.quantities:
        row = [layer.label, _shown(layer, layer.values.flat[0])]
        if _intervals(layers):
            row.append(_interval(layer, 0))
        rows.append(row)
    return plain_table(header, rows)


def picture_tables(layers: Layers, level: str) -> list[tuple[Table, str]]:
    """Return the tables of maps or of curves, with their captions.

    Parameters
    ----------
    layers
        The quantities, on more than one pixel.
    level
        Coverage of the intervals in words.
    """
    if len(layers.axes) == 1:
        return [_curve_table(layers, level)]
    if layers.shape[0] > 1:
        return [_frame_table(layers)]
    return [_map_table(layers, number) for number in range(len(layers.quantities))]


def _curve_table(layers: Layers, level: str) -> tuple[Table, str]:
    factor = -(-layers.shape[2] // _POINTS)
    short = averaged(layers, factor)
    header = [short.axes[-1].label, *(layer.label for layer in short.quantities)]
    if short.codes is not None:
        header.append("quality")
    rows = []
    for n in range(short.shape[2]):
        cells = [_with_width(layer, n) for layer in short.quantities]
        if short.codes is not None:
            cells.append(short.words.get(int(short.codes.flat[n]), ""))
        rows.append([short.axes[-1].at(n), *cells])
    of = "Values" if factor == 1 else f"Means over {factor} pixels"
    widths = f", ± the half width of the {level} interval" if _intervals(layers) else ""
    return plain_table(header, rows), f"{of} along the line{widths}."


def _frame_table(layers: Layers) -> tuple[Table, str]:
    header = ["position", *(layer.label for layer in layers.quantities)]
    rows = [
        [layers.place(frame), *(_mean(layer, frame) for layer in layers.quantities)]
        for frame in range(layers.shape[0])
    ]
    return plain_table(header, rows), "Means over the map at each position."


def _map_table(layers: Layers, number: int) -> tuple[Table, str]:
    factor = max(-(-size // _AREAS) for size in layers.shape[1:])
    short = averaged(layers, factor)
    vertical, horizontal = short.axes[-2:]
    layer = short.quantities[number]
    corner = f"{vertical.label} \\ {horizontal.label}"
    header = [corner, *(horizontal.at(n) for n in range(short.shape[2]))]
    rows = [
        [vertical.at(n), *(_shown(layer, value) for value in row)]
        for n, row in enumerate(layer.values[0])
    ]
    caption = f"{layer.label}, at each pixel"
    if short.factor > 1:
        caption = f"{layer.label}, means over areas of {short.factor} × {short.factor} pixels"
    return plain_table(header, rows), f"{caption}."


def _intervals(layers: Layers) -> bool:
    return any(layer.half_widths is not None for layer in layers.quantities)


def _shown(layer: Layer, value: Any) -> str:
    return f"{value:.{layer.decimals}f}" if np.isfinite(value) else "none"


def _with_width(layer: Layer, place: int) -> str:
    value = layer.values.flat[place]
    if layer.half_widths is None or not np.isfinite(value):
        return _shown(layer, value)
    return f"{_shown(layer, value)} ± {_shown(layer, layer.half_widths.flat[place])}"


def _interval(layer: Layer, place: int) -> str:
    value = layer.values.flat[place]
    if layer.half_widths is None or not np.isfinite(value):
        return "–"
    width = layer.half_widths.flat[place]
    return f"{_shown(layer, value - width)} to {_shown(layer, value + width)}"


def _mean(layer: Layer, frame: int) -> str:
    known = layer.values[frame][np.isfinite(layer.values[frame])]
    return _shown(layer, known.mean(dtype=np.float64)) if known.size else "none"
