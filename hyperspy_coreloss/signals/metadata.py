"""Metadata paths of the signals of predicted properties.

A result stores everything except its values in ``metadata.CoreLossProperty``, because the
attributes of a signal are lost when it is sliced, copied or saved. The maps that accompany the
properties (:data:`MAPS`) are signals of the same shape as the result, with equal values along the
property axis, so that they can be sliced and transposed with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import dask.array as da
import numpy as np
from hyperspy.signals import BaseSignal, LazySignal

from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.provenance import package_version
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.properties import PropertySpec
    from hyperspy_coreloss.spectra.preparation import Preparation

#: Signal type of a result.
SIGNAL_TYPE = "CoreLossProperty"
#: Metadata node of a result.
NODE = "CoreLossProperty"
#: Names of the maps that accompany a result, under :data:`NODE`.
MAPS = tuple(field.name for field in MAP_FIELDS)
#: Name of the property axis, along which the properties lie.
PROPERTY_AXIS = "property"

_PREPROCESSING = f"{NODE}.Preprocessing"


def map_path(name: str) -> str:
    """Return the metadata path of one of :data:`MAPS`."""
    return f"{NODE}.{name}"


def get_map(result: BaseSignal, name: str) -> BaseSignal | None:
    """Return one of the :data:`MAPS` of a result, or None if the result does not have it."""
    return result.metadata.get_item(map_path(name))


def set_map(result: BaseSignal, name: str, values: BaseSignal) -> None:
    """Store one of :data:`MAPS` in the metadata of a result."""
    result.metadata.set_item(map_path(name), values)


def property_items(result: BaseSignal, item: Literal["names", "labels", "units"]) -> list[str]:
    """Return an item of each property of the pretrained model, in the model's order."""
    return [str(entry) for entry in result.metadata.get_item(f"{NODE}.{item}")]


def residuals_of(result: BaseSignal) -> NDArray[np.floating]:
    """Return the model's errors on held-out spectra, shape (spectra, properties)."""
    return np.asarray(result.metadata.get_item(f"{NODE}.residuals"))


def describe_map(label: str) -> dict[str, Any]:
    """Return the metadata of a map from its label, which has the unit in parentheses."""
    title = label.rpartition(" (")[0] or label
    return {"General": {"title": title}, "Signal": {"quantity": label, "signal_type": ""}}


def label_of(property_map: BaseSignal) -> str:
    """Return the label of a map, including its unit."""
    return str(property_map.metadata.Signal.quantity)


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
            "names": [spec.name for spec in properties],
            "labels": [spec.label for spec in properties],
            "units": [spec.unit for spec in properties],
            "definitions": [spec.definition for spec in properties],
        },
    }


def describe_prediction(
    signal: BaseSignal,
    pretrained: PretrainedModel,
    preparation: Preparation,
    resolution: float | None,
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
        The resolution given by the user, in eV (full width at half maximum), or None if none was
        given.
    """
    title = title_of(signal)
    microscope = signal.metadata.get_item("Acquisition_instrument")
    described = describe_properties(
        pretrained.properties, f"Properties of {title}" if title else "Properties"
    )
    described[NODE] |= {
        "residuals": pretrained.residuals,
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
            "broadening_sigma": preparation.broadening,
            "Recipe": _plain(preparation.recipe.to_dict()),
        },
    }
    if preparation.energy_offset is not None:
        described[NODE]["Preprocessing"]["energy_offset"] = preparation.energy_offset
    if microscope is not None:
        described["Acquisition_instrument"] = microscope.as_dictionary()
    return described


def recipe_of(result: BaseSignal) -> Recipe:
    """Return the recipe by which the spectra of a result were preprocessed.

    Results saved by early versions contain no recipe; for these, the default recipe is returned.
    """
    fields = result.metadata.get_item(f"{_PREPROCESSING}.Recipe")
    return Recipe() if fields is None else Recipe.from_dict(fields.as_dictionary())


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
