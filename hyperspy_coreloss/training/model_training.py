"""From a data set to a pretrained model."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict

from hyperspy_coreloss.dataset.inputs import default_recipe, network_inputs
from hyperspy_coreloss.dataset.splits import LEFT_OUT, phase_numbers
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.model import PretrainedModel, TrainingRecord
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
    from hyperspy_coreloss.spectra.recipe import Recipe
from hyperspy_coreloss.dataset.splits import Split

_CITATION = "S. Kiyohara, M. Tsubaki, K. Liao, T. Mizoguchi, J. Phys. Mater. 2 (2019) 024003"
_SPLIT = "each phase judged by the network that was trained without it, and stopped early on it"


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
    test_splits: Sequence[Split] = (),
    n_jobs: int | None = None,
    show_progressbar: bool = True,
) -> PretrainedModel:
    """Train an ensemble of networks on all spectra of a data set.

    Each network leaves out a share of the phases, on which it stops early and is judged. The same
    data set and settings give the same model to the bit on one kind of processor.

    Parameters
    ----------
    dataset
        Spectra, labels and phases; of any edge, with any properties.
    settings
        How to train; by default as the paper.
    name, model_version, intended_use, limits
        For the model's card.
    recipe
        What to do to spectra; by default that of `start`, or else the paper's for the edge of the
        data set: σ = 0.5 eV, 160 energies from -1 eV to 15 eV.
    n_networks
        Networks of the ensemble, each trained without a share of the phases; fewer if there are
        fewer phases.
    start
        Pretrained model to start from (fine-tuning). Its recipe, properties and hidden layers are
        kept; a lower ``learning_rate`` than for a new network does well.
    test_splits
        Splits to test on before the final training: for each an ensemble and baselines are
        trained on its development spectra, and the errors on its test spectra are recorded.
    n_jobs
        Processes to run side by side, as in scikit-learn.
    show_progressbar
        Whether to show the progress over the networks.

    Returns
    -------
    PretrainedModel
        With its history and its errors on phases left out, and on the test spectra of each split.

    Raises
    ------
    DatasetError
        If labels are missing, a spectrum cannot be read, there are fewer than two phases, or
        `start` does not fit.

    Examples
    --------
    >>> import hyperspy_coreloss as hc
    >>> settings = hc.TrainingSettings(epochs=2)
    >>> words = {"name": "mine", "intended_use": "An example.", "limits": "Useless."}
    >>> sites = hc.data.oxygen_k_sites()
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
    inputs, targets = network_inputs(dataset, recipe), dataset.targets
    how: Any = {"step": recipe.window.step, "n_networks": n_networks, "n_jobs": n_jobs}
    metrics = {
        split.name: _tested(dataset, inputs, split, settings, **how) for split in test_splits
    }
    ensemble = train_ensemble(
        inputs,
        targets,
        phase_numbers(dataset),
        settings,
        **how,
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
        residuals=ensemble.held_out - targets,
        history=ensemble.history,
        record=TrainingRecord(
            dataset=dataset.description,
            dataset_sha256=dataset.sha256,
            **asdict(dataset.counts),
            split=_SPLIT,
            start_sha256=None if start is None else start.sha256,
            settings=settings_record(settings, n_networks),
            metrics={**metrics, LEFT_OUT: _left_out(dataset, inputs, ensemble)},
            software=software_versions("torch", "numpy", "scikit-learn"),
            citation=_CITATION,
            licence=dataset.licence,
        ),
        intended_use=intended_use,
        limits=limits,
    )


def _left_out(dataset: SpectrumDataset, inputs: NDArray, ensemble: Ensemble) -> Metrics:
    """Return the errors on the phases that the networks were trained without."""
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
    found = evaluate_split(
        inputs, targets, split, settings, step=step, n_networks=n_networks, n_jobs=n_jobs
    )
    baselines = evaluate_baselines(inputs, targets, split, n_jobs=n_jobs)
    return measure_errors(dataset.properties, targets[split.test], found.predicted, baselines)


def _check_start(start: PretrainedModel, dataset: SpectrumDataset, recipe: Recipe) -> None:
    found = tuple(spec.name for spec in dataset.properties)
    if found != start.property_names:
        msg = (
            f"Fine-tuning {start.name!r} needs the properties {', '.join(start.property_names)}, "
            f"in this order, but the data set has {', '.join(found)}. Train without start=."
        )
        raise DatasetError(msg)
    if recipe.window != start.recipe.window:
        msg = (
            f"Fine-tuning {start.name!r} needs its energies, {start.recipe.window}, but the "
            f"recipe has {recipe.window}."
        )
        raise DatasetError(msg)


def _check_labels(dataset: SpectrumDataset) -> None:
    unknown = np.flatnonzero(np.isnan(dataset.targets).any(axis=1))
    if not unknown.size:
        return
    missing = {spec.name for spec in dataset.properties} - set(dataset.sites[unknown[0]].labels)
    msg = (
        f"Training needs all labels of all sites; {unknown.size} of {len(dataset)} sites lack "
        f"some, the first is {dataset.names[unknown[0]]}: {', '.join(sorted(missing))}. Add them, "
        "or leave these sites out with dataset.take()."
    )
    raise DatasetError(msg)
