"""Networks without each fold of all phases, and what they predict: for measurements of accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.population import population_codes
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY
from hyperspy_coreloss.pretrained.trust import novelty, widening
from hyperspy_coreloss.spectra.microscope import TYPICAL
from hyperspy_coreloss.training.accuracy import MEDIAN, FoldPredictions
from hyperspy_coreloss.training.cross_validation import fold_medians, interval_factors
from hyperspy_coreloss.training.measured_draws import INTENSITY_ERROR, draw_spectra, draw_training
from hyperspy_coreloss.training.measured_training import phase_folds
from hyperspy_coreloss.training.shipped_family import STOPS, family_recipes
from hyperspy_coreloss.training.side_by_side import predict_by_fold, train_side_by_side
from hyperspy_coreloss.training.site_references import (
    LabelledSites,
    SiteSpectra,
    distances_by_fold,
    references_by_fold,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.acquisition import Specimen
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.pretrained.references import References
    from hyperspy_coreloss.spectra.energy import EnergyWindow
    from hyperspy_coreloss.spectra.microscope import Microscope
    from hyperspy_coreloss.spectra.recipe import Recipe
    from hyperspy_coreloss.training.cross_validation import MeasuredSites
    from hyperspy_coreloss.training.measured_draws import Draws
    from hyperspy_coreloss.training.measured_training import FamilySettings

LEVEL = 0.9
SIGMA = 0.5
# Number of the seed of thick specimens, which nothing else uses.
_THICK_SEED = 8


@dataclass(frozen=True)
class Trial:
    """Sites to cross-validate on, with their folds."""

    dataset: SpectrumDataset
    sample: Specimen
    recipes: dict[str, Recipe]
    folds: NDArray[np.int64]
    medians: NDArray[np.float64]
    settings: FamilySettings

    @property
    def listed(self) -> list[Recipe]:
        """Recipes in the order of their numbers."""
        return list(self.recipes.values())

    @property
    def seeds(self) -> list[int]:
        """Seeds of all draws; the first two are those of :func:`train_family`."""
        return np.random.SeedSequence(self.settings.seed).generate_state(16).tolist()


@dataclass(frozen=True)
class Networks:
    """Networks of one window, each trained without a fold of the phases.

    Parameters
    ----------
    weights
        From :func:`~hyperspy_coreloss.training.side_by_side.train_side_by_side`.
    window
        Window that they read.
    references
        Sites of the other folds that the spectra of each fold are compared with.
    distances
        Distances of held-out spectra to the nearest of these sites, by space.
    factors
        What spreads are multiplied by to give the intervals of each fold, shape (folds,
        properties).
    """

    weights: dict[str, NDArray]
    window: EnergyWindow
    references: Mapping[int, References]
    distances: Mapping[str, NDArray[np.float32]]
    factors: NDArray[np.float64]

    def predict(
        self, spectra: SiteSpectra, folds: NDArray[np.integer]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the values and the spreads of spectra, by the networks of their folds."""
        values, spread = predict_by_fold(self.weights, spectra.read, folds[spectra.first])
        return values, spread * self._wider(self._compared(spectra, folds)["spectrum"])

    def novelty(self, spectra: SiteSpectra, folds: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the novelty of spectra, compared with the sites of other folds."""
        found = self._compared(spectra, folds)
        held_out = [np.sort(self.distances[space]) for space in found]
        return novelty(list(found.values()), held_out)

    def _compared(
        self, spectra: SiteSpectra, folds: NDArray[np.integer]
    ) -> dict[str, NDArray[np.float32]]:
        return distances_by_fold(self.references, self.weights, spectra, self.window, folds)

    def _wider(self, distance: NDArray[np.float32]) -> NDArray[np.float32]:
        return widening(distance / np.median(self.distances["spectrum"]))


def prepare_trial(
    dataset: SpectrumDataset, settings: FamilySettings, stops: Sequence[float] = STOPS
) -> Trial:
    """Return the sites of a data set with the folds of :func:`train_family`."""
    named = family_recipes("", sigmas=(SIGMA,), stops=stops).values()
    recipes = {f"{recipe.window.stop:g}": recipe for recipe in named}
    sample = specimen(dataset)
    folds = phase_folds(sample.phases, settings.folds, settings.seed)
    medians = fold_medians(sample.targets, folds)
    return Trial(dataset, sample, recipes, folds, medians, settings)


def draw_trial(trial: Trial, intensity_error: float = INTENSITY_ERROR) -> tuple[Draws, Draws]:
    """Return the spectra that networks are trained on, and held-out ones, as of the family."""
    settings, seeds = trial.settings, trial.seeds
    training = draw_training(
        trial.sample,
        trial.listed,
        TYPICAL,
        (settings.copies, settings.thick_copies),
        (seeds[0], seeds[_THICK_SEED]),
        settings.thickest,
        intensity_error,
    )
    held_out = draw_spectra(
        trial.sample, trial.listed, TYPICAL, settings.held_out_copies, seeds[1], intensity_error
    )
    return training, held_out


def of_kind(microscope: Microscope, kind: str) -> Microscope:
    """Return a microscope that measures single sites only, or means over several sites only."""
    mixed = float(kind == "mixed")
    return replace(microscope, mixed_fraction=mixed, mixed_sites=TYPICAL.mixed_sites)


def train_networks(
    trial: Trial,
    training: SiteSpectra,
    targets: NDArray[np.float64],
    held_out: SiteSpectra,
    held_out_targets: NDArray[np.float64],
    window: EnergyWindow,
) -> Networks:
    """Train a network without each fold of the phases, and calibrate its intervals.

    Parameters
    ----------
    trial
        The sites.
    training, targets
        Spectra to train on, and their labels.
    held_out, held_out_targets
        Other spectra of the same sites, and their labels.
    window
        Window of the spectra.
    """
    weights = train_side_by_side(
        training.read,
        targets,
        trial.folds[training.first],
        trial.settings.networks_of(window),
        auxiliary=N_AUXILIARY,
    )
    sites = labelled_sites(trial, trial.folds)
    references = references_by_fold(weights, training, window, sites)
    found = distances_by_fold(references, weights, held_out, window, trial.folds)
    networks = Networks(weights, window, references, found, np.ones((1, 1)))
    values, spread = networks.predict(held_out, trial.folds)
    scores = (values - held_out_targets) / spread
    factors = interval_factors(scores, trial.folds[held_out.first], LEVEL)
    return replace(networks, factors=factors)


def predict_sites(
    trial: Trial,
    networks: Networks,
    measured: MeasuredSites,
    inputs: NDArray[np.float32],
    baselines: dict[str, NDArray] | None = None,
) -> FoldPredictions:
    """Predict measured sites by networks and intervals that never saw their phases."""
    folds = trial.folds[measured.first]
    values, spread = networks.predict(site_spectra(measured, inputs), trial.folds)
    return FoldPredictions(
        targets=measured.targets,
        values=values,
        half_width=networks.factors[folds] * spread,
        phases=trial.sample.phases[measured.first],
        populations=np.array(trial.dataset.populations)[measured.first],
        baselines={MEDIAN: trial.medians[folds], **(baselines or {})},
    )


def labelled_sites(trial: Trial, folds: NDArray[np.integer]) -> LabelledSites:
    """Return the sites of a trial with other folds."""
    populations = population_codes(trial.dataset.populations)
    return LabelledSites(trial.sample.targets, folds, np.arange(len(folds)), populations)


def site_spectra(measured: MeasuredSites, inputs: NDArray[np.float32]) -> SiteSpectra:
    """Return measured sites with what networks read of them."""
    never = np.zeros(len(inputs), dtype=bool)
    return SiteSpectra(inputs, measured.first, never, never)


def rounded(values: Any) -> Any:
    """Round numbers to five significant digits; numbers that are not finite become None."""
    if isinstance(values, dict):
        return {name: rounded(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [rounded(value) for value in values]
    if isinstance(values, float):
        return float(f"{values:.5g}") if np.isfinite(values) else None
    return values
