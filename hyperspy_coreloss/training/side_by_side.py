"""Networks trained side by side on the same spectra, each without its own fold.

All networks read each batch at once, as one batched tensor; the spectra of a network's own fold
have no weight in its loss. Ten networks take little longer than one. The last network is trained on
all spectra, in the same way.

A network predicts each property, and how far it may be off: the mean absolute error that spectra
like this one have. Properties are trained on the mean absolute error, so that the spread does not
decide which spectra are learnt (the value is not changed by the gradient of the spread's loss).

Auxiliary inputs also act on the outputs directly: a number that a user knows, such as the energy of
the threshold, must not be lost among hundreds of intensities and in the dropout of hidden layers.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.auxiliary import DIRECT
from hyperspy_coreloss.pretrained.network import LOG_SPREAD, forward_with_spread, one_thread
from hyperspy_coreloss.pretrained.quantised import STEP, WEIGHT, quantise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

#: Fold of a spectrum that every network may be trained on.
NO_FOLD = -1
# How much stronger auxiliary inputs are than an intensity, in standard deviations: they are few.
_AUXILIARY_GAIN = 10.0
# Standard deviation, relative to the mean, of inputs that are constant but for rounding.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How networks are trained side by side.

    Parameters
    ----------
    hidden
        Nodes of each hidden layer.
    dropout
        Dropout rate between hidden layers.
    learning_rate, weight_decay
        Learning rate and decoupled weight decay of the optimiser AdamW; the learning rate decays to
        zero along a cosine.
    steps, batch_size
        Number of steps of the optimiser, and number of spectra in each.
    spread_weight
        Weight of the loss of the spreads, relative to that of the properties.
    seed
        Seed of all random numbers.
    """

    hidden: tuple[int, ...] = (128, 128, 128)
    dropout: float = 0.0
    learning_rate: float = 2e-3
    weight_decay: float = 0.5
    steps: int = 2000
    batch_size: int = 256
    spread_weight: float = 0.3
    seed: int = 0


def train_side_by_side(
    inputs: NDArray[np.float32],
    targets: NDArray[np.float64],
    folds: NDArray[np.integer],
    settings: NetworkSettings,
    *,
    auxiliary: int = 0,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, NDArray]:
    """Train one network for each fold, and one on all spectra.

    Parameters
    ----------
    inputs
        Network inputs, shape (spectra, inputs).
    targets
        Labels, shape (spectra, properties); NaN where a label is missing.
    folds
        Network that is not trained on each spectrum, shape (spectra,), from 0; :data:`NO_FOLD` for
        none.
    settings
        Settings of the training.
    auxiliary
        Number of inputs, at the end, that are not intensities of a spectrum.
    progress
        Called after each step.

    Returns
    -------
    dict
        Arrays ``layer.N.weight`` in multiples of ``layer.N.step``, ``layer.N.bias`` and, with
        auxiliary inputs, :data:`.DIRECT`, in half precision, and the scales ``input_mean``,
        ``input_scale``, ``target_mean`` and ``target_scale``. The first axis of each counts the
        networks; the last one was trained on all spectra.

    Raises
    ------
    DatasetError
        If a property has no label, or there are no spectra.
    """
    networks = int(folds.max(initial=NO_FOLD)) + 2
    scales = _scales(inputs, targets, inputs.shape[1] - auxiliary)
    x = torch.from_numpy(((inputs - scales["input_mean"]) / scales["input_scale"]).astype("f4"))
    scaled = (targets - scales["target_mean"]) / scales["target_scale"]
    labels = torch.from_numpy(np.nan_to_num(scaled).astype(np.float32))
    labelled = torch.from_numpy(np.isfinite(targets).astype(np.float32))
    fold = torch.from_numpy(np.asarray(folds, dtype=np.int64))
    # One thread, because rounding depends on the number of threads.
    with one_thread():
        generator = torch.Generator().manual_seed(settings.seed)
        nodes = (x.shape[1], *settings.hidden, 2 * targets.shape[1])
        layers = _initial(networks, nodes, generator)
        direct = torch.zeros(networks, auxiliary, nodes[-1], requires_grad=True)
        flat = [parameter for layer in layers for parameter in layer]
        flat += [direct] if auxiliary else []
        optimiser = torch.optim.AdamW(
            flat, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
        every = torch.arange(networks)[:, None]
        for rows in _batches(len(x), settings, generator):
            weight = (fold[rows] != every)[..., None] * labelled[rows]
            outputs = _forward(layers, x[rows], settings.dropout, generator)
            if auxiliary:
                outputs = outputs + x[rows, -auxiliary:] @ direct
            optimiser.zero_grad()
            _loss(outputs, labels[rows], weight, settings.spread_weight).backward()
            optimiser.step()
            schedule.step()
            progress()
    arrays: dict[str, NDArray] = {}
    for number, (weight, bias) in enumerate(layers):
        multiples, steps = quantise(weight.detach().transpose(1, 2).numpy(), axis=-1)
        arrays |= {f"layer.{number}{WEIGHT}": multiples, f"layer.{number}{STEP}": steps}
        arrays[f"layer.{number}.bias"] = bias[:, 0].detach().numpy().astype(np.float16)
    if auxiliary:
        arrays[DIRECT] = direct.detach().transpose(1, 2).numpy().astype(np.float16)
    return arrays | {name: np.stack([scale] * networks) for name, scale in scales.items()}


def predict_by_fold(
    weights: Mapping[str, NDArray], inputs: NDArray[np.float32], folds: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Predict each spectrum by the network that was trained without its fold.

    Parameters
    ----------
    weights
        Networks of :func:`train_side_by_side`: one for each fold, and one on all spectra.
    inputs
        Network inputs, shape (spectra, inputs).
    folds
        Fold of each spectrum, shape (spectra,).

    Returns
    -------
    values, spread : ndarray
        Properties, and how far they may be off, shape (spectra, properties).
    """
    properties = weights["target_mean"].shape[-1]
    values, spread = (np.empty((len(inputs), properties)) for _ in range(2))
    for fold in np.unique(folds):
        rows = folds == fold
        network = {name: array[fold : fold + 1] for name, array in weights.items()}
        predicted = forward_with_spread(network, inputs[rows])
        values[rows], spread[rows] = (each[0] for each in predicted)
    return values, spread


def input_scales(
    inputs: NDArray[np.float32], energies: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean and the scale of each input.

    Parameters
    ----------
    inputs
        Network inputs, shape (spectra, inputs).
    energies
        Number of inputs, at the beginning, that are intensities of a spectrum.
    """
    mean, variation = inputs.mean(axis=0), inputs.std(axis=0)
    # The standard deviation of what is constant is not zero, but that of rounding.
    scale = np.where(variation > _ROUNDING * np.abs(mean), variation, 1.0)
    # Between one scale for all energies, which hides the small oscillations far behind the edge,
    # and a scale for each, which raises the noise of energies where spectra hardly differ.
    scale[:energies] = np.sqrt(scale[:energies] * scale[:energies].mean())
    return mean, scale.astype(np.float32)


def _scales(
    inputs: NDArray[np.float32], targets: NDArray[np.float64], energies: int
) -> dict[str, NDArray]:
    missing = np.flatnonzero(~np.isfinite(targets).any(axis=0))
    if missing.size or not len(targets):
        msg = (
            f"Training needs spectra with labels, but {len(targets)} spectra have none of property "
            f"number {missing.tolist()}. Leave the property out."
        )
        raise DatasetError(msg)
    spread = np.nanstd(targets, axis=0)
    mean, scale = input_scales(inputs, energies)
    scale[energies:] /= _AUXILIARY_GAIN
    return {
        "input_mean": mean,
        "input_scale": scale,
        "target_mean": np.nanmean(targets, axis=0),
        "target_scale": np.where(spread > 0, spread, 1.0),
    }


def _initial(
    networks: int, nodes: tuple[int, ...], generator: torch.Generator
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return random weights (networks, inputs, outputs) and biases (networks, 1, outputs)."""

    def uniform(*shape: int) -> torch.Tensor:
        values = torch.rand(shape, generator=generator) * 2 - 1
        return (values / math.sqrt(fan_in)).requires_grad_()

    layers = []
    for fan_in, fan_out in itertools.pairwise(nodes):
        layers.append((uniform(networks, fan_in, fan_out), uniform(networks, 1, fan_out)))
    return layers


def _batches(
    number: int, settings: NetworkSettings, generator: torch.Generator
) -> list[torch.Tensor]:
    """Return the spectra of each step; every spectrum is read once before any is read again."""
    per_pass = math.ceil(number / settings.batch_size)
    passes = math.ceil(settings.steps / per_pass)
    batches = [
        rows
        for _ in range(passes)
        for rows in torch.randperm(number, generator=generator).split(settings.batch_size)
    ]
    return batches[: settings.steps]


def _forward(
    layers: list[tuple[torch.Tensor, torch.Tensor]],
    inputs: torch.Tensor,
    dropout: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Return the outputs of all networks for the same inputs, shape (networks, spectra, 2 P)."""
    (weight, bias), *rest = layers
    networks, n_inputs, nodes = weight.shape
    # One product for all networks, as they read the same spectra.
    merged = weight.transpose(0, 1).reshape(n_inputs, networks * nodes)
    values = (inputs @ merged).view(len(inputs), networks, nodes).transpose(0, 1) + bias
    for number, (weight, bias) in enumerate(rest, start=1):
        values = values.relu()
        if dropout and number < len(rest):
            kept = torch.rand(values.shape, generator=generator) >= dropout
            values = values * kept / (1 - dropout)
        values = torch.baddbmm(bias, values, weight)
    return values


def _loss(
    outputs: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor, spread_weight: float
) -> torch.Tensor:
    """Return the sum over networks of the mean losses of properties and spreads."""
    properties = labels.shape[-1]
    error = (outputs[..., :properties] - labels).abs()
    logarithm = outputs[..., properties:].clamp(*LOG_SPREAD)
    likelihood = error.detach() * torch.exp(-logarithm) + logarithm
    return (weight * (error + spread_weight * likelihood)).mean(dim=(1, 2)).sum()
