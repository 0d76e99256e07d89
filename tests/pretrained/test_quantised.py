"""Numbers of models in one byte each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from hyperspy_coreloss.pretrained.network import forward
from hyperspy_coreloss.pretrained.quantised import quantise

VALUES = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-30)


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=3, max_side=6), elements=VALUES))
@pytest.mark.parametrize("axis", [0, -1])
def test_no_value_is_off_by_more_than_half_a_step(axis, values):
    multiples, steps = quantise(values, axis)
    assert multiples.dtype == np.int8
    assert (steps > 0).all()
    each = np.expand_dims(steps.astype(float), axis)
    error = np.abs(multiples * each - values)
    assert (error <= each * (0.5 + 1e-4)).all()


@given(arrays(np.float64, (3, 4), elements=VALUES))
def test_the_largest_value_of_each_step_is_kept(values):
    multiples, steps = quantise(values, -1)
    largest = np.abs(multiples * steps.astype(float)[:, None]).max(axis=-1)
    np.testing.assert_allclose(largest, np.abs(values).max(axis=-1), rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_lost(bad):
    """A training that diverged must not end as a network of zeros."""
    values = np.array([[1.0, bad, 0.5], [2.0, 1.0, -2.0]])
    multiples, steps = quantise(values, -1)
    assert not np.isfinite(steps[0])
    assert steps[1] == np.float32(2 / 127)
    np.testing.assert_array_equal(multiples[1], [127, 64, -127])


def test_a_network_multiplies_weights_by_their_steps(pretrained, rng):
    plain = dict(pretrained.weights)
    for name in pretrained.weights:
        if name.endswith(".step"):
            weight = name.replace(".step", ".weight")
            plain[weight] = plain[weight] * plain.pop(name)[..., None]
    assert len(plain) == len(pretrained.weights) - len(pretrained.hidden) - 1
    inputs = rng.random((5, plain["input_mean"].shape[-1]), dtype=np.float32)
    np.testing.assert_array_equal(forward(plain, inputs), forward(pretrained.weights, inputs))
