"""Training a pretrained model on a data set, with its tests and its record."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict

from hyperspy_coreloss.dataset.inputs import default_recipe, network_inputs
from hyperspy_coreloss.dataset.splits import LEFT_OUT, phase_numbers, sites_without
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.training_record import TrainingRecord
from hyperspy_coreloss.provenance import software_versions
from hyperspy_coreloss.training.ensemble import (
    N_NETWORKS,
    Ensemble,
    settings_record,
    train_ensemble,
)
from hyperspy_coreloss.training.evaluation import (
    Metrics,
    evaluate_baselines,
    evaluate_split,
    measure_errors,
)
from hyperspy_coreloss.training.regressor import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.dataset.splits import Split
    from hyperspy_coreloss.spectra.recipe import Recipe

_CITATION = "S. Kiyohara, M. Tsubaki, K. Liao, T. Mizoguchi, J. Phys. Mater. 2 (2019) 024003"
_SPLIT = "each phase judged by the network that was trained without it"
_STOPPED = ", and stopped early on it"


def train(
    dataset: SpectrumDataset,
    settings: TrainingSettings | None = None,
    *,
    name: str,
    intended_use: str,
    limits: str,
    model_version: str = "1.0.0",
    recipe: Recipe | None = None,
    n_networks: int = N_NETWORKS,
    start: PretrainedModel | None = None,
    withheld_phases: Sequence[str] = (),
    test_splits: Sequence[Split] = (),
    n_jobs: int | None = None,
    show_progressbar: bool = True,
) -> PretrainedModel:
    """Train an ensemble of networks on the spectra of a data set.

    Each network is trained without one fold of the phases. This fold measures its errors and, with
    ``patience``, stops its training early. The same data set and settings give a bit-identical
    model on processors of one kind.

    Parameters
    ----------
    dataset
        Spectra, labels and phases; of any edge, with any properties.
    settings
        Settings of each network; by default ``TrainingSettings()``, which follows the paper.
    name, model_version, intended_use, limits
        Texts for the model card.
    recipe
        Preprocessing of the spectra; by default that of `start`, or else the paper's at the edge
        of the data set: σ = 0.5 eV, 160 energies from -1 eV to 15 eV.
    n_networks
        Number of networks of the ensemble, each trained without one fold of the phases; at most the
        number of phases.
    start
        Pretrained model to start from (fine-tuning). Its recipe, properties and hidden layers are
        kept. Use a lower ``learning_rate`` than for a new network.
    withheld_phases
        Names of phases that the model is not trained on, for example
        ``demonstration_phases(dataset)``; by default none. The model records them.
    test_splits
        Splits to test on before the final training. For each split an ensemble and the baselines
        are trained on the development spectra, and the errors on the test spectra are recorded.
    n_jobs
        Number of parallel processes, as in scikit-learn.
    show_progressbar
        Whether to show a progress bar over the networks.

    Returns
    -------
    PretrainedModel
        The model, with the history of its training and its errors on the phases left out and on the
        test spectra of each split.

    Raises
    ------
    DatasetError
        If labels are missing, a spectrum cannot be read, there are fewer than two phases, a
        withheld phase is not in the data set, or `start` has other properties or another window.

    Examples
    --------
    >>> import hyperspy_coreloss as hc
    >>> settings = hc.TrainingSettings(epochs=2)
    >>> words = {"name": "mine", "intended_use": "An example.", "limits": "Useless."}
    >>> sites = hc.data.oxygen_k_sites()
    >>> sites = sites.take(hc.dataset.complete_sites(sites))
    >>> model = hc.train(sites, settings, n_networks=2, **words, show_progressbar=False)
    >>> model.n_networks
    2
    """
    settings = TrainingSettings() if settings is None else settings
    if start is not None:
        recipe = start.recipe if recipe is None else recipe
        settings = replace(settings, hidden=start.hidden)
        _check_start(start, dataset, recipe)
    recipe = default_recipe(dataset) if recipe is None else recipe
    _check_labels(dataset)
    rows = sites_without(dataset, withheld_phases)
    trained, every_input = dataset.take(rows), network_inputs(dataset, recipe)
    inputs, targets = every_input[rows], trained.targets
    options: Any = {"step": recipe.window.step, "n_networks": n_networks, "n_jobs": n_jobs}
    metrics = {
        split.name: _tested(dataset, every_input, split, settings, **options)
        for split in test_splits
    }
    ensemble = train_ensemble(
        inputs,
        targets,
        phase_numbers(trained),
        settings,
        **options,
        start=None if start is None else start.weights,
        show_progressbar=show_progressbar,
    )
    return PretrainedModel(
        name=name,
        version=model_version,
        recipe=recipe,
        properties=dataset.properties,
        hidden=settings.hidden,
        weights=ensemble.weights,
        scores=ensemble.held_out - targets,
        usual_spread=np.ones(targets.shape[1]),
        history=ensemble.history,
        record=TrainingRecord(
            dataset=dataset.description,
            dataset_sha256=dataset.sha256,
            **asdict(trained.counts),
            split=_SPLIT if settings.patience is None else _SPLIT + _STOPPED,
            start_sha256=None if start is None else start.sha256,
            settings=settings_record(settings, n_networks),
            metrics={**metrics, LEFT_OUT: _left_out(trained, inputs, ensemble)},
            software=software_versions("torch", "numpy", "scikit-learn"),
            citation=_CITATION,
            licence=dataset.licence,
            withheld_phases=tuple(withheld_phases),
        ),
        intended_use=intended_use,
        limits=limits,
        label_range=np.stack([targets.min(axis=0), targets.max(axis=0)]),
    )


def _left_out(dataset: SpectrumDataset, inputs: NDArray, ensemble: Ensemble) -> Metrics:
    """Return the errors of each network on the phases left out of its training."""
    targets = dataset.targets
    mean = cross_val_predict(
        DummyRegressor(),
        inputs,
        targets,
        groups=phase_numbers(dataset),
        cv=GroupKFold(len(ensemble.history)),
    )
    metrics = measure_errors(dataset.properties, targets, ensemble.held_out, {"mean": mean})
    training = np.abs(ensemble.predict(inputs) - targets).mean(axis=0)
    for row, error in zip(metrics.values(), training.tolist(), strict=True):
        row["mae_training"] = error
    return metrics


def _tested(
    dataset: SpectrumDataset,
    inputs: NDArray[np.float32],
    split: Split,
    settings: TrainingSettings,
    *,
    step: float,
    n_networks: int,
    n_jobs: int | None,
) -> Metrics:
    targets = dataset.targets
    evaluation = evaluate_split(
        inputs, targets, split, settings, step=step, n_networks=n_networks, n_jobs=n_jobs
    )
    baselines = evaluate_baselines(inputs, targets, split, n_jobs=n_jobs)
    return measure_errors(dataset.properties, targets[split.test], evaluation.predicted, baselines)


def _check_start(start: PretrainedModel, dataset: SpectrumDataset, recipe: Recipe) -> None:
    names = tuple(spec.name for spec in dataset.properties)
    if names != start.property_names:
        msg = (
            f"Fine-tuning {start.name!r} needs the properties {', '.join(start.property_names)}, "
            f"in this order, but the data set has {', '.join(names)}. Train without start=."
        )
        raise DatasetError(msg)
    if recipe.window != start.recipe.window:
        msg = (
            f"Fine-tuning {start.name!r} needs its window, {start.recipe.window}, but the recipe "
            f"has {recipe.window}. Leave out recipe=, or train without start=."
        )
        raise DatasetError(msg)


def _check_labels(dataset: SpectrumDataset) -> None:
    incomplete = np.flatnonzero(np.isnan(dataset.targets).any(axis=1))
    if not incomplete.size:
        return
    missing = {spec.name for spec in dataset.properties} - set(dataset.sites[incomplete[0]].labels)
    msg = (
        f"Training needs all labels of all sites, but {incomplete.size} of {len(dataset)} sites "
        f"lack some. The first is {dataset.names[incomplete[0]]}: {', '.join(sorted(missing))}. "
        "Add the labels, or leave these sites out: dataset.take(complete_sites(dataset)), from "
        "hyperspy_coreloss.dataset."
    )
    raise DatasetError(msg)
