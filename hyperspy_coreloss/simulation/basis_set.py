"""Error of the excitation energy due to the finite plane-wave basis, and its correction.

An oxygen atom with a core hole needs shorter waves than one without. At the simulator's cutoff the
excitation energy is therefore too high, by nearly the same amount at every site, because the short
waves are needed only close to the nucleus. The error also varies from cell to cell: the number of
plane waves below the cutoff scatters around its mean for the volume, and the energy follows
(G. P. Francis and M. C. Payne, J. Phys.: Condens. Matter 2 (1990) 4395). Both constants are
measured by ``benchmarks/simulation_basis_set.py``, for silicon with four neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Cutoff in eV at which the constants were measured.
CUTOFF = 400.0
#: Error of the excitation energy in eV in a cell with the mean number of plane waves.
MEAN_ERROR = 1.474
#: Derivative of that error with respect to the logarithm of the number of plane waves, in eV.
ERROR_PER_LOGARITHM = -5.05

# hbar**2 / 2m in eV Å**2: the kinetic energy of a plane wave.
_KINETIC = 3.809982


def plane_wave_count(cell: NDArray[np.floating], cutoff: float) -> int:
    """Return the number of plane waves at Gamma, the k-point of self-consistent calculations.

    Parameters
    ----------
    cell
        Lattice vectors in angstrom, one per row, shape (3, 3).
    cutoff
        Largest kinetic energy of a plane wave in eV.
    """
    lattice = np.asarray(cell, dtype=float)
    reciprocal = 2 * np.pi * np.linalg.inv(lattice).T
    longest = np.sqrt(cutoff / _KINETIC)
    reach = np.ceil(longest * np.linalg.norm(lattice, axis=1) / (2 * np.pi)).astype(int)
    ranges = [np.arange(-most, most + 1) for most in reach]
    points = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    return int(np.count_nonzero(np.sum((points @ reciprocal) ** 2, axis=1) <= longest**2))


def plane_wave_excess(cell: NDArray[np.floating], cutoff: float = CUTOFF) -> float:
    """Return the logarithm of the number of plane waves of a cell over the mean for its volume.

    Parameters
    ----------
    cell, cutoff
        As in :func:`plane_wave_count`; the mean is ``volume * k**3 / (6 pi**2)``.
    """
    volume = abs(np.linalg.det(np.asarray(cell, dtype=float)))
    mean = volume * (cutoff / _KINETIC) ** 1.5 / (6 * np.pi**2)
    return float(np.log(plane_wave_count(cell, cutoff) / mean))


def basis_set_error(cell: NDArray[np.floating]) -> float:
    """Return the error of the excitation energy in eV at `CUTOFF`; subtract it from the energy.

    Parameters
    ----------
    cell
        Lattice vectors of the supercell in angstrom, one per row, shape (3, 3).
    """
    return MEAN_ERROR + ERROR_PER_LOGARITHM * plane_wave_excess(cell)
