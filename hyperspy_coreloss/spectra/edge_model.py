"""A computed edge as it is measured on a power-law background, with its derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.edge_transforms import (
    at_channels,
    even_step,
    resolution_transform,
    silica_transform,
)
from hyperspy_coreloss.spectra.scattering import plural_scattering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.edge_transforms import ComputedEdges

#: What is fitted, beside the intensities: the energy on the axis of the lowest empty state in eV,
#: the relative error of the dispersion, the full width at half maximum of the resolution in eV, and
#: the relative thickness.
PARAMETERS = ("position", "dispersion_error", "resolution", "relative_thickness")
#: Lowest and highest values of all of these but the position.
BOUNDS = ((-0.06, 0.06), (0.05, 3.0), (0.0, 2.5))
#: Degree of the polynomial by which the intensity of the edge may slowly differ, as from the
#: errors of computed cross sections and of the detector's response.
DEGREE = 2

# Exponent of the background from which a fit starts.
_EXPONENT = 3.0


class EdgeModel:
    """A computed edge on a power law, at the energies of channels.

    The parameters are :data:`PARAMETERS`, the intensities of the edge (its amplitude and its slow
    errors, as Legendre polynomials), and height and exponent of the background.

    Parameters
    ----------
    edges
        Computed spectra, of which the first is used.
    energy
        Ascending, evenly spaced energies above zero in eV, shape (channels,).
    """

    def __init__(self, edges: ComputedEdges, energy: NDArray[np.floating]) -> None:
        self.edges = edges
        self.energy = energy
        self.dispersion = even_step(energy)
        place = np.linspace(-1.0, 1.0, energy.size)
        self.slow = np.polynomial.legendre.legvander(place, DEGREE).T
        self.logarithm = np.log(energy / energy.mean())
        self.losses = silica_transform(edges.length, edges.step)

    def edge(self, values: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the edge and its derivatives by :data:`PARAMETERS`.

        Parameters
        ----------
        values
            Values of :data:`PARAMETERS`, shape (4,).

        Returns
        -------
        edge : ndarray
            The edge in the units of the computed spectrum, shape (channels,).
        derivatives : ndarray
            Shape (4, channels).
        """
        position, stretch, width, thickness = values
        omega = self.edges.frequencies
        variance = max((width / FWHM_PER_SIGMA) ** 2 - self.edges.sigma**2, 0.0)
        transform = self.edges.transforms[0] * resolution_transform(
            omega, variance, self.dispersion
        )
        transform = transform * plural_scattering(self.losses, np.array([thickness]))
        by_width = -(omega**2) * np.float32(width / FWHM_PER_SIGMA**2)
        factors = np.stack([np.ones_like(self.losses), 1j * omega, by_width, self.losses - 1])
        curves = fft.irfft((transform * factors).astype(np.complex64), self.edges.length, axis=-1)
        distance = self.energy - position
        true = np.broadcast_to((1.0 + stretch) * distance, (len(factors), distance.size))
        edge, slope, broader, thicker = at_channels(curves, self.edges, true).astype(np.float64)
        return edge, np.stack([-(1.0 + stretch) * slope, distance * slope, broader, thicker])

    def power_law(self, parameters: NDArray[np.floating]) -> NDArray[np.float64]:
        height, exponent = parameters[-2:]
        law: NDArray[np.float64] = height * np.exp(-exponent * self.logarithm)
        return law

    def spectrum(
        self, parameters: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the spectrum, shape (channels,), and its derivatives, (parameters, channels)."""
        edge, derivatives = self.edge(parameters[:4])
        amplitude = parameters[4:-2] @ self.slow
        background = self.power_law(parameters)
        unit = np.exp(-parameters[-1] * self.logarithm)
        by_background = np.stack([unit, -self.logarithm * background])
        all_derivatives = np.vstack([amplitude * derivatives, self.slow * edge, by_background])
        return amplitude * edge + background, all_derivatives

    def first_guess(
        self,
        values: NDArray[np.floating],
        intensities: NDArray[np.floating],
        weights: NDArray[np.floating],
    ) -> NDArray[np.float64]:
        """Return all parameters, with intensities from linear least squares.

        Parameters
        ----------
        values
            Values of :data:`PARAMETERS`, shape (4,).
        intensities, weights
            Measured intensities, and their inverse standard deviations, shape (channels,).
        """
        edge, _ = self.edge(values)
        law = np.exp(-_EXPONENT * self.logarithm)
        columns = np.stack([edge, law]).T * weights[:, None]
        height, background = np.linalg.lstsq(columns, intensities * weights, rcond=None)[0]
        slow = np.zeros(DEGREE)
        return np.concatenate([values, [height], slow, [background, _EXPONENT]])
