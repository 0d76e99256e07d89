"""Figures of what novelty notices, from ``results/trust.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.figure_style import MARKERS, WIDTH, faint
from hyperspy_coreloss.properties import PROPERTIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Json = dict[str, Any]


def detection_figure(results: Json) -> Figure:
    """Draw the share of spectra that are refused: new phases of silica, and other oxides."""
    windows = results["windows"]
    first = next(iter(windows.values()))
    silica = ["all", *sorted(first["false_alarms_by_population"])]
    *_, widest = windows.values()
    oxides = sorted(first["foreign"], key=lambda name: sum(widest["foreign"][name].values()))
    figure, panels = plt.subplots(
        2,
        1,
        figsize=(WIDTH, 7.4),
        layout="constrained",
        sharex=True,
        height_ratios=(len(silica), len(oxides)),
    )
    for number, (window, found) in enumerate(windows.items()):
        alarms = found["false_alarms_by_population"] | {"all": found["false_alarms"]}
        refused = [sum(found["foreign"][name].values()) for name in oxides]
        style = {"marker": MARKERS[number], "linestyle": "none", "label": f"reads to {window} eV"}
        move = 0.22 * (number - (len(windows) - 1) / 2)
        panels[0].plot([alarms[name] for name in silica], np.arange(len(silica)) + move, **style)
        panels[1].plot(refused, np.arange(len(oxides)) + move, **style)
    names = [name.replace("_", ", site ") for name in oxides]
    for panel, labels in zip(panels, (silica, names), strict=True):
        panel.set_yticks(range(len(labels)), labels)
        panel.grid(axis="y", linewidth=0.4)
        panel.set_ylim(len(labels) - 0.5, -0.5)
        panel.set_xlim(-0.02, 1.02)
    panels[0].set_title("new phases of silica, by population: refused by mistake", loc="left")
    panels[1].set_title("oxides that are not silica: refused rightly", loc="left")
    panels[1].set_xlabel("share of the spectra without a prediction")
    panels[0].legend(loc="lower right")
    return figure


def regions_figure(results: Json) -> Figure:
    """Draw how often means over regions lie in their 90 % intervals."""
    windows = results["windows"]
    figure, panels = plt.subplots(
        1, len(windows), figsize=(WIDTH, 2.9), layout="constrained", sharey=True
    )
    for panel, (window, found) in zip(np.ravel(panels), windows.items(), strict=True):
        panel.axvspan(0.85, 0.95, color=faint(), alpha=0.35, linewidth=0)
        panel.axvline(0.9, color=faint(), linewidth=0.8)
        for number, (pixels, coverage) in enumerate(found["regions"].items()):
            shares = [coverage[spec.name] for spec in PROPERTIES]
            places = np.arange(len(shares)) + 0.16 * (2 * number - 1)
            panel.plot(shares, places, MARKERS[number], label=f"{pixels} pixels")
        panel.set_yticks(range(len(PROPERTIES)), [spec.title for spec in PROPERTIES])
        panel.set_ylim(len(PROPERTIES) - 0.5, -0.5)
        panel.grid(axis="y", linewidth=0.4)
        panel.set_xlim(0.7, 1.01)
        panel.set_title(f"reads to {window} eV")
    figure.supxlabel("share of the true means in their 90 % intervals", fontsize="medium")
    handles, labels = np.ravel(panels)[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=2, fontsize="small", loc="outside upper center")
    return figure
