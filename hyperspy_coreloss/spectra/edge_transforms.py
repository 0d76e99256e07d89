"""Computed edges as Fourier transforms, and what all measurements do to these.

Plural scattering, resolution and the width of the channels are convolutions, and shifts of energy
are phases: all are factors of the transform. The result is interpolated at the channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from hyperspy_coreloss.errors import EnergyRangeError
from hyperspy_coreloss.spectra.scattering import REACH, silica_single_scattering

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class ComputedEdges:
    """Computed spectra of sites as Fourier transforms, from :func:`transform_edges`.

    Parameters
    ----------
    energy
        Evenly spaced energies in eV, relative to the lowest empty state, shape (energies,).
    transforms
        Fourier transforms, shape (sites, frequencies), complex64.
    frequencies
        Angular frequencies in 1/eV, shape (frequencies,).
    length
        Number of energies of the transforms, with the zeros behind the spectra.
    sigma
        Gaussian broadening of the spectra in eV.
    """

    energy: NDArray[np.float64]
    transforms: NDArray[np.complex64]
    frequencies: NDArray[np.float32]
    length: int
    sigma: float

    @property
    def step(self) -> float:
        """Distance of the energies in eV."""
        return float(self.energy[1] - self.energy[0])


def transform_edges(energy: ArrayLike, spectra: ArrayLike, sigma: float) -> ComputedEdges:
    """Return the Fourier transforms of computed spectra.

    Parameters
    ----------
    energy
        Evenly spaced energies in eV, relative to the lowest empty state, shape (energies,). The
        first ones lie below all states; the step is no larger than the finest broadening that is
        wanted.
    spectra
        Computed spectra, shape (sites, energies).
    sigma
        Standard deviation in eV of the Gaussian broadening that the spectra have.
    """
    grid = np.asarray(energy, dtype=np.float64)
    step = float(grid[1] - grid[0])
    length = fft.next_fast_len(grid.size + round(REACH / step), real=True)
    return ComputedEdges(
        energy=grid,
        transforms=fft.rfft(np.asarray(spectra, dtype=np.float32), length, axis=-1),
        frequencies=(2 * np.pi * fft.rfftfreq(length, step)).astype(np.float32),
        length=length,
        sigma=sigma,
    )


def even_step(energy: NDArray[np.floating]) -> float:
    """Return the dispersion in eV of ascending, evenly spaced energies of channels.

    Parameters
    ----------
    energy
        Energies in eV, shape (channels,).

    Raises
    ------
    EnergyRangeError
        If there are less than two channels, or they are not evenly spaced or not ascending.
    """
    widths = np.diff(energy)
    if not (widths.size and widths[0] > 0 and np.allclose(widths, widths[0], rtol=1e-4)):
        msg = "A measurement needs ascending, evenly spaced energies of two channels or more."
        raise EnergyRangeError(msg)
    return float(widths.mean())


@lru_cache(maxsize=4)
def silica_transform(length: int, step: float) -> NDArray[np.complex64]:
    """Return the Fourier transform of silica's single-scattering distribution.

    Parameters
    ----------
    length
        Number of energies of the transform.
    step
        Distance of the energies in eV.
    """
    distribution = silica_single_scattering(step * np.arange(round(REACH / step)))
    return fft.rfft(distribution.astype(np.float32), length)


def resolution_transform(
    frequencies: NDArray[np.float32], variance: ArrayLike, dispersion: float
) -> NDArray[np.float32]:
    """Return the Fourier transform of a Gaussian resolution and of the width of the channels.

    Parameters
    ----------
    frequencies
        Angular frequencies in 1/eV, shape (frequencies,).
    variance
        Variance of the Gaussian in eV², a number or of the shape (spectra, 1).
    dispersion
        Width of a channel in eV.

    Returns
    -------
    ndarray
        Shape (frequencies,) or (spectra, frequencies).
    """
    gaussian: NDArray[np.float32] = np.exp(
        -0.5 * np.asarray(variance, dtype=np.float32) * frequencies**2
    )
    return gaussian * np.sinc(frequencies * np.float32(dispersion / (2 * np.pi)))


def at_channels(
    smooth: NDArray[np.float32], edges: ComputedEdges, energy: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Interpolate spectra at the energies of the channels, by cubic polynomials.

    Parameters
    ----------
    smooth
        Spectra from the inverse transforms, shape (spectra, energies).
    edges
        Computed spectra from which they are made.
    energy
        Energies of the channels in eV, relative to the lowest empty state, shape (spectra,
        channels).

    Raises
    ------
    EnergyRangeError
        If the computed spectra end before the energies do.
    """
    first, step, last = edges.energy[0], edges.step, edges.energy.size - 1
    position = (energy - first) / step
    if position.max() > last:
        msg = (
            f"The computed spectra must reach to {energy.max():.1f} eV above the lowest empty "
            f"state, but they end at {edges.energy[-1]:.1f} eV. Shorten the energy axis."
        )
        raise EnergyRangeError(msg)
    # There are no states at the first energies.
    position = np.maximum(position, 1.0)
    index = np.minimum(position.astype(np.int32), last - 2)
    x = (position - index).astype(np.float32)
    values = np.zeros(energy.shape, dtype=np.float32)
    weights = (
        -x * (x - 1) * (x - 2) / 6,
        (x + 1) * (x - 1) * (x - 2) / 2,
        -(x + 1) * x * (x - 2) / 2,
        (x + 1) * x * (x - 1) / 6,
    )
    for tap, weight in zip((-1, 0, 1, 2), weights, strict=True):
        values += weight * np.take_along_axis(smooth, index + tap, axis=-1)
    return values
