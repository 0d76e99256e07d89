"""Learning curves: errors against the number of training phases and of training sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.study.held_out import errors_by_property
from hyperspy_coreloss.training.ensemble import train_ensemble

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.dataset.splits import Split
    from hyperspy_coreloss.training.regressor import TrainingSettings

Json = dict[str, Any]

#: Fractions of the development phases, or sites, that are trained on.
SHARES = (0.25, 0.5, 0.75, 1.0)

# Number of random draws for each fraction, and of networks in each ensemble.
_DRAWS = 3
_NETWORKS = 4


def learning_curves(
    dataset: SpectrumDataset,
    inputs: NDArray[np.float32],
    split: Split,
    settings: TrainingSettings,
    *,
    step: float,
    n_jobs: int | None = None,
) -> Json:
    """Return the errors on test spectra against the number of training phases and sites.

    Parameters
    ----------
    dataset, inputs, split, settings, step, n_jobs
        As in :func:`~hyperspy_coreloss.training.evaluate_split`.

    Returns
    -------
    dict
        ``n_networks`` of each ensemble; in ``phases`` and ``sites`` one entry for each draw, with
        ``n_phases``, ``n_sites`` and the ``mae`` of each property.
    """
    development, targets = split.development, dataset.targets
    groups = split.groups[development]
    random = np.random.default_rng(settings.seed)
    curves: Json = {"n_networks": _NETWORKS, "phases": [], "sites": []}
    for share in SHARES:
        for _ in range(_DRAWS if share < 1 else 1):
            phases = np.unique(groups)
            n_phases = max(round(share * len(phases)), 2)
            n_sites = round(share * len(development))
            drawn = {
                "phases": development[
                    np.isin(groups, random.choice(phases, n_phases, replace=False))
                ],
                "sites": np.sort(random.choice(development, n_sites, replace=False)),
            }
            for kind, rows in drawn.items():
                ensemble = train_ensemble(
                    inputs[rows],
                    targets[rows],
                    split.groups[rows],
                    settings,
                    step=step,
                    n_networks=_NETWORKS,
                    n_jobs=n_jobs,
                )
                predicted = ensemble.predict(inputs[split.test])
                curves[kind].append(
                    {
                        "n_phases": len(np.unique(split.groups[rows])),
                        "n_sites": len(rows),
                        "mae": errors_by_property(dataset, targets[split.test], predicted),
                    }
                )
    return curves
