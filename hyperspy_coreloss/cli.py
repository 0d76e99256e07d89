"""The command line, ``hyperspy-coreloss``: the only module that prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hyperspy_coreloss.errors import CoreLossError

_PATH = click.Path(path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class _Group(click.Group):
    """Commands that tell errors of this package in one line, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except CoreLossError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
@click.version_option(package_name="hyperspy-coreloss")
def main() -> None:
    """Material properties from core-loss spectra."""


@main.group()
def dataset() -> None:
    """Work with data sets of computed spectra."""


@dataset.command()
@click.argument("folder", type=_FOLDER)
@click.option("-o", "--output", type=_PATH, required=True, help="The data set (.npz) to write.")
@click.option("--description", required=True, help="How the spectra and labels were computed.")
@click.option("--licence", default="CC-BY-4.0", show_default=True)
def collect(folder: Path, output: Path, description: str, licence: str) -> None:
    """Gather a FOLDER of computed sites (one .npz a site) into one data set."""
    from hyperspy_coreloss.dataset import collect_sites

    sites = collect_sites(folder, description, licence)
    sites.save(output)
    click.echo(f"{len(sites)} sites of {len(set(sites.phases))} phases in {output}")


@main.command()
@click.argument("data", type=_FILE)
@click.option(
    "-o", "--output", type=_PATH, required=True, help="The model (.safetensors) to write."
)
@click.option("--name", default="silica-o-k", show_default=True, help="Name of the model.")
@click.option("--model-version", default="1.0.0", show_default=True)
@click.option("--intended-use", required=True, help="What the model is for, in a sentence.")
@click.option("--limits", required=True, help="What it must not be used for, and why.")
@click.option("--epochs", default=1500, show_default=True)
@click.option("--seed", default=0, show_default=True)
def train(
    data: Path,
    output: Path,
    name: str,
    model_version: str,
    intended_use: str,
    limits: str,
    epochs: int,
    seed: int,
) -> None:
    """Train a model on the data set DATA and measure its error on held-out phases."""
    from hyperspy_coreloss.dataset import SpectrumDataset
    from hyperspy_coreloss.training import TrainingSettings
    from hyperspy_coreloss.training import train as train_network

    pretrained = train_network(
        SpectrumDataset.load(data),
        name,
        settings=TrainingSettings(epochs=epochs, seed=seed),
        model_version=model_version,
        intended_use=intended_use,
        limits=limits,
    )
    pretrained.save(output)
    click.echo(f"{output} {pretrained.sha256}")


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
