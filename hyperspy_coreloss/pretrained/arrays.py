"""What the arrays and the texts of a pretrained model must be."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import PretrainedFormatError
from hyperspy_coreloss.pretrained.auxiliary import DIRECT, N_AUXILIARY
from hyperspy_coreloss.pretrained.quantised import STEP, WEIGHT
from hyperspy_coreloss.pretrained.references import PREFIX, SPACES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

# The types with which the networks are evaluated; of any other type, torch refuses or rounds.
_NETWORK_TYPES: tuple[str, ...] = ("float16", "float32")
_OTHER_TYPES = ("float32", "float64")
# Errors of held-out spectra, of which three figures are enough.
_SCORES, _SCORE_TYPES = "scores", ("float16", "float32", "float64")
# Epochs after the end of a training are NaN.
_MAY_BE_NAN = ("history",)
# Models of early versions do not have it.
_LABELS = "label_range"
# Inputs, intervals and distances are divided by them, or are multiples of them.
_POSITIVE = (
    "input_scale",
    "target_scale",
    "usual_spread",
    f"{PREFIX}label_scale",
    *(f"{PREFIX}{space}.{name}" for space in SPACES for name in ("steps", "distances")),
)
# Positions of sites in the data set, their populations, and multiples of steps.
_COUNTED = {
    f"{PREFIX}sites": ("int32",),
    f"{PREFIX}populations": ("uint8",),
    **{f"{PREFIX}{space}.coordinates": ("int8",) for space in SPACES},
}


def check_arrays(model: str, arrays: Mapping[str, NDArray], nodes: tuple[int, ...]) -> None:
    """Check all arrays of a pretrained model.

    Parameters
    ----------
    model
        Name of the model, for error messages.
    arrays
        The arrays by name, with ``scores`` and ``history``.
    nodes
        Numbers of nodes of the layers, from the inputs to the properties. Networks that predict
        spreads have twice as many outputs.

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
        types = _SCORE_TYPES if name == _SCORES or name.startswith(PREFIX) else types
        types = _COUNTED.get(name, types)
        if name.endswith(WEIGHT) and name.removesuffix(WEIGHT) + STEP in arrays:
            types = ("int8",)
        if array.dtype.name not in types:
            needed = " or ".join(types)
            raise _refused(model, f"{name} needs the type {needed}, but it is {array.dtype}")
        if name not in _MAY_BE_NAN and not np.isfinite(array).all():
            n_bad = int((~np.isfinite(array)).sum())
            found = f"{n_bad} of {array.size} values are NaN or infinite"
            raise _refused(model, f"{name} must be finite, but {found}")
        if (name in _POSITIVE or name.endswith(STEP)) and not (array > 0).all():
            found = f"{int((array <= 0).sum())} of {array.size} values are not"
            raise _refused(model, f"{name} must be above zero, but {found}")
    unknown = sorted(set(arrays) - set(shapes))
    if unknown:
        raise _refused(model, f"it has unknown arrays: {', '.join(unknown)}")


def _shapes(arrays: Mapping[str, NDArray], nodes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    # Of missing arrays or those without axes, the comparison with these shapes will tell.
    history, scores = (np.atleast_1d(arrays.get(name, 0)) for name in ("history", _SCORES))
    networks = len(history)
    shapes: dict[str, tuple[int, ...]] = {
        "input_mean": (networks, nodes[0]),
        "input_scale": (networks, nodes[0]),
        "target_mean": (networks, nodes[-1]),
        "target_scale": (networks, nodes[-1]),
        _SCORES: (len(scores), nodes[-1]),
        "usual_spread": (nodes[-1],),
        "history": (networks, *history.shape[1:2], 2),
    }
    last_bias = np.atleast_1d(arrays.get(f"layer.{len(nodes) - 2}.bias", 0))
    last = nodes[-1] * (2 if last_bias.shape[-1] > nodes[-1] else 1)
    if _LABELS in arrays:
        shapes[_LABELS] = (2, nodes[-1])
    if DIRECT in arrays:
        shapes[DIRECT] = (networks, last, N_AUXILIARY)
    if any(name.startswith(PREFIX) for name in arrays):
        shapes |= _reference_shapes(arrays, nodes)
    for position, (inputs, outputs) in enumerate(pairwise((*nodes[:-1], last))):
        layer = f"layer.{position}"
        shapes[f"{layer}{WEIGHT}"] = (networks, outputs, inputs)
        shapes[f"{layer}.bias"] = (networks, outputs)
        if f"{layer}{STEP}" in arrays:
            shapes[f"{layer}{STEP}"] = (networks, outputs)
    return shapes


def check_texts(texts: Mapping[str, object], property_names: Sequence[str]) -> None:
    """Check the texts of a pretrained model, and the names of its properties.

    Parameters
    ----------
    texts
        Name, version, intended use and limits of the model.
    property_names
        Names of its properties.

    Raises
    ------
    PretrainedFormatError
        If a text is missing or empty, or two properties have one name.
    """
    for field, text in texts.items():
        line = field in ("name", "version")
        # Results record both, and files of results hold no null characters.
        if not (isinstance(text, str) and text.strip() and (text.isprintable() or not line)):
            msg = (
                f"Pretrained model {texts['name']!r} must state its intended use and its limits, "
                f"and have a name and a version, but its {field} is {text!r}."
            )
            raise PretrainedFormatError(msg)
    if len(set(property_names)) < len(property_names):
        msg = (
            f"Pretrained model {texts['name']!r} needs properties of different names, but they are "
            f"{', '.join(property_names)}."
        )
        raise PretrainedFormatError(msg)


def _reference_shapes(
    arrays: Mapping[str, NDArray], nodes: tuple[int, ...]
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of the sites that spectra are compared with."""
    inputs, last_hidden, properties = nodes[0], nodes[-2], nodes[-1]
    sites = len(np.atleast_1d(arrays.get(f"{PREFIX}sites", 0)))
    shapes: dict[str, tuple[int, ...]] = {
        "labels": (sites, properties),
        "label_scale": (properties,),
        "sites": (sites,),
        "populations": (sites,),
        "region_errors": (len(np.atleast_1d(arrays.get(f"{PREFIX}region_errors", 0))), properties),
    }
    for space, most in zip(SPACES, (inputs, last_hidden), strict=True):
        basis, distances = (
            np.atleast_2d(arrays.get(f"{PREFIX}{space}.{name}", 0)).shape
            for name in ("basis", "distances")
        )
        length = min(basis[0], most) if space == SPACES[0] else most
        shapes |= {
            f"{space}.centre": (length,),
            f"{space}.basis": (length, basis[1]),
            f"{space}.coordinates": (sites, basis[1]),
            f"{space}.steps": basis[1:],
            f"{space}.distances": (distances[-1],),
        }
    return {PREFIX + name: shape for name, shape in shapes.items()}


def _refused(model: str, reason: str) -> PretrainedFormatError:
    return PretrainedFormatError(
        f"Pretrained model {model!r}: {reason}. Copy or download the file again, or train the "
        "model again."
    )
