"""What HDF5 files of others can do: claim more than they hold, and fail in many ways."""

from __future__ import annotations

from typing import Any

import h5py

from hyperspy_coreloss.errors import DatasetError

#: What h5py, h5netcdf and the decoding of their content raise for a damaged or foreign file.
FAILURES = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,  # also RecursionError, of nested JSON
    MemoryError,
)
# Arrays of spectra are compressed to a third; padding with NaN compresses better.
_LARGEST_RATIO = 100
_ALWAYS_ALLOWED = 1 << 24


def check_sizes(file: h5py.File, where: str) -> None:
    """Check that no array of a file is much larger than the file, before it is read.

    A file of a few kilobytes can state an array of terabytes.

    Parameters
    ----------
    file
        The open file.
    where
        Name of the file, for the error message.

    Raises
    ------
    DatasetError
        If an array needs more than 16 MB and 100 times the space that it takes in the file.
    """

    def check(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or item.size is None:
            return
        stored = item.id.get_storage_size()
        if item.nbytes > _ALWAYS_ALLOWED + _LARGEST_RATIO * stored:
            msg = (
                f"The arrays of {where} must be in the file, but {name!r} has the shape "
                f"{item.shape} ({item.nbytes:.2g} bytes) and takes {stored} bytes in the file. "
                "Write the file again with all values."
            )
            raise DatasetError(msg)

    file.visititems(check)
