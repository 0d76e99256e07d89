"""Measure the error of the excitation energy due to the finite plane-wave basis.

Usage: ``python benchmarks/simulation_basis_set.py OUTPUT [STRUCTURE ...]``
computes the first oxygen in the primitive cell of each structure, at the simulator's cutoff and at
`CONVERGED`, and appends one JSON line to OUTPUT. Small cells suffice, because the error is due to
one atom; their numbers of plane waves also scatter most. Then the benchmark fits mean and slope of
the error over this number. It prints the residuals, also of each crystal under a fit to the others.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from hyperspy_coreloss.simulation.basis_set import CUTOFF, plane_wave_excess
from hyperspy_coreloss.simulation.engine import (
    calculate_core_hole,
    converge_ground_state,
    excitation_energy,
    ground_state_of,
)
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import absorbing_sites, primitive_structure

#: Cutoff in eV at which the basis counts as converged.
CONVERGED = 700.0
# Only energies are measured: the recursion may be short.
SETTINGS = replace(EngineSettings(), steps=5)


def measure(path: Path) -> dict:
    """Compute one structure at both cutoffs; return its line."""
    atoms = primitive_structure(read_structure(path))
    site = absorbing_sites(atoms, "O")[0].index
    energies = []
    for cutoff in (CUTOFF, CONVERGED):
        settings = replace(SETTINGS, cutoff=cutoff)
        start = converge_ground_state(atoms, settings)
        state = calculate_core_hole(atoms, site, settings, ground_state=start)
        energies.append(excitation_energy(ground_state_of(start), state))
    return {
        "structure": path.stem,
        "site": site,
        "n_atoms": len(atoms),
        "cell": atoms.cell[:].round(6).tolist(),
        "cutoffs": [CUTOFF, CONVERGED],
        "excitation_energies": np.round(energies, 5).tolist(),
    }


def show(lines: list[dict]) -> None:
    """Print the residuals of the fit, and mean and slope of the error."""
    excess = np.array([plane_wave_excess(np.array(line["cell"])) for line in lines])
    error = np.array([-np.diff(line["excitation_energies"])[0] for line in lines])
    slope, mean = np.polyfit(excess, error, 1)
    for index, line in enumerate(lines):
        others = np.arange(len(lines)) != index
        left_out = error[index] - np.polyval(np.polyfit(excess[others], error[others], 1), excess)
        click.echo(
            f"{line['structure']:20s} {line['n_atoms']:3d} atoms, plane waves "
            f"{100 * np.expm1(excess[index]):+.2f} %, error {error[index]:.4f} eV, fit leaves "
            f"{error[index] - mean - slope * excess[index]:+.4f} eV, "
            f"{left_out[index]:+.4f} eV if left out of it"
        )
    click.echo(f"mean error {mean:.3f} eV, {slope:.2f} eV for each unit of the logarithm")


@click.command()
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.argument(
    "structures", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def main(output: Path, structures: tuple[Path, ...]) -> None:
    """Measure STRUCTURES, and print the fit to all lines of OUTPUT."""
    lines = (
        [json.loads(line) for line in output.read_text().splitlines()] if output.exists() else []
    )
    done = {line["structure"] for line in lines}
    for path in structures:
        if path.stem in done:
            continue
        lines.append(measure(path))
        with output.open("a") as file:
            file.write(json.dumps(lines[-1]) + "\n")
    show(lines)


if __name__ == "__main__":
    main()
