"""A lazy prediction on workers of dask.distributed is that of threads, whatever befalls them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask
import hyperspy.api as hs
import numpy as np
import pytest
from distributed import wait
from distributed.protocol.pickle import dumps

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.signals.metadata import MAPS, get_map
from tests.killing import KILL

MODEL = "silica-o-k-40eV-sigma-0.5"
# Spectra of one chunk, which is one batch of the network, and number of chunks.
ROWS, COLUMNS, CHUNKS = 16, 32, 8
PATIENCE = 400.0  # seconds, of which processes on a busy machine need many to start


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers in processes of their own, which move all results from memory to the disk."""
    from distributed import LocalCluster

    limits = {"memory.target": 1e-6, "memory.spill": False, "memory.pause": False}
    with (
        dask.config.set({f"distributed.worker.{name}": limit for name, limit in limits.items()}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            local_directory=str(tmp_path_factory.mktemp("workers")),
            memory_limit="2GB",
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def client(cluster):
    from distributed import Client

    with Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def spectra():
    shape = (COLUMNS, ROWS * CHUNKS)
    image = silica_spectrum_image(shape, seed=7, n_channels=1100)[0]
    # Dask warns of graphs of more than 10 MB, and these spectra are part of some.
    image.change_dtype("uint16")
    return image


@pytest.fixture
def chunked(spectra):
    """The same lazily, in chunks of one batch."""
    lazy = spectra.as_lazy()
    lazy.data = lazy.data.rechunk((ROWS, COLUMNS, -1))
    return lazy


@pytest.fixture
def saved(spectra, tmp_path):
    """Save them into a file with an ending, in such chunks too."""

    def save(ending):
        path = tmp_path / f"grains.{ending}"
        spectra.save(path, chunks=(ROWS, COLUMNS, 1100))
        return path

    return save


@pytest.fixture(scope="module")
def expected(spectra):
    """The maps of the same spectra by threads."""
    result = spectra.predict_properties(MODEL, resolution=0.5, show_progressbar=False)
    return maps_of(result)


def lazily(signal):
    return signal.predict_properties(MODEL, resolution=0.5)


def computed(result):
    result.compute(show_progressbar=False)
    return result


def maps_of(result):
    maps = {name: get_map(result, name) for name in MAPS}
    return {"values": result.data} | {n: one.data for n, one in maps.items() if one is not None}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    assert np.isfinite(expected["values"]).any()
    for name, values in expected.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def done(client):
    """Return the number of tasks that all workers have done so far."""
    return sum(client.run(_done).values())


def _done(dask_worker):
    return dask_worker.state.transition_counter


def wait_for(condition, seconds=PATIENCE):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it has not come to pass"
        time.sleep(0.01)


def announce(block, folder, held, block_info=None):
    """Say in a file of the folder which process reads which chunk; its "held"th waits for "go"."""
    chunk, process = block_info[0]["chunk-location"][0], os.getpid()
    (Path(folder) / f"{chunk} {process}").touch()
    if len(list(Path(folder).glob(f"* {process}"))) >= held:
        wait_for((Path(folder) / "go").exists)
    return block


def announced(signal, folder, held):
    """Return lazy spectra whose chunks are announced, and held as :func:`announce` says."""
    folder.mkdir()
    lazy = signal.as_lazy()
    lazy.data = lazy.data.rechunk((ROWS, COLUMNS, -1)).map_blocks(
        announce, str(folder), held, dtype=signal.data.dtype, meta=np.empty((0, 0, 0))
    )
    return lazy


def readers(folder):
    """Return the processes that have read each chunk."""
    found = {}
    for chunk, _, process in (path.name.partition(" ") for path in folder.glob("* *")):
        found.setdefault(chunk, set()).add(int(process))
    return found


def chunks_of(folder):
    """Return the chunks that each process has read."""
    found = {}
    for chunk, processes in readers(folder).items():
        for process in processes:
            found.setdefault(process, set()).add(chunk)
    return found


@pytest.mark.parametrize("ending", ["hspy", "zspy"])
def test_a_file_read_by_workers_has_the_bits_of_threads(saved, expected, client, ending):
    before = done(client)
    assert_same(maps_of(computed(lazily(hs.load(saved(ending), lazy=True)))), expected)
    assert done(client) >= before + CHUNKS


def test_results_that_do_not_fit_into_memory_are_the_same(chunked, expected, client):
    kept = client.persist(lazily(chunked).data)
    wait(kept)
    on_disk = client.run(lambda dask_worker: len(dask_worker.data.slow))
    assert sum(on_disk.values()) >= CHUNKS - 2  # the last of each worker may be in memory
    np.testing.assert_array_equal(kept.compute(), expected["values"])


def test_a_worker_that_is_killed_loses_nothing(spectra, expected, client, tmp_path):
    client.wait_for_workers(2)
    seen = tmp_path / "seen"
    # Each worker finishes two chunks and waits in its third.
    result = lazily(announced(spectra, seen, held=3))
    with ThreadPoolExecutor(1) as executor:
        computing = executor.submit(computed, result)
        wait_for(lambda: sorted(map(len, chunks_of(seen).values())) == [3, 3])
        victim = min(chunks_of(seen))
        os.kill(victim, KILL)
        wait_for(lambda: any(len(processes) == 2 for processes in readers(seen).values()))
        assert not computing.done()
        (seen / "go").touch()
        found = maps_of(computing.result(timeout=PATIENCE))
    again = [chunk for chunk in chunks_of(seen)[victim] if readers(seen)[chunk] - {victim}]
    assert len(again) > 1  # also what it had finished
    assert_same(found, expected)


def test_a_worker_that_joins_late_takes_part(spectra, expected, cluster, client, tmp_path):
    client.wait_for_workers(2)
    seen = tmp_path / "seen"
    result = lazily(announced(spectra, seen, held=1))
    with ThreadPoolExecutor(1) as executor:
        computing = executor.submit(computed, result)
        wait_for(lambda: len(readers(seen)) == 2)
        cluster.scale(3)
        wait_for(lambda: len(readers(seen)) == 3)
        assert not computing.done()
        (seen / "go").touch()
        found = maps_of(computing.result(timeout=PATIENCE))
    assert len(set.union(*readers(seen).values())) == 3
    assert len(readers(seen)) == CHUNKS
    assert_same(found, expected)


@pytest.mark.parametrize("ending", ["hspy", "zspy"])
def test_the_model_is_one_key_of_the_graph_and_no_part_of_its_tasks(saved, ending):
    tasks = sent(lazily(hs.load(saved(ending), lazy=True)))
    model = len(dumps(load_pretrained(MODEL)))
    large = [size for size in tasks.values() if size > 20_000]
    assert len(large) == 1
    assert large[0] == pytest.approx(model, rel=0.01)
    shared = [key for key in tasks if not isinstance(key, tuple)]
    in_chunks = {key: size for key, size in tasks.items() if isinstance(key, tuple)}
    assert len(shared) <= 4  # model, preparation, file, and the whole result
    assert len(in_chunks) <= 2 * CHUNKS
    # The oldest dask that is allowed describes tasks at more length: by 7,800 bytes for each chunk.
    most = 6_000 if int(dask.__version__.partition(".")[0]) >= 2026 else 10_000
    assert sum(in_chunks.values()) < most * CHUNKS


def sent(result):
    """Return the bytes of each task of the graph that :meth:`compute` sends to workers."""
    captured = {}

    def schedule(graph, keys, **options):
        captured.update(graph if isinstance(graph, Mapping) else graph.__dask_graph__())
        raise StopIteration

    with pytest.raises(StopIteration), dask.config.set(scheduler=schedule):
        result.compute(show_progressbar=False)
    return {key: len(dumps(task)) for key, task in captured.items()}
