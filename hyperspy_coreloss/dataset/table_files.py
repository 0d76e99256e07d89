"""Reading of tables of spectra and labels from CSV and HDF5 files."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pint

from hyperspy_coreloss.dataset.hdf5 import FAILURES, check_sizes
from hyperspy_coreloss.errors import DatasetError, UnknownPropertyError
from hyperspy_coreloss.properties import PROPERTIES, parse_unit, possible_range, property_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_UNITS = {spec.name: spec.unit for spec in PROPERTIES} | {"lowest_empty": "electron_volt"}
_TEXTS = ("structure", "phase", "source", "licence")
_HEADING = re.compile(r"^\s*(?P<name>[^(\[]*?)\s*(?:[(\[](?P<unit>.*)[)\]])?\s*$")

# Exceptions that pint raises for a string that is not a unit.
_UNIT_ERRORS = (
    pint.PintError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, eq=False)
class SiteTable:
    """Spectra of named sites, and columns of labels and strings.

    Parameters
    ----------
    where
        Name of the file or files, for error messages.
    energy
        Energies in eV, shape (samples,).
    spectra
        Intensities, shape (sites, samples).
    names
        Names of the sites, in the order of the spectra.
    label_names
        Names of the sites, in the order of the rows of labels.
    numbers
        Columns of labels in the units of their properties, and ``lowest_empty`` in eV, each of
        shape (rows,). Missing labels are NaN.
    texts
        Columns of structure, phase, source and licence. Missing entries are empty.
    """

    where: str
    energy: NDArray[np.float64]
    spectra: NDArray[np.float64]
    names: tuple[str, ...]
    label_names: tuple[str, ...]
    numbers: Mapping[str, NDArray[np.float64]]
    texts: Mapping[str, tuple[str, ...]]


def read_csv_tables(spectra: Path, labels: Path) -> SiteTable:
    """Read a CSV file of spectra, one column per site, and one of labels, one row per site."""
    (_, head), *rows = _rows(spectra)
    values = [
        [_number(cell, f"line {line}, column {name!r} of {spectra}") for cell, name in pairs]
        for line, row in rows
        for pairs in [list(zip(row, head, strict=True))]
    ]
    table = np.array(values, dtype=float).reshape(len(rows), len(head))
    name, unit = _heading(head[0], spectra)
    if name.lower() != "energy":
        msg = f"The first column of {spectra} must be 'energy (eV)', but it is {head[0]!r}."
        raise DatasetError(msg)
    factor = _factor(unit or "eV", "electron_volt", f"the energies in {spectra}")
    numbers, texts = _label_columns(labels)
    return SiteTable(
        where=f"{spectra.name} and {labels.name}",
        energy=table[:, 0] * factor,
        spectra=table[:, 1:].T,
        names=tuple(word.strip() for word in head[1:]),
        label_names=texts.pop("name"),
        numbers=numbers,
        texts=texts,
    )


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the line numbers and cells of a CSV file. Lines that begin with # are comments."""
    try:
        reader = csv.reader(StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} must be a CSV file in UTF-8, but reading it failed: {error}. Save it again."
        raise DatasetError(msg) from error
    kept = [(n, row) for n, row in rows if "".join(row).strip() and row[0][:1] != "#"]
    if not kept:
        msg = f"{path} must have a row of column names, but it is empty."
        raise DatasetError(msg)
    needed = len(kept[0][1])
    for line, row in kept:
        if len(row) != needed:
            msg = (
                f"Each row of {path} needs {needed} cells, like the first row, but line {line} "
                f"({row[0]!r}) has {len(row)}. Separate cells by commas, and use decimal points."
            )
            raise DatasetError(msg)
    return kept


def _number(cell: str, where: str) -> float:
    try:
        value = float("nan" if "_" in cell else cell)  # float() reads 1_5 as 15.
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        msg = f"A finite number is needed in {where}, but the cell contains {cell!r}."
        raise DatasetError(msg)
    return value


def _label_columns(
    path: Path,
) -> tuple[dict[str, NDArray[np.float64]], dict[str, tuple[str, ...]]]:
    (_, head), *rows = _rows(path)
    names, units = zip(*(_heading(cell, path) for cell in head), strict=True)
    if names[0] != "name":
        msg = f"The first column of {path} must be 'name', but it is {head[0]!r}."
        raise DatasetError(msg)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        msg = (
            f"The columns of {path} need unique names, but these are repeated: "
            f"{', '.join(repeated)}. Rename or remove them."
        )
        raise DatasetError(msg)
    if rows and rows[0][1][0].strip().lower() in ("unit", "units"):
        row = ["", *rows.pop(0)[1][1:]]
        units = tuple(_one_unit(*pair, path) for pair in zip(units, row, strict=True))
    numbers, texts = {}, {}
    for index, (name, unit) in enumerate(zip(names, units, strict=True)):
        cells = [(line, row[index].strip()) for line, row in rows]
        if name in ("name", *_TEXTS):
            texts[name] = tuple(cell for _, cell in cells)
            continue
        factor = _column_factor(name, unit, path)
        # An empty cell is a missing label.
        values = [
            _number(cell, f"line {line}, column {name!r} of {path}") if cell else np.nan
            for line, cell in cells
        ]
        numbers[name] = np.array(values, dtype=float) * factor
        _check_values(name, numbers[name], [f"line {line}" for line, _ in cells], path)
    return numbers, texts


def _check_values(
    name: str, values: NDArray[np.float64], places: Sequence[str], path: Path
) -> None:
    lowest, highest = possible_range(name)
    # A missing label is NaN.
    beyond = 1e-6 * np.abs(values)  # rounding of units
    wrong = np.flatnonzero((values < lowest - beyond) | (values > highest + beyond))
    if wrong.size:
        unit = f"{parse_unit(_UNITS[name]):~P}"
        msg = (
            f"The labels {name!r} must lie between {lowest:g} and {highest:g} {unit}, but that in "
            f"{places[wrong[0]]}, column {name!r} of {path} is {values[wrong[0]]:g} {unit}. "
            "Correct the value or the unit of the column."
        )
        raise DatasetError(msg)


def read_hdf5_table(path: Path) -> SiteTable:
    """Read an HDF5 file of spectra and labels."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        msg = f"{path} must be an HDF5 file, but opening it failed: {error}."
        raise DatasetError(msg) from error
    with file:
        check_sizes(file, str(path))
        energy, spectra = (_array(file, name, path) for name in ("energy", "spectra"))
        names = _strings(file, "names", path)
        group = file.get("labels")
        if not isinstance(group, h5py.Group):
            msg = (
                f"{path} needs a group 'labels' with a data set for each property, but it has no "
                "such group. Add it."
            )
            raise DatasetError(msg)
        numbers = {
            name: _array(group, name, path) * _column_factor(name, _unit(group[name]), path)
            for name in group
            if name not in _TEXTS
        }
        texts = {name: _strings(group, name, path) for name in group if name in _TEXTS}
        factor = _factor(_unit(file["energy"]) or "eV", "electron_volt", f"energy of {path}")
    columns: dict[str, Any] = {**numbers, **texts}
    shapes = {name: np.shape(column) for name, column in columns.items()}
    wrong = [name for name, shape in shapes.items() if shape != (len(names),)]
    if wrong or energy.ndim != 1 or spectra.shape != (len(names), len(energy)):
        msg = (
            f"{path} needs energy (n,), spectra (sites, n), and names and labels (sites,), but it "
            f"has energy {energy.shape}, spectra {spectra.shape}, {len(names)} names and labels of "
            f"{', '.join(f'{name} {shapes[name]}' for name in wrong) or 'that length'}."
        )
        raise DatasetError(msg)
    for name, column in numbers.items():
        _check_values(
            name, column, [f"row {row} ({site!r})" for row, site in enumerate(names)], path
        )
    return SiteTable(path.name, energy * factor, spectra, names, names, numbers, texts)


def _unit(dataset: Any) -> str:
    unit = dataset.attrs.get("units", "")
    return unit.decode(errors="replace") if isinstance(unit, bytes) else str(unit)


def _array(group: Any, name: str, path: Path) -> NDArray[np.float64]:
    try:
        given = group[name][...]
        if given.dtype.kind not in "iuf":
            msg = f"its type is {given.dtype}"
            raise TypeError(msg)
        values = given.astype(float)
    except FAILURES as error:
        msg = f"{path} needs a data set of numbers {name!r}, but reading it failed: {error}."
        raise DatasetError(msg) from error
    if np.isinf(values).any():
        msg = (
            f"The numbers {name!r} in {path} must be finite, or NaN if missing, but they contain "
            "infinity."
        )
        raise DatasetError(msg)
    return values


def _strings(group: Any, name: str, path: Path) -> tuple[str, ...]:
    try:
        return tuple(str(text) for text in group[name].asstr()[:])
    except FAILURES as error:
        msg = f"{path} needs a data set of strings {name!r}, but reading it failed: {error}."
        raise DatasetError(msg) from error


def _heading(cell: str, path: Path) -> tuple[str, str]:
    """Split a heading such as ``bond_length (pm)`` into name and unit."""
    match = _HEADING.match(cell)
    if not match or not match["name"]:
        msg = (
            f"The heading of a column must be 'name' or 'name (unit)', but {path} has the heading "
            f"{cell!r}."
        )
        raise DatasetError(msg)
    return match["name"], (match["unit"] or "").strip()


def _one_unit(heading: str, row: str, path: Path) -> str:
    if heading and row.strip():
        msg = (
            f"A column needs one unit, but {path} gives two units for a column, {heading!r} and "
            f"{row.strip()!r}. Remove one."
        )
        raise DatasetError(msg)
    return heading or row.strip()


def _column_factor(name: str, unit: str, path: Path) -> float:
    if name not in _UNITS:
        try:
            property_index(name, [*_UNITS, *_TEXTS])
        except UnknownPropertyError as error:
            msg = f"A column of {path} has an invalid name. {error}"
            raise DatasetError(msg) from error
    return _factor(unit or _UNITS[name], _UNITS[name], f"column {name!r} of {path}")


def _factor(unit: str, wanted: str, where: str) -> float:
    """Return the factor that converts numbers from `unit` to `wanted`."""
    registry = pint.get_application_registry()
    try:
        given, target = (
            registry.get_base_units(parse_unit(unit)),
            registry.get_base_units(parse_unit(wanted)),
        )
    except _UNIT_ERRORS as error:
        msg = (
            f"A unit of the same dimension as {wanted!r} is needed for {where}, but {unit!r} is "
            "not a unit. Correct it."
        )
        raise DatasetError(msg) from error
    # Angles and numbers of electrons are dimensionless, but must not be confused.
    if given[1] != target[1]:
        msg = (
            f"A unit of the same dimension as {wanted!r} is needed for {where}, but {unit!r} has "
            "another dimension. Correct the unit or the values."
        )
        raise DatasetError(msg)
    return float(given[0] / target[0])
