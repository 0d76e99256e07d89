"""Choice of the network settings: a grid search with cross-validation on development spectra."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import GridSearchCV, GroupKFold, ParameterGrid

from hyperspy_coreloss.training.baselines import SEARCH_FOLDS, scaled_error
from hyperspy_coreloss.training.regressor import NetworkRegressor, TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Default grid: number and nodes of the hidden layers, and regularisation. More training spectra
#: need more nodes and less regularisation.
GRID = {
    "hidden": [(64, 64, 64), (160, 120), (160, 120, 80), (320, 240)],
    "dropout": [0.1, 0.2],
    "weight_decay": [1e-4, 1e-3],
}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Candidate settings of a grid search, and their errors.

    Parameters
    ----------
    candidates
        All settings that were tried.
    error
        Mean absolute error of each candidate in standard deviations, averaged over properties and
        folds.
    spread
        Standard deviation of that error over the folds.
    training_error
        Error of each candidate on the spectra that it was trained on.
    """

    candidates: tuple[TrainingSettings, ...]
    error: tuple[float, ...]
    spread: tuple[float, ...]
    training_error: tuple[float, ...]

    @property
    def best(self) -> TrainingSettings:
        """Candidate that fits the training spectra best among those with the lowest errors.

        The lowest errors are those within one standard error of the lowest one: on new spectra
        these candidates cannot be distinguished.
        """
        lowest = int(np.argmin(self.error))
        limit = self.error[lowest] + self.spread[lowest] / np.sqrt(SEARCH_FOLDS)
        as_good = [number for number, error in enumerate(self.error) if error <= limit]
        return self.candidates[min(as_good, key=lambda number: self.training_error[number])]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        rows = zip(self.candidates, self.error, self.spread, self.training_error, strict=True)
        return {
            "best": asdict(self.best),
            "candidates": [
                {
                    **{name: getattr(candidate, name) for name in GRID},
                    "error": error,
                    "spread": spread,
                    "training_error": training_error,
                }
                for candidate, error, spread, training_error in rows
            ],
        }


def search_settings(
    inputs: NDArray[np.float32],
    targets: NDArray[np.float64],
    groups: NDArray[np.int64],
    base: TrainingSettings,
    *,
    grid: dict[str, Sequence[Any]] | None = None,
    step: float,
    n_jobs: int | None = None,
) -> SearchResult:
    """Cross-validate networks with the settings of a grid, five folds of whole groups.

    Parameters
    ----------
    inputs
        Preprocessed development spectra, shape (spectra, window channels).
    targets
        Properties, shape (spectra, properties).
    groups
        Group (phase) of each spectrum, shape (spectra,); groups are held out as a whole.
    base
        Settings that the grid does not vary. Networks train for all epochs.
    grid
        Values to try for each setting; by default :data:`GRID`.
    step
        Energy step of the inputs, in eV.
    n_jobs
        Number of parallel processes, as in scikit-learn.
    """
    candidates = [replace(base, **point) for point in ParameterGrid(GRID if grid is None else grid)]
    search = GridSearchCV(
        NetworkRegressor(step=step),
        {"settings": candidates},
        scoring=scaled_error,
        cv=GroupKFold(min(SEARCH_FOLDS, len(np.unique(groups)))),
        refit=False,
        return_train_score=True,
        n_jobs=n_jobs,
    )
    results = search.fit(inputs, targets, groups=groups).cv_results_
    return SearchResult(
        tuple(candidates),
        tuple((-results["mean_test_score"]).tolist()),
        tuple(results["std_test_score"].tolist()),
        tuple((-results["mean_train_score"]).tolist()),
    )
