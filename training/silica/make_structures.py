"""Make the oxygen-poor silicas of the campaign: remove oxygen from crystals, and relax them.

Usage: ``python -m training.silica.make_structures STRUCTURES [--output training/structures]``

STRUCTURES is the folder of structures from which the plan of the campaign is made. Structures that
exist in the output folder are kept; delete one to make it again. Each takes three to ten minutes on
one core.
"""

from __future__ import annotations

import logging
import time
import zlib
from pathlib import Path

import click
import numpy as np
from ase.io import write

from hyperspy_coreloss.simulation.relaxation import RelaxationSettings, relax
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import build_supercell, primitive_structure
from hyperspy_coreloss.simulation.virtual_structures import remove_oxygen
from training.silica.plan import structure_name

#: Crystal and number of oxygen vacancies in its smallest supercell.
OXYGEN_POOR = (
    ("materials_project/mp-7648_SiO2.cif", 2),  # tridymite
    ("materials_project/mp-546794_SiO2.cif", 1),  # cristobalite
    ("materials_project/mp-6930_SiO2.cif", 1),  # quartz
    ("zeolites_iza/BIK.cif", 3),
    ("materials_project/mp-559550_SiO2.cif", 2),  # sodalite
    ("materials_project/mp-6930_SiO2.cif", 2),
    ("polymorphs/SiO2-Coesite.cif", 2),
    ("materials_project/mp-546794_SiO2.cif", 3),
)


@click.command()
@click.argument("structures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output", default=Path(__file__).parents[1] / "structures", type=click.Path(path_type=Path)
)
@click.option(
    "--largest-force",
    default=RelaxationSettings.largest_force,
    show_default=True,
    help="Largest force on an atom at the end, in eV/Å.",
)
def main(structures: Path, output: Path, largest_force: float) -> None:
    """Make the oxygen-poor structures that the output folder lacks."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    output.mkdir(parents=True, exist_ok=True)
    for crystal, vacancies in OXYGEN_POOR:
        path = output / f"{structure_name(Path(crystal))}-vac{vacancies}.xyz"
        if not path.exists():
            make(structures / crystal, vacancies, path, RelaxationSettings(largest_force))


def make(crystal: Path, vacancies: int, path: Path, settings: RelaxationSettings) -> None:
    """Remove oxygen from a crystal, relax it, and write the result to `path`."""
    started = time.process_time()
    supercell = build_supercell(primitive_structure(read_structure(crystal)))
    seed = zlib.crc32(path.stem.encode())
    relaxed = relax(remove_oxygen(supercell, vacancies, seed), settings)
    silicon = relaxed[relaxed.numbers == 14].get_all_distances(mic=True)
    bonds = np.sort(silicon[np.triu_indices_from(silicon, 1)])[:vacancies]
    relaxed.info = {
        "parent": structure_name(crystal),
        "vacancies": vacancies,
        "seed": seed,
        "functional": settings.engine.functional,
        "largest_force": settings.largest_force,
    }
    write(path, relaxed, format="extxyz", columns=["symbols", "positions"])
    logging.info(
        "%s: %s, Si-Si %s Å, %.0f CPU s",
        path.stem,
        relaxed.get_chemical_formula(),
        " ".join(f"{bond:.2f}" for bond in bonds),
        time.process_time() - started,
    )


if __name__ == "__main__":
    main()
