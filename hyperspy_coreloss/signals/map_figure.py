"""Figures of many maps: rows of panels, of which some share their colours and a colour bar."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.layout_engine import ConstrainedLayoutEngine

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.panels import (
    decorate,
    draw_colour_bar,
    draw_curve,
    draw_map,
    height_over_width,
    is_curve,
    is_flat,
)
from hyperspy_coreloss.signals.scale_bar import can_have_scale_bar, draw_scale_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Widths of panels in inches: of those with a colour bar each, if they are tall, if they share it.
_OWN_WIDTH, _TALL_WIDTH, _SHARED_WIDTH = 4.2, 2.8, 2.8
_INCH = 25.4  # mm
_MARGIN = 0.1  # inches that keep labels off the edges of the figure
# In letters: labels and colour bar beside a map, a line of a title, labels and bars below it.
_BESIDE, _LINE, _BELOW, _BAR = 9.0, 1.5, 3.5, 5.0
_NUMBERS = 2.0  # below a map without a label
# Least width of a panel, if that of the figure is given.
_LEAST_WIDTH = 15
# Limits of the height of a panel over its width.
_FLATTEST, _TALLEST = 0.05, 4.0
# Height over width above which the height of panels limits the maps.
_TALL = 1.5
# Mean width of a letter over its size.
_NARROW = 0.55
# Of figures that are as wide as they are printed.
_PRINTED: dict[str, Any] = {
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.linewidth": 0.5,
    "lines.linewidth": 0.8,
    "lines.markersize": 3,
    **{f"{axis}tick.major.width": 0.5 for axis in "xy"},
    **{f"{axis}tick.major.size": 2.5 for axis in "xy"},
    "figure.dpi": 300,
}
_DECORATIONS = ("all", "ticks", "off")
_COLOUR_BARS = ("multi", None)


@dataclass(frozen=True)
class MapCell:
    """A map or a curve with its title, and the half widths of the intervals around a curve."""

    title: str
    shown: BaseSignal
    band: BaseSignal | None = None


@dataclass(frozen=True)
class Group:
    """Maps beside each other that share the limits of their colours, and a colour bar."""

    cells: Sequence[MapCell]
    limits: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True)
class Look:
    """What a figure looks like, in the arguments of :func:`.plot_maps`."""

    scalebar: bool | str | Sequence[int] | None = False
    axes_decor: str | None = None
    cmap: str | Colormap | None = None
    colorbar: str | None = "multi"
    suptitle: str = ""
    note: str = ""
    width: float | None = None
    style: Any = None

    def __post_init__(self) -> None:
        _check_choice("axes_decor", self.axes_decor, (*_DECORATIONS, None))
        _check_choice("colorbar", self.colorbar, _COLOUR_BARS)
        if isinstance(self.scalebar, str):
            _check_choice("scalebar", self.scalebar, ("all", True, False))
        if self.width is not None and not self.width > 0:
            msg = f"The width of a figure is a number of millimetres, but it is {self.width!r}."
            raise SignalError(msg)

    def decoration(self, shown: BaseSignal) -> str:
        """Return what is drawn of the axes of a map or a curve."""
        if is_curve(shown):
            return "all"
        with_bars = self.scalebar is not None and self.scalebar is not False
        return self.axes_decor or ("off" if with_bars and can_have_scale_bar(shown) else "all")

    def has_scale_bar(self, number: int) -> bool:
        """Return whether a map has a scale bar, by its number."""
        if self.scalebar is None or isinstance(self.scalebar, (bool, str)):
            return bool(self.scalebar)
        return number in self.scalebar

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Draw in the style of the figure."""
        given = self.style if isinstance(self.style, (list, tuple)) else [self.style]
        printed = [] if self.width is None else [_PRINTED]
        with plt.style.context([*printed, *(one for one in given if one is not None)]):
            yield


def columns_that_fit(width: float | None, wanted: int) -> int:
    """Return the number of panels in a row of a figure, whose width in mm may be given."""
    if width is None:
        return wanted
    return max(1, min(wanted, int(width / _INCH / (_LEAST_WIDTH * _letter()))))


def draw_figure(rows: Sequence[Sequence[Group]], look: Look) -> Figure:
    """Draw rows of groups of maps.

    Parameters
    ----------
    rows
        Groups of each row, from left to right.
    look
        What the figure looks like, which is applied already.

    Raises
    ------
    SignalError
        If a signal is neither a map nor a curve.
    """
    cells = [[cell for group in row for cell in group.cells] for row in rows]
    columns = max(map(len, cells))
    width = (look.width or 0) / _INCH or _usual_width(rows, columns)
    titles = [
        [_wrapped(cell.title, 0.9 * width / columns / _title_letter()) for cell in row]
        for row in cells
    ]
    height = _height(rows, titles, width, look)
    # Compressed panels, whose colour bars are as high as maps, let titles of narrow maps overlap,
    # and bars below flat ones.
    shape = height_over_width(cells[0][0].shown)
    layout: Any = "constrained" if shape > _TALL or is_flat(shape) else "compressed"
    figure, panels = plt.subplots(
        len(rows), columns, figsize=(width, height), squeeze=False, layout=layout
    )
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        # Where bars below a map end is known to the layout to some hundredths of an inch only.
        engine.set(w_pad=_margin(), h_pad=_margin(is_flat(shape)))
    number = 0
    for place, row in enumerate(rows):
        for panel in panels[place, len(cells[place]) :]:
            panel.set_axis_off()
        for panel, title in zip(panels[place], titles[place], strict=False):
            panel.set_title(title)
        first = 0
        for group in row:
            beside = panels[place, first : first + len(group.cells)]
            lowest = _is_lowest(cells, place, first + len(beside) - 1)
            _draw_group(beside, group, look, number, lowest)
            number, first = number + len(beside), first + len(beside)
    _draw_rims(panels, cells, look)
    if look.suptitle:
        figure.suptitle(look.suptitle)
    if look.note:
        figure.supxlabel(look.note, fontsize="small")
    return figure


def _draw_group(
    panels: Iterable[Axes], group: Group, look: Look, number: int, lowest: bool
) -> None:
    images, panels = [], list(panels)
    for panel, cell in zip(panels, group.cells, strict=True):
        if is_curve(cell.shown):
            draw_curve(panel, cell.shown, cell.band)
            continue
        images.append(draw_map(panel, cell.shown, group.limits, look.cmap))
        if look.has_scale_bar(number + len(images) - 1) and can_have_scale_bar(cell.shown):
            draw_scale_bar(panel, cell.shown.axes_manager.signal_axes[0])
    image = next((one for one in images if one is not None), None)
    if image is not None and look.colorbar is not None:
        labelled = lowest and look.decoration(group.cells[0].shown) == "all"
        distance = (_BELOW if labelled else _NUMBERS) * _letter()
        draw_colour_bar(panels, image, height_over_width(group.cells[0].shown), distance)


def _is_lowest(cells: Sequence[Sequence[MapCell]], place: int, column: int) -> bool:
    """Return whether there is no panel below one."""
    return not any(len(below) > column for below in cells[place + 1 :])


def _draw_rims(panels: Any, cells: Sequence[Sequence[MapCell]], look: Look) -> None:
    """Leave labels at the rim of the figure, and of maps what is wanted of their axes."""
    for place, row in enumerate(cells):
        for column, cell in enumerate(row):
            lowest = _is_lowest(cells, place, column)
            decoration = look.decoration(cell.shown)
            decorate(panels[place, column], decoration, lowest=lowest, leftmost=column == 0)


def _usual_width(rows: Sequence[Sequence[Group]], columns: int) -> float:
    """Return the width in inches of a figure that is not printed."""
    shared = any(len(group.cells) > 1 for row in rows for group in row)
    bars = max(map(len, rows))
    if shared:
        return columns * _SHARED_WIDTH + bars
    tall = height_over_width(rows[0][0].cells[0].shown) > _TALL
    return columns * (_TALL_WIDTH if tall else _OWN_WIDTH)


def _height(
    rows: Sequence[Sequence[Group]], titles: Sequence[Sequence[str]], width: float, look: Look
) -> float:
    """Return the height in inches that maps of their shape, and all beside them, need."""
    letter, first = _letter(), rows[0][0].cells[0].shown
    shape = height_over_width(first)
    curve, flat = is_curve(first), is_flat(shape)
    off = look.decoration(first) == "off"
    columns = max(len(row) for row in titles)
    bars = 0 if curve or flat or look.colorbar is None else max(map(len, rows))
    around = columns * (_BESIDE - 5.5) + bars * 5.5 + 1
    inner = max(width - around * letter, width / 3) / columns
    panel = inner * float(np.clip(shape, _FLATTEST, _TALLEST))
    height = 0.0
    for place, row in enumerate(titles):
        lines = max(title.count("\n") + 1 for title in row)
        below = _BELOW if place == len(titles) - 1 or off else _BELOW - 1.5
        below += _BAR if flat and look.colorbar is not None and not curve else 0
        title = lines * _LINE * _title_letter() / _NARROW
        height += panel + title + below * letter + 2 * _margin(flat)
    extra = (3.0 if look.suptitle else 0) + (2.5 if look.note else 0)
    return float(height + extra * letter)


def _margin(flat: bool = False) -> float:
    """Return the margin around panels in inches; above and below flat ones, it is larger."""
    return min(_MARGIN, 0.5 * _letter() + 0.03) * (2 if flat else 1)


def _letter() -> float:
    """Return the size of letters in inches."""
    return float(plt.rcParams["font.size"]) / 72


def _title_letter() -> float:
    """Return the width of letters of titles in inches."""
    size = plt.rcParams["axes.titlesize"]
    factor = 1.2 if isinstance(size, str) else float(size) / float(plt.rcParams["font.size"])
    return _letter() * factor * _NARROW


def _wrapped(title: str, letters: float) -> str:
    lines = [textwrap.wrap(line, max(int(letters), 10)) for line in title.split("\n")]
    return "\n".join(part for line in lines for part in line)


def _check_choice(name: str, given: Any, choices: Sequence[Any]) -> None:
    if given not in choices:
        listed = ", ".join(map(repr, choices))
        msg = f"{name} must be one of {listed}, but it is {given!r}."
        raise SignalError(msg)
