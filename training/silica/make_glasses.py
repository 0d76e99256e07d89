"""Make the amorphous cells of the campaign: glasses, suboxides, and a few with broken bonds.

Usage: ``python -m training.silica.make_glasses [--output training/structures] [--workers 1]``

Seeds are tried in order until each batch has the number of cells it wants.
Cells that exist in the output folder are kept, and refused seeds are not tried again, so that it
can be stopped and resumed. Each seed takes 20 s on one core, each cell one to five minutes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import click
from joblib import Parallel, delayed

from hyperspy_coreloss.simulation.atomistic import ForceRelaxation, GlassSettings, parse_composition
from hyperspy_coreloss.simulation.atomistic.production import make_glasses


@dataclass(frozen=True)
class Batch:
    """Cells of one composition, density of the melt, and size.

    Parameters
    ----------
    composition, atoms, density
        As in ``hyperspy-coreloss structures glass``.
    wanted
        Number of cells.
    pressed
        Relax at the density of the melt, under the pressure that this needs.
    defects
        Most atoms with a wrong number of bonds.
    """

    composition: str
    atoms: int
    density: float
    wanted: int
    pressed: bool = False
    defects: int = 0

    def settings(self) -> GlassSettings:
        """Return the settings of all its cells."""
        cell = "fixed volume" if self.pressed else "free"
        return GlassSettings(
            parse_composition(self.composition, self.atoms),
            self.density,
            most_defects=self.defects,
            relaxation=ForceRelaxation(cell=cell),
        )


#: Sizes differ so that a cell's size can show; suboxides are 0.1 apart.
BATCHES = (
    Batch("SiO2", 60, 2.2, 10),
    Batch("SiO1.5", 50, 2.2, 3),
    Batch("SiO2", 54, 2.4, 6),
    Batch("SiO1.8", 54, 2.2, 3),
    Batch("SiO2", 60, 2.6, 6),
    Batch("SiO1.2", 48, 2.3, 3),
    Batch("SiO2", 60, 2.5, 6, pressed=True),
    Batch("SiO1.0", 44, 2.4, 2),
    Batch("SiO2", 60, 2.2, 4, defects=2),
    Batch("SiO1.9", 58, 2.2, 3),
    Batch("SiO2", 54, 2.35, 4, pressed=True),
    Batch("SiO1.7", 54, 2.3, 2),
    Batch("SiO2", 57, 2.0, 4),
    Batch("SiO1.3", 48, 2.2, 2),
    Batch("SiO2", 72, 2.3, 5),
    Batch("SiO1.6", 52, 2.4, 2),
    Batch("SiO2", 48, 2.3, 4),
    Batch("SiO1.4", 48, 2.4, 2),
    Batch("SiO1.1", 44, 2.2, 2),
)

#: A batch is given up after this many times the seeds that it wants cells.
_MOST_TRIES = 12

_SEEDS_OF_BATCH = 1000


@click.command()
@click.option(
    "--output", default=Path(__file__).parents[1] / "structures", type=click.Path(path_type=Path)
)
@click.option("--workers", default=1, show_default=True)
def main(output: Path, workers: int) -> None:
    """Make the amorphous cells that the output folder lacks."""
    output.mkdir(parents=True, exist_ok=True)
    Parallel(n_jobs=workers, batch_size=1)(
        delayed(make_batch)(batch, number, output) for number, batch in enumerate(BATCHES)
    )


def make_batch(batch: Batch, number: int, output: Path) -> None:
    """Try seeds until a batch is complete; batches have different seeds, so no melt repeats."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    first = 1 + number * _SEEDS_OF_BATCH
    for tried in range(1, _MOST_TRIES * batch.wanted + 1):
        seeds = range(first, first + tried)
        made = make_glasses(batch.settings(), seeds, output, progress=False)
        if len(made.accepted) >= batch.wanted:
            break
    logging.info(
        "batch %d, %s at %.2f g/cm³: %d of %d cells from %d seeds",
        number,
        batch.composition,
        batch.density,
        len(made.accepted),
        batch.wanted,
        tried,
    )


if __name__ == "__main__":
    main()
