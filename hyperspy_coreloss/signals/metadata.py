"""Metadata paths of the signals of predicted properties.

A result stores everything except its values in ``metadata.CoreLossProperty``, because the
attributes of a signal are lost when it is sliced, copied or saved. The maps that accompany the
properties (:data:`MAPS`) are signals of the same shape as the result, so that they can be sliced
and transposed with it. Except for :data:`PER_PROPERTY`, they have equal values along the property
axis.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from hyperspy.signals import BaseSignal

from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.pretrained.trust import NOVELTY_LEVEL
from hyperspy_coreloss.provenance import package_version
from hyperspy_coreloss.signals.axes import array_axes
from hyperspy_coreloss.signals.damage import damaged
from hyperspy_coreloss.signals.options import RecordedOptions, describe_options
from hyperspy_coreloss.signals.stacks import join_stacked
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
#: Names of the map with the spread of each value, which intervals are multiples of, and of the map
#: of how much the labels of similar computed sites differ.
SPREAD, AMBIGUITY = "spread", "ambiguity"
#: Maps with an entry for each property of a spectrum. Others have equal ones.
PER_PROPERTY = tuple(field.name for field in MAP_FIELDS if field.per_property)
#: Attributes of a result that HyperSpy slices with it: the maps.
SLICED_WITH_A_RESULT = tuple(f"metadata.{NODE}.{name}" for name in MAPS)
_PREPROCESSING = f"{NODE}.Preprocessing"
#: Name of the errors of means over regions.
REGION_ERRORS = "region_errors"
#: Name of the errors by population.
POPULATION_ERRORS = "population_errors"
# What is true of the spectra and of all that is made from them: who measured what, when, and how.
_ORIGIN = ("General", "Sample", "Acquisition_instrument")
# Titles are given anew; FileIO tells of the file of the spectra only.
_NOT_ORIGIN = ("title", "FileIO")


def map_path(name: str) -> str:
    """Return the metadata path of one of :data:`MAPS`, or of another item of a result."""
    return f"{NODE}.{name}"


def metadata_trees(signal: BaseSignal) -> tuple[Any, Any]:
    """Return the trees of the metadata and of the original metadata of a signal."""
    return signal.metadata, signal.original_metadata


def get_map(result: BaseSignal, name: str) -> BaseSignal | None:
    """Return one of the :data:`MAPS` of a result, or None if the result does not have it.

    The map has the axes of the result: those that it was stored with may since have been
    calibrated, or are lost in the format of a file. A map of another shape than the result is that
    of other spectra, and is not returned; nor is what is not a map of numbers, in a damaged file.
    """
    stored = result.metadata.get_item(map_path(name))
    if not _is_map(stored) or stored.data.shape != result.data.shape:
        stored = _stacked_map(result, name)
    if stored is None:
        return None
    axes = [axis.get_axis_dictionary() for axis in array_axes(result)]
    if [axis.get_axis_dictionary() for axis in array_axes(stored)] != axes:
        stored = type(stored)(stored.data, axes=axes)
        stored.set_signal_type("")
        set_map(result, name, stored)
    return stored


def _is_map(stored: Any) -> bool:
    return isinstance(stored, BaseSignal) and stored.data.dtype.kind in "biuf"


def _stacked_map(result: BaseSignal, name: str) -> BaseSignal | None:
    """Return a map of a stack of results, from those of its parts, or None if some have none."""
    maps = [part.get_item(f"metadata.{map_path(name)}") for part in _stacked(result)]
    if not maps or not all(map(_is_map, maps)):
        return None
    data = join_stacked([one.data for one in maps], result.data.shape)
    if data is None:
        return None
    stacked = type(maps[0])(data)
    stacked.set_signal_type("")
    return stacked


def _stacked(result: BaseSignal) -> list[Any]:
    """Return the trees of the signals that HyperSpy stacked; none if it is no stack."""
    parts = result.original_metadata.get_item("stack_elements")
    if not hasattr(parts, "as_dictionary"):
        return []
    return [part for _, part in parts if hasattr(part, "get_item")]


def of_several_models(result: BaseSignal) -> bool:
    """Return whether a result is a stack of results of different models."""
    path = f"metadata.{NODE}.Pretrained.sha256"
    return len({str(part.get_item(path)) for part in _stacked(result)}) > 1


def stored_item(result: BaseSignal, name: str) -> Any:
    """Return an item of a result as it is stored, or None if there is none."""
    return result.metadata.get_item(map_path(name))


def check_maps(result: BaseSignal) -> None:
    """Give the maps of a result its axes, and remove what is not a map of its spectra.

    HyperSpy slices whatever is in their places, as if it had the shape of the result.
    """
    forget_items(result, [name for name in MAPS if get_map(result, name) is None])


def set_map(result: BaseSignal, name: str, values: BaseSignal) -> None:
    """Store one of :data:`MAPS` in the metadata of a result."""
    result.metadata.set_item(map_path(name), values)


def forget_maps(result: BaseSignal) -> None:
    """Remove :data:`MAPS` from a result whose values are no longer those of single spectra."""
    forget_items(result, MAPS)


def forget_items(result: BaseSignal, names: Iterable[str]) -> None:
    """Remove items of a result, if it has them."""
    node = result.metadata.get_item(NODE)
    for name in names:
        if result.metadata.has_item(f"{NODE}.{name}"):
            delattr(node, name)


def forget_properties(signal: BaseSignal, title: str) -> None:
    """Make a signal whose values are not properties a plain signal with a title, in place."""
    if signal.metadata.has_item(NODE):
        delattr(signal.metadata, NODE)
    set_title(signal, title)
    signal.set_signal_type("")


def restore_properties(signal: BaseSignal, result: BaseSignal) -> None:
    """Make a plain signal whose values are properties a result like another, without maps."""
    kept = {name: one for name, one in _as_dictionary(result, NODE).items() if name not in MAPS}
    signal.metadata.add_dictionary(deepcopy({NODE: kept}))
    set_title(signal, title_of(result))
    signal.set_signal_type(SIGNAL_TYPE)


def _as_dictionary(signal: BaseSignal, path: str) -> dict[str, Any]:
    """Return a node of the metadata; empty if there is none, or no node in a damaged file."""
    node = signal.metadata.get_item(path)
    return node.as_dictionary() if hasattr(node, "as_dictionary") else {}


def property_items(result: BaseSignal, item: Literal["names", "labels", "units"]) -> list[str]:
    """Return an item of each property of the pretrained model, in the model's order.

    Raises
    ------
    SignalError
        If the signal has no such item, because it is no result or its file is damaged.
    """
    entries = result.metadata.get_item(path := f"{NODE}.{item}")
    entries = entries.split("\n") if isinstance(entries, str) else entries
    entries = entries.tolist() if isinstance(entries, np.ndarray) else entries
    if (
        not isinstance(entries, (list, tuple))
        or not all(isinstance(entry, str) for entry in entries)
        or (item != "names" and len(entries) != len(property_items(result, "names")))
    ):
        raise damaged(path, "one text for each property", entries)
    return [str(entry) for entry in entries]


def definitions_of(result: BaseSignal) -> list[str]:
    """Return the definitions of the properties of the model; none if they are not recorded."""
    texts = str(stored_item(result, "definitions")).split("\n")
    return texts if len(texts) == len(property_items(result, "names")) else []


def describe_map(signal: BaseSignal, label: str) -> dict[str, Any]:
    """Return the metadata of a map of a signal, whose label has the unit in parentheses."""
    return _described(
        signal,
        label.rpartition(" (")[0] or label,
        {"Signal": {"quantity": label, "signal_type": ""}},
    )


def _described(signal: BaseSignal, title: str, nodes: dict[str, Any]) -> dict[str, Any]:
    """Return metadata with a title, the nodes, and the origin of the signal they describe."""
    described: dict[str, Any] = {"General": {}, **deepcopy(origin_nodes(signal))}
    described["General"]["title"] = title
    return {**nodes, **described}


def become_map(plain: BaseSignal, result: BaseSignal, label: str) -> None:
    """Describe the values of one property, taken from a result, as those of its map."""
    described = describe_map(result, label)
    forget_properties(plain, described["General"]["title"])
    plain.metadata.add_dictionary(described)


def describe_spectra(title: str, quantity: str = "", **sample: Sequence[str]) -> dict[str, Any]:
    """Return the metadata of computed or simulated spectra, with the elements, or names of sites.

    The quantity is that of the intensities, with its unit in parentheses.
    """
    nodes = {"Signal": {"quantity": quantity}} if quantity else {}
    known = {"Sample": {name: list(texts) for name, texts in sample.items()}} if sample else {}
    return {"General": {"title": title}, **nodes, **known}


def elements_of(signal: BaseSignal) -> tuple[str, ...]:
    """Return the symbols of the elements of the specimen; none if they are not given."""
    elements = signal.metadata.get_item("Sample.elements")
    return () if elements is None else tuple(str(one) for one in np.ravel(elements))


def label_of(property_map: BaseSignal) -> str:
    """Return the label of a map, including its unit; the title of a signal without a label."""
    return str(property_map.metadata.get_item("Signal.quantity") or title_of(property_map))


def set_label(signal: BaseSignal, label: str) -> None:
    """Set the label of the values of a signal."""
    signal.metadata.set_item("Signal.quantity", label)


def set_title(signal: BaseSignal, title: str) -> None:
    """Set the title of a signal."""
    signal.metadata.set_item("General.title", title)


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
    novelty_level: float = NOVELTY_LEVEL,
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
        The resolution given or measured, in eV (full width at half maximum), or None.
    calibration
        The calibration of the energies, or None.
    low_loss
        The low-loss spectra, or None.
    novelty_level
        Novelty below which a spectrum is unfamiliar.
    """
    title = title_of(signal)
    title = f"Properties of {title}" if title else "Properties"
    described = _described(signal, title, describe_properties(pretrained.properties, title))
    if pretrained.references is not None:
        described[NODE][REGION_ERRORS] = pretrained.references.region_errors
    if pretrained.record.population_errors:
        errors = pretrained.record.population_errors
        described[NODE][POPULATION_ERRORS] = np.array(
            [
                [errors.get(kind, {}).get(name, np.nan) for name in pretrained.property_names]
                for kind in POPULATIONS
            ]
        )
    described[NODE] |= {
        "scores": pretrained.scores,
        "Pretrained": {
            "name": pretrained.name,
            "version": pretrained.version,
            "sha256": pretrained.sha256,
            "package_version": package_version(),
        },
        "Preprocessing": {
            **describe_options(preparation, resolution, calibration),
            "low_loss": "none" if low_loss is None else title_of(low_loss) or "given",
            "novelty_level": novelty_level,
        },
    }
    return described


def recipe_of(result: BaseSignal) -> Recipe:
    """Return the recipe by which the spectra of a result were preprocessed.

    Results saved by early versions contain no recipe; for these, the default recipe is returned.

    Raises
    ------
    SignalError
        If the recipe is incomplete, in a damaged file.
    """
    path = f"{_PREPROCESSING}.Recipe"
    if not result.metadata.has_item(path):
        return Recipe()
    fields = _as_dictionary(result, path)
    try:
        return Recipe.from_dict(fields)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise damaged(path, "the fields of a recipe", fields) from error


def options_of(result: BaseSignal) -> RecordedOptions | None:
    """Return the options of a prediction, or None for a signal that is not predicted.

    Raises
    ------
    SignalError
        If an option is not a number, in a damaged file.
    """
    if not result.metadata.has_item(_PREPROCESSING):
        return None
    fields = _as_dictionary(result, _PREPROCESSING)
    try:
        return RecordedOptions.from_dict(fields)
    except (TypeError, ValueError) as error:
        raise damaged(_PREPROCESSING, "the options of a prediction", fields) from error


def model_of(result: BaseSignal) -> str:
    """Return the name and the version of the model of a result, or an empty text."""
    named = _as_dictionary(result, f"{NODE}.Pretrained")
    return f"{named.get('name')}, version {named.get('version')}" if named else ""


def recorded_model(result: BaseSignal) -> dict[str, str]:
    """Return what is recorded of the model of a result, as texts; nothing without a model."""
    named = _as_dictionary(result, f"{NODE}.Pretrained")
    return {name: str(value) for name, value in named.items()}


def origin_nodes(signal: BaseSignal) -> dict[str, dict[str, Any]]:
    """Return the nodes that tell of the origin of the spectra, without titles and files."""
    nodes = {name: _as_dictionary(signal, name) for name in _ORIGIN}
    return {
        name: {key: value for key, value in node.items() if key not in _NOT_ORIGIN}
        for name, node in nodes.items()
        if node
    }
