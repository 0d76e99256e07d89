"""Errors of networks and baselines on test spectra, which were not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score

from hyperspy_coreloss.training.baselines import fit_baselines
from hyperspy_coreloss.training.ensemble import N_NETWORKS, Ensemble, train_ensemble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.splits import Split
    from hyperspy_coreloss.properties import PropertySpec
    from hyperspy_coreloss.training.regressor import TrainingSettings

Metrics = dict[str, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """An ensemble trained on the development spectra of a split, and its predictions.

    Parameters
    ----------
    ensemble
        Ensemble trained on the development spectra (training and validation).
    known
        Predictions for the development spectra, shape (development spectra, properties).
    predicted
        Predictions for the test spectra, shape (test spectra, properties).
    """

    ensemble: Ensemble
    known: NDArray[np.float64]
    predicted: NDArray[np.float64]


def evaluate_split(
    inputs: NDArray[np.float32],
    targets: NDArray[np.float64],
    split: Split,
    settings: TrainingSettings,
    *,
    step: float,
    n_networks: int = N_NETWORKS,
    n_jobs: int | None = None,
) -> Evaluation:
    """Train an ensemble on the development spectra of a split, and predict all its spectra.

    Parameters
    ----------
    inputs
        Preprocessed spectra of the whole data set, shape (sites, window channels).
    targets
        Properties, shape (sites, properties).
    split
        Division into training, validation and test spectra.
    settings
        Settings of each network.
    step
        Energy step of the inputs, in eV.
    n_networks
        Number of networks of the ensemble.
    n_jobs
        Number of parallel processes, as in scikit-learn.
    """
    development, test = split.development, split.test
    ensemble = train_ensemble(
        inputs[development],
        targets[development],
        split.groups[development],
        settings,
        step=step,
        n_networks=n_networks,
        n_jobs=n_jobs,
    )
    return Evaluation(
        ensemble, ensemble.predict(inputs[development]), ensemble.predict(inputs[test])
    )


def evaluate_baselines(
    inputs: NDArray[np.float32],
    targets: NDArray[np.float64],
    split: Split,
    *,
    n_jobs: int | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Fit the baselines to the development spectra of a split, and predict its test spectra.

    The parameters are those of :func:`evaluate_split`.

    Returns
    -------
    dict
        Predictions for the test spectra by the name of the baseline, each of shape (test spectra,
        properties).
    """
    rows = split.development
    models = fit_baselines(inputs[rows], targets[rows], split.groups[rows], n_jobs)
    return {name: model.predict(inputs[split.test]) for name, model in models.items()}


def error_uncertainty(
    errors: NDArray[np.floating], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the standard error of mean absolute errors, for a random sample of groups.

    Errors on spectra of one phase are correlated, so the number of phases determines the standard
    error (cluster-robust variance of a mean, Cameron and Miller 2015, J. Hum. Resour. 50, 317).

    Parameters
    ----------
    errors
        Absolute errors, shape (spectra, properties).
    groups
        Phase of each spectrum as a number, shape (spectra,).

    Returns
    -------
    ndarray
        Shape (properties,); NaN for a single group.
    """
    distinct = np.unique(groups)
    if len(distinct) < 2:
        return np.full(errors.shape[1], np.nan)
    deviation = errors - errors.mean(axis=0)
    sums = np.stack([deviation[groups == group].sum(axis=0) for group in distinct])
    factor = len(distinct) / (len(distinct) - 1)
    return np.sqrt(factor * np.square(sums).sum(axis=0)) / len(errors)


def measure_errors(
    properties: Sequence[PropertySpec],
    targets: NDArray[np.float64],
    predicted: NDArray[np.float64],
    baselines: Mapping[str, NDArray[np.float64]],
) -> Metrics:
    """Return ``mae``, ``r2``, ``n_test`` and the errors of ``baselines`` for each property.

    Parameters
    ----------
    properties
        Properties in the order of the columns.
    targets, predicted
        Shape (test spectra, properties).
    baselines
        Predictions of the baselines by name, of the same shape.

    Returns
    -------
    dict
        The errors by the name of the property. ``r2`` is NaN for a single spectrum, which has no
        variance.
    """

    def error(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return mean_absolute_error(targets, values, multioutput="raw_values")

    r2 = np.full(len(properties), np.nan)
    if len(targets) > 1:
        r2 = r2_score(targets, predicted, multioutput="raw_values")
    return {
        spec.name: {
            "mae": float(error(predicted)[column]),
            "r2": float(r2[column]),
            "n_test": len(targets),
            "baselines": {name: float(error(p)[column]) for name, p in baselines.items()},
        }
        for column, spec in enumerate(properties)
    }
