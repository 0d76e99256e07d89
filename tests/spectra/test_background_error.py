"""The stated error of a background is the spread of what remains of it in repeated measurements."""

from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.quality import Quality
from hyperspy_coreloss.spectra.recipe import Recipe

AXIS = np.arange(475.0, 620.0, 0.2)
ONSET = 537.0
# Nothing is left of this edge at the end of the window, so that what is read there is what remains
# of the background.
EDGE = 0.25 * (1 + np.tanh((AXIS - ONSET) / 0.8)) * (1 - np.tanh((AXIS - ONSET - 12.0) / 0.8))


def background(counts, jump_ratio, exponent=3.0):
    return counts / jump_ratio * (AXIS / ONSET) ** -exponent


def measured(beneath, counts):
    """Return 600 spectra with counting noise where the background is fitted."""
    noisy = np.random.default_rng(7).poisson(beneath, (600, AXIS.size))
    return np.where(AXIS < ONSET - 4.0, noisy, beneath) + counts * EDGE


def read(spectra, stop=20.0, **options):
    recipe = Recipe(window=EnergyWindow(-1.0, stop, 0.1))
    return preprocess(spectra, prepare(recipe, AXIS, resolution=0.5, **options))


@pytest.mark.parametrize("stop", [20.0, 60.0])
@pytest.mark.parametrize(
    ("counts", "jump_ratio", "exponent"),
    [(500, 1.0, 3.0), (1e5, 1.0, 3.0), (3e3, 0.1, 3.0), (1e6, 0.05, 3.0), (1e4, 0.2, 5.0)],
)
def test_the_stated_error_is_the_spread_of_what_remains(counts, jump_ratio, exponent, stop):
    inputs = read(measured(background(counts, jump_ratio, exponent), counts), stop)
    assert (inputs.quality == Quality.GOOD).mean() > 0.99
    good = inputs.quality == Quality.GOOD
    remaining = inputs.spectra[good, -1] / inputs.spectra[good, :110].max(axis=-1)
    stated = np.sqrt(np.mean(np.square(inputs.background_error[good])))
    assert stated == pytest.approx(remaining.std(), rel=0.2)
    assert inputs.background_error.dtype == np.float32


def test_a_window_that_ends_later_has_a_larger_error():
    spectra = measured(background(1e4, 0.5), 1e4)
    near, far = (read(spectra, stop).background_error for stop in (15.0, 60.0))
    assert (far > 1.5 * near).all()


def test_nothing_is_said_of_a_background_that_is_not_subtracted_here():
    inputs = read(measured(np.zeros(AXIS.size), 1e4), background=None)
    assert (inputs.quality == Quality.GOOD).all()
    assert np.isnan(inputs.background_error).all()


def test_a_background_of_a_few_counts_has_an_error_all_the_same():
    spectra = np.random.default_rng(7).poisson(3.0 + 20.0 * (AXIS > ONSET), (600, AXIS.size))
    inputs = read(spectra)
    good = inputs.quality == Quality.GOOD
    assert good.mean() > 0.9
    assert (inputs.background_error[good] > 0.005).all()
    assert (inputs.background_error[good] < 0.1).all()


def remaining_with(pedestal, exponent, counts=1e5):
    """Return what remains at 40 eV of a background with a pedestal, per height of the edge."""
    beneath = background(counts, 0.5, exponent) + pedestal * counts
    inputs = read(measured(beneath, counts), 40.0)
    assert (inputs.quality == Quality.GOOD).all()
    return inputs.spectra[:, -1] / inputs.spectra[:, :110].max(axis=-1), inputs


@pytest.mark.parametrize("pedestal", [5.0, 20.0])
def test_a_large_pedestal_of_the_camera_is_taken_off(pedestal):
    remaining, inputs = remaining_with(pedestal, 3.0)
    # A power law without a constant leaves 0.05 and more.
    assert abs(remaining.mean()) < 0.01
    assert remaining.std() == pytest.approx(inputs.background_error.mean(), rel=0.2)


@pytest.mark.parametrize("counts", [300.0, 1e3, 1e5])
@pytest.mark.parametrize("exponent", [2.0, 3.0, 5.0])
def test_without_a_pedestal_nothing_but_the_power_law_is_subtracted(counts, exponent):
    remaining, inputs = remaining_with(0.0, exponent, counts)
    assert abs(remaining.mean()) < 0.3 * remaining.std()
    assert remaining.std() == pytest.approx(inputs.background_error.mean(), rel=0.2)
