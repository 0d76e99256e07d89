"""Make the cells with silanol groups of the campaign: crystals, zeolites and glass.

Usage: ``python -m training.silica.make_silanols STRUCTURES [--output training/structures]``

STRUCTURES is the folder of structures of the plan; the glass cells are those of the output folder.
Cells that exist there are kept, and refused seeds are not tried again. Each cell takes one to
three minutes on one core.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click
from joblib import Parallel, delayed

from hyperspy_coreloss.simulation.atomistic.production import make_silanols
from training.silica.plan import silica_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperspy_coreloss.simulation.atomistic.silanol import SilanolKind

#: Crystals of the plan: minerals, and frameworks with small cells.
CRYSTALS = (
    *("COD-Quartz-alpha", "mp-546794", "mp-7648", "mp-559550"),
    *("IZA-BIK", "IZA-CHA", "IZA-GIS", "IZA-ITW", "IZA-JBW"),
    *("IZA-EDI", "IZA-MON", "IZA-DFT", "IZA-ABW", "IZA-MER"),
)

#: Glass cells of several densities.
GLASSES = (
    *("glass-SiO2-2.2-60-10", "glass-SiO2-2.4-54-2003"),
    *("glass-SiO2-2.2-60-12", "glass-SiO2-2.6-60-4006"),
)

_GLASS_SOURCE = "melted with the potential of Vashishta et al., relaxed with CHGNet"

#: A cell is given up after this many seeds.
_MOST_TRIES = 4


@click.command()
@click.argument("structures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output", default=Path(__file__).parents[1] / "structures", type=click.Path(path_type=Path)
)
@click.option("--workers", default=1, show_default=True)
def main(structures: Path, output: Path, workers: int) -> None:
    """Make the cells that the output folder lacks: in turn with a nest and a hydrolysed bridge."""
    tasks = {task.name: task for task in silica_plan(structures)}
    parents = {name: structures / tasks[name].path for name in CRYSTALS}
    parents |= {name: output / f"{name}.xyz" for name in GLASSES}
    origins = {
        name: {
            "phase": tasks[name].phase,
            "source": tasks[name].source,
            "licence": tasks[name].licence,
        }
        for name in CRYSTALS
    }
    origins |= {
        name: {"phase": name, "source": _GLASS_SOURCE, "licence": "CC BY 4.0"} for name in GLASSES
    }
    Parallel(n_jobs=workers, batch_size=1)(
        delayed(make)(
            parents[name], name, "bridge" if number % 2 else "nest", origins[name], output
        )
        for number, name in enumerate((*GLASSES, *CRYSTALS))
    )


def make(path: Path, name: str, kind: SilanolKind, origin: Mapping[str, str], output: Path) -> None:
    """Try seeds until a cell is accepted."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for tried in range(1, _MOST_TRIES + 1):
        seeds = range(1, 1 + tried)
        made = make_silanols(path, kind, seeds, output, origin=origin, name=name, progress=False)
        if made.accepted:
            break
    logging.info("%s, %s: %d cells from %d seeds", name, kind, len(made.accepted), tried)


if __name__ == "__main__":
    main()
