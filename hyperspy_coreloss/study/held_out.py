"""Errors on test spectra, and the worst predictions (the paper's figures 2 and 3).

Test spectra only measure errors here; they take no part in any choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.training.evaluation import evaluate_baselines, evaluate_split, measure_errors
from hyperspy_coreloss.training.regressor import NetworkRegressor, TrainingSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.dataset.splits import Split
    from hyperspy_coreloss.spectra.recipe import Recipe

Json = dict[str, Any]

# Number of worst predictions of each property, and of nearest training spectra for each of them.
_WORST = 10
_NEIGHBOURS = 3


def split_errors(
    dataset: SpectrumDataset,
    inputs: NDArray[np.float32],
    split: Split,
    settings: TrainingSettings,
    *,
    step: float,
    n_networks: int,
    n_jobs: int | None = None,
) -> tuple[Json, Json]:
    """Return the errors on the test spectra of a split, and predictions for all its spectra.

    Parameters
    ----------
    dataset
        Spectra, labels and phases.
    inputs, split, settings, step, n_networks, n_jobs
        As in :func:`~hyperspy_coreloss.training.evaluate_split`.
    """
    targets = dataset.targets
    evaluation = evaluate_split(
        inputs, targets, split, settings, step=step, n_networks=n_networks, n_jobs=n_jobs
    )
    baselines = evaluate_baselines(inputs, targets, split, n_jobs=n_jobs)
    # The protocol of the paper: one network, stopped early on the validation spectra.
    paper = TrainingSettings(hidden=settings.hidden, weight_decay=settings.weight_decay)
    single = NetworkRegressor(paper, step=step).fit(
        inputs[split.train],
        targets[split.train],
        validation=(inputs[split.validation], targets[split.validation]),
    )
    baselines["one network"] = single.predict(inputs[split.test])
    errors = measure_errors(
        dataset.properties, targets[split.test], evaluation.predicted, baselines
    )
    names = np.array(dataset.names)
    predictions = {
        "training": {
            "sites": names[split.development].tolist(),
            "true": targets[split.development].tolist(),
            "predicted": evaluation.known.tolist(),
        },
        "test": {
            "sites": names[split.test].tolist(),
            "true": targets[split.test].tolist(),
            "predicted": evaluation.predicted.tolist(),
        },
    }
    return errors, predictions


def worst_predictions(
    dataset: SpectrumDataset, inputs: NDArray[np.float32], split: Split, predictions: Json
) -> Json:
    """Return the worst predictions of each property, and their nearest development spectra.

    Parameters
    ----------
    dataset, inputs, split
        As for :func:`split_errors`.
    predictions
        Predictions from :func:`split_errors`.
    """
    test = predictions["test"]
    error = np.abs(np.subtract(test["predicted"], test["true"]))
    worst = np.argsort(-error, axis=0)[:_WORST]
    development = split.development
    neighbours = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(inputs[development])
    distance, nearest = neighbours.kneighbors(inputs[split.test])
    # In units of the area-normalised spectrum (per eV).
    rms = distance / np.sqrt(inputs.shape[1])
    _, appearances = np.unique(worst, return_counts=True)
    return {
        "sites": {
            spec.name: [test["sites"][row] for row in worst[:, column]]
            for column, spec in enumerate(dataset.properties)
        },
        "in_several_properties": {
            str(least): int((appearances >= least).sum())
            for least in range(2, len(dataset.properties) + 1)
        },
        "nearest": {
            test["sites"][row]: {
                "sites": [dataset.names[development[index]] for index in nearest[row]],
                "rms_difference": rms[row].tolist(),
            }
            for row in np.unique(worst).tolist()
        },
    }


def recipe_errors(
    dataset: SpectrumDataset,
    recipe: Recipe,
    split: Split,
    settings: TrainingSettings,
    *,
    n_networks: int,
    n_jobs: int | None = None,
) -> dict[str, float]:
    """Return the mean absolute errors on test spectra with a given recipe, by property.

    Parameters
    ----------
    dataset
        Spectra, labels and phases.
    recipe
        Preprocessing of all spectra.
    split, settings, n_networks, n_jobs
        As in :func:`~hyperspy_coreloss.training.evaluate_split`.
    """
    inputs, targets = network_inputs(dataset, recipe), dataset.targets
    evaluation = evaluate_split(
        inputs,
        targets,
        split,
        settings,
        step=recipe.window.step,
        n_networks=n_networks,
        n_jobs=n_jobs,
    )
    return errors_by_property(dataset, targets[split.test], evaluation.predicted)


def errors_by_property(
    dataset: SpectrumDataset, true: NDArray[np.float64], predicted: NDArray[np.float64]
) -> dict[str, float]:
    """Return mean absolute errors by the name of the property.

    Parameters
    ----------
    dataset
        Data set with these properties.
    true, predicted
        Shape (spectra, properties).
    """
    error = np.abs(predicted - true).mean(axis=0).tolist()
    return {spec.name: value for spec, value in zip(dataset.properties, error, strict=True)}
