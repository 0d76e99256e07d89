"""Curves between samples, broadened: against closed forms, and derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import erf, voigt_profile

from hyperspy_coreloss.components.curves import (
    SampledCurves,
    _margin,
    evaluate_curves,
    sample_curve,
)
from hyperspy_coreloss.errors import SignalError

WIDTHS = st.floats(0.1, 2.0)


def gaussian(energy, sigma):
    return np.exp(-0.5 * (energy / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


def peak(sigma=0.5):
    energy = np.arange(-10, 10, 0.05)
    return sample_curve(energy, gaussian(energy, sigma))


def test_an_unbroadened_curve_goes_through_its_samples(rng):
    curves = SampledCurves(-1.0, 0.1, rng.normal(size=(3, 40)))
    np.testing.assert_allclose(evaluate_curves(curves, curves.energy), curves.values, atol=1e-12)


def test_a_curve_keeps_its_last_values_beyond_its_ends():
    curves = SampledCurves(0.0, 0.1, np.linspace(1.0, 3.0, 30))
    far = evaluate_curves(curves, np.array([-50.0, 50.0]), broadening=0.3)
    np.testing.assert_allclose(far, [[1.0, 3.0]], rtol=1e-10)


@given(WIDTHS)
def test_widths_of_gaussians_add_in_quadrature(broadening):
    energy = np.linspace(-6, 6, 91)
    expected = gaussian(energy, np.hypot(0.5, broadening))
    found = evaluate_curves(peak(), energy, broadening)[0]
    np.testing.assert_allclose(found, expected, atol=2e-4 * expected.max())


@given(WIDTHS, st.floats(0.05, 0.5))
def test_gaussian_and_lorentzian_make_a_voigt_profile(broadening, lifetime):
    energy = np.linspace(-6, 6, 91)
    expected = voigt_profile(energy, np.hypot(0.5, broadening), lifetime)
    found = evaluate_curves(peak(), energy, broadening, lifetime)[0]
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())


@given(WIDTHS)
def test_a_broadened_step_is_an_error_function_and_does_not_break_off(broadening):
    energy = np.arange(-5, 5.01, 0.05)
    step = sample_curve(energy, 0.5 * (1 + erf(energy / np.sqrt(2) / 0.3)))
    points = np.linspace(-8, 12, 81)
    expected = 0.5 * (1 + erf(points / np.sqrt(2) / np.hypot(0.3, broadening)))
    np.testing.assert_allclose(evaluate_curves(step, points, broadening)[0], expected, atol=1e-4)


@given(WIDTHS, st.floats(0.05, 0.5), st.sampled_from(["energy", "broadening", "lifetime"]))
def test_derivatives_are_those_of_the_curve(broadening, lifetime, variable):
    at = {"energy": 0.0, "broadening": broadening, "lifetime": lifetime}
    points = np.linspace(-7, 25, 101)  # also beyond the ends
    step = sample_curve(np.arange(-5, 15, 0.05), np.arctan(np.arange(-5, 15, 0.05)))

    # Where the cut-off of the kernel changes, the curve jumps and has no derivative.
    cut_offs = {
        _margin(step, at["broadening"] + shift, at["lifetime"] + shift)
        for shift in (-1e-4, 0.0, 1e-4)
    }
    assume(len(cut_offs) == 1)

    def value(shift):
        moved = {**at, variable: at[variable] + shift}
        return evaluate_curves(step, points + moved.pop("energy"), **moved)[0]

    numeric = (value(1e-4) - value(-1e-4)) / 2e-4
    moved = {name: width for name, width in at.items() if name != "energy"}
    found = evaluate_curves(step, points, **moved, derivative=variable)[0]
    np.testing.assert_allclose(found, numeric, atol=3e-3 * np.abs(numeric).max() + 1e-9)


def test_uneven_samples_give_the_same_curve():
    uneven = np.sort(np.concatenate([np.arange(-10, 10, 0.1), np.arange(-2, 2, 0.07)]))
    uneven = np.unique(np.round(uneven, 3))
    curve = sample_curve(uneven, gaussian(uneven, 0.5))
    points = np.linspace(-5, 5, 41)
    np.testing.assert_allclose(evaluate_curves(curve, points)[0], gaussian(points, 0.5), atol=1e-4)


def test_area_is_the_integral_between_the_ends():
    assert peak().area == pytest.approx([1.0], abs=1e-6)


@pytest.mark.parametrize(
    ("values", "message"),
    [([1.0, 2.0, 3.0], "four or more samples"), ([1.0, np.nan, 2.0, 3.0], "must be finite")],
)
def test_what_is_no_curve_is_refused(values, message):
    with pytest.raises(SignalError, match=message):
        SampledCurves(0.0, 0.1, np.array(values))


@pytest.mark.parametrize(
    "widths", [{"broadening": 10.1}, {"lifetime": 5.1}, {"lifetime": 1e12}, {"broadening": np.inf}]
)
def test_widths_beyond_fine_structure_are_refused_before_anything_is_allocated(widths):
    (name,) = widths
    with pytest.raises(SignalError, match=rf"{name} of a curve must be \d+ eV or less, but it is"):
        evaluate_curves(peak(), np.zeros(3), **widths)


def test_samples_that_are_too_dense_are_refused_before_anything_is_allocated():
    with pytest.raises(SignalError, match=r"1e-06 eV per sample are too dense .* lifetime of 1 eV"):
        evaluate_curves(SampledCurves(0.0, 1e-6, np.ones(50)), np.zeros(3), 0.0, 1.0)
    energy = np.array([0.0, 1.0, 2.0, 2.0 + 1e-9, 3.0])
    with pytest.raises(SignalError, match=r"narrowest spacing is 1e-09 eV\. Remove samples"):
        sample_curve(energy, np.ones(5))


@pytest.mark.parametrize("widths", [{"broadening": np.nan}, {"lifetime": np.nan}])
def test_a_width_without_a_value_gives_a_curve_without_values(widths):
    assert np.isnan(evaluate_curves(peak(), np.zeros(3), **widths)).all()
