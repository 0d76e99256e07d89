"""Every metadata path that this package reads or writes.

Results keep all they know in ``metadata.CoreLossProperty``: attributes of a signal are lost when
it is sliced, copied or saved. ``quality`` and ``onset`` are signals of the shape of the result (a
threshold repeats along the property axis), so that slicing and transposing treat all alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperspy.signal import BaseSignal

    from hyperspy_coreloss.pretrained import PretrainedModel
    from hyperspy_coreloss.recipe import Preparation

#: Signal type of a result.
SIGNAL_TYPE = "CoreLossProperty"
#: Metadata node of a result.
NODE = "CoreLossProperty"
#: Signals that accompany a result, under :data:`NODE`.
COMPANIONS = ("quality", "onset")
#: Name of the axis that counts the properties.
PROPERTY_AXIS = "property"


def companion_paths() -> list[str]:
    """Return the attribute paths of the accompanying signals."""
    return [f"metadata.{NODE}.{name}" for name in COMPANIONS]


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
    from hyperspy_coreloss import __version__

    general = signal.metadata.get_item("General.title", default="")
    microscope = signal.metadata.get_item("Acquisition_instrument")
    described: dict[str, Any] = {
        "General": {"title": f"Properties of {general}" if general else "Properties"},
        "Signal": {"signal_type": SIGNAL_TYPE},
        NODE: {
            "names": list(pretrained.property_names),
            "labels": [spec.label for spec in pretrained.properties],
            "units": [spec.unit for spec in pretrained.properties],
            "definitions": [spec.definition for spec in pretrained.properties],
            "residuals": pretrained.residuals,
            "Pretrained": {
                "name": pretrained.name,
                "version": pretrained.version,
                "sha256": pretrained.sha256,
                "package_version": __version__,
            },
            "Preprocessing": {
                "edge": preparation.recipe.edge,
                "background": preparation.background or "none",
                "background_range": list(preparation.background_range or ()),
                "onset_range": list(preparation.onset_range),
                "resolution": 0.0 if resolution is None else resolution,
                "resolution_given": resolution is not None,
                "broadening_sigma": preparation.broadening,
            },
        },
    }
    if preparation.energy_offset is not None:
        described[NODE]["Preprocessing"]["energy_offset"] = preparation.energy_offset
    if microscope is not None:
        described["Acquisition_instrument"] = microscope.as_dictionary()
    return described
