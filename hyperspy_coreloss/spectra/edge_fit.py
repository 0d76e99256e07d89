"""Fit of a computed edge to a measured one: energy axis, resolution, thickness and background.

A search on a grid finds where the edge lies and how wrong the dispersion is; least squares refines
it. The theory errs most near the threshold, so each energy is weighted by how well it is described
there. For a perfect theory these are the weights of counting noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft
from scipy.optimize import least_squares

from hyperspy_coreloss.errors import EnergyRangeError
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.edge_model import BOUNDS, DEGREE, EdgeModel
from hyperspy_coreloss.spectra.edge_transforms import (
    even_step,
    resolution_transform,
    silica_transform,
)
from hyperspy_coreloss.spectra.scattering import plural_scattering

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.optimize import OptimizeResult

    from hyperspy_coreloss.spectra.edge_transforms import ComputedEdges

# The fit reads these ranges in eV before and behind the lowest empty state.
_BEFORE, _BEHIND = 45.0, 100.0
# It needs at least these.
_LEAST_BEFORE, _LEAST_BEHIND = 10.0, 25.0
# The search may be wrong by this much in eV, and computed spectra are so near their end.
_SHIFT, _END = 6.0, 6.0
_EXPONENTS = (0.5, 8.0)
# Grid of the search: bins and steps of the position in eV, relative errors of the dispersion,
# thicknesses, width in eV, exponents of the background.
_STEP = 0.5
_DISPERSION_ERRORS = np.linspace(-0.05, 0.05, 11)
_THICKNESSES = (0.1, 0.8)
_WIDTH = 1.0
_LAWS = (1.5, 3.0, 5.0)
# Places on the grid from which the fit starts, and the distances between them.
_STARTS = 3
_APART = (1.6, 0.011)
# Intensities below this fraction of the highest count as noisy as this.
_FLOOR = 1e-2
# Range in eV over which the misfit is averaged for the weights, and rounds of weighting.
_LOCAL = 10.0
_ROUNDS = 5
# Largest distance in channels over which residuals are correlated.
_CORRELATED = 200


@dataclass(frozen=True, slots=True)
class EdgeFit:
    """A computed edge fitted to a measured one, from :func:`fit_edge`.

    Parameters
    ----------
    values
        Values of :data:`PARAMETERS`, shape (4,).
    uncertainties
        Their standard uncertainties, shape (4,): from the covariance of the fit, scaled by its
        misfit. Residuals that last over many channels count once.
    energy
        Energies of the channels that are fitted in eV, as on the axis, shape (channels,).
    measured, fitted, background
        Intensities, shape (channels,).
    variance
        Variance of the counting noise, from differences of adjacent channels, shape (channels,).
    """

    values: NDArray[np.floating]
    uncertainties: NDArray[np.floating]
    energy: NDArray[np.floating]
    measured: NDArray[np.floating]
    fitted: NDArray[np.floating]
    background: NDArray[np.floating]
    variance: NDArray[np.floating]


def fit_edge(
    energy: NDArray[np.floating],
    counts: NDArray[np.floating],
    edges: ComputedEdges,
    position_range: tuple[float, float],
) -> EdgeFit:
    """Fit the first of computed edges, on a power-law background, to a measured spectrum.

    Parameters
    ----------
    energy
        Ascending, evenly spaced energies in eV, shape (channels,).
    counts
        Finite intensities with a positive maximum, shape (channels,).
    edges
        The computed edge.
    position_range
        Energies in eV between which its lowest empty state lies on the axis.

    Raises
    ------
    EnergyRangeError
        If the channels are not evenly spaced, or the spectrum does not cover 10 eV before and 25 eV
        behind an edge in this range, or the computed edge ends before.
    """
    step = even_step(energy)
    low, high = _searched(energy, position_range)
    scale = counts.max()
    intensities = counts / scale
    # A smooth spectrum stands for its expectation until there is a fit.
    rough = 1.0 / np.sqrt(np.maximum(_running_mean(intensities, round(2.0 / step) + 2), _FLOOR))
    stop = _stop(edges)
    used = _window(energy, low, stop)
    starts = _search(edges, energy[used], intensities[used], rough[used], (low, high))
    best = None
    for start in starts:
        used = _window(energy, start[0], stop)
        model = EdgeModel(edges, energy[used])
        guess = model.first_guess(start, intensities[used], rough[used])
        result = _least_squares(model, intensities[used], rough[used], guess)
        cost = result.cost / used.sum()
        if best is None or cost < best[0]:
            best = cost, result.x
    assert best is not None
    used = _window(energy, best[1][0], stop)
    model = EdgeModel(edges, energy[used])
    parameters = model.first_guess(best[1][:4], intensities[used], rough[used])
    return _weighted_fit(model, intensities[used], rough[used], parameters, scale)


def _searched(
    energy: NDArray[np.floating], position_range: tuple[float, float]
) -> tuple[float, float]:
    low = max(position_range[0], energy[0] + _LEAST_BEFORE)
    high = min(position_range[1], energy[-1] - _LEAST_BEHIND)
    if low > high:
        msg = (
            f"A calibration needs {_LEAST_BEFORE:g} eV before and {_LEAST_BEHIND:g} eV behind an "
            f"edge between {position_range[0]:.1f} and {position_range[1]:.1f} eV, but the "
            f"spectrum covers {energy[0]:.1f} to {energy[-1]:.1f} eV. Crop less, or give "
            "onset_range, the range of the edge on this axis."
        )
        raise EnergyRangeError(msg)
    return float(low), float(high)


def _stop(edges: ComputedEdges) -> float:
    """Return how far behind the edge the fit reads the axis, in eV."""
    last = float(edges.energy[-1]) - _END
    stop = min(_BEHIND, last / (1.0 + BOUNDS[0][1]) - _SHIFT)
    if stop < _LEAST_BEHIND - _SHIFT:
        msg = (
            f"The computed spectrum must reach to 40 eV above the lowest empty state, but it ends "
            f"at {edges.energy[-1]:.1f} eV. Use a data set with longer spectra."
        )
        raise EnergyRangeError(msg)
    return stop


def _window(energy: NDArray[np.floating], position: float, stop: float) -> NDArray[np.bool_]:
    return (energy > max(position - _BEFORE, 0.0)) & (energy < position + stop)


def _running_mean(values: NDArray[np.floating], channels: int) -> NDArray[np.float64]:
    half = min(channels // 2, len(values) - 1)
    weights = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(values, half, mode="reflect")
    return np.convolve(padded, weights / weights.sum(), mode="valid")


def _weighted_fit(
    model: EdgeModel,
    intensities: NDArray[np.floating],
    weights: NDArray[np.floating],
    parameters: NDArray[np.floating],
    scale: float,
) -> EdgeFit:
    """Fit with weights that follow the misfit at each energy."""
    for _ in range(_ROUNDS):
        result = _least_squares(model, intensities, weights, parameters)
        parameters = result.x
        fitted, _ = model.spectrum(parameters)
        expected = np.maximum(fitted, _FLOOR)
        excess = np.square(intensities - fitted) / expected
        local = _running_mean(excess, round(_LOCAL / model.dispersion))
        weights = 1.0 / np.sqrt(expected * np.maximum(local, 1e-12))
    noise = (intensities - fitted) / np.sqrt(expected)
    # A second difference of white noise has six times its variance; slow misfits do not count.
    per_count = np.mean(np.diff(noise, 2) ** 2) / 6.0
    return EdgeFit(
        values=parameters[:4],
        uncertainties=_uncertainties(result)[:4],
        energy=model.energy,
        measured=scale * intensities,
        fitted=scale * fitted,
        background=scale * model.power_law(parameters),
        variance=scale**2 * per_count * expected,
    )


def _uncertainties(result: OptimizeResult) -> NDArray[np.float64]:
    """Return the standard uncertainties of all parameters, from the covariance of a fit."""
    residuals, jacobian = result.fun, result.jac
    size = residuals.size
    square = float(residuals @ residuals)
    # The sum of the autocorrelation up to its first pair of lags below zero (C. J. Geyer,
    # Statistical Science 7, 473 (1992)) is the number of channels that count once.
    spectrum = np.abs(fft.rfft(residuals, 2 * size)) ** 2
    correlation = fft.irfft(spectrum, 2 * size)[: min(_CORRELATED, size) // 2 * 2] / square
    pairs = correlation.reshape(-1, 2).sum(axis=-1)
    ends = np.flatnonzero(pairs <= 0)
    together = max(2.0 * pairs[: ends[0] if ends.size else None].sum() - 1.0, 1.0)
    # Columns have the units of their parameters, so they are scaled before the inverse.
    norms = np.linalg.norm(jacobian, axis=0)
    norms[norms == 0] = 1.0
    inverse = np.linalg.pinv((jacobian / norms).T @ (jacobian / norms), hermitian=True)
    variance = square / (size - jacobian.shape[1]) * together
    return np.sqrt(np.maximum(np.diag(inverse), 0.0) * variance) / norms


def _least_squares(
    model: EdgeModel,
    intensities: NDArray[np.floating],
    weights: NDArray[np.floating],
    start: NDArray[np.floating],
) -> OptimizeResult:
    free = [(-np.inf, np.inf)]
    bounds = np.array(
        [(start[0] - _SHIFT, start[0] + _SHIFT), *BOUNDS, *free * (DEGREE + 2), _EXPONENTS]
    )
    return least_squares(
        lambda parameters: weights * (model.spectrum(parameters)[0] - intensities),
        np.clip(start, bounds[:, 0] + 1e-6, bounds[:, 1] - 1e-6),
        jac=lambda parameters: (weights * model.spectrum(parameters)[1]).T,
        bounds=bounds.T,
        x_scale="jac",
        max_nfev=40,
        ftol=1e-7,
        xtol=1e-9,
    )


def _search(
    edges: ComputedEdges,
    energy: NDArray[np.floating],
    intensities: NDArray[np.floating],
    weights: NDArray[np.floating],
    limits: tuple[float, float],
) -> list[NDArray[np.float64]]:
    """Return the values of :data:`PARAMETERS` at the best places of a grid, the best first."""
    width = even_step(energy)
    together = max(1, round(_STEP / width))
    whole = energy.size // together * together
    binned = np.stack([energy, intensities, weights])[:, :whole]
    energy, intensities, weights = binned.reshape(3, -1, together).mean(axis=-1)
    laws = np.stack([(energy / energy[0]) ** -exponent for exponent in _LAWS])
    basis, _ = np.linalg.qr((laws * weights).T)
    wanted = intensities * weights
    wanted = wanted - basis @ (basis.T @ wanted)
    positions = np.arange(limits[0], limits[1] + _STEP, _STEP)
    losses = silica_transform(edges.length, edges.step)
    blur = resolution_transform(edges.frequencies, (_WIDTH / FWHM_PER_SIGMA) ** 2, together * width)
    gains, places = [], []
    for thickness in _THICKNESSES:
        scattered = plural_scattering(losses, np.array([thickness]))[0]
        curve = fft.irfft(edges.transforms[0] * blur * scattered, edges.length)
        for error in _DISPERSION_ERRORS:
            true = (1.0 + error) * (energy - positions[:, None])
            edge = np.interp(true, edges.energy, curve[: edges.energy.size]) * weights
            edge -= (edge @ basis) @ basis.T
            overlap = np.maximum(edge @ wanted, 0.0)
            gains.append(overlap**2 / np.maximum((edge**2).sum(axis=-1), 1e-30))
            places += [np.array([at, error, _WIDTH, thickness]) for at in positions]
    return _distinct([places[index] for index in np.argsort(-np.concatenate(gains))])


def _distinct(places: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    chosen: list[NDArray[np.float64]] = []
    for place in places:
        if all((np.abs(place - other)[:2] > _APART).any() for other in chosen):
            chosen.append(place)
        if len(chosen) == _STARTS:
            break
    return chosen
