"""Tables of what novelty notices, from ``results/trust.json``.

A table is its header and its rows of text.
"""

from __future__ import annotations

from typing import Any

from hyperspy_coreloss.properties import PROPERTIES

Json = dict[str, Any]
Table = tuple[list[str], list[list[str]]]


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _windows(results: Json, first: str) -> list[str]:
    return [first, *(f"reads to {window} eV" for window in results["windows"])]


def false_alarms_table(results: Json) -> Table:
    """Return the share of spectra of new phases that are unfamiliar, by population."""
    windows = results["windows"].values()
    populations = sorted(next(iter(windows))["false_alarms_by_population"])
    rows = [["all", *(_percent(window["false_alarms"]) for window in windows)]]
    rows += [
        [name, *(_percent(window["false_alarms_by_population"][name]) for window in windows)]
        for name in populations
    ]
    return _windows(results, "population"), rows


def foreign_table(results: Json) -> Table:
    """Return the share of spectra of each foreign site that have no prediction."""
    windows = list(results["windows"].values())
    rows = [
        [name, *(_percent(sum(window["foreign"][name].values())) for window in windows)]
        for name in windows[0]["foreign"]
    ]
    return _windows(results, "site"), rows


def strange_table(results: Json) -> Table:
    """Return the codes of spectra that are no oxygen K edge of silica."""
    windows = list(results["windows"].values())
    rows = [
        [name, *(_codes(window["strange"][name]) for window in windows)]
        for name in windows[0]["strange"]
    ]
    return _windows(results, "spectra"), rows


def _codes(shares: dict[str, float]) -> str:
    return ", ".join(
        f"{phrase} {share:.0%}" if len(shares) > 1 else phrase for phrase, share in shares.items()
    )


def unusual_table(results: Json) -> Table:
    """Return what becomes of spectra of thick specimens and of wrong energy axes."""
    header = ["reads to (eV)", "measurement", "unfamiliar", *(spec.title for spec in PROPERTIES)]
    rows = [
        [
            window,
            name,
            _percent(shares["unfamiliar"]),
            *(_share(shares["coverage_90_of_familiar"][spec.name]) for spec in PROPERTIES),
        ]
        for window, found in results["windows"].items()
        for name, shares in found["unusual"].items()
    ]
    return header, rows


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def removed_table(results: Json) -> Table:
    """Return what networks say of populations that they were trained without."""
    header = ["population", "sites", "unfamiliar", *(spec.title for spec in PROPERTIES)]
    *_, widest = results["windows"].values()
    rows = [
        [
            name,
            str(found["n_sites"]),
            _percent(found["unfamiliar"]),
            *(f"{found['coverage_90'][spec.name]:.0%}" for spec in PROPERTIES),
        ]
        for name, found in widest["removed"].items()
    ]
    return header, rows


def regions_table(results: Json) -> Table:
    """Return how often means over regions lie in their intervals, by window and pixels."""
    header = ["reads to (eV)", "pixels", *(spec.title for spec in PROPERTIES)]
    rows = [
        [window, pixels, *(f"{coverage[spec.name]:.0%}" for spec in PROPERTIES)]
        for window, found in results["windows"].items()
        for pixels, coverage in found["regions"].items()
    ]
    return header, rows


def widths_table(results: Json) -> Table:
    """Return the rank correlations of the widths of intervals and the errors."""
    header = ["reads to (eV)", *(spec.title for spec in PROPERTIES)]
    rows = [
        [
            window,
            *(
                f"{found['rank_correlation_of_width_and_error'][spec.name]:.2f}"
                for spec in PROPERTIES
            ),
        ]
        for window, found in results["windows"].items()
    ]
    return header, rows
