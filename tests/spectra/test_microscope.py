"""Microscopes keep what they are told, refuse nonsense, and draw within their limits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.microscope import (
    HARSH,
    MICROSCOPES,
    TYPICAL,
    Microscope,
    named_microscope,
)
from hyperspy_coreloss.spectra.spread import LogUniform, Normal, Uniform, draw


@pytest.mark.parametrize("microscope", MICROSCOPES.values(), ids=MICROSCOPES)
def test_a_microscope_is_restored_from_json(microscope):
    assert Microscope.from_dict(json.loads(json.dumps(microscope.to_dict()))) == microscope


def test_a_perfect_measurement_has_no_effects():
    assert Microscope().to_dict() == {}


@given(st.floats(1e-3, 1e3), st.floats(1.0, 1e3), st.integers(0, 2**32 - 1))
def test_values_lie_between_their_limits(low, factor, seed):
    generator = np.random.default_rng(seed)
    for kind in (Uniform, LogUniform):
        values = draw(kind(low, low * factor), generator, 50)
        assert values.min() >= low * (1 - 1e-9)
        assert values.max() <= low * factor * (1 + 1e-9)


def test_orders_of_magnitude_are_equally_likely(rng):
    values = draw(LogUniform(1.0, 1e4), rng, 20000)
    np.testing.assert_allclose(np.histogram(np.log10(values), 4)[0], 5000, rtol=0.06)


def test_a_number_is_the_same_in_every_draw_and_takes_nothing_from_the_generator():
    generator, untouched = np.random.default_rng(1), np.random.default_rng(1)
    assert set(draw(0.3, generator, 5)) == {0.3}
    assert generator.random() == untouched.random()


def test_typical_and_harsh_are_what_they_are_called(rng):
    assert draw(TYPICAL.relative_thickness, rng, 999).max() <= 1.0
    assert 300 <= draw(TYPICAL.counts, rng, 999).min() <= 400
    assert draw(TYPICAL.dispersion_error, rng, 9999).std() == pytest.approx(0.01, rel=0.05)
    assert draw(HARSH.counts, rng, 999).max() <= 1e3
    assert HARSH.phases_mixed == 2


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        ({"relative_thickness": -0.1}, r"relative_thickness .* zero or more, but it is -0.1"),
        ({"resolution": Uniform(-1.0, 1.0)}, r"resolution .* zero or more"),
        ({"counts": 0.0}, r"counts above 0"),
        ({"counts": Normal(1e4, 1e3)}, r"counts .* zero or more"),
        ({"mixed_fraction": 1.5}, r"mixed_fraction of 1 or less"),
        ({"drift": float("nan")}, r"drift .* zero or more, but it is nan"),
    ],
)
def test_impossible_effects_are_refused(effects, said):
    with pytest.raises(SignalError, match=said):
        Microscope(**effects)


@pytest.mark.parametrize("kind", [Uniform, LogUniform])
def test_limits_in_the_wrong_order_are_refused(kind):
    with pytest.raises(SignalError, match=r"two finite limits, the lower one first"):
        kind(2.0, 1.0)


def test_distributions_need_finite_numbers():
    with pytest.raises(SignalError, match=r"finite mean and a standard deviation of zero or more"):
        Normal(0.0, -1.0)
    with pytest.raises(SignalError, match=r"limits above zero"):
        LogUniform(0.0, 1.0)


def test_microscopes_have_names():
    assert named_microscope("typical") is TYPICAL
    with pytest.raises(SignalError, match=r"'Titan'\. Choose from clean, typical, harsh\."):
        named_microscope("Titan")
