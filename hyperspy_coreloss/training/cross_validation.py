"""Cross-validation on measured-like spectra: each is predicted by what never saw its phase."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

from hyperspy_coreloss.dataset.acquisition import acquire
from hyperspy_coreloss.pretrained.auxiliary import Conditions, auxiliary_inputs, usual_threshold
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.spectra.certainty import USUAL_DISPERSION_ERROR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.acquisition import Specimen
    from hyperspy_coreloss.spectra.microscope import Microscope
    from hyperspy_coreloss.spectra.recipe import Recipe

    # Inputs (spectra, inputs), labels (spectra, properties) and folds (spectra,).
    LabelledInputs = tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.integer]]

#: Simpler models that read the same inputs.
BASELINES = ("nearest_neighbours", "ridge", "kernel_ridge", "forest")
# Spectra of one acquisition, which has one energy axis and one resolution. Few, so that a test has
# many axes.
_ACQUIRED = 128
# Settings of the baselines. Widths of the kernel are relative to the total variance of the inputs.
_NEIGHBOURS = (3, 10, 30)
_RIDGE_PENALTIES = (10.0, 100.0, 1000.0)
_KERNEL_WIDTHS, _KERNEL_PENALTIES = (0.1, 0.4), (0.1, 0.5)
_TREES = 50


@dataclass(frozen=True, slots=True)
class MeasuredSites:
    """Measured-like spectra of sites, and what they were made of.

    Parameters
    ----------
    usual_threshold
        Energy in eV that networks read as zero.
    inputs
        Network inputs for each recipe, shape (spectra, window channels), in half precision.
    energy
        Threshold on a calibrated axis in eV for each recipe, shape (spectra,).
    deviate
        Standard normal random number of each spectrum, for the error of its energy, shape
        (spectra,).
    targets
        Labels, shape (spectra, properties): means over the sites of a spectrum; NaN where one is
        missing.
    first
        First site of each spectrum, shape (spectra,).
    relative_thickness, counts
        What was drawn for each spectrum, shape (spectra,).
    readable
        Share of the measured spectra that could be read; only these are here.
    """

    usual_threshold: float
    inputs: tuple[NDArray[np.float16], ...]
    energy: tuple[NDArray[np.float64], ...]
    deviate: NDArray[np.float64]
    targets: NDArray[np.float64]
    first: NDArray[np.int64]
    relative_thickness: NDArray[np.float64]
    counts: NDArray[np.float64]
    readable: float

    def read_by(
        self,
        recipe: int,
        dispersion_error: float = USUAL_DISPERSION_ERROR,
        energy_error: float | None = None,
    ) -> NDArray[np.float32]:
        """Return what the network of a recipe reads, shape (spectra, inputs).

        Parameters
        ----------
        recipe
            Number of the recipe.
        dispersion_error
            Relative standard error of the dispersion that the network is told.
        energy_error
            Standard error in eV of the energy of the threshold that the network is told, which is
            wrong by such errors; None to tell it no energy. It is told no thickness.
        """
        energy = np.full(len(self.first), np.nan)
        if energy_error is not None:
            energy = self.energy[recipe] + energy_error * self.deviate
        told = Conditions(
            energy=energy,
            energy_error=0.0 if energy_error is None else energy_error,
            relative_thickness=np.full(len(energy), np.nan),
            dispersion_error=dispersion_error,
        )
        auxiliary = auxiliary_inputs(told, self.usual_threshold)
        return np.hstack([self.inputs[recipe].astype(np.float32), auxiliary])


def measure_sites(
    sample: Specimen,
    recipes: Sequence[Recipe],
    microscope: Microscope,
    copies: int,
    seed: int,
) -> MeasuredSites:
    """Measure each site several times, with the errors that the microscope has.

    Unlike :func:`.draw_spectra`, it leaves the errors of dispersion and intensity as they are. The
    resolution is always known. Sites are mixed within one phase only, because a phase must not be
    seen through another.

    Parameters
    ----------
    sample
        Sites to measure.
    recipes
        How the spectra are read. Spectra that one of them cannot read are left out.
    microscope
        Effects of the measurement.
    copies
        Number of spectra for each site.
    seed
        Seed of all random numbers.
    """
    generator = np.random.default_rng(seed)
    drawn = replace(microscope, phases_mixed=1)
    sites = len(sample.targets)
    order = np.concatenate([generator.permutation(sites) for _ in range(copies)])
    parts: list[list[NDArray[Any]]] = []
    for first in np.array_split(order, -(-len(order) // _ACQUIRED)):
        read = acquire(sample, first, recipes, drawn, generator)
        halves = [inputs.astype(np.float16) for inputs in read.inputs]
        deviate = generator.standard_normal(len(first))
        columns = [deviate, read.targets, first, read.relative_thickness, read.counts]
        arrays: list[NDArray[Any]] = [*halves, *read.energy, *columns]
        parts.append([array[read.readable] for array in arrays])
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    number = len(recipes)
    deviate, targets, sites_of, thickness, counts = joined[2 * number :]
    return MeasuredSites(
        usual_threshold=usual_threshold(sample.lowest_empty),
        inputs=tuple(joined[:number]),
        energy=tuple(joined[number : 2 * number]),
        deviate=deviate,
        targets=targets,
        first=sites_of,
        relative_thickness=thickness,
        counts=counts,
        readable=len(sites_of) / len(order),
    )


def interval_factors(
    scores: NDArray[np.floating], folds: NDArray[np.integer], level: float
) -> NDArray[np.float64]:
    """Return what the spread is multiplied by to give the interval of a spectrum of each fold.

    The factor of a fold is that of split-conformal prediction on the other folds, so that coverage
    is measured on phases that neither network nor interval has seen.

    Parameters
    ----------
    scores
        Errors on held-out spectra divided by their spreads, shape (spectra, properties); NaN where
        a label is missing.
    folds
        Fold of each spectrum, shape (spectra,).
    level
        Coverage, between 0 and 1.

    Returns
    -------
    ndarray
        Shape (folds, properties).
    """
    complete = np.isfinite(scores).all(axis=-1)
    return np.stack(
        [
            conformal_half_width(scores[complete & (folds != fold)], level)
            for fold in range(int(folds.max()) + 1)
        ]
    )


def fold_medians(targets: NDArray[np.float64], folds: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the median of the labels without each fold, shape (folds, properties).

    Parameters
    ----------
    targets
        Labels of the sites, shape (sites, properties); NaN where one is missing.
    folds
        Fold of each site, shape (sites,).
    """
    return np.stack(
        [np.nanmedian(targets[folds != fold], axis=0) for fold in range(int(folds.max()) + 1)]
    )


def predict_with_baselines(
    training: LabelledInputs,
    held_out: Mapping[str, LabelledInputs],
    names: Sequence[str] = BASELINES,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Predict spectra with simpler models, each fitted without the fold of the spectrum.

    Parameters
    ----------
    training
        Inputs of zero mean, labels and folds of the spectra to fit to: shapes (spectra, inputs),
        (spectra, properties) and (spectra,). Spectra with missing labels are left out.
    held_out
        The same for the spectra to predict, by condition. Their labels choose settings: those of a
        property and a fold are the ones with the smallest error on the other folds.
    names
        Which of :data:`BASELINES` to fit.

    Returns
    -------
    dict
        Predictions of shape (spectra, properties), by condition and by name of the baseline.
    """
    results: dict[str, dict[str, NDArray[np.float64]]] = {name: {} for name in held_out}
    candidates = _candidates(float(training[0].var(axis=0).sum()))
    for name in names:
        tried = [_predict_held_out(model, training, held_out) for model in candidates[name]]
        for condition, (_, targets, folds) in held_out.items():
            predicted = np.stack([each[condition] for each in tried])
            results[condition][name] = _chosen(predicted, targets, folds)
    return results


def _predict_held_out(
    model: Any, training: LabelledInputs, held_out: Mapping[str, LabelledInputs]
) -> dict[str, NDArray[np.float64]]:
    """Return the predictions by condition of one model, fitted without each fold in turn."""
    inputs, targets, folds = training
    complete = np.isfinite(targets).all(axis=-1)
    predicted = {name: np.full(labels.shape, np.nan) for name, (_, labels, _) in held_out.items()}
    for fold in np.unique(folds):
        fitted = complete & (folds != fold)
        mean, scale = targets[fitted].mean(axis=0), targets[fitted].std(axis=0)
        # Properties in standard deviations, so that all count equally.
        scale[scale == 0] = 1.0
        model.fit(inputs[fitted], (targets[fitted] - mean) / scale)
        for name, (new, _, own) in held_out.items():
            rows = own == fold
            if rows.any():
                values = model.predict(new[rows]).reshape(-1, len(mean))
                predicted[name][rows] = values * scale + mean
    return predicted


def _candidates(variance: float) -> dict[str, list[Any]]:
    return {
        "nearest_neighbours": [KNeighborsRegressor(n, weights="distance") for n in _NEIGHBOURS],
        "ridge": [Ridge(penalty) for penalty in _RIDGE_PENALTIES],
        "kernel_ridge": [
            KernelRidge(kernel="rbf", gamma=width / variance, alpha=penalty)
            for width in _KERNEL_WIDTHS
            for penalty in _KERNEL_PENALTIES
        ],
        "forest": [
            RandomForestRegressor(
                _TREES, max_features="sqrt", min_samples_leaf=2, random_state=0, n_jobs=1
            )
        ],
    }


def _chosen(
    candidates: NDArray[np.float64], targets: NDArray[np.float64], folds: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return for each fold and property the candidate that is best on the other folds."""
    errors = np.abs(candidates - targets)
    chosen = np.empty_like(targets)
    for fold in np.unique(folds):
        rows = folds == fold
        best = np.nanmean(errors[:, ~rows], axis=1).argmin(axis=0)
        chosen[rows] = candidates[best[None], np.flatnonzero(rows)[:, None], np.arange(len(best))]
    return chosen
