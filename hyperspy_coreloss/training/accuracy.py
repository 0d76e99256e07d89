"""Accuracy of predictions by property and population, with standard errors over phases."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import r2_score

from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.training.evaluation import error_uncertainty

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.properties import PropertySpec

#: Name of the spectra of all populations.
ALL = "all"
#: Populations that the accuracy is given for together: those of the paper.
RELAXED = "crystal+zeolite"
_TOGETHER = MappingProxyType({RELAXED: ("crystal", "zeolite")})
#: Name of the baseline that always predicts the median label.
MEDIAN = "median"


@dataclass(frozen=True, slots=True)
class FoldPredictions:
    """Predictions of spectra whose phases were not trained on.

    Parameters
    ----------
    targets, values, half_width
        Labels, predictions and half widths of their 90 % intervals, shape (spectra, properties); a
        label is NaN where it is missing.
    phases
        Phase of each spectrum as a number, shape (spectra,).
    populations
        Population of each spectrum, shape (spectra,).
    baselines
        Predictions of baselines, of the shape of `values`, by name; :data:`MEDIAN` is among them.
    """

    targets: NDArray[np.float64]
    values: NDArray[np.float64]
    half_width: NDArray[np.float64]
    phases: NDArray[np.int64]
    populations: NDArray[np.str_]
    baselines: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


def accuracy_by_population(
    properties: Sequence[PropertySpec], predictions: FoldPredictions
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the accuracy of all spectra and of each population that has spectra.

    Parameters
    ----------
    properties
        Properties in the order of the columns.
    predictions
        Predictions to judge.

    Returns
    -------
    dict
        Results of :func:`accuracy_of` by :data:`ALL`, the name of a population, or
        :data:`RELAXED`.
    """
    kinds = predictions.populations
    members = {ALL: np.ones(len(kinds), dtype=bool)}
    members |= {name: kinds == name for name in POPULATIONS}
    members |= {name: np.isin(kinds, together) for name, together in _TOGETHER.items()}
    return {
        name: accuracy_of(properties, predictions, rows)
        for name, rows in members.items()
        if rows.any()
    }


def accuracy_of(
    properties: Sequence[PropertySpec],
    predictions: FoldPredictions,
    rows: NDArray[np.bool_],
) -> dict[str, dict[str, Any]]:
    """Return the accuracy of some of the spectra, by property.

    Parameters
    ----------
    properties
        Properties in the order of the columns.
    predictions
        Predictions to judge.
    rows
        Which spectra to judge, shape (spectra,).

    Returns
    -------
    dict
        For each property with labels: ``mae``, the mean absolute error in the unit of the property;
        ``standard_error`` of it, over the phases (None for a single phase); ``relative``, the error
        over that of the median of the labels of other phases; ``r2`` (None for labels without
        variance); ``n`` and ``n_phases``, the numbers of spectra and phases; ``coverage_90``, the
        share of labels within their 90 % intervals; ``width_90``, the median half width of these;
        and ``baselines``, their mean absolute errors by name.
    """
    found = {}
    for column, spec in enumerate(properties):
        labelled = rows & np.isfinite(predictions.targets[:, column])
        if labelled.any():
            found[spec.name] = _accuracy(predictions, labelled, column)
    return found


def _accuracy(predictions: FoldPredictions, rows: NDArray[np.bool_], column: int) -> dict[str, Any]:
    true, values = predictions.targets[rows, column], predictions.values[rows, column]
    errors = np.abs(values - true)
    width, phases = predictions.half_width[rows, column], predictions.phases[rows]
    baselines = {
        name: float(np.abs(predicted[rows, column] - true).mean())
        for name, predicted in predictions.baselines.items()
    }
    mae = float(errors.mean())
    varied, several = np.ptp(true) > 0, len(np.unique(phases)) > 1
    return {
        "mae": mae,
        "standard_error": (
            float(error_uncertainty(errors[:, None], phases)[0]) if several else None
        ),
        "relative": mae / baselines[MEDIAN] if baselines[MEDIAN] > 0 else None,
        "r2": float(r2_score(true, values)) if varied else None,
        "n": len(true),
        "n_phases": len(np.unique(phases)),
        "coverage_90": float((errors <= width).mean()),
        "width_90": float(np.median(width)),
        "baselines": baselines,
    }


def accuracy_by_bin(
    properties: Sequence[PropertySpec],
    predictions: FoldPredictions,
    values: NDArray[np.floating],
    edges: Sequence[float],
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the accuracy of spectra with different values of a quantity.

    Parameters
    ----------
    properties
        Properties in the order of the columns.
    predictions
        Predictions to judge.
    values
        The quantity, shape (spectra,).
    edges
        Ascending edges of the bins. A bin contains its lower edge.

    Returns
    -------
    dict
        Results of :func:`accuracy_of` by the edges of the bin, such as ``"300-1000"``; bins without
        spectra are left out.
    """
    bins = {}
    for low, high in pairwise(edges):
        rows = (values >= low) & (values < high)
        if rows.any():
            bins[f"{low:g}-{high:g}"] = accuracy_of(properties, predictions, rows)
    return bins
