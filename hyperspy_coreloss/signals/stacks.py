"""Arrays of the signals that HyperSpy has stacked, joined as it joins the signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask.array as da
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def join_stacked(
    arrays: Sequence[NDArray | da.Array], shape: tuple[int, ...]
) -> NDArray | da.Array | None:
    """Return the array of a stack, or None if it does not have the shape of the stack.

    Parameters
    ----------
    arrays
        Arrays of the parts, in memory or of dask.
    shape
        Shape of the stack, which has a new first axis or is longer along another one.
    """
    join = da if any(isinstance(array, da.Array) for array in arrays) else np
    part = arrays[0].shape
    try:
        if len(shape) > len(part):
            data = join.stack(arrays)
        else:
            data = join.concatenate(arrays, int(np.argmax(np.not_equal(shape, part))))
    except ValueError:  # of parts that do not fit together, in a damaged file
        return None
    return data if data.shape == shape else None  # the stack was cut since
