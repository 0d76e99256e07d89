"""Figures of predicted properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps

from hyperspy_coreloss.errors import SignalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.signal import BaseSignal
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3


def plot_maps(maps: Sequence[BaseSignal]) -> Figure:
    """Plot maps side by side, each with its own colour bar; line scans become curves.

    Parameters
    ----------
    maps
        Signals with one or two signal axes and no navigation axes, for example from
        :meth:`~hyperspy_coreloss.CoreLossPropertySignal.as_maps`.

    Raises
    ------
    SignalError
        If a map has neither one nor two axes.
    """
    columns = min(_COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    figure, panels = plt.subplots(
        rows, columns, figsize=(4.2 * columns, 3.4 * rows), squeeze=False, layout="constrained"
    )
    for panel in panels.flat[len(maps) :]:
        panel.set_axis_off()
    for panel, property_map in zip(panels.flat, maps, strict=False):
        dimension = property_map.axes_manager.signal_dimension
        if dimension not in (1, 2) or property_map.axes_manager.navigation_dimension:
            msg = f"Maps of one or two dimensions can be plotted, but {property_map} is neither."
            raise SignalError(msg)
        panel.set_title(property_map.metadata.Signal.quantity)
        (_draw_line if dimension == 1 else _draw_image)(panel, property_map)
    return figure


def _draw_image(panel: Axes, image: BaseSignal) -> None:
    values = np.asarray(image.data)
    horizontal, vertical = image.axes_manager.signal_axes
    colours = colormaps["viridis"].with_extremes(bad="0.85")
    mesh = panel.pcolormesh(
        horizontal.axis,
        vertical.axis,
        np.ma.masked_invalid(values),
        cmap=colours,
        shading="nearest",
        rasterized=True,
    )
    panel.set_facecolor("0.85")
    panel.invert_yaxis()
    if horizontal.units == vertical.units:
        panel.set_aspect("equal")
    panel.set_xlabel(_axis_label(horizontal))
    panel.set_ylabel(_axis_label(vertical))
    panel.figure.colorbar(mesh, ax=panel)


def _draw_line(panel: Axes, line: BaseSignal) -> None:
    (position,) = line.axes_manager.signal_axes
    panel.plot(position.axis, np.asarray(line.data), ".-")
    panel.set_xlabel(_axis_label(position))


def _axis_label(axis: object) -> str:
    name, units = getattr(axis, "name", ""), getattr(axis, "units", "")
    name = name if isinstance(name, str) else ""
    return f"{name} ({units})" if isinstance(units, str) and units else name
