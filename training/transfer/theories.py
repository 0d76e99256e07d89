"""Measure what the core hole and the functional change in the spectrum of one site.

Usage: ``python -m training.transfer.theories [STRUCTURE] [--output FILE]``

computes the first oxygen of STRUCTURE with a full core hole in PBE, as data sets are, and by other
theories, and compares their spectra with it (:mod:`training.transfer.differences`). Each theory is
one JSON line in the output; theories that are in it are not measured again. Then its table is
printed. A structure of 36 atoms takes four minutes on one core.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

import click

from hyperspy_coreloss.simulation.comparison import recursion_chains
from hyperspy_coreloss.simulation.core_hole import CORE_HOLES, ensure_core_hole_setup
from hyperspy_coreloss.simulation.engine import (
    absorption_recursion,
    band_edges,
    converge_core_hole,
    converge_ground_state,
    plane_wave_calculator,
)
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import (
    absorbing_sites,
    build_supercell,
    primitive_structure,
)
from hyperspy_coreloss.simulation.warm_start import start_from
from training.transfer.differences import theory_difference

USUAL = ("PBE", "full")
#: Functional and core hole; "charged": without the excited electron, the cell has a background.
THEORIES = (
    ("LDA", "full"),
    ("RPBE", "full"),
    ("PBE", "half"),
    ("PBE", "half, charged"),
    ("LDA", "half"),
    ("RPBE", "half"),
    ("PBE", "none"),
)


def charged_cell(atoms, site, settings, ground_state):
    """Return the converged cell with the core hole of `settings` and no excited electron."""
    ensure_core_hole_setup(atoms[site].symbol, settings.functional, None, settings.core_hole)
    name = CORE_HOLES[settings.core_hole].setup_name
    calculator = plane_wave_calculator(settings, setups={site: name}, charge=0)
    own = atoms.copy()
    start_from(calculator, ground_state, own)
    own.get_potential_energy()
    return calculator


def measure(path: Path, output: Path) -> None:
    """Measure the theories of one structure that `output` lacks, and append them."""
    done = {(line["structure"], line["functional"], line["core_hole"]) for line in read(output)}
    crystal = primitive_structure(read_structure(path))
    atoms, site = build_supercell(crystal), absorbing_sites(crystal, "O")[0].index

    @cache
    def ground(functional):
        return converge_ground_state(atoms, EngineSettings(functional=functional))

    @cache
    def spectrum(functional, core_hole):
        name, _, charged = core_hole.partition(", ")
        settings = EngineSettings(functional=functional, core_hole=name)
        start = ground(functional)
        if charged:
            cell = charged_cell(atoms, site, settings, start)
        else:
            cell = converge_core_hole(atoms, site, settings, ground_state=start)
        return recursion_chains(absorption_recursion(cell, site, settings), *band_edges(cell))

    for theory in THEORIES:
        if (path.stem, *theory) in done:
            continue
        difference = theory_difference(spectrum(*USUAL), spectrum(*theory))
        line = {
            "structure": path.stem,
            "site": site,
            "n_atoms": len(atoms),
            "functional": theory[0],
            "core_hole": theory[1],
            **asdict(difference),
        }
        with output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_rounded(line)) + "\n")


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_rounded(each) for each in value]
    return round(value, 5) if isinstance(value, float) else value


def read(output: Path) -> list[dict]:
    """Return the lines of `output`; none if it does not exist."""
    texts = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
    return [json.loads(text) for text in texts]


def show(output: Path) -> None:
    """Print the table of `output`."""
    for line in read(output):
        cosines = " ".join(f"{value:.4f}" for value in line["cosines"])
        edge, waves = (
            f"{line[key]['shift']:+.2f} eV x {line[key]['stretch']:.4f} ({line[key]['cosine']:.4f})"
            for key in ("edge", "oscillations")
        )
        click.echo(
            f"{line['structure']:>14} {line['functional']:>4} {line['core_hole']:13} cosines "
            f"{cosines}, threshold {line['threshold_shift']:+.2f} eV, peak "
            f"{line['peak_ratio']:.3f}, edge {edge}, oscillations {waves}"
        )


@click.command()
@click.argument(
    "structure", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--output",
    default=Path(__file__).parent / "theories.jsonl",
    type=click.Path(dir_okay=False, path_type=Path),
)
def main(structure: Path | None, output: Path) -> None:
    """Measure STRUCTURE, if given, and print the table of the output."""
    if structure is not None:
        measure(structure, output)
    show(output)


if __name__ == "__main__":
    main()
