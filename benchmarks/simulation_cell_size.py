"""Measure how the excitation energy depends on the size of the core-hole cell.

Usage: ``python benchmarks/simulation_cell_size.py OUTPUT [STRUCTURE ...] [--most-atoms 120]``
computes the first oxygen of each structure in supercells with shortest image distances from 7 Å to
13 Å, and appends one JSON line for each supercell to OUTPUT. Supercells that are in OUTPUT are not
computed again. Then the benchmark removes the scatter of the plane-wave basis from cell to cell,
fits the two constants that make corrected energies least dependent on the size, and prints the
residuals, also of each crystal under a fit to the others. It fails if such a residual of a
left-out crystal exceeds `LIMIT` in a supercell that data sets would use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from scipy.optimize import minimize_scalar

from hyperspy_coreloss.simulation.basis_set import basis_set_error
from hyperspy_coreloss.simulation.cell_size import dielectric_constant, image_energy
from hyperspy_coreloss.simulation.engine import (
    calculate_core_hole,
    converge_ground_state,
    excitation_energy,
    ground_state_of,
)
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import (
    SMALLEST_IMAGE_DISTANCE,
    absorbing_sites,
    build_supercell,
    image_distance,
    primitive_structure,
)

DISTANCES = np.arange(7.0, 13.5, 0.75)
#: Largest difference in eV of a corrected energy from the mean of its crystal.
LIMIT = 0.05
# Only energies are measured: the recursion may be short.
SETTINGS = replace(EngineSettings(), steps=10)


def supercells(path: Path, most_atoms: int):
    """Yield the different supercells of a structure, smallest first."""
    crystal = primitive_structure(read_structure(path))
    sizes = set()
    for distance in DISTANCES:
        atoms = build_supercell(crystal, float(distance))
        if len(atoms) > most_atoms:
            return
        if len(atoms) not in sizes:
            sizes.add(len(atoms))
            yield absorbing_sites(crystal, "O")[0].index, atoms


def measure(path: Path, site: int, atoms) -> dict:
    """Compute one supercell; return its line."""
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


@dataclass(frozen=True)
class Energies:
    """Excitation energies in eV, corrected for the plane-wave basis, one for each supercell."""

    names: np.ndarray
    values: np.ndarray
    images: np.ndarray
    volumes: np.ndarray
    formula_volumes: np.ndarray

    @classmethod
    def of(cls, lines: list[dict]) -> Energies:
        """Return the energies of measured supercells."""
        cells = [np.array(line["cell"]) for line in lines]
        return cls(
            np.array([line["structure"] for line in lines]),
            np.array([line["excitation_energy"] for line in lines])
            - np.array([basis_set_error(cell) for cell in cells]),
            np.array([image_energy(cell) for cell in cells]),
            np.array([line["volume"] for line in lines]),
            np.array([3 * line["volume"] / line["n_atoms"] for line in lines]),
        )

    def __getitem__(self, chosen: np.ndarray) -> Energies:
        return Energies(
            self.names[chosen],
            self.values[chosen],
            self.images[chosen],
            self.volumes[chosen],
            self.formula_volumes[chosen],
        )

    def corrections(self, polarisability: float, contact: float) -> np.ndarray:
        """Return the errors of finite cells in eV."""
        screening = [dielectric_constant(volume, polarisability) for volume in self.formula_volumes]
        return self.images / np.array(screening) + contact / self.volumes

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Return values minus their mean for each structure."""
        centred = values.copy()
        for name in set(self.names):
            centred[self.names == name] -= centred[self.names == name].mean()
        return centred

    def corrected(self, polarisability: float, contact: float) -> np.ndarray:
        """Return the corrected energies minus their mean for each structure, in eV."""
        return self.centred(self.values - self.corrections(polarisability, contact))


def best_contact(energies: Energies, polarisability: float) -> float:
    """Return the fitted factor of the inverse volume in eV Å³, for a given polarisability."""
    inverse = energies.centred(1.0 / energies.volumes)
    return float(energies.corrected(polarisability, 0.0) @ inverse / (inverse @ inverse))


def best_constants(energies: Energies) -> tuple[float, float]:
    """Return the polarisability and contact for which energies depend least on the cell size."""

    def left(polarisability: float) -> float:
        contact = best_contact(energies, polarisability)
        return float(np.sum(energies.corrected(polarisability, contact) ** 2))

    best = minimize_scalar(left, bounds=(1.0, 100.0), method="bounded")
    return float(best.x), best_contact(energies, float(best.x))


def left_out(energies: Energies) -> np.ndarray:
    """Return the residuals in eV of each crystal, with constants fitted to the others."""
    residuals = np.empty(len(energies.values))
    for name in set(energies.names):
        own = energies.names == name
        residuals[own] = energies[own].corrected(*best_constants(energies[~own]))
    return residuals


def show(lines: list[dict]) -> float:
    """Print fit and residuals; return the largest residual of left-out crystals."""
    energies = Energies.of(lines)
    best = best_constants(energies)
    fitted, predicted = energies.corrected(*best), left_out(energies)
    for line, own, other in zip(lines, fitted, predicted, strict=True):
        click.echo(
            f"{line['structure']:20s} {line['n_atoms']:4d} atoms {line['image_distance']:6.2f} Å "
            f"{line['excitation_energy']:9.4f} eV, corrected {own:+.3f} eV from the mean, "
            f"{other:+.3f} eV if left out of the fit"
        )
    click.echo(f"polarisability {best[0]:.2f} Å³ per SiO2, contact {best[1]:.1f} eV Å³")
    used = np.array([line["image_distance"] >= SMALLEST_IMAGE_DISTANCE for line in lines])
    for name, residuals in {"fitted": fitted, "left out": predicted}.items():
        for where, chosen in {"all cells": np.full(len(lines), True), "from 8 Å on": used}.items():
            click.echo(
                f"{name}, {where}: residual {_rms(residuals[chosen]):.3f} eV (root mean square of "
                f"{chosen.sum()}), at most {np.abs(residuals[chosen]).max():.3f} eV"
            )
    for name, own in own_extrapolation(energies).items():
        model = (energies.values - energies.corrections(*best))[energies.names == name].mean()
        click.echo(
            f"{name:20s} in an infinite cell {model:.3f} eV, by its own cells alone {own:.3f} eV"
        )
    return float(np.abs(predicted[used]).max())


def own_extrapolation(energies: Energies) -> dict[str, float]:
    """Return the energy of each crystal in eV, extrapolated linearly to zero image energy.

    The residuals are relative to the mean of each crystal. These energies show in addition how well
    energies of different crystals compare.
    """
    energy = {}
    for name in dict.fromkeys(energies.names):
        own = energies.names == name
        energy[str(name)] = float(np.polyfit(energies.images[own], energies.values[own], 1)[1])
    return energy


def _rms(residuals: np.ndarray) -> float:
    return float(np.sqrt(np.mean(residuals**2)))


@click.command()
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.argument(
    "structures", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--most-atoms", default=120, show_default=True, help="Largest cell, in atoms.")
def main(output: Path, structures: tuple[Path, ...], most_atoms: int) -> None:
    """Measure supercells of STRUCTURES, and print the fit to all lines of OUTPUT."""
    lines = (
        [json.loads(line) for line in output.read_text().splitlines()] if output.exists() else []
    )
    done = {(line["structure"], line["n_atoms"]) for line in lines}
    for path in structures:
        for site, atoms in supercells(path, most_atoms):
            if (path.stem, len(atoms)) in done:
                continue
            line = measure(path, site, atoms)
            with output.open("a") as lines_file:
                lines_file.write(json.dumps(line) + "\n")
            lines.append(line)
    worst = show(lines)
    if worst > LIMIT:
        message = (
            f"The largest residual of a crystal left out of the fit must be at most {LIMIT} eV; "
            f"found {worst:.3f} eV."
        )
        raise click.ClickException(message)


if __name__ == "__main__":
    main()
