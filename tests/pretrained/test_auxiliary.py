"""What is known beside a spectrum is told to networks, or switched off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.auxiliary import (
    N_AUXILIARY,
    Conditions,
    auxiliary_inputs,
    measured_conditions,
    unknown_conditions,
)
from hyperspy_coreloss.spectra.certainty import AxisCertainty

KNOWN = Conditions(np.array([537.0, 540.0]), 0.1, np.array([0.0, 0.8]), 0.01)


def test_what_is_known_differs_between_spectra():
    inputs = auxiliary_inputs(KNOWN, 536.0)
    assert inputs.shape == (2, N_AUXILIARY)
    np.testing.assert_allclose(inputs[0], [0.9, 0.9 * 2.0, 0, 1, 0.0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(inputs[1], [0.9, 0.9 * 8.0, 0, 1, 0.8, 0, 1], atol=1e-6)


def test_what_is_not_known_is_zero():
    unknown = replace(unknown_conditions(3), resolution_known=False)
    np.testing.assert_array_equal(auxiliary_inputs(unknown, 536.0), 0)


def test_an_axis_tells_what_is_known_of_it():
    threshold, thickness = np.array([537.0, 540.0]), np.array([np.nan, 0.4])
    known = measured_conditions(AxisCertainty(0.2, 0.002), threshold, thickness)
    inputs = auxiliary_inputs(known, 536.0)
    np.testing.assert_allclose(inputs[:, 1] / inputs[:, 0], [2.0, 8.0], atol=1e-6)
    np.testing.assert_allclose(inputs[:, 2], np.log10(2), atol=1e-6)
    np.testing.assert_allclose(inputs[:, 3:5], [[0, 0], [1, 0.4]], atol=1e-6)
    np.testing.assert_allclose(inputs[:, 5], np.log10(0.2), atol=1e-6)
    np.testing.assert_array_equal(inputs[:, 6], 1)
    nothing = measured_conditions(AxisCertainty(resolution_known=False), threshold, thickness)
    np.testing.assert_array_equal(auxiliary_inputs(nothing, 536.0)[0], 0)


def test_an_unknown_energy_has_no_error_either():
    blurred = replace(KNOWN, energy=np.array([np.nan, 540.0]), energy_error=0.5)
    inputs = auxiliary_inputs(blurred, 536.0)
    np.testing.assert_array_equal(inputs[0, :3], 0)
    assert inputs[1, 2] == pytest.approx(np.log10(5))


def test_errors_beyond_those_of_the_training_are_the_nearest():
    exact, rough = (
        auxiliary_inputs(replace(KNOWN, energy_error=error, dispersion_error=error), 536.0)
        for error in (0.0, 10.0)
    )
    np.testing.assert_allclose(exact[:, [2, 5]], [[np.log10(0.5), -1.0]] * 2)
    np.testing.assert_allclose(rough[:, [2, 5]], [[np.log10(5.0), np.log10(3.0)]] * 2)


def test_the_larger_its_error_the_less_an_energy_is_read():
    """An error of 0.3 eV halves it; an energy that may be anywhere is one that is not known."""
    errors = np.array([0.0, 0.05, 0.3, 0.5, 1e3])
    energy = np.full(5, 537.0)
    inputs = auxiliary_inputs(Conditions(energy, errors, np.full(5, np.nan)), 536.0)
    assert inputs[0, 0] == inputs[1, 0] > 0.97
    assert inputs[2, :2] == pytest.approx([0.5, 1.0])
    assert (np.diff(inputs[1:, 0]) < 0).all()
    np.testing.assert_allclose(inputs[4, :2], 0, atol=1e-6)


@pytest.mark.parametrize("error", [-0.1, np.nan])
def test_an_impossible_error_is_refused(error):
    with pytest.raises(SignalError, match=r"standard error must be zero or more"):
        auxiliary_inputs(replace(KNOWN, energy_error=error), 536.0)
