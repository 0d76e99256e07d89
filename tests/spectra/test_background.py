from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.spectra.background import (
    area_means,
    areas,
    extrapolation_variance,
    running_sums,
    two_area_power_law,
)
from hyperspy_coreloss.spectra.energy import channel_widths

ENERGY = np.arange(470.0, 600.0, 0.3)


def fit(spectra, energy=ENERGY):
    widths = channel_widths(energy)
    first, second = (
        areas(energy, widths, np.array([start]), np.array([stop]))
        for start, stop in ((490.0, 505.0), (505.0, 520.0))
    )
    running = running_sums(spectra, widths)
    means = (area_means(running, found) for found in (first, second))
    return two_area_power_law(*means, first, second), second


def test_area_means_are_means(rng):
    spectra = rng.normal(3.0, 1.0, (4, ENERGY.size))
    starts, stops = np.array([480.0, 500.0]), np.array([495.0, 560.0])
    widths = channel_widths(ENERGY)
    found = areas(ENERGY, widths, starts, stops)
    means = area_means(running_sums(spectra, widths), found)
    for column, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        inside = (start - 1e-6 <= ENERGY) & (stop - 1e-6 > ENERGY)
        np.testing.assert_allclose(means[:, column], spectra[:, inside].mean(axis=1))
        assert found.counts[column] == inside.sum()


@given(exponent=st.floats(0.5, 7.0), amplitude=st.floats(1e-3, 1e9))
def test_power_laws_are_recovered_and_extrapolated(exponent, amplitude):
    spectra = (amplitude * (ENERGY / 500.0) ** -exponent).astype(np.float32)[None]
    law, second = fit(spectra)
    assert law.exponent[0, 0] == pytest.approx(exponent, abs=0.01)
    extrapolated = law.height * (ENERGY / second.energy) ** -law.exponent
    np.testing.assert_allclose(extrapolated[0], spectra[0], rtol=5e-4)


def test_uneven_channels_give_the_same_power_law(rng):
    energy = ENERGY + rng.uniform(-0.1, 0.1, ENERGY.size)
    law, _ = fit(((energy / 500.0) ** -3).astype(np.float32)[None], energy)
    assert law.exponent[0, 0] == pytest.approx(3.0, abs=0.02)


@pytest.mark.parametrize("empty", [slice(None), slice(0, 117), slice(117, None)])
def test_areas_without_counts_give_a_constant(empty):
    spectra = np.ones((1, ENERGY.size), dtype=np.float32)
    spectra[:, empty] = 0
    law, _ = fit(spectra)
    assert law.exponent[0, 0] == 0
    assert np.isfinite(law.height).all()


def test_extrapolation_error_is_that_of_repeated_measurements(rng):
    truth = 2000.0 * (ENERGY / 500.0) ** -3
    law, second = fit(rng.poisson(truth, (4000, ENERGY.size)).astype(np.float32))
    at_540 = law.height * (540.0 / second.energy) ** -law.exponent
    observed = at_540.var() / at_540.mean() ** 2
    counts = [(truth * ((start <= ENERGY) & (start + 15 > ENERGY))).sum() for start in (490, 505)]
    first_energy = areas(
        ENERGY, channel_widths(ENERGY), np.array([490.0]), np.array([505.0])
    ).energy
    lever = np.log(540.0 / second.energy) / np.log(second.energy / first_energy)
    expected = extrapolation_variance(1 / counts[0], 1 / counts[1], lever)[0]
    assert observed == pytest.approx(expected, rel=0.1)
