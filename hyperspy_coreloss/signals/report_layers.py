"""The pixels of a result as plain arrays, for a page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.pages.layers import Layer, Layers, PositionAxis
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, array_axes, needed_axis
from hyperspy_coreloss.signals.held_out_errors import scores_of
from hyperspy_coreloss.signals.layers import companion_map
from hyperspy_coreloss.signals.metadata import SPREAD, get_map
from hyperspy_coreloss.signals.positions import items_along, property_positions
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

#: Coverage of the intervals of a page.
LEVEL = 0.9
# Number of axes of a map.
_MAP_AXES = 2


def report_layers(result: BaseSignal) -> Layers:
    """Return the properties, their intervals, the novelty and the quality of all pixels.

    Parameters
    ----------
    result
        Result in memory, with the axes in any order. Axes with one position are left out, and
        falling ones turned round.
    """
    place = needed_axis(result).index_in_array
    axes = [_position_axis(axis) for axis in array_axes(result) if axis.name != PROPERTY_AXIS]
    kept = [axis for axis in axes if len(axis.positions) > 1]
    shown, stack = kept[-_MAP_AXES:], kept[:-_MAP_AXES]
    shape = [1] * (_MAP_AXES - len(shown)) + [len(axis.positions) for axis in shown]

    # Falling axes are turned round, because pictures have rising ones.
    falling = [axis.positions[0] > axis.positions[-1] for axis in shown]
    turned: Any = tuple(slice(None, None, -1 if one else 1) for one in falling)
    shown = [
        replace(axis, positions=axis.positions[part])
        for axis, part in zip(shown, turned, strict=True)
    ]

    def framed(values: NDArray) -> NDArray:
        return values.reshape(-1, *shape)[(..., *turned)]

    values = np.moveaxis(np.asarray(result.data), place, 0)
    widths = _half_widths(result, values, place)
    quantities = [
        Layer(label, framed(values[number]), None if widths is None else framed(widths[number]))
        for number, label in enumerate(items_along(result, "labels"))
    ]
    if get_map(result, "novelty") is not None:
        novelty = companion_map(result, "novelty", "novelty").data
        # Models without sites to compare with call everything usual.
        if not (novelty == 1)[np.isfinite(novelty)].all():
            quantities.append(Layer("novelty", framed(novelty), limits=(0.0, 1.0)))
    codes = None
    if get_map(result, "quality") is not None:
        codes = framed(companion_map(result, "quality", "quality").data)
    return Layers(
        axes=tuple(shown),
        stack=tuple(stack),
        quantities=tuple(quantities),
        codes=codes,
        words={int(code): code.phrase for code in Quality},
        good=int(Quality.GOOD),
    )


def _position_axis(axis: object) -> PositionAxis:
    name, units = getattr(axis, "name", ""), getattr(axis, "units", "")
    return PositionAxis(
        name if isinstance(name, str) else "",
        units if isinstance(units, str) else "",
        np.asarray(getattr(axis, "axis", ())),
    )


def _half_widths(result: BaseSignal, values: NDArray, place: int) -> NDArray | None:
    """Return the half widths of the intervals, with the properties first, or None."""
    scores = scores_of(result)
    if scores is None:
        return None
    widths = conformal_half_width(scores, LEVEL)[property_positions(result)]
    widths = widths.reshape(-1, *[1] * (values.ndim - 1)).astype(np.float32)
    spread = get_map(result, SPREAD)
    spreads = 1.0 if spread is None else np.moveaxis(np.asarray(spread.data), place, 0)
    return np.where(np.isfinite(values), widths * spreads, np.float32(np.nan))
