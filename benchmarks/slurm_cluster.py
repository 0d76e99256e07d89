"""Predict a file by jobs of SLURM, of which one is cancelled, and compare the result with threads.

    python -m benchmarks.slurm_cluster [--queue normal] [--jobs 2]

It needs dask-jobqueue and a SLURM that starts jobs from here. The jobs are those of the recipe in
the documentation, with one process each.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import hyperspy.api as hs
import numpy as np
from distributed import Client

from benchmarks.performance import RESOLUTION, spectrum_image

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster
    from hyperspy.signals import BaseSignal


def predicted(path: Path) -> BaseSignal:
    """Return the lazy result of a file."""
    return hs.load(path, lazy=True).predict_properties(
        resolution=RESOLUTION, lazy_output=True, show_progressbar=False
    )


def slurm_cluster(queue: str, logs: Path) -> SLURMCluster:
    """Return the cluster of the recipe, with one process for each job."""
    from dask_jobqueue import SLURMCluster

    return SLURMCluster(
        queue=queue,
        cores=1,
        processes=1,
        memory="4GB",
        walltime="00:30:00",
        local_directory="$TMPDIR",
        log_directory=str(logs),
        job_script_prologue=["export HDF5_USE_FILE_LOCKING=FALSE"],
        worker_extra_args=["--lifetime", "25m", "--lifetime-stagger", "1m"],
    )


def running_jobs() -> list[str]:
    """Return the numbers of the running jobs of dask of this user."""
    listed = subprocess.run(
        ["squeue", "--noheader", "--me", "--name=dask-worker", "--states=RUNNING", "--format=%i"],
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


@click.command(help=__doc__)
@click.option("--queue", default="normal", show_default=True)
@click.option("--jobs", default=2, show_default=True, help="Largest number of jobs.")
@click.option("--side", default=192, show_default=True, help="Pixels along each side of the map.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Folder that all machines see, for the file."
)
def main(queue: str, jobs: int, side: int, folder: Path | None) -> None:
    """Predict, cancel a job on the way, and compare."""
    os.environ.setdefault("TMPDIR", tempfile.gettempdir())
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / "spectra.zspy"
        spectrum_image((side, side)).save(path, chunks=(32, 32, 1024))
        expected = predicted(path)
        expected.compute(show_progressbar=False)
        with slurm_cluster(queue, path.parent) as cluster, Client(cluster) as client:
            cluster.adapt(minimum_jobs=1, maximum_jobs=jobs)
            result = predicted(path)
            started = time.monotonic()
            future = client.compute(result.data)
            while not any(client.processing().values()):
                time.sleep(0.5)
            cancelled = running_jobs()[0]
            subprocess.run(["scancel", cancelled], check=True)
            values = future.result()
            taken = time.monotonic() - started
    np.testing.assert_array_equal(values, expected.data)
    click.echo(
        f"{side} x {side} spectra by jobs of SLURM in {taken:.0f} s, although job {cancelled} was "
        "cancelled while it computed; the values are those of threads, to the bit."
    )


if __name__ == "__main__":
    main()
