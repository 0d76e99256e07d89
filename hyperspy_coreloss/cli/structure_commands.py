"""The commands of ``hyperspy-coreloss structures``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hyperspy_coreloss.cli.options import FILE, NEW_FOLDER, NEW_PICTURE

if TYPE_CHECKING:
    from pathlib import Path

    from hyperspy_coreloss.simulation.atomistic.production import MadeStructures
    from hyperspy_coreloss.simulation.atomistic.silanol import SilanolKind

_OUTPUT = click.option(
    "-o", "--output", type=NEW_FOLDER, required=True, help="Folder for the structures (.xyz)."
)
_PICTURE = click.option(
    "--picture", type=NEW_PICTURE, help="Plot the distributions into this file."
)
_WORKERS = click.option(
    "--workers", default=1, show_default=True, help="Worker processes, one core each."
)


@click.group()
def structures() -> None:
    """Make structures for `simulate`: glasses, suboxides, heated crystals, silanol groups."""


@structures.command()
@click.option("--composition", default="SiO2", show_default=True, help="SiO to SiO2: SiO1.5, …")
@click.option("--density", default=2.2, show_default=True, help="Density of the melt in g/cm³.")
@click.option("--atoms", default=60, show_default=True, help="Atoms in a cell.")
@click.option("--seeds", default=10, show_default=True, help="Number of cells that are tried.")
@click.option("--first-seed", default=1, show_default=True, help="Seed of the first cell.")
@click.option("--quench-time", default=200.0, show_default=True, help="In picoseconds.")
@click.option("--keep-density", is_flag=True, help="Relax under pressure, at the melt's density.")
@click.option("--defects", default=0, show_default=True, help="Most atoms with broken bonds.")
@_OUTPUT
@_PICTURE
@_WORKERS
def glass(
    composition: str,
    density: float,
    atoms: int,
    seeds: int,
    first_seed: int,
    quench_time: float,
    keep_density: bool,
    defects: int,
    output: Path,
    picture: Path | None,
    workers: int,
) -> None:
    """Melt, quench and relax amorphous silica and suboxides, and check each cell.

    To resume, or to try more seeds, repeat the command: cells that exist are kept.
    """
    from hyperspy_coreloss.simulation.atomistic.composition import parse_composition
    from hyperspy_coreloss.simulation.atomistic.glass import GlassSettings
    from hyperspy_coreloss.simulation.atomistic.learned_potential import ForceRelaxation
    from hyperspy_coreloss.simulation.atomistic.melt import MeltQuench
    from hyperspy_coreloss.simulation.atomistic.production import make_glasses

    settings = GlassSettings(
        parse_composition(composition, atoms),
        density,
        most_defects=defects,
        schedule=MeltQuench(quench_time=quench_time),
        relaxation=ForceRelaxation(cell="fixed volume" if keep_density else "free"),
    )
    made = make_glasses(settings, range(first_seed, first_seed + seeds), output, workers=workers)
    _report(made, seeds, output, picture)


@structures.command()
@click.argument("file", type=FILE)
@click.option("--temperature", default=300.0, show_default=True, help="In kelvin.")
@click.option("--frames", default=5, show_default=True, help="Number of frames.")
@click.option("--seed", default=1, show_default=True, help="Seed of the velocities.")
@_OUTPUT
@_PICTURE
def heat(
    file: Path, temperature: float, frames: int, seed: int, output: Path, picture: Path | None
) -> None:
    """Heat the crystal in FILE and save frames of its molecular dynamics."""
    from hyperspy_coreloss.simulation.atomistic.learned_potential import MolecularDynamics
    from hyperspy_coreloss.simulation.atomistic.production import make_heated

    made = make_heated(file, MolecularDynamics(temperature), frames, seed, output)
    click.echo(f"{len(made.accepted)} frames in {output}")
    _describe(made.accepted, picture)


@structures.command()
@click.argument("file", type=FILE)
@click.option(
    "--groups",
    type=click.Choice(("nest", "bridge")),
    default="bridge",
    show_default=True,
    help="Four groups at a missing silicon atom, or two at a hydrolysed bridge Si-O-Si.",
)
@click.option("--seeds", default=1, show_default=True, help="Number of cells that are tried.")
@click.option("--first-seed", default=1, show_default=True, help="Seed of the first cell.")
@click.option("--phase", help="Phase of FILE.  [default: that in FILE, or its name]")
@_OUTPUT
@_PICTURE
@_WORKERS
def silanol(
    file: Path,
    groups: SilanolKind,
    seeds: int,
    first_seed: int,
    phase: str | None,
    output: Path,
    picture: Path | None,
    workers: int,
) -> None:
    """Add silanol groups (Si-OH) to the silica in FILE, relax it, and check each cell.

    To resume, or to try more seeds, repeat the command: cells that exist are kept.
    """
    from hyperspy_coreloss.simulation.atomistic.production import make_silanols

    made = make_silanols(
        file,
        groups,
        range(first_seed, first_seed + seeds),
        output,
        origin={} if phase is None else {"phase": phase},
        workers=workers,
    )
    _report(made, seeds, output, picture)


@structures.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@_PICTURE
def describe(files: tuple[Path, ...], picture: Path | None) -> None:
    """Print bonds, angles and density of the structures in FILES beside published ones."""
    _describe(files, picture)


def _report(made: MadeStructures, seeds: int, output: Path, picture: Path | None) -> None:
    for name, reason in made.refused.items():
        click.echo(f"refused {name}: {reason}", err=True)
    click.echo(f"{len(made.accepted)} of {seeds} cells in {output}")
    _describe(made.accepted, picture)


def _describe(files: tuple[Path, ...], picture: Path | None) -> None:
    if not files:
        return
    from collections import Counter

    from hyperspy_coreloss.simulation.atomistic.description import describe_networks, plot_networks
    from hyperspy_coreloss.simulation.atomistic.network import network_of, smallest_rings
    from hyperspy_coreloss.simulation.structure_files import read_structure

    atoms = {file.stem: read_structure(file) for file in files}
    networks = {name: network_of(each) for name, each in atoms.items()}
    click.echo(describe_networks(networks))
    if picture is not None:
        rings: Counter[int] = Counter()
        for each in atoms.values():
            rings.update(smallest_rings(each))
        plot_networks(networks, dict(sorted(rings.items()))).savefig(picture)
