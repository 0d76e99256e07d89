"""Baselines to compare networks with: simpler scikit-learn models with optimised settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Folds of the cross-validation that chooses settings.
SEARCH_FOLDS = 5


def fit_baselines(
    inputs: NDArray[np.floating],
    targets: NDArray[np.floating],
    groups: NDArray[np.int64],
    n_jobs: int | None = None,
) -> dict[str, Any]:
    """Fit all baselines.

    Cross-validation on the training spectra, with whole groups held out, chooses their settings.

    Parameters
    ----------
    inputs
        Preprocessed spectra, shape (spectra, window channels).
    targets
        Properties, shape (spectra, properties).
    groups
        Group (phase) of each spectrum, shape (spectra,); no group is divided between folds.
    n_jobs
        Number of parallel processes, as in scikit-learn.

    Returns
    -------
    dict
        Fitted scikit-learn regressors by name. PLS is left out if a fold trains on one spectrum.
    """
    folds = list(GroupKFold(min(SEARCH_FOLDS, len(np.unique(groups)))).split(inputs, None, groups))
    most = min(min(len(training) for training, _ in folds), inputs.shape[1])
    searched: dict[str, tuple[Any, dict[str, Any]]] = {
        "nearest neighbours": (
            KNeighborsRegressor(),
            {"n_neighbors": [n for n in (1, 3, 5, 10, 20) if n <= most]},
        ),
        "ridge": (Ridge(), {"alpha": np.logspace(-1, 5, 13)}),
        "PLS": (
            PLSRegression(),
            {"n_components": [n for n in (1, 2, 4, 6, 8, 12, 16) if n < most]},
        ),
        "kernel ridge": (
            KernelRidge(kernel="rbf"),
            {"gamma": np.logspace(-4, -2, 5), "alpha": [0.01, 0.03, 0.1, 0.3, 1.0]},
        ),
    }
    models: dict[str, Any] = {"mean": DummyRegressor()}
    for name, (model, grid) in searched.items():
        if not all(map(len, grid.values())):
            continue
        # Properties in standard deviations, so that all count equally in the choice.
        pipeline = TransformedTargetRegressor(
            make_pipeline(StandardScaler(), model), transformer=StandardScaler()
        )
        prefix = f"regressor__{type(model).__name__.lower()}__"
        models[name] = GridSearchCV(
            pipeline,
            {prefix + key: values for key, values in grid.items()},
            scoring=scaled_error,
            cv=folds,
            n_jobs=n_jobs,
        )
    models["random forest"] = TransformedTargetRegressor(
        RandomForestRegressor(200, min_samples_leaf=2, random_state=0, n_jobs=n_jobs),
        transformer=StandardScaler(),
    )
    return {name: model.fit(inputs, targets) for name, model in models.items()}


def scaled_error(model: Any, inputs: NDArray, targets: NDArray) -> float:
    """Return minus the mean absolute error in standard deviations, averaged over properties."""
    spread = targets.std(axis=0)
    error = np.abs(model.predict(inputs) - targets).mean(axis=0)
    return -float(np.mean(error / np.where(spread > 0, spread, 1.0)))
