from __future__ import annotations

import numpy as np

from hyperspy_coreloss.recursion import spectra_from_recursion


def test_constant_coefficients_give_the_semicircle():
    """A semi-infinite chain of equal sites has the density sqrt(4 - E**2) / (2 pi)."""
    alpha, beta = np.zeros((1, 40)), np.ones((1, 40))
    energy = np.linspace(-1.9, 1.9, 77)
    density = spectra_from_recursion(alpha, beta, np.array([1.0]), energy, lifetime=1e-6)[0]
    np.testing.assert_allclose(density, np.sqrt(4 - energy**2) / (2 * np.pi), atol=1e-5)


def test_a_finite_matrix_gives_its_own_spectrum(rng):
    """Coefficients of a random matrix give the sum over its eigenstates seen from the seed."""
    n, lifetime = 40, 0.3
    alpha, beta = rng.normal(0, 1, n), rng.uniform(0.5, 1.0, n)
    matrix = np.diag(alpha) + np.diag(beta[1:], 1) + np.diag(beta[1:], -1)
    values, vectors = np.linalg.eigh(matrix)
    # A decoupled, long tail keeps the terminator from mattering.
    energy = np.linspace(-3, 3, 61)
    lorentzian = lifetime / np.pi / ((energy[:, None] - values) ** 2 + lifetime**2)
    expected = 2.5 * lorentzian @ vectors[0] ** 2
    tail = 60
    alpha = np.concatenate([alpha, np.zeros(tail)])[None]
    beta = np.concatenate([beta, [0.0], np.ones(tail - 1)])[None]
    found = spectra_from_recursion(alpha, beta, np.array([2.5]), energy, lifetime)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_norm_is_the_integral():
    alpha, beta = np.zeros((1, 30)), np.ones((1, 30))
    energy = np.linspace(-400, 400, 80001)
    density = spectra_from_recursion(alpha, beta, np.array([3.0]), energy, lifetime=0.1)[0]
    assert abs(density.sum() * 0.01 - 3.0) < 5e-3
