"""Make the heated crystals of the campaign: frames of molecular dynamics at 300 K and 600 K.

Usage: ``python -m training.silica.make_heated STRUCTURES [--output training/structures]``

STRUCTURES is the folder of structures of the plan. Frames that exist in the output folder are kept.
Each crystal takes four to eight minutes on one core at each temperature.
"""

from __future__ import annotations

import logging
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hyperspy_coreloss.errors import SimulationError, StructureError
from hyperspy_coreloss.simulation.atomistic import MolecularDynamics, heat_crystal
from hyperspy_coreloss.simulation.atomistic.production import save_structure
from hyperspy_coreloss.simulation.structure_files import read_structure
from training.silica.plan import silica_plan

if TYPE_CHECKING:
    from hyperspy_coreloss.simulation.tasks import SimulationTask

#: Crystals of the plan that are heated: the minerals, and ten frameworks with small cells.
HEATED = (
    *("COD-Quartz-alpha", "mp-546794", "mp-7648", "COD-Coesite", "COD-Stishovite"),
    *("mp-559550", "IZA-AST", "IZA-BIK", "IZA-CHA", "IZA-GIS"),
    *("IZA-ITW", "IZA-JBW", "IZA-EDI", "IZA-MON", "IZA-MER"),
)

TEMPERATURES = (300.0, 600.0)

FRAMES = 4


@click.command()
@click.argument("structures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output", default=Path(__file__).parents[1] / "structures", type=click.Path(path_type=Path)
)
def main(structures: Path, output: Path) -> None:
    """Make the frames that the output folder lacks."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    output.mkdir(parents=True, exist_ok=True)
    crystals = {task.name: task for task in silica_plan(structures)}
    for name in HEATED:
        for temperature in TEMPERATURES:
            try:
                heat(crystals[name], structures, temperature, output)
            except (SimulationError, StructureError) as error:
                logging.warning("%s at %.0f K is left out: %s", name, temperature, error)


def heat(task: SimulationTask, structures: Path, temperature: float, output: Path) -> None:
    """Heat the crystal of a task, and write its frames."""
    stem = f"{task.name}-{temperature:.0f}K"
    paths = [output / f"{stem}-{number}.xyz" for number in range(FRAMES)]
    if all(path.exists() for path in paths):
        return
    conditions = MolecularDynamics(temperature)
    crystal = read_structure(structures / task.path)
    frames = heat_crystal(crystal, FRAMES, zlib.crc32(stem.encode()), conditions, stem)
    for path, frame in zip(paths, frames, strict=True):
        frame.info |= {
            "phase": task.phase,
            "source": f"{task.source}; molecular dynamics with CHGNet at {temperature:.0f} K",
            "licence": task.licence,
        }
        save_structure(frame, path)
    logging.info("%s: %d frames of %s", stem, FRAMES, frames[0].get_chemical_formula())


if __name__ == "__main__":
    main()
