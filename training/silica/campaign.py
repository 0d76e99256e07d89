"""Compute oxygen K sites of silica: start the campaign, or resume it.

Usage: ``python -m training.silica.campaign STRUCTURES [--sites training/sites] [--workers 1]``

STRUCTURES is the folder of structures from which the plan is made, together with the oxygen-poor
ones of ``make_structures.py``. The other structures in ``training/structures`` (glasses, suboxides,
heated crystals) are computed before what is left of the plan, also if they were made later. To
stop, terminate the process: each worker finishes its site. To resume, run it again: finished sites
are not computed again.

Three options change or describe the plan in the folder of sites, and compute no sites. ``--amend``
inserts the tasks of a newly made plan that the existing plan lacks, among the next sites to be
computed. ``--cheapest-first`` reorders the unfinished tasks: phases with few sites first, then by
size. A running campaign uses the changed plan when it is started again. ``--count`` prints, as
JSON, what the first sites of the plan cover.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click

from hyperspy_coreloss.simulation.campaign import finished_sites, run_campaign
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from hyperspy_coreloss.simulation.tasks import build_structure, load_tasks, save_tasks
from training.silica.amendment import amend_plan
from training.silica.amendment import cheapest_first as in_order_of_cost
from training.silica.coverage import PAPER_SITES, plan_coverage
from training.silica.disordered import disordered_tasks
from training.silica.plan import silica_plan

MADE = Path(__file__).parents[1] / "structures"


@click.command()
@click.argument("structures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--sites", default="training/sites", type=click.Path(path_type=Path))
@click.option("--workers", default=1, show_default=True)
@click.option("--retry", is_flag=True, help="Compute failed sites again.")
@click.option("--amend", is_flag=True, help="Only add the tasks that the plan lacks.")
@click.option("--cheapest-first", is_flag=True, help="Only reorder the unfinished tasks.")
@click.option(
    "--count",
    type=int,
    is_flag=False,
    flag_value=PAPER_SITES,
    help=f"Only print what the first COUNT sites cover (default: {PAPER_SITES}).",
)
def main(
    structures: Path,
    sites: Path,
    workers: int,
    *,
    retry: bool,
    amend: bool,
    cheapest_first: bool,
    count: int | None,
) -> None:
    """Compute the sites of the plan for silica."""
    logging.basicConfig(level=logging.INFO)
    sites.mkdir(parents=True, exist_ok=True)
    plan = sites / "tasks.json"
    folders = (str(structures), str(MADE))
    if not plan.exists():
        save_tasks(silica_plan(structures, MADE), plan)
    elif amend:
        tasks = load_tasks(plan)
        finished = finished_sites(tasks, sites)
        save_tasks(amend_plan(tasks, silica_plan(structures, MADE), finished), plan)
    elif cheapest_first:
        tasks = load_tasks(plan)
        order = in_order_of_cost(
            tasks, finished_sites(tasks, sites), lambda task: len(build_structure(task, folders))
        )
        save_tasks(order, plan)
    if count is not None:
        coverage = plan_coverage(load_tasks(plan), folders, count)
        click.echo(json.dumps(coverage.to_dict(), indent=2))
    if amend or cheapest_first or count is not None:
        return
    tasks = (*disordered_tasks(MADE), *load_tasks(plan))
    status = run_campaign(
        tasks, sites, SiteSimulator(folders), workers=workers, retry_failures=retry
    )
    logging.info("%s", status)


if __name__ == "__main__":
    main()
