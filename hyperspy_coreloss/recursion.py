"""Spectra from Haydock recursion coefficients, so that any broadening stays exact afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def spectra_from_recursion(
    alpha: NDArray,
    beta: NDArray,
    norm: NDArray,
    energy: NDArray,
    lifetime: float = 0.1,
) -> NDArray[np.floating]:
    """Evaluate continued fractions, closed by a constant terminator.

    Parameters
    ----------
    alpha, beta
        Recursion coefficients in eV, shape (chains, steps); ``beta[:, 0]`` is not used.
    norm
        Squared norm of the seed of each chain, shape (chains,).
    energy
        Energies in eV, shape (chains, energies) or (energies,).
    lifetime
        Half width at half maximum of the Lorentzian, in eV.

    Returns
    -------
    ndarray
        Spectral density of each chain, shape (chains, energies).

    References
    ----------
    R. Haydock, V. Heine, M. J. Kelly, J. Phys. C 8 (1975) 2591.
    """
    alpha, beta = np.asarray(alpha, np.float64), np.asarray(beta, np.float64)
    steps = alpha.shape[1]
    z = np.broadcast_to(energy, (len(alpha), np.shape(energy)[-1])) + 1j * lifetime
    tail = slice(steps - max(10, steps // 4), steps)
    centre = alpha[:, tail].mean(axis=1)[:, None]
    squared = beta[:, tail].mean(axis=1)[:, None] ** 2
    root = np.sqrt((z - centre) ** 2 - 4 * squared)
    # Of the two roots the Green's function is the one with a negative imaginary part.
    root = np.where((z - centre - root).imag < 0, root, -root)
    green_times_squared = (z - centre - root) / 2
    for step in range(steps - 1, -1, -1):
        green = 1 / (z - alpha[:, step, None] - green_times_squared)
        green_times_squared = beta[:, step, None] ** 2 * green
    return -green.imag / np.pi * np.asarray(norm, np.float64)[:, None]
