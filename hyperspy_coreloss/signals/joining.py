"""Values and maps of a result as one array, because they share the spectra they come from."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import dask.array as da
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Array = TypeVar("Array", bound="da.Array | NDArray[Any]")


def joined(arrays: Sequence[da.Array], lengths: Sequence[int], axis: int) -> da.Array:
    """Return the first layers of arrays of one shape, behind each other along an axis.

    Each chunk is joined by one task, so that the graph of many chunks stays small.
    """
    first = arrays[0].rechunk({axis: -1})
    index = tuple(range(first.ndim))
    others = [array.rechunk(first.chunks) for array in arrays[1:]]
    return da.blockwise(
        _joined_blocks,
        index,
        *(one for array in (first, *others) for one in (array, index)),
        adjust_chunks={axis: sum(lengths)},
        dtype=first.dtype,
        meta=np.empty((0,) * first.ndim, dtype=first.dtype),
        lengths=tuple(lengths),
        axis=axis,
    )


def _joined_blocks(*blocks: NDArray, lengths: tuple[int, ...], axis: int) -> NDArray:
    # Other maps have the same values at all positions of the property axis, so one is enough.
    layers = [
        block[(slice(None),) * axis + (slice(length),)]
        for block, length in zip(blocks, lengths, strict=True)
    ]
    return np.concatenate(layers, axis=axis, dtype=blocks[0].dtype, casting="unsafe")


def repeat(values: da.Array | NDArray[Any], size: int) -> Any:
    """Return an array repeated along a new last axis; one of dask by one task for each chunk."""
    if isinstance(values, np.ndarray):
        return np.repeat(values[..., None], size, axis=-1)
    index = tuple(range(values.ndim))
    return da.blockwise(
        _repeated,
        (*index, values.ndim),
        values,
        index,
        new_axes={values.ndim: size},
        dtype=values.dtype,
        meta=np.empty((0,) * (values.ndim + 1), dtype=values.dtype),
        size=size,
    )


def _repeated(block: NDArray, size: int) -> NDArray:
    return np.broadcast_to(block[..., None], (*block.shape, size))


def split(together: Array, lengths: Sequence[int], axis: int) -> list[Array]:
    """Return the arrays that were joined, each of its length along an axis.

    Parameters
    ----------
    together
        Array from :func:`joined`, or what was computed from it.
    lengths, axis
        As for :func:`joined`.
    """
    ends = list(accumulate(lengths, initial=0))
    before: tuple[Any, ...] = (slice(None),) * axis
    parts: list[Any] = [together[(*before, slice(*each))] for each in pairwise(ends)]
    return parts
