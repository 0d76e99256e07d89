"""Spectra to train on as microscopes measure them, with what a user would know of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.acquisition import acquire
from hyperspy_coreloss.pretrained.auxiliary import (
    DISPERSION_ERRORS,
    ENERGY_ERRORS,
    Conditions,
    auxiliary_inputs,
    usual_threshold,
)
from hyperspy_coreloss.spectra.spread import LogUniform, Normal, Uniform, largest
from hyperspy_coreloss.training.site_references import SiteSpectra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.acquisition import Acquisition, Specimen
    from hyperspy_coreloss.spectra.microscope import Microscope
    from hyperspy_coreloss.spectra.recipe import Recipe

# Spectra of one acquisition, which has one energy axis.
_ACQUIRED = 512
# Fractions of the draws whose energy and whose thickness the networks are told, and of the
# acquisitions whose resolution is; and the standard error of a thickness from a low-loss spectrum.
_TOLD = 0.5
_RESOLVED = 0.7
# Sharpest resolution to train on, in eV, and the coarsest, in σ of the recipe: full widths at half
# maximum, below the 2.35 σ to which spectra of fine channels can be broadened.
_SHARPEST, _COARSEST = 0.3, 2.2
#: Slow errors of the intensity that networks are trained on, whatever the microscope: those of the
#: computed cross sections, which no measurement shares.
INTENSITY_ERROR = 0.05
_THICKNESS_ERROR = 0.03


@dataclass(frozen=True, slots=True)
class Draws:
    """Measured-like spectra of the sites of a data set, for several recipes.

    Parameters
    ----------
    inputs
        Network inputs for each recipe, shape (spectra, window channels), in half precision.
    auxiliary
        Auxiliary inputs for each recipe, shape (spectra, auxiliary inputs).
    targets
        Labels, shape (spectra, properties); NaN where a label is missing.
    first
        First site of each spectrum, shape (spectra,).
    mixed
        Whether each spectrum is a mean over several sites, shape (spectra,).
    thick
        Whether each spectrum is of a thicker specimen than the microscope measures, shape
        (spectra,).
    """

    inputs: tuple[NDArray[np.float16], ...]
    auxiliary: tuple[NDArray[np.float32], ...]
    targets: NDArray[np.float64]
    first: NDArray[np.int64]
    mixed: NDArray[np.bool_]
    thick: NDArray[np.bool_]

    def read_by(self, recipe: int) -> NDArray[np.float32]:
        """Return what the network of a recipe reads, shape (spectra, inputs)."""
        return np.hstack([self.inputs[recipe].astype(np.float32), self.auxiliary[recipe]])

    def site_spectra(self, recipe: int) -> SiteSpectra:
        """Return the spectra that the network of a recipe reads, with their sites."""
        return SiteSpectra(self.read_by(recipe), self.first, self.mixed, self.thick)


def draw_spectra(
    sample: Specimen,
    recipes: Sequence[Recipe],
    microscope: Microscope,
    copies: int,
    seed: int,
    intensity_error: float = INTENSITY_ERROR,
) -> Draws:
    """Measure each site several times, and tell the networks some of what was drawn.

    The dispersion of each acquisition is known with a standard error of its own, from that of a
    calibrated axis to that of an instrument that nobody has calibrated. The resolution of some
    acquisitions is not told; their spectra are read as if nothing had broadened them. Resolutions
    reach up to the coarsest that can be broadened to the recipes.

    Parameters
    ----------
    sample
        Sites to measure.
    recipes
        How the spectra are read.
    microscope
        Effects of the measurement.
    copies
        Number of spectra for each site.
    seed
        Seed of all random numbers.
    intensity_error
        Relative standard deviation of the slow errors of the intensity.
    """
    generator = np.random.default_rng(seed)
    sites = len(sample.targets)
    order = np.concatenate([generator.permutation(sites) for _ in range(copies)])
    trained_on = readable_microscope(microscope, recipes, intensity_error)
    parts = []
    for first in np.array_split(order, -(-len(order) // _ACQUIRED)):
        error = float(LogUniform(*DISPERSION_ERRORS).draw(generator, 1)[0])
        drawn = replace(trained_on, dispersion_error=Normal(0.0, error))
        resolved = bool(generator.random() < _RESOLVED)
        read = acquire(sample, first, recipes, drawn, generator, resolution_known=resolved)
        told = _told(read, error, resolved, usual_threshold(sample.lowest_empty), generator)
        columns = (read.targets, first, (read.sites >= 0).sum(axis=-1) > 1)
        halves = [inputs.astype(np.float16) for inputs in read.inputs]
        parts.append([array[read.readable] for array in (*halves, *told, *columns)])
    joined = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    number = len(recipes)
    targets, sites_of, mixed = joined[2 * number :]
    return Draws(
        inputs=tuple(joined[:number]),
        auxiliary=tuple(joined[number : 2 * number]),
        targets=targets,
        first=sites_of,
        mixed=mixed,
        thick=np.zeros(len(targets), dtype=bool),
    )


def draw_training(
    sample: Specimen,
    recipes: Sequence[Recipe],
    microscope: Microscope,
    copies: tuple[int, int],
    seeds: tuple[int, int],
    thickest: float,
    intensity_error: float = INTENSITY_ERROR,
) -> Draws:
    """Measure each site several times to train on, also in thick specimens.

    Networks that were trained on thin specimens only read thick ones as long bonds, and are sure of
    it. So they are trained on some that are thicker than those that the microscope measures.

    Parameters
    ----------
    sample, recipes, microscope, intensity_error
        As for :func:`draw_spectra`.
    copies
        Numbers of spectra for each site: as the microscope measures them, and thicker ones.
    seeds
        Seeds of the random numbers of either.
    thickest
        Largest relative thickness of thick specimens. There are none if the microscope measures
        thicker ones.
    """
    usual = draw_spectra(sample, recipes, microscope, copies[0], seeds[0], intensity_error)
    measured = largest(microscope.relative_thickness)
    if not copies[1] or measured >= thickest:
        return usual
    thicker = replace(microscope, relative_thickness=Uniform(measured, thickest))
    thick = draw_spectra(sample, recipes, thicker, copies[1], seeds[1], intensity_error)
    inputs, auxiliary = (
        tuple(np.concatenate(each) for each in zip(*pair, strict=True))
        for pair in ((usual.inputs, thick.inputs), (usual.auxiliary, thick.auxiliary))
    )
    return Draws(
        inputs=inputs,
        auxiliary=auxiliary,
        targets=np.concatenate([usual.targets, thick.targets]),
        first=np.concatenate([usual.first, thick.first]),
        mixed=np.concatenate([usual.mixed, thick.mixed]),
        thick=np.concatenate([usual.thick, ~thick.thick]),
    )


def readable_microscope(
    microscope: Microscope, recipes: Sequence[Recipe], intensity_error: float = INTENSITY_ERROR
) -> Microscope:
    """Return a microscope whose spectra all recipes can read, with errors of the intensity.

    Parameters
    ----------
    microscope
        Effects of the measurement. Sites of one phase only are mixed, because a phase must not be
        seen through another.
    recipes
        How the spectra are read, all broadened alike.
    intensity_error
        Relative standard deviation of the slow errors of the intensity.
    """
    coarsest = _COARSEST * min(recipe.sigma for recipe in recipes)
    return replace(
        microscope,
        resolution=Uniform(min(_SHARPEST, coarsest), coarsest),
        intensity_error=intensity_error,
        phases_mixed=1,
    )


def _told(
    read: Acquisition,
    dispersion_error: float,
    resolution_known: bool,
    usual: float,
    generator: np.random.Generator,
) -> list[NDArray[np.float32]]:
    """Return the auxiliary inputs for each recipe, with random errors of the size they state."""
    spectra = len(read.targets)
    energy_error = LogUniform(*ENERGY_ERRORS).draw(generator, spectra)
    wrong = energy_error * generator.standard_normal(spectra)
    known, measured = (generator.random(spectra) < _TOLD for _ in range(2))
    noisy = read.relative_thickness + _THICKNESS_ERROR * generator.standard_normal(spectra)
    return [
        auxiliary_inputs(
            Conditions(
                energy=np.where(known, energy + wrong, np.nan),
                energy_error=energy_error,
                relative_thickness=np.where(measured, noisy, np.nan),
                dispersion_error=dispersion_error,
                resolution_known=resolution_known,
            ),
            usual,
        )
        for energy in read.energy
    ]
