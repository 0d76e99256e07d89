"""Claims about one computed site and the three kinds of its spectrum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_coreloss.dataset.computed_site import (
    ComputedSite,
    ComputedStructure,
    RecursionChains,
    SampledSpectrum,
    TransitionLines,
)
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.spectra.broadening import broadening_operator

ENERGY = np.arange(-12.0, 12.0, 0.05)
LIFETIME = 0.3


def tridiagonal_chain(seed: int, steps: int = 60):
    """Coefficients of a random finite chain, padded so that its end is not felt."""
    rng = np.random.default_rng(seed)
    alpha, beta = np.zeros(1200), np.full(1200, 2.5)
    alpha[:steps], beta[:steps] = rng.normal(2.0, 1.5, steps), rng.uniform(1.5, 3.5, steps)
    return alpha, beta


def bands(weights=(1.0, 1.0)) -> RecursionChains:
    """A valence band from -12 to -8 eV and a conduction band from 0 to 4 eV, one chain each."""
    return RecursionChains(
        alpha=np.array([np.full(200, -10.0), np.full(200, 2.0)]),
        beta=np.ones((2, 200)),
        norm=np.array(weights),
        lowest_empty=0.0,
        gap_middle=-4.0,
    )


def silica_cell() -> ComputedStructure:
    return ComputedStructure(
        name="molecule in a box",
        phase="box",
        cell=8.0 * np.eye(3),
        positions=np.array([[0.0, 0, 0], [1.6, 0, 0], [0, 1.6, 0]]),
        numbers=np.array([8, 14, 14]),
    )


def test_chains_and_the_lines_of_their_matrix_are_one_spectrum():
    # Chains are kept in single precision.
    alpha, beta = (part.astype(np.float32).astype(float) for part in tridiagonal_chain(seed=7))
    matrix = np.diag(alpha) + np.diag(beta[1:], 1) + np.diag(beta[1:], -1)
    states, vectors = np.linalg.eigh(matrix)
    lowest, norm = states.min(), 3.0
    chains = RecursionChains(alpha[None, :300], beta[None, :300], np.array([norm]), lowest, -1e3)
    lines = TransitionLines(states - lowest, norm * vectors[0] ** 2)
    energy = np.linspace(0, lines.energy_range[1], 300)
    np.testing.assert_allclose(
        chains.intensity(energy, LIFETIME), lines.intensity(energy, LIFETIME), rtol=1e-8
    )


def test_the_chains_of_a_site_are_averaged():
    one, other = bands((0.0, 1.0)), bands((0.0, 3.0))
    both = RecursionChains(
        np.concatenate([one.alpha, other.alpha]),
        np.concatenate([one.beta, other.beta]),
        np.concatenate([one.norm, other.norm]),
        lowest_empty=0.0,
        gap_middle=-4.0,
    )
    mean = (one.intensity(ENERGY) + other.intensity(ENERGY)) / 2
    np.testing.assert_allclose(both.intensity(ENERGY), mean, rtol=1e-12)


def test_energies_count_from_the_lowest_empty_state():
    chains = bands()
    moved = replace(chains, alpha=chains.alpha + 7.5, lowest_empty=7.5, gap_middle=3.5)
    np.testing.assert_allclose(moved.intensity(ENERGY), chains.intensity(ENERGY), atol=1e-12)


def test_occupied_states_are_cut_before_broadening_and_do_not_leak_into_the_edge():
    sigma = 2.0
    fine = np.arange(-30.0, 30.0, 0.05)
    broaden = broadening_operator(fine, sigma, ENERGY)
    both, alone = (broaden @ bands(w).intensity(fine) for w in ((1.0, 1.0), (0.0, 1.0)))
    near_edge = ENERGY > -2
    assert np.abs(both - alone)[near_edge].max() < 0.01 * alone.max()
    assert both[ENERGY < -10].max() < 1e-3 * alone.max()
    assert (bands().intensity(fine)[fine < -4.0] == 0).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 1.0))
def test_lines_are_never_negative_and_keep_their_strength(seed, lifetime):
    rng = np.random.default_rng(seed)
    energy = np.append(rng.uniform(-5, 5, 20), 4000.0)
    strength = np.append(rng.uniform(0, 2, 20), 0.0)
    lines = TransitionLines(energy, strength)
    grid = np.arange(-1500.0, 1500.0, 0.02)
    spectrum = lines.intensity(grid, lifetime)
    assert (spectrum >= 0).all()
    # What a Lorentzian has beyond 1500 eV is 2/pi of its half width over that distance.
    assert spectrum.sum() * 0.02 == pytest.approx(strength.sum(), rel=2e-3)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=40), st.floats(0, 2))
def test_samples_come_back_as_they_are(samples, sigma):
    energy = np.linspace(-3.0, 9.0, len(samples))
    spectrum = SampledSpectrum(energy, np.array(samples), sigma)
    assert spectrum.sigma == sigma
    assert spectrum.energy_range == (-3.0, 9.0)
    np.testing.assert_array_equal(spectrum.intensity(energy, lifetime=5.0), samples)


def test_exact_spectra_carry_no_broadening():
    lines = TransitionLines(np.array([1.0, 5.0]), np.ones(2))
    assert bands().sigma == lines.sigma == 0.0
    assert bands().energy_range == (-np.inf, np.inf)
    assert lines.energy_range == (-np.inf, 5.0)


def test_nothing_is_said_beyond_the_states_that_were_computed():
    lines = TransitionLines(np.array([1.0, 5.0]), np.ones(2))
    with pytest.raises(DatasetError, match=r"to 5\.00 eV, .*to 6\.00 eV"):
        lines.intensity(np.array([0.0, 6.0]))
    samples = SampledSpectrum(np.array([0.0, 5.0]), np.ones(2), 0.5)
    with pytest.raises(DatasetError, match=r"from 0\.00 .*from -1\.00"):
        samples.intensity(np.array([-1.0, 4.0]))


def test_chains_that_disagree_are_refused_with_their_shapes():
    chains = bands()
    with pytest.raises(DatasetError, match=r"\(2, 200\) and \(2, 199\)"):
        replace(chains, beta=chains.beta[:, 1:])
    with pytest.raises(DatasetError, match=r"2 chains and norm has the shape \(3,\)"):
        replace(chains, norm=np.ones(3))
    with pytest.raises(DatasetError, match=r"0 chains and norm has the shape \(0,\)"):
        RecursionChains(np.empty((0, 5)), np.empty((0, 5)), np.empty(0), 0.0, -1.0)


def test_a_lowest_empty_state_below_the_middle_of_the_gap_is_refused():
    with pytest.raises(DatasetError, match=r"1\.0 eV, must not lie above .* 0\.0 eV"):
        replace(bands(), gap_middle=1.0)


@pytest.mark.parametrize(
    ("energy", "values", "words"),
    [
        ([0.0, 1.0], [1.0], "as many intensities as energies"),
        ([], [], "as many intensities as energies"),
        ([0.0, np.nan], [1.0, 1.0], "finite"),
        ([0.0, 1.0], [1.0, np.inf], "finite"),
    ],
)
def test_lines_and_samples_that_are_no_pairs_are_refused(energy, values, words):
    pairs = np.array(energy), np.array(values)
    with pytest.raises(DatasetError, match=f"Lines .*{words}"):
        TransitionLines(*pairs)
    with pytest.raises(DatasetError, match=f"Samples .*{words}"):
        SampledSpectrum(*pairs, 0.5)


@pytest.mark.parametrize("energy", [[1.0, 0.0], [0.0, 0.0], [2.0]])
def test_samples_that_do_not_rise_in_energy_are_refused(energy):
    with pytest.raises(DatasetError, match="must increase"):
        SampledSpectrum(np.array(energy), np.ones(len(energy)), 0.5)


@pytest.mark.parametrize("sigma", [-0.1, np.nan, np.inf])
def test_a_broadening_that_is_none_is_refused(sigma):
    with pytest.raises(DatasetError, match="must be 0 eV or more"):
        SampledSpectrum(np.array([0.0, 1.0]), np.ones(2), sigma)


def test_structures_are_equal_when_every_part_is():
    cell = silica_cell()
    assert cell.equals(silica_cell())
    assert not cell.equals(replace(cell, licence="CC0"))
    assert not cell.equals(replace(cell, positions=cell.positions + 0.1))
    assert cell.equals(replace(cell, positions=cell.positions + 1e-12))  # of another processor
    unknown = ComputedStructure("measured elsewhere", "glass")
    assert unknown.equals(ComputedStructure("measured elsewhere", "glass"))


def test_a_structure_whose_parts_disagree_is_refused():
    with pytest.raises(DatasetError, match=r"box: .*\(3, 3\).*\(2,\)"):
        replace(silica_cell(), numbers=np.array([8, 14]))


def test_a_site_needs_its_absorber_in_its_cell():
    lines = TransitionLines(np.array([1.0]), np.ones(1))
    cell = silica_cell()
    assert ComputedSite("O1", cell, 0, lines, {"bond_length": 1.6}).labels == {"bond_length": 1.6}
    for absorber in (3, -1):
        with pytest.raises(DatasetError, match=f"atom {absorber} absorbs, .* 3 atoms"):
            ComputedSite("O1", cell, absorber, lines, {})
    unknown = ComputedStructure("measured elsewhere", "glass")
    assert ComputedSite("O1", unknown, -1, lines, {}).absorber == -1
    with pytest.raises(DatasetError, match="has 0 atoms"):
        ComputedSite("O1", unknown, 0, lines, {})
