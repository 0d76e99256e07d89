"""From a data set to a pretrained model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.dummy import DummyRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from tqdm.auto import tqdm

from hyperspy_coreloss.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.dataset import excitation_energies
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.network import build_network, forward, network_weights
from hyperspy_coreloss.preprocessing import preprocess
from hyperspy_coreloss.pretrained import PretrainedModel, TrainingRecord
from hyperspy_coreloss.quality import Quality
from hyperspy_coreloss.recipe import Recipe, prepare

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset import SpectrumDataset

# Where the lowest empty state lies on the axis that computed spectra are laid out on, in eV from
# the nominal onset, and how far a threshold may lie from it.
_AXIS = (-15.0, 40.0, 0.05)
_THRESHOLD_RANGE = (-5.0, 8.0)

_BASELINES = {"mean": DummyRegressor(), "3 nearest spectra": KNeighborsRegressor(3)}
_CITATION = "S. Kiyohara, M. Tsubaki, K. Liao, T. Mizoguchi, J. Phys. Mater. 2 (2019) 024003"


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a network is trained (Kiyohara et al. 2019, section 2.1).

    Parameters
    ----------
    hidden
        Nodes of each hidden layer. The paper's table is lost; the same group used 160 and 120
        nodes on the same 160 energies (Chen et al. 2023, J. Phys. Chem. Lett. 14, 4858).
    dropout
        Dropout rate between hidden layers, the paper's.
    learning_rate, weight_decay
        Of the Adam optimiser; the learning rate falls to zero along a cosine.
    epochs
        Passes over the whole data set, each as one batch.
    noise
        Largest standard deviation of the white noise added to inputs, in units of the
        area-normalised spectrum (per eV); each spectrum draws its own level below it.
    jitter
        Standard deviation of the random misalignment of the threshold, in eV.
    seed
        Seed of all random numbers.
    """

    hidden: tuple[int, ...] = (160, 120)
    dropout: float = 0.5
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    epochs: int = 1500
    noise: float = 0.01
    jitter: float = 0.1
    seed: int = 0


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
    energy = np.arange(max(_AXIS[0], first), min(_AXIS[1], last), _AXIS[2])
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
    name: str,
    *,
    recipe: Recipe | None = None,
    settings: TrainingSettings | None = None,
    model_version: str = "1.0.0",
    intended_use: str,
    limits: str,
    show_progressbar: bool = True,
) -> PretrainedModel:
    """Train on all spectra, after measuring the error on phases left out one at a time.

    Parameters
    ----------
    dataset
        Spectra, labels and phases.
    name, model_version, intended_use, limits
        For the model's card.
    recipe, settings
        By default the paper's: σ = 0.5 eV, 160 energies from -1 eV to 15 eV.
    show_progressbar
        Whether to show the progress over the held-out phases.
    """
    recipe = Recipe() if recipe is None else recipe
    settings = TrainingSettings() if settings is None else settings
    _check_labels(dataset)
    inputs, targets = network_inputs(dataset, recipe), dataset.targets
    folds = list(LeaveOneGroupOut().split(inputs, targets, dataset.phases))

    held_out = np.empty_like(targets)
    for known, left_out in tqdm(folds, desc="held-out phases", disable=not show_progressbar):
        network, scales = _fit(inputs[known], targets[known], settings, recipe.window.step)
        held_out[left_out] = forward(network, scales, inputs[left_out])
    network, scales = _fit(inputs, targets, settings, recipe.window.step)
    baselines = {
        label: cross_val_predict(model, inputs, targets, cv=folds)
        for label, model in _BASELINES.items()
    }
    return PretrainedModel(
        name=name,
        version=model_version,
        recipe=recipe,
        properties=dataset.properties,
        hidden=settings.hidden,
        weights={**network_weights(network), **scales},
        residuals=held_out - targets,
        record=TrainingRecord(
            dataset=dataset.description,
            dataset_sha256=dataset.sha256,
            n_spectra=len(dataset),
            n_structures=len(set(dataset.structures)),
            n_phases=len(set(dataset.phases)),
            split="each phase in turn, by a network trained on all other phases",
            settings={**asdict(settings), "hidden": list(settings.hidden)},
            metrics=_metrics(dataset, held_out, forward(network, scales, inputs), baselines),
            software={package: version(package) for package in ("torch", "numpy")},
            citation=_CITATION,
            licence=dataset.licence,
        ),
        intended_use=intended_use,
        limits=limits,
    )


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


def _metrics(
    dataset: SpectrumDataset,
    held_out: NDArray,
    trained: NDArray,
    baselines: dict[str, NDArray],
) -> dict[str, dict[str, Any]]:
    targets = dataset.targets

    def error(predicted: NDArray) -> NDArray:
        return mean_absolute_error(targets, predicted, multioutput="raw_values")

    r2 = r2_score(targets, held_out, multioutput="raw_values")
    return {
        spec.name: {
            "mae": float(error(held_out)[column]),
            "r2": float(r2[column]),
            "mae_training": float(error(trained)[column]),
            "baselines": {label: float(error(p)[column]) for label, p in baselines.items()},
        }
        for column, spec in enumerate(dataset.properties)
    }


def _fit(
    inputs: NDArray[np.float32],
    targets: NDArray[np.floating],
    settings: TrainingSettings,
    step: float,
) -> tuple[torch.nn.Sequential, dict[str, NDArray]]:
    """Return a network trained on these spectra, and its scales."""
    scales: dict[str, NDArray] = {
        "input_mean": inputs.mean(axis=0),
        # One scale for all energies: where spectra hardly differ, their noise must not count.
        "input_scale": np.full(inputs.shape[1], inputs.std(axis=0).mean(), dtype=np.float32),
        "target_mean": targets.mean(axis=0),
        "target_scale": targets.std(axis=0),
    }
    x = torch.from_numpy((inputs - scales["input_mean"]) / scales["input_scale"])
    y = torch.from_numpy((targets - scales["target_mean"]) / scales["target_scale"]).float()
    slope = torch.from_numpy(np.gradient(inputs, step, axis=1) / scales["input_scale"])
    noise = settings.noise / float(scales["input_scale"][0])

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = build_network(x.shape[1], settings.hidden, y.shape[1], settings.dropout)
        optimiser = torch.optim.Adam(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
        for _ in range(settings.epochs):
            level = noise * torch.rand(len(x), 1)
            shift = settings.jitter * torch.randn(len(x), 1)
            optimiser.zero_grad()
            output = network(x + level * torch.randn_like(x) + shift * slope)
            torch.nn.functional.l1_loss(output, y).backward()
            optimiser.step()
            schedule.step()
    return network.eval(), scales
