"""Collecting site records from folders as the sites of a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.computed_site import ComputedSite, ComputedStructure, RecursionChains
from hyperspy_coreloss.dataset.population import OTHER
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.properties import BOND_ANGLE, BOND_LENGTH, EXCITATION_ENERGY, PROPERTIES
from hyperspy_coreloss.simulation.basis_set import CUTOFF, basis_set_error
from hyperspy_coreloss.simulation.cell_size import cell_size_error
from hyperspy_coreloss.simulation.comparison import recursion_chains
from hyperspy_coreloss.simulation.core_hole import CORE_HOLES
from hyperspy_coreloss.simulation.projected_density import potential_shift
from hyperspy_coreloss.simulation.site_record import SiteRecord, load_site_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperspy_coreloss.simulation.site_record import ProjectedDensity

_HYDROGEN, _OXYGEN, _SILICON = 1, 8, 14

# The core hole of records whose settings do not say it.
_FULL = CORE_HOLES["full"].description

# Definitions of the labels of sites other than oxygen in silicon oxides.
_OTHER_DEFINITIONS = {
    BOND_LENGTH.name: "Mean distance from the absorbing atom to its bonded neighbours, which are "
    "closer than 1.243 times the sum of the covalent radii (Cordero et al. 2008); hydrogen is left "
    "out unless there are no others.",
    BOND_ANGLE.name: "Mean angle between the bonds of the absorbing atom.",
    EXCITATION_ENERGY.name: "Total-energy difference between the neutral core-hole cell and the "
    "ground state (PBE), not corrected for the finite cell and basis.",
}

# Keys of a record that are not among a site's details: a data set stores them in other fields, or
# not at all, such as the potentials of all atoms, which take much space and have no use there.
_ELSEWHERE = {
    *(spec.name for spec in PROPERTIES),
    *(
        "population",
        "structure",
        "phase",
        "source",
        "licence",
        "site",
        "formula",
        "n_atoms",
        "volume",
    ),
    *("homo", "lumo", "potentials_gs", "potentials_xch", "cpu_s"),
    *("settings", "versions", "population_basis"),
}


def collect_sites(
    *folders: str | Path, populations: Mapping[str, str] | None = None
) -> tuple[ComputedSite, ...]:
    """Read the site records (``*.npz``) of folders as computed sites.

    If several folders have a record of the same site, its spectrum is taken from the first, and
    its projected densities from all of them. The excitation energies of silicon oxides are
    corrected for the finite cell and the finite basis
    (:mod:`hyperspy_coreloss.simulation.cell_size`,
    :mod:`hyperspy_coreloss.simulation.basis_set`); ``details`` contains the corrections. Those of
    other materials are not corrected. Their labels therefore have other definitions, and a data
    set with both kinds of sites is refused. The theory of a site is in
    ``details["calculation"]["settings"]``: its ``functional`` and ``core_hole``.

    Parameters
    ----------
    *folders
        Folders of site records, as written by :func:`.run_campaign`.
    populations
        Populations of structures, by name, for records that name none.

    Returns
    -------
    tuple of ComputedSite
        In the order of the names of the record files.

    Raises
    ------
    DatasetError
        If a folder has no record, or records of one site or structure have different cells.
    SimulationError
        If a file is not a complete record.
    """
    records: dict[str, SiteRecord] = {}
    for folder in folders:
        files = sorted(Path(folder).glob("*.npz"))
        if not files:
            msg = (
                f"There is no computed site (.npz) in {folder}. Give the output folder of "
                "`hyperspy-coreloss simulate`."
            )
            raise DatasetError(msg)
        for file in files:
            record = load_site_record(file)
            first = records.setdefault(file.stem, record)
            if first is not record:
                records[file.stem] = _with_densities(file.stem, first, record)
    return _sites(records, populations or {})


def _with_densities(name: str, record: SiteRecord, other: SiteRecord) -> SiteRecord:
    if not _structure(record).equals(_structure(other)):
        msg = (
            f"The records of the site {name} must have the same supercell; found two different "
            "ones. Remove one of the records."
        )
        raise DatasetError(msg)
    return replace(record, densities=record.densities + other.densities)


def _sites(
    records: Mapping[str, SiteRecord], populations: Mapping[str, str]
) -> tuple[ComputedSite, ...]:
    structures: dict[str, ComputedStructure] = {}
    # The errors are the same for all sites of one supercell, and are computed once.
    errors: dict[str, dict[str, float]] = {}
    sites = []
    for name, record in sorted(records.items()):
        own = _structure(record)
        structure = structures.setdefault(own.name, own)
        if not structure.equals(own):
            msg = (
                f"All sites of {structure.name} must have the same supercell; the record {name} "
                "has a different one. Remove that record."
            )
            raise DatasetError(msg)
        if structure.name not in errors:
            errors[structure.name] = excitation_energy_errors(record)
        population = record.label.get("population", populations.get(structure.name, OTHER))
        site = _site(name, record, structure, errors[structure.name])
        sites.append(replace(site, population=population))
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
    # Theories without a full core hole have no excitation energy.
    known = [spec.name for spec in PROPERTIES if label[spec.name] is not None]
    labels = {name: float(label[name]) for name in known}
    details: dict[str, Any] = {key: label[key] for key in label if key not in _ELSEWHERE}
    if EXCITATION_ENERGY.name in labels:
        details["excitation_energy_uncorrected"] = labels[EXCITATION_ENERGY.name]
        labels[EXCITATION_ENERGY.name] -= sum(errors.values())
        details |= errors
    if record.densities:
        details["potential_shift"] = potential_shift(record)
    details["calculation"] = {
        key: label[key] for key in ("settings", "versions", "population_basis")
    }
    if not _is_oxygen_of_silica(record):
        details["label_definitions"] = _OTHER_DEFINITIONS
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
    """Return the chains on the energy scale of their own calculation, occupied states included."""
    steps = density.alpha.shape[-1]
    return RecursionChains(
        alpha=density.alpha.reshape(-1, steps),
        beta=density.beta.reshape(-1, steps),
        norm=density.norm.ravel(),
        lowest_empty=record.label["lumo" if density.core_hole else "lumo_gs"],
        gap_middle=-np.inf,
    )


def excitation_energy_errors(record: SiteRecord) -> dict[str, float]:
    """Return the errors of a record's excitation energy in eV, by cause.

    They are available for oxygen in silicon oxides with a full core hole in PBE; otherwise the
    dictionary is empty. The polarisability was fitted to SiO2. It is counted once for every two
    oxygen atoms, which carry nearly all of it. The error of the basis was measured at the cutoff
    `CUTOFF` only, and is left out at others.
    """
    if not _is_oxygen_of_silica(record):
        return {}
    theory = {"functional": "PBE", "core_hole": _FULL} | record.label["settings"]
    if (theory["functional"], theory["core_hole"]) != ("PBE", _FULL):
        return {}
    n_formula_units = float((np.asarray(record.numbers) == _OXYGEN).sum()) / 2
    errors = {"cell_size_error": cell_size_error(record.cell, n_formula_units)}
    if record.label["settings"]["cutoff"] == CUTOFF:
        errors["basis_set_error"] = basis_set_error(record.cell)
    return errors


def _is_oxygen_of_silica(record: SiteRecord) -> bool:
    """Tell whether the site is oxygen of a silicon oxide, which may have silanol groups."""
    elements = set(np.asarray(record.numbers).tolist())
    silica = {_SILICON, _OXYGEN} <= elements <= {_SILICON, _OXYGEN, _HYDROGEN}
    return silica and record.label["absorber"] == "O"
