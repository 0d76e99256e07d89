"""Figures of the accuracy of the family of models, from ``results/accuracy.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize

from benchmarks.accuracy_tables import measured_windows, window_title
from benchmarks.figure_style import MARKERS, WIDTH, faint
from hyperspy_coreloss.properties import PROPERTIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Json = dict[str, Any]

_TITLES = {spec.name: spec.title for spec in PROPERTIES}
_CONDITIONS = ("typical", "clean", "harsh")
_THEORIES = {
    "first_theory": "that of the training",
    "second_theory": "another",
    "second_theory_calibrated": "another, calibrated",
}


def errors_figure(results: Json) -> Figure:
    """Draw the relative errors by the end of the window, under three microscopes."""
    windows = [window for window in results["windows"] if window in results]
    ends = np.array([float(window) for window in windows])
    figure, panels = _panels(results["properties"], 6.4)
    for name, panel in panels:
        panel.axhline(1.0, color=faint(), linewidth=0.8)
        for number, condition in enumerate(_CONDITIONS):
            rows = [results[window][condition]["all"][name] for window in windows]
            _errors(panel, ends + number - 1, rows, condition, MARKERS[number])
        known = [results[f"{window}+energy"]["typical"]["all"][name] for window in windows]
        relative = [row["relative"] for row in known]
        panel.plot(ends, relative, ":", marker="*", color="C0", label="typical, energy known")
        panel.set_ylim(0, 1.3)
        panel.set_xticks(ends, windows)
    figure.supxlabel("end of the window (eV above the threshold)", fontsize="medium")
    figure.supylabel("error / error of the median", fontsize="medium")
    _legend(figure, panels[0][1], 4)
    return figure


def knowledge_figure(results: Json, condition: str = "typical") -> Figure:
    """Draw the table of relative errors by window and property as a map."""
    windows = measured_windows(results)
    names = results["properties"]
    ratios = np.array(
        [
            [results[window][condition]["all"][name]["relative"] for name in names]
            for window in windows
        ]
    )
    figure, panel = plt.subplots(figsize=(WIDTH, 4.6), layout="constrained")
    image = panel.imshow(ratios, cmap="cividis", norm=Normalize(0.2, 1.0), aspect="auto")
    for (row, column), ratio in np.ndenumerate(ratios):
        colour = "black" if ratio > 0.62 else "white"
        text = f"{ratio:.2f}"
        panel.text(column, row, text, ha="center", va="center", color=colour, fontsize="small")
    panel.set_xticks(range(len(names)), [_TITLES[name].replace(" ", "\n") for name in names])
    panel.tick_params(axis="x", labelsize="small")
    panel.set_yticks(range(len(windows)), [window_title(results, window) for window in windows])
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.set_ylabel("reads to (eV)")
    bar = figure.colorbar(image, ax=panel, shrink=0.8, pad=0.02)
    bar.set_label("error / error of the median")
    bar.outline.set_visible(False)
    return figure


def coverage_figure(results: Json, window: str, condition: str) -> Figure:
    """Draw the coverage of the 90 % intervals by population."""
    found = results[window][condition]
    populations = list(found)[::-1]
    figure, panels = _panels(results["properties"], 7.2)
    for name, panel in panels:
        panel.axvspan(0.85, 0.95, color=faint(), alpha=0.35, linewidth=0)
        panel.axvline(results["level"], color=faint(), linewidth=0.8)
        shares = [found[one].get(name, {}).get("coverage_90", np.nan) for one in populations]
        panel.plot(shares, range(len(populations)), "o")
        phases = [next(iter(found[one].values()))["n_phases"] for one in populations]
        labels = [f"{one} ({count})" for one, count in zip(populations, phases, strict=True)]
        panel.set_yticks(range(len(populations)), labels)
        panel.grid(axis="y", linewidth=0.4)
        panel.set_xlim(None, 1.01)
    figure.supxlabel("share of the true values in their 90 % intervals", fontsize="medium")
    return figure


def bins_figure(results: Json) -> Figure:
    """Draw relative errors and coverages by dose and by thickness."""
    axes = {"by_counts": "electrons in the highest 0.1 eV", "by_thickness": "thickness t/λ"}
    rows = {"relative": "error / error of the median", "coverage_90": "coverage (90 % intervals)"}
    figure, panels = plt.subplots(
        2, 2, figsize=(WIDTH, 5.2), layout="constrained", sharex="col", sharey="row"
    )
    for column, (quantity, label) in enumerate(axes.items()):
        bins = results[quantity]
        names = ["–".join(_short(end) for end in name.split("-")) for name in bins]
        for row, (measure, words) in enumerate(rows.items()):
            panel = panels[row, column]
            for number, name in enumerate(results["properties"]):
                values = [found[name][measure] for found in bins.values()]
                panel.plot(values, marker=MARKERS[number], label=_TITLES[name])
            level = 1.0 if measure == "relative" else results["level"]
            panel.axhline(level, color=faint(), linewidth=0.8, zorder=0)
            panel.set_xticks(range(len(names)), names, rotation=30)
            if column == 0:
                panel.set_ylabel(words)
        panels[1, column].set_xlabel(label)
    _legend(figure, panels[0, 0], 3)
    return figure


def theories_figure(results: Json) -> Figure:
    """Draw the relative errors on sites of a second theory beside those of the first."""
    windows = sorted(results["transfer"], key=float)
    figure, panels = _panels(results["properties"], 6.4)
    for name, panel in panels:
        panel.axhline(1.0, color=faint(), linewidth=0.8)
        for number, (theory, title) in enumerate(_THEORIES.items()):
            found = [results["transfer"][window][theory]["all"].get(name) for window in windows]
            places = np.arange(len(windows)) + 0.15 * (number - 1)
            if all(row is not None and row["relative"] is not None for row in found):
                _errors(panel, places, found, title, MARKERS[number], linestyle="none")
        panel.set_xticks(range(len(windows)), windows)
        panel.set_xlim(-0.5, len(windows) - 0.5)
    panels[0][1].set_ylim(bottom=0)
    figure.supxlabel("end of the window (eV above the threshold)", fontsize="medium")
    figure.supylabel("error / error of the median", fontsize="medium")
    _legend(figure, panels[0][1], 3)
    return figure


def _short(number: str) -> str:
    """Return a number with its thousands as k."""
    return f"{number[:-3]}k" if number.endswith("000") else number


def _panels(names: list[str], height: float) -> tuple[Figure, list[tuple[str, Axes]]]:
    """Return a figure with a panel for each property, in two columns."""
    figure, panels = plt.subplots(
        -(-len(names) // 2),
        2,
        figsize=(WIDTH, height),
        layout="constrained",
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    named = list(zip(names, panels.flat, strict=False))
    for name, panel in named:
        panel.set_title(_TITLES[name])
    for panel in panels.flat[len(names) :]:
        panel.set_axis_off()
    return figure, named


def _errors(
    panel: Axes, places: np.ndarray, rows: list[Json], label: str, marker: str, **style: object
) -> None:
    """Plot relative errors with their standard errors over the phases."""
    relative = np.array([row["relative"] for row in rows])
    bars = relative * [row["standard_error"] / row["mae"] for row in rows]
    panel.errorbar(places, relative, bars, label=label, marker=marker, capsize=2, **style)


def _legend(figure: Figure, panel: Axes, columns: int) -> None:
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, ncols=columns, fontsize="small", loc="outside upper center")
