"""Intervals hold what they promise of errors that they were not taken from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.intervals import conformal_half_width, is_believable
from hyperspy_coreloss.properties import PROPERTIES, possible_range
from hyperspy_coreloss.signals.metadata import SPREAD, get_map

# How seldom a test of chance may fail, on either side.
CHANCE = 1e-9


@pytest.mark.parametrize(
    ("level", "rank"), [(0.05, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.51, 6), (0.9, 9)]
)
def test_the_half_width_is_the_error_of_the_conformal_rank(level, rank):
    """Of nine errors, the smallest rank that is at least (9 + 1) times the level."""
    errors = np.array([[3.0, -900.0, 0.5, -4.0, 1.0, 20.0, -2.0, 7.0, -11.0]]).T
    by_size = [0.5, 1.0, 2.0, 3.0, 4.0, 7.0, 11.0, 20.0, 900.0]
    found = conformal_half_width(np.hstack([errors, -10.0 * errors]), level)
    np.testing.assert_array_equal(found, [by_size[rank - 1], 10.0 * by_size[rank - 1]])


@pytest.mark.parametrize(("count", "level"), [(9, 0.91), (5, 0.9), (1, 0.6), (76, 0.99)])
def test_too_few_errors_for_a_level_give_an_infinite_interval(count, level):
    assert np.isinf(conformal_half_width(np.ones((count, 2)), level)).all()


@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "exponential"])
@pytest.mark.parametrize(("count", "level"), [(77, 0.5), (77, 0.9), (20, 0.95), (400, 0.68)])
def test_of_new_errors_the_promised_share_lies_inside(rng, draw, count, level):
    """Whatever their distribution: one new error for each of many samples.

    It is inside with a chance of rank / (count + 1), so the number inside is binomial.
    """
    times = 4000
    errors = getattr(rng, draw)(size=(count, times))
    new = getattr(rng, draw)(size=times)
    inside = np.count_nonzero(np.abs(new) <= conformal_half_width(errors, level))
    chance = np.ceil((count + 1) * level) / (count + 1)
    assert level <= chance < level + 1 / (count + 1)
    low, high = binom.ppf([CHANCE, 1 - CHANCE], times, chance)
    assert low <= inside <= high


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=60), st.floats(0.001, 0.999))
def test_wider_levels_never_give_narrower_intervals(errors, level):
    column = np.array(errors)[:, None]
    widths = [conformal_half_width(column, one)[0] for one in (0.9 * level, level)]
    assert 0 <= widths[0] <= widths[1]


@pytest.mark.parametrize(
    "level", [0, 1, 1.0, -0.1, 90, np.nan, np.inf, None, "0.9", [0.9, 0.5], True]
)
def test_level_is_a_share(level):
    with pytest.raises(SignalError, match=r"between 0 and 1, but it is .*Give 0\.9 for a 90 %"):
        conformal_half_width(np.ones((50, 6)), level)


def test_a_result_has_the_intervals_of_its_model(pretrained, image, rng):
    scores = rng.normal(size=(40, 6)) * np.arange(1, 7)
    model = dataclasses.replace(pretrained, scores=scores)
    result = image[0].predict_properties(model, resolution=0.5, show_progressbar=False)
    spread = get_map(result, SPREAD).data
    scales = np.sort(np.abs(scores), axis=0)[int(np.ceil(41 * 0.8)) - 1]
    for column, (name, scale) in enumerate(zip(model.property_names, scales, strict=True)):
        centre = result.get_property_map(name).data
        lower, upper = result.get_interval_map(name, 0.8)
        width = scale * spread[..., column]
        np.testing.assert_allclose(upper.data - centre, width, rtol=1e-3)
        np.testing.assert_allclose(centre - lower.data, width, rtol=1e-3)


NAMES = tuple(spec.name for spec in PROPERTIES)
# Labels that reach to what is possible on both sides in some properties.
LABELS = np.array([[1.4, 1.0, 0.1, 0.4, -1.0, 538.0], [1.9, 180.0, 68.0, 0.9, -0.6, 545.0]])


@given(
    st.integers(0, len(NAMES) - 1),
    st.floats(0, 1e6),
    st.floats(-2e6, 2e6),
    st.sampled_from([np.float32, np.float64]),
)
def test_what_is_believable_is_possible_and_within_an_interval_of_the_labels(
    column, width, value, dtype
):
    values = LABELS.mean(axis=0, keepdims=True).astype(dtype)
    values[0, column] = value
    half_width = np.zeros((1, len(NAMES)), dtype)
    half_width[0, column] = width
    low, high = possible_range(NAMES[column])
    near = LABELS[0, column] - half_width[0, column] <= values[0, column]
    near &= values[0, column] <= LABELS[1, column] + half_width[0, column]
    expected = near and low <= values[0, column] <= high
    assert is_believable(values, half_width, LABELS, NAMES).tolist() == [expected]


@pytest.mark.parametrize(
    ("name", "impossible", "possible"),
    [
        ("bond_angle", 200.8, 180.0),
        ("bond_angle", 180.1, 179.9),
        ("bond_length", -1.6, 1.6),
        ("voronoi_volume", -0.1, 0.2),
    ],
)
def test_no_interval_makes_the_impossible_believable(name, impossible, possible):
    values = np.repeat(LABELS.mean(axis=0, keepdims=True), 2, axis=0)
    values[:, NAMES.index(name)] = impossible, possible
    assert is_believable(values, np.full(values.shape, 1e3), LABELS, NAMES).tolist() == [
        False,
        True,
    ]
