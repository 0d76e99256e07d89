"""Measured-like spectra from computed ones: the effects of a microscope applied to edges.

Plural scattering, resolution, drift and the width of the channels are convolutions, and the sites
of a mixed spectrum are shifted to their own energies. All of these are products of Fourier
transforms. The result is interpolated at the energies of the channels; background, counting and
detector act there.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from hyperspy_coreloss.spectra.spread import draw, smallest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.edge_transforms import ComputedEdges
    from hyperspy_coreloss.spectra.microscope import Microscope

#: Electrons of an edge are counted in its highest channel of this width, in eV.
COUNTED_WIDTH = 0.1
# Range above the lowest empty state that holds the highest intensity, in eV.
_PEAK = 15.0
# The residue of the background: its zero before the threshold, and the distance from there at which
# it is given, in eV.
_RESIDUE = (30.0, 100.0)
# Periods of slow errors of the intensity, in eV.
_PERIODS = (200.0, 600.0)
# Exponent and rise in eV of a neighbouring edge.
_NEIGHBOUR = (3.0, 1.0)


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measured-like spectra of one acquisition, and what was drawn for each.

    Parameters
    ----------
    intensities
        Intensity of each channel in counts, shape (spectra, channels), float32. Without counting
        noise, the highest 0.1 eV of an edge has an intensity of 1.
    resolution
        Resolution that the user states: full width at half maximum in eV.
    relative_thickness
        Thickness divided by the inelastic mean free path, shape (spectra,).
    dispersion_error
        Relative error of the dispersion, shape (spectra,).
    counts
        Electrons in the highest 0.1 eV of the edge, shape (spectra,).
    has_background
        Whether the spectra have a background.
    """

    intensities: NDArray[np.float32]
    resolution: float
    relative_thickness: NDArray[np.float64]
    dispersion_error: NDArray[np.float64]
    counts: NDArray[np.float64]
    has_background: bool


def measure(
    edges: ComputedEdges,
    sites: NDArray[np.integer],
    lowest_empty: NDArray[np.floating],
    energy: NDArray[np.floating],
    microscope: Microscope,
    generator: np.random.Generator,
) -> Measurement:
    """Return spectra as a microscope would measure them.

    Parameters
    ----------
    edges
        Computed spectra.
    sites
        Sites in each spectrum, shape (spectra, sites per spectrum); -1 for none. The spectrum is
        the mean over its sites.
    lowest_empty
        Energy in eV on the axis at which the lowest empty state of each of these sites lies, of
        the same shape. A wrong dispersion does not move the mean of a spectrum.
    energy
        Evenly spaced, ascending energies of the channels in eV, shape (channels,).
    microscope
        Effects of the measurement.
    generator
        Random generator. The same state gives the same spectra.

    Raises
    ------
    EnergyRangeError
        If the channels are not evenly spaced, or the computed spectra end before the axis does.
    """
    spectra = len(sites)
    dispersion = even_step(energy)
    resolution = float(draw(microscope.resolution, generator, 1)[0])
    thickness = draw(microscope.relative_thickness, generator, spectra)
    stretch = draw(microscope.dispersion_error, generator, spectra)
    present = sites >= 0
    centre = _mean(lowest_empty, present)
    transform = _mixed(edges, sites, lowest_empty - centre[:, None])
    transform *= plural_scattering(silica_transform(edges.length, edges.step), thickness)
    transform *= _blurred(edges, microscope, resolution, dispersion, generator, spectra)
    smooth = fft.irfft(transform, edges.length, axis=-1)

    true_energy = (1.0 + stretch[:, None]) * (energy - centre[:, None])
    edge = at_channels(smooth, edges, true_energy)
    peak = edge.max(axis=-1, where=np.abs(true_energy) < _PEAK, initial=0.0)
    edge /= np.where(peak > 0, peak, 1.0)[:, None]
    edge *= _slow_error(microscope, true_energy, generator)
    counts = draw(microscope.counts, generator, spectra)
    total = edge + _beneath(microscope, energy, centre, true_energy, generator)
    # From the density of the edge's peak to counts of a channel.
    total *= np.float32(dispersion / COUNTED_WIDTH)
    return Measurement(
        intensities=_detected(total, counts, microscope, generator),
        resolution=resolution,
        relative_thickness=thickness,
        dispersion_error=stretch,
        counts=counts,
        has_background=smallest(microscope.jump_ratio) < np.inf,
    )


def _mean(values: NDArray[np.floating], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(present, values, 0.0).sum(axis=-1) / present.sum(axis=-1)


def _mixed(
    edges: ComputedEdges, sites: NDArray[np.integer], shifts: NDArray[np.floating]
) -> NDArray[np.complex64]:
    """Return the transforms of means over sites that are shifted by energies in eV."""
    number = (sites >= 0).sum(axis=-1, keepdims=True).astype(np.float32)
    mixed = np.zeros((len(sites), edges.frequencies.size), dtype=np.complex64)
    for column in range(sites.shape[1]):
        rows = np.flatnonzero(sites[:, column] >= 0)
        transforms = edges.transforms[sites[rows, column]]
        shift = shifts[rows, column].astype(np.float32)
        if shift.any():
            transforms = transforms * np.exp(-1j * edges.frequencies * shift[:, None])
        mixed[rows] += transforms
    mixed /= number
    return mixed


def _blurred(
    edges: ComputedEdges,
    microscope: Microscope,
    resolution: float,
    dispersion: float,
    generator: np.random.Generator,
    spectra: int,
) -> NDArray[np.float32]:
    """Return the transform of resolution, drift, tails and channels."""
    stated = resolution / FWHM_PER_SIGMA
    true = stated * np.maximum(1.0 + draw(microscope.resolution_error, generator, spectra), 0.0)
    drift = draw(microscope.drift, generator, spectra)
    fraction = draw(microscope.tail_fraction, generator, spectra)
    width = draw(microscope.tail_width, generator, spectra)
    # What the computed spectra are broadened by already.
    missing = np.maximum(true**2 + drift**2 - edges.sigma**2, 0.0)[:, None].astype(np.float32)
    omega = edges.frequencies
    blur = resolution_transform(omega, missing, dispersion)
    if fraction.any():
        lorentzian = np.exp(-0.5 * width[:, None].astype(np.float32) * omega)
        blur *= 1.0 + fraction[:, None].astype(np.float32) * (lorentzian - 1.0)
    return blur


def _slow_error(
    microscope: Microscope, energy: NDArray[np.floating], generator: np.random.Generator
) -> NDArray[np.float32]:
    amplitude = draw(microscope.intensity_error, generator, len(energy))
    if not amplitude.any():
        return np.float32(1.0)  # type: ignore[return-value]
    period, phase = generator.uniform(*_PERIODS, len(energy)), generator.uniform(0, 1, len(energy))
    turns = energy / period[:, None] + phase[:, None]
    return (1.0 + amplitude[:, None] * np.cos(2 * np.pi * turns)).astype(np.float32)


def _beneath(
    microscope: Microscope,
    energy: NDArray[np.floating],
    threshold: NDArray[np.floating],
    relative: NDArray[np.floating],
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the background and other edges, in units of the edge's height."""
    spectra = len(relative)
    height = 1.0 / draw(microscope.jump_ratio, generator, spectra)
    exponent = draw(microscope.background_exponent, generator, spectra)
    residue = draw(microscope.background_residue, generator, spectra)
    neighbour = draw(microscope.neighbour_height, generator, spectra)
    beneath = np.zeros(relative.shape, dtype=np.float32)
    if height.any():
        logarithm = np.log(energy / threshold[:, None]).astype(np.float32)
        beneath += (height[:, None] * np.exp(-exponent[:, None] * logarithm)).astype(np.float32)
    if residue.any():
        beneath += (residue[:, None] * (relative + _RESIDUE[0]) / _RESIDUE[1]).astype(np.float32)
    if neighbour.any():
        position = draw(microscope.neighbour_position, generator, spectra)[:, None]
        fall, rise = _NEIGHBOUR
        behind = relative - position
        step = 0.5 * (1.0 + np.tanh(behind / rise))
        decay = (np.maximum(energy, 1.0) / (threshold[:, None] + position)) ** -fall
        beneath += (neighbour[:, None] * step * decay).astype(np.float32)
    return beneath


def _detected(
    total: NDArray[np.float32],
    counts: NDArray[np.floating],
    microscope: Microscope,
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Return what a detector makes of intensities in units of the edge's height."""
    spectra, channels = total.shape
    counted = np.isfinite(counts)
    scale = np.where(counted, counts, 1.0)[:, None]
    expected = np.maximum(total * scale, 0.0)
    detected = np.where(
        counted[:, None], generator.poisson(np.where(counted[:, None], expected, 0.0)), expected
    ).astype(np.float32)
    gain = draw(microscope.gain_step, generator, spectra).astype(np.float32)
    if gain.any():
        place = generator.integers(0, channels, (spectra, 1))
        detected *= 1.0 + gain[:, None] * (np.arange(channels) >= place)
    pattern = draw(microscope.gain_pattern, generator, spectra).astype(np.float32)
    if pattern.any():
        normal = generator.standard_normal(total.shape, dtype=np.float32)
        detected *= 1.0 + pattern[:, None] * normal
    noise = draw(microscope.readout_noise, generator, spectra).astype(np.float32)
    if noise.any():
        detected += noise[:, None] * generator.standard_normal(total.shape, dtype=np.float32)
    detected += draw(microscope.zero_error, generator, spectra).astype(np.float32)[:, None]
    return detected
