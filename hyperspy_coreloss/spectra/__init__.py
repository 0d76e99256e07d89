"""Preprocessing of spectra into network inputs, on NumPy arrays, without HyperSpy or PyTorch."""

from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.microscope import MICROSCOPES, Microscope
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
from hyperspy_coreloss.spectra.spread import LogUniform, Normal, Uniform

__all__ = (
    "MICROSCOPES",
    "AxisSurvey",
    "EnergyWindow",
    "Inputs",
    "LogUniform",
    "Microscope",
    "Normal",
    "Preparation",
    "Quality",
    "Recipe",
    "Uniform",
    "edge_dispersion",
    "prepare",
    "preprocess",
    "survey_axis",
)
