"""Tables of what finer numerics change, from ``results/numerics.json``.

A table is its header and its rows of text.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from hyperspy_coreloss.properties import PROPERTIES

Json = dict[str, Any]
Table = tuple[list[str], list[list[str]]]

_WORDS = {
    "cutoff": "cutoff 700 eV",
    "harder": "cutoff 700 eV, harder PAW data set",
}


def _of(results: Json, parameter: str) -> list[Json]:
    return [site for site in results["sites"] if site["parameter"] == parameter]


def ranges_table(results: Json) -> Table:
    """Return the lowest cosine and the mean change of the weight of each range of energies."""
    ranges = [f"{start:g} to {stop:g} eV" for start, stop in pairwise(results["limits"])]
    header = ["numerics", "of each site", *ranges, "stretch of energies"]
    rows = []
    for parameter, words in _WORDS.items():
        sites = _of(results, parameter)
        lowest = np.min([site["cosines"] for site in sites], axis=0)
        weights = np.mean([site["weight_changes"] for site in sites], axis=0)
        stretches = np.array([site["stretch"] for site in sites]) - 1.0
        rows.append([words, "lowest cosine", *(f"{value:.4f}" for value in lowest), ""])
        mean = f"{stretches.mean():+.2%} ± {stretches.std():.2%}"
        rows.append([words, "mean change of weight", *(f"{each:+.1%}" for each in weights), mean])
    return header, rows


def predictions_table(results: Json, accuracy: Json, stops: tuple[str, ...] | None = None) -> Table:
    """Return the mean change of predictions, and their error on new phases beside it."""
    header = ["model", "numerics", *(spec.label for spec in PROPERTIES)]
    rows = []
    for stop in stops or tuple(results["models"]):
        for parameter, words in _WORDS.items():
            sites = [site["predictions"][stop] for site in _of(results, parameter)]
            changes = [
                np.array([site[spec.name] for site in sites], dtype=float) for spec in PROPERTIES
            ]
            cells = [f"{np.mean(each):+.2g} ± {np.std(each):.1g}" for each in changes]
            rows.append([f"to {stop} eV", words, *cells])
        errors = accuracy[stop]["typical"]["all"]
        cells = [f"{errors[spec.name]['mae']:.2g}" for spec in PROPERTIES]
        rows.append([f"to {stop} eV", "error on new phases, for comparison", *cells])
    return header, rows
