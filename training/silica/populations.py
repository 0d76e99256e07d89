"""Write the populations of the structures of the plan, whose first records name none.

Usage: ``python -m training.silica.populations [--sites training/sites]``
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from hyperspy_coreloss.simulation.tasks import SimulationTask, load_tasks

FILE = Path(__file__).with_suffix(".json")


@click.command()
@click.option("--sites", default="training/sites", type=click.Path(path_type=Path))
def main(sites: Path) -> None:
    """Write the populations of the plan in the folder of sites, beside this module."""
    names = {task.name: population_of(task) for task in load_tasks(sites / "tasks.json")}
    FILE.write_text(json.dumps(dict(sorted(names.items())), indent=0) + "\n", encoding="utf-8")


def population_of(task: SimulationTask) -> str:
    """Return the population of a task of the plan, from how its structure is made."""
    if "-vac" in task.name:
        return "vacancy"
    if task.seed is not None:
        return "strained"
    if task.frame is not None:
        return "heated"
    return "zeolite" if task.path.startswith("zeolites_iza") else "crystal"


if __name__ == "__main__":
    main()
