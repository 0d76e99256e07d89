"""How the excitation energy depends on the size of the core-hole cell, crystal by crystal.

Usage: ``python benchmarks/simulation_cell_size.py OUTPUT [STRUCTURE ...]``
appends one JSON line for each supercell to OUTPUT: sizes from a shortest image distance of 5 Å to
12.5 Å, up to 120 atoms, first oxygen of each structure. Supercells that OUTPUT holds are left out.
Then it fits the polarisability that makes corrected energies independent of the size, and prints
what is left of the dependence.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from hyperspy_coreloss.simulation.cell_size import dielectric_constant, image_energy
from hyperspy_coreloss.simulation.engine import (
    EngineSettings,
    calculate_core_hole,
    converge_ground_state,
    excitation_energy,
    ground_state_of,
)
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import (
    absorbing_sites,
    build_supercell,
    image_distance,
    primitive_structure,
)

DISTANCES = np.arange(5.0, 13.0, 0.75)
MOST_ATOMS = 120
# Only energies are wanted: the recursion may be short.
SETTINGS = replace(EngineSettings(), steps=10)


def supercells(path: Path):
    """Yield the different supercells of a structure, smallest first."""
    crystal = primitive_structure(read_structure(path))
    sizes = set()
    for distance in DISTANCES:
        atoms = build_supercell(crystal, float(distance))
        if len(atoms) > MOST_ATOMS:
            return
        if len(atoms) not in sizes:
            sizes.add(len(atoms))
            yield absorbing_sites(crystal, "O")[0].index, atoms


def measure(path: Path, site: int, atoms) -> dict:
    """Compute one supercell."""
    start = converge_ground_state(atoms, SETTINGS)
    ground = ground_state_of(start)
    state = calculate_core_hole(atoms, site, SETTINGS, ground_state=start)
    shift = state.atomic_potentials - ground.atomic_potentials
    return {
        "structure": path.stem,
        "site": site,
        "n_atoms": len(atoms),
        "volume": atoms.get_volume(),
        "cell": atoms.cell[:].round(6).tolist(),
        "image_distance": image_distance(atoms.cell[:]),
        "excitation_energy": excitation_energy(ground, state),
        "gap": ground.lumo - ground.homo,
        "lumo_shift": state.lumo - ground.lumo,
        "distances": atoms.get_distances(site, range(len(atoms)), mic=True).round(3).tolist(),
        "potential_shifts": shift.round(4).tolist(),
    }


def corrected(lines: list[dict], polarisability: float) -> np.ndarray:
    """Return the corrected excitation energies minus their mean for each structure, in eV."""
    energies = np.array(
        [
            line["excitation_energy"]
            - image_energy(np.array(line["cell"]))
            / dielectric_constant(3 * line["volume"] / line["n_atoms"], polarisability)
            for line in lines
        ]
    )
    names = np.array([line["structure"] for line in lines])
    for name in set(names):
        energies[names == name] -= energies[names == name].mean()
    return energies


def fit(lines: list[dict]) -> None:
    """Print the polarisability that fits best, and the residuals."""
    best = minimize_scalar(
        lambda value: np.sum(corrected(lines, value) ** 2), bounds=(1.5, 5.0), method="bounded"
    ).x
    residuals = corrected(lines, best)
    for line, residual in zip(lines, residuals, strict=True):
        print(
            f"{line['structure']:20s} {line['n_atoms']:4d} atoms {line['image_distance']:6.2f} Å "
            f"{line['excitation_energy']:9.4f} eV, corrected {residual:+.3f} eV from the mean"
        )
    used = np.array([line["image_distance"] >= 8.0 for line in lines])
    print(
        f"polarisability {best:.2f} Å³ per SiO2; residual {np.sqrt(np.mean(residuals**2)):.3f} eV "
        f"(root mean square of {len(lines)} cells), "
        f"{np.sqrt(np.mean(residuals[used] ** 2)):.3f} eV from 8 Å on"
    )


def main(output: str, *structures: str) -> None:
    """Measure all structures, cell by cell."""
    file = Path(output)
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(line["structure"], line["n_atoms"]) for line in lines}
    for path in map(Path, structures):
        for site, atoms in supercells(path):
            if (path.stem, len(atoms)) in done:
                continue
            line = measure(path, site, atoms)
            with file.open("a") as lines_file:
                lines_file.write(json.dumps(line) + "\n")
            lines.append(line)
    fit(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
