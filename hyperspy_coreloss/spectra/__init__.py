"""Preprocessing of spectra into network inputs, on NumPy arrays, without HyperSpy or PyTorch."""

from hyperspy_coreloss.spectra.agreement import Agreement
from hyperspy_coreloss.spectra.calibration import Calibration, ReferenceEdge
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.microscope import Microscope, named_microscope
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
    "Agreement",
    "AxisSurvey",
    "Calibration",
    "EnergyWindow",
    "Inputs",
    "LogUniform",
    "Microscope",
    "Normal",
    "Preparation",
    "Quality",
    "Recipe",
    "ReferenceEdge",
    "Uniform",
    "edge_dispersion",
    "named_microscope",
    "prepare",
    "preprocess",
    "simulate_low_loss",
    "survey_axis",
)
