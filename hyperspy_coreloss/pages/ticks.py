"""Round numbers along an axis, all with the same decimals."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

# Fraction of the axis, at both ends, where the text of a tick would lie beside it.
_ENDS = 0.04


def round_ticks(low: float, high: float, number: int = 5) -> tuple[list[float], int]:
    """Return round numbers between two limits, and the decimals that they need.

    Parameters
    ----------
    low, high
        Limits, which are different.
    number
        Largest number of steps.
    """
    places = np.asarray(MaxNLocator(number, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    step = float(places[1] - places[0])
    decimals = int(np.clip(np.ceil(-np.log10(step) - 1e-9), 0, 12))
    if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1  # steps of 0.25
    margin = _ENDS * (high - low)
    inside = places[(places >= low + margin) & (places <= high - margin)]
    # Rounded, so that there is no -0.00.
    return [round(float(place), decimals) + 0.0 for place in inside], decimals
