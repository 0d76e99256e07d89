"""The numbers of a page: whole numbers of two bytes, from which scripts get the values again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.pages.layers import Layer, Layers, PositionAxis

#: Largest of the numbers that stand for values; 0 stands for none.
LAST = 2**16 - 1


def places_of(axis: PositionAxis) -> NDArray[np.float64]:
    """Return where the pixels are drawn: an uneven axis is one of numbers of pixels."""
    size = len(axis.positions)
    even = axis.even and size > 1
    return np.asarray(axis.positions, np.float64) if even else np.arange(size, dtype=np.float64)


def step_of(places: NDArray[np.float64]) -> float:
    """Return the distance between pixels; 1 if there is only one."""
    return float(places[-1] - places[0]) / max(len(places) - 1, 1) or 1.0


def _encoded(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint16]:
    """Return values as whole numbers from 1 to 65535; 0 where there is none."""
    share = (values.astype(np.float64) - low) / (high - low)
    codes = 1 + np.rint(np.clip(share, 0, 1) * (LAST - 1))
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


def frame_columns(layers: Layers) -> dict[str, list[NDArray]]:
    """Return the columns of maps: a list of all frames for each.

    Parameters
    ----------
    layers
        The quantities, on maps.
    """
    columns: dict[str, list[NDArray]] = {}
    for number, layer in enumerate(layers.quantities):
        for name, values, low, high in _scales(layer):
            columns[f"{name}_{number}"] = list(_encoded(values, low, high))
    if layers.codes is not None:
        columns["code"] = list(layers.codes.astype(np.uint8))
    return columns


def scales_of(layers: Layers) -> dict[str, tuple[float, float]]:
    """Return the value of the number 1, and the step between numbers, of each column of maps.

    Parameters
    ----------
    layers
        The quantities, on maps.
    """
    return {
        f"{name}_{number}": (low, (high - low) / (LAST - 1))
        for number, layer in enumerate(layers.quantities)
        for name, _, low, high in _scales(layer)
    }


def curve_columns(layers: Layers) -> dict[str, NDArray]:
    """Return the columns of curves: positions, values and limits of the intervals as they are.

    Parameters
    ----------
    layers
        The quantities, along one axis.
    """
    columns: dict[str, NDArray] = {"x": places_of(layers.axes[-1])}
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
    return columns


def description_of(
    layers: Layers,
    scales: dict[str, tuple[float, float]],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> dict[str, Any]:
    """Return what the script needs to put a pixel into words.

    Parameters
    ----------
    layers
        The quantities.
    scales
        From :func:`scales_of`; empty for curves.
    x, y
        Where the columns and the rows are drawn.
    """
    axes = layers.axes[-2:][::-1]
    return {
        "maps": len(layers.axes) > 1,
        "columns": layers.shape[2],
        "rows": layers.shape[1],
        "x": [float(x[0]), step_of(x)],
        "y": [float(y[0]), step_of(y)],
        "positions": [axis.rounded for axis in axes],
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
