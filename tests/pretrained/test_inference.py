from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.pretrained import inference
from hyperspy_coreloss.pretrained.inference import map_spectra, predict_arrays, predict_chunk
from hyperspy_coreloss.pretrained.results import as_prediction
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.quality import Quality


@pytest.fixture
def spectra(image):
    return image[0].data


@pytest.fixture
def preparation(image, pretrained):
    energy = image[0].axes_manager.signal_axes[0].axis
    return prepare(pretrained.recipe, energy, resolution=0.5)


def mapped(*arguments):
    return as_prediction(map_spectra(*arguments))


def computed(prediction):
    return dask.compute(prediction.values, prediction.onset, prediction.quality)


@pytest.mark.parametrize("chunks", [(5, 7, 1700), (1, 1, 1700), (2, 3, 100), (5, 4, 511)])
def test_any_chunking_gives_the_same_bits(spectra, preparation, pretrained, chunks):
    expected = predict_arrays(spectra, preparation, pretrained)
    lazy = mapped(da.from_array(spectra, chunks=chunks), preparation, pretrained)
    assert lazy.values.dtype == np.float32
    assert lazy.quality.dtype == np.uint8
    values, onset, quality = computed(lazy)
    np.testing.assert_array_equal(values, expected.values)
    np.testing.assert_array_equal(onset, expected.onset)
    np.testing.assert_array_equal(quality, expected.quality)


def test_nothing_is_read_before_compute_and_each_chunk_once_after(spectra, preparation, pretrained):
    read = []

    def reader(block, block_info=None):
        read.append(block_info[0]["chunk-location"])
        return block

    counted = da.from_array(spectra, chunks=(2, 7, 1700)).map_blocks(
        reader, dtype=spectra.dtype, meta=np.empty((0, 0, 0), spectra.dtype)
    )
    lazy = mapped(counted, preparation, pretrained)
    assert lazy.values.shape == (5, 7, 6)
    assert not read
    computed(lazy)
    assert sorted(read) == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]


def test_chunks_longer_than_a_batch_give_the_same(spectra, preparation, pretrained):
    expected = predict_arrays(spectra, preparation, pretrained)
    many = predict_arrays(np.tile(spectra, (9, 1, 1)), preparation, pretrained)
    np.testing.assert_array_equal(many.values, np.tile(expected.values, (9, 1, 1)))


def test_a_single_spectrum_has_no_navigation(spectra, preparation, pretrained):
    values, onset, quality = computed(mapped(spectra[0, 0], preparation, pretrained))
    assert values.shape == (6,)
    assert onset.shape == quality.shape == ()
    expected = predict_arrays(spectra, preparation, pretrained).values[0, 0]
    np.testing.assert_array_equal(values, expected)


def test_excluded_spectra_say_so(spectra, preparation, pretrained):
    excluded = np.zeros(spectra.shape[:-1], dtype=bool)
    excluded[1, 2:4] = True
    values, onset, quality = computed(mapped(spectra, preparation, pretrained, excluded))
    assert (quality[excluded] == Quality.MASKED).all()
    assert np.isnan(values[excluded]).all()
    assert np.isnan(onset[excluded]).all()
    expected = predict_arrays(spectra, preparation, pretrained).values
    np.testing.assert_array_equal(values[~excluded], expected[~excluded])


def test_bad_spectra_are_nan_and_leave_the_others_bitwise_as_they_are(
    spectra, preparation, pretrained
):
    expected = predict_chunk(spectra, preparation=preparation, pretrained=pretrained)
    spoilt = spectra.copy()
    spoilt[0, 0, 600], spoilt[2, 3] = np.nan, 0
    spoilt[4, 6, :500] *= -1
    found = predict_chunk(spoilt, preparation=preparation, pretrained=pretrained)
    bad = np.zeros(spectra.shape[:-1], dtype=bool)
    bad[[0, 2, 4], [0, 3, 6]] = True
    assert np.isnan(found["values"][bad]).all()
    assert np.isnan(found["onset"][bad]).all()
    reasons = [Quality.NOT_FINITE, Quality.EMPTY, Quality.NEGATIVE]
    assert found["quality"][bad].tolist() == reasons
    np.testing.assert_array_equal(found[~bad], expected[~bad])


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_every_scheduler_gives_the_same(spectra, preparation, pretrained, scheduler):
    lazy = mapped(da.from_array(spectra, chunks=(3, 7, -1)), preparation, pretrained)
    values = lazy.values.compute(scheduler=scheduler, num_workers=2)
    expected = predict_arrays(spectra, preparation, pretrained).values
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("chunks", [(1, 1, 1700), (1, 1, 100), (5, 1, 1700)])
def test_chunks_of_one_pixel_are_evaluated_in_whole_batches(
    spectra, preparation, pretrained, chunks, monkeypatch
):
    """Each of them took as long as a whole batch."""
    many = np.tile(spectra, (4, 5, 1))
    expected = predict_arrays(many, preparation, pretrained)
    evaluated = []

    def counting(batch, *arguments, real=inference.predict_batch):
        evaluated.append(len(batch))
        return real(batch, *arguments)

    monkeypatch.setattr(inference, "predict_batch", counting)
    excluded = np.zeros(many.shape[:-1], dtype=bool)
    excluded[3, 4] = True
    lazy = mapped(da.from_array(many, chunks=chunks), preparation, pretrained, excluded)
    values, _, quality = computed(lazy)
    np.testing.assert_array_equal(values[~excluded], expected.values[~excluded])
    np.testing.assert_array_equal(quality == Quality.MASKED, excluded)
    assert sum(evaluated) <= 3 * excluded.size


@given(
    shape=st.lists(st.integers(1, 30), min_size=0, max_size=4),
    chunk=st.lists(st.integers(1, 30), min_size=4, max_size=4),
)
def test_chunks_of_few_energies_become_chunks_of_some_thousand_spectra(shape, chunk):
    few = da.zeros((*shape, 8), chunks=(*chunk[: len(shape)], 3), dtype=np.float32)
    whole = inference._whole(few)
    assert whole.shape == few.shape
    assert whole.numblocks[-1] == 1
    assert np.prod(whole.chunksize[:-1]) <= 4096
    # Chunks of few spectra stay as they are.
    if np.prod(few.chunksize[:-1]) <= 4096:
        assert whole.chunks[:-1] == few.chunks[:-1]


@given(shape=st.lists(st.integers(1, 30), min_size=0, max_size=4), masked=st.booleans())
def test_an_array_in_memory_is_split_into_adjacent_spectra_without_a_copy(shape, masked):
    array = np.zeros((*shape, 3), dtype=np.float32)
    array = np.ma.masked_array(array) if masked else array
    split = inference._in_chunks(array, inference._adjacent(tuple(shape)))
    assert split.shape == array.shape
    parts = list(split.dask.values())
    assert sum(part.size for part in parts) == array.size
    assert all(np.shares_memory(part, array) for part in parts)
    assert max(part.size / 3 for part in parts) <= 4096
    # Many spectra are not split finer than needed.
    assert len(parts) <= max(1, 4 * array.size / 3 / 1024)
    assert all(part.flags.c_contiguous for part in parts)


@given(
    shape=st.lists(st.integers(1, 40), min_size=0, max_size=4),
    chunk=st.lists(st.integers(1, 40), min_size=4, max_size=4),
)
def test_chunks_are_merged_without_a_limit_on_their_shape(shape, chunk):
    chunks = (*chunk[: len(shape)], 8)
    given_ = da.zeros((*shape, 8), chunks=chunks, dtype=np.float32)
    merged = inference._merged(given_)
    assert merged.shape == given_.shape
    assert merged.numblocks[-1] == 1
    spectra_of_chunks = np.prod(merged.chunksize[:-1])
    assert spectra_of_chunks <= max(512, np.prod(given_.chunksize[:-1]))
    n_spectra = int(np.prod(shape))
    assert merged.npartitions <= given_.npartitions
    # All but the last along each axis have more than half a batch.
    if n_spectra < 512 * given_.npartitions and merged.npartitions > 1:
        assert spectra_of_chunks > 256
