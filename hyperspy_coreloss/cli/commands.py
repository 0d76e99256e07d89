"""The command line, ``hyperspy-coreloss``: the only module that prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hyperspy_coreloss.cli.dataset_commands import FILE, PATH, dataset
from hyperspy_coreloss.errors import CoreLossError, DatasetError

_SIMULATION_PACKAGES = ("ase", "gpaw", "pymatgen", "spglib")

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


main.add_command(dataset)


@main.command()
@click.argument("structures", nargs=-1, required=True)
@click.option("--edge", default="O_K", show_default=True, help="Absorbing element and K.")
@click.option("-o", "--output", type=PATH, required=True, help="Folder for the computed sites.")
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
@click.argument("data", type=FILE)
@click.option("-o", "--output", type=PATH, required=True, help="The model (.safetensors) to write.")
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
@click.option("--study", type=FILE, help="Study (.json) to take the settings from.")
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

    from hyperspy_coreloss.dataset.dataset import load_dataset
    from hyperspy_coreloss.dataset.inputs import absolute_window, default_recipe
    from hyperspy_coreloss.dataset.splits import phase_disjoint_split, random_site_split
    from hyperspy_coreloss.spectra.energy import EnergyWindow
    from hyperspy_coreloss.study.experiments import load_settings
    from hyperspy_coreloss.training.model_training import train as train_network
    from hyperspy_coreloss.training.regressor import TrainingSettings

    dataset = load_dataset(data)
    settings = TrainingSettings() if study is None else load_settings(study)
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


@main.command("train-emulator")
@click.argument("data", type=FILE)
@click.option(
    "-o", "--output", type=PATH, required=True, help="The emulator (.safetensors) to write."
)
@click.option("--name", default="silica-o-k", show_default=True, help="Name of the emulator.")
@click.option("--sigma", default=0.2, show_default=True, help="Gaussian broadening in eV.")
@click.option("--property", "properties", multiple=True, help="A property, as often as needed.")
def train_emulator(
    data: Path, output: Path, name: str, sigma: float, properties: tuple[str, ...]
) -> None:
    """Learn the spectra of DATA as a function of properties, for fits with PropertyELNES."""
    from hyperspy_coreloss.components.emulator_training import train_emulator as learn
    from hyperspy_coreloss.dataset.dataset import load_dataset

    emulator = learn(load_dataset(data), properties or None, name=name, sigma=sigma)
    emulator.save(output)
    click.echo(f"{output} {emulator.sha256}")


@main.command("study")
@click.argument("data", type=FILE)
@click.option(
    "-o", "--output", type=PATH, default=Path("results"), show_default=True, help="Folder."
)
@click.option("--commit", help="Version of the code, for the record.")
@_JOBS
def run_study(data: Path, output: Path, commit: str | None, jobs: int) -> None:
    """Repeat the paper's study on the data set DATA: study.json and study.html."""
    from hyperspy_coreloss.dataset.dataset import load_dataset
    from hyperspy_coreloss.study.experiments import run_study as study_of
    from hyperspy_coreloss.study.experiments import save_study
    from hyperspy_coreloss.study.report import render_report

    dataset = load_dataset(data)
    study = study_of(dataset, commit=commit, n_jobs=jobs)
    output.mkdir(parents=True, exist_ok=True)
    save_study(study, output / "study.json")
    (output / "study.html").write_text(render_report(study, dataset), encoding="utf-8")
    click.echo(f"{output / 'study.json'} {output / 'study.html'}")


@main.command()
@click.argument("pretrained", default="silica-o-k")
def card(pretrained: str) -> None:
    """Print the card of a PRETRAINED model, by its name or file."""
    from hyperspy_coreloss.pretrained.card import render_card
    from hyperspy_coreloss.pretrained.families import load_pretrained

    click.echo(render_card(load_pretrained(pretrained)))


@main.command("list")
def list_models() -> None:
    """List the pretrained models that come with the package."""
    from hyperspy_coreloss.pretrained.families import list_pretrained

    for name in list_pretrained():
        click.echo(name)
