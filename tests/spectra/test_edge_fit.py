"""A fit recovers what was measured, and knows how well."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from hyperspy_coreloss.errors import EnergyRangeError
from hyperspy_coreloss.spectra.edge_fit import fit_edge
from hyperspy_coreloss.spectra.edge_model import PARAMETERS
from hyperspy_coreloss.spectra.edge_transforms import transform_edges
from tests.reference_spectra import AXIS, POSITION, measured_reference

RANGE = (512.0, 552.0)
TRIES = 30


@pytest.fixture(scope="module")
def edges(quartz):
    return transform_edges(quartz.energy, quartz.intensity[None], quartz.sigma)


@pytest.mark.parametrize("error", [-0.03, -0.02, -0.01, 0.01, 0.02, 0.03])
def test_the_dispersion_is_recovered_within_two_tenths_of_a_per_cent(quartz, edges, error):
    counts = measured_reference(quartz, dispersion_error=error, seed=round(1000 * error) % 97)
    fit = fit_edge(AXIS, counts, edges, RANGE)
    assert fit.values[1] == pytest.approx(error, abs=0.002)
    assert fit.values[0] == pytest.approx(POSITION, abs=0.02)
    assert fit.values[2] == pytest.approx(0.5, abs=0.02)
    assert fit.values[3] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("counts", [1e3, 1e5])
def test_true_values_lie_within_their_uncertainties_as_often_as_stated(quartz, edges, counts):
    """Of so many tries, 68 % and 95 % of all are expected, give or take 99.9 % of the binomial."""
    true = np.array([POSITION, 0.015, 0.5, 0.5])
    found = [
        fit_edge(
            AXIS,
            measured_reference(quartz, counts=counts, dispersion_error=0.015, seed=seed),
            edges,
            RANGE,
        )
        for seed in range(TRIES)
    ]
    errors = np.array([(fit.values - true) / fit.uncertainties for fit in found])
    for name, column in zip(PARAMETERS, np.abs(errors).T, strict=True):
        low, high = binom.interval(0.999, TRIES, 0.683)
        assert low <= (column < 1).sum() <= high, name
        assert (column < 2).sum() >= binom.ppf(0.0005, TRIES, 0.954), name


def test_slow_errors_of_the_intensity_do_not_move_the_dispersion(quartz, edges):
    effects = {"intensity_error": 0.05, "background_residue": 0.03, "dispersion_error": -0.02}
    for seed in range(6):
        fit = fit_edge(AXIS, measured_reference(quartz, seed=seed, **effects), edges, RANGE)
        assert fit.values[1] == pytest.approx(-0.02, abs=0.002)
        assert abs(fit.values[1] + 0.02) < 3 * fit.uncertainties[1]
        assert abs(fit.values[0] - POSITION) < 3 * fit.uncertainties[0]


@pytest.mark.parametrize("offset", [-18.0, -7.3, 12.1])
@pytest.mark.parametrize("width", [0.05, 0.3, 0.6])
def test_the_edge_is_found_wherever_it_lies(quartz, edges, offset, width):
    position = 532.0 + offset
    axis = position - 52.0 + width * np.arange(round(165 / width))
    counts = measured_reference(quartz, axis=axis, position=position, dispersion_error=0.02)
    fit = fit_edge(axis, counts, edges, RANGE)
    assert fit.values[0] == pytest.approx(position, abs=0.03)
    assert fit.values[1] == pytest.approx(0.02, abs=0.002)


def test_the_noise_is_told_from_a_wrong_theory(quartz, edges):
    counts = measured_reference(quartz, counts=1e4)
    shape = 1 + 0.3 * np.exp(-0.5 * ((AXIS - 541.0) / 2.0) ** 2)
    for spectrum in (counts, np.round(counts * shape)):
        fit = fit_edge(AXIS, spectrum, edges, RANGE)
        np.testing.assert_allclose(np.median(fit.variance / fit.measured), 1.0, rtol=0.2)


def test_a_wrong_theory_near_the_edge_hardly_moves_the_dispersion(quartz, edges):
    """Core-hole theories exaggerate the first peak."""
    counts = measured_reference(quartz, jump_ratio=5.0, dispersion_error=0.02)
    damped = counts * (1 - 0.3 * np.exp(-0.5 * ((AXIS - 540.0) / 2.0) ** 2))
    fit = fit_edge(AXIS, damped, edges, RANGE)
    assert fit.values[1] == pytest.approx(0.02, abs=0.002)


@pytest.mark.parametrize(("first", "last"), [(535.0, 640.0), (490.0, 530.0)])
def test_a_short_axis_is_refused(quartz, edges, first, last):
    axis = np.arange(first, last, 0.1)
    with pytest.raises(EnergyRangeError, match=r"needs 10 eV before and 25 eV behind an edge"):
        fit_edge(axis, np.ones(axis.size), edges, (525.0, 540.0))


def test_a_short_computed_edge_is_refused(quartz):
    short = quartz.energy < 20
    edges = transform_edges(quartz.energy[short], quartz.intensity[None, short], quartz.sigma)
    with pytest.raises(EnergyRangeError, match=r"must reach to 40 eV .* ends at 20\.0 eV"):
        fit_edge(AXIS, measured_reference(quartz), edges, RANGE)
