from . import data, errors, signals
from .dataset import SpectrumDataset
from .energy import EnergyWindow
from .lazy_signals import LazyCoreLossPropertySignal
from .prediction import measure_resolution, predict_properties
from .pretrained import PretrainedModel, list_pretrained, load_pretrained
from .properties import PropertySpec
from .quality import Quality
from .recipe import Recipe
from .signals import CoreLossPropertySignal
from .training import TrainingSettings, train

__version__: str

__all__ = [
    "CoreLossPropertySignal",
    "EnergyWindow",
    "LazyCoreLossPropertySignal",
    "PretrainedModel",
    "PropertySpec",
    "Quality",
    "Recipe",
    "SpectrumDataset",
    "TrainingSettings",
    "__version__",
    "data",
    "errors",
    "list_pretrained",
    "load_pretrained",
    "measure_resolution",
    "predict_properties",
    "signals",
    "train",
]
