"""Named arrays as netCDF-4 files.

netCDF-4 is HDF5 with named dimensions. ``xarray.open_dataset(file)`` opens such a file. The
attributes of each variable give its unit and its meaning.
:mod:`hyperspy_coreloss.dataset.layout` describes the variables of a data set.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5netcdf
import h5py
import numpy as np

from hyperspy_coreloss.dataset.hdf5 import FAILURES, check_sizes
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.files import is_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class NamedArray:
    """Array with named dimensions, and attributes that give its unit and meaning."""

    dimensions: tuple[str, ...]
    values: Any
    attributes: dict[str, str]


def save_variables(
    filename: str | Path, variables: Mapping[str, NamedArray], attributes: Mapping[str, Any]
) -> None:
    """Write named arrays to a file. If writing fails, an existing file is unchanged.

    Parameters
    ----------
    filename
        The file. An existing file is replaced.
    variables
        Arrays by name. Lists contain strings.
    attributes
        Attributes of the file: strings and numbers.
    """
    # HDF5 aborts the process if the disk is full; the file is therefore built in memory first.
    content = io.BytesIO()
    _write(content, variables, attributes)
    with replace_file(filename) as path:
        path.write_bytes(content.getbuffer())


def load_variables(
    path: Path, file_format: str, newest: int
) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """Return the arrays and the attributes of a file.

    Parameters
    ----------
    path
        The file.
    file_format, newest
        Required attribute ``format``, and the highest ``format_version`` that can be read.

    Raises
    ------
    DatasetError
        If the file does not exist, is damaged, or has another format or a newer version.
    """
    if not is_file(path):
        msg = f"There is no data set {path}. Check the path."
        raise DatasetError(msg)
    try:
        with h5py.File(path, "r") as raw:
            check_sizes(raw, path.name)
        with h5netcdf.File(path, "r") as file:
            attributes = dict(file.attrs)
            if attributes.get("format") != file_format:
                msg = (
                    f"{path.name} is not a spectrum data set: its attribute 'format' must be "
                    f"{file_format!r}, but it is {attributes.get('format')!r}."
                )
                raise DatasetError(msg)
            if not 1 <= int(attributes["format_version"]) <= newest:
                msg = (
                    f"{path.name} has format version {attributes['format_version']}, but this "
                    f"version of hyperspy_coreloss reads versions 1 to {newest}. Update "
                    "hyperspy_coreloss."
                )
                raise DatasetError(msg)
            return {name: _read(variable) for name, variable in file.variables.items()}, attributes
    except DatasetError:
        raise
    except FAILURES as error:
        msg = f"{path.name} is not a complete spectrum data set: reading it failed with {error!r}."
        raise DatasetError(msg) from error


def _write(
    content: io.BytesIO, variables: Mapping[str, NamedArray], attributes: Mapping[str, Any]
) -> None:
    with h5netcdf.File(content, "w") as file:
        file.attrs.update(attributes)
        for name, variable in variables.items():
            text = isinstance(variable.values, list)
            values = np.array(variable.values, dtype=object if text else None)
            for dimension, size in zip(variable.dimensions, values.shape, strict=True):
                if dimension not in file.dimensions:
                    file.dimensions[dimension] = size
            # Strings of variable length cannot be compressed.
            options = {} if text else {"compression": "gzip", "shuffle": True}
            kind = h5py.string_dtype() if text else values.dtype
            written = file.create_variable(name, variable.dimensions, dtype=kind, **options)
            written[...] = values
            written.attrs.update(variable.attributes)


def _read(variable: Any) -> NDArray:
    values = variable[...]
    if values.dtype == object:
        return np.array([v.decode() if isinstance(v, bytes) else v for v in values], dtype=object)
    return values
