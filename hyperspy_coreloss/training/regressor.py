"""Training of one network, as an estimator with the interface of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, check_X_y

from hyperspy_coreloss.pretrained.network import (
    build_network,
    forward,
    network_weights,
    one_thread,
    set_network_weights,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

_SCALES = ("input_mean", "input_scale", "target_mean", "target_scale")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How networks are trained (Kiyohara et al. 2019, section 2.1).

    Parameters
    ----------
    hidden
        Nodes of each hidden layer. The paper's values are not available; the same group used 160
        and 120 nodes on the same 160 energies (Chen et al. 2023, J. Phys. Chem. Lett. 14, 4858).
    dropout
        Dropout rate between hidden layers; by default that of the paper.
    learning_rate, weight_decay
        Learning rate and weight decay of the Adam optimiser; the learning rate decays to zero along
        a cosine.
    epochs
        Maximum number of passes over the training spectra.
    batch_size
        Number of spectra in each step of the optimiser.
    patience
        Number of epochs without improvement on the validation spectra after which training stops
        and the best weights are restored; None to train for all epochs.
    noise
        Maximum standard deviation of the white noise added to inputs, in units of the
        area-normalised spectrum (per eV). The level of each spectrum is drawn uniformly below it.
    jitter
        Standard deviation of the random energy shifts of inputs in eV, as from wrong thresholds.
    mixup
        Parameter of the Beta distribution by which pairs of spectra and their properties are
        mixed (Zhang et al. 2018, arXiv:1710.09412); 0 for none.
    seed
        Seed of all random numbers.
    """

    hidden: tuple[int, ...] = (160, 120)
    dropout: float = 0.5
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    epochs: int = 400
    batch_size: int = 64
    patience: int | None = 100
    noise: float = 0.01
    jitter: float = 0.1
    mixup: float = 0.0
    seed: int = 0


class NetworkRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """One network on preprocessed spectra, trained with Adam on the mean absolute error.

    The same data, settings and seed give bit-identical weights on processors of one kind.

    Parameters
    ----------
    settings
        Settings of the training; by default ``TrainingSettings()``.
    step
        Energy step of the inputs, in eV; required.

    Attributes
    ----------
    weights_
        Arrays ``layer.N.weight`` and ``layer.N.bias`` in half precision, and the scales of inputs
        and targets.
    history_
        Mean absolute error after each epoch on training (with dropout and noise) and validation
        spectra, in standard deviations of the training targets, shape (epochs, 2); NaN without
        validation spectra.
    """

    def __init__(self, settings: TrainingSettings | None = None, *, step: float) -> None:
        self.settings = settings
        self.step = step

    def fit(
        self,
        X: ArrayLike,  # noqa: N803 (scikit-learn's name)
        y: ArrayLike,
        validation: tuple[NDArray, NDArray] | None = None,
        start: Mapping[str, NDArray] | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X
            Preprocessed spectra, shape (spectra, window channels).
        y
            Properties, shape (spectra, properties).
        validation
            Inputs and properties of the validation spectra. With ``patience`` they stop the
            training early, and the weights of the epoch with the lowest error on them are kept.
        start
            ``weights_`` of a trained network to start from; its scales are kept.
        """
        settings = TrainingSettings() if self.settings is None else self.settings
        inputs, targets = check_X_y(X, y, multi_output=True, dtype=np.float32)
        targets = np.asarray(y, dtype=np.float64)  # float32 has too few digits for energies
        if start is None:
            scales = _scales(inputs, targets)
        else:
            scales = {name: start[name] for name in _SCALES}
        x, t = _scaled(inputs, targets, scales)
        held = None if validation is None else _scaled(*validation, scales)
        # One thread, because rounding depends on the number of threads.
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = build_network(x.shape[1], settings.hidden, t.shape[1], settings.dropout)
            if start is not None:
                set_network_weights(network, start)
            augmentation = _augmentation(inputs, scales["input_scale"], settings, self.step)
            weights, history = _optimise(network, (x, t, *augmentation), held, settings)
        # In half precision, which takes half the space; errors are far larger than its rounding.
        self.weights_ = {name: w.astype(np.float16) for name, w in weights.items()} | scales
        self.history_ = history
        self.n_features_in_ = inputs.shape[1]
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the properties of preprocessed spectra, shape (spectra, properties)."""
        check_is_fitted(self)
        stacked = {name: array[np.newaxis] for name, array in self.weights_.items()}
        return forward(stacked, np.asarray(X, dtype=np.float32))[0]


def _scales(inputs: NDArray[np.float32], targets: NDArray[np.float64]) -> dict[str, NDArray]:
    spread = targets.std(axis=0)
    # One scale for all energies, so that noise is not amplified where spectra hardly differ.
    scale = float(inputs.std(axis=0).mean()) or 1.0  # a single spectrum has no spread
    return {
        "input_mean": inputs.mean(axis=0),
        "input_scale": np.full(inputs.shape[1], scale, dtype=np.float32),
        "target_mean": targets.mean(axis=0),
        "target_scale": np.where(spread > 0, spread, 1.0),
    }


def _scaled(
    inputs: NDArray, targets: NDArray, scales: Mapping[str, NDArray]
) -> tuple[torch.Tensor, torch.Tensor]:
    x = (inputs - scales["input_mean"]) / scales["input_scale"]
    t = (targets - scales["target_mean"]) / scales["target_scale"]
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(t.astype(np.float32))


def _augmentation(
    inputs: NDArray[np.float32], scale: NDArray, settings: TrainingSettings, step: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the change of each spectrum by a shift of 1 eV, and its maximum noise."""
    slope = np.gradient(inputs, step, axis=1)
    # An absolute window is exactly zero outside the range that was read. It gets no noise there,
    # and no slope at the ends of the range.
    read = inputs != 0
    inner = read & np.roll(read, 1, axis=1) & np.roll(read, -1, axis=1)
    inner[:, [0, -1]] = read[:, [0, -1]]
    noise = np.where(read, np.float32(settings.noise), np.float32(0))
    return torch.from_numpy(np.where(inner, slope, 0) / scale), torch.from_numpy(noise / scale)


def _optimise(
    network: torch.nn.Sequential,
    training: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
    validation: tuple[torch.Tensor, torch.Tensor] | None,
    settings: TrainingSettings,
) -> tuple[dict[str, NDArray], NDArray[np.float32]]:
    """Return the best weights, and the errors after each epoch."""
    x, t, slope, noise = training
    optimiser = torch.optim.Adam(
        network.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    history: list[tuple[float, float]] = []
    best, weights = np.inf, network_weights(network)
    last_best = 0
    for epoch in range(settings.epochs):
        network.train()
        error = 0.0
        level = noise * torch.rand(len(x), 1)
        shift = settings.jitter * torch.randn(len(x), 1)
        augmented = x + level * torch.randn_like(x) + shift * slope
        inputs, targets = _mixed(augmented, t, settings.mixup)
        for rows in torch.randperm(len(x)).split(settings.batch_size):
            optimiser.zero_grad()
            loss = torch.nn.functional.l1_loss(network(inputs[rows]), targets[rows])
            loss.backward()
            optimiser.step()
            error += float(loss.detach()) * len(rows) / len(x)
        schedule.step()
        held_out = np.nan if validation is None else _error(network, *validation)
        history.append((error, held_out))
        if validation is None or settings.patience is None:
            continue
        if held_out < best:
            best, last_best, weights = held_out, epoch, network_weights(network)
        elif epoch - last_best >= settings.patience:
            break
    if not np.isfinite(best):
        weights = network_weights(network)
    return weights, np.array(history, dtype=np.float32).reshape(-1, 2)


def _mixed(
    inputs: torch.Tensor, targets: torch.Tensor, mixup: float
) -> tuple[torch.Tensor, torch.Tensor]:
    if not mixup:
        return inputs, targets
    share = torch.distributions.Beta(mixup, mixup).sample((len(inputs), 1))
    partner = torch.randperm(len(inputs))
    return torch.lerp(inputs[partner], inputs, share), torch.lerp(targets[partner], targets, share)


def _error(network: torch.nn.Sequential, x: torch.Tensor, t: torch.Tensor) -> float:
    network.eval()
    with torch.inference_mode():
        return float(torch.nn.functional.l1_loss(network(x), t))
