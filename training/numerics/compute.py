"""Compute some sites of the data set again with finer numerics, to test their spectra to 100 eV.

Usage: ``python -m training.numerics.compute [SITES] [--output FOLDER]``

SITES is the folder of computed sites. Of every population, sites in the smallest supercells are
taken, each of another phase (:func:`chosen_sites`), and computed with a cutoff of 700 eV instead of
400 eV, and at 700 eV with a harder PAW data set of the absorber. Each result is one record in the
output folder; sites that have theirs are not computed again. A site takes two to seven minutes on
one core. ``benchmarks/numerics.py`` compares them.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import click
import numpy as np
from ase import Atoms

from hyperspy_coreloss.simulation.core_hole import CORE_HOLES
from hyperspy_coreloss.simulation.engine import calculate_core_hole, code_versions
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.site_record import (
    SiteRecord,
    load_site_record,
    save_site_record,
)
from training.silica.populations import FILE as POPULATIONS

_LOGGER = logging.getLogger(__name__)

TRAINING = Path(__file__).parents[1]

#: Finer numerics by name: the name is the folder of the records.
FINER = {
    "cutoff": EngineSettings(cutoff=700.0),
    "harder": EngineSettings(cutoff=700.0, core_hole="full-harder"),
}

#: Sites of each population.
SITES_EACH = 2


def chosen_sites(sites: Path, count: int = SITES_EACH) -> list[Path]:
    """Return the records to compute again: populations take turns, the smallest cells first."""
    candidates: dict[str, list[tuple[float, str, Path]]] = {}
    for path in sorted(sites.glob("*.npz")):
        record = load_site_record(path)
        volume = float(abs(np.linalg.det(record.cell)))
        entry = (volume, str(record.label["phase"]), path)
        candidates.setdefault(population_of(record), []).append(entry)
    turns: list[tuple[int, str, Path]] = []
    for population, entries in candidates.items():
        smallest: dict[str, Path] = {}
        for _, phase, path in sorted(entries):
            smallest.setdefault(phase, path)
        taken = list(smallest.values())[:count]
        turns += [(turn, population, path) for turn, path in enumerate(taken)]
    return [path for _, _, path in sorted(turns)]


def population_of(record: SiteRecord) -> str:
    """Return the population of a record; the first records do not name theirs."""
    named = record.label.get("population")
    return str(named or _first_populations()[record.label["structure"]])


@cache
def _first_populations() -> dict[str, str]:
    populations: dict[str, str] = json.loads(POPULATIONS.read_text(encoding="utf-8"))
    return populations


def compute(record: SiteRecord, settings: EngineSettings) -> SiteRecord:
    """Return the record of the same site with other settings."""
    started = time.process_time()
    atoms = Atoms(record.numbers, record.positions, cell=record.cell, pbc=True)
    state = calculate_core_hole(atoms, record.site, settings)
    changed = {
        "homo": state.homo,
        "lumo": state.lumo,
        "iterations": state.iterations,
        "versions": code_versions(),
        "settings": settings.to_dict()
        | {
            "kpoints": state.recursion.kpoints.tolist(),
            "core_hole": CORE_HOLES[settings.core_hole].description,
        },
        "cpu_s": time.process_time() - started,
    }
    kept = ("structure", "phase", "site", "formula", "n_atoms", "volume")
    return replace(
        record,
        alpha=state.recursion.alpha,
        beta=state.recursion.beta,
        norm=state.recursion.norm,
        label={name: record.label[name] for name in kept} | changed,
    )


@click.command()
@click.argument("sites", default=TRAINING / "sites", type=click.Path(exists=True, path_type=Path))
@click.option("--output", default=TRAINING / "numerics" / "sites", type=click.Path(path_type=Path))
def main(sites: Path, output: Path) -> None:
    """Compute chosen SITES again with finer numerics."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for path in chosen_sites(sites):
        record = load_site_record(path)
        for name, settings in FINER.items():
            target = output / name / path.name
            if target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            finer = compute(record, settings)
            save_site_record(finer, target)
            _LOGGER.info("%s %s: %.0f CPU s", path.stem, name, finer.label["cpu_s"])


if __name__ == "__main__":
    main()
