"""Compute the transfer set: some oxygen K sites of silica by another theory; resume it.

Usage: ``python -m training.transfer.campaign STRUCTURES [--workers 1]``

STRUCTURES is the folder of structures of the data set (:mod:`training.silica.campaign`). The plan
is made from the sites that the data set has, and kept in ``tasks.json``. Run again, it adds sites
that have been computed since, until all its places are filled. Finished sites are kept.
"""

from __future__ import annotations

import logging
from pathlib import Path

import click

from hyperspy_coreloss.simulation.campaign import run_campaign
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.site_record import load_site_record
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from hyperspy_coreloss.simulation.tasks import load_tasks, save_tasks
from training.transfer.plan import transfer_plan

TRAINING = Path(__file__).parents[1]

#: The other theory: half a core hole instead of a full one, and LDA instead of PBE. The core hole
#: makes nearly all of the difference (training/transfer/theories.jsonl).
THEORY = EngineSettings(core_hole="half", functional="LDA")


@click.command()
@click.argument("structures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--sites", default=TRAINING / "transfer" / "sites", type=click.Path(path_type=Path))
@click.option("--workers", default=1, show_default=True)
@click.option("--retry", is_flag=True, help="Compute failed sites again.")
@click.option("--only-plan", is_flag=True, help="Write the plan and compute nothing.")
def main(structures: Path, sites: Path, workers: int, *, retry: bool, only_plan: bool) -> None:
    """Fill the plan of the transfer set, and compute its unfinished sites."""
    logging.basicConfig(level=logging.INFO)
    sites.mkdir(parents=True, exist_ok=True)
    path = sites / "tasks.json"
    existing = load_tasks(path) if path.exists() else ()
    usual = TRAINING / "sites"
    plan = transfer_plan(load_tasks(usual / "tasks.json"), volumes_of_sites(usual), existing)
    save_tasks(plan, path)
    if only_plan:
        return
    simulator = SiteSimulator((str(structures), str(TRAINING / "structures")), settings=THEORY)
    status = run_campaign(plan, sites, simulator, workers=workers, retry_failures=retry)
    logging.info("%s", status)


def volumes_of_sites(folder: Path) -> dict[tuple[str, int], float]:
    """Return the volume in cubic angstrom of the supercell of each site that has a record."""
    labels = (load_site_record(path).label for path in sorted(folder.glob("*.npz")))
    return {(label["structure"], label["site"]): label["volume"] for label in labels}


if __name__ == "__main__":
    main()
