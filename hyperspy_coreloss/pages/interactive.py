"""Maps and curves that can be zoomed and read with pointer and keyboard: the owner of Bokeh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.document import Document
from bokeh.embed import components
from bokeh.events import DocumentReady, MouseMove, Tap
from bokeh.models import (
    BoxZoomTool,
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    LinearColorMapper,
    PanTool,
    PrintfTickFormatter,
    Range1d,
    ResetTool,
    SaveTool,
    VSpan,
    WheelZoomTool,
)
from bokeh.plotting import figure
from bokeh.resources import Resources

from hyperspy_coreloss.pages.numbers import (
    LAST,
    curve_columns,
    description_of,
    frame_columns,
    places_of,
    scales_of,
    step_of,
)
from hyperspy_coreloss.pages.ticks import round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.pages.layers import Layer, Layers, PositionAxis

_HERE = Path(__file__).parent
# Width of a map, and of a curve, in pixels of the screen; they fit a telephone of 400 pixels.
_WIDTH, _CURVE = 264, (264, 170)
# Height over width of maps whose axes have different units, and the limits of other maps.
_SQUAT, _FLATTEST, _TALLEST = 0.85, 0.2, 1.8
_NARROWEST = 40
# Room for the numbers beside an axis, so that all figures of a column are in line; and that for one
# number along an axis.
_BESIDE, _NUMBER = 52, 50
# Colours of curves and of axes, which are seen on white and on black.
_LINE, _RULE = "#3f8fcf", "#878f99"


@dataclass(frozen=True, slots=True)
class Interactive:
    """Parts of a page that show quantities interactively.

    Parameters
    ----------
    library
        Scripts of the plotting library.
    script
        Script with the data and the figures.
    figures
        Markup of each figure, in the order of the quantities; the last is that of the codes, if
        they are shown.
    """

    library: str
    script: str
    figures: tuple[str, ...]


def interactive(
    layers: Layers,
    colours: Sequence[str],
    missing: str,
    code_colours: Sequence[tuple[int, str]] = (),
) -> Interactive:
    """Return figures of all quantities, whose pixels, zoom and pan are linked.

    Parameters
    ----------
    layers
        The quantities, on more than one pixel.
    colours, missing
        Colours of the maps, from the lowest value to the highest, and of pixels without a value.
    code_colours
        Codes and their colours, to show the map of the codes too.
    """
    maps = len(layers.axes) > 1
    x = places_of(layers.axes[-1])
    y = places_of(layers.axes[-2]) if maps else np.zeros(1)
    ranges = _range(x), _range(y, falling=True) if maps else None
    scales = scales_of(layers) if maps else {}
    source = ColumnDataSource(
        {name: frames[:1] for name, frames in frame_columns(layers).items()}
        if maps
        else curve_columns(layers)
    )
    cursor = ColumnDataSource({"x": [], "y": []})
    count = range(len(layers.quantities))
    if maps:
        drawn = _Drawn(layers, source, scales, ranges, _map_size(layers.axes, ranges))
        plots = [_map(drawn, number, colours, missing) for number in count]
        plots += [_code_map(drawn, code_colours)] if code_colours else []
    else:
        plots = [_curve(layers, number, source, ranges[0], missing) for number in count]
    document = Document()
    for plot in plots:
        _mark(plot, cursor, maps)
    with document.models.freeze():  # else all models are gone through for each
        for plot in plots:
            document.add_root(plot)
    arguments = {
        "source": source,
        "frames": ColumnDataSource(frame_columns(layers)) if layers.shape[0] > 1 else None,
        "cursor": cursor,
        "plots": plots,
        "x_range": ranges[0],
        "y_range": ranges[1],
        "description": description_of(layers, scales, x, y),
    }
    code = (_HERE / "pixel.js").read_text(encoding="utf-8")
    document.js_on_event(DocumentReady, CustomJS(args=arguments, code=code))
    script, figures = components(plots)
    library = Resources(mode="inline", components=["bokeh"], minified=True).render_js()
    return Interactive(library, script, tuple(figures))


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """What the maps of one page share."""

    layers: Layers
    source: Any
    scales: dict[str, tuple[float, float]]
    ranges: Any
    size: tuple[int, int]


def _range(places: NDArray[np.float64], *, falling: bool = False) -> Any:
    half = abs(step_of(places)) / 2
    low, high = float(places.min()) - half, float(places.max()) + half
    ends = (high, low) if falling else (low, high)
    return Range1d(start=ends[0], end=ends[1], bounds=(low, high))


def _map_size(axes: Sequence[PositionAxis], ranges: Any) -> tuple[int, int]:
    """Return width and height of maps in pixels of the screen."""
    width, height = (abs(one.end - one.start) for one in ranges)
    same = axes[-1].units == axes[-2].units and axes[-1].even and axes[-2].even
    shape = height / width if same else _SQUAT
    if shape > _TALLEST:
        return max(round(_TALLEST * _WIDTH / shape), _NARROWEST), round(_TALLEST * _WIDTH)
    return _WIDTH, round(max(shape, _FLATTEST) * _WIDTH)


def _tools(*, square: bool) -> list[Any]:
    # Without Ctrl, the wheel scrolls the page.
    wheel = WheelZoomTool(modifiers={"ctrl": True})
    return [PanTool(), BoxZoomTool(match_aspect=square), wheel, ResetTool(), SaveTool()]


def _figure(title: str, axis: PositionAxis, size: tuple[int, int], tools: Any, **more: Any) -> Any:
    plot = figure(
        frame_width=size[0],
        frame_height=size[1],
        title=title,
        tools=tools,
        toolbar_location="right",
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        min_border_left=_BESIDE,
        # For the title of a narrow map.
        min_border_right=max(_WIDTH - size[0], 0),
        **more,
    )
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.toolbar.active_scroll = tools[2]
    plot.grid.visible = False
    plot.title.text_font_size = "14px"
    plot.xaxis.axis_label = axis.label
    _label_positions(plot.xaxis, axis)
    for place, length in zip((plot.xaxis, plot.yaxis), size, strict=True):
        place.axis_label_text_font_style = "normal"
        place.ticker.desired_num_ticks = min(max(length // _NUMBER, 1), 4)
        place.axis_line_color = place.major_tick_line_color = _RULE
        place.minor_tick_line_color = None
    return plot


def _label_positions(place: Any, axis: PositionAxis) -> None:
    if axis.even and len(axis.positions) > 1:
        return
    place.formatter = CustomJSTickFormatter(
        args={"positions": [float(f"{value:.4g}") for value in axis.positions]},
        code="return positions[tick] === undefined ? '' : `${positions[tick]}`",
    )


def _map(drawn: _Drawn, number: int, colours: Sequence[str], missing: str) -> Any:
    layer = drawn.layers.quantities[number]
    mapper = LinearColorMapper(palette=colours, low=1, high=LAST, low_color=missing)
    plot = _picture(drawn, layer.label, f"value_{number}", mapper, _map_hover(drawn, number))
    along = drawn.size[0] > drawn.size[1] or drawn.size[0] > 3 * _NUMBER
    plot.add_layout(_colour_bar(layer, colours, along=along), "below" if along else "right")
    return plot


def _colour_bar(layer: Layer, colours: Sequence[str], *, along: bool) -> ColorBar:
    low, high = layer.extent
    ticks, decimals = round_ticks(low, high)
    return ColorBar(
        color_mapper=LinearColorMapper(palette=colours, low=low, high=high),
        ticker=FixedTicker(ticks=ticks),
        formatter=PrintfTickFormatter(format=f"%.{decimals}f"),
        height=10 if along else "auto",
        width="auto" if along else 10,
        padding=2,
        label_standoff=4,
        background_fill_color=None,
        border_line_color=None,
        bar_line_color=None,
        major_tick_line_color=None,
        visible=bool(np.isfinite(layer.values).any()),
    )


def _code_map(drawn: _Drawn, code_colours: Sequence[tuple[int, str]]) -> Any:
    by_code = dict(code_colours)
    last = max(by_code)
    palette = [by_code.get(code, "#000000") for code in range(last + 1)]
    mapper = LinearColorMapper(palette=palette, low=-0.5, high=last + 0.5)
    hover = {"tooltips": [("quality", "@code{custom}")], "formatters": _word(drawn.layers)}
    return _picture(drawn, "quality", "code", mapper, hover)


def _picture(drawn: _Drawn, title: str, column: str, mapper: Any, hover: dict[str, Any]) -> Any:
    """Return a figure of one column of the source as a picture."""
    vertical, horizontal = drawn.layers.axes[-2:]
    square = horizontal.units == vertical.units
    x_range, y_range = drawn.ranges
    tools = _tools(square=square)
    plot = _figure(title, horizontal, drawn.size, tools, x_range=x_range, y_range=y_range)
    plot.yaxis.axis_label = vertical.label
    _label_positions(plot.yaxis, vertical)
    x, y = places_of(horizontal), places_of(vertical)
    image = plot.image(
        image=column,
        x=x[0] - step_of(x) / 2,
        y=y[0] - step_of(y) / 2,
        dw=step_of(x) * len(x),
        dh=step_of(y) * len(y),
        source=drawn.source,
        color_mapper=mapper,
    )
    plot.add_tools(HoverTool(renderers=[image], visible=False, **hover))
    return plot


def _map_hover(drawn: _Drawn, number: int) -> dict[str, Any]:
    """Return what the pointer says of one quantity of a map."""
    layers, scales = drawn.layers, drawn.scales
    layer = layers.quantities[number]
    decimals = layer.decimals
    formatters: dict[str, Any] = {}
    shown = f"@value_{number}{{custom}}"
    low, step = scales[f"value_{number}"]
    unit = f" {layer.unit}".rstrip()
    after = "" if layer.half_widths is not None else unit
    formatters[f"@value_{number}"] = CustomJSHover(
        args={"low": low, "step": step, "decimals": decimals, "after": after},
        code="return value ? (low + step * (value - 1)).toFixed(decimals) + after : 'none'",
    )
    if layer.half_widths is not None:
        low, step = scales[f"width_{number}"]
        shown += f"@width_{number}{{custom}}"
        formatters[f"@width_{number}"] = CustomJSHover(
            args={"low": low, "step": step, "decimals": decimals, "after": unit},
            code="return value ? ` ± ${(low + step * (value - 1)).toFixed(decimals)}${after}` : ''",
        )
    tips = [(layer.title, shown)]
    if layers.codes is not None:
        tips.append(("quality", "@code{custom}"))
        formatters |= _word(layers)
    return {"tooltips": tips, "formatters": formatters}


def _word(layers: Layers) -> dict[str, CustomJSHover]:
    words = {"codes": list(layers.words), "words": list(layers.words.values())}
    code = "return words[codes.indexOf(value)] ?? String(value)"
    return {"@code": CustomJSHover(args=words, code=code)}


def _curve(layers: Layers, number: int, source: Any, x_range: Any, missing: str) -> Any:
    layer = layers.quantities[number]
    axis = layers.axes[-1]
    more = {} if layer.limits is None else {"y_range": layer.limits}
    plot = _figure(layer.label, axis, _CURVE, _tools(square=False), x_range=x_range, **more)
    plot.toolbar.active_drag = plot.tools[1]
    x = places_of(axis)
    gaps = x[~np.isfinite(layer.values[0, 0])]
    half = abs(step_of(x)) / 2
    if gaps.size:
        strips = ColumnDataSource({"x0": gaps - half, "x1": gaps + half})
        plot.vstrip(
            x0="x0", x1="x1", source=strips, fill_color=missing, fill_alpha=0.6, line_color=None
        )
    if layer.half_widths is not None:
        plot.varea(
            x="x",
            y1=f"lower_{number}",
            y2=f"upper_{number}",
            source=source,
            fill_color=_LINE,
            fill_alpha=0.25,
        )
    plot.line("x", f"value_{number}", source=source, line_color=_LINE, line_width=1.5)
    points = plot.scatter("x", f"value_{number}", source=source, size=4, color=_LINE)
    shown = f"@value_{number}{{0.{'0' * layer.decimals}}}"
    if layer.half_widths is not None:
        shown += f" ± @width_{number}{{0.{'0' * layer.decimals}}}"
    hover = HoverTool(
        tooltips=[(axis.label, "@x"), (layer.title, f"{shown} {layer.unit}".strip())],
        renderers=[points],
        mode="vline",
        visible=False,
    )
    plot.add_tools(hover)
    return plot


def _mark(plot: Any, cursor: ColumnDataSource, maps: bool) -> None:
    """Mark the selected pixel, and tell the page where pointer and clicks are."""
    if maps:
        for colour, width in (("black", 4), ("white", 1.5)):
            plot.scatter(
                "x",
                "y",
                source=cursor,
                marker="circle",
                size=12,
                fill_color=None,
                line_color=colour,
                line_width=width,
            )
    else:
        span = VSpan(x="x", line_color="#d55e00", line_width=1.5)
        plot.add_glyph(cursor, span)
    for event, held in ((MouseMove, "false"), (Tap, "true")):
        told = (
            "document.dispatchEvent(new CustomEvent('coreloss-pixel', "
            f"{{detail: {{x: cb_obj.x, y: cb_obj.y, held: {held}}}}}))"
        )
        plot.js_on_event(event, CustomJS(code=told))
