"""Differences between the spectra of one site by two theories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.comparison import SIGMA, cosine
from hyperspy_coreloss.spectra.broadening import broadening_operator
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.onset import PEAK_RANGE, threshold
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.computed_site import ComputedSpectrum

#: Ends in eV above the threshold of the windows in which spectra are compared; all begin at -1 eV.
WINDOW_ENDS = (15.0, 40.0, 100.0)

#: Range in eV above the threshold of the oscillations from which bond lengths are read.
OSCILLATIONS = (15.0, 100.0)

# Energies in eV from the lowest empty state: the windows with a margin for thresholds and
# stretches, and another one for the Gaussian.
_GRID = np.arange(-8.0, 120.0, 0.05)
_FINE = np.arange(-12.0, 124.0, 0.05)
# Range in eV from the lowest empty state that contains every threshold.
_THRESHOLDS = (-3.0, 12.0)

# A polynomial of this degree follows the decrease of a spectrum, and none of its oscillations.
_SMOOTH_DEGREE = 4

# Starts of the fit of a map. The cosine has several maxima, one for each oscillation.
_SHIFTS = np.arange(-1.0, 1.01, 0.25)
_STRETCHES = np.arange(0.94, 1.061, 0.01)


@dataclass(frozen=True)
class EnergyMap:
    """The map of energies above the threshold that makes two spectra most alike.

    Parameters
    ----------
    shift, stretch
        The other theory has at ``shift + stretch * energy`` what the usual one has at `energy`, up
        to a constant factor; the shift is in eV.
    cosine
        Cosine similarity after the map.
    """

    shift: float
    stretch: float
    cosine: float


@dataclass(frozen=True)
class TheoryDifference:
    """What another theory changes in the spectrum of one site.

    Parameters
    ----------
    cosines
        Cosine similarities in the windows of `WINDOW_ENDS`, aligned at the thresholds.
    threshold_shift
        Change in eV of the distance from the lowest empty state to the threshold.
    peak_ratio
        Highest intensity within 10 eV of the threshold relative to the mean intensity of the
        widest window, divided by that of the usual theory.
    edge
        Map of the whole spectrum to 40 eV. Where a theory changes the height of the main peak, it
        says little about energies.
    oscillations
        Map of the relative oscillations about a smooth decrease, in the range `OSCILLATIONS`.
    """

    cosines: tuple[float, ...]
    threshold_shift: float
    peak_ratio: float
    edge: EnergyMap
    oscillations: EnergyMap


def theory_difference(
    usual: ComputedSpectrum, other: ComputedSpectrum, sigma: float = SIGMA
) -> TheoryDifference:
    """Compare the spectrum of a site by another theory with that by the usual one.

    Parameters
    ----------
    usual, other
        Spectra of the site.
    sigma
        Standard deviation in eV of the Gaussian with which both are broadened.

    Raises
    ------
    SimulationError
        If a spectrum does not rise through the threshold.
    """
    first, second = _Aligned.of(usual, sigma), _Aligned.of(other, sigma)
    windows = [EnergyWindow(stop=end).grid for end in WINDOW_ENDS]
    peaks = [each(windows[-1]) / each(windows[-1]).mean() for each in (first, second)]
    near = windows[-1] <= PEAK_RANGE
    return TheoryDifference(
        cosines=tuple(cosine(first(energy), second(energy)) for energy in windows),
        threshold_shift=second.threshold - first.threshold,
        peak_ratio=float(peaks[1][near].max() / peaks[0][near].max()),
        edge=_best_map(first, second, windows[1]),
        oscillations=_best_map(first, second, np.arange(*OSCILLATIONS, 0.1), oscillation),
    )


@dataclass(frozen=True, eq=False)
class _Aligned:
    """A broadened spectrum as a function of the energy above its threshold."""

    spectrum: NDArray[np.float64]
    threshold: float

    @classmethod
    def of(cls, chains: ComputedSpectrum, sigma: float) -> _Aligned:
        spectrum = broadened(chains, _GRID, sigma)
        return cls(spectrum, threshold_of(spectrum, _GRID))

    def __call__(self, energy: NDArray) -> NDArray[np.float64]:
        return np.interp(self.threshold + energy, _GRID, self.spectrum)


def broadened(
    chains: ComputedSpectrum, energy: NDArray[np.floating], sigma: float = SIGMA
) -> NDArray[np.float64]:
    """Return a spectrum broadened by a Gaussian.

    Parameters
    ----------
    chains
        Spectrum of a site.
    energy
        Energies in eV from the lowest empty state, within -8 to 120 eV, shape ``(n,)``.
    sigma
        Standard deviation of the Gaussian in eV.
    """
    return broadening_operator(_FINE, sigma, energy) @ chains.intensity(_FINE)


def threshold_of(spectrum: NDArray[np.floating], energy: NDArray[np.floating]) -> float:
    """Return the threshold that networks find, in eV from the lowest empty state.

    Parameters
    ----------
    spectrum
        Broadened spectrum, shape ``(n,)``.
    energy
        Evenly spaced energies in eV from the lowest empty state, shape ``(n,)``.

    Raises
    ------
    SimulationError
        If the spectrum does not rise through the threshold.
    """
    low, high = (np.array([limit]) for limit in _THRESHOLDS)
    scaled = (spectrum / spectrum.max()).astype(np.float32)[np.newaxis]
    found, exists = threshold(scaled, energy, low, high, np.zeros(1), Recipe().threshold_fraction)
    if not exists[0]:
        msg = (
            f"A spectrum must rise through its threshold {_THRESHOLDS[0]:g} to "
            f"{_THRESHOLDS[1]:g} eV from its lowest empty state; this one does not. Check the band "
            "edges of the calculation."
        )
        raise SimulationError(msg)
    return float(found[0])


def oscillation(
    spectrum: NDArray[np.floating], energy: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the relative deviation of a spectrum from its smooth decrease, shape ``(n,)``."""
    smooth = np.polynomial.Polynomial.fit(energy, spectrum, _SMOOTH_DEGREE)
    return spectrum / smooth(energy) - 1.0


def _best_map(
    first: Callable[[NDArray], NDArray],
    second: Callable[[NDArray], NDArray],
    energy: NDArray[np.floating],
    view: Callable[[NDArray, NDArray], NDArray] = lambda spectrum, _: spectrum,
) -> EnergyMap:
    target = view(second(energy), energy)

    def unlike(parameters: tuple[float, float] | NDArray) -> float:
        shift, stretch = parameters
        return 1.0 - cosine(view(first((energy - shift) / stretch), energy), target)

    start = min(((shift, stretch) for shift in _SHIFTS for stretch in _STRETCHES), key=unlike)
    simplex = np.add(start, [[0.0, 0.0], [0.1, 0.0], [0.0, 0.004]])
    best = minimize(
        unlike, start, method="Nelder-Mead", options={"initial_simplex": simplex, "fatol": 1e-9}
    )
    return EnergyMap(float(best.x[0]), float(best.x[1]), 1.0 - float(best.fun))
