"""Maps are averaged to what a page can hold, and nothing of them is lost or invented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.pages.histograms import histogram
from hyperspy_coreloss.pages.layers import Layer, Layers, PositionAxis, averaged, reduced
from hyperspy_coreloss.pages.numbers import LAST, frame_columns, scales_of
from hyperspy_coreloss.pages.ticks import round_ticks

GOOD, EMPTY, NEGATIVE = 0, 3, 4


def layers_of(values, codes=None, half_widths=None):
    values = np.asarray(values, dtype=np.float64)
    axes = [
        PositionAxis(name, "nm", 2.0 + 0.5 * np.arange(size))
        for name, size in zip(("y", "x"), values.shape[-2:], strict=True)
    ]
    stack = [PositionAxis("z", "nm", np.arange(len(values)))] if len(values) > 1 else []
    return Layers(
        axes=tuple(axes),
        stack=tuple(stack),
        quantities=(Layer("bond length (Å)", values, half_widths),),
        codes=codes,
        words={GOOD: "predicted", EMPTY: "empty", NEGATIVE: "negative"},
    )


def test_squares_are_means_of_the_pixels_that_have_a_value():
    values = np.arange(20.0).reshape(1, 4, 5)
    values[0, 0, 0] = np.nan
    values[0, 2:, 4] = np.nan
    short = averaged(layers_of(values), 2)
    expected = [[(1 + 5 + 6) / 3, 5.0, 6.5], [13.0, 15.0, np.nan]]
    np.testing.assert_allclose(short.quantities[0].values[0], expected)
    np.testing.assert_allclose(short.axes[0].positions, [2.25, 3.25])
    # The last square is narrower, but drawn as wide as the others.
    np.testing.assert_allclose(short.axes[1].positions, [2.25, 3.25, 4.25])
    assert short.factor == 2


def test_the_code_of_a_square_is_good_if_any_pixel_is_and_else_the_most_frequent():
    codes = np.full((1, 2, 4), EMPTY, dtype=np.uint8)
    codes[0, 0, 0] = GOOD
    codes[0, :, 2] = NEGATIVE
    codes[0, 0, 3] = NEGATIVE
    short = averaged(layers_of(np.zeros((1, 2, 4)), codes), 2)
    assert short.codes.tolist() == [[[GOOD, NEGATIVE]]]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 5), st.integers(40, 4000))
def test_reduced_layers_are_as_large_as_they_may_be(rows, columns, frames, most):
    values = np.random.default_rng(0).normal(size=(frames, rows, columns))
    whole = layers_of(values)
    short = reduced(whole, most, 3)
    assert short.shown == min(frames, 3)
    assert short.frames == frames
    assert short.n_bytes <= most
    if short.factor > 1:
        larger = averaged(reduced(whole, 10**9, 3), short.factor - 1)
        assert larger.n_bytes > most
    # Means of means, weighted with the sizes of the squares, are those of all pixels.
    ones = averaged(layers_of(np.ones((1, rows, columns))), short.factor)
    assert ones.shape[1:] == short.shape[1:]


def test_what_fits_is_left_as_it_is():
    whole = layers_of(np.zeros((1, 9, 9)))
    assert reduced(whole, 10**6, 36).quantities[0].values is not None
    assert reduced(whole, 10**6, 36).factor == 1


# No unit makes a property as small as the numbers that floats no longer hold to all digits.
VALUES = st.floats(-1e6, 1e6).map(lambda value: round(value, 12))


@given(st.lists(VALUES | st.just(np.nan), min_size=4, max_size=4))
def test_numbers_of_a_page_are_the_values(values):
    layers = layers_of(
        np.reshape(values, (1, 2, 2)), half_widths=np.abs(np.reshape(values, (1, 2, 2)))
    )
    columns, scales = frame_columns(layers), scales_of(layers)
    for name, expected in (
        ("value_0", layers.quantities[0].values),
        ("width_0", layers.quantities[0].half_widths),
    ):
        numbers = columns[name][0].astype(float)
        low, step = scales[name]
        read = np.where(numbers == 0, np.nan, low + step * (numbers - 1))
        np.testing.assert_allclose(read, expected[0], atol=step, rtol=1e-12)
        assert numbers.max() <= LAST


@pytest.mark.parametrize(
    ("values", "decimals"), [([1.601, 1.655], 4), ([120.0, 150.0], 1), ([0.0, 0.0], 2)]
)
def test_without_intervals_numbers_have_the_digits_of_their_range(values, decimals):
    assert Layer("x", np.array(values)).decimals == decimals


def test_with_intervals_numbers_have_two_digits_of_the_half_width():
    layer = Layer("x (Å)", np.array([1.6, np.nan]), np.array([0.0123, np.nan]))
    assert layer.decimals == 3
    assert (layer.title, layer.unit) == ("x", "Å")


@pytest.mark.parametrize("values", [[np.nan, np.nan], [2.0, 2.0], [0.0, 0.0], [1.0, 3.0]])
def test_limits_of_colours_are_finite_and_apart(values):
    low, high = Layer("x", np.array(values)).extent
    assert np.isfinite([low, high]).all()
    assert low < high


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_ticks_are_round_and_inside(low, width):
    places, decimals = round_ticks(low, low + width)
    assert len(places) >= 1
    assert all(low <= place <= low + width for place in places)
    texts = [f"{place:.{decimals}f}" for place in places]
    assert len(set(texts)) == len(texts)
    assert "-0" not in texts


def test_a_histogram_counts_all_values():
    values = np.random.default_rng(0).normal(1.6, 0.03, 500)
    values[3] = np.nan
    shape = histogram(Layer("bond length (Å)", values))
    counts = [int(bar.text.rpartition(": ")[2]) for bar in shape.bars]
    assert sum(counts) == 499
    assert max(bar.height for bar in shape.bars) == pytest.approx(114.0)
    assert f"median {np.nanmedian(values):.3f}" in shape.text


def test_too_few_values_have_no_histogram():
    assert histogram(Layer("x", np.array([np.nan, 1.0]))) is None


def test_uneven_axes_are_noticed():
    assert PositionAxis("x", "nm", np.array([3.0, 2.0, 1.0])).even
    assert not PositionAxis("x", "nm", np.array([3.0, 2.0, 0.0])).even
    assert PositionAxis("x", "", np.array([3.0])).at(0) == "3"
    assert PositionAxis("", "nm", np.array([3.0])).label == "position (nm)"


def test_positions_have_two_digits_of_their_step():
    even = PositionAxis("x", "µm", 0.0020458647 * np.arange(4))
    assert even.rounded == [0.0, 0.002, 0.0041, 0.0061]
    assert PositionAxis("x", "nm", 1200 + 0.25 * np.arange(3)).rounded == [1200, 1200.25, 1200.5]
    assert PositionAxis("x", "nm", np.array([12345.0, 0.0, -12345.0])).rounded[0] == 12345
    assert PositionAxis("x", "nm", np.array([1 / 3])).rounded == [0.3333333]


def test_frames_have_places():
    layers = layers_of(np.zeros((3, 2, 2)))
    assert layers.place(2) == "z = 2 nm"
    assert layers_of(np.zeros((1, 2, 2))).place(0) == ""
