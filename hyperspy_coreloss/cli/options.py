"""Types of arguments, and options, that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperspy_coreloss.files import check_folder_writable, check_writable

if TYPE_CHECKING:
    from collections.abc import Callable


class _Output(click.Path):
    """A path to write to, which is checked before the command computes anything."""

    def __init__(self, check: Callable[[Path], None]) -> None:
        super().__init__(path_type=Path)
        self._check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, or end the command if nothing can be written there."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            self._check(path)
        except OSError as error:
            reason = error.strerror or str(error)
            self.fail(f"{path} cannot be written: {reason}. Name another place.", param, ctx)
        return path


NEW_FILE = _Output(check_writable)
NEW_FOLDER = _Output(check_folder_writable)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

JOBS = click.option(
    "--jobs", default=-1, show_default=True, help="Number of processes; -1 for all cores."
)
