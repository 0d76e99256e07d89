"""Every metadata path that this package reads or writes.

Results keep all they know in ``metadata.CoreLossProperty``: attributes of a signal are lost when
it is sliced, copied or saved. The maps beside the properties (:data:`MAPS`) are signals of the
shape of the result (a threshold repeats along the property axis), so that slicing and transposing
treat all alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.provenance import package_version
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.signal import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.properties import PropertySpec
    from hyperspy_coreloss.spectra.preparation import Preparation

#: Signal type of a result.
SIGNAL_TYPE = "CoreLossProperty"
#: Metadata node of a result.
NODE = "CoreLossProperty"
#: Signals that accompany a result, under :data:`NODE`.
MAPS = tuple(field.name for field in MAP_FIELDS)
#: Name of the axis that counts the properties.
PROPERTY_AXIS = "property"

_PREPROCESSING = f"{NODE}.Preprocessing"


def map_path(name: str) -> str:
    """Return the path of one of :data:`MAPS` in the metadata."""
    return f"{NODE}.{name}"


def get_map(result: BaseSignal, name: str) -> BaseSignal | None:
    """Return one of :data:`MAPS` of a result, None if it has none."""
    return result.metadata.get_item(map_path(name))


def set_map(result: BaseSignal, name: str, values: BaseSignal) -> None:
    """Keep one of :data:`MAPS` with a result."""
    result.metadata.set_item(map_path(name), values)


def property_items(result: BaseSignal, item: Literal["names", "labels", "units"]) -> list[str]:
    """Return a word for each property of the pretrained model, in its order."""
    return [str(word) for word in result.metadata.get_item(f"{NODE}.{item}")]


def residuals_of(result: BaseSignal) -> NDArray[np.floating]:
    """Return the model's errors on held-out spectra, shape (spectra, properties)."""
    return np.asarray(result.metadata.get_item(f"{NODE}.residuals"))


def describe_map(label: str) -> dict[str, Any]:
    """Return the metadata of one map; its label has the unit in parentheses."""
    title = label.rpartition(" (")[0] or label
    return {"General": {"title": title}, "Signal": {"quantity": label, "signal_type": ""}}


def label_of(property_map: BaseSignal) -> str:
    """Return the label of a map, with its unit."""
    return str(property_map.metadata.Signal.quantity)


def set_title(signal: BaseSignal, title: str) -> None:
    """Give a signal a title."""
    signal.metadata.General.title = title


def title_of(signal: BaseSignal) -> str:
    """Return the title of a signal, empty if it has none."""
    return str(signal.metadata.get_item("General.title", default=""))


def describe_properties(properties: Sequence[PropertySpec], title: str) -> dict[str, Any]:
    """Return the metadata of a signal whose signal axis counts properties.

    Parameters
    ----------
    properties
        What the values mean, in order.
    title
        Of the signal.
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
    """Return the metadata of a result, plain values only.

    Parameters
    ----------
    signal
        The spectra.
    pretrained
        The model that read them.
    preparation
        How they were preprocessed.
    resolution
        The resolution given by the user, in eV (full width at half maximum), or None.
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
    """Return how the spectra of a result were read.

    Results that were saved before their recipe was are taken to have the default one.
    """
    fields = result.metadata.get_item(f"{_PREPROCESSING}.Recipe")
    return Recipe() if fields is None else Recipe.from_dict(fields.as_dictionary())


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields with lists instead of tuples, which not all file formats keep."""
    return {
        name: _plain(value)
        if isinstance(value, dict)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in fields.items()
    }
