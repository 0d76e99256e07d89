"""Types of arguments, and options, that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

PATH = click.Path(path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

JOBS = click.option(
    "--jobs", default=-1, show_default=True, help="Number of processes; -1 for all cores."
)
