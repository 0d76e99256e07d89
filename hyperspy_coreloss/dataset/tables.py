"""Import of computed spectra and labels from CSV or HDF5 tables.

The page ``docs/importing.md`` describes the layouts of the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hyperspy_coreloss.dataset.computed_site import ComputedSite, ComputedStructure, SampledSpectrum
from hyperspy_coreloss.dataset.table_files import SiteTable, read_csv_tables, read_hdf5_table
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.files import is_file
from hyperspy_coreloss.properties import PROPERTIES, property_index
from hyperspy_coreloss.spectra.energy import single_energy

if TYPE_CHECKING:
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
    """Read computed spectra and their labels from CSV or HDF5 tables.

    Parameters
    ----------
    spectra
        A CSV file (``.csv``) whose first column is the energy and whose other columns are the
        spectra of the sites, or an HDF5 file (``.h5``, ``.hdf5``) of spectra and labels.
    labels
        A CSV file of labels, one row per site. Required if `spectra` is a CSV file, otherwise not
        accepted.
    sigma
        Standard deviation of the Gaussian broadening that the spectra already have, in eV.
    energy_origin
        Zero of the energies. ``"lowest_empty"``: the lowest empty state of each site.
        ``"threshold"``: the threshold of each spectrum. ``"absolute"``: energies are absolute, and
        the column ``lowest_empty`` gives the energy of each site's lowest empty state. A number:
        the energy of the lowest empty state of all sites, in eV.
    label_definitions
        Definitions of properties by name, for example with the basis of the populations.
    source, licence
        Source and licence of sites whose table has no such column.

    Returns
    -------
    tuple of ComputedSite
        Sites in the order of the spectra. Their structures have no atoms.

    Raises
    ------
    DatasetError
        If a table is missing, invalid or ambiguous, or a label cannot be one in its unit.
    UnknownPropertyError
        If a definition is of no property.
    """
    spectra = Path(spectra)
    for path in (spectra, *([Path(labels)] if labels else [])):
        if not is_file(path):
            msg = f"A table is needed at {path}, but there is none. Check the path."
            raise DatasetError(msg)
    if spectra.suffix.lower() == ".csv":
        if labels is None:
            msg = f"The spectra in {spectra} need labels, but labels is None. Pass a CSV file."
            raise DatasetError(msg)
        table = read_csv_tables(spectra, Path(labels))
    elif spectra.suffix.lower() in (".h5", ".hdf5"):
        if labels is not None:
            msg = (
                f"An HDF5 file contains the labels of its sites, but {labels} is given in addition "
                f"to {spectra}. Leave labels out."
            )
            raise DatasetError(msg)
        table = read_hdf5_table(spectra)
    else:
        msg = f"A table must be a .csv, .h5 or .hdf5 file, not {spectra.name}. Convert it."
        raise DatasetError(msg)
    details = {
        "table": spectra.name,
        "energy_origin": energy_origin,
        "label_definitions": _definitions(label_definitions),
    }
    return _sites(table, sigma, energy_origin, details, {"source": source, "licence": licence})


def _definitions(given: object) -> dict[str, str]:
    """Return definitions by the name of a property."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        msg = f"label_definitions must be definitions by name of a property, not {given!r}."
        raise DatasetError(msg)
    for name in given:
        property_index(name, [spec.name for spec in PROPERTIES])
    return dict(given)


def _sites(
    table: SiteTable,
    sigma: float,
    energy_origin: EnergyOrigin,
    details: dict[str, Any],
    defaults: Mapping[str, str],
) -> tuple[ComputedSite, ...]:
    _check_names(table)
    _check_spectra(table)
    _check_sigma(table, sigma)
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
            msg = f"The {what} in {table.where} need unique names, but " + (
                f"these are repeated: {', '.join(map(repr, repeated[:5]))}. Rename them."
                if repeated
                else "one has no name. Add it."
            )
            raise DatasetError(msg)
    alone = set(table.names) ^ set(table.label_names)
    if alone:
        msg = (
            f"Each site in {table.where} needs a spectrum and a row of labels, but "
            f"{', '.join(map(repr, sorted(alone)[:5]))} ({len(alone)} in all) have only one of "
            "them. Add the other one, or remove the site."
        )
        raise DatasetError(msg)
    if not table.names:
        msg = f"At least one site is needed, but {table.where} contains no site. Add a spectrum."
        raise DatasetError(msg)


def _check_spectra(table: SiteTable) -> None:
    energy = table.energy
    wrong = np.flatnonzero(~(np.diff(energy) > 0))
    if len(energy) < 2 or len(wrong) or not np.isfinite(energy).all():
        where = f" from the energy {energy[wrong[0]]:g} eV to the next" if len(wrong) else ""
        msg = (
            f"At least two finite, increasing energies are needed in {table.where}, but its "
            f"{len(energy)} energies do not fulfil this{where}. Sort the rows and remove repeated "
            "ones."
        )
        raise DatasetError(msg)
    for name, spectrum in zip(table.names, table.spectra, strict=True):
        bad = np.flatnonzero(~np.isfinite(spectrum))
        if len(bad):
            msg = (
                f"The spectra in {table.where} must be finite, but {name!r} is not at "
                f"{energy[bad[0]]:g} eV. Correct or remove it."
            )
            raise DatasetError(msg)
        if not spectrum.any():
            msg = (
                f"A spectrum must have intensities other than zero, but the column {name!r} of "
                f"{table.where} is zero in all {len(energy)} rows, from {energy[0]:g} to "
                f"{energy[-1]:g} eV. Correct or remove it."
            )
            raise DatasetError(msg)


def _check_sigma(table: SiteTable, sigma: object) -> None:
    width, span = single_energy(sigma), float(table.energy[-1] - table.energy[0])
    if width is None or not 0 <= width < span:
        msg = (
            f"The broadening sigma of the spectra in {table.where} must be 0 eV or more, and below "
            f"their range of {span:g} eV, but it is {sigma!r}. Give the standard deviation of the "
            "Gaussian in eV."
        )
        raise DatasetError(msg)


def _origin(table: SiteTable, energy_origin: EnergyOrigin) -> NDArray[np.float64]:
    """Return the energy of each row's lowest empty state on the scale of the table, in eV."""
    given = table.numbers.get("lowest_empty")
    rows = len(table.label_names)
    if energy_origin == "absolute":
        if given is None or np.isnan(given).any():
            msg = (
                f"Absolute energies in {table.where} require the energy of each site's lowest "
                "empty state, but it is missing. Add the column lowest_empty, or pass one number "
                "as energy_origin."
            )
            raise DatasetError(msg)
        return given
    if given is not None:
        msg = (
            f"The column lowest_empty requires energy_origin='absolute', but {table.where} has "
            f"the column and energy_origin is {energy_origin!r}. Change energy_origin, or remove "
            "the column."
        )
        raise DatasetError(msg)
    if energy_origin in ("lowest_empty", "threshold"):
        return np.zeros(rows)
    number = single_energy(energy_origin)
    if number is None:
        msg = (
            "energy_origin must be 'lowest_empty', 'threshold', 'absolute' or a number in eV, not "
            f"{energy_origin!r}."
        )
        raise DatasetError(msg)
    return np.full(rows, number)


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
    structure = ComputedStructure(
        name=name,
        phase=text("phase", name),
        source=text("source", defaults["source"]),
        licence=text("licence", defaults["licence"]),
    )
    first = structures.setdefault(name, structure)
    if not first.equals(structure):
        msg = (
            f"The sites of structure {name!r} in {table.where} must agree in phase, source and "
            f"licence, but {table.label_names[row]!r} has {structure.phase}, {structure.source}, "
            f"{structure.licence} and an earlier site has {first.phase}, {first.source}, "
            f"{first.licence}. Correct the table."
        )
        raise DatasetError(msg)
    return first
