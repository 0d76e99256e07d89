"""The report of a result: one HTML page with its maps, their quality and where they are from."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.colors as mcolors
import numpy as np

from hyperspy_coreloss.errors import CalibrationError
from hyperspy_coreloss.files import check_writable, replace_file
from hyperspy_coreloss.pages.histograms import HEIGHT, WIDTH, histogram
from hyperspy_coreloss.pages.layers import Layers, reduced
from hyperspy_coreloss.pages.pictures import embed
from hyperspy_coreloss.pages.printed import printed
from hyperspy_coreloss.pages.tables import plain_table
from hyperspy_coreloss.pages.templates import page_environment
from hyperspy_coreloss.provenance import bibtex, citations, package_version, software_versions
from hyperspy_coreloss.signals.metadata import get_map, options_of, title_of
from hyperspy_coreloss.signals.panels import property_colours
from hyperspy_coreloss.signals.positions import items_along
from hyperspy_coreloss.signals.report_layers import LEVEL, report_layers
from hyperspy_coreloss.signals.report_tables import picture_tables, single_table
from hyperspy_coreloss.signals.report_words import (
    calibration_terms,
    definition_terms,
    measurement_terms,
    model_content,
    origin_terms,
    quality_rows,
    value_rows,
)
from hyperspy_coreloss.signals.resemblance import resemblance
from hyperspy_coreloss.signals.summary import LOGGER, count_codes, counts_line

if TYPE_CHECKING:
    from os import PathLike

    from hyperspy.signals import BaseSignal

    from hyperspy_coreloss.signals.options import RecordedOptions
    from hyperspy_coreloss.spectra.calibration import Calibration

# Bytes of the numbers in a page: those of 256 x 256 pixels of six properties, and a page of less
# than 5 MB. Curves have longer numbers. Positions along further axes that a slider goes through.
_MOST_BYTES, _MOST_OF_CURVES, _MOST_FRAMES = 1_900_000, 500_000, 36
# Dots per inch of the picture for paper.
_DPI = 150
_SOFTWARE = ("hyperspy", "exspy", "rosettasciio", "numpy", "torch", "bokeh")
# Colours of the codes other than the first, which all see apart (Okabe and Ito, then Tol).
_PREDICTED = "#c9d3dc"
_CODE_COLOURS = (
    *("#d55e00", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#f0e442"),
    *("#332288", "#882255", "#117733", "#aa4499", "#999933", "#661100", "#000000"),
)
_SECTIONS = {
    "maps": "Maps",
    "values": "Distribution",
    "quality": "Quality",
    "measurement": "Measurement and calibration",
    "model": "Model",
    "definitions": "Definitions",
    "cite": "Software and citation",
}
# Tolerance of two numbers of one calibration, as a file rounds them.
_SAME = 1e-6


def write_report(
    result: BaseSignal, filename: str | PathLike[str], calibration: Calibration | None = None
) -> None:
    """Write the report of a result; an existing file is replaced as a whole.

    Parameters
    ----------
    result
        Result in memory.
    filename
        The page to write.
    calibration
        The calibration that the result was predicted with, whose fit is then shown.
    """
    page = render_report(result, calibration)
    with replace_file(Path(filename)) as temporary:
        temporary.write_text(page, encoding="utf-8")


def may_write(filename: str | PathLike[str], overwrite: bool | None) -> bool:
    """Return whether a page may be written, before anything is computed for it.

    Parameters
    ----------
    filename
        The page.
    overwrite
        Whether to replace an existing file; None asks.

    Raises
    ------
    OSError
        If the folder does not exist or takes no new files, or the path is that of a folder.
    """
    check_writable(Path(filename))
    if not Path(filename).exists() or overwrite:
        return True
    if overwrite is None:
        try:
            return input(f"Overwrite '{filename}' (y/n)?\n").strip().lower() in ("y", "yes")
        except (EOFError, OSError, NotImplementedError):  # nobody can be asked
            pass
    LOGGER.warning("%s exists and was not overwritten. Pass overwrite=True to replace it", filename)
    return False


def page_name(filename: str | PathLike[str]) -> Path:
    """Return the path of a page, with the ending ``.html`` if it has none."""
    path = Path(filename)
    return path if path.suffix else path.with_suffix(".html")


def render_report(result: BaseSignal, calibration: Calibration | None = None) -> str:
    """Return the report of a result as one HTML page, which needs nothing but itself.

    Parameters
    ----------
    result
        Result in memory.
    calibration
        The calibration that the result was predicted with, whose fit is then shown.

    Raises
    ------
    SignalError
        If the signal has no property axis, or its file is damaged.
    CalibrationError
        If the result was predicted with another calibration, or with none.
    """
    options = options_of(result)
    _check_calibration(options, calibration)
    whole = report_layers(result)
    codes = None if whole.codes is None else count_codes(whole.codes)
    level = f"{LEVEL:.0%}".replace("%", " %")
    content: dict[str, Any] = {
        "title": title_of(result) or "Properties",
        "headline": _headline(whole) if codes is None else counts_line(codes),
        "level": level,
        "intervals": any(one.half_widths is not None for one in whole.quantities),
        "novelty": get_map(result, "novelty") is not None,
        "quality": [] if codes is None else quality_rows(codes, options),
        "measurement": measurement_terms(result, options),
        "calibration": calibration_terms(options),
        "calibration_picture": None if calibration is None else embed(calibration.plot(), _DPI),
        "origin": origin_terms(result),
        "definitions": definition_terms(result),
        "date": datetime.now(timezone.utc).strftime("%d %B %Y").lstrip("0"),
        "software": {"hyperspy_coreloss": package_version(), **software_versions(*_SOFTWARE)},
        "citations": citations(),
        "bibtex": bibtex(),
        **_model(result),
        **_pictures(whole, level),
    }
    template = page_environment("signals").get_template("report.html.jinja")
    return template.render(**content)


def _check_calibration(options: RecordedOptions | None, calibration: Calibration | None) -> None:
    if calibration is None:
        return
    recorded = None if options is None else options.calibration
    names = ("position", "energy_offset", "dispersion")
    if recorded is None or not np.allclose(
        [recorded[name] for name in names],
        [getattr(calibration, name) for name in names],
        rtol=_SAME,
    ):
        found = "none" if recorded is None or options is None else f"that on {options.material}"
        msg = (
            "The report shows the calibration that the result was predicted with, which is "
            f"{found}, but was given {calibration!r}. Give that of the prediction, or leave it out."
        )
        raise CalibrationError(msg)


def _headline(layers: Layers) -> str:
    values = layers.quantities[0].values
    number = int(np.isfinite(values).sum())
    return f"{values.size} pixel{'' if values.size == 1 else 's'}, {number} with values"


def _model(result: BaseSignal) -> dict[str, Any]:
    """Return what the page tells of the model, and of what the spectra are like."""
    model = model_content(result)
    populations, errors = resemblance(result)
    total = sum(populations.values())
    by_population = None
    if errors:
        rows = zip(items_along(result, "labels"), (f"{one:.2g}" for one in errors), strict=True)
        by_population = plain_table(("property", next(iter(populations))), rows)
    return {
        "model": model,
        "model_tables": [
            (one, plain_table(one.header, one.rows)) for one in model.get("errors", ())
        ],
        "population_errors": by_population,
        "resemblance": ", ".join(f"{name} ({n / total:.0%})" for name, n in populations.items()),
    }


def _pictures(whole: Layers, level: str) -> dict[str, Any]:
    """Return what the page shows of the pixels: pictures and tables of what it can hold."""
    if whole.quantities[0].values.size == 1:
        single = single_table(whole, level)
        names = {name: text for name, text in _SECTIONS.items() if name != "values"}
        return {"single": single, "shown": None, "contents": {**names, "maps": "Values"}.items()}
    # Only pages need Bokeh, and it takes a while to load.
    from hyperspy_coreloss.pages.interactive import interactive

    maps = len(whole.axes) > 1
    layers = reduced(whole, _MOST_BYTES if maps else _MOST_OF_CURVES, _MOST_FRAMES)
    colours = property_colours()
    *palette, missing = map(_hex, [*(colours(n) for n in range(colours.N)), colours.get_bad()])
    codes = _code_colours(layers) if maps else []
    shapes = [histogram(layer) for layer in whole.quantities]
    remarks = _remarks(layers)
    header = (
        "property",
        "pixels",
        "lowest",
        "5 %",
        "median",
        "95 %",
        "highest",
        "mean",
        "interval",
    )
    return {
        "single": None,
        "maps": maps,
        "shown": interactive(layers, palette, missing, codes),
        "code_colours": codes,
        "words": layers.words,
        "codes": layers.codes is not None,
        "layers": layers.quantities,
        "described": [_described(layers, number) for number in range(len(layers.quantities))],
        "shape": layers.shape,
        "start": _start(layers),
        "stack_label": ", ".join(axis.label for axis in layers.stack),
        "places": [layers.place(frame) for frame in range(layers.shape[0])],
        "remarks": remarks,
        "still": embed(printed(layers, colours), _DPI),
        "still_text": _still_text(layers, level),
        "tables": picture_tables(layers, level),
        "values": plain_table(header, value_rows(whole.quantities)),
        "histograms": [shape for shape in shapes if shape is not None],
        "width": WIDTH,
        "height": HEIGHT,
        "contents": {**_SECTIONS, "maps": "Maps" if maps else "Curves"}.items(),
    }


def _start(layers: Layers) -> tuple[int, int]:
    """Return row and column of the pixel to begin with: in the middle, if it has a value there."""
    _, rows, columns = layers.shape
    known = np.isfinite(layers.quantities[0].values[0])
    middle = rows // 2, columns // 2
    if known[middle] or not known.any():
        return middle
    places = np.argwhere(known)
    row, column = places[abs(places - middle).sum(axis=1).argmin()].tolist()
    return row, column


def _hex(colour: Any) -> str:
    return mcolors.to_hex(colour)


def _code_colours(layers: Layers) -> list[tuple[int, str]]:
    """Return the codes that occur with their colours; none if all pixels have a prediction."""
    if layers.codes is None:
        return []
    present = [int(code) for code in np.unique(layers.codes)]
    if present == [layers.good]:
        return []
    others = [code for code in present if code != layers.good]
    coloured = list(zip(others, _CODE_COLOURS, strict=False))
    return [*([(layers.good, _PREDICTED)] if layers.good in present else []), *coloured]


def _remarks(layers: Layers) -> list[str]:
    """Return what the reader must know of how the pixels are shown."""
    remarks = []
    if layers.factor > 1:
        size = f"{layers.factor} × {layers.factor}" if len(layers.axes) > 1 else f"{layers.factor}"
        remarks.append(
            f"To keep the page small, each pixel shown here is the mean of {size} pixels of the "
            "result, without those that have no prediction. Numbers, histograms and quality below "
            "are those of all pixels."
        )
    if layers.shown < layers.frames:
        remarks.append(
            f"The page shows the first {layers.shown} of {layers.frames} positions along "
            f"{', '.join(axis.label for axis in layers.stack)}. Numbers, histograms and quality "
            "below are those of all positions."
        )
    uneven = [axis for axis in layers.axes if not axis.even]
    remarks += [
        f"The positions along {axis.label} are not evenly spaced: pixels are drawn side by side, "
        "with their positions beside them."
        for axis in uneven
    ]
    return remarks


def _described(layers: Layers, number: int) -> str:
    layer = layers.quantities[number]
    known = layer.values[np.isfinite(layer.values)]
    kind = "Map" if len(layers.axes) > 1 else "Curve"
    if not known.size:
        return f"{kind} of the {layer.title}: no pixel has a value."
    low, high = (f"{value:.{layer.decimals}f}" for value in (known.min(), known.max()))
    return f"{kind} of the {layer.title}, from {low} to {high} {layer.unit}".strip() + "."


def _still_text(layers: Layers, level: str) -> str:
    names = ", ".join(layer.label for layer in layers.quantities)
    kind = "Maps" if len(layers.axes) > 1 else "Curves"
    where = f" at {layers.place(0)}" if layers.shape[0] > 1 else ""
    bands = ""
    if kind == "Curves" and any(layer.half_widths is not None for layer in layers.quantities):
        bands = f" Bands: {level} intervals."
    return f"{kind} of {names}{where}. Grey: no prediction.{bands}"
