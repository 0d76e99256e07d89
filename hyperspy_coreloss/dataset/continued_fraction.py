"""Spectra from Haydock recursion coefficients: pure NumPy, exact for any broadening."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import SimulationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: Share of the last recursion steps whose mean closes the continued fraction.
_TERMINATOR_SHARE = 0.25

#: Half width in eV of the Lorentzian under the Gaussian; narrow against any resolution in use.
DEFAULT_LIFETIME = 0.1

#: Energies per pass over the coefficients; keeps the work in the processor's cache.
_CHUNK = 512


def spectrum_from_recursion(
    alpha: ArrayLike, beta: ArrayLike, norm: ArrayLike, energy: ArrayLike, lifetime: float
) -> NDArray[np.float64]:
    r"""Evaluate the spectra that recursion coefficients stand for.

    The spectrum is :math:`-\frac{1}{\pi} \mathrm{Im}\, n\, G(E + i \eta)` with the continued
    fraction :math:`G(z) = 1 / (z - \alpha_0 - \beta_1^2 / (z - \alpha_1 - \dots))`. The
    fraction is closed by the constant terminator: the last quarter's mean coefficients go on
    for ever.

    Parameters
    ----------
    alpha
        Diagonal coefficients in eV, shape ``(..., steps)``.
    beta
        Off-diagonal coefficients in eV, shape ``(..., steps)``; ``beta[..., 0]`` is not used.
    norm
        Squared norm of the starting vector, shape ``(...)``; sets the unit of the result.
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
        If the coefficients disagree in shape, hold NaN, or the lifetime is not positive.

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
        part = slice(start, start + _CHUNK)
        green = _green_function(
            rows, squares, energies.ravel()[part] + np.complex128(1j * lifetime)
        )
        spectra[:, part] = -green.imag / np.pi
    return spectra.reshape(*weight.shape, energies.size) * weight[..., np.newaxis]


def _check_coefficients(
    alpha: NDArray[np.float64],
    beta: NDArray[np.float64],
    norm: NDArray[np.float64],
    lifetime: float,
) -> None:
    if alpha.shape != beta.shape or alpha.shape[:-1] != norm.shape:
        msg = (
            "Recursion coefficients must have the shapes (..., steps), (..., steps) and (...); "
            f"found alpha {alpha.shape}, beta {beta.shape} and norm {norm.shape}. "
            "Give all three from the same recursion."
        )
        raise SimulationError(msg)
    if not (np.isfinite(alpha).all() and np.isfinite(beta).all() and np.isfinite(norm).all()):
        msg = (
            "Recursion coefficients must be finite; found NaN or infinity. "
            "The recursion broke down: use fewer steps or compute the site again."
        )
        raise SimulationError(msg)
    if not lifetime > 0:
        msg = (
            "The lifetime broadening must be larger than 0 eV, because the spectrum of a finite "
            f"recursion is a row of spikes; found {lifetime} eV. Give 0.1 eV, for example."
        )
        raise SimulationError(msg)


def _green_function(
    alpha: NDArray[np.float64], beta_squared: NDArray[np.float64], energy: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Continued fraction, shape ``(rows, energies)``, evaluated from its far end."""
    steps = alpha.shape[-1]
    last = max(1, round(steps * _TERMINATOR_SHARE))
    mean_alpha = alpha[:, -last:].mean(axis=1)[:, np.newaxis]
    mean_square = (np.sqrt(beta_squared[:, -last:]).mean(axis=1) ** 2)[:, np.newaxis]
    remainder = _terminator(energy - mean_alpha, mean_square)
    # In parts, because NumPy divides complex numbers one by one and real ones many at a time.
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
    """Self-energy ``b**2 g`` of the chain that goes on for ever with constant coefficients."""
    root = np.sqrt(shifted**2 - 4.0 * beta_squared)
    # The retarded branch is the one that decays in the upper half plane.
    lower, upper = 0.5 * (shifted - root), 0.5 * (shifted + root)
    return np.where(lower.imag < 0, lower, upper)
