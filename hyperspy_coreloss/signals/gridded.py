"""Results as a data set of xarray, with a variable for each map and units for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.population import NO_POPULATION, POPULATIONS
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.properties import parse_unit
from hyperspy_coreloss.signals.axes import needed_axis
from hyperspy_coreloss.signals.layers import companion_data, half_width_data
from hyperspy_coreloss.signals.metadata import model_of, title_of
from hyperspy_coreloss.signals.pixel_table import USUAL_LEVEL, axis_names, place_axes
from hyperspy_coreloss.signals.positions import items_along
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperspy.signals import BaseSignal

_CONVENTIONS = "CF-1.11"
_FLAGS: Mapping[str, Mapping[int, str]] = {
    "quality": {int(code): code.name.lower() for code in Quality},
    "population": {**dict(enumerate(POPULATIONS)), NO_POPULATION: "unknown"},
}


def gridded(result: BaseSignal, level: float | None = USUAL_LEVEL) -> Any:
    """Return a data set with a variable for each property and each other map.

    Parameters
    ----------
    result
        Result in memory or lazy.
    level
        Coverage of the intervals, between 0 and 1; None leaves their half widths out.

    Returns
    -------
    xarray.Dataset
        Its dimensions are the navigation axes in the order of the array, and its attributes those
        of the CF conventions. It is lazy if the result is.

    Raises
    ------
    ModuleNotFoundError
        If xarray is not installed.
    SignalError
        If `level` is not between 0 and 1, or the result is of a damaged file.
    """
    try:
        import xarray as xr
    except ModuleNotFoundError as error:
        msg = "This data set needs the package xarray, which is not installed: pip install xarray."
        raise ModuleNotFoundError(msg, name="xarray") from error
    variables = {**_properties(result, level), **_companions(result)}
    axes = place_axes(result)
    names = [f"{name} axis" if name in variables else name for name in axis_names(result)[::-1]]
    coordinates = {
        name: (name, axis.axis, {"units": axis.units} if isinstance(axis.units, str) else {})
        for name, axis in zip(names, axes, strict=True)
    }
    attributes = {
        "Conventions": _CONVENTIONS,
        "title": title_of(result),
        "source": model_of(result),
    }
    return xr.Dataset(
        {name: (names, data, attrs) for name, (data, attrs) in variables.items()},
        coordinates,
        {"Conventions": _CONVENTIONS, **{name: text for name, text in attributes.items() if text}},
    )


def _properties(result: BaseSignal, level: float | None) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return the data and the attributes of the properties, and of the half widths by them."""
    half = None if level is None else half_width_data(result, level)
    found: dict[str, tuple[Any, dict[str, Any]]] = {}
    widths: dict[str, tuple[Any, dict[str, Any]]] = {}
    items = (items_along(result, item) for item in ("names", "labels", "units"))
    for position, (name, label, unit) in enumerate(zip(*items, strict=True)):
        title = label.rpartition(" (")[0] or label
        attributes = {"long_name": title, "units": unit or "1"}
        found[name] = _layer(result, result.data, position), attributes
        if half is not None and level is not None:
            long_name = f"half width of the {100 * level:g} % interval of the {title}"
            own = {**attributes, "long_name": long_name, "level": level}
            widths[f"{name}_half_width"] = _layer(result, half, position), own
            attributes["ancillary_variables"] = f"{name}_half_width"
    return {**found, **widths}


def _companions(result: BaseSignal) -> dict[str, tuple[Any, dict[str, Any]]]:
    found = {}
    for field in MAP_FIELDS:
        data = None if field.per_property else companion_data(result, field.name)
        if data is not None:
            found[field.name] = _layer(result, data, 0), _attributes(field.name, field.label)
    return found


def _attributes(name: str, label: str) -> dict[str, Any]:
    if name in _FLAGS:
        codes = np.array([*_FLAGS[name]], dtype=np.uint8)
        meanings = " ".join(_FLAGS[name].values())
        return {"long_name": label, "flag_values": codes, "flag_meanings": meanings}
    title, _, unit = label.rpartition(" (")
    try:
        parse_unit(unit := unit.removesuffix(")"))
    except ValueError:  # of a word in parentheses, which is no unit
        return {"long_name": label, "units": "1"}
    return {"long_name": title, "units": unit} if title else {"long_name": label, "units": "1"}


def _layer(result: BaseSignal, data: Any, position: int) -> Any:
    """Return a copy of one position along the property axis, of the shape of the pixels."""
    return data[(slice(None),) * needed_axis(result).index_in_array + (position,)].copy()
