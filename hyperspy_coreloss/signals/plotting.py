"""Figures of predicted properties: maps, and comparisons of predicted with true maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.layout_engine import ConstrainedLayoutEngine

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.metadata import label_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.signal import BaseSignal
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_COLUMNS = 3
_LARGEST = 36  # maps in one figure
# Sizes in inches. A panel holds a map and its colour bar, a block two maps and one colour bar;
# titles and labels add to the height. The margin keeps labels off the edges of the figure.
_PANEL_WIDTH, _MAP_WIDTH, _PANEL_LABELS = 4.2, 3.0, 0.8
_BLOCK_WIDTH, _HALF_WIDTH, _BLOCK_LABELS = 6.0, 2.2, 1.2
_MARGIN = 0.1
# Height over width of curves and of maps with different units, and the limits of other maps.
_SQUAT, _FLATTEST, _TALLEST = 0.85, 0.25, 2.5


class Mapped(Protocol):
    """A result that provides a map of each property."""

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties."""

    def get_property_map(self, name: str) -> BaseSignal:
        """Return the map of one property."""


def property_colours() -> Colormap:
    """Return the colours of maps, in which pixels without a prediction are grey."""
    return plt.get_cmap("viridis").with_extremes(bad="0.85")


def plot_maps(maps: Sequence[BaseSignal]) -> Figure:
    """Plot maps side by side, each with its own colour bar; line scans are plotted as curves.

    Parameters
    ----------
    maps
        Signals with one or two signal axes, for example from
        :meth:`~hyperspy_coreloss.CoreLossPropertySignal.as_maps`. Of signals with two, the maps at
        all navigation positions are plotted.

    Raises
    ------
    SignalError
        If a map does not have one or two signal axes, or there are too many maps.
    """
    parts = [part for one in maps for part in _parts(one)]
    if len(parts) > _LARGEST:
        msg = (
            f"At most {_LARGEST} maps are plotted in one figure, but there are {len(parts)}. "
            "Select fewer positions along the third navigation axis, or fewer properties."
        )
        raise SignalError(msg)
    columns = min(max(_COLUMNS, len(parts) // len(maps)), len(parts))
    rows = -(-len(parts) // columns)
    height = _MAP_WIDTH * _height_over_width(parts[0][1]) + _PANEL_LABELS
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(_PANEL_WIDTH * columns, height * rows),
        squeeze=False,
        layout="constrained",
    )
    _set_margin(figure)
    for panel in panels.flat[len(parts) :]:
        panel.set_axis_off()
    for panel, (label, property_map) in zip(panels.flat, parts, strict=False):
        _draw(panel, property_map)
        panel.set_title(label)
    return figure


def _parts(property_map: BaseSignal) -> list[tuple[str, BaseSignal]]:
    """Return the maps at all positions of a stack of maps, each with its label."""
    axes = property_map.axes_manager
    if axes.signal_dimension != 2 or not axes.navigation_dimension:
        return [(label_of(property_map), property_map)]
    parts = []
    for indices in np.ndindex(*axes.navigation_shape):
        part = property_map.inav[indices]
        where = (
            f"{_axis_label(axis)} = {axis.axis[index]:g}"
            for axis, index in zip(axes.navigation_axes, indices, strict=True)
        )
        parts.append((f"{label_of(property_map)}\n{', '.join(where)}", part))
    return parts


def plot_comparison(predicted: Mapped, reference: Mapped) -> Figure:
    """Plot the maps of two results side by side, with one colour scale per property.

    Parameters
    ----------
    predicted, reference
        Results of the same shape, for example a prediction and the true properties from
        :func:`hyperspy_coreloss.data.silica_spectrum_image`.
    """
    names = predicted.property_names
    rows = -(-len(names) // 2)
    shape = _height_over_width(reference.get_property_map(names[0]))
    height = _HALF_WIDTH * shape + _BLOCK_LABELS
    figure = plt.figure(figsize=(2 * _BLOCK_WIDTH, height * rows), layout="constrained")
    _set_margin(figure)
    blocks = figure.subfigures(rows, 2, squeeze=False)
    for block, name in zip(blocks.flat, names, strict=False):
        maps = [result.get_property_map(name) for result in (reference, predicted)]
        values = np.asarray(maps[0].data)
        limits = (float(np.nanmin(values)), float(np.nanmax(values)))
        left, right = block.subplots(1, 2, sharex=True, sharey=True)
        _draw(left, maps[0], limits, colour_bar=False)
        _draw(right, maps[1], limits)
        left.set_title("true")
        right.set_title("predicted")
        right.set_ylabel("")
        block.suptitle(label_of(maps[0]))
    return figure


def _height_over_width(property_map: BaseSignal) -> float:
    """Return the height of a map over its width, as it is drawn."""
    axes = property_map.axes_manager.signal_axes
    if len(axes) != 2 or axes[0].units != axes[1].units:
        return _SQUAT
    # Pixels have the width of the mean step.
    width, height = (np.ptp(axis.axis) * axis.size / max(axis.size - 1, 1) for axis in axes)
    if not width or not height:
        return _SQUAT
    return float(np.clip(height / width, _FLATTEST, _TALLEST))


def _set_margin(figure: Figure) -> None:
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(w_pad=_MARGIN, h_pad=_MARGIN)


def _draw(
    panel: Axes,
    property_map: BaseSignal,
    limits: tuple[float | None, float | None] = (None, None),
    *,
    colour_bar: bool = True,
) -> None:
    axes = property_map.axes_manager
    if axes.signal_dimension not in (1, 2) or axes.navigation_dimension:
        msg = (
            "A map needs one or two signal axes and no navigation axes to be plotted, but "
            f"{property_map} has {axes.signal_dimension} signal axes and "
            f"{axes.navigation_dimension} navigation axes. Transpose it, or read its values from "
            "its data."
        )
        raise SignalError(msg)
    if axes.signal_dimension == 1:
        (position,) = axes.signal_axes
        panel.plot(position.axis, np.asarray(property_map.data), ".-")
        panel.set_xlabel(_axis_label(position))
        return
    horizontal, vertical = axes.signal_axes
    image = panel.pcolormesh(
        horizontal.axis,
        vertical.axis,
        np.ma.masked_invalid(np.asarray(property_map.data)),
        vmin=limits[0],
        vmax=limits[1],
        cmap=property_colours(),
        shading="nearest",
        rasterized=True,
    )
    panel.set_facecolor("0.85")  # pixels without a prediction
    if not panel.yaxis_inverted():
        panel.invert_yaxis()
    if horizontal.units == vertical.units:
        panel.set_aspect("equal")
    panel.set_xlabel(_axis_label(horizontal))
    panel.set_ylabel(_axis_label(vertical))
    if colour_bar:
        panel.figure.colorbar(image, ax=panel, shrink=0.8)


def _axis_label(axis: object) -> str:
    name, units = getattr(axis, "name", ""), getattr(axis, "units", "")
    name = name if isinstance(name, str) else ""
    return f"{name} ({units})" if isinstance(units, str) and units else name
