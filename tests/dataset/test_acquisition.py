"""Measured-like inputs: known mixtures, known energies, the same bits for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.dataset.acquisition import acquire, mixed_sites, specimen
from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.spectra import EnergyWindow, Microscope, Recipe
from hyperspy_coreloss.spectra.microscope import CLEAN, TYPICAL
from tests.made_sites import site, structure

RECIPES = (
    Recipe(window=EnergyWindow(stop=40.0)),
    Recipe(window=EnergyWindow(stop=40.0), sigma=0.8),
)
PHASES = np.array([0, 0, 0, 1, 1, 2])


def edge(energy, peak):
    rise = 0.5 * (1 + np.tanh((energy - 1.0) / 0.5))
    return rise * (1 + np.exp(-0.5 * ((energy - peak) / 1.5) ** 2)) + 1e-9


@pytest.fixture(scope="module")
def sample():
    energy = np.arange(-16.0, 137.0, 0.1)
    excitation = (537.0, 538.0, 539.0)
    sites = [
        site(
            f"site {number}",
            SampledSpectrum(energy, edge(energy, peak), 0.1),
            structure(f"cell {number}", phase=f"phase {number // 2}"),
            labels={"bond_length": 1.6 + 0.1 * number, "excitation_energy": excitation[number]},
        )
        for number, peak in enumerate((5.0, 6.0, 7.0))
    ]
    return specimen(SpectrumDataset(tuple(sites), "made up", "CC0"))


def acquired(sample, microscope, first=(0, 1, 2), seed=0):
    return acquire(sample, np.array(first), RECIPES, microscope, np.random.default_rng(seed))


def test_a_clean_spectrum_is_read_at_its_own_excitation_energy(sample):
    read = acquired(sample, CLEAN)
    assert read.readable.all()
    # The threshold lies near the middle of the rise, 1 eV above the lowest empty state.
    for energy in read.energy:
        np.testing.assert_allclose(energy, [538.0, 539.0, 540.0], atol=0.6)
        np.testing.assert_allclose(np.diff(energy), 1.0, atol=0.15)
    np.testing.assert_array_equal(read.targets[:, 0], sample.targets[[0, 1, 2], 0])
    assert read.inputs[0].shape == (3, 410)
    np.testing.assert_allclose(read.inputs[0].sum(axis=-1) * 0.1, 1.0, rtol=1e-4)


def test_every_recipe_reads_the_same_counts(sample):
    sharp, broad = acquired(sample, TYPICAL, first=[0] * 20).inputs
    assert np.abs(np.diff(broad)).max() < np.abs(np.diff(sharp)).max()
    np.testing.assert_allclose(sharp[:, 300:].mean(), broad[:, 300:].mean(), rtol=0.02)


def test_models_of_sharp_spectra_read_fine_dispersions(sample):
    sharp = [Recipe(sigma=0.2)]
    for seed in range(20):
        generator = np.random.default_rng(seed)
        read = acquire(sample, np.array([0]), sharp, Microscope(resolution=0.4), generator)
        assert read.readable.all()


def test_mixed_spectra_have_the_mean_of_their_labels(sample):
    read = acquired(sample, replace(CLEAN, mixed_fraction=1.0, mixed_sites=2.0), first=[0, 1])
    np.testing.assert_array_equal(read.sites, [[0, 1], [1, 0]])
    np.testing.assert_allclose(read.targets[:, 0], 1.65)
    np.testing.assert_allclose(read.energy[0], 538.5, atol=0.6)


def test_the_same_seed_gives_the_same_bits(sample):
    first, second = (acquired(sample, TYPICAL, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.inputs[0], second.inputs[0])
    np.testing.assert_array_equal(first.energy[1], second.energy[1])


def test_sites_are_mixed_within_their_phase_and_none_twice(rng):
    microscope = Microscope(mixed_fraction=1.0, mixed_sites=4.0)
    sites = mixed_sites(PHASES, np.array([0, 1, 3, 5] * 20), microscope, rng)
    for row in sites:
        chosen = row[row >= 0]
        assert len(set(chosen)) == len(chosen) == (PHASES[row[0]] == PHASES).sum()
        assert set(PHASES[chosen]) == {PHASES[row[0]]}


def test_sites_of_two_phases_are_mixed_where_that_is_asked(rng):
    microscope = Microscope(mixed_fraction=1.0, mixed_sites=6.0, phases_mixed=2)
    sites = mixed_sites(PHASES, np.zeros(200, dtype=int), microscope, rng)
    counts = np.bincount([len(set(PHASES[row[row >= 0]])) for row in sites], minlength=3)
    assert counts[2] == 200


def test_half_of_the_spectra_of_a_typical_microscope_are_mixed(rng):
    sites = mixed_sites(np.zeros(50, dtype=int), np.zeros(4000, dtype=int), TYPICAL, rng)
    number = (sites >= 0).sum(axis=-1)
    assert (number > 1).mean() == pytest.approx(0.5, abs=0.03)
    assert (number.min(), number.max()) == (1, 20)
