"""Simulated spectrum image of silica grains, with the true property maps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.acquisition import mixed_sites
from hyperspy_coreloss.dataset.dataset import excitation_energies
from hyperspy_coreloss.dataset.inputs import default_recipe, site_thresholds
from hyperspy_coreloss.dataset.shipped import oxygen_k_sites
from hyperspy_coreloss.dataset.splits import complete_sites, demonstration_phases, phase_numbers
from hyperspy_coreloss.spectra.edge_transforms import transform_edges
from hyperspy_coreloss.spectra.measurement import measure
from hyperspy_coreloss.spectra.microscope import Microscope
from hyperspy_coreloss.spectra.spread import draw

if TYPE_CHECKING:
    from exspy.signals import EELSSpectrum

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal

# A calibrated instrument and a thin specimen.
_GOOD = Microscope(resolution=0.5, counts=1e4, jump_ratio=1.0)
# First energy in eV, step, and margin at the end of the grid of the computed spectra: for drift of
# the axis and an error of the dispersion.
_FIRST, _STEP, _MARGIN = -15.0, 0.05, 0.1
# Number of spectra that are measured at a time, which limits the memory.
_TOGETHER = 1024


def silica_spectrum_image(
    navigation_shape: tuple[int, ...] = (32, 32),
    *,
    n_channels: int = 1700,
    offset: float = 480.0,
    dispersion: float = 0.1,
    onset: float = 537.0,
    drift: float = 0.5,
    resolution: float | None = None,
    dose: float | None = None,
    jump_ratio: float | None = None,
    microscope: Microscope = _GOOD,
    n_grains: int = 12,
    seed: int = 0,
) -> tuple[EELSSpectrum, CoreLossPropertySignal]:
    """Simulate an oxygen K spectrum image of silica grains, and return its true properties.

    Each grain has the computed spectrum of one site of :func:`oxygen_k_sites`, as a microscope
    measures it. The onset varies from pixel to pixel. The sites belong to the
    :func:`~hyperspy_coreloss.dataset.demonstration_phases`, on which no shipped model and no
    shipped emulator is trained: the errors of a prediction are those on new phases, with those due
    to instrument and noise.

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
        Energy resolution (full width at half maximum), in eV; by default that of `microscope`.
    dose
        Counts in the highest 0.1 eV of the edge without background, or infinity for no counting
        noise; by default the counts of `microscope`.
    jump_ratio
        Height of the edge divided by the height of the background at the onset; by default that of
        `microscope`.
    microscope
        Effects of the measurement, such as
        ``hyperspy_coreloss.spectra.named_microscope("typical")``. The default has a resolution of
        0.5 eV, 10⁴ counts and a jump ratio of 1. Pixels that are means over several sites have
        further sites of the phase of their grain.
    n_grains
        Number of grains, each with the spectrum of one site.
    seed
        Seed of the random generator of grains, drift and noise.

    Returns
    -------
    signal : EELSSpectrum
        The spectra. Their ``original_metadata.Microscope`` has the effects, with the stated
        resolution.
    truth : CoreLossPropertySignal
        The true properties; means over the sites of a mixed pixel. Its map ``onset`` contains the
        true thresholds: those of the spectra without noise and background, with the default recipe
        (σ = 0.5 eV). The thresholds of other recipes differ by up to some tenths of an eV.

    Examples
    --------
    >>> s, truth = silica_spectrum_image((8, 6))
    >>> s
    <EELSSpectrum, title: Simulated silica, dimensions: (8, 6|1700)>
    >>> truth.get_property_map("bond_angle")
    <Signal2D, title: bond angle, dimensions: (|8, 6)>
    """
    from exspy.signals import EELSSpectrum

    from hyperspy_coreloss.signals.metadata import describe_spectra

    generator = np.random.default_rng(seed)
    shape = tuple(navigation_shape)[::-1]
    shipped = oxygen_k_sites()
    complete = shipped.take(complete_sites(shipped))
    kept = np.isin(complete.phases, demonstration_phases(shipped))
    shown = complete.take(np.flatnonzero(kept))
    site = _grains(shape, n_grains, len(shown), generator)
    lowest_empty = onset + drift * generator.standard_normal(shape)
    energy = offset + dispersion * np.arange(n_channels)
    given: dict[str, Any] = {"resolution": resolution, "counts": dose, "jump_ratio": jump_ratio}
    used = replace(microscope, **{name: v for name, v in given.items() if v is not None})
    used = replace(used, resolution=float(draw(used.resolution, generator, 1)[0]))
    pixels = mixed_sites(phase_numbers(shown), site.ravel(), used, generator)
    chosen, members = np.unique(pixels, return_inverse=True)
    members = members.reshape(pixels.shape) - int(chosen[0] < 0)  # no site is -1 again
    sites = shown.take(chosen[chosen >= 0])
    at = _lowest_empty(sites, members, lowest_empty.ravel())
    spectra = _measured(sites, members, at, energy, used, generator)

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
        spectra.reshape(*shape, n_channels),
        axes=[*axes, energy_axis],
        metadata=describe_spectra("Simulated silica", "Electrons (Counts)", elements=("O", "Si")),
        original_metadata={"Microscope": used.to_dict()},
    )
    threshold = at + site_thresholds(sites, default_recipe(sites))[members]
    return signal, _truth(sites, members, threshold, axes)


def _grains(
    shape: tuple[int, ...], n_grains: int, n_sites: int, generator: np.random.Generator
) -> np.ndarray:
    """Return the site of each pixel, which is that of the nearest of `n_grains` random points."""
    positions = np.moveaxis(np.indices(shape), 0, -1).astype(float)
    seeds = generator.uniform(size=(n_grains, len(shape))) * np.array(shape)
    chosen = generator.choice(n_sites, size=n_grains, replace=n_grains > n_sites)
    distance = ((positions[..., None, :] - seeds) ** 2).sum(axis=-1)
    return chosen[np.argmin(distance, axis=-1)]


def _lowest_empty(
    sites: SpectrumDataset, members: np.ndarray, lowest_empty: np.ndarray
) -> np.ndarray:
    """Return the energy of the lowest empty state of each site of each pixel, on the axis."""
    excitation, present = excitation_energies(sites)[members], members >= 0
    mean = _mean(excitation, present)
    return lowest_empty[:, None] + np.where(present, excitation - mean[:, None], 0.0)


def _mean(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    return np.where(present, values, 0.0).sum(axis=1) / present.sum(axis=1)


def _measured(
    sites: SpectrumDataset,
    members: np.ndarray,
    lowest_empty: np.ndarray,
    energy: np.ndarray,
    microscope: Microscope,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return the intensities of all pixels, shape (pixels, channels)."""
    reach = (1.0 + _MARGIN) * max(energy[-1] - lowest_empty.min(), 0.0) + 1.0
    grid = np.arange(_FIRST, min(reach, sites.energy_range[1]), _STEP)
    sigma = float(sites.sigma.max())
    computed = sites.spectra(grid, sigma) if sigma else sites.spectra(grid)
    edges = transform_edges(grid, computed, sigma)
    parts = np.array_split(np.arange(len(members)), -(-len(members) // _TOGETHER))
    measured = [
        measure(edges, members[rows], lowest_empty[rows], energy, microscope, generator)
        for rows in parts
    ]
    return np.concatenate([part.intensities for part in measured])


def _truth(
    sites: SpectrumDataset,
    members: np.ndarray,
    threshold: np.ndarray,
    axes: list[dict[str, Any]],
) -> CoreLossPropertySignal:
    from hyperspy.signals import Signal1D

    from hyperspy_coreloss.signals.axes import PROPERTY_AXIS
    from hyperspy_coreloss.signals.metadata import describe_properties, set_map
    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal

    shape, present = tuple(axis["size"] for axis in axes), members >= 0
    columns = [_mean(values, present) for values in np.moveaxis(sites.targets[members], -1, 0)]
    targets = np.stack(columns, axis=-1).reshape(*shape, -1)
    all_axes = [*axes, {"name": PROPERTY_AXIS, "size": targets.shape[-1], "navigate": False}]
    truth = CoreLossPropertySignal(
        targets.astype(np.float32),
        axes=all_axes,
        metadata=describe_properties(sites.properties, "True properties of simulated silica"),
    )
    onset = _mean(threshold, present).astype(np.float32).reshape(*shape, 1)
    onset = np.broadcast_to(onset, targets.shape)
    set_map(truth, "onset", Signal1D(onset, axes=all_axes))
    return truth


def _axis_names(dimension: int) -> list[str]:
    names = ["x", "y", "z", "t"]
    return [names[i] if i < len(names) else f"axis {i}" for i in range(dimension)][::-1]
