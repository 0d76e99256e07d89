"""Measure how finer numerics change spectrum, energy and populations of one site.

Usage: ``python benchmarks/simulation_convergence.py OUTPUT [STRUCTURE]``
computes the first oxygen of STRUCTURE with the settings of data sets, then with one of these at a
time: a higher cutoff, more recursion steps, double precision, tighter self-consistency, a finer
grid of the populations, more k-points, and a larger supercell. Spectra are aligned where they first
rise through 10 % of their highest intensity, and compared at sigma 0.5 eV and ("sharp") at 0.1 eV.
Each change is one JSON line in OUTPUT; changes that are in OUTPUT are not measured again. Then the
table of OUTPUT is printed, by size class.
"""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from hyperspy_coreloss.simulation.basis_set import basis_set_error
from hyperspy_coreloss.simulation.cell_size import cell_size_error
from hyperspy_coreloss.simulation.comparison import (
    SHARP_SIGMA,
    SIGMA,
    aligned_spectrum,
    cosine,
    recursion_chains,
)
from hyperspy_coreloss.simulation.convergence import (
    CHANGES,
    COSINES,
    read_measurements,
    summarise_convergence,
)
from hyperspy_coreloss.simulation.engine import (
    absorption_recursion,
    band_edges,
    converge_core_hole,
    converge_ground_state,
)
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.populations import calculate_populations
from hyperspy_coreloss.simulation.recursion import Recursion, recursion_kpoints
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import (
    absorbing_sites,
    build_supercell,
    image_distance,
    primitive_structure,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase import Atoms

    from hyperspy_coreloss.dataset.computed_site import RecursionChains

WIDER = 1.4
MOST_ATOMS = 150
FOUR_POINTS = recursion_kpoints(0.0)


@dataclass(frozen=True, eq=False)
class Site:
    """One absorbing atom in one supercell; each result is computed once, when first needed."""

    crystal: Atoms
    atoms: Atoms
    index: int
    settings: EngineSettings

    @cached_property
    def ground_state(self):
        """Converged calculator of the ground state."""
        return converge_ground_state(self.atoms, self.settings)

    @cached_property
    def core_hole(self):
        """Converged calculator of the core-hole cell."""
        return converge_core_hole(
            self.atoms, self.index, self.settings, ground_state=self.ground_state
        )

    @cached_property
    def excitation_energy(self) -> float:
        """Excitation energy in eV, without corrections."""
        excited, ground = (
            calculator.get_potential_energy() + calculator.get_reference_energy()
            for calculator in (self.core_hole, self.ground_state)
        )
        return float(excited - ground)

    @property
    def corrected_excitation_energy(self) -> float:
        """Excitation energy in eV, corrected for the finite cell and the finite basis."""
        cell = self.atoms.cell[:]
        images = cell_size_error(cell, len(self.atoms) / 3)
        return self.excitation_energy - images - basis_set_error(cell)

    @cached_property
    def populations(self) -> tuple[float, float]:
        """Mulliken charge in elementary charges, and overlap population in electrons."""
        analysis = calculate_populations(self.atoms, self.settings)
        return (
            analysis.mulliken_charge(self.index),
            analysis.bond_overlap_population(self.atoms, self.index),
        )

    def spectrum(self, kpoints=None, weights=None, **changed) -> RecursionChains:
        """Return the spectrum, with changed settings of the recursion if given."""
        settings = replace(self.settings, **changed)
        recursion = absorption_recursion(self.core_hole, self.index, settings, kpoints)
        if weights is not None:
            norm = recursion.norm * np.asarray(weights)[:, np.newaxis]
            recursion = Recursion(recursion.alpha, recursion.beta, norm, recursion.kpoints)
        return recursion_chains(recursion, *band_edges(self.core_hole))

    @cached_property
    def usual_spectrum(self) -> RecursionChains:
        """Spectrum with the settings of data sets."""
        return self.spectrum()

    def alike(self, better: RecursionChains) -> dict[str, float]:
        """Return the cosines of the usual spectrum and a better one."""
        return {
            name: cosine(*(aligned_spectrum(each, sigma) for each in (self.usual_spectrum, better)))
            for name, sigma in zip(COSINES, (SIGMA, SHARP_SIGMA), strict=True)
        }


def three_grid() -> tuple[np.ndarray, np.ndarray]:
    """Return points and weights of the 3 x 3 x 3 grid around Gamma, up to time reversal."""
    weights: dict[tuple[int, ...], int] = {}
    for point in itertools.product(range(3), repeat=3):
        partner = tuple(-x % 3 for x in point)
        key = min(point, partner)
        weights[key] = weights.get(key, 0) + 1
    return np.array(list(weights)) / 3, np.array(list(weights.values()), dtype=float)


def _used_points(site: Site) -> str:
    return f"{len(recursion_kpoints(site.atoms.get_volume()))} k-points"


def measure_cutoff(site: Site) -> dict:
    """Compare with a cutoff 1.3 times as high."""
    better = replace(site, settings=replace(site.settings, cutoff=1.3 * site.settings.cutoff))
    return {
        "used": f"{site.settings.cutoff:.0f} eV",
        "better": f"{better.settings.cutoff:.0f} eV",
        **site.alike(better.usual_spectrum),
        "excitation_energy_change": better.excitation_energy - site.excitation_energy,
    }


def measure_four_points(site: Site) -> dict | None:
    """Compare with the whole 2 x 2 x 2 grid, unless the site uses it already."""
    if len(recursion_kpoints(site.atoms.get_volume())) == len(FOUR_POINTS):
        return None
    four = site.spectrum(FOUR_POINTS)
    return {
        "used": _used_points(site),
        "better": f"{len(FOUR_POINTS)} k-points",
        **site.alike(four),
    }


def measure_grid(site: Site) -> dict:
    """Compare with the 3 x 3 x 3 grid."""
    return {
        "used": _used_points(site),
        "better": "3 x 3 x 3 grid",
        **site.alike(site.spectrum(*three_grid())),
    }


def measure_steps(site: Site) -> dict:
    """Compare with twice as many recursion steps."""
    steps = site.settings.steps
    return {
        "used": f"{steps} steps",
        "better": f"{2 * steps} steps",
        **site.alike(site.spectrum(steps=2 * steps)),
    }


def measure_precision(site: Site) -> dict:
    """Compare with a recursion in double precision."""
    return {
        "used": site.settings.precision,
        "better": "double",
        **site.alike(site.spectrum(precision="double")),
    }


def measure_self_consistency(site: Site) -> dict:
    """Compare with self-consistency criteria that are ten times as tight."""
    names = ("density_convergence", "eigenstate_convergence", "energy_convergence")
    tight = {name: getattr(site.settings, name) / 10 for name in names}
    better = replace(site, settings=replace(site.settings, **tight))
    return {
        "used": "usual criteria",
        "better": "a tenth of them",
        **site.alike(better.usual_spectrum),
        "excitation_energy_change": better.excitation_energy - site.excitation_energy,
    }


def measure_population_grid(site: Site) -> dict:
    """Compare populations with those on a grid of three quarters of the spacing."""
    spacing = site.settings.population_grid
    better = replace(site, settings=replace(site.settings, population_grid=0.75 * spacing))
    return {
        "used": f"{spacing:.2f} Å",
        "better": f"{0.75 * spacing:.2f} Å",
        **_population_changes(site, better),
    }


def measure_cell(site: Site) -> dict | None:
    """Compare with a supercell at least `WIDER` times as wide, with all four k-points."""
    distance = image_distance(site.atoms.cell[:])
    better = replace(site, atoms=build_supercell(site.crystal, WIDER * distance))
    if len(better.atoms) > MOST_ATOMS:
        click.echo(f"A cell of {len(better.atoms)} atoms is left out, more than {MOST_ATOMS}.")
        return None
    change = better.corrected_excitation_energy - site.corrected_excitation_energy
    return {
        "used": f"{len(site.atoms)} atoms, {distance:.1f} Å",
        "better": f"{len(better.atoms)} atoms, {image_distance(better.atoms.cell[:]):.1f} Å",
        **site.alike(better.spectrum(FOUR_POINTS)),
        "excitation_energy_change": better.excitation_energy - site.excitation_energy,
        "corrected_excitation_energy_change": change,
        **_population_changes(site, better),
    }


def _population_changes(site: Site, better: Site) -> dict:
    charge, overlap = (b - a for a, b in zip(site.populations, better.populations, strict=True))
    return {"mulliken_charge_change": charge, "bond_overlap_population_change": overlap}


PARAMETERS: dict[str, Callable[[Site], dict | None]] = {
    "cutoff": measure_cutoff,
    "recursion steps": measure_steps,
    "recursion precision": measure_precision,
    "self-consistency": measure_self_consistency,
    "population grid": measure_population_grid,
    "k-points": measure_four_points,
    "k-point grid": measure_grid,
    "supercell": measure_cell,
}


def measure(path: Path, output: Path, chosen: tuple[str, ...]) -> None:
    """Measure the `chosen` parameters of one structure that `output` lacks, and append them."""
    done = {(line["structure"], line["parameter"]) for line in read_measurements(output)}
    crystal = primitive_structure(read_structure(path))
    atoms = build_supercell(crystal)
    site = Site(crystal, atoms, absorbing_sites(crystal, "O")[0].index, EngineSettings())
    for parameter in chosen:
        started = time.process_time()
        if (path.stem, parameter) in done:
            continue
        changes = PARAMETERS[parameter](site)
        if changes is None:
            continue
        line = {
            "structure": path.stem,
            "site": site.index,
            "n_atoms": len(atoms),
            "volume": round(atoms.get_volume(), 1),
            "image_distance": round(image_distance(atoms.cell[:]), 3),
            "parameter": parameter,
            **dict.fromkeys((*COSINES, *CHANGES)),
            **{key: _rounded(value) for key, value in changes.items()},
            "cpu_s": round(time.process_time() - started),
        }
        with output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _rounded(value):
    return round(value, 6) if isinstance(value, float) else value


def show(output: Path) -> None:
    """Print the table of `output`."""
    for group in summarise_convergence(output):
        low, high = group["volume"]
        click.echo(f"{low or 0:g} to {high or np.inf:g} Å³: {', '.join(group['structures'])}")
        for change in group["changes"]:
            energy, corrected, charge, overlap = (_signed(change[name]) for name in CHANGES)
            alike, sharp = (
                "-" if change[name] is None else f"{change[name]:.5f}" for name in COSINES
            )
            click.echo(
                f"  {change['parameter']:17} {change['used']:>18} -> {change['better']:18}"
                f" cosine {alike:>7}, sharp {sharp:>7}, energy {energy} eV, "
                f"corrected {corrected} eV, charge {charge} e, overlap {overlap}"
            )


def _signed(value: float | None) -> str:
    return "      -" if value is None else f"{value:+.4f}"


@click.command()
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.argument(
    "structure", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--parameter",
    "chosen",
    multiple=True,
    type=click.Choice(list(PARAMETERS)),
    help="Measure only this parameter; may be repeated.",
)
def main(output: Path, structure: Path | None, chosen: tuple[str, ...]) -> None:
    """Measure STRUCTURE, if given, and print the table of OUTPUT."""
    if structure is not None:
        measure(structure, output, chosen or tuple(PARAMETERS))
    show(output)


if __name__ == "__main__":
    main()
