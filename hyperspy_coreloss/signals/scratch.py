"""Results that are larger than memory: computed into a file, from which they are saved.

The values and the maps of a lazy result share their spectra. If each were saved by itself, all
spectra would be read for each of them.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import dask.array as da
import dask.local
import dask.threaded
import h5py
from dask.base import get_scheduler
from dask.diagnostics import ProgressBar
from hyperspy.api import preferences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def computes_here() -> bool:
    """Return whether dask computes in threads of this process, which can write to one HDF5 file."""
    return get_scheduler() in (None, dask.threaded.get, dask.local.get_sync)


@contextmanager
def computed_on_disk(
    arrays: Sequence[da.Array], axis: int, folder: Path, show_progressbar: bool | None = None
) -> Iterator[list[da.Array]]:
    """Compute arrays together into a temporary file, chunk by chunk, and give them from there.

    Parameters
    ----------
    arrays
        Arrays of one data type that share their graph, of the same shape but for one axis.
    axis
        That axis.
    folder
        Folder of the temporary file, which is deleted in the end.
    show_progressbar
        Whether to show a progress bar; None for HyperSpy's preference.

    Yields
    ------
    list of dask.array.Array
        The arrays, read from the file. They must not be used afterwards.
    """
    joined = da.concatenate(arrays, axis=axis)
    shown = preferences.General.show_progressbar if show_progressbar is None else show_progressbar
    with (
        TemporaryDirectory(dir=folder, prefix=".results.") as scratch,
        h5py.File(Path(scratch) / "results.h5", "w") as file,
    ):
        chunks = list(joined.chunks)
        chunks[axis] = (joined.shape[axis],)
        largest = tuple(max(sizes) for sizes in chunks)
        stored = file.create_dataset("results", joined.shape, joined.dtype, chunks=largest)
        with ProgressBar() if shown else nullcontext():
            da.store(joined, stored, lock=True)
        whole = da.from_array(stored, chunks=tuple(chunks), name=False)
        ends = list(accumulate((array.shape[axis] for array in arrays), initial=0))
        yield [
            whole[(slice(None),) * axis + (slice(start, stop),)] for start, stop in pairwise(ends)
        ]
