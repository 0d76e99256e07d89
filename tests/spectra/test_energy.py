from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.errors import EnergyAxisError, EnergyRangeError
from hyperspy_coreloss.spectra.energy import EnergyWindow, axis_in_ev, channel_widths


def test_window_is_the_papers():
    window = EnergyWindow()
    assert window.n_channels == window.grid.size == 160
    np.testing.assert_allclose(window.grid[[0, 10, -1]], [-1.0, 0.0, 14.9], atol=1e-12)


@given(
    start=st.integers(-50, 600),
    channels=st.integers(1, 3000),
    step=st.sampled_from([0.01, 0.05, 0.1]),
)
def test_window_has_a_whole_number_of_steps(start, channels, step):
    window = EnergyWindow(start, start + channels * step, step)
    assert window.n_channels == channels
    assert EnergyWindow.from_dict(window.to_dict()) == window


@given(start=st.integers(500, 560), channels=st.integers(170, 400), low=st.integers(-9, 0))
def test_an_absolute_window_says_what_is_read_around_a_threshold(start, channels, low):
    around = (low, low + 16.0)
    window = EnergyWindow(start, start + 0.1 * channels, origin="absolute", around=around)
    assert (window.n_channels, window.n_read, window.read_range) == (channels, 160, around)
    assert EnergyWindow.from_dict(json.loads(json.dumps(window.to_dict()))) == window
    assert EnergyWindow(500.0, 540.0, origin="absolute").read_range == EnergyWindow().read_range


def test_windows_counted_from_the_threshold_are_kept_as_ever():
    """So the shipped models keep their SHA-256."""
    window = EnergyWindow()
    assert list(window.to_dict()) == ["start", "stop", "step", "origin"]
    assert (window.n_read, window.read_range) == (160, (-1.0, 15.0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"step": 0.0}, "step above 0"),
        ({"stop": -1.0}, "at least one step"),
        ({"step": float("nan")}, "step above 0"),
        ({"origin": "edge"}, "'edge'"),
        ({"around": (-1, 15)}, "must be None"),
        ({"origin": "absolute", "stop": 10.0}, "fit into the window"),
        ({"origin": "absolute", "around": (1, 15)}, "must contain the threshold"),
        ({"origin": "absolute", "around": (0, -1)}, "must contain the threshold"),
    ],
)
def test_windows_that_cannot_be_read_are_refused(wrong, message):
    fields = {**EnergyWindow().to_dict(), **wrong}
    with pytest.raises(EnergyRangeError, match=message):
        EnergyWindow.from_dict(fields)


@pytest.mark.parametrize(("units", "factor"), [("eV", 1), ("keV", 1e3), ("meV", 1e-3)])
@pytest.mark.parametrize("order", [1, -1])
def test_any_unit_of_energy_becomes_ev(units, factor, order):
    energy = np.linspace(400, 600, 11)[::order]
    np.testing.assert_allclose(axis_in_ev(energy / factor, units), energy, rtol=1e-12)


@pytest.mark.parametrize("units", [None, "", "  ", "nm", "not a unit", object()])
def test_other_units_are_refused_with_the_remedy(units):
    with pytest.raises(EnergyAxisError, match=r"needs energy units .*\.units = 'eV'"):
        axis_in_ev(np.arange(5.0), units)


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0, 2.0], [1.0, 3.0, 2.0], [1.0, np.nan, 3.0]])
def test_axis_that_is_no_axis_is_refused(values):
    with pytest.raises(EnergyAxisError, match="strictly rising or falling"):
        axis_in_ev(np.array(values), "eV")


def test_channel_widths_of_an_even_axis_are_its_dispersion():
    np.testing.assert_allclose(channel_widths(500 - 0.25 * np.arange(9)), 0.25)
