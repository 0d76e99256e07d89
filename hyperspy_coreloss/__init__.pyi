from . import components, data, errors, signals
from .computed_site import (
    ComputedSite,
    ComputedStructure,
    RecursionChains,
    SampledSpectrum,
    TransitionLines,
)
from .dataset import SpectrumDataset, absolute_window
from .dataset_file import read_dataset, write_dataset
from .emulator import SpectrumEmulator, load_emulator
from .emulator_training import train_emulator
from .energy import EnergyWindow
from .lazy_signals import LazyCoreLossPropertySignal
from .prediction import measure_resolution, predict_properties
from .pretrained import PretrainedModel, list_pretrained, load_pretrained
from .properties import PropertySpec
from .quality import Quality
from .recipe import Recipe
from .regressor import TrainingSettings
from .signals import CoreLossPropertySignal
from .training import train

__version__: str

__all__ = [
    "ComputedSite",
    "ComputedStructure",
    "CoreLossPropertySignal",
    "EnergyWindow",
    "LazyCoreLossPropertySignal",
    "PretrainedModel",
    "PropertySpec",
    "Quality",
    "Recipe",
    "RecursionChains",
    "SampledSpectrum",
    "SpectrumDataset",
    "SpectrumEmulator",
    "TrainingSettings",
    "TransitionLines",
    "__version__",
    "absolute_window",
    "components",
    "data",
    "errors",
    "list_pretrained",
    "load_emulator",
    "load_pretrained",
    "measure_resolution",
    "predict_properties",
    "read_dataset",
    "signals",
    "train",
    "train_emulator",
    "write_dataset",
]
