from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.spectra.background import (
    PowerLaw,
    areas,
    extrapolation_variance,
    two_area_power_law,
)
from hyperspy_coreloss.spectra.energy import channel_widths

ENERGY = np.arange(470.0, 600.0, 0.3)


def area_means(spectrum, widths, *found):
    spans = [slice(each.first[0], each.last[0]) for each in found]
    return [float(np.average(spectrum[span], weights=widths[span])) for span in spans]


def fit(spectra, energy=ENERGY):
    widths = channel_widths(energy)
    first, second = (
        areas(energy, widths, np.array([start]), np.array([stop]))
        for start, stop in ((490.0, 505.0), (505.0, 520.0))
    )
    apart = float(np.log(second.energy / first.energy)[0])
    laws = [
        two_area_power_law(
            *area_means(spectrum, widths, first, second), apart, first.spread[0], second.spread[0]
        )
        for spectrum in spectra
    ]
    return PowerLaw(*np.array(laws).T[:, :, None]), second


def test_areas_are_those_between_the_limits():
    widths = channel_widths(ENERGY)
    starts, stops = np.array([480.0, 500.0]), np.array([495.0, 560.0])
    found = areas(ENERGY, widths, starts, stops)
    for area, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        inside = (start - 1e-6 <= ENERGY) & (stop - 1e-6 > ENERGY)
        assert found.counts[area] == inside.sum()
        assert found.width[area] == pytest.approx(widths[inside].sum())
        assert np.log(found.energy[area]) == pytest.approx(np.log(ENERGY[inside]).mean())
        assert found.spread[area] == pytest.approx(np.log(ENERGY[inside]).var())


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
