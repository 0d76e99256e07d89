"""Claims about spikes and dead channels: replaced where the resolution excludes a feature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hyperspy_coreloss.spectra.counting import count_step
from hyperspy_coreloss.spectra.spikes import replace_outliers

CHANNELS = np.arange(400)
SIGMA = 3.0


def peaks(height=1.0, background=0.5):
    """Two of the sharpest features that the resolution allows, on a background."""
    gaussians = sum(np.exp(-0.5 * ((CHANNELS - centre) / SIGMA) ** 2) for centre in (150, 161))
    return (background + height * gaussians).astype(np.float32)


def replaced(spectrum, sigma=SIGMA):
    spectra = np.asarray(spectrum, dtype=np.float32)[None]
    clean, count = replace_outliers(spectra, count_step(spectra), sigma)
    return clean[0], int(count[0])


@pytest.mark.parametrize("background", [0.0, 0.01, 1.0])
def test_the_sharpest_features_are_no_spikes(background):
    spectrum = peaks(background=background)
    clean, count = replaced(spectrum)
    assert count == 0
    np.testing.assert_array_equal(clean, spectrum)


@pytest.mark.parametrize("counts", [0.3, 3, 30, 1e3, 1e6])
def test_counting_noise_is_no_spike(rng, counts):
    spectra = rng.poisson(counts * peaks(), (300, 400)).astype(np.float32)
    assert replace_outliers(spectra, count_step(spectra), SIGMA)[1].sum() == 0


@given(
    st.integers(10, 389),
    st.integers(1, 3),
    st.floats(5.0, 1e4),
    st.sampled_from([1e3, 1e5]),
    st.integers(0, 2**16),
)
@settings(max_examples=60, deadline=None)
def test_spikes_are_replaced_to_within_the_noise(place, width, factor, counts, seed):
    noisy = np.random.default_rng(seed).poisson(counts * peaks()).astype(np.float32)
    spoilt = noisy.copy()
    spoilt[place : place + width] *= factor
    # On a slope, the lowest channel may be no higher than a feature beside it may be.
    beside = np.r_[peaks()[place - 5 : place], peaks()[place + width : place + width + 5]]
    allowed = 1.3 * np.exp(0.5 * ((width + 1) / SIGMA) ** 2) * counts * beside.max()
    assume(spoilt[place : place + width].min() > allowed + 8 * np.sqrt(allowed))
    clean, count = replaced(spoilt)
    assert count == width
    curvature = counts * 0.5 * (0.5 * (width + 1) / SIGMA) ** 2
    expected = counts * peaks()
    assert (np.abs(clean - expected) < 7 * np.sqrt(expected) + curvature).all()


def test_a_spike_of_three_times_the_highest_peak_is_replaced():
    spectrum = 1e4 * peaks()
    spectrum[150] *= 3
    clean, count = replaced(np.random.default_rng(0).normal(spectrum, np.sqrt(spectrum)))
    assert count == 1
    assert clean[150] == pytest.approx(1.5e4, rel=0.08)


def test_dead_channels_are_replaced(rng):
    spectrum = rng.poisson(1e4 * peaks()).astype(np.float32)
    spectrum[[60, 240, 241]] = 0
    clean, count = replaced(spectrum)
    assert count == 3
    assert (clean > 0.4e4).all()


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_where_channels_are_as_wide_as_the_resolution_everything_may_be_true(sigma):
    spectrum = peaks()
    spectrum[200] = 50
    assert replaced(spectrum, sigma)[1] == 0
