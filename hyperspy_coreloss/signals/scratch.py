"""Results that are larger than memory: computed into a file, from which they are saved.

The values and the maps of a lazy result share their spectra. If each were saved by itself, all
spectra would be read for each of them.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import dask.array as da
import dask.local
import dask.threaded
import h5py
from dask.base import get_scheduler

from hyperspy_coreloss.signals.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator


def computes_here() -> bool:
    """Return whether dask computes in threads of this process, which can write to one HDF5 file."""
    return get_scheduler() in (None, dask.threaded.get, dask.local.get_sync)


@contextmanager
def computed_on_disk(
    array: da.Array, folder: Path, show_progressbar: bool | None = None
) -> Iterator[da.Array]:
    """Compute an array into a temporary file, chunk by chunk, and give it from there.

    Parameters
    ----------
    array
        The array.
    folder
        Folder of the temporary file, which is deleted in the end.
    show_progressbar
        Whether to show a progress bar; None for HyperSpy's preference.

    Yields
    ------
    dask.array.Array
        The same array, read from the file. It must not be used afterwards.
    """
    with (
        TemporaryDirectory(dir=folder, prefix=".results.") as scratch,
        h5py.File(Path(scratch) / "results.h5", "w") as file,
    ):
        largest = tuple(max(sizes) for sizes in array.chunks)
        stored = file.create_dataset("results", array.shape, array.dtype, chunks=largest)
        with progress_bar(show_progressbar):
            da.store(array, stored, lock=True)
        yield da.from_array(stored, chunks=array.chunks, name=False)
