"""Errors of models that their results hold, from which intervals are obtained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.signals.damage import damaged
from hyperspy_coreloss.signals.metadata import (
    POPULATION_ERRORS,
    REGION_ERRORS,
    SPREAD,
    forget_items,
    get_map,
    map_path,
    of_several_models,
    property_items,
    stored_item,
)

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

# Errors on held-out spectra: divided by their spreads; results of early versions have no spreads.
_SCORES = ("scores", "residuals")


def forget_intervals(result: BaseSignal) -> None:
    """Remove the errors from which intervals are obtained."""
    forget_items(result, (*_SCORES, REGION_ERRORS, POPULATION_ERRORS))


def scores_of(result: BaseSignal) -> NDArray[np.floating] | None:
    """Return the model's errors on held-out spectra divided by their spreads, or None.

    The shape is (spectra, properties). A stack of results has the metadata of the first, so that it
    has no errors if the models differ.

    Raises
    ------
    SignalError
        If they are not numbers of this shape, in a damaged file.
    """
    if of_several_models(result):
        return None
    for name in _SCORES:
        stored = stored_item(result, name)
        if stored is not None and (name == "residuals" or get_map(result, SPREAD) is not None):
            return _checked_errors(result, name, np.asarray(stored))
    return None


def region_errors_of(result: BaseSignal) -> NDArray[np.floating] | None:
    """Return the model's errors of means over regions, shape (regions, properties), or None.

    Raises
    ------
    SignalError
        If they are not numbers of this shape, in a damaged file.
    """
    stored = stored_item(result, REGION_ERRORS)
    if stored is None or of_several_models(result):
        return None
    return _checked_errors(result, REGION_ERRORS, np.asarray(stored))


def population_errors_of(result: BaseSignal) -> NDArray[np.floating] | None:
    """Return the model's mean absolute errors by population, or None.

    The shape is (populations, properties), with the populations of
    :data:`~hyperspy_coreloss.dataset.population.POPULATIONS`; NaN for those that it has no sites
    of.

    Raises
    ------
    SignalError
        If they are not numbers of this shape, in a damaged file.
    """
    stored = stored_item(result, POPULATION_ERRORS)
    if stored is None or of_several_models(result):
        return None
    errors = np.asarray(stored)
    shape = len(POPULATIONS), len(property_items(result, "names"))
    if errors.dtype.kind != "f" or errors.shape != shape:
        raise damaged(map_path(POPULATION_ERRORS), f"numbers of the shape {shape}", errors)
    return errors


def _checked_errors(result: BaseSignal, name: str, scores: NDArray) -> NDArray[np.floating]:
    count = len(property_items(result, "names"))
    if (
        scores.dtype.kind != "f"
        or scores.ndim != 2
        or scores.shape[1] != count
        or not np.isfinite(scores).all()
    ):
        needed = f"finite numbers of the shape (spectra, {count})"
        raise damaged(map_path(name), needed, scores)
    return scores
