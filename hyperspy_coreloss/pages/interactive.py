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

from hyperspy_coreloss.pages.ticks import round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.pages.layers import Layer, Layers, PositionAxis

_HERE = Path(__file__).parent
# Width of a map, and of a curve, in pixels of the screen; they fit a telephone of 400 pixels.
_WIDTH, _CURVE = 264, (264, 170)
# Height over width of maps whose axes have different units, and the limits of other maps.
_SQUAT, _FLATTEST, _TALLEST = 0.85, 0.1, 1.8
_NARROWEST = 40
# Values are whole numbers in a page, of two bytes; 0 stands for none.
_LAST = 2**16 - 1
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
    x = _places(layers.axes[-1])
    source, scales = (_map_source if maps else _curve_source)(layers)
    cursor = ColumnDataSource({"x": [], "y": []})
    if maps:
        y = _places(layers.axes[-2])
        ranges = _range(x), _range(y, falling=True)
        size = _map_size(layers.axes, ranges)
        plots = [
            _map(layers, number, source, scales, ranges, size, colours, missing)
            for number in range(len(layers.quantities))
        ]
        if code_colours:
            plots.append(_code_map(layers, source, ranges, size, code_colours))
    else:
        y = np.zeros(1)
        ranges = _range(x), None
        plots = [
            _curve(layers, number, source, ranges[0], missing)
            for number in range(len(layers.quantities))
        ]
    for plot in plots:
        _mark(plot, cursor, maps)
    document = Document()
    for plot in plots:
        document.add_root(plot)
    arguments = {
        "source": source,
        "frames": ColumnDataSource(_frames(layers)) if layers.shape[0] > 1 else None,
        "cursor": cursor,
        "plots": plots,
        "x_range": ranges[0],
        "y_range": ranges[1],
        "description": _description(layers, scales, x, y),
    }
    document.js_on_event(DocumentReady, CustomJS(args=arguments, code=_code("pixel.js")))
    script, figures = components(plots)
    library = Resources(mode="inline", components=["bokeh"], minified=True).render_js()
    return Interactive(library, script, tuple(figures))


def _code(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _places(axis: PositionAxis) -> NDArray[np.float64]:
    """Return where the pixels are drawn: an uneven axis is one of numbers of pixels."""
    size = len(axis.positions)
    even = axis.even and size > 1
    return np.asarray(axis.positions, np.float64) if even else np.arange(size, dtype=np.float64)


def _step(places: NDArray[np.float64]) -> float:
    return float(places[-1] - places[0]) / max(len(places) - 1, 1) or 1.0


def _range(places: NDArray[np.float64], *, falling: bool = False) -> Range1d:
    half = abs(_step(places)) / 2
    low, high = float(places.min()) - half, float(places.max()) + half
    ends = (high, low) if falling else (low, high)
    return Range1d(*ends, bounds=(low, high))


def _map_size(axes: Sequence[PositionAxis], ranges: tuple[Range1d, Range1d]) -> tuple[int, int]:
    """Return width and height of maps in pixels of the screen."""
    width, height = (abs(one.end - one.start) for one in ranges)
    same = axes[-1].units == axes[-2].units and axes[-1].even and axes[-2].even
    shape = height / width if same else _SQUAT
    if shape > _TALLEST:
        return max(round(_TALLEST * _WIDTH / shape), _NARROWEST), round(_TALLEST * _WIDTH)
    return _WIDTH, round(max(shape, _FLATTEST) * _WIDTH)


def _encoded(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint16]:
    """Return values as whole numbers from 1 to 65535; 0 where there is none."""
    share = (values.astype(np.float64) - low) / (high - low)
    codes = 1 + np.rint(np.clip(share, 0, 1) * (_LAST - 1))
    return np.where(np.isfinite(values), codes, 0).astype(np.uint16)


def _scales(layer: Layer) -> list[tuple[str, NDArray[np.floating], float, float]]:
    """Return the columns of a quantity with the lowest and the highest value of each."""
    columns = [("value", layer.values, *layer.extent)]
    if layer.half_widths is not None:
        columns.append(("width", layer.half_widths, *_extent(layer.half_widths)))
    return columns


def _extent(values: NDArray[np.floating]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    return low, high if high > low else low + (abs(low) or 1.0)


def _frames(layers: Layers) -> dict[str, list[NDArray]]:
    """Return the columns of maps: a list of all frames for each."""
    columns: dict[str, list[NDArray]] = {}
    for number, layer in enumerate(layers.quantities):
        for name, values, low, high in _scales(layer):
            columns[f"{name}_{number}"] = list(_encoded(values, low, high))
    if layers.codes is not None:
        columns["code"] = list(layers.codes.astype(np.uint8))
    return columns


def _map_source(layers: Layers) -> tuple[ColumnDataSource, dict[str, tuple[float, float]]]:
    scales = {
        f"{name}_{number}": (low, (high - low) / (_LAST - 1))
        for number, layer in enumerate(layers.quantities)
        for name, _, low, high in _scales(layer)
    }
    first = {name: frames[:1] for name, frames in _frames(layers).items()}
    return ColumnDataSource(first), scales


def _curve_source(layers: Layers) -> tuple[ColumnDataSource, dict[str, tuple[float, float]]]:
    columns: dict[str, NDArray] = {"x": _places(layers.axes[-1])}
    for number, layer in enumerate(layers.quantities):
        values = layer.values[0, 0].astype(np.float32)
        columns[f"value_{number}"] = values
        if layer.half_widths is not None:
            widths = layer.half_widths[0, 0].astype(np.float32)
            columns[f"width_{number}"] = widths
            columns[f"lower_{number}"] = values - widths
            columns[f"upper_{number}"] = values + widths
    if layers.codes is not None:
        columns["code"] = layers.codes[0, 0].astype(np.uint8)
    return ColumnDataSource(columns), {}


def _description(
    layers: Layers,
    scales: dict[str, tuple[float, float]],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> dict[str, Any]:
    """Return what the script needs to put a pixel into words."""
    axes = layers.axes[-2:][::-1]
    return {
        "maps": len(layers.axes) > 1,
        "columns": layers.shape[2],
        "rows": layers.shape[1],
        "x": [float(x[0]), _step(x)],
        "y": [float(y[0]), _step(y)],
        "positions": [[float(f"{value:.7g}") for value in axis.positions] for axis in axes],
        "names": [axis.name or "position" for axis in axes],
        "units": [axis.units for axis in axes],
        "decimals": [layer.decimals for layer in layers.quantities],
        "scales": [
            [list(scales.get(f"{name}_{number}", ())) for name in ("value", "width")]
            for number in range(len(layers.quantities))
        ],
        "codes": list(layers.words),
        "words": list(layers.words.values()),
        "places": [layers.place(frame) for frame in range(layers.shape[0])],
    }


def _tools(*, square: bool) -> list[Any]:
    # Without Ctrl, the wheel scrolls the page.
    wheel = WheelZoomTool(modifiers={"ctrl": True})
    return [PanTool(), BoxZoomTool(match_aspect=square), wheel, ResetTool(), SaveTool()]


def _figure(
    layer: Layer, axis: PositionAxis, size: tuple[int, int], tools: Any, **more: Any
) -> Any:
    plot = figure(
        frame_width=size[0],
        frame_height=size[1],
        title=layer.label,
        tools=tools,
        toolbar_location="right",
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        **more,
    )
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.toolbar.active_scroll = tools[2]
    plot.grid.visible = False
    plot.title.text_font_size = "14px"
    plot.xaxis.axis_label = axis.label
    _label_positions(plot.xaxis, axis)
    for place in (plot.xaxis, plot.yaxis):
        place.axis_label_text_font_style = "normal"
        place.ticker.desired_num_ticks = 4
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


def _map(
    layers: Layers,
    number: int,
    source: ColumnDataSource,
    scales: dict[str, tuple[float, float]],
    ranges: tuple[Range1d, Range1d],
    size: tuple[int, int],
    colours: Sequence[str],
    missing: str,
) -> Any:
    layer = layers.quantities[number]
    mapper = LinearColorMapper(palette=colours, low=1, high=_LAST, low_color=missing)
    hover = _map_hover(layers, number, scales)
    plot = _drawn(layers, layer, f"value_{number}", source, ranges, size, mapper, hover)
    plot.add_layout(_colour_bar(layer, colours), "below")
    return plot


def _colour_bar(layer: Layer, colours: Sequence[str]) -> ColorBar:
    low, high = layer.extent
    ticks, decimals = round_ticks(low, high)
    return ColorBar(
        color_mapper=LinearColorMapper(palette=colours, low=low, high=high),
        ticker=FixedTicker(ticks=ticks),
        formatter=PrintfTickFormatter(format=f"%.{decimals}f"),
        height=10,
        padding=2,
        label_standoff=4,
        background_fill_color=None,
        border_line_color=None,
        bar_line_color=None,
        major_tick_line_color=None,
        visible=bool(np.isfinite(layer.values).any()),
    )


def _code_map(
    layers: Layers,
    source: ColumnDataSource,
    ranges: tuple[Range1d, Range1d],
    size: tuple[int, int],
    code_colours: Sequence[tuple[int, str]],
) -> Any:
    by_code = dict(code_colours)
    last = max(by_code)
    palette = [by_code.get(code, "#000000") for code in range(last + 1)]
    mapper = LinearColorMapper(palette=palette, low=-0.5, high=last + 0.5)
    hover = {"tooltips": [("quality", "@code{custom}")], "formatters": _word(layers)}
    plot = _drawn(layers, layers.quantities[0], "code", source, ranges, size, mapper, hover)
    plot.title.text = "quality"
    return plot


def _drawn(
    layers: Layers,
    layer: Layer,
    column: str,
    source: ColumnDataSource,
    ranges: tuple[Range1d, Range1d],
    size: tuple[int, int],
    mapper: LinearColorMapper,
    hover: dict[str, Any],
) -> Any:
    """Return a figure of one column of the source as a picture."""
    vertical, horizontal = layers.axes[-2:]
    square = horizontal.units == vertical.units
    plot = _figure(
        layer, horizontal, size, _tools(square=square), x_range=ranges[0], y_range=ranges[1]
    )
    plot.yaxis.axis_label = vertical.label
    _label_positions(plot.yaxis, vertical)
    x, y = _places(horizontal), _places(vertical)
    # The first pixel lies at one corner; the anchor is that of the picture's own first pixel.
    image = plot.image(
        image=column,
        x=x[0] - _step(x) / 2,
        y=y[0] - _step(y) / 2,
        dw=_step(x) * len(x),
        dh=_step(y) * len(y),
        source=source,
        color_mapper=mapper,
    )
    plot.add_tools(HoverTool(renderers=[image], visible=False, **hover))
    return plot


def _map_hover(
    layers: Layers, number: int, scales: dict[str, tuple[float, float]]
) -> dict[str, Any]:
    """Return what the pointer says of one quantity of a map."""
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


def _curve(
    layers: Layers, number: int, source: ColumnDataSource, x_range: Range1d, missing: str
) -> Any:
    layer = layers.quantities[number]
    axis = layers.axes[-1]
    more = {} if layer.limits is None else {"y_range": layer.limits}
    plot = _figure(layer, axis, _CURVE, _tools(square=False), x_range=x_range, **more)
    plot.toolbar.active_drag = plot.tools[1]
    x = _places(axis)
    gaps = x[~np.isfinite(layer.values[0, 0])]
    half = abs(_step(x)) / 2
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
