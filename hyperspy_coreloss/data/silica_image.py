"""A spectrum image of silica grains whose properties are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.data.shipped import oxygen_k_sites
from hyperspy_coreloss.dataset.inputs import default_recipe, site_thresholds
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA, broadening_operator

if TYPE_CHECKING:
    from exspy.signals import EELSSpectrum

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal

# Samples per channel when a spectrum is integrated over its channels.
_SAMPLES = 8
_DISPERSION_OF_COMPUTED = 0.05


def silica_spectrum_image(
    navigation_shape: tuple[int, ...] = (32, 32),
    *,
    n_channels: int = 1024,
    offset: float = 480.0,
    dispersion: float = 0.1,
    onset: float = 537.0,
    drift: float = 0.5,
    resolution: float = 0.5,
    dose: float | None = 1e4,
    jump_ratio: float = 1.0,
    n_grains: int = 12,
    seed: int = 0,
) -> tuple[EELSSpectrum, CoreLossPropertySignal]:
    """Simulate oxygen K spectra of silica grains whose properties are known.

    Each grain shows the computed spectrum of one site of :func:`oxygen_k_sites`, on a power-law
    background, at an onset that drifts from pixel to pixel, with counting noise. The sites are
    those the shipped model was trained on: the image shows what instrument and noise do to a
    prediction, not how a model does on new materials.

    Parameters
    ----------
    navigation_shape
        Shape of the navigation space, in HyperSpy's order (x first); ``()`` for one spectrum.
    n_channels, offset, dispersion
        Energy axis: number of channels, first energy in eV, eV per channel.
    onset
        Mean energy of the lowest empty state on the axis, in eV.
    drift
        Standard deviation of the pixels' energy offsets, in eV.
    resolution
        Energy resolution (full width at half maximum), in eV.
    dose
        Counts in the highest channel of the edge alone; None for no noise.
    jump_ratio
        Height of the edge over the height of the background below it.
    n_grains
        Number of grains, each of one site.
    seed
        Seed of grains, drift and noise.

    Returns
    -------
    signal : EELSSpectrum
        The spectra.
    truth : CoreLossPropertySignal
        The true properties. Its map ``onset`` has the thresholds that a prediction is to find:
        those of the spectra without noise and background, read by the default recipe (σ = 0.5
        eV). Thresholds of other recipes lie up to some tenths of an eV beside them.

    Examples
    --------
    >>> s, truth = silica_spectrum_image((8, 6))
    >>> s
    <EELSSpectrum, title: Simulated silica, dimensions: (8, 6|1024)>
    >>> truth.get_property_map("bond_angle")
    <Signal2D, title: bond angle, dimensions: (|8, 6)>
    """
    from exspy.signals import EELSSpectrum

    generator = np.random.default_rng(seed)
    shape = tuple(navigation_shape)[::-1]
    sites = oxygen_k_sites()
    site = _grains(shape, n_grains, len(sites), generator)
    lowest_empty = onset + drift * generator.standard_normal(shape)
    energy = offset + dispersion * np.arange(n_channels)
    edge = _measured_edges(sites, site, lowest_empty, energy, dispersion, resolution)
    background = (energy / onset) ** -3.0 / jump_ratio
    spectra = edge + background
    if dose is not None:
        spectra = generator.poisson(dose * spectra)

    axes: list[dict[str, Any]] = [
        {"name": name, "size": size, "scale": 1.0, "units": "nm", "navigate": True}
        for name, size in zip(_axis_names(len(shape)), shape, strict=True)
    ]
    energy_axis = {
        "name": "Energy loss",
        "size": n_channels,
        "offset": offset,
        "scale": dispersion,
        "units": "eV",
    }
    signal = EELSSpectrum(
        spectra.astype(np.float32),
        axes=[*axes, energy_axis],
        metadata={
            "General": {"title": "Simulated silica"},
            "Signal": {"signal_type": "EELS", "quantity": "Electrons (Counts)"},
            "Sample": {"elements": ["O", "Si"]},
        },
    )
    used, index = np.unique(site, return_inverse=True)
    behind = site_thresholds(sites.take(used), default_recipe(sites))[index.reshape(site.shape)]
    return signal, _truth(sites, site, lowest_empty + behind, axes)


def _grains(
    shape: tuple[int, ...], n_grains: int, n_sites: int, generator: np.random.Generator
) -> np.ndarray:
    """Return the site of each pixel: that of the nearest of some random points."""
    positions = np.moveaxis(np.indices(shape), 0, -1).astype(float)
    seeds = generator.uniform(size=(n_grains, len(shape))) * np.array(shape)
    chosen = generator.choice(n_sites, size=n_grains, replace=n_grains > n_sites)
    distance = ((positions[..., None, :] - seeds) ** 2).sum(axis=-1)
    return chosen[np.argmin(distance, axis=-1)]


def _measured_edges(
    sites: SpectrumDataset,
    site: np.ndarray,
    lowest_empty: np.ndarray,
    energy: np.ndarray,
    dispersion: float,
    resolution: float,
) -> np.ndarray:
    """Return edges of unit height as a spectrometer records them, shape (..., channels)."""
    used, index = np.unique(site, return_inverse=True)
    reach = (energy[0] - lowest_empty.max() - 10.0, energy[-1] - lowest_empty.min() + 10.0)
    fine = np.arange(*reach, _DISPERSION_OF_COMPUTED)
    sigma = max(resolution / FWHM_PER_SIGMA, 1e-6)
    # Broadened once on a grid finer than any channel, then read where each pixel's channels lie.
    operator = broadening_operator(fine, sigma, fine)
    broadened = (operator @ sites.take(used).spectra(fine).T).T
    within = ((np.arange(_SAMPLES) + 0.5) / _SAMPLES - 0.5) * dispersion
    edges = np.empty((site.size, energy.size))
    for pixel, (which, zero) in enumerate(zip(index.ravel(), lowest_empty.ravel(), strict=True)):
        samples = np.interp(np.add.outer(energy - zero, within), fine, broadened[which])
        edges[pixel] = samples.mean(axis=-1)
    edges /= edges.max(axis=-1, keepdims=True)
    return edges.reshape(*site.shape, energy.size)


def _truth(
    sites: SpectrumDataset, site: np.ndarray, threshold: np.ndarray, axes: list[dict[str, Any]]
) -> CoreLossPropertySignal:
    from hyperspy.signals import Signal1D

    from hyperspy_coreloss.signals.metadata import PROPERTY_AXIS, describe_properties, set_map
    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal

    targets = sites.targets[site]
    all_axes = [*axes, {"name": PROPERTY_AXIS, "size": targets.shape[-1], "navigate": False}]
    truth = CoreLossPropertySignal(
        targets.astype(np.float32),
        axes=all_axes,
        metadata=describe_properties(sites.properties, "True properties of simulated silica"),
    )
    onset = np.broadcast_to(threshold[..., None].astype(np.float32), targets.shape)
    set_map(truth, "onset", Signal1D(onset, axes=all_axes))
    return truth


def _axis_names(dimension: int) -> list[str]:
    known = ["x", "y", "z", "t"]
    return [known[i] if i < len(known) else f"axis {i}" for i in range(dimension)][::-1]
