"""Computed spectra and labels from plain tables: CSV or HDF5.

The layouts are in ``docs/importing.md``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hyperspy_coreloss.dataset.computed_site import ComputedSite, ComputedStructure, SampledSpectrum
from hyperspy_coreloss.dataset.table_files import SiteTable, read_csv_tables, read_hdf5_table
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

EnergyOrigin = Literal["lowest_empty", "threshold", "absolute"] | float


def read_table(
    spectra: str | Path,
    labels: str | Path | None = None,
    *,
    sigma: float,
    energy_origin: EnergyOrigin,
    label_definitions: Mapping[str, str] | None = None,
    source: str = "unknown",
    licence: str = "unknown",
) -> tuple[ComputedSite, ...]:
    """Read computed spectra and their labels from plain tables.

    Parameters
    ----------
    spectra
        A CSV file (``.csv``) of spectra, its first column the energy and each further one a site;
        or an HDF5 file (``.h5``, ``.hdf5``), which holds the labels too.
    labels
        A CSV file of labels, one row a site; only with a CSV file of spectra.
    sigma
        Standard deviation of the Gaussian that the spectra have been broadened with, in eV.
    energy_origin
        What the energies are counted from: ``"lowest_empty"`` state, ``"threshold"`` of each
        spectrum, or ``"absolute"`` with the column ``lowest_empty`` giving each site's lowest
        empty state on that scale. A number is that energy for all sites, in eV.
    label_definitions
        How a property was computed, by its name, for example the basis of the populations.
    source, licence
        Of sites whose table has no such column.

    Returns
    -------
    tuple of ComputedSite
        In the order of the spectra. Their structures have no atoms.

    Raises
    ------
    DatasetError
        If anything in the tables is broken, or can be understood in two ways.
    """
    spectra = Path(spectra)
    for path in (spectra, *([Path(labels)] if labels else [])):
        if not path.is_file():
            msg = f"A table was expected at {path}; there is none. Check the path."
            raise DatasetError(msg)
    if spectra.suffix.lower() == ".csv":
        if labels is None:
            msg = f"The spectra in {spectra} need labels. Give the CSV file of the labels too."
            raise DatasetError(msg)
        table = read_csv_tables(spectra, Path(labels))
    elif spectra.suffix.lower() in (".h5", ".hdf5"):
        if labels is not None:
            msg = f"{spectra} holds the labels of its sites; do not give {labels} as well."
            raise DatasetError(msg)
        table = read_hdf5_table(spectra)
    else:
        msg = f"A table must be .csv, .h5 or .hdf5, not {spectra.name}. Convert it."
        raise DatasetError(msg)
    details = {
        "table": spectra.name,
        "energy_origin": energy_origin,
        "label_definitions": dict(label_definitions or {}),
    }
    return _sites(table, sigma, energy_origin, details, {"source": source, "licence": licence})


def _sites(
    table: SiteTable,
    sigma: float,
    energy_origin: EnergyOrigin,
    details: dict[str, Any],
    defaults: Mapping[str, str],
) -> tuple[ComputedSite, ...]:
    _check_names(table)
    _check_spectra(table)
    origin = _origin(table, energy_origin)
    structures: dict[str, ComputedStructure] = {}
    sites = []
    for column, name in enumerate(table.names):
        row = table.label_names.index(name)
        sites.append(
            ComputedSite(
                name=name,
                structure=_structure(table, row, structures, defaults),
                absorber=-1,
                spectrum=SampledSpectrum(table.energy - origin[row], table.spectra[column], sigma),
                labels={
                    key: float(values[row])
                    for key, values in table.numbers.items()
                    if key != "lowest_empty" and not np.isnan(values[row])
                },
                details=details,
            )
        )
    return tuple(sites)


def _check_names(table: SiteTable) -> None:
    for names, what in ((table.names, "spectra"), (table.label_names, "labels")):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated or "" in names:
            msg = (
                f"The {what} in {table.where} need a name of their own each; found "
                f"{', '.join(map(repr, repeated[:5])) or 'one without'}. Rename them."
            )
            raise DatasetError(msg)
    alone = set(table.names) ^ set(table.label_names)
    if alone:
        without = [name for name in table.names if name in alone]
        msg = (
            f"Each site in {table.where} needs a spectrum and a row of labels; "
            f"{', '.join(map(repr, sorted(alone)[:5]))} ({len(alone)} in all) has "
            f"{'no labels' if without else 'no spectrum'}. Add or remove it."
        )
        raise DatasetError(msg)
    if not table.names:
        msg = f"{table.where} holds no site. Add a column for each spectrum."
        raise DatasetError(msg)


def _check_spectra(table: SiteTable) -> None:
    energy = table.energy
    wrong = np.flatnonzero(~(np.diff(energy) > 0))
    if len(energy) < 2 or len(wrong) or not np.isfinite(energy).all():
        where = f" from the energy {energy[wrong[0]]:g} to the next" if len(wrong) else ""
        msg = (
            f"The energies in {table.where} must be finite, two or more, and increase; found "
            f"{len(energy)} that do not{where}. Sort the rows and drop repeated ones."
        )
        raise DatasetError(msg)
    for name, spectrum in zip(table.names, table.spectra, strict=True):
        bad = np.flatnonzero(~np.isfinite(spectrum))
        if len(bad):
            msg = (
                f"The spectra in {table.where} must be finite; {name!r} is not at "
                f"{energy[bad[0]]:g} eV. Repair or drop it."
            )
            raise DatasetError(msg)


def _origin(table: SiteTable, energy_origin: EnergyOrigin) -> NDArray[np.float64]:
    """Return the energy of each row's lowest empty state on the scale of the table, in eV."""
    given = table.numbers.get("lowest_empty")
    rows = len(table.label_names)
    if energy_origin == "absolute":
        if given is None or np.isnan(given).any():
            msg = (
                f"Absolute energies in {table.where} need the energy of each site's lowest empty "
                "state. Add the column lowest_empty, or give one number as energy_origin."
            )
            raise DatasetError(msg)
        return given
    if given is not None:
        msg = (
            f"{table.where} has a column lowest_empty, and the energies are said to count from "
            f"{energy_origin!r}. Say energy_origin='absolute', or drop the column."
        )
        raise DatasetError(msg)
    if energy_origin in ("lowest_empty", "threshold"):
        return np.zeros(rows)
    if isinstance(energy_origin, str) or not np.isfinite(energy_origin):
        msg = (
            "energy_origin must be 'lowest_empty', 'threshold', 'absolute' or a number in eV, not "
            f"{energy_origin!r}."
        )
        raise DatasetError(msg)
    return np.full(rows, float(energy_origin))


def _structure(
    table: SiteTable,
    row: int,
    structures: dict[str, ComputedStructure],
    defaults: Mapping[str, str],
) -> ComputedStructure:
    def text(column: str, default: str) -> str:
        cells = table.texts.get(column)
        return cells[row] if cells and cells[row] else default

    name = text("structure", table.label_names[row])
    found = ComputedStructure(
        name=name,
        phase=text("phase", name),
        source=text("source", defaults["source"]),
        licence=text("licence", defaults["licence"]),
    )
    known = structures.setdefault(name, found)
    if not known.equals(found):
        msg = (
            f"The sites of structure {name!r} in {table.where} must agree in phase, source and "
            f"licence; {table.label_names[row]!r} has {found.phase}, {found.source}, "
            f"{found.licence}, others {known.phase}, {known.source}, {known.licence}."
        )
        raise DatasetError(msg)
    return known
