"""Spectra are compared with computed sites: distances, p-values and the spread of labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hyperspy_coreloss.errors import PretrainedFormatError, SignalError
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.references import References, Space
from hyperspy_coreloss.pretrained.trust import (
    check_novelty_level,
    compare,
    distances,
    near,
    smallest,
    widening,
)

SITES, CHANNELS, NODES, HELD_OUT = 40, 30, 10, 199


def space(rng, length):
    return Space(
        centre=rng.random(length, dtype=np.float32),
        basis=rng.standard_normal((length, 5)).astype(np.float32),
        coordinates=rng.integers(-127, 128, (SITES, 5), dtype=np.int8),
        steps=rng.uniform(0.01, 0.05, 5).astype(np.float32),
        distances=np.linspace(0.1, 20, HELD_OUT).astype(np.float16),
    )


@pytest.fixture
def references(rng):
    return References(
        spectrum=space(rng, CHANNELS),
        layer=space(rng, NODES),
        labels=rng.standard_normal((SITES, 3)).astype(np.float16),
        label_scale=np.array([0.1, 1.0, 10.0], dtype=np.float32),
        sites=np.arange(SITES, dtype=np.int32),
        populations=(np.arange(SITES) % 3).astype(np.uint8),
        region_errors=np.zeros((4, 3), dtype=np.float32),
    )


@pytest.fixture
def measured(rng):
    spectra = rng.random((256, CHANNELS + 20), dtype=np.float32)
    return spectra, rng.standard_normal((256, NODES)).astype(np.float32)


def every_distance(one, vectors):
    """Return all distances in double precision, shape (spectra, sites)."""
    place = (vectors.astype(float) - one.centre) @ one.basis.astype(float)
    return np.linalg.norm(place[:, None] - one.coordinates * one.steps.astype(float), axis=-1)


@given(arrays(np.float32, (3, 11), elements=st.floats(-9, 9, width=32)), st.integers(1, 11))
def test_the_smallest_values_are_those_of_sorted_rows(values, number):
    least, columns = smallest(values, number)
    np.testing.assert_array_equal(least, np.sort(values, axis=1)[:, :number])
    np.testing.assert_array_equal(np.take_along_axis(values, columns, axis=1), least)
    assert all(len(set(row)) == number for row in columns.tolist())


def test_the_nearest_sites_are_those_of_the_smallest_distance(references, measured):
    spectra, _ = measured
    first = near(references.spectrum, spectra)
    found, rows = distances(references.spectrum, first, 8)
    expected = every_distance(references.spectrum, first)
    np.testing.assert_allclose(found, np.sort(expected, axis=1)[:, :8], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(rows[:, 0], expected.argmin(axis=1))
    np.testing.assert_array_equal(rows, np.argsort(expected, axis=1)[:, :8])


def test_spectra_are_compared_on_their_first_channels_without_their_scale(references, measured):
    spectra, layer = measured
    once = compare(references, spectra, layer)
    other = spectra.copy()
    other[:, CHANNELS:] = 7
    again = compare(references, (2 * other).astype(np.float32), layer)
    np.testing.assert_allclose(again.distance, once.distance, rtol=1e-4)
    np.testing.assert_array_equal(again.nearest, once.nearest)


def test_novelty_is_the_fraction_of_held_out_spectra_that_are_as_far(references, measured):
    spectra, layer = measured
    found = compare(references, spectra, layer)
    fractions = []
    vectors = {"spectrum": near(references.spectrum, spectra), "layer": layer}
    for name, each in vectors.items():
        one = getattr(references, name)
        nearest, _ = distances(one, each, 1)
        as_far = (one.distances.astype(float)[None] >= nearest).sum(axis=1)
        fractions.append((1 + as_far) / (1 + HELD_OUT))
    np.testing.assert_allclose(found.novelty, np.minimum(2 * np.min(fractions, axis=0), 1))
    assert 0 < found.novelty.min() <= found.novelty.max() <= 1


def test_ambiguity_is_the_spread_of_the_labels_of_the_nearest(references, measured):
    found = compare(references, *measured)
    labels = references.labels.astype(float) * references.label_scale
    expected = labels[found.nearest].std(axis=1)
    np.testing.assert_allclose(found.ambiguity, expected, rtol=1e-4)


def test_an_unreadable_spectrum_breaks_nothing(references, measured):
    spectra, layer = measured
    spectra[3] = 0
    found = compare(references, spectra, layer)
    assert np.isfinite(found.distance).all()
    assert np.isfinite(found.novelty).all()


@given(st.floats(1.0, 1e6))
def test_what_lies_farther_is_never_more_familiar(factor):
    rng = np.random.default_rng(0)
    one = space(rng, NODES)
    vectors = one.centre + rng.standard_normal((16, NODES)).astype(np.float32) * np.float32(50)
    away = (one.centre + factor * (vectors - one.centre)).astype(np.float32)
    held_out = replace(one, coordinates=np.zeros_like(one.coordinates))
    nearer, _ = distances(held_out, vectors, 1)
    farther, _ = distances(held_out, away, 1)
    assert (farther >= nearer * (1 - 1e-5)).all()


def test_intervals_widen_with_the_distance_and_never_narrow():
    factors = widening(np.array([0.1, 1.0, 4.0, 1e9], dtype=np.float32))
    np.testing.assert_allclose(factors[:, 0], [1, 1, 2, 10])


@pytest.mark.parametrize("level", [-0.1, 1.0, np.nan, "0.1", None, [0.1]])
def test_an_impossible_level_is_refused(level):
    with pytest.raises(SignalError, match=r"novelty_level must be a fraction from 0 to below 1"):
        check_novelty_level(level)


def test_references_do_not_change(references):
    with pytest.raises(ValueError, match="read-only"):
        references.labels[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        references.spectrum.basis[0] = 0


def test_a_model_keeps_its_references_in_its_file(pretrained, tmp_path):
    pretrained.save(tmp_path / "model.safetensors")
    again = PretrainedModel.load(tmp_path / "model.safetensors")
    for name, array in pretrained.references.to_arrays().items():
        np.testing.assert_array_equal(again.references.to_arrays()[name], array)


@pytest.mark.parametrize(
    ("space", "name", "change"),
    [
        ("spectrum", "coordinates", lambda a: a[:-1]),
        ("spectrum", "coordinates", lambda a: a.astype(np.float16)),
        ("spectrum", "steps", lambda a: np.zeros_like(a)),
        ("spectrum", "basis", lambda a: np.full_like(a, np.nan)),
        ("layer", "centre", lambda a: a[:-1]),
        ("layer", "distances", lambda a: np.zeros_like(a)),
    ],
)
def test_damaged_references_are_refused(pretrained, space, name, change):
    whole = getattr(pretrained.references, space)
    damaged = replace(whole, **{name: change(getattr(whole, name))})
    with pytest.raises(PretrainedFormatError, match=rf"references.{space}.{name}"):
        replace(pretrained, references=replace(pretrained.references, **{space: damaged}))
