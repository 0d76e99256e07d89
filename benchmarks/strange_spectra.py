"""Spectra that no oxygen K edge of silica gives, which no model may answer as if it were one.

Each kind is a function that returns intensities of the shape (spectra, channels) on an energy axis,
with the counting noise of a usual measurement on a power-law background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.minerals import find_sites
from hyperspy_coreloss.dataset.shipped import oxygen_k_sites
from hyperspy_coreloss.spectra.measurement import measure
from hyperspy_coreloss.spectra.microscope import Microscope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

#: Energy axis of the spectra in eV, and where their edges lie.
ENERGY = np.arange(470.0, 648.0, 0.1)
ONSET = 533.0
# Counts of the edge and of the background under it, in one channel.
_EDGE, _BACKGROUND, _EXPONENT = 5e3, 1e4, 3.0


def _counted(edge: NDArray, rng: np.random.Generator, background: float = _BACKGROUND) -> NDArray:
    under = background * (ENERGY / ONSET) ** -_EXPONENT
    return rng.poisson(np.maximum(edge + under, 0.0)).astype(np.float64)


def gaussian_bump(number: int, rng: np.random.Generator) -> NDArray:
    """One Gaussian peak, and nothing behind it."""
    width = rng.uniform(1.0, 6.0, (number, 1))
    return _counted(_EDGE * np.exp(-0.5 * ((ENERGY - ONSET - 2 * width) / width) ** 2), rng)


def step(number: int, rng: np.random.Generator) -> NDArray:
    """A smooth step, which falls off slowly, without any fine structure."""
    width = rng.uniform(0.3, 1.5, (number, 1))
    rise = 1 / (1 + np.exp(-np.clip((ENERGY - ONSET - 1) / width, -50, 50)))
    return _counted(_EDGE * rise * (ENERGY / ONSET) ** -3, rng)


def noise(number: int, rng: np.random.Generator) -> NDArray:
    """Counts of a background, and no edge."""
    return _counted(np.zeros((number, 1)), rng)


def random_walk(number: int, rng: np.random.Generator) -> NDArray:
    """A walk, which rises and falls without a reason."""
    return 1e4 + np.cumsum(rng.normal(0, 100, (number, ENERGY.size)), axis=-1)


def two_lines(*places: float) -> Callable[[int, np.random.Generator], NDArray]:
    """Return the spectra of white lines of another edge at these energies in eV."""

    def lines(number: int, rng: np.random.Generator) -> NDArray:
        width = rng.uniform(0.8, 1.5, (number, 1))
        edge = np.zeros((number, ENERGY.size))
        for place in places:
            edge += 2 / (1 + ((ENERGY - place) / width) ** 2)
            edge += 0.5 / (1 + np.exp(-np.clip((ENERGY - place) / 0.5, -50, 50)))
        return _counted(_EDGE * edge / 2, rng)

    return lines


def delayed(place: float) -> Callable[[int, np.random.Generator], NDArray]:
    """Return the spectra of a delayed edge without fine structure, which begins at an energy."""

    def maximum(number: int, rng: np.random.Generator) -> NDArray:
        behind = np.maximum(ENERGY - place, 0.0) / rng.uniform(20.0, 40.0, (number, 1))
        return _counted(_EDGE * behind * np.exp(1 - behind), rng)

    return maximum


def quartz(number: int, rng: np.random.Generator, **effects: float) -> NDArray:
    """Quartz, as a microscope with these effects measures it."""
    sample = specimen(find_sites(oxygen_k_sites(), "alpha-quartz"))
    usual = {"counts": 1e4, "jump_ratio": 0.5, "resolution": 0.5, "background_exponent": _EXPONENT}
    rows = np.zeros((number, 1), dtype=np.int64)
    microscope = Microscope(**{**usual, **effects})
    lowest = np.full((number, 1), ONSET)
    return measure(sample.edges, rows, lowest, ENERGY, microscope, rng).intensities


def half_blanked(number: int, rng: np.random.Generator) -> NDArray:
    """Quartz without data from 8 eV above the edge on."""
    spectra = quartz(number, rng)
    spectra[:, ENERGY > ONSET + 8] = 0
    return spectra


def spiked(number: int, rng: np.random.Generator) -> NDArray:
    """Quartz with twenty spikes on the edge."""
    spectra = quartz(number, rng)
    near = np.flatnonzero((ENERGY > ONSET - 5) & (ENERGY < ONSET + 25))
    for row in spectra:
        row[rng.choice(near, 20, replace=False)] *= 3
    return spectra


STRANGE: Mapping[str, Callable[[int, np.random.Generator], NDArray]] = {
    "Gaussian bump": gaussian_bump,
    "step": step,
    "no edge": noise,
    "random walk": random_walk,
    "V L edge": two_lines(513.0, 521.0),
    "V L edge at 533 eV": two_lines(533.0, 540.5),
    "Cr L edge": two_lines(575.0, 584.0),
    "Cr L edge at 533 eV": two_lines(533.0, 542.0),
    "Sb M edge": delayed(528.0),
    "half blanked": half_blanked,
    "spikes": spiked,
    "t/λ of 3": lambda number, rng: quartz(number, rng, relative_thickness=3.0),
    "dispersion off by 10 %": lambda number, rng: quartz(number, rng, dispersion_error=0.1),
    "dispersion off by -10 %": lambda number, rng: quartz(number, rng, dispersion_error=-0.1),
}
