"""Plural scattering follows the Poisson distribution, and that of silica has its plasmon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.spectra.scattering import plural_scattering, silica_single_scattering

STEP = 0.1
ENERGY = STEP * np.arange(1200)
SINGLE = silica_single_scattering(ENERGY)


def low_loss(thickness, length=8192):
    transform = np.fft.rfft(SINGLE, length)
    return np.fft.irfft(plural_scattering(transform, np.array([thickness])), length)[0]


def test_silica_has_a_gap_a_plasmon_at_23_ev_and_a_sum_of_one():
    assert SINGLE.sum() == pytest.approx(1.0)
    assert not SINGLE[ENERGY < 8.5].any()
    assert 20.0 < ENERGY[np.argmax(SINGLE)] < 25.0


@given(st.floats(0.0, 2.0))
def test_the_zero_loss_holds_the_share_of_a_poisson_distribution(thickness):
    spectrum = low_loss(thickness)
    assert spectrum[0] == pytest.approx(np.exp(-thickness), abs=1e-9)
    assert spectrum.sum() == pytest.approx(1.0)


@given(st.floats(0.1, 2.0))
def test_the_mean_loss_is_that_of_one_loss_times_the_thickness(thickness):
    spectrum = low_loss(thickness, length=2**15)
    mean = spectrum @ (STEP * np.arange(spectrum.size))
    assert mean == pytest.approx(thickness * (SINGLE @ ENERGY), rel=1e-3)
