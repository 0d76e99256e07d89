"""The feed-forward network of Kiyohara et al. 2019, section 2.1, and ensembles of such networks."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from threadpoolctl import ThreadpoolController
from torch import nn

from hyperspy_coreloss.pretrained.auxiliary import DIRECT
from hyperspy_coreloss.pretrained.quantised import STEP, WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.results import Reader

#: Limits of the logarithm of a spread, in standard deviations of the labels.
LOG_SPREAD = (-7.0, 3.0)
# Created after torch has loaded its OpenMP library, so that it finds this library.
_THREADPOOLS = ThreadpoolController()
# Whether the calling thread is limited to one OpenMP thread.
_LIMITED = threading.local()


def build_network(
    n_inputs: int, hidden: tuple[int, ...], n_outputs: int, dropout: float
) -> nn.Sequential:
    """Build a multilayer perceptron with ReLU activations and dropout between its hidden layers.

    Parameters
    ----------
    n_inputs, n_outputs
        Number of energies, and number of properties.
    hidden
        Number of nodes of each hidden layer.
    dropout
        Dropout rate. As in the paper, there is no dropout after the last hidden layer.
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


def set_network_weights(network: nn.Sequential, weights: Mapping[str, NDArray]) -> None:
    """Set the weights and biases of a network to those that :func:`network_weights` returned."""
    with torch.no_grad():
        for position, layer in enumerate(_linear_layers(network)):
            for name, parameter in layer.named_parameters():
                parameter.copy_(torch.tensor(weights[f"layer.{position}.{name}"]))


def evaluate(
    pretrained: Reader, inputs: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Predict the properties of preprocessed spectra: the mean over the networks of the model.

    Parameters
    ----------
    pretrained
        Model with the weights of the networks and the scales of their inputs and outputs.
    inputs
        Network inputs, shape (spectra, inputs): area-normalised spectra on the window, followed by
        the auxiliary inputs if the model has them.

    Returns
    -------
    values : ndarray
        Properties in their units, shape (spectra, properties).
    spread : ndarray
        How far they may be off: the mean absolute error of such spectra, in the same units and
        shape. It is 1 for networks that do not predict it.
    layer : ndarray
        Values of the last hidden layer, shape (spectra, nodes).
    """
    # Values are in float64, because float32 has few decimals left for an excitation energy of some
    # 500 eV.
    values, spread, layer = (each.mean(axis=0) for each in _run(_tensors(pretrained), inputs))
    return values.astype(np.float32), spread.astype(np.float32), layer


def forward(weights: Mapping[str, NDArray], inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Evaluate each network of an ensemble, including the scaling of its inputs and outputs.

    Parameters
    ----------
    weights
        Arrays ``layer.N.weight``, ``layer.N.bias``, ``input_mean``, ``input_scale``,
        ``target_mean`` and ``target_scale``, and :data:`DIRECT` if the networks have it. The first
        axis of each array counts the networks. Weights may be in half precision, or in one byte,
        as multiples of the steps ``layer.N.step`` of the nodes.
    inputs
        Network inputs, shape (spectra, inputs): area-normalised spectra on the window, followed by
        the auxiliary inputs if the networks have them.

    Returns
    -------
    ndarray
        Properties predicted by each network, shape (networks, spectra, properties).
    """
    return forward_with_spread(weights, inputs)[0]


def forward_with_spread(
    weights: Mapping[str, NDArray], inputs: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what :func:`forward` returns, and the spread of each value, of the same shape.

    Parameters
    ----------
    weights, inputs
        As for :func:`forward`.
    """
    return _run(_as_tensors(weights), inputs)[:2]


def last_layer(weights: Mapping[str, NDArray], inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the values of the last hidden layer, shape (networks, spectra, nodes).

    Parameters
    ----------
    weights, inputs
        As for :func:`forward`.
    """
    return _run(_as_tensors(weights), inputs)[2]


@lru_cache(maxsize=8)
def _tensors(pretrained: Reader) -> dict[str, torch.Tensor]:
    return _as_tensors(pretrained.weights)


def _as_tensors(weights: Mapping[str, NDArray]) -> dict[str, torch.Tensor]:
    # The arrays are copied because torch aligns its own memory, and rounding depends on alignment.
    # Processors do not calculate in the precision in which weights are stored.
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    tensors |= {n: t.float() for n, t in tensors.items() if t.dtype in (torch.float16, torch.int8)}
    steps = [name for name in tensors if name.endswith(STEP)]
    for name in steps:
        tensors[name.removesuffix(STEP) + WEIGHT] *= tensors.pop(name)[..., None]
    return tensors


def _run(
    weights: Mapping[str, torch.Tensor], inputs: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    n_layers = sum(name.startswith("layer.") for name in weights) // 2
    with torch.inference_mode(), one_thread():
        # Numpy's memory is aligned differently, but differences and quotients round the same.
        read = torch.from_numpy(np.require(inputs, requirements="W"))
        read = read - weights["input_mean"][:, None]
        values = read.div_(weights["input_scale"][:, None])
        hidden = values
        for layer in range(n_layers):
            hidden = values
            bias, weight = weights[f"layer.{layer}.bias"], weights[f"layer.{layer}.weight"]
            values = torch.baddbmm(bias[:, None], values, weight.transpose(1, 2))
            if layer < n_layers - 1:
                values = values.relu()
        if DIRECT in weights:
            direct = weights[DIRECT].transpose(1, 2)
            values = torch.baddbmm(values, read[..., -direct.shape[1] :], direct)
        scale, mean = (weights[f"target_{name}"][:, None] for name in ("scale", "mean"))
        properties = scale.shape[-1]
        outputs = values[..., :properties].double() * scale + mean
        logarithm = values[..., properties:].double().clamp(*LOG_SPREAD)
        spread = logarithm.exp() * scale if logarithm.shape[-1] else torch.ones_like(outputs)
        return outputs.numpy(), spread.numpy(), hidden.numpy()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one OpenMP thread in the calling thread.

    Dask already runs several threads, and rounding depends on the number of OpenMP threads. The
    limit applies to the calling thread only, whereas ``torch.set_num_threads`` applies to the whole
    process. Within another such limit of the same thread, nothing is to be done, which is faster.
    """
    if getattr(_LIMITED, "now", False):
        yield
        return
    # In each thread torch sets the number at its first use, which must not come after the limit.
    torch.get_num_threads()
    with _THREADPOOLS.limit(limits=1, user_api="openmp"):
        _LIMITED.now = True
        try:
            yield
        finally:
            _LIMITED.now = False


def _linear_layers(network: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in network if isinstance(layer, nn.Linear)]
