"""Arrays that stay what they are: what has a SHA-256 must not change under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


def read_only(values: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return a copy of an array that cannot be written to.

    Parameters
    ----------
    values
        Anything NumPy makes an array of.
    dtype
        Of the copy; by default that of `values`.

    Examples
    --------
    >>> read_only([1.0, 2.0]).flags.writeable
    False
    """
    copy = np.array(values, dtype=dtype)
    copy.flags.writeable = False
    return copy


class ReadOnlyArrays:
    """Base of what has read-only arrays as attributes: they stay so in pickled and other copies."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        vars(self).update(state)
