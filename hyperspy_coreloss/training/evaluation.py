"""How wrong predictions are, on spectra that had no part in making them."""

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
    """An ensemble trained on the development spectra of a split, and what it says.

    Parameters
    ----------
    ensemble
        Trained on training and validation spectra.
    known
        Predictions of these spectra, shape (development spectra, properties).
    predicted
        Predictions of the test spectra, shape (test spectra, properties).
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
    """Train an ensemble without the test spectra of a split, and test it.

    Parameters
    ----------
    inputs
        Preprocessed spectra of the whole data set, shape (sites, window channels).
    targets
        Properties, shape (sites, properties).
    split
        Which are test spectra.
    settings
        How to train.
    step
        Distance between two energies of the inputs, in eV.
    n_networks
        Networks of the ensemble.
    n_jobs
        Processes to run side by side, as in scikit-learn.
    """
    known, test = split.development, split.test
    ensemble = train_ensemble(
        inputs[known],
        targets[known],
        split.groups[known],
        settings,
        step=step,
        n_networks=n_networks,
        n_jobs=n_jobs,
    )
    return Evaluation(ensemble, ensemble.predict(inputs[known]), ensemble.predict(inputs[test]))


def evaluate_baselines(
    inputs: NDArray[np.float32],
    targets: NDArray[np.float64],
    split: Split,
    *,
    n_jobs: int | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Fit the baselines without the test spectra of a split, and return what they say of them.

    Parameters are those of :func:`evaluate_split`.

    Returns
    -------
    dict
        Predictions of the test spectra by name, each of shape (test spectra, properties).
    """
    known = split.development
    models = fit_baselines(inputs[known], targets[known], split.groups[known], n_jobs)
    return {name: model.predict(inputs[split.test]) for name, model in models.items()}


def error_uncertainty(
    errors: NDArray[np.floating], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the standard error of mean errors over other groups of the same kind.

    Spectra of one phase err alike, so it is the number of phases that counts, not of spectra
    (cluster-robust variance of a mean, Cameron and Miller 2015, J. Hum. Resour. 50, 317).

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
    known = np.unique(groups)
    if len(known) < 2:
        return np.full(errors.shape[1], np.nan)
    deviation = errors - errors.mean(axis=0)
    sums = np.stack([deviation[groups == group].sum(axis=0) for group in known])
    factor = len(known) / (len(known) - 1)
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
        What the columns mean.
    targets, predicted
        Shape (test spectra, properties).
    baselines
        Predictions of the same shape, by name.
    """

    def error(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return mean_absolute_error(targets, values, multioutput="raw_values")

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
