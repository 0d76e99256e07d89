"""Claims about spectra from recursion coefficients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_coreloss.dataset.continued_fraction import spectrum_from_recursion
from hyperspy_coreloss.errors import SimulationError

ENERGY = np.linspace(-12, 12, 241)


def _half_infinite_chain(steps: int, site_energy: float, hopping: float):
    return np.full(steps, site_energy), np.full(steps, hopping)


def test_a_constant_chain_gives_its_semicircle():
    alpha, beta = _half_infinite_chain(40, 1.0, 2.0)
    energy = np.linspace(-2.5, 4.5, 141)
    spectrum = spectrum_from_recursion(alpha, beta, 3.0, energy, 1e-9)
    semicircle = 3.0 * np.sqrt(4 * 2.0**2 - (energy - 1.0) ** 2) / (2 * np.pi * 2.0**2)
    np.testing.assert_allclose(spectrum, semicircle, atol=1e-7)


def test_a_tridiagonal_matrix_gives_its_exact_spectrum():
    # A random head on a constant tail, long enough that its end is not felt at this lifetime.
    rng = np.random.default_rng(7)
    head, length, lifetime = 30, 1200, 0.3
    alpha, beta = _half_infinite_chain(length, 0.0, 2.5)
    alpha[:head] = rng.normal(0, 1.5, head)
    beta[:head] = rng.uniform(1.5, 3.5, head)
    matrix = np.diag(alpha) + np.diag(beta[1:], 1) + np.diag(beta[1:], -1)
    states, vectors = np.linalg.eigh(matrix)
    shape = lifetime / np.pi / ((ENERGY[:, None] - states) ** 2 + lifetime**2)
    exact = shape @ vectors[0] ** 2
    ours = spectrum_from_recursion(alpha[:200], beta[:200], 1.0, ENERGY, lifetime)
    np.testing.assert_allclose(ours, exact, rtol=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 2.0))
def test_spectra_are_never_negative_and_their_area_is_at_most_the_norm(seed, lifetime):
    rng = np.random.default_rng(seed)
    alpha, beta = rng.normal(0, 2, (2, 25)), rng.uniform(0.5, 3, (2, 25))
    norm = rng.uniform(0.1, 2, 2)
    energy = np.linspace(-400, 400, 20_001)
    spectrum = spectrum_from_recursion(alpha, beta, norm, energy, lifetime)
    assert (spectrum >= 0).all()
    area = spectrum.sum(axis=1) * (energy[1] - energy[0])
    assert (area <= norm * 1.02).all()
    assert (area >= norm * 0.97).all()


def test_many_recursions_at_once_equal_one_at_a_time():
    rng = np.random.default_rng(3)
    alpha, beta = rng.normal(size=(2, 3, 40)), rng.uniform(1, 2, size=(2, 3, 40))
    norm = rng.uniform(size=(2, 3))
    together = spectrum_from_recursion(alpha, beta, norm, ENERGY, 0.2)
    assert together.shape == (2, 3, ENERGY.size)
    for k, c in np.ndindex(2, 3):
        alone = spectrum_from_recursion(alpha[k, c], beta[k, c], norm[k, c], ENERGY, 0.2)
        np.testing.assert_allclose(together[k, c], alone, rtol=1e-12)


def test_coefficients_that_disagree_are_refused_with_their_shapes():
    with pytest.raises(SimulationError, match=r"\(3, 10\).*\(3, 9\)"):
        spectrum_from_recursion(np.ones((3, 10)), np.ones((3, 9)), np.ones(3), ENERGY, 0.1)


def test_nan_coefficients_are_refused():
    alpha = np.ones(10)
    alpha[4] = np.nan
    with pytest.raises(SimulationError, match="finite"):
        spectrum_from_recursion(alpha, np.ones(10), 1.0, ENERGY, 0.1)


@pytest.mark.parametrize("lifetime", [0.0, -0.1, float("nan")])
def test_a_lifetime_that_is_not_positive_is_refused(lifetime):
    with pytest.raises(SimulationError, match="larger than 0 eV"):
        spectrum_from_recursion(np.ones(10), np.ones(10), 1.0, ENERGY, lifetime)
