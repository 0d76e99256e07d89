"""A lazy result is computed as a whole or stays as it was."""

from __future__ import annotations

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_coreloss.signals.lazy import LazyCoreLossPropertyMap, LazyCoreLossPropertySignal
from hyperspy_coreloss.signals.metadata import MAPS, map_path
from hyperspy_coreloss.spectra.quality import Quality


class Disk:
    """Spectra whose third chunk cannot be read, until it is mended."""

    def __init__(self, signal):
        self.broken = True
        self.reads = 0
        self.signal = signal.as_lazy()
        data = self.signal.data.rechunk((2, 7, -1))
        self.signal.data = data.map_blocks(
            self.read, dtype=data.dtype, meta=np.empty((0, 0, 0), data.dtype)
        )

    def read(self, block, block_info=None):
        self.reads += 1
        if self.broken and block_info[0]["chunk-location"] == (2, 0, 0):
            raise OSError("the disk is gone")
        return block


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
def test_a_result_whose_computation_fails_stays_as_it_was(disk, eager, turned):
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


def test_a_result_that_cannot_be_saved_stays_lazy_and_can_be_saved_later(disk, eager, tmp_path):
    result = disk.signal.predict_properties(resolution=0.5)
    with pytest.raises(OSError, match="the disk is gone"):
        result.save(tmp_path / "maps.hspy")
    assert not (tmp_path / "maps.hspy").exists()
    assert_lazy(result, LazyCoreLossPropertySignal)
    disk.broken = False
    result.save(tmp_path / "maps.hspy")
    assert_lazy(result, LazyCoreLossPropertySignal)
    assert_same(hs.load(tmp_path / "maps.hspy"), eager)


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
