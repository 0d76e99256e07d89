"""Plural inelastic scattering: single-scattering distributions and the Poisson series.

An electron that has excited the core level also loses energy to the valence electrons, once or
several times. The number of these losses has a Poisson distribution, whose mean is the thickness of
the specimen divided by the inelastic mean free path (R. F. Egerton, Electron Energy-Loss
Spectroscopy in the Electron Microscope, 3rd ed., sections 3.4 and 4.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Free-electron model of the valence electrons of amorphous silica: energy and width of the plasmon,
# band gap, and the width of the rise above the gap, in eV. It follows the measured loss function to
# the accuracy that matters here: position and width of the plasmon.
_PLASMON, _WIDTH, _GAP, _RISE = 22.5, 14.0, 8.5, 2.0

#: Energy range of a single-scattering distribution, in eV.
REACH = 120.0


def silica_single_scattering(energy: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the single-scattering distribution of silica, normalised to a sum of one.

    Parameters
    ----------
    energy
        Evenly spaced energy losses in eV, shape (energies,). The distribution is zero below the
        band gap and beyond the last energy.

    Returns
    -------
    ndarray
        Probability that one loss lies at each energy, shape (energies,).
    """
    loss = np.asarray(energy, dtype=np.float64)
    drude = _WIDTH * loss * _PLASMON**2
    drude /= (loss**2 - _PLASMON**2) ** 2 + (loss * _WIDTH) ** 2
    rise = -np.expm1(-np.maximum(loss - _GAP, 0.0) / _RISE)
    distribution = np.maximum(drude, 0.0) * rise
    return distribution / distribution.sum()


def plural_scattering(
    transform: NDArray[np.complexfloating], relative_thickness: NDArray[np.floating]
) -> NDArray[np.complexfloating]:
    r"""Return the Fourier transform of what plural scattering convolves a spectrum with.

    With the transform :math:`s` of the single-scattering distribution and the relative thickness
    :math:`t`, it is the Poisson series :math:`e^{-t} \sum_n (t s)^n / n! = e^{t (s - 1)}`. The
    number of electrons is conserved.

    Parameters
    ----------
    transform
        Fourier transform of a single-scattering distribution with a sum of one, shape
        (frequencies,).
    relative_thickness
        Thickness of the specimen divided by the inelastic mean free path, shape (spectra,).

    Returns
    -------
    ndarray
        Shape (spectra, frequencies).
    """
    thickness = np.asarray(relative_thickness, dtype=transform.real.dtype)
    return np.exp(thickness[:, None] * (transform - 1.0))
