"""The commands of ``hyperspy-coreloss dataset``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperspy_coreloss.cli.options import FILE, FOLDER, JSON_FILE, NEW_FILE, NEW_PICTURE, SIGMA

if TYPE_CHECKING:
    from hyperspy_coreloss.dataset.computed_site import ComputedSite

_OUTPUT = click.option(
    "-o", "--output", type=NEW_FILE, required=True, help="Data set file (.nc) to write."
)
_DESCRIPTION = click.option(
    "--description", required=True, help="How the spectra and labels were computed."
)
_LICENCE = click.option(
    "--licence", default="CC-BY-4.0", show_default=True, help="Licence of the data."
)


@click.group()
def dataset() -> None:
    """Work with data sets of computed spectra."""


@dataset.command()
@click.argument("folders", type=FOLDER, nargs=-1, required=True)
@_OUTPUT
@_DESCRIPTION
@_LICENCE
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and edge.")
@click.option("--convergence", type=FILE, help="Convergence measurements (.jsonl) to store.")
@click.option(
    "--populations",
    type=JSON_FILE,
    help="Populations (.json) of structures whose records name none.",
)
@click.option(
    "--condense",
    "condensed",
    is_flag=True,
    help="Store curves to 135 eV in place of recursion coefficients, in a fifth of the space.",
)
def collect(
    folders: tuple[Path, ...],
    output: Path,
    description: str,
    licence: str,
    edge: str,
    convergence: Path | None,
    populations: Path | None,
    *,
    condensed: bool,
) -> None:
    """Collect the computed sites in FOLDERS, written by `simulate`, into one data set.

    If a site is in several folders, the later ones add only projected densities of states.
    """
    import json

    from hyperspy_coreloss.dataset.condensation import condense
    from hyperspy_coreloss.simulation.collect import collect_sites
    from hyperspy_coreloss.simulation.convergence import summarise_convergence

    named = {} if populations is None else json.loads(populations.read_text(encoding="utf-8"))
    measured = () if convergence is None else tuple(summarise_convergence(convergence))
    sites = collect_sites(*folders, populations=named)
    if condensed:
        sites = condense(sites)
    _write_sites(sites, output, description, licence, edge, measured)


@dataset.command("import-castep")
@click.argument("paths", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@_OUTPUT
@_DESCRIPTION
@_LICENCE
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and edge.")
@click.option("--phase", "phases", multiple=True, help="STRUCTURE=PHASE; repeatable.")
@click.option("--source", default="CASTEP runs", show_default=True, help="Origin of the runs.")
def import_castep(
    paths: tuple[Path, ...],
    output: Path,
    description: str,
    licence: str,
    edge: str,
    phases: tuple[str, ...],
    source: str,
) -> None:
    """Import CASTEP core-level runs in PATHS (files or folders) into a data set."""
    from hyperspy_coreloss.simulation.castep.sites import read_castep_sites

    names = dict(_pair(phase) for phase in phases)
    element = edge.partition("_")[0]
    sites = read_castep_sites(paths, element=element, phases=names, source=source, licence=licence)
    _write_sites(sites, output, description, licence, edge)


@dataset.command("import-table")
@click.argument("spectra", type=FILE)
@click.argument("labels", type=FILE, required=False)
@_OUTPUT
@_DESCRIPTION
@_LICENCE
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and edge.")
@click.option(
    "--sigma", type=SIGMA, required=True, help="Gaussian broadening σ of the spectra in eV."
)
@click.option(
    "--energy-origin",
    required=True,
    help="Zero of energies: lowest_empty, threshold, absolute, or the lowest empty state in eV.",
)
@click.option("--definition", "definitions", multiple=True, help="PROPERTY=definition; repeatable.")
def import_table(
    spectra: Path,
    labels: Path | None,
    output: Path,
    description: str,
    licence: str,
    edge: str,
    sigma: float,
    energy_origin: str,
    definitions: tuple[str, ...],
) -> None:
    """Import tables into a data set: SPECTRA and LABELS (CSV), or one HDF5 file with both."""
    from hyperspy_coreloss.dataset.tables import read_table

    try:
        origin: float | str = float(energy_origin)
    except ValueError:
        origin = energy_origin
    sites = read_table(
        spectra,
        labels,
        sigma=sigma,
        energy_origin=origin,  # type: ignore[arg-type]  # read_table refuses other words
        label_definitions=dict(_pair(definition) for definition in definitions),
        licence=licence,
    )
    _write_sites(sites, output, description, licence, edge)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        msg = f"This option needs the form NAME=VALUE, but was given {text!r}."
        raise click.ClickException(msg)
    return name.strip(), value.strip()


def _write_sites(
    sites: tuple[ComputedSite, ...],
    output: Path,
    description: str,
    licence: str,
    edge: str,
    convergence: tuple[dict[str, Any], ...] = (),
) -> None:
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

    spectra = SpectrumDataset(sites, description, licence, edge, convergence=convergence)
    spectra.save(output)
    click.echo(f"{len(spectra)} sites of {spectra.counts.n_phases} phases in {output}")


@dataset.command()
@click.argument("data", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--picture", type=NEW_PICTURE, help="Also plot labels and spectra into this file.")
@click.option(
    "--surroundings",
    type=NEW_PICTURE,
    help="Also draw the bonds of a usual site of each population into this file.",
)
def show(data: Path, as_json: bool, picture: Path | None, surroundings: Path | None) -> None:
    """Summarise the data set DATA."""
    import json

    from hyperspy_coreloss.dataset.dataset import load_dataset
    from hyperspy_coreloss.dataset.summary import summarise

    spectra = load_dataset(data)
    summary = summarise(spectra)
    if picture is not None:
        from hyperspy_coreloss.dataset.plotting import plot_dataset

        plot_dataset(spectra).savefig(picture)
    if surroundings is not None:
        from hyperspy_coreloss.dataset.minerals import typical_sites
        from hyperspy_coreloss.dataset.plotting import plot_surroundings

        plot_surroundings(typical_sites(spectra).sites).savefig(surroundings)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
        return
    for key, value in summary.items():
        if isinstance(value, (str, int)):
            click.echo(f"{key:14s} {value}")
    for name, part in summary["populations"].items():
        click.echo(
            f"{name:14s} {part['n_spectra']:5d} sites, {part['n_structures']} structures, "
            f"{part['n_phases']} phases"
        )
    for name, row in summary["labels"].items():
        reach = f"{row['minimum']:9.3f} to {row['maximum']:9.3f}" if row["n_known"] else "no values"
        click.echo(f"{name:24s} {reach} {row['unit']}")


@dataset.command("card")
@click.argument("data", type=FILE)
def dataset_card(data: Path) -> None:
    """Print the card of the data set DATA."""
    from hyperspy_coreloss.dataset.card import render_dataset_card
    from hyperspy_coreloss.dataset.dataset import load_dataset

    click.echo(render_dataset_card(load_dataset(data), data.stem))
