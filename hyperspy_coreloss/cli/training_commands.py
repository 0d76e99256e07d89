"""The commands ``hyperspy-coreloss train``, ``train-family``, ``train-emulator`` and ``study``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hyperspy_coreloss.cli.options import (
    FILE,
    JOBS,
    JSON_FILE,
    NEW_FILE,
    NEW_FOLDER,
    SEED,
    SIGMA,
    STOP,
    WITHHOLD_DEMONSTRATION,
)
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.files import replace_file

if TYPE_CHECKING:
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset


@click.command()
@click.argument("data", type=FILE)
@click.option(
    "-o", "--output", type=NEW_FILE, required=True, help="Model file (.safetensors) to write."
)
@click.option("--name", default="silica-o-k", show_default=True, help="Name of the model.")
@click.option("--model-version", default="1.0.0", show_default=True)
@click.option("--intended-use", required=True, help="Intended use, for the card.")
@click.option("--limits", required=True, help="Limits of use, for the card.")
@click.option(
    "--sigma", type=SIGMA, default=0.5, show_default=True, help="Gaussian broadening in eV."
)
@click.option(
    "--stop",
    type=STOP,
    default=15.0,
    show_default=True,
    help="End of the energy window in eV from the threshold.",
)
@click.option(
    "--excitation-energy", is_flag=True, help="Read spectra at their excitation energies."
)
@WITHHOLD_DEMONSTRATION
@click.option("--study", type=JSON_FILE, help="Study (.json) that chose the settings.")
@click.option("--epochs", type=click.IntRange(1), help="Maximum number of passes over the spectra.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@JOBS
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
    withhold_demonstration: bool,
    study: Path | None,
    epochs: int | None,
    seed: int,
    jobs: int,
) -> None:
    """Train a model on the data set DATA, after tests on new phases and on new sites."""
    from dataclasses import replace

    from hyperspy_coreloss.dataset.dataset import load_dataset
    from hyperspy_coreloss.dataset.inputs import absolute_window, default_recipe
    from hyperspy_coreloss.dataset.splits import (
        demonstration_phases,
        phase_disjoint_split,
        random_site_split,
    )
    from hyperspy_coreloss.spectra.energy import EnergyWindow
    from hyperspy_coreloss.study.experiments import load_settings
    from hyperspy_coreloss.training.ensemble import N_NETWORKS
    from hyperspy_coreloss.training.model_training import train as train_network
    from hyperspy_coreloss.training.regressor import TrainingSettings

    dataset = _complete(load_dataset(data))
    settings, n_networks = (
        (TrainingSettings(), N_NETWORKS) if study is None else load_settings(study)
    )
    settings = replace(settings, seed=seed, epochs=epochs or settings.epochs)
    splits = []
    for divide in (random_site_split, phase_disjoint_split):
        try:
            splits.append(divide(dataset))
        except DatasetError as error:
            click.echo(f"Test left out. {error}", err=True)
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
        n_networks=n_networks,
        withheld_phases=demonstration_phases(dataset) if withhold_demonstration else (),
        test_splits=splits,
        n_jobs=jobs,
    )
    pretrained.save(output)
    click.echo(f"{output} {pretrained.sha256}")


def _complete(dataset: SpectrumDataset) -> SpectrumDataset:
    """Return the sites with all labels, and say how many others there are."""
    from hyperspy_coreloss.dataset.splits import complete_sites

    kept = complete_sites(dataset)
    if len(kept) < len(dataset):
        without = len(dataset) - len(kept)
        click.echo(f"{without} of {len(dataset)} sites left out, which lack labels.", err=True)
    return dataset.take(kept)


@click.command("train-family")
@click.argument("data", type=FILE)
@click.option(
    "-o", "--output", type=NEW_FOLDER, required=True, help="Folder to write the models to."
)
@click.option("--name", default="silica-o-k", show_default=True, help="Name of the family.")
@click.option("--model-version", default="1.0.0", show_default=True)
@click.option("--intended-use", required=True, help="Intended use, for the cards.")
@click.option("--limits", required=True, help="Limits of use, for the cards.")
@click.option(
    "--microscope",
    type=click.Choice(["clean", "typical", "harsh"]),
    default="typical",
    show_default=True,
    help="Measurements to train on.",
)
@click.option(
    "--sigma", "sigmas", type=SIGMA, multiple=True, help="Gaussian broadening in eV; repeatable."
)
@click.option(
    "--stop", "stops", type=STOP, multiple=True, help="End of a window in eV; repeatable."
)
@WITHHOLD_DEMONSTRATION
@click.option("--steps", type=click.IntRange(1), help="Number of steps of the optimiser.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@JOBS
def train_models(
    data: Path,
    output: Path,
    name: str,
    model_version: str,
    intended_use: str,
    limits: str,
    microscope: str,
    sigmas: tuple[float, ...],
    stops: tuple[float, ...],
    withhold_demonstration: bool,
    steps: int | None,
    seed: int,
    jobs: int,
) -> None:
    """Train a family of models on the data set DATA, on spectra as a microscope measures them.

    The models read windows of different lengths and broadenings. Their errors are those on phases
    that they never saw.
    """
    from dataclasses import replace

    from hyperspy_coreloss.dataset.dataset import load_dataset
    from hyperspy_coreloss.dataset.inputs import default_recipe
    from hyperspy_coreloss.dataset.splits import demonstration_phases
    from hyperspy_coreloss.spectra.microscope import named_microscope
    from hyperspy_coreloss.training.measured_training import FamilySettings, train_family
    from hyperspy_coreloss.training.shipped_family import SIGMAS, STOPS, family_recipes

    dataset = load_dataset(data)
    recipes = family_recipes(name, default_recipe(dataset), sigmas or SIGMAS, stops or STOPS)
    settings = FamilySettings(seed=seed)
    networks = replace(settings.networks, seed=seed, steps=steps or settings.networks.steps)
    models = train_family(
        dataset,
        recipes,
        named_microscope(microscope),
        replace(settings, networks=networks),
        model_version=model_version,
        intended_use=intended_use,
        limits=limits,
        withheld_phases=demonstration_phases(dataset) if withhold_demonstration else (),
        n_jobs=jobs,
    )
    output.mkdir(parents=True, exist_ok=True)
    for model in models:
        path = output / f"{model.name}.safetensors"
        model.save(path)
        click.echo(f"{path} {model.sha256}")


@click.command("train-emulator")
@click.argument("data", type=FILE)
@click.option(
    "-o", "--output", type=NEW_FILE, required=True, help="Emulator file (.safetensors) to write."
)
@click.option("--name", default="silica-o-k", show_default=True, help="Name of the emulator.")
@click.option(
    "--sigma", type=SIGMA, default=0.2, show_default=True, help="Gaussian broadening in eV."
)
@click.option("--property", "properties", multiple=True, help="Property to include; repeatable.")
@WITHHOLD_DEMONSTRATION
def train_emulator(
    data: Path,
    output: Path,
    name: str,
    sigma: float,
    properties: tuple[str, ...],
    withhold_demonstration: bool,
) -> None:
    """Train an emulator on DATA: spectra as a function of properties, for PropertyELNES."""
    from hyperspy_coreloss.components.emulator_training import train_emulator as learn
    from hyperspy_coreloss.dataset.dataset import load_dataset
    from hyperspy_coreloss.dataset.splits import demonstration_phases

    dataset = _complete(load_dataset(data))
    emulator = learn(
        dataset,
        properties or None,
        name=name,
        sigma=sigma,
        withheld_phases=demonstration_phases(dataset) if withhold_demonstration else (),
    )
    emulator.save(output)
    click.echo(f"{output} {emulator.sha256}")


@click.command("study")
@click.argument("data", type=FILE)
@click.option(
    "-o",
    "--output",
    type=NEW_FOLDER,
    default=Path("results"),
    show_default=True,
    help="Folder to write to.",
)
@click.option("--commit", help="Commit of the code, to record.")
@JOBS
def run_study(data: Path, output: Path, commit: str | None, jobs: int) -> None:
    """Repeat the paper's study on the data set DATA; write study.json and study.html."""
    from hyperspy_coreloss.dataset.dataset import load_dataset
    from hyperspy_coreloss.study.experiments import run_study as study_of
    from hyperspy_coreloss.study.experiments import save_study
    from hyperspy_coreloss.study.report import render_report

    dataset = load_dataset(data)
    study = study_of(dataset, commit=commit, n_jobs=jobs)
    output.mkdir(parents=True, exist_ok=True)
    save_study(study, output / "study.json")
    with replace_file(output / "study.html") as page:
        page.write_text(render_report(study, dataset), encoding="utf-8")
    click.echo(f"{output / 'study.json'} {output / 'study.html'}")
