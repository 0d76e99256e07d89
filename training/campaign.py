"""Compute oxygen K sites of silica, or go on with it.

Usage: ``python training/campaign.py STRUCTURES [--sites training/sites] [--workers 1]``

STRUCTURES is the folder of structures that the plan is made from. To stop, terminate the process:
each worker finishes its site. To resume, run it again: finished sites are left alone.
"""

from __future__ import annotations

import logging
from pathlib import Path

import click

from hyperspy_coreloss.simulation.campaign import run_campaign
from hyperspy_coreloss.simulation.campaign_plan import silica_plan
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from hyperspy_coreloss.simulation.tasks import read_tasks, write_tasks


@click.command()
@click.argument("structures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--sites", default="training/sites", type=click.Path(path_type=Path))
@click.option("--workers", default=1, show_default=True)
@click.option("--retry", is_flag=True, help="Compute failed sites again.")
def main(structures: Path, sites: Path, workers: int, *, retry: bool) -> None:
    """Run the campaign over the plan for silica."""
    logging.basicConfig(level=logging.INFO)
    sites.mkdir(parents=True, exist_ok=True)
    plan = sites / "tasks.json"
    if not plan.exists():
        write_tasks(silica_plan(structures), plan)
    status = run_campaign(
        read_tasks(plan),
        sites,
        SiteSimulator(str(structures)),
        workers=workers,
        retry_failures=retry,
    )
    logging.info("%s", status)


if __name__ == "__main__":
    main()
