"""HyperSpy's interactive plot of a result, with the properties by name and in comparable numbers.

The properties have different units. They are therefore plotted as deviations from their median, in
half widths of the prediction interval, and the navigator is the map of one property.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from hyperspy.signals import BaseSignal, Signal1D

from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.properties import property_index
from hyperspy_coreloss.signals.axes import property_axis
from hyperspy_coreloss.signals.held_out_errors import scores_of
from hyperspy_coreloss.signals.metadata import (
    SPREAD,
    forget_properties,
    get_map,
    label_of,
    set_label,
    title_of,
)
from hyperspy_coreloss.signals.panels import property_colours
from hyperspy_coreloss.signals.positions import items_along, property_positions
from hyperspy_coreloss.signals.summary import rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_LEVEL = 0.9
_INTERVAL = f"half widths of the {_LEVEL:.0%} interval"
_IMAGE = 2  # axes
_CURVE = "C0"  # of the style, so that it stands out from dark backgrounds
_DEVIATION = "standard deviations of the map"


def plot_pixels(result: BaseSignal, navigator: Any, options: dict[str, Any]) -> None:
    """Plot the properties of one pixel, which is selected in the map or curve of one property.

    Parameters
    ----------
    result
        Result in memory that has the properties along its only signal axis.
    navigator
        Name of a property, or a navigator as in HyperSpy; ``"auto"`` is the first property.
    options
        Further options of HyperSpy's ``plot``.
    """
    names = items_along(result, "names")
    if isinstance(navigator, str) and navigator in ("auto", *names):
        navigator = _selected(result, navigator, names, options)
    centre, scale, unit = _centre_and_scale(result)
    shown = result.deepcopy()
    forget_properties(shown, title_of(result))
    shown.data = (result.data - centre) / scale
    set_label(shown, "deviation from the median")
    options = {"axes_manager": result.axes_manager, **options}
    shown.plot(navigator, **options)
    # The result has the plot, so that HyperSpy's regions of interest find it.
    result._plot = shown._plot
    panel = shown._plot.signal_plot.ax
    lines = [
        f"{title}\n{rounded(middle, width)}\n{units}"
        for (title, units), middle, width in zip(_titles(result), centre, scale, strict=True)
    ]
    _name_positions(panel, property_axis(result), lines)
    panel.set_title(f"{title_of(result)}\nin {unit}", fontsize="medium")
    # A shade of the background, light or dark.
    panel.axhspan(-1, 1, color=plt.rcParams["text.color"], alpha=0.1, linewidth=0, zorder=0)
    if shown._plot.navigator_plot is not None and isinstance(navigator, BaseSignal):
        _name_navigator(shown._plot.navigator_plot.ax, navigator)


def plot_properties(result: BaseSignal, plot: Any, navigator: Any, options: dict[str, Any]) -> None:
    """Plot the map or curve of one property, which is selected in a list of the properties.

    Parameters
    ----------
    result
        Result in memory that has the properties along its only navigation axis.
    plot
        HyperSpy's ``plot`` of the result.
    navigator, options
        Options of this function. ``"auto"`` shows how much each property varies.
    """
    image = result.axes_manager.signal_dimension == 2
    if image:
        options = {"cmap": property_colours(), **options}
    named = isinstance(navigator, str) and navigator == "auto"
    plot(_variation(result) if named else navigator, **options)
    if not image:
        result._plot.signal_plot.ax.set_ylabel("selected property")
    if named:
        panel = result._plot.navigator_plot.ax
        panel.set_title("How much each property varies", fontsize="medium")
        panel.set_ylabel(f"range in {_centre_and_scale(result)[-1]}")
        panel.lines[0].set_color(_CURVE)
        lines = [f"{title}\n({units})" for title, units in _titles(result)]
        _name_positions(panel, property_axis(result), lines)


def medians(result: BaseSignal) -> tuple[tuple[str, float, float], ...]:
    """Return the label, the median and the half width of the interval of each property."""
    centre, scale, unit = _centre_and_scale(result)
    width = scale if unit == _INTERVAL else np.full_like(scale, np.nan)
    return tuple(zip(items_along(result, "labels"), centre.tolist(), width.tolist(), strict=True))


def _selected(
    result: BaseSignal, name: str, names: tuple[str, ...], options: dict[str, Any]
) -> BaseSignal | str:
    """Return the map or curve of one property as a navigator, and set its colours."""
    dimension = result.axes_manager.navigation_dimension
    if not dimension:
        return "auto"
    selected = result.isig[0 if name == "auto" else property_index(name, names)]
    if dimension > 1:
        known = bool(np.isfinite(selected.data).any())
        colours = {"cmap": property_colours(), "colorbar": known, "scalebar": known}
        options["navigator_kwds"] = {**colours, **options.get("navigator_kwds", {})}
    if dimension > _IMAGE and np.isfinite(selected.data).any():
        # HyperSpy replaces NaN by zero here, which would be far below all values of the map.
        selected.data = np.fmax(selected.data, np.nanmin(selected.data))
    return selected.T


def _variation(result: BaseSignal) -> BaseSignal:
    """Return how much each property varies between the pixels, in comparable numbers."""
    _, scale, _ = _centre_and_scale(result)
    low, high = np.percentile(_table(result), [5, 95], axis=0)
    axis = {**property_axis(result).get_axis_dictionary(), "navigate": False}
    return Signal1D((high - low) / scale, axes=[axis])


def _centre_and_scale(result: BaseSignal) -> tuple[NDArray, NDArray, str]:
    """Return the median of each property, what its deviations are measured in, and their unit."""
    table = _table(result)
    scores, unit = scores_of(result), _INTERVAL
    if scores is None:
        scale, unit = table.std(axis=0), _DEVIATION
    else:
        spread = get_map(result, SPREAD)
        usual = 1.0 if spread is None else np.median(_table(result, spread.data), axis=0)
        scale = conformal_half_width(scores, _LEVEL)[property_positions(result)] * usual
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    return np.median(table, axis=0), scale, unit


def _table(result: BaseSignal, values: Any = None) -> NDArray:
    """Return the properties of the pixels that have any, or one row of NaN; or other values."""
    values = result.data if values is None else values
    data = np.moveaxis(np.asarray(values), property_axis(result).index_in_array, -1)
    table = data.reshape(-1, data.shape[-1])
    known = table[np.isfinite(table).all(axis=-1)]
    return known if len(known) else np.full((1, table.shape[-1]), np.nan)


def _titles(result: BaseSignal) -> list[tuple[str, str]]:
    """Return the title, one word a line, and the unit of each property."""
    parts = (label.rpartition(" (") for label in items_along(result, "labels"))
    return [(title.replace(" ", "\n"), units.removesuffix(")")) for title, _, units in parts]


def _name_navigator(panel: Axes, navigator: BaseSignal) -> None:
    label = label_of(navigator)
    panel.set_title(label)
    if navigator.axes_manager.signal_dimension == 1:
        panel.set_ylabel(label)
        panel.lines[0].set_color(_CURVE)


def _name_positions(panel: Axes, axis: Any, lines: list[str]) -> None:
    panel.set_xticks(axis.axis, lines, fontsize="x-small")
    panel.set_xlabel("")
    panel.set_xlim(axis.axis[0] - 0.5, axis.axis[-1] + 0.5)
    panel.figure.subplots_adjust(bottom=0.28)
