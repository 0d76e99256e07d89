"""Condensed spectra: curves in place of recursion coefficients, in a fifth of the space.

A site has twelve chains of 250 pairs of coefficients, 24 kB, which hold the spectrum up to the
cutoff of the plane waves at any broadening. A curve that is finer than any measurement, up to the
energies that networks read, takes 2 kB.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.computed_site import RecursionChains, SampledSpectrum
from hyperspy_coreloss.spectra.broadening import broadening_operator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.computed_site import ComputedSite

#: Standard deviation in eV of the Gaussian broadening of condensed spectra.
SIGMA = 0.08

#: Last energy of condensed spectra in eV, relative to the lowest empty state.
LAST = 135.0

# Significant bits of the intensities: rounding changes them by 0.01 %.
_BITS = 12

# The spectrum is zero below the middle of the gap, for less than 10 eV from the lowest empty state.
# The first sample lies far below, so that any axis that begins before the edge is covered.
_NO_STATES = (-1000.0, -12.0)
# First energies and steps of the samples in eV. The lifetimes of real states grow with energy, and
# the steps of the recursion lie further apart.
_STEPS = ((-10.0, 0.05), (20.0, 0.1), (45.0, 0.2))

# Grid in eV on which spectra are broadened.
_FINE = 0.025
_MARGIN = 1.0


def condense(sites: Iterable[ComputedSite]) -> tuple[ComputedSite, ...]:
    """Return the sites with sampled spectra in place of recursion coefficients.

    The samples have a Gaussian broadening of σ = 0.08 eV and the default lifetime, and reach to
    135 eV above the lowest empty state. Broadened further to σ = 0.3 eV or more, they deviate from
    the spectra of the coefficients by less than 0.2 % of the highest intensity.

    Parameters
    ----------
    sites
        Computed sites. Spectra that are not recursion coefficients stay as they are, and so do
        those of sites with projected densities of states, which are drawn on one energy scale.
    """
    samples = sample_energies()
    above = samples > _NO_STATES[-1]
    fine = np.arange(samples[above][0] - _MARGIN, LAST + _MARGIN, _FINE)
    broadening = broadening_operator(fine, SIGMA, samples[above])

    def condensed(site: ComputedSite) -> ComputedSite:
        if not isinstance(site.spectrum, RecursionChains) or site.projected_densities:
            return site
        intensity = np.zeros(len(samples))
        intensity[above] = broadening @ site.spectrum.intensity(fine)
        return replace(site, spectrum=SampledSpectrum(samples, _rounded(intensity), SIGMA))

    return tuple(condensed(site) for site in sites)


def sample_energies() -> NDArray[np.float64]:
    """Return the energies of condensed spectra in eV, from the lowest empty state."""
    starts = [start for start, _ in _STEPS]
    stops = [*starts[1:], LAST]
    pieces = [
        start + step * np.arange(round((stop - start) / step))
        for (start, step), stop in zip(_STEPS, stops, strict=True)
    ]
    return np.concatenate([_NO_STATES, *pieces, [LAST]])


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to `_BITS` significant binary digits; the zeros behind them are compressed away."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 2.0**_BITS), exponent - _BITS)
