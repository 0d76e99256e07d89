"""Tables of the accuracy of the family of models, from ``results/accuracy.json``.

A table is its header and its rows of text.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.properties import PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]
Table = tuple[list[str], list[list[str]]]

CONDITIONS = ("clean", "typical", "harsh")
#: Windows of the tables in units.
SHOWN = ("100", "40", "15")
# What a window is called, by what stands behind its number.
_KNOWN = {
    "energy": "energy known to {energy_error:g} eV",
    "dispersion": "dispersion known to {known_dispersion_error:.1%}",
}
_NONE = "–"
_BASELINES = {
    "nearest_neighbours": "nearest neighbours",
    "ridge": "ridge",
    "kernel_ridge": "kernel ridge",
    "forest": "random forest",
}
_THEORIES = {
    "first_theory": "that of the training",
    "second_theory": "another",
    "second_theory_calibrated": "another, calibrated",
}


def windows_table(results: Json, condition: str, *, means: bool = False) -> Table:
    """Return the relative errors of each window: single sites, or means over sites."""
    tables = results["means"] if means else results
    rows = []
    for window in measured_windows(results):
        errors = tables[window][condition]["all"]
        rows.append([window_title(results, window), *_cells(results, errors, "relative")])
    return ["reads to (eV)", *_titles(results)], rows


def measured_windows(results: Json) -> list[str]:
    """Return the windows that are measured, the widest first, each followed by its variants."""
    names = [name for name in results["means"] if name in results]
    return sorted(names, key=lambda name: (-float(name.partition("+")[0]), name))


def errors_table(
    results: Json,
    windows: Iterable[str] = SHOWN,
    conditions: Iterable[str] = CONDITIONS,
) -> Table:
    """Return mean absolute errors in units, with standard errors, by window and condition."""
    rows = []
    for window in windows:
        if window not in results:
            continue
        for condition in conditions:
            errors = results[window][condition]["all"]
            cells = [_with_uncertainty(errors.get(name)) for name in results["properties"]]
            rows.append([window, condition, *cells])
    return ["reads to (eV)", "microscope", *_labels(results)], rows


def population_table(results: Json, window: str, condition: str) -> Table:
    """Return mean absolute errors in units, and in brackets relative ones, by population."""
    rows = []
    for population, errors in results[window][condition].items():
        first = next(iter(errors.values()))
        cells = [_with_ratio(errors.get(name)) for name in results["properties"]]
        rows.append([population, str(first["n_phases"]), *cells])
    return ["population", "phases", *_labels(results)], rows


def coverage_table(results: Json, window: str, condition: str) -> Table:
    """Return the coverage of the 90 % intervals by population."""
    rows = []
    for population, errors in results[window][condition].items():
        rows.append([population, *_cells(results, errors, "coverage_90", "{:.0%}")])
    return ["population", *_titles(results)], rows


def bins_table(results: Json, quantity: str, title: str) -> Table:
    """Return relative errors and coverages of the widest window, by dose or by thickness."""
    rows = []
    for name, errors in results[quantity].items():
        cells = [_relative_and_coverage(errors.get(key)) for key in results["properties"]]
        rows.append([name.replace("-", " to "), *cells])
    return [title, *_titles(results)], rows


def baselines_table(results: Json, condition: str, windows: Iterable[str] = SHOWN) -> Table:
    """Return errors of the networks and of simpler models, relative to those of the median."""
    rows = []
    for window in windows:
        errors = results.get(window, {}).get(condition, {}).get("all")
        if errors is None or len(next(iter(errors.values()))["baselines"]) < 2:
            continue
        rows.append([window, "networks", *_cells(results, errors, "relative")])
        for name, title in _BASELINES.items():
            ratios = [_ratio(errors[key]["baselines"], name) for key in results["properties"]]
            rows.append([window, title, *ratios])
    return ["reads to (eV)", "", *_titles(results)], rows


def clean_table(results: Json) -> Table:
    """Return errors of networks that were trained and tested on ideal measurements."""
    rows = []
    for window, conditions in results["clean_trained"].items():
        for population in ("all", "crystal+zeolite"):
            errors = conditions["clean"].get(population)
            if errors is not None:
                cells = [_with_ratio(errors.get(name)) for name in results["properties"]]
                rows.append([window, population.replace("+", " and "), *cells])
    return ["reads to (eV)", "population", *_labels(results)], rows


def transfer_table(results: Json) -> Table:
    """Return errors on the sites of a second theory, and on the same sites by the first."""
    rows = []
    for window, theories in results["transfer"].items():
        for name, title in _THEORIES.items():
            errors = theories[name]["all"]
            cells = [_with_uncertainty(errors.get(key)) for key in results["properties"]]
            rows.append([window, title, *cells])
    return ["reads to (eV)", "theory", *_labels(results)], rows


def window_title(results: Json, window: str) -> str:
    """Return what a window is called, with what is known beside the spectrum."""
    stop, _, known = window.partition("+")
    return f"{stop}, {_KNOWN[known].format(**results['told'])}" if known else stop


def _titles(results: Json) -> list[str]:
    specs = {spec.name: spec for spec in PROPERTIES}
    return [specs[name].title for name in results["properties"]]


def _labels(results: Json) -> list[str]:
    specs = {spec.name: spec for spec in PROPERTIES}
    return [specs[name].label for name in results["properties"]]


def _cells(results: Json, errors: Json, quantity: str, shown: str = "{:.2f}") -> list[str]:
    rows = [errors.get(name) for name in results["properties"]]
    return [
        _NONE if row is None or row[quantity] is None else shown.format(row[quantity])
        for row in rows
    ]


def _ratio(baselines: Json, name: str) -> str:
    return f"{baselines[name] / baselines['median']:.2f}" if baselines["median"] else _NONE


def _with_uncertainty(row: Json | None) -> str:
    if row is None:
        return _NONE
    if not row["standard_error"]:
        return f"{row['mae']:.2g}"
    decimals = max(0, -math.floor(math.log10(row["standard_error"])))
    return f"{row['mae']:.{decimals}f} ± {row['standard_error']:.{decimals}f}"


def _with_ratio(row: Json | None) -> str:
    if row is None:
        return _NONE
    ratio = "" if row["relative"] is None else f" ({row['relative']:.2f})"
    return f"{row['mae']:.2g}{ratio}"


def _relative_and_coverage(row: Json | None) -> str:
    if row is None or row["relative"] is None:
        return _NONE
    return f"{row['relative']:.2f}, {row['coverage_90']:.0%}"
