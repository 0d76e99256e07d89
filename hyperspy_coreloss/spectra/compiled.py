"""Loops over spectra, compiled by Numba when they are first called.

Array expressions read a batch of spectra from memory once for each operation. A compiled loop does
all its operations on one spectrum while that is in the cache, and leaves the interpreter to other
threads. Compiled loops round like the expressions: no reordering of sums, no fused operations.

Numba notices a change of the file of a function, not of the files of functions that it calls. After
such a change, delete the folders ``__pycache__``; ``make test`` compiles anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.extending import register_jitable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Function = TypeVar("Function", bound="Callable[..., Any]")

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled(function: Function) -> Function:
    """Return a function of arrays and numbers that Numba compiles when it is first called.

    The compiled code is kept on disk for later processes, if there is a folder to write it to.
    """
    try:
        return cast("Function", njit(**_OPTIONS, cache=True)(function))
    except RuntimeError:  # no such folder
        return cast("Function", njit(**_OPTIONS)(function))


def inlined(function: Function) -> Function:
    """Return a function that Numba compiles into the compiled functions that call it."""
    return cast("Function", njit(**_OPTIONS, forceinline=True)(function))


def callable_from_compiled(function: Function) -> Function:
    """Return a function of numbers or arrays as it is; compiled functions may call it too."""
    return register_jitable(function)


def plain_array(array: NDArray) -> NDArray:
    """Return an array in a data type and layout that compiled functions accept.

    Parameters
    ----------
    array
        Array of any real data type and byte order. The masked values of a masked array become NaN.
    """
    kind, size = array.dtype.kind, array.dtype.itemsize
    if np.ma.is_masked(array):
        array, kind, size = np.ma.filled(array.astype(np.float64), np.nan), "f", 8
    dtype: Any = array.dtype.newbyteorder("=")
    if kind == "b":
        dtype = np.uint8
    elif kind == "f" and size not in (4, 8):
        dtype = np.float32 if size < 4 else np.float64
    # Copied if it cannot be written to, because Numba would compile another function for it.
    return np.require(np.ma.getdata(array), dtype=dtype, requirements=("C", "W"))
