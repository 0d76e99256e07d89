"""Maps and curves of a page as plain arrays, reduced to what a page can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Largest relative difference between the steps of an axis that counts as even.
_EVEN = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class PositionAxis:
    """Positions of pixels along one axis.

    Parameters
    ----------
    name, units
        Name and units; empty if there are none.
    positions
        Positions of the pixels, rising; those of a stack may fall. Shape (pixels,).
    """

    name: str
    units: str
    positions: NDArray[np.floating]

    @property
    def label(self) -> str:
        """Name with the units in parentheses."""
        name = self.name or "position"
        return f"{name} ({self.units})" if self.units else name

    @property
    def even(self) -> bool:
        """Whether all steps are equal, so that a picture has the axis of the positions."""
        steps = np.diff(self.positions)
        return bool(len(steps) == 0 or np.allclose(steps, steps.mean(), rtol=_EVEN, atol=0))

    @property
    def rounded(self) -> list[float]:
        """Positions without digits far below the smallest step."""
        steps = np.abs(np.diff(self.positions))
        step = steps[steps > 0].min(initial=np.inf)
        if not np.isfinite(step):
            return [float(f"{value:.7g}") for value in self.positions]
        decimals = max(1 - int(np.floor(np.log10(step))), 0)
        return [round(float(value), decimals) + 0.0 for value in self.positions]

    def at(self, index: int) -> str:
        """Return one position with its units."""
        return f"{self.positions[index]:.6g} {self.units}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Values of one quantity on all pixels.

    Parameters
    ----------
    label
        Name, with the unit in parentheses.
    values
        Shape (frames, rows, columns); NaN where there is none.
    half_widths
        Half widths of the intervals of the values, of the same shape, or None.
    limits
        Limits of the colours; the default is those of the values.
    """

    label: str
    values: NDArray[np.floating]
    half_widths: NDArray[np.floating] | None = None
    limits: tuple[float, float] | None = None

    @property
    def title(self) -> str:
        """Name without the unit."""
        return self.label.rpartition(" (")[0] or self.label

    @property
    def unit(self) -> str:
        """Unit; empty if there is none."""
        return self.label.rpartition(" (")[2].removesuffix(")") if " (" in self.label else ""

    @property
    def extent(self) -> tuple[float, float]:
        """Lower and upper limit of the colours: finite, and different from each other."""
        if self.limits is not None:
            return self.limits
        known = self.values[np.isfinite(self.values)]
        if not known.size:
            return 0.0, 1.0
        low, high = float(known.min()), float(known.max())
        margin = 0.0 if high > low else abs(high) * 1e-3 or 1.0
        return low - margin, high + margin

    @property
    def decimals(self) -> int:
        """Number of decimals: two digits of the typical half width, else three of the range."""
        if self.half_widths is None:
            low, high = self.extent
            typical, digits = high - low, 2 if self.limits is None else 3
        else:
            known = self.half_widths[np.isfinite(self.half_widths)]
            typical, digits = float(np.median(known)) if known.size else 0.0, 1
        if not (np.isfinite(typical) and typical > 0):
            return 3
        return int(np.clip(digits - np.floor(np.log10(typical)), 0, 12))


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """Quantities on one set of pixels, with the reason where there are none.

    Parameters
    ----------
    axes
        Axes of the pixels in the order of the arrays: rows and columns; only columns for curves;
        none for a single pixel.
    stack
        Axes of the frames, in the order of the arrays; none if there is one frame.
    quantities
        Quantities.
    codes
        Code of each pixel, shape (frames, rows, columns), or None.
    words
        What the codes mean.
    good
        Code of pixels with values.
    factor
        Number of pixels, along each axis, that are one pixel here.
    shown, frames
        Number of frames that are here, and of those that there are.
    """

    axes: tuple[PositionAxis, ...]
    stack: tuple[PositionAxis, ...]
    quantities: tuple[Layer, ...]
    codes: NDArray[np.unsignedinteger] | None
    words: Mapping[int, str]
    good: int = 0
    factor: int = 1
    shown: int = 1
    frames: int = 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        frames, rows, columns = self.quantities[0].values.shape
        return frames, rows, columns

    @property
    def n_bytes(self) -> int:
        """Bytes of the numbers of all pixels in a page."""
        numbers = sum(1 if one.half_widths is None else 2 for one in self.quantities)
        frames, rows, columns = self.shape
        # A page of several frames has one of them twice: that which is shown.
        return (2 * numbers + 1) * (frames + (frames > 1)) * rows * columns

    def place(self, frame: int) -> str:
        """Return the place of a frame on the axes of the stack in words; empty if there is one."""
        if not self.stack:
            return ""
        indices = np.unravel_index(frame, [len(axis.positions) for axis in self.stack])
        return ", ".join(
            f"{axis.name or 'position'} = {axis.at(int(index))}"
            for axis, index in zip(self.stack, indices, strict=True)
        )


def reduced(layers: Layers, most_bytes: int, most_frames: int) -> Layers:
    """Return the first frames, averaged over squares of pixels, so that a page can hold them.

    Parameters
    ----------
    layers
        The quantities.
    most_bytes
        Largest number of bytes of the numbers in a page.
    most_frames
        Largest number of frames.
    """
    frames = layers.shape[0]
    shown = min(frames, most_frames)
    cut = replace(
        layers,
        quantities=tuple(
            replace(
                one,
                values=one.values[:shown],
                half_widths=None if one.half_widths is None else one.half_widths[:shown],
            )
            for one in layers.quantities
        ),
        codes=None if layers.codes is None else layers.codes[:shown],
        shown=shown,
        frames=frames,
    )
    factor = 1
    while _after(cut, factor) > most_bytes:
        factor += 1
    return cut if factor == 1 else averaged(cut, factor)


def _after(layers: Layers, factor: int) -> float:
    _, rows, columns = layers.shape
    left = -(-rows // factor) * -(-columns // factor)
    return layers.n_bytes * left / (rows * columns)


def averaged(layers: Layers, factor: int) -> Layers:
    """Return means over squares of pixels; pixels without a value are left out of them.

    The code of a square is that of pixels with values if it has any, else the most frequent one.

    Parameters
    ----------
    layers
        The quantities.
    factor
        Number of pixels along each side of a square; those at the ends may be smaller.
    """
    quantities = tuple(
        replace(
            one,
            values=_means(one.values, factor),
            half_widths=None if one.half_widths is None else _means(one.half_widths, factor),
        )
        for one in layers.quantities
    )
    return replace(
        layers,
        axes=tuple(replace(axis, positions=_middles(axis, factor)) for axis in layers.axes),
        quantities=quantities,
        codes=None if layers.codes is None else _codes(layers.codes, factor, layers.good),
        factor=layers.factor * factor,
    )


def _middles(axis: PositionAxis, factor: int) -> NDArray[np.float64]:
    starts = np.arange(0, len(axis.positions), factor)
    sums = np.add.reduceat(np.asarray(axis.positions, dtype=np.float64), starts)
    middles = sums / np.diff([*starts, len(axis.positions)])
    if axis.even and len(middles) > 1:  # the last square may be smaller than the others
        return middles[0] + (middles[1] - middles[0]) * np.arange(len(middles))
    return middles


def _sums(values: NDArray, factor: int) -> NDArray:
    for place in (-2, -1):
        starts = np.arange(0, values.shape[place], factor)
        values = np.add.reduceat(values, starts, axis=place)
    return values


def _means(values: NDArray[np.floating], factor: int) -> NDArray[np.float64]:
    known = np.isfinite(values)
    counts = _sums(known.astype(np.int64), factor)
    sums = _sums(np.where(known, values, 0).astype(np.float64), factor)
    return sums / np.where(counts, counts, np.nan)


def _codes(codes: NDArray, factor: int, good: int) -> NDArray:
    present = np.unique(codes)
    numbers = np.stack([_sums((codes == code).astype(np.int64), factor) for code in present])
    if good in present:
        place = int(np.flatnonzero(present == good)[0])
        numbers[place] *= codes.size  # more than all others together
    return present[numbers.argmax(axis=0)].astype(codes.dtype)
