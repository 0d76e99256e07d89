"""Other edges are told from counting noise, from the camera's pedestal and from fine structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.dataset.acquisition import mixed_sites, specimen
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.measurement import measure
from hyperspy_coreloss.spectra.microscope import TYPICAL
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.quality import Quality
from hyperspy_coreloss.spectra.recipe import Recipe

AXIS = np.arange(475.0, 650.0, 0.2)
POSITION = 537.0
NARROW, WIDE, FAR = (Recipe(window=EnergyWindow(-1.0, stop, 0.1)) for stop in (15.0, 40.0, 90.0))


@pytest.fixture(scope="module")
def silica(sites):
    return specimen(sites.take(np.arange(0, len(sites), 6)))


def intensities(silica, spectra, microscope=TYPICAL, seed=0):
    """Return spectra of sites of the data set, and the resolution."""
    generator = np.random.default_rng(seed)
    first = generator.integers(0, len(silica.lowest_empty), spectra)
    rows = mixed_sites(silica.phases, first, microscope, generator)
    at = np.where(rows >= 0, silica.lowest_empty[rows], 0.0)
    at += POSITION - silica.lowest_empty.mean()
    measured = measure(silica.edges, rows, at, AXIS, microscope, generator)
    return measured.intensities, measured.resolution


def codes(spectra, resolution, recipe):
    preparation = prepare(recipe, AXIS, resolution=resolution, onset_range=(520.0, 555.0))
    return preprocess(spectra, preparation).quality


def white_lines(onset, height):
    """Return the L2 and L3 edges of a transition metal; the lines are 6 times as high as L3."""
    step = 0.5 * height * (1 + np.tanh(AXIS - onset)) * (np.maximum(AXIS, onset) / onset) ** -3
    lines = (6.0, 1.0), (4.0, 9.0)
    return step + sum(
        height * strength * np.exp(-0.5 * (AXIS - onset - distance) ** 2)
        for strength, distance in lines
    )


def delayed(onset, height):
    """Return an M edge, which rises over 40 eV."""
    return height * np.clip((AXIS - onset) / 40.0, 0.0, 1.0)


def with_other(silica, other, counts=1e4):
    """Return counts of edges of unit height with another edge."""
    still = replace(
        TYPICAL, counts=float("inf"), readout_noise=0.0, gain_pattern=0.0, jump_ratio=0.5
    )
    clean, resolution = intensities(silica, 200, still)
    # The intensity of a channel is twice that of 0.1 eV.
    expected = counts * (clean + 2.0 * other)
    return np.random.default_rng(1).poisson(expected), resolution


@pytest.mark.parametrize("recipe", [NARROW, FAR], ids=["narrow", "far"])
def test_hardly_any_typical_spectrum_is_said_to_have_another_edge(silica, recipe):
    found = [codes(*intensities(silica, 500, seed=seed), recipe) for seed in range(4)]
    assert (np.concatenate(found) == Quality.OTHER_EDGE).mean() < 0.005
    assert (np.concatenate(found) == Quality.GOOD).mean() > 0.99


@pytest.mark.parametrize(
    ("other", "recipe"),
    [
        (white_lines(513.0, 0.08), NARROW),
        (delayed(528.0, 2.0), NARROW),
        (white_lines(575.0, 0.1), WIDE),
        (white_lines(575.0, 1.0), FAR),
    ],
    ids=["V before", "Sb before", "Cr in the window", "Cr in a far window"],
)
def test_other_edges_are_recognised(silica, other, recipe):
    found = codes(*with_other(silica, other), recipe)
    assert (found == Quality.GOOD).mean() < 0.1
    assert (found == Quality.OTHER_EDGE).mean() > 0.5


@pytest.mark.parametrize(
    ("other", "recipe"),
    [
        (white_lines(575.0, 1.0), NARROW),
        (delayed(572.0, 1.0), NARROW),
        (white_lines(450.0, 0.5), NARROW),
        (np.full(AXIS.size, 1.0), FAR),
        (np.exp(-(AXIS - 475.0) / 200.0), FAR),
    ],
    ids=["behind the window", "far behind", "far before", "pedestal", "afterglow"],
)
def test_what_disturbs_nothing_is_let_through(silica, other, recipe):
    found = codes(*with_other(silica, other), recipe)
    assert (found == Quality.GOOD).mean() > 0.99
