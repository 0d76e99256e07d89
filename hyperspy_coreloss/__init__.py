"""Maps of material properties from core-loss spectra, inside HyperSpy.

Importing HyperSpy is enough: every EELS signal has the method ``predict_properties``.
"""

# HyperSpy imports this module inside ``import hyperspy.api``: standard library only, and whatever
# goes wrong here must not break it.
from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "ComputedSite": "computed_site",
    "ComputedStructure": "computed_site",
    "CoreLossPropertySignal": "signals",
    "EnergyWindow": "energy",
    "LazyCoreLossPropertySignal": "lazy_signals",
    "PretrainedModel": "pretrained",
    "PropertySpec": "properties",
    "Quality": "quality",
    "Recipe": "recipe",
    "RecursionChains": "computed_site",
    "SampledSpectrum": "computed_site",
    "SpectrumDataset": "dataset",
    "SpectrumEmulator": "emulator",
    "TrainingSettings": "regressor",
    "TransitionLines": "computed_site",
    "absolute_window": "dataset",
    "list_pretrained": "pretrained",
    "load_emulator": "emulator",
    "load_pretrained": "pretrained",
    "measure_resolution": "prediction",
    "predict_properties": "prediction",
    "read_dataset": "dataset_file",
    "train": "training",
    "train_emulator": "emulator_training",
    "write_dataset": "dataset_file",
}
_MODULES = ("components", "data", "errors", "signals")

__all__ = ("__version__", *_HOMES, *_MODULES)  # spelled out in __init__.pyi

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
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("hyperspy-coreloss")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
