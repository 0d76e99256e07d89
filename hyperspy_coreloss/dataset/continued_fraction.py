"""Evaluation of spectra from Haydock recursion coefficients, with any broadening."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import SimulationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: Fraction of the steps, at the end of the recursion, whose mean defines the terminator.
_TERMINATOR_SHARE = 0.25

#: Half width at half maximum of the Lorentzian broadening in eV; small compared with the energy
#: resolution of any measurement.
DEFAULT_LIFETIME = 0.1

#: Number of energies per pass over the coefficients; keeps the arrays in the processor's cache.
_CHUNK = 512


def spectrum_from_recursion(
    alpha: ArrayLike, beta: ArrayLike, norm: ArrayLike, energy: ArrayLike, lifetime: float
) -> NDArray[np.float64]:
    r"""Return the spectra of recursion coefficients.

    The spectrum is :math:`-\frac{1}{\pi} \mathrm{Im}\, n\, G(E + i \eta)` with the continued
    fraction :math:`G(z) = 1 / (z - \alpha_0 - \beta_1^2 / (z - \alpha_1 - \dots))`. The
    fraction is closed by a constant terminator: beyond the last step, the coefficients are
    replaced by the mean of the last quarter of the steps.

    Parameters
    ----------
    alpha
        Diagonal coefficients in eV, shape ``(..., steps)``.
    beta
        Off-diagonal coefficients in eV, shape ``(..., steps)``; ``beta[..., 0]`` is not used.
    norm
        Squared norm of the starting vector, shape ``(...)``. It sets the unit of the result.
    energy
        Energies in eV on the scale of `alpha`, shape ``(n,)``.
    lifetime
        Half width at half maximum :math:`\eta` of the Lorentzian in eV, larger than 0.

    Returns
    -------
    numpy.ndarray
        Spectra in units of `norm` per eV, shape ``(..., n)``.

    Raises
    ------
    SimulationError
        If the shapes of the coefficients do not match, the coefficients are not finite, or the
        lifetime is not positive.

    Notes
    -----
    Haydock, Heine and Kelly 1972, J. Phys. C 5, 2845.
    """
    diagonal = np.asarray(alpha, dtype=np.float64)
    off_diagonal = np.asarray(beta, dtype=np.float64)
    weight = np.asarray(norm, dtype=np.float64)
    energies = np.asarray(energy, dtype=np.float64)
    _check_coefficients(diagonal, off_diagonal, weight, lifetime)
    rows = diagonal.reshape(-1, diagonal.shape[-1])
    squares = off_diagonal.reshape(rows.shape) ** 2
    spectra = np.empty((len(rows), energies.size))
    for start in range(0, energies.size, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        green = _green_function(
            rows, squares, energies.ravel()[chunk] + np.complex128(1j * lifetime)
        )
        spectra[:, chunk] = -green.imag / np.pi
    return spectra.reshape(*weight.shape, energies.size) * weight[..., np.newaxis]


def _check_coefficients(
    alpha: NDArray[np.float64],
    beta: NDArray[np.float64],
    norm: NDArray[np.float64],
    lifetime: float,
) -> None:
    if alpha.shape != beta.shape or alpha.shape[:-1] != norm.shape:
        msg = (
            "Recursion coefficients must have the shapes (..., steps), (..., steps) and (...), but "
            f"alpha has {alpha.shape}, beta {beta.shape} and norm {norm.shape}. Pass all three "
            "from the same recursion."
        )
        raise SimulationError(msg)
    if not (np.isfinite(alpha).all() and np.isfinite(beta).all() and np.isfinite(norm).all()):
        msg = (
            "Recursion coefficients must be finite, but they contain NaN or infinity. "
            "The recursion broke down: use fewer steps or compute the site again."
        )
        raise SimulationError(msg)
    if not lifetime > 0:
        msg = (
            "The lifetime broadening must be larger than 0 eV, because the spectrum of a finite "
            f"recursion is a series of delta peaks, but it is {lifetime} eV. Use for example "
            "0.1 eV."
        )
        raise SimulationError(msg)


def _green_function(
    alpha: NDArray[np.float64], beta_squared: NDArray[np.float64], energy: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return the continued fraction, shape ``(rows, energies)``, evaluated from the last step."""
    steps = alpha.shape[-1]
    last = max(1, round(steps * _TERMINATOR_SHARE))
    mean_alpha = alpha[:, -last:].mean(axis=1)[:, np.newaxis]
    mean_square = (np.sqrt(beta_squared[:, -last:]).mean(axis=1) ** 2)[:, np.newaxis]
    remainder = _terminator(energy - mean_alpha, mean_square)
    # Real and imaginary values are kept apart because NumPy vectorises only the real division.
    real, imaginary = remainder.real.copy(), remainder.imag.copy()
    square, weight = np.empty_like(real), np.empty_like(real)
    for step in range(steps - 1, -1, -1):
        np.subtract(energy.real - alpha[:, step, np.newaxis], real, out=real)
        np.subtract(energy.imag, imaginary, out=imaginary)
        np.multiply(real, real, out=square)
        np.multiply(imaginary, imaginary, out=weight)
        weight += square
        np.divide(beta_squared[:, step, np.newaxis] if step > 0 else 1.0, weight, out=weight)
        real *= weight
        imaginary *= np.negative(weight, out=weight)
    return real + 1j * imaginary


def _terminator(
    shifted: NDArray[np.complex128], beta_squared: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Return the self-energy ``b**2 g`` of an infinite chain with constant coefficients."""
    root = np.sqrt(shifted**2 - 4.0 * beta_squared)
    # The retarded branch is the one that decays in the upper half plane.
    lower, upper = 0.5 * (shifted - root), 0.5 * (shifted + root)
    return np.where(lower.imag < 0, lower, upper)
