"""Data sets as netCDF-4 files.

netCDF-4 is HDF5 with named dimensions: ``xarray.open_dataset(file)`` opens it, and every variable
says its unit and what it means. :mod:`hyperspy_coreloss.dataset_layout` tells the variables.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5netcdf
import h5py
import numpy as np

from hyperspy_coreloss.dataset_layout import (
    dataset_attributes,
    dataset_from_variables,
    dataset_variables,
)
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset import SpectrumDataset
    from hyperspy_coreloss.dataset_layout import Variable

FORMAT = "hyperspy_coreloss spectrum data set"
FORMAT_VERSION = 1


def write_dataset(dataset: SpectrumDataset, filename: str | Path) -> None:
    """Write a data set as netCDF-4, whole or not at all.

    Parameters
    ----------
    dataset
        What to write.
    filename
        The file, usually ``*.nc``; an existing one is replaced.
    """
    path = Path(filename)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    try:
        words = {"format": FORMAT, "format_version": FORMAT_VERSION}
        _write_variables(
            Path(temporary), dataset_variables(dataset), words | dataset_attributes(dataset)
        )
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_dataset(filename: str | Path) -> SpectrumDataset:
    """Read what :func:`write_dataset` wrote.

    Raises
    ------
    DatasetError
        If the file is no such data set, is incomplete, or its content is not what was written.
    """
    path = Path(filename)
    if not path.is_file():
        msg = f"There is no data set {path}."
        raise DatasetError(msg)
    try:
        with h5netcdf.File(path, "r") as file:
            attributes = dict(file.attrs)
            if attributes.get("format") != FORMAT:
                msg = f"{path.name} is no spectrum data set: its format is not {FORMAT!r}."
                raise DatasetError(msg)
            if int(attributes["format_version"]) > FORMAT_VERSION:
                msg = (
                    f"{path.name} has format version {attributes['format_version']}; this version "
                    f"of hyperspy_coreloss reads up to {FORMAT_VERSION}. Update it."
                )
                raise DatasetError(msg)
            arrays = {name: _read(variable) for name, variable in file.variables.items()}
        dataset = dataset_from_variables(arrays, attributes)
    except (OSError, KeyError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        msg = f"{path.name} is no complete spectrum data set; reading it failed with {error!r}."
        raise DatasetError(msg) from error
    if dataset.sha256 != attributes["sha256"]:
        msg = (
            f"{path.name} is damaged or was changed by hand: its content has the SHA-256 "
            f"{dataset.sha256[:12]}…, its record says {attributes['sha256'][:12]}…."
        )
        raise DatasetError(msg)
    return dataset


def _write_variables(
    path: Path, variables: Mapping[str, Variable], attributes: Mapping[str, Any]
) -> None:
    with h5netcdf.File(path, "w") as file:
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
