"""Histograms as shapes of an SVG picture, which a template draws in the colours of its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.pages.ticks import round_ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.pages.layers import Layer

# Size of a picture, the place of its bars in it, and the number of bars.
WIDTH, HEIGHT = 320, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 312.0, 8.0, 122.0
_FEWEST, _MOST = 8, 48


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its corner and size in the picture, and what it counts."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Shapes of a histogram.

    Parameters
    ----------
    label
        Name and unit of the quantity.
    bars
        Bars that count anything.
    ticks
        Places on the axis in the picture, with their numbers.
    middle
        Place of the median in the picture.
    text
        What the picture shows, in one sentence.
    """

    label: str
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    middle: float
    text: str


def histogram(layer: Layer) -> Histogram | None:
    """Return the histogram of a quantity, or None if it has fewer than two values.

    Parameters
    ----------
    layer
        The quantity, on all pixels.
    """
    known = layer.values[np.isfinite(layer.values)].astype(np.float64)
    if known.size < 2:
        return None
    low, high = layer.extent
    number = int(np.clip(np.sqrt(known.size), _FEWEST, _MOST))
    counts, edges = np.histogram(known, bins=number, range=(low, high))
    decimals = layer.decimals
    places, rounded = round_ticks(low, high)
    scale = (_RIGHT - _LEFT) / (high - low)
    tall = (_BOTTOM - _TOP) / counts.max()
    bars = tuple(
        Bar(
            x=round(_LEFT + (start - low) * scale, 2),
            y=round(_BOTTOM - count * tall, 2),
            width=round((stop - start) * scale - 0.8, 2),
            height=round(count * tall, 2),
            text=f"{start:.{decimals}f} to {stop:.{decimals}f}: {count}",
        )
        for count, start, stop in zip(counts, edges[:-1], edges[1:], strict=True)
        if count
    )
    median = float(np.median(known))
    return Histogram(
        label=layer.label,
        bars=bars,
        ticks=tuple(
            (round(_LEFT + (place - low) * scale, 2), f"{place:.{rounded}f}") for place in places
        ),
        middle=round(_LEFT + (median - low) * scale, 2),
        text=_sentence(layer, known, edges, counts),
    )


def _sentence(layer: Layer, known: NDArray, edges: NDArray, counts: NDArray) -> str:
    def shown(value: float) -> str:
        return f"{value:.{layer.decimals}f}"

    highest = int(counts.argmax())
    return (
        f"Histogram of the {layer.label} of {known.size} pixels, from {shown(known.min())} to "
        f"{shown(known.max())}, with the median {shown(np.median(known))} and most values from "
        f"{shown(edges[highest])} to {shown(edges[highest + 1])}."
    )
