"""From a folder of site records to the sites of a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.computed_site import ComputedSite, ComputedStructure, RecursionChains
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.properties import EXCITATION_ENERGY, PROPERTIES
from hyperspy_coreloss.simulation.basis_set import CUTOFF, basis_set_error
from hyperspy_coreloss.simulation.cell_size import cell_size_error
from hyperspy_coreloss.simulation.comparison import recursion_chains
from hyperspy_coreloss.simulation.projected_density import potential_shift
from hyperspy_coreloss.simulation.site_record import SiteRecord, load_site_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperspy_coreloss.simulation.site_record import ProjectedDensity

_SILICON, _OXYGEN = 14, 8

# What a data set keeps elsewhere, or not at all: the potentials of all atoms are many numbers that
# nothing in a data set refers to.
_ELSEWHERE = {
    *(spec.name for spec in PROPERTIES),
    *("structure", "phase", "source", "licence", "site", "formula", "n_atoms", "volume"),
    *("homo", "lumo", "potentials_gs", "potentials_xch", "cpu_s"),
    *("settings", "versions", "population_basis"),
}


def collect_sites(*folders: str | Path) -> tuple[ComputedSite, ...]:
    """Read the records of folders (``*.npz``, one a site) in the order of their names.

    A site that has records in several folders has the spectrum of the first, and the projected
    densities of all. The excitation energies of silicon oxides are corrected for the size of the
    cell and of the basis (:mod:`hyperspy_coreloss.simulation.cell_size`,
    :mod:`hyperspy_coreloss.simulation.basis_set`); ``details`` tell by how much.

    Raises
    ------
    DatasetError
        If a folder holds no record, or records of one site or structure have different cells.
    SimulationError
        If a file is no complete record.
    """
    records: dict[str, SiteRecord] = {}
    for folder in folders:
        files = sorted(Path(folder).glob("*.npz"))
        if not files:
            msg = (
                f"There is no computed site (.npz) in {folder}. Name the folder that `simulate` "
                "wrote."
            )
            raise DatasetError(msg)
        for file in files:
            record = load_site_record(file)
            first = records.setdefault(file.stem, record)
            if first is not record:
                records[file.stem] = _with_densities(file.stem, first, record)
    return _sites(records)


def _with_densities(name: str, record: SiteRecord, other: SiteRecord) -> SiteRecord:
    if not _structure(record).equals(_structure(other)):
        msg = f"Two records of the site {name} are of different cells. Remove one."
        raise DatasetError(msg)
    return replace(record, densities=record.densities + other.densities)


def _sites(records: Mapping[str, SiteRecord]) -> tuple[ComputedSite, ...]:
    structures: dict[str, ComputedStructure] = {}
    # They are the same for all sites of one cell.
    errors: dict[str, dict[str, float]] = {}
    sites = []
    for name, record in sorted(records.items()):
        structure = _structure(record)
        known = structures.setdefault(structure.name, structure)
        if not known.equals(structure):
            msg = f"{name} is of another cell than the other sites of {known.name}. Remove it."
            raise DatasetError(msg)
        structure = known
        if structure.name not in errors:
            errors[structure.name] = excitation_energy_errors(record)
        sites.append(_site(name, record, structure, errors[structure.name]))
    return tuple(sites)


def _structure(record: SiteRecord) -> ComputedStructure:
    label = record.label
    return ComputedStructure(
        name=str(label["structure"]),
        phase=str(label["phase"]),
        source=str(label["source"]),
        licence=str(label["licence"]),
        cell=record.cell,
        positions=record.positions,
        numbers=record.numbers,
    )


def _site(
    name: str, record: SiteRecord, structure: ComputedStructure, errors: dict[str, float]
) -> ComputedSite:
    label = record.label
    labels = {spec.name: float(label[spec.name]) for spec in PROPERTIES}
    labels[EXCITATION_ENERGY.name] -= sum(errors.values())
    details: dict[str, Any] = {key: label[key] for key in label if key not in _ELSEWHERE}
    details["excitation_energy_uncorrected"] = label[EXCITATION_ENERGY.name]
    details |= errors
    if record.densities:
        details["potential_shift"] = potential_shift(record)
    details["calculation"] = {
        key: label[key] for key in ("settings", "versions", "population_basis")
    }
    return ComputedSite(
        name=name,
        structure=structure,
        absorber=record.site,
        spectrum=recursion_chains(record, label["homo"], label["lumo"]),
        labels=labels,
        details=details,
        projected_densities={
            _density_name(record, density): _density_chains(record, density)
            for density in record.densities
        },
    )


def _density_name(record: SiteRecord, density: ProjectedDensity) -> str:
    from ase.data import chemical_symbols

    symbol = chemical_symbols[record.numbers[density.atom]]
    state = "core hole" if density.core_hole else "ground state"
    return f"p of {symbol} {density.atom}, {state}"


def _density_chains(record: SiteRecord, density: ProjectedDensity) -> RecursionChains:
    """Chains on the energy scale of their own calculation; occupied states are wanted too."""
    steps = density.alpha.shape[-1]
    return RecursionChains(
        alpha=density.alpha.reshape(-1, steps),
        beta=density.beta.reshape(-1, steps),
        norm=density.norm.ravel(),
        lowest_empty=record.label["lumo" if density.core_hole else "lumo_gs"],
        gap_middle=-np.inf,
    )


def excitation_energy_errors(record: SiteRecord) -> dict[str, float]:
    """Return the errors in eV of a record's excitation energy that are known: of silicon oxides.

    The polarisability was fitted to SiO2; it is counted for each two oxygen atoms, which carry
    nearly all of it. The error of the basis is known at one cutoff.
    """
    numbers = np.asarray(record.numbers)
    if set(numbers.tolist()) != {_SILICON, _OXYGEN} or record.label["absorber"] != "O":
        return {}
    n_formula_units = float((numbers == _OXYGEN).sum()) / 2
    errors = {"cell_size_error": cell_size_error(record.cell, n_formula_units)}
    if record.label["settings"]["cutoff"] == CUTOFF:
        errors["basis_set_error"] = basis_set_error(record.cell)
    return errors
