"""The same quantities as a still picture: for paper, and for browsers without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from hyperspy_coreloss.pages.layers import Layer, Layers, PositionAxis

_COLUMNS = 3
# Sizes in inches: a page of A4 between its margins, and limits of the height of one panel.
_WIDTH, _LOWEST, _HIGHEST, _CURVE, _LABELS = 7.0, 0.5, 4.0, 1.3, 0.65
# Height over width of maps whose axes have different units, and the width of labels beside a map.
_SQUAT, _BESIDE = 0.85, 0.9


def printed(layers: Layers, colours: Colormap) -> Figure:
    """Return a figure of the first frame of all quantities.

    Parameters
    ----------
    layers
        The quantities, on more than one pixel.
    colours
        Colours of the maps; its colour of bad values is that of pixels without one.
    """
    count = len(layers.quantities)
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    maps = len(layers.axes) > 1
    height = _map_height(layers, _WIDTH / columns) if maps else _CURVE
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(_WIDTH, (height + _LABELS) * rows),
        squeeze=False,
        layout="constrained",
    )
    for panel in panels.flat[count:]:
        panel.set_axis_off()
    for panel, layer in zip(panels.flat, layers.quantities, strict=False):
        panel.set_title(layer.label, fontsize=8)
        panel.tick_params(labelsize=6)
        draw = _draw_map if maps else _draw_curve
        draw(panel, layers, layer, colours)
    return figure


def _map_height(layers: Layers, width: float) -> float:
    left, right, bottom, top = _corners(layers)
    same = layers.axes[-1].units == layers.axes[-2].units
    shape = abs((top - bottom) / (right - left)) if same else _SQUAT
    return float(np.clip(shape * (width - _BESIDE), _LOWEST, _HIGHEST))


def _ends(axis: PositionAxis) -> tuple[float, float]:
    """Return the outer ends of the pixels of an axis, which counts pixels if it is uneven."""
    size = len(axis.positions)
    first, last = (axis.positions[0], axis.positions[-1]) if axis.even else (0, size - 1)
    half = (last - first) / max(size - 1, 1) / 2 or 0.5
    return float(first - half), float(last + half)


def _corners(layers: Layers) -> tuple[float, float, float, float]:
    top, bottom = _ends(layers.axes[-2])
    return *_ends(layers.axes[-1]), bottom, top


def _draw_map(panel: Axes, layers: Layers, layer: Layer, colours: Colormap) -> None:
    vertical, horizontal = layers.axes[-2:]
    low, high = layer.extent
    image = panel.imshow(
        np.ma.masked_invalid(layer.values[0]),
        extent=_corners(layers),
        cmap=colours,
        vmin=low,
        vmax=high,
        aspect="equal" if horizontal.units == vertical.units else "auto",
        interpolation="nearest",
    )
    panel.set_xlim(*sorted(_ends(horizontal)))
    panel.set_ylim(*sorted(_ends(vertical), reverse=True))
    panel.set_xlabel(_label(horizontal), fontsize=7)
    panel.set_ylabel(_label(vertical), fontsize=7)
    if np.isfinite(layer.values[0]).any():
        bar = panel.figure.colorbar(image, ax=panel, shrink=0.9)
        bar.ax.tick_params(labelsize=6)


def _draw_curve(panel: Axes, layers: Layers, layer: Layer, colours: Colormap) -> None:
    axis, values = layers.axes[-1], layer.values[0, 0]
    first, last = _ends(axis)
    half = (last - first) / len(values) / 2
    places = np.linspace(first + half, last - half, len(values))
    for place in places[~np.isfinite(values)]:
        panel.axvspan(place - half, place + half, color=colours.get_bad(), linewidth=0)
    if layer.half_widths is not None:
        widths = layer.half_widths[0, 0]
        panel.fill_between(places, values - widths, values + widths, alpha=0.25, linewidth=0)
    panel.plot(places, values, ".-", linewidth=0.8, markersize=2)
    panel.set_xlim(*sorted((first, last)))
    if layer.limits is not None:
        panel.set_ylim(layer.limits)
    panel.set_xlabel(_label(axis), fontsize=7)


def _label(axis: PositionAxis) -> str:
    return axis.label if axis.even else f"{axis.name or 'position'}, pixel number"
