"""Read-only arrays: the content of a data set must not change after its SHA-256 is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


def read_only(values: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return a read-only copy of an array.

    Parameters
    ----------
    values
        Array, or a sequence that NumPy converts to an array.
    dtype
        Data type of the copy. The default is the data type of `values`.

    Examples
    --------
    >>> read_only([1.0, 2.0]).flags.writeable
    False
    """
    copy = np.array(values, dtype=dtype)
    copy.flags.writeable = False
    return copy


class ReadOnlyArrays:
    """Base class of dataclasses whose arrays stay read-only in copied and unpickled instances."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        vars(self).update(state)
