"""Measured-like network inputs of a data set: sites mixed, measured, and read like any spectrum.

Counts go through the whole preprocessing (background, threshold, interpolation), so that its errors
are in the inputs as they are in those of measured spectra.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.dataset import excitation_energies
from hyperspy_coreloss.dataset.splits import phase_numbers
from hyperspy_coreloss.spectra.edge_transforms import ComputedEdges, transform_edges
from hyperspy_coreloss.spectra.measurement import measure
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.spread import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.spectra.microscope import Microscope
    from hyperspy_coreloss.spectra.recipe import Recipe

# Grid of the computed spectra in eV, relative to the lowest empty state, and their broadening.
_GRID = (-15.0, 134.9, 0.1)
_SIGMA = 0.1
# Dispersions of the axes in eV; how far they begin before the lowest empty state, and end behind
# the window.
_DISPERSIONS = (0.1, 0.15, 0.2, 0.25, 0.3)
_BEFORE = (45.0, 70.0)
_BEHIND = 12.0
# The lowest empty state lies this far, in eV, from where it is expected.
_SHIFT = 5.0
# The onset is searched for this far from there, in eV.
_SEARCH = 10.0


@dataclass(frozen=True, slots=True)
class Specimen:
    """Computed spectra, energies, phases and labels of sites, ready to be measured.

    Parameters
    ----------
    edges
        Spectra of the sites.
    lowest_empty
        Energy of the lowest empty state of each site on a calibrated axis: its excitation energy in
        eV, shape (sites,).
    phases
        Phase of each site as a number, shape (sites,).
    targets
        Labels, shape (sites, properties).
    """

    edges: ComputedEdges
    lowest_empty: NDArray[np.float64]
    phases: NDArray[np.int64]
    targets: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Network inputs of one acquisition, and what they were made of.

    Parameters
    ----------
    inputs
        Inputs for each recipe, shape (spectra, window channels), float32.
    energy
        Threshold of each spectrum on a calibrated axis in eV, for each recipe, shape (spectra,).
    targets
        Labels: means over the sites of a spectrum, shape (spectra, properties).
    sites
        Sites of each spectrum, shape (spectra, sites per spectrum); -1 for none.
    relative_thickness, dispersion_error, counts
        What was drawn for each spectrum, shape (spectra,).
    readable
        Whether each spectrum can be read by all recipes, shape (spectra,).
    """

    inputs: tuple[NDArray[np.float32], ...]
    energy: tuple[NDArray[np.float64], ...]
    targets: NDArray[np.float64]
    sites: NDArray[np.int64]
    relative_thickness: NDArray[np.float64]
    dispersion_error: NDArray[np.float64]
    counts: NDArray[np.float64]
    readable: NDArray[np.bool_]


def specimen(dataset: SpectrumDataset) -> Specimen:
    """Return the sites of a data set, ready to be measured.

    Parameters
    ----------
    dataset
        Computed spectra with excitation energies.

    Raises
    ------
    DatasetError
        If an excitation energy is missing, or a spectrum does not reach to 135 eV above the lowest
        empty state.
    ResolutionError
        If a spectrum has a Gaussian broadening of more than σ = 0.1 eV.
    """
    grid = np.arange(*_GRID)
    return Specimen(
        edges=transform_edges(grid, dataset.spectra(grid, sigma=_SIGMA), _SIGMA),
        lowest_empty=excitation_energies(dataset),
        phases=phase_numbers(dataset),
        targets=dataset.targets,
    )


def acquire(
    specimen: Specimen,
    first: NDArray[np.integer],
    recipes: Sequence[Recipe],
    microscope: Microscope,
    generator: np.random.Generator,
) -> Acquisition:
    """Measure spectra on one random energy axis, and read them for networks.

    Parameters
    ----------
    specimen
        Sites to measure.
    first
        First site of each spectrum, shape (spectra,). Mixed spectra have further sites of its
        phase; see :func:`mixed_sites`.
    recipes
        How the spectra are read, with windows relative to the threshold. The dispersion is not
        coarser than their broadening.
    microscope
        Effects of the measurement.
    generator
        Random generator. The same state gives the same bits.
    """
    sites = mixed_sites(specimen.phases, first, microscope, generator)
    present = sites >= 0
    nominal = recipes[0].nominal_onset
    place = nominal + generator.uniform(-_SHIFT, _SHIFT)
    shift = place - specimen.lowest_empty.mean()
    lowest = np.where(present, specimen.lowest_empty[sites] + shift, 0.0)
    dispersion = generator.choice(_readable_dispersions(recipes))
    last = max(recipe.window.stop for recipe in recipes)
    axis = np.arange(place - generator.uniform(*_BEFORE), place + last + _BEHIND, dispersion)
    measured = measure(specimen.edges, sites, lowest, axis, microscope, generator)
    inputs, energies = [], []
    readable = np.ones(len(sites), dtype=bool)
    for recipe in recipes:
        preparation = prepare(
            recipe,
            axis,
            resolution=measured.resolution,
            background="power law" if measured.has_background else None,
            onset_range=(nominal - _SEARCH, nominal + _SEARCH),
        )
        read = preprocess(measured.intensities, preparation)
        inputs.append(read.spectra)
        energies.append(read.onset.astype(np.float64) - shift)
        readable &= read.quality == 0
    weights = present / present.sum(axis=-1, keepdims=True)
    return Acquisition(
        inputs=tuple(inputs),
        energy=tuple(energies),
        targets=np.einsum("ns,nsp->np", weights, specimen.targets[sites]),
        sites=sites,
        relative_thickness=measured.relative_thickness,
        dispersion_error=measured.dispersion_error,
        counts=measured.counts,
        readable=readable,
    )


def _readable_dispersions(recipes: Sequence[Recipe]) -> list[float]:
    sharpest = min(recipe.sigma for recipe in recipes)
    return [each for each in _DISPERSIONS if each <= max(sharpest, _DISPERSIONS[0])]


def mixed_sites(
    phases: NDArray[np.integer],
    first: NDArray[np.integer],
    microscope: Microscope,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the sites of each spectrum, some of which are means over several sites.

    Parameters
    ----------
    phases
        Phase of each site, shape (sites,).
    first
        First site of each spectrum, shape (spectra,).
    microscope
        Its ``mixed_fraction``, ``mixed_sites`` and ``phases_mixed`` say how many spectra are mixed,
        of how many sites and phases.
    generator
        Random generator.

    Returns
    -------
    ndarray
        Sites, shape (spectra, sites per spectrum). No site is twice in a spectrum, so that those of
        small phases have fewer sites; -1 fills the rest.
    """
    first = np.asarray(first)
    number = np.maximum(np.rint(draw(microscope.mixed_sites, generator, len(first))), 2)
    number[generator.random(len(first)) >= microscope.mixed_fraction] = 1
    sites = np.full((len(first), int(number.max(initial=1))), -1, dtype=np.int64)
    sites[:, 0] = first
    members = {int(phase): np.flatnonzero(phases == phase) for phase in np.unique(phases)}
    for row in np.flatnonzero(number > 1):
        own = int(phases[first[row]])
        others = generator.permutation([phase for phase in members if phase != own])
        mixed = [own, *others[: microscope.phases_mixed - 1].tolist()]
        candidates = np.concatenate([members[phase] for phase in mixed])
        candidates = generator.permutation(candidates[candidates != first[row]])
        chosen = candidates[: int(number[row]) - 1]
        sites[row, 1 : 1 + len(chosen)] = chosen
    return sites
