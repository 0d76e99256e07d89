"""From a data set to a pretrained model."""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from exspy.material import elements
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict

from hyperspy_coreloss.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.dataset import excitation_energies
from hyperspy_coreloss.ensemble import Ensemble, train_ensemble
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.evaluation import Metrics, evaluate_baselines, evaluate_split, measure_errors
from hyperspy_coreloss.preprocessing import preprocess
from hyperspy_coreloss.pretrained import LEFT_OUT, PretrainedModel, TrainingRecord
from hyperspy_coreloss.quality import Quality
from hyperspy_coreloss.recipe import Recipe, prepare
from hyperspy_coreloss.regressor import TrainingSettings
from hyperspy_coreloss.splits import phase_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset import SpectrumDataset
    from hyperspy_coreloss.splits import Split

# Where the axis that computed spectra are laid out on starts, in eV from their lowest empty state,
# how far it goes beyond the window, and its step; and where the threshold may lie on it.
_AXIS = (-15.0, 25.0, 0.05)
_THRESHOLD_RANGE = (-5.0, 8.0)

_CITATION = "S. Kiyohara, M. Tsubaki, K. Liao, T. Mizoguchi, J. Phys. Mater. 2 (2019) 024003"
_SPLIT = "each phase judged by the network that was trained without it, and stopped early on it"


def network_inputs(dataset: SpectrumDataset, recipe: Recipe) -> NDArray[np.float32]:
    """Preprocess the computed spectra as measured ones are, but for a background.

    In an absolute window each threshold lies at the excitation energy of its site.

    Returns
    -------
    ndarray
        Shape (sites, window channels).

    Raises
    ------
    DatasetError
        If a spectrum has no threshold in the expected range, or an absolute window does not hold
        it, or its excitation energy is not known but needed.
    """
    absolute = recipe.window.origin == "absolute"
    excitation = excitation_energies(dataset) if absolute else None
    first, last = dataset.energy_range
    stop = min(recipe.window.read_range[1] + _AXIS[1], last)
    energy = np.arange(max(_AXIS[0], first), stop, _AXIS[2])
    low, high = np.add(recipe.nominal_onset, _THRESHOLD_RANGE).tolist()
    inputs = np.empty((len(dataset), recipe.window.n_channels), dtype=np.float32)
    quality = np.empty(len(dataset), dtype=np.uint8)
    # Samples that are broadened already get what is missing, in quadrature.
    for sigma in np.unique(dataset.sigma):
        rows = np.flatnonzero(dataset.sigma == sigma)
        preparation = prepare(
            recipe,
            energy + recipe.nominal_onset,
            resolution=float(sigma) * FWHM_PER_SIGMA,
            background=None,
            onset_range=(low, high),
            # Computed spectra need none: each has its own excitation energy.
            energy_offset=0.0 if absolute else None,
        )
        prepared = preprocess(
            dataset.take(rows).spectra(energy),
            preparation,
            None if excitation is None else excitation[rows],
        )
        inputs[rows], quality[rows] = prepared.spectra, prepared.quality
    bad = np.flatnonzero(quality != Quality.GOOD)
    if bad.size:
        msg = (
            f"{bad.size} of {len(dataset)} spectra cannot be read, the first is "
            f"{dataset.names[bad[0]]}: {Quality(int(quality[bad[0]])).reason}. Drop or repair them."
        )
        raise DatasetError(msg)
    return inputs


def train(
    dataset: SpectrumDataset,
    settings: TrainingSettings | None = None,
    *,
    name: str,
    intended_use: str,
    limits: str,
    model_version: str = "1.0.0",
    recipe: Recipe | None = None,
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
    >>> settings = hc.TrainingSettings(epochs=2, n_networks=2)
    >>> words = {"name": "mine", "intended_use": "An example.", "limits": "Useless."}
    >>> hc.train(hc.data.oxygen_k_sites(), settings, **words, show_progressbar=False).n_networks
    2
    """
    settings = TrainingSettings() if settings is None else settings
    if start is not None:
        recipe = start.recipe if recipe is None else recipe
        settings = replace(settings, hidden=start.hidden)
        _check_start(start, dataset, recipe)
    recipe = default_recipe(dataset) if recipe is None else recipe
    _check_labels(dataset)
    inputs, targets, step = network_inputs(dataset, recipe), dataset.targets, recipe.window.step
    metrics = {
        split.name: _tested(dataset, inputs, split, settings, step, n_jobs) for split in test_splits
    }
    ensemble = train_ensemble(
        inputs,
        targets,
        phase_numbers(dataset),
        settings,
        step=step,
        start=None if start is None else start.weights,
        n_jobs=n_jobs,
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
            n_spectra=len(dataset),
            n_structures=len(set(dataset.structures)),
            n_phases=len(set(dataset.phases)),
            split=_SPLIT,
            start_sha256=None if start is None else start.sha256,
            settings={**asdict(settings), "hidden": list(settings.hidden)},
            metrics={**metrics, LEFT_OUT: _left_out(dataset, inputs, ensemble)},
            software={package: version(package) for package in ("torch", "numpy", "scikit-learn")},
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
    step: float,
    n_jobs: int | None,
) -> Metrics:
    targets = dataset.targets
    found = evaluate_split(inputs, targets, split, settings, step=step, n_jobs=n_jobs)
    baselines = evaluate_baselines(inputs, targets, split, n_jobs=n_jobs)
    return measure_errors(dataset.properties, targets[split.test], found.predicted, baselines)


def default_recipe(dataset: SpectrumDataset) -> Recipe:
    """Return the paper's recipe for the edge of a data set.

    Raises
    ------
    DatasetError
        If the edge is not tabulated.
    """
    element, _, shell = dataset.edge.partition("_")
    try:
        shells = elements[element].Atomic_properties.Binding_energies
        onset = float(shells[shell].onset_energy_eV)
    except (AttributeError, KeyError, TypeError) as error:
        msg = (
            f"The onset of the edge {dataset.edge!r} is not tabulated in eXSpy. Pass recipe= with "
            "its nominal_onset."
        )
        raise DatasetError(msg) from error
    return Recipe(edge=dataset.edge, nominal_onset=onset)


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
