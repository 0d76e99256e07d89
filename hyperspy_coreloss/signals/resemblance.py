"""Which kinds of structure the spectra of a result are most like, and the errors on these."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.signals.held_out_errors import population_errors_of
from hyperspy_coreloss.signals.metadata import get_map
from hyperspy_coreloss.signals.positions import property_positions
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal


def resemblance(result: BaseSignal) -> tuple[dict[str, int], tuple[float, ...]]:
    """Return what the predicted spectra of a result in memory are most like.

    Parameters
    ----------
    result
        Result whose pixels are single spectra.

    Returns
    -------
    populations : dict
        Number of predicted spectra by the population of the computed site whose spectrum is
        nearest, the most frequent first; empty if the result does not tell.
    errors : tuple of float
        Mean absolute error of each property of the result on new phases of the most frequent
        population; empty if the model has not measured them.
    """
    kinds, codes = get_map(result, "population"), get_map(result, "quality")
    if kinds is None or codes is None:
        return {}, ()
    predicted = np.asarray(kinds.data)[np.asarray(codes.data) == Quality.GOOD]
    counted = Counter(predicted.ravel().tolist())
    # Both maps have an entry for each property of a spectrum.
    copies, names = len(property_positions(result)), dict(enumerate(POPULATIONS))
    populations = {names[code]: n // copies for code, n in counted.most_common() if code in names}
    errors = population_errors_of(result)
    if errors is None or not populations:
        return populations, ()
    row = errors[list(POPULATIONS).index(next(iter(populations))), property_positions(result)]
    return populations, tuple(row.tolist()) if np.isfinite(row).all() else ()
