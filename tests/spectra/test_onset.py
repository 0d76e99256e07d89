from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.spectra.onset import channel_noise, threshold

POINTS = np.arange(510.0, 570.0, 0.1)


def peak(onset, points=POINTS, width=2.0):
    """A triangle that rises from the onset to one and falls again, eight times as slowly."""
    rise = (points - onset) / width
    return np.clip(np.minimum(rise, 1 - (rise - 1) / 8), 0, None).astype(np.float32)


def find(spectra, noise=0.0, fraction=0.3, low=512.0, high=562.0):
    limits = (np.full(len(spectra), limit) for limit in (low, high))
    return threshold(spectra, POINTS, *limits, np.full(len(spectra), noise), fraction)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5])
def test_threshold_is_found_between_the_points(rng, fraction):
    onset = rng.uniform(520, 545, 50)
    energy, found = find(np.stack([peak(value) for value in onset]), fraction=fraction)
    assert found.all()
    np.testing.assert_allclose(energy, onset + 2.0 * fraction, atol=0.02)


def test_threshold_does_not_depend_on_intensity_or_search_limits():
    spectra = peak(531.37)[None]
    expected, _ = find(spectra)
    for scale in (1e-6, 1e6):
        np.testing.assert_allclose(find(spectra * scale)[0], expected, atol=1e-4)
    for limits in ((525.0, 540.0), (530.0, 536.0)):
        np.testing.assert_allclose(find(spectra, low=limits[0], high=limits[1])[0], expected)


def test_an_early_peak_counts_however_deep_the_dip_behind_it():
    for dip in (0.1, 0.25, 0.35):
        spectrum = peak(535.0) + 0.8 * np.exp(-0.5 * ((POINTS - 531.0) / 0.8) ** 2)
        spectrum = np.maximum(spectrum, dip * (POINTS > 531)).astype(np.float32)
        energy, found = find(spectrum[None])
        assert found[0]
        assert 529 < energy[0] < 531


def test_a_spike_before_the_edge_is_no_threshold():
    spectrum = peak(535.0)
    spectrum[np.searchsorted(POINTS, 525.0)] = 0.5
    energy, found = find(spectrum[None])
    assert found[0]
    assert energy[0] == pytest.approx(535.6, abs=0.02)


@pytest.mark.parametrize(
    "spectrum", [np.zeros_like(POINTS), np.ones_like(POINTS), -peak(530.0), POINTS[::-1] - 500]
)
def test_nothing_that_rises_means_no_threshold(spectrum):
    assert not find(spectrum.astype(np.float32)[None])[1]


def test_a_peak_in_the_noise_is_no_threshold():
    assert find(peak(530.0)[None], noise=0.05)[1]
    assert not find(peak(530.0)[None], noise=0.2)[1]


def test_noise_of_white_noise_is_its_standard_deviation(rng):
    noise = channel_noise(rng.normal(0, 2.5, (20, 4000)).astype(np.float32))
    np.testing.assert_allclose(noise, 2.5, rtol=0.1)
