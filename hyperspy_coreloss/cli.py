"""The command line, ``hyperspy-coreloss``: the only module that prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperspy_coreloss.errors import CoreLossError, DatasetError

if TYPE_CHECKING:
    from hyperspy_coreloss.computed_site import ComputedSite

_SIMULATION_PACKAGES = ("ase", "gpaw", "pymatgen", "spglib")

_PATH = click.Path(path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

_OUTPUT = click.option(
    "-o", "--output", type=_PATH, required=True, help="The data set (.nc) to write."
)
_DESCRIPTION = click.option(
    "--description", required=True, help="How the spectra and labels were computed."
)
_LICENCE = click.option(
    "--licence", default="CC-BY-4.0", show_default=True, help="Licence of the data."
)

_JOBS = click.option(
    "--jobs", default=-1, show_default=True, help="Processes side by side; -1 for all cores."
)


class _Group(click.Group):
    """Commands that tell errors of this package in one line, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except (CoreLossError, FileNotFoundError) as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            if error.name not in _SIMULATION_PACKAGES:
                raise
            msg = f"This needs {error.name}: pip install 'hyperspy-coreloss[simulation]'."
            raise click.ClickException(msg) from error


@click.group(cls=_Group)
@click.version_option(package_name="hyperspy-coreloss")
def main() -> None:
    """Material properties from core-loss spectra."""


@main.group()
def dataset() -> None:
    """Work with data sets of computed spectra."""


@dataset.command()
@click.argument("folders", type=_FOLDER, nargs=-1, required=True)
@_OUTPUT
@_DESCRIPTION
@_LICENCE
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and K.")
@click.option("--convergence", type=_FILE, help="Measured convergence (.jsonl), for the record.")
def collect(
    folders: tuple[Path, ...],
    output: Path,
    description: str,
    licence: str,
    edge: str,
    convergence: Path | None,
) -> None:
    """Gather FOLDERS of computed sites, as `simulate` writes them, into one data set.

    A site of a later folder that is known already only adds its projected densities of states.
    """
    from hyperspy_coreloss.simulation.collect import collect_sites
    from hyperspy_coreloss.simulation.convergence import summarise_convergence

    measured = () if convergence is None else tuple(summarise_convergence(convergence))
    _write_sites(collect_sites(*folders), output, description, licence, edge, measured)


@dataset.command("import-castep")
@click.argument("paths", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@_OUTPUT
@_DESCRIPTION
@_LICENCE
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and K.")
@click.option("--phase", "phases", multiple=True, help="STRUCTURE=PHASE, as often as needed.")
@click.option("--source", default="CASTEP runs", show_default=True, help="Whose runs they are.")
def import_castep(
    paths: tuple[Path, ...],
    output: Path,
    description: str,
    licence: str,
    edge: str,
    phases: tuple[str, ...],
    source: str,
) -> None:
    """Make a data set of CASTEP's core-level runs in PATHS (files or folders)."""
    from hyperspy_coreloss.simulation.castep_sites import read_castep_sites

    names = dict(_pair(phase) for phase in phases)
    element = edge.partition("_")[0]
    sites = read_castep_sites(paths, element=element, phases=names, source=source, licence=licence)
    _write_sites(sites, output, description, licence, edge)


@dataset.command("import-table")
@click.argument("spectra", type=_FILE)
@click.argument("labels", type=_FILE, required=False)
@_OUTPUT
@_DESCRIPTION
@_LICENCE
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and edge.")
@click.option("--sigma", type=float, required=True, help="Gaussian broadening of the spectra, eV.")
@click.option(
    "--energy-origin",
    required=True,
    help="lowest_empty, threshold, absolute, or the energy of the lowest empty state in eV.",
)
@click.option("--definition", "definitions", multiple=True, help="PROPERTY=how it was obtained.")
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
    """Make a data set of tables: SPECTRA and LABELS (CSV), or one HDF5 file of both."""
    from hyperspy_coreloss.tables import read_table

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
        msg = f"NAME=VALUE is needed, but it is {text!r}."
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
    from hyperspy_coreloss.dataset import SpectrumDataset
    from hyperspy_coreloss.dataset_file import write_dataset

    spectra = SpectrumDataset(sites, description, licence, edge, convergence=convergence)
    write_dataset(spectra, output)
    click.echo(f"{len(spectra)} sites of {len(set(spectra.phases))} phases in {output}")


@dataset.command()
@click.argument("data", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--picture", type=_PATH, help="Also draw labels and spectra into this file.")
def show(data: Path, as_json: bool, picture: Path | None) -> None:
    """Tell what the data set DATA holds."""
    import json

    from hyperspy_coreloss.dataset import summarise
    from hyperspy_coreloss.dataset_file import read_dataset

    spectra = read_dataset(data)
    summary = summarise(spectra)
    if picture is not None:
        from hyperspy_coreloss.plotting import plot_dataset

        plot_dataset(spectra).savefig(picture)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
        return
    for key, value in summary.items():
        if isinstance(value, (str, int)):
            click.echo(f"{key:14s} {value}")
    for name, row in summary["labels"].items():
        reach = f"{row['minimum']:9.3f} to {row['maximum']:9.3f}" if row["n_known"] else "not known"
        click.echo(f"{name:24s} {reach} {row['unit']}")


@dataset.command("card")
@click.argument("data", type=_FILE)
def dataset_card(data: Path) -> None:
    """Print the card of the data set DATA."""
    from hyperspy_coreloss.card import render_dataset_card
    from hyperspy_coreloss.dataset_file import read_dataset

    click.echo(render_dataset_card(read_dataset(data), data.stem))


@main.command()
@click.argument("structures", nargs=-1, required=True)
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and K.")
@click.option("-o", "--output", type=_PATH, required=True, help="Folder for the computed sites.")
@click.option("--workers", default=1, show_default=True, help="Processes, one core each.")
@click.option("--source", default="file", show_default=True, help="Origin of the structures.")
@click.option("--licence", default="unknown", show_default=True, help="Their licence.")
@click.option("--cutoff", default=400.0, show_default=True, help="Plane-wave cutoff in eV.")
@click.option("--steps", default=250, show_default=True, help="Recursion steps.")
@click.option(
    "--image-distance", default=8.0, show_default=True, help="Least distance of images in Å."
)
@click.option("--retry", is_flag=True, help="Compute again what failed before.")
def simulate(
    structures: tuple[str, ...],
    edge: str,
    output: Path,
    workers: int,
    source: str,
    licence: str,
    cutoff: float,
    steps: int,
    image_distance: float,
    retry: bool,
) -> None:
    """Compute spectra and labels of all inequivalent sites of STRUCTURES.

    STRUCTURES are files, folders, or identifiers of the Materials Project (mp-7000), which need the
    package mp-api and a key in MP_API_KEY.

    To resume, run it again; finished sites are left alone. Set OMP_NUM_THREADS=1.
    """
    absorber, _, shell = edge.partition("_")
    if shell != "K":
        msg = f"K edges can be computed, for example O_K, but the edge is {edge!r}."
        raise click.ClickException(msg)
    from hyperspy_coreloss.simulation.campaign import run_campaign
    from hyperspy_coreloss.simulation.engine import EngineSettings
    from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
    from hyperspy_coreloss.simulation.structure_files import structure_files
    from hyperspy_coreloss.simulation.tasks import tasks_from_files

    files = structure_files(structures, output / "structures")
    tasks, refused = tasks_from_files(files, absorber, source=source, licence=licence)
    for name, reason in refused.items():
        click.echo(f"refused {name}: {reason}", err=True)
    output.mkdir(parents=True, exist_ok=True)
    simulator = SiteSimulator(
        settings=EngineSettings(cutoff=cutoff, steps=steps), smallest_image_distance=image_distance
    )
    status = run_campaign(tasks, output, simulator, workers=workers, retry_failures=retry)
    click.echo(f"{status.done} of {status.total} sites done, {status.failed} failed, in {output}")


@main.command()
@click.argument("data", type=_FILE)
@click.option(
    "-o", "--output", type=_PATH, required=True, help="The model (.safetensors) to write."
)
@click.option("--name", default="silica-o-k", show_default=True, help="Name of the model.")
@click.option("--model-version", default="1.0.0", show_default=True)
@click.option("--intended-use", required=True, help="What the model is for, in a sentence.")
@click.option("--limits", required=True, help="What it must not be used for, and why.")
@click.option("--sigma", default=0.5, show_default=True, help="Gaussian broadening in eV.")
@click.option(
    "--stop", default=15.0, show_default=True, help="End of what is read, in eV from the threshold."
)
@click.option(
    "--excitation-energy", is_flag=True, help="Give the excitation energy to the network."
)
@click.option("--study", type=_FILE, help="Study (.json) to take the settings from.")
@click.option("--epochs", type=click.IntRange(1), help="Largest number of passes over the spectra.")
@click.option("--seed", default=0, show_default=True)
@_JOBS
def train(
    data: Path,
    output: Path,
    name: str,
    model_version: str,
    intended_use: str,
    limits: str,
    sigma: float,
    stop: float,
    excitation_energy: bool,
    study: Path | None,
    epochs: int | None,
    seed: int,
    jobs: int,
) -> None:
    """Train a model on the data set DATA, after testing it on new phases and on new sites."""
    from dataclasses import replace

    from hyperspy_coreloss.dataset import absolute_window
    from hyperspy_coreloss.dataset_file import read_dataset
    from hyperspy_coreloss.energy import EnergyWindow
    from hyperspy_coreloss.regressor import TrainingSettings
    from hyperspy_coreloss.splits import phase_disjoint_split, random_site_split
    from hyperspy_coreloss.study import read_settings
    from hyperspy_coreloss.training import default_recipe
    from hyperspy_coreloss.training import train as train_network

    dataset = read_dataset(data)
    settings = TrainingSettings() if study is None else read_settings(study)
    settings = replace(settings, seed=seed, epochs=epochs or settings.epochs)
    splits = []
    for divide in (random_site_split, phase_disjoint_split):
        try:
            splits.append(divide(dataset))
        except DatasetError as error:
            click.echo(f"Not tested so: {error}", err=True)
    window = EnergyWindow(stop=stop)
    if excitation_energy:
        window = absolute_window(dataset, window.read_range)
    pretrained = train_network(
        dataset,
        settings,
        name=name,
        recipe=replace(default_recipe(dataset), window=window, sigma=sigma),
        model_version=model_version,
        intended_use=intended_use,
        limits=limits,
        test_splits=splits,
        n_jobs=jobs,
    )
    pretrained.save(output)
    click.echo(f"{output} {pretrained.sha256}")


@main.command("study")
@click.argument("data", type=_FILE)
@click.option(
    "-o", "--output", type=_PATH, default=Path("results"), show_default=True, help="Folder."
)
@click.option("--commit", help="Version of the code, for the record.")
@_JOBS
def run_study(data: Path, output: Path, commit: str | None, jobs: int) -> None:
    """Repeat the paper's study on the data set DATA: study.json and study.html."""
    from hyperspy_coreloss.dataset_file import read_dataset
    from hyperspy_coreloss.study import run_study as study_of
    from hyperspy_coreloss.study import write_study
    from hyperspy_coreloss.study_report import render_report

    dataset = read_dataset(data)
    study = study_of(dataset, commit=commit, n_jobs=jobs)
    output.mkdir(parents=True, exist_ok=True)
    write_study(study, output / "study.json")
    (output / "study.html").write_text(render_report(study, dataset), encoding="utf-8")
    click.echo(f"{output / 'study.json'} {output / 'study.html'}")


@main.command()
@click.argument("pretrained", default="silica-o-k")
def card(pretrained: str) -> None:
    """Print the card of a PRETRAINED model, by its name or file."""
    from hyperspy_coreloss.card import render_card
    from hyperspy_coreloss.pretrained import load_pretrained

    click.echo(render_card(load_pretrained(pretrained)))


@main.command("list")
def list_models() -> None:
    """List the pretrained models that come with the package."""
    from hyperspy_coreloss.pretrained import list_pretrained

    for name in list_pretrained():
        click.echo(name)
