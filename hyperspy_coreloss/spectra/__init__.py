"""Preprocessing of spectra into network inputs, on NumPy arrays, without HyperSpy or PyTorch."""

from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.preparation import (
    AxisSurvey,
    Preparation,
    edge_dispersion,
    prepare,
    survey_axis,
)
from hyperspy_coreloss.spectra.preprocessing import Inputs, preprocess
from hyperspy_coreloss.spectra.quality import Quality
from hyperspy_coreloss.spectra.recipe import Recipe

__all__ = (
    "AxisSurvey",
    "EnergyWindow",
    "Inputs",
    "Preparation",
    "Quality",
    "Recipe",
    "edge_dispersion",
    "prepare",
    "preprocess",
    "survey_axis",
)
