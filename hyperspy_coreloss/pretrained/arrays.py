"""What the arrays of a pretrained model must be: names, shapes, types and values."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import PretrainedFormatError
from hyperspy_coreloss.pretrained.auxiliary import DIRECT, N_AUXILIARY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# The types with which the networks are evaluated; of any other type, torch refuses or rounds.
_NETWORK_TYPES: tuple[str, ...] = ("float16", "float32")
_OTHER_TYPES = ("float32", "float64")
# Errors and spreads of held-out spectra, of which three figures are enough.
_HELD_OUT, _HELD_OUT_TYPES = ("residuals", "spreads"), ("float16", "float32", "float64")
# Epochs after the end of a training are NaN.
_MAY_BE_NAN = ("history",)
# Models of early versions do not have it.
_LABELS = "label_range"
# Models whose networks predict the spread of each value have those of the held-out spectra.
_SPREADS = "spreads"
# Inputs, intervals and residuals are divided by them.
_POSITIVE = ("input_scale", "target_scale", _SPREADS)


def check_arrays(model: str, arrays: Mapping[str, NDArray], nodes: tuple[int, ...]) -> None:
    """Check all arrays of a pretrained model.

    Parameters
    ----------
    model
        Name of the model, for error messages.
    arrays
        The arrays by name, with ``residuals`` and ``history``.
    nodes
        Numbers of nodes of the layers, from the inputs to the properties. Networks with ``spreads``
        have twice as many outputs.

    Raises
    ------
    PretrainedFormatError
        If an array is missing or not known, has the wrong shape or type, or contains a value that
        is not finite, or a scale is not above zero.
    """
    shapes = _shapes(arrays, nodes)
    for name, shape in shapes.items():
        array = arrays.get(name)
        if array is None or array.shape != shape:
            actual = "it is missing" if array is None else f"it has the shape {array.shape}"
            raise _refused(model, f"{name} needs the shape {shape}, but {actual}")
        of_network = name.startswith(("layer.", "input_")) or name == DIRECT
        types = _NETWORK_TYPES if of_network else _OTHER_TYPES
        types = _HELD_OUT_TYPES if name in _HELD_OUT else types
        if array.dtype.name not in types:
            needed = " or ".join(types)
            raise _refused(model, f"{name} needs the type {needed}, but it is {array.dtype}")
        if name not in _MAY_BE_NAN and not np.isfinite(array).all():
            n_bad = int((~np.isfinite(array)).sum())
            found = f"{n_bad} of {array.size} values are NaN or infinite"
            raise _refused(model, f"{name} must be finite, but {found}")
        if name in _POSITIVE and not (array > 0).all():
            found = f"{int((array <= 0).sum())} of {array.size} values are not"
            raise _refused(model, f"{name} must be above zero, but {found}")
    unknown = sorted(set(arrays) - set(shapes))
    if unknown:
        raise _refused(model, f"it has unknown arrays: {', '.join(unknown)}")


def _shapes(arrays: Mapping[str, NDArray], nodes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    # Of missing arrays or those without axes, the comparison with these shapes will tell.
    history, residuals = (np.atleast_1d(arrays.get(name, 0)) for name in ("history", "residuals"))
    networks = len(history)
    shapes: dict[str, tuple[int, ...]] = {
        "input_mean": (networks, nodes[0]),
        "input_scale": (networks, nodes[0]),
        "target_mean": (networks, nodes[-1]),
        "target_scale": (networks, nodes[-1]),
        "residuals": (len(residuals), nodes[-1]),
        "history": (networks, *history.shape[1:2], 2),
    }
    last = nodes[-1] * (2 if _SPREADS in arrays else 1)
    if _LABELS in arrays:
        shapes[_LABELS] = (2, nodes[-1])
    if _SPREADS in arrays:
        shapes[_SPREADS] = shapes["residuals"]
    if DIRECT in arrays:
        shapes[DIRECT] = (networks, last, N_AUXILIARY)
    for position, (inputs, outputs) in enumerate(pairwise((*nodes[:-1], last))):
        shapes[f"layer.{position}.weight"] = (networks, outputs, inputs)
        shapes[f"layer.{position}.bias"] = (networks, outputs)
    return shapes


def _refused(model: str, reason: str) -> PretrainedFormatError:
    return PretrainedFormatError(
        f"Pretrained model {model!r}: {reason}. Copy or download the file again, or train the "
        "model again."
    )
