"""Maps of material properties from core-loss spectra, inside HyperSpy.

Importing HyperSpy is enough: every EELS signal has the method ``predict_properties``.
"""

# HyperSpy imports this module inside ``import hyperspy.api``: standard library only, and whatever
# goes wrong here must not break it.
from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Calibration": "spectra",
    "ComputedSite": "dataset",
    "ComputedStructure": "dataset",
    "CoreLossPropertySignal": "signals",
    "EnergyWindow": "spectra",
    "LazyCoreLossPropertySignal": "signals",
    "PretrainedModel": "pretrained",
    "PropertySpec": "properties",
    "Quality": "spectra",
    "Recipe": "spectra",
    "RecursionChains": "dataset",
    "SampledSpectrum": "dataset",
    "SpectrumDataset": "dataset",
    "SpectrumEmulator": "components.emulator",
    "TrainingSettings": "training",
    "TransitionLines": "dataset",
    "absolute_window": "dataset",
    "calibrate": "calibration",
    "dataset_to_signal": "signals.computed_spectra",
    "list_pretrained": "pretrained",
    "load_dataset": "dataset",
    "load_emulator": "components.emulator",
    "load_pretrained": "pretrained",
    "measure_resolution": "prediction",
    "phase_disjoint_split": "dataset",
    "predict_files": "batch",
    "predict_properties": "prediction",
    "random_site_split": "dataset",
    "train": "training",
    "train_emulator": "components.emulator_training",
}
_ROOMS = (
    "components",
    "data",
    "dataset",
    "errors",
    "pretrained",
    "signals",
    "spectra",
    "study",
    "training",
)

__all__ = ("__version__", *_HOMES, *_ROOMS)  # spelled out in __init__.pyi

try:
    from hyperspy_coreloss import _attach

    _attach.install()
except Exception:
    import logging

    logging.getLogger(__name__).warning(
        "predict_properties could not be added to EELS signals; "
        "use hyperspy_coreloss.predict_properties(signal) instead.",
        exc_info=True,
    )


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "__version__":
        from hyperspy_coreloss.provenance import package_version

        return package_version()
    if name == "read_dataset":  # its name before load and save became the one pair of verbs
        return __getattr__("load_dataset")
    if name == "write_dataset":
        return __getattr__("SpectrumDataset").save
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
