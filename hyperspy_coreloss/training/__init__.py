"""Training a pretrained model on a data set: networks, baselines, settings, test errors."""

from hyperspy_coreloss.training.baselines import fit_baselines
from hyperspy_coreloss.training.ensemble import Ensemble, train_ensemble
from hyperspy_coreloss.training.evaluation import Evaluation, evaluate_split, measure_errors
from hyperspy_coreloss.training.measured_training import FamilySettings, train_family
from hyperspy_coreloss.training.model_training import train
from hyperspy_coreloss.training.regressor import NetworkRegressor, TrainingSettings
from hyperspy_coreloss.training.settings_search import SearchResult, search_settings
from hyperspy_coreloss.training.shipped_family import family_recipes
from hyperspy_coreloss.training.side_by_side import NetworkSettings

__all__ = (
    "Ensemble",
    "Evaluation",
    "FamilySettings",
    "NetworkRegressor",
    "NetworkSettings",
    "SearchResult",
    "TrainingSettings",
    "evaluate_split",
    "family_recipes",
    "fit_baselines",
    "measure_errors",
    "search_settings",
    "train",
    "train_ensemble",
    "train_family",
)
