"""Size of the graphs of lazy predictions, and the time that dask needs to build and schedule them.

Every chunk is one batch of 512 spectra, the smallest that a prediction makes. The spectra are
zeros, made by the tasks. The bytes of a graph are those of all its tasks, each pickled on its own,
as dask.distributed sends them to workers; what all tasks share counts once. Predictions are not
computed: to time the scheduler, a worker process returns blank results by a graph of the same
shape. The time is that of the processor in this process, for the client and the scheduler together,
so that neither the worker nor other programs count.

Usage: ``python benchmarks/graph_size.py [CHUNKS ...]``
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from distributed.protocol.pickle import dumps
from hyperspy.signals import LazySignal1D

from hyperspy_coreloss.pretrained import inference
from hyperspy_coreloss.pretrained.results import result_dtype

BATCH, CHANNELS = 512, 1024
# Spectra of one chunk by default, when an array in memory is split.
USUAL = 4096
GOAL = 10**8
# Chunks of which the scheduler is timed, so that a run takes no more than some minutes.
SCHEDULED = 1000
# Tasks whose bytes are measured; they are alike in all chunks.
_SAMPLE = 1000


def lazy_prediction(chunks: int) -> Any:
    """Return the lazy prediction of a map with this number of chunks of one batch each."""
    spectra = da.zeros((chunks, BATCH, CHANNELS), chunks=(1, BATCH, -1), dtype=np.float32)
    signal = LazySignal1D(spectra)
    axis = signal.axes_manager[-1]
    axis.scale, axis.offset, axis.units = 0.1, 490.0, "eV"
    signal.set_signal_type("EELS")
    return signal.predict_properties("silica-o-k-40eV", resolution=0.5)


def built(result: Any) -> Mapping[Any, Any]:
    """Return the tasks that :meth:`compute` gives to a scheduler."""
    taken = {}

    def schedule(graph: Any, *_: Any, **_options: Any) -> None:
        taken.update(graph if isinstance(graph, Mapping) else graph.__dask_graph__())
        raise StopIteration

    try:
        with dask.config.set(scheduler=schedule):
            result.compute(show_progressbar=False)
    except StopIteration:
        return taken
    raise AssertionError


def blank(spectra: np.ndarray, *_: Any, pretrained: Any, **_options: Any) -> np.ndarray:
    """Stand in for the prediction of a chunk."""
    return np.zeros((*spectra.shape[:-1], 1), dtype=result_dtype(len(pretrained.property_names)))


def scheduled(chunks: int) -> float:
    """Return the processor time in s of this process, while a worker computes blank results."""
    with (
        patch.object(inference, "_predict_kept", blank),
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        Client(cluster),
    ):
        lazy_prediction(2).compute(show_progressbar=False)
        result = lazy_prediction(chunks)
        start = time.process_time()
        result.compute(show_progressbar=False)
        return time.process_time() - start


def measure(numbers: tuple[int, ...] = (1000, 10_000, 100_000)) -> dict[str, Any]:
    """Return the size and the times of the graphs of these numbers of chunks.

    Parameters
    ----------
    numbers
        Numbers of chunks.

    Returns
    -------
    dict
        ``"graphs"`` has, for each number, the tasks and bytes per chunk, the bytes that all chunks
        share, the time in s to build the graph, and the time in s per task to schedule it, or None
        above 1000 chunks.
    """
    graphs = []
    for chunks in numbers:
        start = time.perf_counter()
        tasks = built(lazy_prediction(chunks))
        seconds = time.perf_counter() - start
        of_chunks = [task for key, task in tasks.items() if isinstance(key, tuple)]
        shared = [
            task
            for key, task in tasks.items()
            if not isinstance(key, tuple) and not key.startswith("finalize")
        ]
        some = random.Random(0).sample(of_chunks, min(len(of_chunks), _SAMPLE))
        per_task = sum(len(dumps(task)) for task in some) / len(some)
        graphs.append(
            {
                "chunks": chunks,
                "tasks_per_chunk": len(of_chunks) / chunks,
                "bytes_per_chunk": per_task * len(of_chunks) / chunks,
                "shared_bytes": sum(len(dumps(task)) for task in shared),
                "build_seconds": seconds,
                "schedule_seconds_per_task": scheduled(chunks) / len(of_chunks)
                if chunks <= SCHEDULED
                else None,
            }
        )
    return {"spectra_per_chunk": BATCH, "channels": CHANNELS, "graphs": graphs}


def ends(found: dict[str, Any]) -> list[str]:
    """Return what the numbers mean for 10^8 spectra, in words."""
    last = found["graphs"][-1]
    per_task = [one["schedule_seconds_per_task"] for one in found["graphs"]]
    per_task = [seconds for seconds in per_task if seconds is not None]
    lines = []
    for spectra in (BATCH, USUAL):
        chunks = GOAL / spectra
        line = (
            f"{GOAL:.0e} spectra in chunks of {spectra}: {chunks:.3g} chunks, "
            f"{last['build_seconds'] * chunks / last['chunks']:.0f} s to build the graph, "
            f"{last['bytes_per_chunk'] * chunks / 1e9:.2f} GB of tasks"
        )
        if per_task:
            scheduling = per_task[-1] * last["tasks_per_chunk"] * chunks
            line += f", {scheduling:.0f} s of the scheduler"
        lines.append(line + ".")
    fields = result_dtype(6)
    values = sum(max((1, *fields[name].shape)) for name in fields.names)
    lines.append(
        f"Their results are {GOAL * values * 4 / 1e9:.1f} GB in the process that computes."
    )
    return lines


def main(*numbers: int) -> None:
    """Print a table of :func:`measure`, and what it means for 10^8 spectra."""
    found = measure(numbers) if numbers else measure()
    print("  chunks  tasks/chunk  bytes/chunk  shared bytes  build (s)  schedule (µs/task)")
    for one in found["graphs"]:
        seconds = one["schedule_seconds_per_task"]
        print(
            f"{one['chunks']:8d}  {one['tasks_per_chunk']:11.1f}  {one['bytes_per_chunk']:11.0f}  "
            f"{one['shared_bytes']:12d}  {one['build_seconds']:9.2f}  "
            + (f"{1e6 * seconds:18.0f}" if seconds is not None else f"{'not timed':>18s}")
        )
    print("\n".join(ends(found)))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
