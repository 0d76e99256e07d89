"""Pretrained models: their data, their files, and the prediction of properties with them.

Importing this package does not import torch; the first prediction does.
"""

from hyperspy_coreloss.pretrained.card import render_card
from hyperspy_coreloss.pretrained.families import (
    list_pretrained,
    load_pretrained,
    select_pretrained,
)
from hyperspy_coreloss.pretrained.inference import map_spectra, predict_arrays
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.results import Prediction
from hyperspy_coreloss.pretrained.training_record import TrainingRecord

__all__ = (
    "Prediction",
    "PretrainedModel",
    "TrainingRecord",
    "list_pretrained",
    "load_pretrained",
    "map_spectra",
    "predict_arrays",
    "render_card",
    "select_pretrained",
)
