"""The feed-forward network of Kiyohara et al. 2019, section 2.1."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained import PretrainedModel


def build_network(
    n_inputs: int, hidden: tuple[int, ...], n_outputs: int, dropout: float
) -> nn.Sequential:
    """Build a multilayer perceptron with ReLU, and dropout between its hidden layers.

    Parameters
    ----------
    n_inputs, n_outputs
        Number of energies and of properties.
    hidden
        Nodes of each hidden layer.
    dropout
        Dropout rate; as in the paper there is none after the last hidden layer.
    """
    layers: list[nn.Module] = []
    for position, (inputs, outputs) in enumerate(
        zip((n_inputs, *hidden[:-1]), hidden, strict=True), start=1
    ):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        if position < len(hidden):
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(hidden[-1], n_outputs))


def network_weights(network: nn.Sequential) -> dict[str, NDArray[np.float32]]:
    """Return the weights and biases as arrays, named ``layer.0.weight``, ``layer.0.bias``, ..."""
    return {
        f"layer.{position}.{name}": parameter.detach().cpu().numpy().copy()
        for position, layer in enumerate(_linear_layers(network))
        for name, parameter in layer.named_parameters()
    }


@lru_cache(maxsize=8)
def _trained_network(pretrained: PretrainedModel) -> nn.Sequential:
    network = build_network(
        pretrained.recipe.window.n_channels, pretrained.hidden, len(pretrained.properties), 0.0
    )
    with torch.no_grad():
        for position, layer in enumerate(_linear_layers(network)):
            for name, parameter in layer.named_parameters():
                parameter.copy_(torch.tensor(pretrained.weights[f"layer.{position}.{name}"]))
    return network.eval()


def evaluate(pretrained: PretrainedModel, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the properties of preprocessed spectra.

    Parameters
    ----------
    pretrained
        The network, with the scales of its inputs and outputs.
    inputs
        Area-normalised spectra on the window, shape (spectra, window channels).

    Returns
    -------
    ndarray
        Shape (spectra, properties), in the units of the properties.
    """
    return forward(_trained_network(pretrained), pretrained.weights, inputs)


def forward(
    network: nn.Sequential, scales: Mapping[str, NDArray], inputs: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Run a network between its scales.

    Parameters
    ----------
    network
        In evaluation mode.
    scales
        ``input_mean``, ``input_scale``, ``target_mean``, ``target_scale``.
    inputs
        Shape (spectra, window channels).
    """
    scaled = (inputs - scales["input_mean"]) / scales["input_scale"]
    with torch.inference_mode(), _one_thread():
        # A copy, because torch aligns its own memory, and the rounding depends on the alignment.
        outputs = network(torch.tensor(scaled)).numpy()
    # In float64, because an excitation energy has few float32 digits after the point.
    values = outputs.astype(np.float64) * scales["target_scale"] + scales["target_mean"]
    return values.astype(np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch from starting threads inside the threads that dask has started already."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def _linear_layers(network: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in network if isinstance(layer, nn.Linear)]
