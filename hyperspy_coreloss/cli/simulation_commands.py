"""The command ``hyperspy-coreloss simulate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hyperspy_coreloss.cli.options import NEW_FOLDER
from hyperspy_coreloss.dataset.population import OTHER, POPULATIONS

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("structures", nargs=-1, required=True)
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and K edge.")
@click.option(
    "-o", "--output", type=NEW_FOLDER, required=True, help="Folder for the computed sites."
)
@click.option("--workers", default=1, show_default=True, help="Worker processes, one core each.")
@click.option("--source", default="file", show_default=True, help="Origin of the structures.")
@click.option("--licence", default="unknown", show_default=True, help="Licence of the structures.")
@click.option(
    "--population",
    type=click.Choice(tuple(POPULATIONS)),
    default=OTHER,
    show_default=True,
    help="Kind of structure that the sites are counted under.",
)
@click.option("--cutoff", default=400.0, show_default=True, help="Plane-wave cutoff in eV.")
@click.option("--steps", default=250, show_default=True, help="Number of recursion steps.")
@click.option(
    "--functional",
    default="PBE",
    show_default=True,
    help="Exchange-correlation functional: PBE, LDA, RPBE or revPBE.",
)
@click.option(
    "--core-hole",
    type=click.Choice(["full", "half", "none"]),
    default="full",
    show_default=True,
    help="1s electrons missing: one, half (transition state), or none (ground state).",
)
@click.option(
    "--image-distance",
    default=8.0,
    show_default=True,
    help="Minimum distance of periodic images in Å.",
)
@click.option("--retry", is_flag=True, help="Compute sites that failed before again.")
def simulate(
    structures: tuple[str, ...],
    edge: str,
    output: Path,
    workers: int,
    source: str,
    licence: str,
    population: str,
    cutoff: float,
    steps: int,
    functional: str,
    core_hole: str,
    image_distance: float,
    retry: bool,
) -> None:
    """Compute spectra and labels of all inequivalent sites of STRUCTURES.

    STRUCTURES are files, folders, or identifiers of the Materials Project (mp-7000), which need the
    package mp-api and a key in MP_API_KEY.

    Excitation energies are computed with a full core hole only.

    To resume an interrupted run, repeat the command: finished sites are kept. Set
    OMP_NUM_THREADS=1.
    """
    absorber, _, shell = edge.partition("_")
    if shell != "K":
        msg = f"Only K edges can be computed, for example O_K; the edge given is {edge!r}."
        raise click.ClickException(msg)
    from hyperspy_coreloss.simulation.campaign import run_campaign
    from hyperspy_coreloss.simulation.engine_settings import EngineSettings
    from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
    from hyperspy_coreloss.simulation.structure_files import structure_files
    from hyperspy_coreloss.simulation.tasks import tasks_from_files

    files = structure_files(structures, output / "structures")
    tasks, refused = tasks_from_files(
        files, absorber, source=source, licence=licence, population=population
    )
    for name, reason in refused.items():
        click.echo(f"refused {name}: {reason}", err=True)
    output.mkdir(parents=True, exist_ok=True)
    settings = EngineSettings(
        cutoff=cutoff, steps=steps, functional=functional, core_hole=core_hole
    )
    simulator = SiteSimulator(settings=settings, smallest_image_distance=image_distance)
    status = run_campaign(tasks, output, simulator, workers=workers, retry_failures=retry)
    click.echo(f"{status.done} of {status.total} sites done, {status.failed} failed, in {output}")
