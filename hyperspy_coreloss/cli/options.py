"""Types of arguments, and options, that several commands share."""

from __future__ import annotations

import json
import math
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


class _Width(click.FloatRange):
    """A number of eV within limits; FloatRange itself takes what is not a number."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or end the command if it is none or outside."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not a number of eV.", param, ctx)
        return number


class _JsonFile(click.Path):
    """A file that exists and holds JSON."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, or end the command if the file holds something else."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            self.fail(f"{path} must be a JSON file, but reading it failed: {error}.", param, ctx)
        return path


def _check_picture(path: Path) -> None:
    if path.suffix.lower() not in _PICTURES:
        msg = f"a picture needs one of the endings {', '.join(_PICTURES)}"
        raise OSError(msg)
    check_writable(path)


def _check_jobs(_context: click.Context, _option: click.Parameter, value: int) -> int:
    if value == 0:
        msg = "it must be a number of processes, or -1 for all cores, but it is 0."
        raise click.BadParameter(msg)
    return value


_PICTURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".eps")
NEW_FILE = _Output(check_writable)
NEW_PICTURE = _Output(_check_picture)
JSON_FILE = _JsonFile()
SIGMA = _Width(min=0, max=20)
STOP = _Width(min=0, min_open=True, max=1000)
SEED = click.IntRange(0, 2**32 - 1)
NEW_FOLDER = _Output(check_folder_writable)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

JOBS = click.option(
    "--jobs",
    default=-1,
    show_default=True,
    callback=_check_jobs,
    help="Number of processes; -1 for all cores.",
)

WITHHOLD_DEMONSTRATION = click.option(
    "--withhold-demonstration",
    is_flag=True,
    help="Do not train on the phases that are kept for demonstrations.",
)
