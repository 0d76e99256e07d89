"""The command ``hyperspy-coreloss predict``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from hyperspy_coreloss.cli.options import FILE, NEW_FILE, NEW_FOLDER


@click.command(short_help="Predict properties of spectra in files.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=NEW_FOLDER, required=True, help="Folder of the results.")
@click.option("--pretrained", help="Model or family of models; by default, that of silica.")
@click.option(
    "--resolution",
    type=click.FloatRange(min=0),
    help="Full width at half maximum of the zero loss in eV. By default, that of --low-loss or "
    "--calibration; without them, it counts as not known.",
)
@click.option(
    "--low-loss",
    metavar="PATTERN",
    help="Low-loss file, with {name} for the name of the file of spectra without its ending.",
)
@click.option("--calibration", type=FILE, help="Calibration (.json) of the energy axis.")
@click.option("--onset-range", type=float, nargs=2, help="Energies between which the onset lies.")
@click.option("--no-background", is_flag=True, help="The background is already subtracted.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["hspy", "zspy", "csv"]),
    default="hspy",
    show_default=True,
    help="Format of the results.",
)
@click.option("--overwrite", is_flag=True, help="Predict again what has results.")
@click.option("--workers", type=click.IntRange(1), help="Number of threads; by default, all cores.")
@click.option("--scheduler", metavar="ADDRESS", help="Address of a dask scheduler to compute on.")
@click.option("--report", is_flag=True, help="Write a page (.html) of each result beside it.")
@click.option("--table", type=NEW_FILE, help="Table (.csv) of what became of each file.")
def predict(
    files: tuple[Path, ...],
    output: Path,
    pretrained: str | None,
    resolution: float | None,
    low_loss: str | None,
    calibration: Path | None,
    onset_range: tuple[float, float] | None,
    no_background: bool,
    file_format: str,
    overwrite: bool,
    workers: int | None,
    scheduler: str | None,
    report: bool,
    table: Path | None,
) -> None:
    """Predict the properties of all spectra in FILES, and save a result for each.

    A file that fails does not stop the others. What has results is skipped, so that an interrupted
    batch goes on where it was. The exit code is 1 if a file failed.
    """
    from hyperspy_coreloss.batch import predict_files
    from hyperspy_coreloss.spectra.calibration import Calibration

    options: dict[str, Any] = {
        "pretrained": pretrained,
        "resolution": resolution,
        "onset_range": onset_range,
        "num_workers": workers,
    }
    if calibration is not None:
        options["calibration"] = Calibration.load(calibration)
    if no_background:
        options["background"] = None
    with _client(scheduler):
        found = predict_files(
            files,
            output,
            low_loss=low_loss,
            file_format=file_format,
            report=report,
            overwrite=overwrite,
            **options,
        )
    click.echo(str(found))
    if table is not None:
        found.save(table)
    if found.failed:
        raise SystemExit(1)


def _client(scheduler: str | None) -> Any:
    if scheduler is None:
        return nullcontext()
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        msg = (
            "--scheduler needs the package distributed, which is not installed: pip install "
            "distributed. Without --scheduler, all cores of this machine are used."
        )
        raise click.ClickException(msg) from error
    return Client(scheduler)
