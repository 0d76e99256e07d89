"""Compute the p-projected densities of states of a few oxygen sites of silica.

Usage: ``python -m training.silica.projected_density STRUCTURES [--output FOLDER]``

The record of each site contains the density of the ground state and of the core-hole cell; for
quartz, those of the two silicon neighbours as well. This takes about 25 minutes on one core. To
resume, run it again. ``--picture FILE --record RECORD`` computes nothing: it draws the densities
and the spectrum of one record.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import click

from hyperspy_coreloss.dataset.plotting import plot_projected_densities
from hyperspy_coreloss.simulation.campaign import run_campaign
from hyperspy_coreloss.simulation.collect import collect_sites
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from training.silica.plan import silica_plan

OXYGEN_POOR = Path(__file__).parents[1] / "structures"

#: Structures of the plan whose first site is computed, with and without its neighbours.
WITH_NEIGHBOURS = ("mp-6930",)  # quartz
SITE_ONLY = (
    "mp-546794",  # cristobalite
    "mp-7648",  # tridymite
    "IZA-ACO",
    "IZA-GIS",
    "IZA-SOD",
    "mp-7648-v1",
    "IZA-GIS-v0",
    "mp-7648-vac2",
    "COD-Stishovite",
    "COD-Coesite",
)


@click.command()
@click.argument("structures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output",
    default=Path(__file__).parents[1] / "projected_density",
    type=click.Path(path_type=Path),
)
@click.option("--picture", type=click.Path(path_type=Path), help="Draw a record into this file.")
@click.option("--record", type=click.Path(exists=True, path_type=Path), help="Record to draw.")
def main(structures: Path, output: Path, picture: Path | None, record: Path | None) -> None:
    """Compute the sites that the output folder lacks, or draw one record."""
    logging.basicConfig(level=logging.INFO)
    if picture is not None and record is not None:
        sites = {site.name: site for site in collect_sites(record.parent)}
        plot_projected_densities(sites[record.stem]).savefig(picture)
        return
    plan = silica_plan(structures, OXYGEN_POOR)
    for names, atoms in ((WITH_NEIGHBOURS, "neighbours"), (SITE_ONLY, "site")):
        tasks = [_first_site(plan, name) for name in names]
        simulator = SiteSimulator((str(structures), str(OXYGEN_POOR)), projected_density=atoms)
        logging.info("%s", run_campaign(tasks, output, simulator))


def _first_site(plan, name: str):
    task = next(task for task in plan if task.name == name)
    return replace(task, sites=task.sites[:1], multiplicities=task.multiplicities[:1])


if __name__ == "__main__":
    main()
