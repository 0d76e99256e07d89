"""Simulated spectrum image of silica grains, with the true property maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.data.shipped import oxygen_k_sites
from hyperspy_coreloss.dataset.inputs import default_recipe, site_thresholds
from hyperspy_coreloss.dataset.splits import demonstration_phases
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA, broadening_operator

if TYPE_CHECKING:
    from exspy.signals import EELSSpectrum

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal

# Number of samples per channel for the integration of a spectrum over its channels.
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
    """Simulate an oxygen K spectrum image of silica grains, and return its true properties.

    Each grain has the computed spectrum of one site of :func:`oxygen_k_sites`, on a power-law
    background and with counting noise. The onset varies from pixel to pixel. The sites belong to
    the :func:`~hyperspy_coreloss.dataset.demonstration_phases`, on which no shipped model and no
    shipped emulator is trained: the errors of a prediction are those on new phases, and in addition
    those due to instrument and noise.

    Parameters
    ----------
    navigation_shape
        Shape of the navigation space, in HyperSpy's order (x first). ``()`` gives one spectrum.
    n_channels, offset, dispersion
        Number of channels of the energy axis, its first energy in eV, and eV per channel.
    onset
        Mean energy of the lowest empty state on the axis, in eV.
    drift
        Standard deviation of the energy shift between pixels, in eV.
    resolution
        Energy resolution (full width at half maximum), in eV.
    dose
        Counts in the highest channel of the edge without background, or None for no noise.
    jump_ratio
        Height of the edge divided by the height of the background at `onset`.
    n_grains
        Number of grains, each with the spectrum of one site.
    seed
        Seed of the random generator of grains, drift and noise.

    Returns
    -------
    signal : EELSSpectrum
        The spectra.
    truth : CoreLossPropertySignal
        The true properties. Its map ``onset`` contains the true thresholds: those of the spectra
        without noise and background, with the default recipe (σ = 0.5 eV). The thresholds of other
        recipes differ by up to some tenths of an eV.

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
    every_site = oxygen_k_sites()
    shown = np.isin(every_site.phases, demonstration_phases(every_site))
    sites = every_site.take(np.flatnonzero(shown))
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
    """Return the site of each pixel, which is that of the nearest of `n_grains` random points."""
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
    """Return edges of unit height, integrated over the channels, shape (..., channels)."""
    used, index = np.unique(site, return_inverse=True)
    reach = (energy[0] - lowest_empty.max() - 10.0, energy[-1] - lowest_empty.min() + 10.0)
    fine = np.arange(*reach, _DISPERSION_OF_COMPUTED)
    sigma = max(resolution / FWHM_PER_SIGMA, 1e-6)
    # The spectra are broadened once on a fine grid and interpolated at the channels of each pixel.
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
    names = ["x", "y", "z", "t"]
    return [names[i] if i < len(names) else f"axis {i}" for i in range(dimension)][::-1]
