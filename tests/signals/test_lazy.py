"""A lazy result is computed as a whole or stays as it was."""

from __future__ import annotations

import threading

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.signals.lazy import LazyCoreLossPropertyMap, LazyCoreLossPropertySignal
from hyperspy_coreloss.signals.metadata import map_path
from hyperspy_coreloss.spectra.quality import Quality


class Disk:
    """Spectra whose third chunk cannot be read, until it is mended."""

    def __init__(self, signal):
        self.broken = True
        self.reads = 0
        self.signal = signal.as_lazy()
        data = self.signal.data.rechunk((2, -1, -1))
        self.signal.data = data.map_blocks(
            self.read, dtype=data.dtype, meta=np.empty((0, 0, 0), data.dtype)
        )

    def read(self, block, block_info=None):
        self.reads += 1
        if self.broken and block_info[0]["chunk-location"] == (2, 0, 0):
            raise OSError("the disk is gone")
        return block


MAPS = tuple(one.name for one in MAP_FIELDS if not (one.of_low_loss or one.per_property))


@pytest.fixture
def disk(image):
    image[0].data[2, 1] = 0
    return Disk(image[0])


@pytest.fixture
def eager(disk, image):
    return image[0].predict_properties(resolution=0.5, show_progressbar=False)


def assert_lazy(result, kind):
    assert type(result) is kind
    assert result._lazy
    for name in MAPS:
        companion = result.metadata.get_item(map_path(name))
        assert companion._lazy
        assert companion.data.shape == result.data.shape
        assert getattr(result, name)._lazy


def assert_same(result, eager):
    assert not result._lazy
    np.testing.assert_array_equal(result.data, eager.data)
    for name in MAPS:
        found, expected = getattr(result, name), getattr(eager, name)
        assert found.data.dtype == expected.data.dtype
        np.testing.assert_array_equal(found.data, expected.data)


@pytest.mark.parametrize("turned", [False, True])
def test_a_result_whose_computation_fails_stays_as_it_was(image, turned):
    image[0].data[2, 1] = 0
    # As wide as a batch, because chunks of fewer spectra are merged, and then fail together.
    wide = hs.stack([image[0]] * 24, axis="x", show_progressbar=False)
    disk = Disk(wide)
    eager = wide.predict_properties(resolution=0.5, show_progressbar=False)
    kind = LazyCoreLossPropertyMap if turned else LazyCoreLossPropertySignal
    result = disk.signal.predict_properties(resolution=0.5)
    result, eager = (result.T, eager.T) if turned else (result, eager)
    metadata = result.metadata.as_dictionary()
    arrays = [result.data, *(result.metadata.get_item(map_path(name)).data for name in MAPS)]
    for _ in range(2):
        with pytest.raises(OSError, match="the disk is gone"):
            result.compute(show_progressbar=False)
        assert_lazy(result, kind)
        now = [result.data, *(result.metadata.get_item(map_path(name)).data for name in MAPS)]
        assert all(one is other for one, other in zip(now, arrays, strict=True))
        assert set(result.metadata.as_dictionary()) == set(metadata)
        # A part that can be read still says what it said, the threshold the threshold.
        part = result.isig[:, :2] if turned else result.inav[:, :2]
        part.compute(show_progressbar=False)
        assert_same(part, eager.isig[:, :2] if turned else eager.inav[:, :2])
    disk.broken = False
    result.compute(show_progressbar=False)
    assert_same(result, eager)
    assert result.quality.data[2, 1] == Quality.EMPTY


def test_an_eager_prediction_that_fails_gives_no_result_and_can_be_repeated(disk, eager):
    with pytest.raises(OSError, match="the disk is gone"):
        disk.signal.predict_properties(resolution=0.5, lazy_output=False, show_progressbar=False)
    disk.broken = False
    again = disk.signal.predict_properties(
        resolution=0.5, lazy_output=False, show_progressbar=False
    )
    assert_same(again, eager)


def test_a_result_that_cannot_be_computed_can_be_saved_later(disk, eager, tmp_path):
    result = disk.signal.predict_properties(resolution=0.5)
    with pytest.raises(OSError, match="the disk is gone"):
        result.save(tmp_path / "maps.hspy")
    assert not (tmp_path / "maps.hspy").exists()
    assert_lazy(result, LazyCoreLossPropertySignal)
    disk.broken = False
    result.save(tmp_path / "maps.hspy")
    assert_same(result, eager)
    assert_same(hs.load(tmp_path / "maps.hspy"), eager)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("extension", ["hspy", "zspy"])
def test_a_result_larger_than_memory_is_saved_as_one_in_memory(
    disk, eager, tmp_path, extension, turned, monkeypatch
):
    monkeypatch.setattr("hyperspy_coreloss.signals.lazy._LARGEST_IN_MEMORY", 0)
    disk.broken = False
    result = disk.signal.predict_properties(resolution=0.5)
    result, eager = (result.T, eager.T) if turned else (result, eager)
    result.save(tmp_path / f"maps.{extension}")
    assert disk.reads == disk.signal.data.npartitions  # each once, for values and all maps
    assert_lazy(result, LazyCoreLossPropertyMap if turned else LazyCoreLossPropertySignal)
    saved = hs.load(tmp_path / f"maps.{extension}")
    assert_same(saved, eager)
    assert saved.metadata.General.title == eager.metadata.General.title
    assert [path.name for path in tmp_path.iterdir()] == [f"maps.{extension}"]


def test_a_result_larger_than_memory_that_fails_leaves_nothing_behind(
    disk, eager, tmp_path, monkeypatch
):
    monkeypatch.setattr("hyperspy_coreloss.signals.lazy._LARGEST_IN_MEMORY", 0)
    eager.save(tmp_path / "maps.hspy")
    result = disk.signal.predict_properties(resolution=0.5)
    with pytest.raises(OSError, match="the disk is gone"):
        result.save(tmp_path / "maps.hspy", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["maps.hspy"]
    assert_same(hs.load(tmp_path / "maps.hspy"), eager)
    assert_lazy(result, LazyCoreLossPropertySignal)


def test_a_result_larger_than_memory_can_replace_the_file_it_was_loaded_from(
    eager, tmp_path, monkeypatch
):
    monkeypatch.setattr("hyperspy_coreloss.signals.lazy._LARGEST_IN_MEMORY", 0)
    path = tmp_path / "maps.hspy"
    eager.save(path)
    hs.load(path, lazy=True).save(path, overwrite=True)
    assert_same(hs.load(path), eager)


def test_a_saved_result_survives_the_failure_to_replace_it(disk, eager, tmp_path):
    eager.save(tmp_path / "maps.hspy")
    result = disk.signal.predict_properties(resolution=0.5)
    with pytest.raises(OSError, match="the disk is gone"):
        result.save(tmp_path / "maps.hspy", overwrite=True)
    assert_same(hs.load(tmp_path / "maps.hspy"), eager)


def test_one_map_computed_alone_leaves_the_others_lazy(disk, eager):
    disk.broken = False
    result = disk.signal.predict_properties(resolution=0.5)
    onset = result.onset
    onset.compute(show_progressbar=False)
    np.testing.assert_array_equal(onset.data, eager.onset.data)
    assert_lazy(result, LazyCoreLossPropertySignal)
    disk.reads = 0
    result.compute(show_progressbar=False)
    assert disk.reads == 3  # once each chunk, for values and maps together
    assert_same(result, eager)


def test_what_was_computed_to_be_saved_is_kept_if_the_file_cannot_be_written(disk, eager, tmp_path):
    disk.broken = False
    result = disk.signal.predict_properties(resolution=0.5)
    (tmp_path / "file").write_text("in the way of a folder")
    with pytest.raises(OSError):  # its text is that of the system
        result.save(tmp_path / "file" / "maps.hspy")
    disk.broken = True
    assert_same(result, eager)


@pytest.mark.filterwarnings("ignore:.*NestedDirectoryStore:FutureWarning")
@pytest.mark.parametrize("extension", ["hspy", "zspy"])
@pytest.mark.parametrize("finish", ["compute", "close", "only save"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_result_can_replace_the_file_that_it_is_read_from(
    eager, tmp_path, extension, finish, turned
):
    """Values, maps, intervals and whatever else the metadata hold are in the new file."""
    eager = eager.T if turned else eager
    path = tmp_path / f"maps.{extension}"
    eager.metadata.set_item("Notes.table", np.arange(12.0).reshape(3, 4))
    eager.metadata.set_item("Notes.several", [np.arange(2.0), np.arange(3.0)])
    eager.original_metadata.set_item("Microscope.gains", np.arange(5.0))
    eager.save(path)
    result = hs.load(path, lazy=True)
    assert result._lazy
    if finish != "only save":
        result.compute(close_file=finish == "close", show_progressbar=False)
    result.save(path, overwrite=True)
    for found in (result, hs.load(path)):
        assert_same(found, eager)
        for name in eager.property_names:
            for one, other in zip(
                found.get_interval_map(name), eager.get_interval_map(name), strict=True
            ):
                assert np.isfinite(one.data).sum() == np.isfinite(eager.onset.data).sum()
                np.testing.assert_array_equal(one.data, other.data)
        np.testing.assert_array_equal(found.metadata.Notes.table, eager.metadata.Notes.table)
        for one, other in zip(found.metadata.Notes.several, ([0, 1], [0, 1, 2]), strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(found.original_metadata.Microscope.gains, np.arange(5.0))


def test_nothing_lazy_is_left_in_a_computed_result(disk):
    disk.broken = False
    result = disk.signal.predict_properties(resolution=0.5)
    variance = hs.signals.Signal1D(np.full(result.data.shape, 0.25)).as_lazy()
    result.metadata.set_item("Signal.Noise_properties.variance", variance)
    result.metadata.set_item("Notes.several", [da.arange(4), "text", (da.zeros(2),)])
    result.compute(show_progressbar=False)
    assert not result.metadata.Signal.Noise_properties.variance._lazy
    assert (result.metadata.Signal.Noise_properties.variance.data == 0.25).all()
    numbers, text, (zeros,) = result.metadata.Notes.several
    assert (type(numbers), text, type(zeros)) == (np.ndarray, "text", np.ndarray)
    np.testing.assert_array_equal(numbers, np.arange(4))


def test_several_threads_compute_one_result_once(disk, eager):
    disk.broken = False
    for _ in range(3):
        result = disk.signal.predict_properties(resolution=0.5)
        disk.reads, faults, start = 0, [], threading.Barrier(3)

        def compute(result=result, faults=faults, start=start):
            start.wait()
            try:
                result.compute(show_progressbar=False)
            except Exception as error:  # so that the test sees it  # noqa: BLE001
                faults.append(error)

        threads = [threading.Thread(target=compute) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        assert disk.reads == 3
        assert_same(result, eager)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError])
def test_a_result_whose_computation_is_interrupted_stays_as_it_was(disk, eager, fault):
    def interrupted(*arguments, **options):
        raise fault

    disk.broken = False
    result = disk.signal.predict_properties(resolution=0.5)
    with pytest.raises(fault):
        result.compute(show_progressbar=False, scheduler=interrupted)
    assert_lazy(result, LazyCoreLossPropertySignal)
    result.compute(show_progressbar=False)
    assert_same(result, eager)
    assert result.isig[-1:].property_names == ("excitation_energy",)
