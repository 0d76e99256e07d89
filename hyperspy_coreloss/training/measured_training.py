"""Training a family of models on spectra as microscopes measure them.

Models of one broadening read the same draws: mixed, measured and preprocessed by
:mod:`hyperspy_coreloss.dataset.acquisition`. For each model, one network is trained on all phases,
and one without each fold of them. The latter predict new draws of their fold, which gives the
errors and intervals of the model for phases that it never saw.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.population import POPULATIONS, population_codes
from hyperspy_coreloss.dataset.splits import LEFT_OUT, sites_without
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.training_record import TrainingRecord
from hyperspy_coreloss.provenance import software_versions
from hyperspy_coreloss.training.evaluation import measure_errors
from hyperspy_coreloss.training.measured_draws import draw_spectra, draw_training
from hyperspy_coreloss.training.region_errors import draw_regions, region_errors
from hyperspy_coreloss.training.side_by_side import (
    NetworkSettings,
    predict_by_fold,
    train_side_by_side,
)
from hyperspy_coreloss.training.site_references import LabelledSites, site_references

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.spectra.energy import EnergyWindow
    from hyperspy_coreloss.spectra.microscope import Microscope
    from hyperspy_coreloss.spectra.recipe import Recipe
    from hyperspy_coreloss.training.measured_draws import Draws

# End in eV of the widest window whose networks are trained with dropout.
_NARROW = 40.0
_CITATION = "S. Kiyohara, M. Tsubaki, K. Liao, T. Mizoguchi, J. Phys. Mater. 2 (2019) 024003"
_SPLIT = "each phase judged by the network that was trained without it, as the microscope measures"


@dataclass(frozen=True, slots=True)
class FamilySettings:
    """How a family of models is trained.

    Parameters
    ----------
    networks
        Settings of the networks.
    narrow_dropout
        Dropout rate of networks whose window ends 40 eV above the threshold or before. They tell
        new phases and other materials better with it; those that read farther, without.
    copies
        Number of spectra to train on for each site, each measured anew.
    thick_copies, thickest
        Number of further spectra of each site to train on, of specimens that are thicker than those
        that the microscope measures, and the largest relative thickness of these.
    held_out_copies
        Number of further spectra of each site, to measure errors on.
    folds
        Number of folds of the phases.
    seed
        Seed of the draws and of the folds.
    """

    networks: NetworkSettings = field(default_factory=NetworkSettings)
    narrow_dropout: float = 0.15
    copies: int = 48
    thick_copies: int = 12
    thickest: float = 3.0
    held_out_copies: int = 2
    folds: int = 10
    seed: int = 0

    def networks_of(self, window: EnergyWindow) -> NetworkSettings:
        """Return the settings of the networks that read a window."""
        if window.stop > _NARROW:
            return self.networks
        return replace(self.networks, dropout=self.narrow_dropout)


def train_family(
    dataset: SpectrumDataset,
    recipes: Mapping[str, Recipe],
    microscope: Microscope,
    settings: FamilySettings | None = None,
    *,
    intended_use: str,
    limits: str,
    model_version: str = "1.0.0",
    withheld_phases: Sequence[str] = (),
    n_jobs: int | None = None,
    show_progressbar: bool = True,
) -> list[PretrainedModel]:
    """Train one model for each recipe, on spectra as a microscope measures them.

    The same data set and settings give bit-identical models on processors of one kind.

    Parameters
    ----------
    dataset
        Spectra that reach to 135 eV above the lowest empty state, labels and phases.
    recipes
        Name and preprocessing of each model, with windows relative to the threshold.
    microscope
        Effects of the measurements to train on. Its resolution is replaced by those that can be
        broadened to the recipes, and its dispersion error by errors of 0.1 to 3 %, which the
        networks are told. Sites are mixed within one phase only, because a
        phase must not be seen through another.
    settings
        Settings of the training.
    intended_use, limits, model_version
        Texts for the model cards.
    withheld_phases
        Names of phases that the models are not trained on.
    n_jobs
        Number of parallel processes, as in scikit-learn.
    show_progressbar
        Whether to show a progress bar over the models.

    Raises
    ------
    DatasetError
        If there are fewer phases than folds, an excitation energy is missing, or the spectra end
        too early.
    """
    settings = FamilySettings() if settings is None else settings
    positions = sites_without(dataset, withheld_phases)
    trained = dataset.take(positions)
    sample = specimen(trained)
    folds = phase_folds(sample.phases, settings.folds, settings.seed)
    populations = population_codes(trained.populations)
    models = []
    progress = tqdm(total=len(recipes), desc="models", disable=not show_progressbar)
    for names in _alike(recipes):
        alike = [recipes[name] for name in names]
        seeds = np.random.SeedSequence(settings.seed).generate_state(4).tolist()
        training = draw_training(
            sample,
            alike,
            microscope,
            (settings.copies, settings.thick_copies),
            (seeds[0], seeds[3]),
            settings.thickest,
        )
        held_out = draw_spectra(sample, alike, microscope, settings.held_out_copies, seeds[1])
        regions = draw_regions(sample, alike, microscope, seeds[2])
        fits = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(train_side_by_side)(
                training.read_by(number),
                training.targets,
                folds[training.first],
                settings.networks_of(recipe.window),
                auxiliary=N_AUXILIARY,
            )
            for number, recipe in enumerate(alike)
        )
        for number, (name, weights) in enumerate(zip(names, fits, strict=True)):
            references, wider = site_references(
                weights,
                training.site_spectra(number),
                held_out.site_spectra(number),
                recipes[name].window,
                LabelledSites(sample.targets, folds, positions, populations),
            )
            references = replace(
                references, region_errors=region_errors(weights, regions, number, folds)
            )
            judged = _judged(weights, held_out, number, folds, wider, populations)
            record = _record(dataset, trained, settings, microscope, judged, withheld_phases)
            models.append(
                PretrainedModel(
                    name=name,
                    version=model_version,
                    recipe=recipes[name],
                    properties=dataset.properties,
                    hidden=settings.networks.hidden,
                    weights={key: array[-1:] for key, array in weights.items()},
                    scores=(judged.residuals / judged.spreads).astype(np.float16),
                    usual_spread=np.median(judged.spreads, axis=0),
                    history=np.full((1, 1, 2), np.nan, dtype=np.float32),
                    record=record,
                    intended_use=intended_use,
                    limits=limits,
                    label_range=_label_range(trained.targets),
                    reads_conditions=True,
                    references=references,
                )
            )
            progress.update()
    progress.close()
    return models


def _alike(recipes: Mapping[str, Recipe]) -> list[list[str]]:
    """Return the names of recipes of one broadening each, whose models read the same draws."""
    sigmas = sorted({recipe.sigma for recipe in recipes.values()})
    return [[name for name in recipes if recipes[name].sigma == sigma] for sigma in sigmas]


def phase_folds(phases: NDArray[np.integer], folds: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the fold of each site, which keeps each phase together.

    Parameters
    ----------
    phases
        Phase of each site, shape (sites,).
    folds
        Number of folds.
    seed
        Seed of the order of the phases.

    Raises
    ------
    DatasetError
        If there are fewer phases than folds.
    """
    number = len(np.unique(phases))
    if number < folds:
        msg = (
            f"Training needs a phase for each of its {folds} folds, but there are {number} "
            "phases. Add spectra of other phases, or use fewer folds."
        )
        raise DatasetError(msg)
    fold_of = np.empty(len(phases), dtype=np.int64)
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    for fold, (_, left_out) in enumerate(splitter.split(phases, groups=phases)):
        fold_of[left_out] = fold
    return fold_of


@dataclass(frozen=True, slots=True)
class _Judged:
    """Errors of each held-out spectrum, predicted by the network that never saw its phase."""

    residuals: NDArray[np.float64]
    spreads: NDArray[np.float64]
    targets: NDArray[np.float64]
    median: NDArray[np.float64]
    populations: NDArray[np.uint8]

    def errors_by_population(self, properties: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return the mean absolute error of each property, by the name of the population."""
        found = {}
        for code, name in enumerate(POPULATIONS):
            rows = self.populations == code
            if rows.any():
                errors = np.abs(self.residuals[rows]).mean(axis=0)
                found[name] = dict(zip(properties, errors.tolist(), strict=True))
        return found


def _judged(
    weights: Mapping[str, NDArray],
    draws: Draws,
    recipe: int,
    folds: NDArray[np.int64],
    wider: NDArray[np.float32],
    populations: NDArray[np.uint8],
) -> _Judged:
    complete = np.isfinite(draws.targets).all(axis=-1)
    inputs, targets = draws.read_by(recipe)[complete], draws.targets[complete]
    own = folds[draws.first[complete]]
    predicted, spreads = predict_by_fold(weights, inputs, own)
    spreads = spreads * wider[complete]
    median = np.empty_like(targets)
    for fold in np.unique(own):
        median[own == fold] = np.median(targets[own != fold], axis=0)
    return _Judged(
        residuals=predicted - targets,
        spreads=spreads,
        targets=targets,
        median=median,
        populations=populations[draws.first[complete]],
    )


def _record(
    dataset: SpectrumDataset,
    trained: SpectrumDataset,
    settings: FamilySettings,
    microscope: Microscope,
    judged: _Judged,
    withheld_phases: Sequence[str],
) -> TrainingRecord:
    predicted = judged.targets + judged.residuals
    metrics = measure_errors(
        dataset.properties, judged.targets, predicted, {"median": judged.median}
    )
    described: dict[str, Any] = asdict(settings)
    described["networks"]["hidden"] = list(settings.networks.hidden)
    return TrainingRecord(
        dataset=dataset.description,
        dataset_sha256=dataset.sha256,
        **asdict(trained.counts),
        split=_SPLIT,
        start_sha256=None,
        settings={**described, "microscope": microscope.to_dict()},
        metrics={LEFT_OUT: metrics},
        software=software_versions("torch", "numpy", "scikit-learn"),
        citation=_CITATION,
        licence=dataset.licence,
        withheld_phases=tuple(withheld_phases),
        population_errors=judged.errors_by_population([spec.name for spec in dataset.properties]),
    )


def _label_range(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.nanmin(targets, axis=0), np.nanmax(targets, axis=0)])
