"""The pixels of a result that are computed so far: all of one in memory, some of a lazy one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from hyperspy.signals import LazySignal

from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.signals.axes import array_axes
from hyperspy_coreloss.signals.held_out_errors import scores_of
from hyperspy_coreloss.signals.metadata import SPREAD, get_map
from hyperspy_coreloss.signals.place import find_place, half_widths_at, values_at
from hyperspy_coreloss.signals.positions import property_positions

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.signals.place import Place


@dataclass(frozen=True, slots=True)
class PixelValues:
    """What a result says of one pixel.

    Parameters
    ----------
    values, half_widths
        Values of the properties, and half widths of their intervals, shape (properties,); NaN
        where there are none.
    maps
        Values of each map of the result by its name, shape (properties,).
    """

    values: NDArray[np.floating]
    half_widths: NDArray[np.floating]
    maps: dict[str, NDArray[np.floating]]


class ComputedPixels:
    """The pixels of a result that are computed so far.

    Of a lazy result, the chunk that holds a pixel is computed when the pixel is asked for, and
    kept.

    Parameters
    ----------
    result
        Result with the properties along its only signal axis.
    """

    def __init__(self, result: BaseSignal) -> None:
        self._result = result
        self._shape = tuple(axis.size for axis in array_axes(result)[:-1])
        self._lazy = isinstance(result, LazySignal)
        chunks = result.data.chunks[:-1] if self._lazy else [(size,) for size in self._shape]
        self._edges = [np.concatenate([[0], np.cumsum(sizes)]) for sizes in chunks]
        self._blocks: dict[tuple[int, ...], BaseSignal] = {}
        if not self._lazy:
            self._blocks[(0,) * len(self._shape)] = result

    @property
    def complete(self) -> bool:
        """Whether all pixels are computed."""
        return len(self._blocks) == np.prod([len(edges) - 1 for edges in self._edges], dtype=int)

    def at(self, place: Place, names: tuple[str, ...], level: float) -> PixelValues:
        """Return what the result says of the pixel at a place, with intervals of a coverage."""
        block, there = self.block_at(place)
        stored = {name: get_map(block, name) for name in names}
        return PixelValues(
            values=values_at(there, block.data),
            half_widths=half_widths_at(block, there, level),
            maps={
                name: values_at(there, one.data) for name, one in stored.items() if one is not None
            },
        )

    def map_of(self, position: int) -> NDArray[np.floating]:
        """Return the map of the property at a position, with NaN where it is not computed."""
        return self._assembled(lambda block: block.data[..., position])

    def half_widths_of(self, position: int, level: float) -> NDArray[np.floating]:
        """Return the half widths of the intervals of a property, of the shape of its map."""
        scores = scores_of(self._result)
        if scores is None:
            return np.full(self._shape, np.nan)
        width = conformal_half_width(scores, level)[property_positions(self._result)][position]

        def half_widths(block: BaseSignal) -> NDArray[np.floating]:
            spread = get_map(block, SPREAD)
            ones = np.ones(block.data.shape[:-1])
            return width * (ones if spread is None else spread.data[..., position])

        return self._assembled(half_widths)

    def companion(self, name: str) -> NDArray[np.floating] | None:
        """Return a map that goes with the result, or None if it has none of this name."""
        if get_map(self._result, name) is None:
            return None

        def values(block: BaseSignal) -> NDArray:
            one = get_map(block, name)
            return np.full(block.data.shape[:-1], np.nan) if one is None else one.data[..., 0]

        return self._assembled(values)

    def block_at(self, place: Place) -> tuple[BaseSignal, Place]:
        """Return the computed part of the result that holds a place, and the place in it."""
        indices = place.indices[::-1]  # in the order of the array
        number = tuple(
            int(np.searchsorted(edges, index, side="right")) - 1
            for edges, index in zip(self._edges, indices, strict=True)
        )
        limits = self._limits(number)
        if number not in self._blocks:
            where = tuple(slice(*limit) for limit in limits[::-1])
            # The slicer of HyperSpy takes the maps with the result.
            block = self._result.inav[where] if where else self._result.deepcopy()
            block.compute(show_progressbar=False)
            self._blocks[number] = block
        local = tuple(index - first for index, (first, _) in zip(indices, limits, strict=True))
        return self._blocks[number], find_place(self._blocks[number], local[::-1])

    def _limits(self, number: tuple[int, ...]) -> list[tuple[int, int]]:
        return [
            (int(edges[one]), int(edges[one + 1]))
            for edges, one in zip(self._edges, number, strict=True)
        ]

    def _assembled(self, read: Callable[[BaseSignal], NDArray]) -> NDArray[np.floating]:
        whole = np.full(self._shape, np.nan, dtype=np.float32)
        for number, block in self._blocks.items():
            where = tuple(slice(*limit) for limit in self._limits(number))
            whole[where] = read(block)
        return whole
