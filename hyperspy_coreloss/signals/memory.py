"""Reading the arrays in the metadata of lazily loaded signals into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask.array as da
from hyperspy.signals import LazySignal

from hyperspy_coreloss.signals.metadata import metadata_trees

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal


def read_metadata(signal: BaseSignal) -> None:
    """Read the arrays in the metadata of a signal into memory, in place.

    HyperSpy loads them as dask arrays if it loads the signal lazily. They can no longer be read
    when the file is closed or overwritten.
    """
    for tree in metadata_trees(signal):
        _read_tree(tree)


def _read_tree(tree: Any) -> None:
    for key in tree.keys():  # noqa: SIM118  # iteration over the tree gives pairs
        value = tree[key]
        if hasattr(value, "as_dictionary"):
            _read_tree(value)
        else:
            read = _read(value)
            if read is not value:
                tree[key] = read


def _read(value: Any) -> Any:
    """Return a value with its dask arrays in memory; the value itself if it has none."""
    if isinstance(value, da.Array):
        return value.compute()
    if isinstance(value, LazySignal):
        read = value.deepcopy()
        read.compute(show_progressbar=False)
        return read
    if isinstance(value, (list, tuple)):
        items = [_read(item) for item in value]
        changed = any(one is not other for one, other in zip(items, value, strict=True))
        return type(value)(items) if changed else value
    return value
