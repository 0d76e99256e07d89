from . import components, data, dataset, errors, pretrained, signals, spectra, study, training
from .batch import predict_files
from .calibration import calibrate
from .components.emulator import SpectrumEmulator, load_emulator
from .components.emulator_training import train_emulator
from .dataset import (
    ComputedSite,
    ComputedStructure,
    RecursionChains,
    SampledSpectrum,
    SpectrumDataset,
    TransitionLines,
    absolute_window,
    load_dataset,
    phase_disjoint_split,
    random_site_split,
)
from .prediction import measure_resolution, predict_properties
from .pretrained import PretrainedModel, list_pretrained, load_pretrained
from .properties import PropertySpec
from .signals import CoreLossPropertySignal, LazyCoreLossPropertySignal
from .signals.computed_spectra import dataset_to_signal
from .spectra import Calibration, EnergyWindow, Quality, Recipe
from .training import TrainingSettings, train

__version__: str

__all__ = [
    "Calibration",
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
    "calibrate",
    "components",
    "data",
    "dataset",
    "dataset_to_signal",
    "errors",
    "list_pretrained",
    "load_dataset",
    "load_emulator",
    "load_pretrained",
    "measure_resolution",
    "phase_disjoint_split",
    "predict_files",
    "predict_properties",
    "pretrained",
    "random_site_split",
    "signals",
    "spectra",
    "study",
    "train",
    "train_emulator",
    "training",
]
