"""Errors of means over regions of one phase: what remains of errors when spectra are averaged.

Noise averages out over the pixels of a region. What the microscope does to all of them alike does
not, nor does what the network gets wrong about a phase that it never saw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.acquisition import acquire
from hyperspy_coreloss.pretrained.auxiliary import (
    auxiliary_inputs,
    unknown_conditions,
    usual_threshold,
)
from hyperspy_coreloss.spectra.spread import LogUniform, draw
from hyperspy_coreloss.training.measured_draws import readable_microscope
from hyperspy_coreloss.training.side_by_side import predict_by_fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.acquisition import Specimen
    from hyperspy_coreloss.spectra.microscope import Microscope
    from hyperspy_coreloss.spectra.recipe import Recipe

# Regions of each phase, and their pixels.
_REGIONS, _PIXELS = 2, 16
# Counts in the highest 0.1 eV of the edge of a pixel: so many that errors are not those of noise.
_COUNTS = (1e4, 1e5)
# Effects of the microscope that all pixels of a region share.
_SHARED = ("relative_thickness", "dispersion_error", "background_exponent", "jump_ratio")


@dataclass(frozen=True, slots=True)
class Regions:
    """Spectra of regions of one phase each, as networks read them.

    Parameters
    ----------
    read
        Network inputs for each recipe, shape (spectra, inputs).
    targets
        Labels, shape (spectra, properties).
    region
        Region of each spectrum, shape (spectra,).
    first
        First site of each spectrum, shape (spectra,).
    """

    read: tuple[NDArray[np.float32], ...]
    targets: NDArray[np.float64]
    region: NDArray[np.int64]
    first: NDArray[np.int64]


def draw_regions(
    sample: Specimen,
    recipes: Sequence[Recipe],
    microscope: Microscope,
    seed: int,
    pixels: int = _PIXELS,
    counts: tuple[float, float] = _COUNTS,
) -> Regions:
    """Measure regions of each phase; what a microscope does is the same for all their pixels.

    Parameters
    ----------
    sample
        Sites to measure. Those without all labels are left out.
    recipes
        How the spectra are read.
    microscope
        Effects of the measurement, drawn once for each region, but for the noise and the sites.
    seed
        Seed of all random numbers.
    pixels
        Number of pixels of a region.
    counts
        Limits of the counts in the highest 0.1 eV of the edge of a pixel.
    """
    generator = np.random.default_rng(seed)
    usual = usual_threshold(sample.lowest_empty)
    readable = readable_microscope(microscope, recipes)
    complete = np.isfinite(sample.targets).all(axis=-1)
    read: list[list[NDArray[np.float32]]] = [[] for _ in recipes]
    targets, regions, firsts = [], [], []
    phases = np.repeat(np.unique(sample.phases[complete]), _REGIONS)
    for region, phase in enumerate(phases):
        fixed: dict[str, Any] = {
            name: float(draw(getattr(microscope, name), generator, 1)[0]) for name in _SHARED
        }
        drawn = replace(readable, counts=LogUniform(*counts), **fixed)
        sites = np.flatnonzero(complete & (sample.phases == phase))
        first = generator.choice(sites, pixels)
        acquired = acquire(sample, first, recipes, drawn, generator)
        kept = acquired.readable & np.isfinite(acquired.targets).all(axis=-1)
        told = auxiliary_inputs(unknown_conditions(int(kept.sum())), usual)
        for rows, inputs in zip(read, acquired.inputs, strict=True):
            rows.append(np.hstack([inputs[kept], told]))
        targets.append(acquired.targets[kept])
        regions.append(np.full(int(kept.sum()), region))
        firsts.append(first[kept])
    return Regions(
        read=tuple(np.concatenate(rows) for rows in read),
        targets=np.concatenate(targets),
        region=np.concatenate(regions),
        first=np.concatenate(firsts),
    )


def region_errors(
    weights: Mapping[str, NDArray], regions: Regions, recipe: int, folds: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Return the errors of the means over regions, shape (regions, properties).

    Parameters
    ----------
    weights
        Networks of :func:`~hyperspy_coreloss.training.side_by_side.train_side_by_side`: one without
        each fold, and one on all sites.
    regions
        Spectra of regions.
    recipe
        Number of the recipe.
    folds
        Fold of each site, shape (sites,).
    """
    own = folds[regions.first]
    predicted, _ = predict_by_fold(weights, regions.read[recipe], own)
    errors = predicted - regions.targets
    number, row = np.unique(regions.region, return_inverse=True)
    total = np.zeros((len(number), errors.shape[1]))
    np.add.at(total, row, errors)
    return (total / np.bincount(row)[:, None]).astype(np.float32)
