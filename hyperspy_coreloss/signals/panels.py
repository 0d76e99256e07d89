"""One map, or one curve along a line, drawn into the panel of a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import ScalarFormatter
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from hyperspy_coreloss.errors import SignalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap

#: Height over width of curves, and of maps whose axes have different units.
SQUAT = 0.85
# Viridis is told apart by readers who cannot tell red from green, and in print without colours.
_COLOURS = "viridis"
_GREY = "0.85"
# Height over width below which the colour bar lies below the map.
_FLAT = 0.4
_THICK = 0.08  # of a colour bar below a map, in inches
# Height over width below which the vertical axis has room for one number.
_STRIP = 0.12
_BAND = 0.3  # opacity


def property_colours(cmap: str | Colormap | None = None) -> Colormap:
    """Return the colours of maps, in which pixels without a prediction are grey.

    Parameters
    ----------
    cmap
        Colour map of matplotlib; the default is viridis.
    """
    return plt.get_cmap(cmap or _COLOURS).with_extremes(bad=_GREY)


def is_curve(property_map: BaseSignal) -> bool:
    """Return whether a map has one axis only, and is drawn as a curve.

    Raises
    ------
    SignalError
        If the signal is neither a map nor a line scan.
    """
    axes = property_map.axes_manager
    if axes.signal_dimension not in (1, 2) or axes.navigation_dimension:
        msg = (
            "A map needs one or two signal axes and no navigation axes to be plotted, but "
            f"{property_map} has {axes.signal_dimension} signal axes and "
            f"{axes.navigation_dimension} navigation axes. Transpose it, or read its values from "
            "its data."
        )
        raise SignalError(msg)
    return bool(axes.signal_dimension == 1)


def height_over_width(property_map: BaseSignal) -> float:
    """Return the height of a map over its width, as it is drawn."""
    axes = property_map.axes_manager.signal_axes
    if len(axes) != 2 or axes[0].units != axes[1].units:
        return SQUAT
    (left, right), (top, bottom) = (_ends(axis) for axis in axes)
    return float(abs((bottom - top) / (right - left)))


def is_flat(shape: float) -> bool:
    """Return whether the colour bar of a map lies below it, by its height over its width."""
    return shape < _FLAT


def draw_curve(panel: Axes, property_map: BaseSignal, half_width: BaseSignal | None) -> None:
    """Draw a curve along a line, with the interval of each point as a band if it is given."""
    (position,) = property_map.axes_manager.signal_axes
    values = np.asarray(property_map.data)
    (line,) = panel.plot(position.axis, values, ".-")
    if half_width is not None:
        width = np.asarray(half_width.data)
        ends = values - width, values + width
        panel.fill_between(position.axis, *ends, color=line.get_color(), alpha=_BAND, linewidth=0)
    panel.set_xlabel(axis_label(position))
    panel.ticklabel_format(axis="y", useOffset=False)


def draw_map(
    panel: Axes,
    property_map: BaseSignal,
    limits: tuple[float | None, float | None],
    cmap: str | Colormap | None = None,
) -> ScalarMappable | None:
    """Draw a map, and return what a colour bar is for: None if no pixel has a value."""
    horizontal, vertical = property_map.axes_manager.signal_axes
    values = np.ma.masked_invalid(np.asarray(property_map.data))
    style: dict[str, Any] = {"cmap": property_colours(cmap), "vmin": limits[0], "vmax": limits[1]}
    image: ScalarMappable
    if all(axis.is_uniform and axis.scale > 0 for axis in (horizontal, vertical)):
        # Without interpolation, vector graphics hold the pixels themselves.
        extent = (*_ends(horizontal), *_ends(vertical)[::-1])
        image = panel.imshow(values, extent=extent, aspect="auto", interpolation="none", **style)
    else:
        sides = horizontal.axis, vertical.axis
        image = panel.pcolormesh(*sides, values, shading="nearest", rasterized=True, **style)
        panel.set_facecolor(_GREY)
        if not panel.yaxis_inverted():
            panel.invert_yaxis()
    if horizontal.units == vertical.units:
        panel.set_aspect("equal")
    panel.set_xlabel(axis_label(horizontal))
    panel.set_ylabel(axis_label(vertical))
    shape = height_over_width(property_map)
    if horizontal.size == 1 or shape > 1 / _STRIP:
        panel.set_xticks([horizontal.axis[-1]])
    if vertical.size == 1 or shape < _STRIP:
        panel.set_yticks([vertical.axis[-1]])
    if values.count():
        return image
    panel.text(
        *(0.5, 0.5),
        "no prediction",
        transform=panel.transAxes,
        horizontalalignment="center",
        verticalalignment="center",
        color="0.3",
    )
    return None


def decorate(panel: Axes, decoration: str, *, lowest: bool, leftmost: bool) -> None:
    """Leave of the axes of a map what is wanted; labels are drawn at the rim of the figure only."""
    if decoration == "off":
        panel.set_axis_off()
    if decoration != "all" or not lowest:
        panel.set_xlabel("")
    if decoration != "all" or not leftmost:
        panel.set_ylabel("")


def draw_colour_bar(
    panels: Sequence[Axes], image: ScalarMappable, shape: float, distance: float
) -> None:
    """Draw one colour bar for panels beside each other; below the last one if they are flat.

    Parameters
    ----------
    panels
        Panels that share it.
    image
        What it is for.
    shape
        Height of a panel over its width.
    distance
        Distance of a bar below, which leaves room for the labels of the axis, in inches.
    """
    figure = panels[0].figure
    if is_flat(shape):
        # Matplotlib would place it by fractions of the height of the panel, which may be tiny.
        bottom = figure.dpi_scale_trans + ScaledTranslation(
            0,
            0,
            panels[-1].transAxes,  # type: ignore[arg-type]  # any transform will do
        )
        place = blended_transform_factory(panels[-1].transAxes, bottom)
        below = panels[-1].inset_axes((0, -distance - _THICK, 1, _THICK), transform=place)
        bar = figure.colorbar(image, cax=below, orientation="horizontal")
    else:
        aspect = 20 * max(shape, 1.0)
        bar = figure.colorbar(image, ax=list(panels), aspect=aspect, fraction=0.1)
    if isinstance(bar.formatter, ScalarFormatter):
        bar.formatter.set_useOffset(False)
        bar.update_ticks()


def axis_label(axis: object) -> str:
    """Return the name of an axis with its units in parentheses."""
    name, units = getattr(axis, "name", ""), getattr(axis, "units", "")
    name = name if isinstance(name, str) else ""
    return f"{name} ({units})" if isinstance(units, str) and units else name


def _ends(axis: Any) -> tuple[float, float]:
    """Return where the first pixel of an axis begins and the last one ends."""
    values = np.asarray(axis.axis, dtype=float)
    steps = np.diff(values) if len(values) > 1 else [getattr(axis, "scale", 1.0)]
    return values[0] - steps[0] / 2, values[-1] + steps[-1] / 2
