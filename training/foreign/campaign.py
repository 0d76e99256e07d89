"""Compute oxygen K sites of oxides that are not silica: start the campaign, or resume it.

Usage: ``python -m training.foreign.campaign [--sites training/foreign/sites] [--workers 1]``

To stop, terminate the process: each worker finishes its site. To resume, run it again. ``--check``
computes nothing: it lists the sites, and refuses what cannot be computed.
"""

from __future__ import annotations

import logging
from pathlib import Path

import click

from hyperspy_coreloss.simulation.campaign import run_campaign
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from hyperspy_coreloss.simulation.tasks import build_structure
from training.foreign.plan import STRUCTURES, foreign_plan


@click.command()
@click.option("--sites", default="training/foreign/sites", type=click.Path(path_type=Path))
@click.option("--workers", default=1, show_default=True)
@click.option("--retry", is_flag=True, help="Compute failed sites again.")
@click.option("--check", is_flag=True, help="Only build the supercells, and list them.")
def main(sites: Path, workers: int, *, retry: bool, check: bool) -> None:
    """Compute the sites of the plan for oxides that are not silica."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tasks = foreign_plan()
    if check:
        for task in tasks:
            atoms = build_structure(task, STRUCTURES)
            logging.info("%-24s %3d atoms, sites %s", task.name, len(atoms), task.sites)
        logging.info("%d sites", sum(len(task.sites) for task in tasks))
        return
    status = run_campaign(
        tasks, sites, SiteSimulator(str(STRUCTURES)), workers=workers, retry_failures=retry
    )
    logging.info("%s", status)


if __name__ == "__main__":
    main()
