"""Metadata paths of the signals of predicted properties.

A result stores everything except its values in ``metadata.CoreLossProperty``, because the
attributes of a signal are lost when it is sliced, copied or saved. The maps that accompany the
properties (:data:`MAPS`) are signals of the same shape as the result, so that they can be sliced
and transposed with it. Except for the spread, they have equal values along the property axis.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

import dask.array as da
import numpy as np
from hyperspy.signals import BaseSignal, LazySignal

from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.provenance import package_version
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.properties import PropertySpec
    from hyperspy_coreloss.spectra.calibration import Calibration
    from hyperspy_coreloss.spectra.preparation import Preparation

#: Signal type of a result.
SIGNAL_TYPE = "CoreLossProperty"
#: Metadata node of a result.
NODE = "CoreLossProperty"
#: Names of the maps that accompany a result, under :data:`NODE`.
MAPS = tuple(field.name for field in MAP_FIELDS)
#: Name of the map with the spread of each value, which intervals are multiples of.
SPREAD = "spread"
#: Name of the property axis, along which the properties lie.
PROPERTY_AXIS = "property"

_PREPROCESSING = f"{NODE}.Preprocessing"
# Errors on held-out spectra: divided by their spreads; results of early versions have no spreads.
_SCORES = ("scores", "residuals")
# What is true of the spectra and of all that is made from them: who measured what, when, and how.
_ORIGIN = ("General", "Sample", "Acquisition_instrument")
# Titles are given anew; FileIO tells of the file of the spectra only.
_NOT_ORIGIN = ("title", "FileIO")


def map_path(name: str) -> str:
    """Return the metadata path of one of :data:`MAPS`."""
    return f"{NODE}.{name}"


def array_axes(signal: BaseSignal) -> list[Any]:
    """Return the axes of a signal in the order of its array."""
    axes = signal.axes_manager
    return sorted((*axes.navigation_axes, *axes.signal_axes), key=lambda axis: axis.index_in_array)


def property_axis(signal: BaseSignal) -> Any:
    """Return the axis along which the properties lie, or None if the signal has no such axis."""
    return next((axis for axis in array_axes(signal) if axis.name == PROPERTY_AXIS), None)


def get_map(result: BaseSignal, name: str) -> BaseSignal | None:
    """Return one of the :data:`MAPS` of a result, or None if the result does not have it.

    The map has the axes of the result: those that it was stored with may since have been
    calibrated, or are lost in the format of a file. A map of another shape than the result is that
    of other spectra, and is not returned.
    """
    stored = result.metadata.get_item(map_path(name))
    if stored is None or stored.data.shape != result.data.shape:
        stored = _stacked_map(result, name)
    if stored is None:
        return None
    axes = [axis.get_axis_dictionary() for axis in array_axes(result)]
    if [axis.get_axis_dictionary() for axis in array_axes(stored)] != axes:
        stored = type(stored)(stored.data, axes=axes)
        stored.set_signal_type("")
        set_map(result, name, stored)
    return stored


def _stacked_map(result: BaseSignal, name: str) -> BaseSignal | None:
    """Return a map of a stack of results, from those of its parts, or None if some have none."""
    parts = result.original_metadata.get_item("stack_elements")
    maps = [part.get_item(f"metadata.{map_path(name)}") for _, part in parts or ()]
    if not maps or any(one is None for one in maps):
        return None
    arrays, shape = [one.data for one in maps], result.data.shape
    join = da if any(isinstance(array, da.Array) for array in arrays) else np
    if len(shape) > arrays[0].ndim:  # a stack has a new first axis, or is longer along another one
        data = join.stack(arrays)
    else:
        axis = int(np.argmax(np.not_equal(shape, arrays[0].shape)))
        data = join.concatenate(arrays, axis)
    if data.shape != shape:  # the stack was cut since
        return None
    stacked = type(maps[0])(data)
    stacked.set_signal_type("")
    return stacked


def set_map(result: BaseSignal, name: str, values: BaseSignal) -> None:
    """Store one of :data:`MAPS` in the metadata of a result."""
    result.metadata.set_item(map_path(name), values)


def forget_maps(result: BaseSignal) -> None:
    """Remove :data:`MAPS` from a result whose values are no longer those of single spectra."""
    node = result.metadata.get_item(NODE)
    for name in MAPS:
        if node is not None and node.has_item(name):
            delattr(node, name)


def forget_intervals(result: BaseSignal) -> None:
    """Remove the errors from which intervals are obtained."""
    node = result.metadata.get_item(NODE)
    for name in _SCORES:
        if node is not None and node.has_item(name):
            delattr(node, name)


def forget_properties(signal: BaseSignal, title: str) -> None:
    """Make a signal whose values are not properties a plain signal with a title, in place."""
    if signal.metadata.has_item(NODE):
        delattr(signal.metadata, NODE)
    set_title(signal, title)
    signal.set_signal_type("")


def restore_properties(signal: BaseSignal, result: BaseSignal) -> None:
    """Make a plain signal whose values are properties a result like another, without maps."""
    node = result.metadata.get_item(NODE)
    if node is not None:
        kept = {key: node[key] for key in node.keys() if key not in MAPS}  # noqa: SIM118
        signal.metadata.add_dictionary(deepcopy({NODE: _as_dictionaries(kept)}))
    set_title(signal, title_of(result))
    signal.set_signal_type(SIGNAL_TYPE)


def _as_dictionaries(nodes: dict[str, Any]) -> dict[str, Any]:
    return {
        key: node.as_dictionary() if hasattr(node, "as_dictionary") else node
        for key, node in nodes.items()
    }


def property_items(result: BaseSignal, item: Literal["names", "labels", "units"]) -> list[str]:
    """Return an item of each property of the pretrained model, in the model's order."""
    entries = result.metadata.get_item(f"{NODE}.{item}")
    # Files of early versions contain lists.
    return entries.split("\n") if isinstance(entries, str) else [str(entry) for entry in entries]


def scores_of(result: BaseSignal) -> NDArray[np.floating] | None:
    """Return the model's errors on held-out spectra divided by their spreads, or None.

    The shape is (spectra, properties). A stack of results has the metadata of the first, so that it
    has no errors if the models differ.
    """
    parts = result.original_metadata.get_item("stack_elements")
    if parts is not None:
        path = f"metadata.{NODE}.Pretrained.sha256"
        if len({part.get_item(path) for _, part in parts}) > 1:
            return None
    for name in _SCORES:
        scores = result.metadata.get_item(f"{NODE}.{name}")
        if scores is not None and (name == "residuals" or get_map(result, SPREAD) is not None):
            return np.asarray(scores)
    return None


def describe_map(signal: BaseSignal, label: str) -> dict[str, Any]:
    """Return the metadata of a map of a signal, whose label has the unit in parentheses."""
    return _described(
        signal,
        label.rpartition(" (")[0] or label,
        {"Signal": {"quantity": label, "signal_type": ""}},
    )


def _described(signal: BaseSignal, title: str, nodes: dict[str, Any]) -> dict[str, Any]:
    """Return metadata with a title, the nodes, and the origin of the signal they describe."""
    described: dict[str, Any] = {"General": {}}
    for name in _ORIGIN:
        node = signal.metadata.get_item(name)
        if node is not None:
            described[name] = {
                key: deepcopy(value)
                for key, value in node.as_dictionary().items()
                if key not in _NOT_ORIGIN
            }
    described["General"]["title"] = title
    return {**nodes, **described}


def elements_of(signal: BaseSignal) -> tuple[str, ...]:
    """Return the symbols of the elements of the specimen; none if they are not given."""
    elements = signal.metadata.get_item("Sample.elements")
    return () if elements is None else tuple(str(one) for one in np.ravel(elements))


def label_of(property_map: BaseSignal) -> str:
    """Return the label of a map, including its unit; the title of a signal without a label."""
    return str(property_map.metadata.get_item("Signal.quantity") or title_of(property_map))


def set_label(signal: BaseSignal, label: str) -> None:
    """Set the label of the values of a signal."""
    signal.metadata.Signal.quantity = label


def set_title(signal: BaseSignal, title: str) -> None:
    """Set the title of a signal."""
    signal.metadata.General.title = title


def title_of(signal: BaseSignal) -> str:
    """Return the title of a signal, or an empty string if it has none."""
    return str(signal.metadata.get_item("General.title", default=""))


def describe_properties(properties: Sequence[PropertySpec], title: str) -> dict[str, Any]:
    """Return the metadata of a signal that has properties along its signal axis.

    Parameters
    ----------
    properties
        Specification of each property, in the order of the signal axis.
    title
        Title of the signal.
    """
    return {
        "General": {"title": title},
        "Signal": {"signal_type": SIGNAL_TYPE},
        NODE: {
            "names": _lines(spec.name for spec in properties),
            "labels": _lines(spec.label for spec in properties),
            "units": _lines(spec.unit for spec in properties),
            "definitions": _lines(spec.definition for spec in properties),
        },
    }


def _lines(texts: Iterable[str]) -> str:
    """Join texts, one a line: NeXus files hold no lists of texts with letters such as Å."""
    return "\n".join(" ".join(text.split()) for text in texts)


def describe_prediction(
    signal: BaseSignal,
    pretrained: PretrainedModel,
    preparation: Preparation,
    resolution: float | None,
    calibration: Calibration | None = None,
    low_loss: BaseSignal | None = None,
) -> dict[str, Any]:
    """Return the metadata of a result as numbers, strings, lists, arrays and dictionaries.

    Parameters
    ----------
    signal
        The spectra.
    pretrained
        The model that predicts their properties.
    preparation
        The preprocessing of the spectra.
    resolution
        The resolution given by the user or measured in the low loss, in eV (full width at half
        maximum), or None if there is none.
    calibration
        The calibration of the energies, or None if there is none.
    low_loss
        The low-loss spectra, or None.
    """
    title = title_of(signal)
    title = f"Properties of {title}" if title else "Properties"
    described = _described(signal, title, describe_properties(pretrained.properties, title))
    described[NODE] |= {
        "scores": pretrained.scores,
        "Pretrained": {
            "name": pretrained.name,
            "version": pretrained.version,
            "sha256": pretrained.sha256,
            "package_version": package_version(),
        },
        "Preprocessing": {
            "edge": preparation.recipe.edge,
            "background": preparation.background or "none",
            "background_range": list(preparation.background_range or ()),
            "onset_range": list(preparation.onset_range),
            "resolution": 0.0 if resolution is None else resolution,
            "resolution_given": resolution is not None,
            "low_loss": "none" if low_loss is None else title_of(low_loss) or "given",
            "broadening_sigma": preparation.broadening,
            "Recipe": _plain(preparation.recipe.to_dict()),
        },
    }
    if preparation.energy_offset is not None:
        described[NODE]["Preprocessing"]["energy_offset"] = preparation.energy_offset
    if calibration is not None:
        described[NODE]["Preprocessing"]["Calibration"] = {
            "material": calibration.material,
            "energy_offset": calibration.energy_offset,
            "position": calibration.position,
            "dispersion": calibration.dispersion,
            "nominal_dispersion": calibration.nominal_dispersion,
            "resolution": calibration.resolution,
            "relative_thickness": calibration.relative_thickness,
            "Uncertainties": dict(calibration.uncertainties),
        }
    return described


def recipe_of(result: BaseSignal) -> Recipe:
    """Return the recipe by which the spectra of a result were preprocessed.

    Results saved by early versions contain no recipe; for these, the default recipe is returned.
    """
    fields = result.metadata.get_item(f"{_PREPROCESSING}.Recipe")
    return Recipe() if fields is None else Recipe.from_dict(fields.as_dictionary())


def preprocessing_of(result: BaseSignal) -> dict[str, Any]:
    """Return the options of a prediction; empty for a signal that is not predicted."""
    node = result.metadata.get_item(_PREPROCESSING)
    return {} if node is None else node.as_dictionary()


def model_of(result: BaseSignal) -> str:
    """Return the name and the version of the model of a result, or an empty text."""
    node = result.metadata.get_item(f"{NODE}.Pretrained")
    return "" if node is None else f"{node.name}, version {node.version}"


def read_metadata(signal: BaseSignal) -> None:
    """Read the arrays in the metadata of a signal into memory, in place.

    HyperSpy loads them as dask arrays if it loads the signal lazily. They can no longer be read
    when the file is closed or overwritten.
    """
    for tree in (signal.metadata, signal.original_metadata):
        _read_tree(tree)


def _read_tree(tree: Any) -> None:
    for key in tree.keys():  # noqa: SIM118  # iteration over the tree gives pairs
        value = tree[key]
        if hasattr(value, "as_dictionary"):
            _read_tree(value)
        else:
            read = _read(value)
            if read is not value:
                tree[key] = read


def _read(value: Any) -> Any:
    """Return a value with its dask arrays in memory; the value itself if it has none."""
    if isinstance(value, da.Array):
        return value.compute()
    if isinstance(value, LazySignal):
        read = value.deepcopy()
        read.compute(show_progressbar=False)
        return read
    if isinstance(value, (list, tuple)):
        items = [_read(item) for item in value]
        changed = any(one is not other for one, other in zip(items, value, strict=True))
        return type(value)(items) if changed else value
    return value


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Replace tuples by lists, because some file formats do not preserve tuples."""
    return {
        name: _plain(value)
        if isinstance(value, dict)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in fields.items()
    }
