"""Figures of what microscopes do to predictions, from ``results/robustness.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.figure_style import MARKERS, WIDTH, faint
from hyperspy_coreloss.properties import PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

Json = dict[str, Any]


def models_figure(results: Json, quantity: str, label: str, level: float) -> Figure:
    """Draw a quantity of all models against each effect, as the mean over the properties.

    Parameters
    ----------
    results
        Content of ``results/robustness.json``.
    quantity
        Name of the quantity there, such as ``"relative_error"``.
    label
        Label of its axis.
    level
        Its value without an effect.
    """

    def of_model(name: str) -> Callable[[str], np.ndarray]:
        def mean(effect: str) -> np.ndarray:
            rows = np.array(results["models"][name]["effects"][effect][quantity], dtype=float)
            return rows if rows.ndim == 1 else rows.mean(axis=1)

        return mean

    names = sorted(results["models"], key=_end)
    series = {f"reads to {_end(name):g} eV": of_model(name) for name in names}
    return _effects(results, series, label, level, logarithmic=quantity == "relative_error")


def properties_figure(results: Json) -> Figure:
    """Draw the errors of the model that reads the widest range against each effect."""
    model = results["models"][max(results["models"], key=_end)]
    titles = {spec.name: spec.title for spec in PROPERTIES}

    def of_property(column: int) -> Callable[[str], np.ndarray]:
        def ratio(effect: str) -> np.ndarray:
            errors = np.array(model["effects"][effect]["mae"], dtype=float)[:, column]
            return errors / model["error_of_mean"][column]

        return ratio

    series = {titles[name]: of_property(n) for n, name in enumerate(results["properties"])}
    return _effects(results, series, "error / error of the mean", 1.0, logarithmic=True)


def _effects(
    results: Json,
    series: Mapping[str, Callable[[str], np.ndarray]],
    label: str,
    level: float,
    *,
    logarithmic: bool,
) -> Figure:
    """Draw quantities, which are functions of an effect, against each effect."""
    effects = results["effects"]
    figure, panels = plt.subplots(
        -(-len(effects) // 2), 2, figsize=(WIDTH, 10.5), layout="constrained", sharey=True
    )
    for panel, (effect, about) in zip(panels.flat, effects.items(), strict=False):
        for number, (name, values) in enumerate(series.items()):
            panel.plot(about["values"], values(effect), marker=MARKERS[number], label=name)
        panel.axhline(level, color=faint(), linewidth=0.8, zorder=0)
        panel.set_xlabel(about["label"])
        if about["logarithmic"]:
            panel.set_xscale("log")
    if logarithmic:
        panels.flat[0].set_yscale("log")
        ticks = [0.2, 0.5, 1, 2, 5, 10]
        panels.flat[0].set_yticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        panels.flat[0].minorticks_off()
    for panel in panels.flat[len(effects) :]:
        panel.set_axis_off()
    figure.supylabel(label, fontsize="medium")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=3, fontsize="small", loc="outside upper center")
    return figure


def _end(name: str) -> float:
    """Return the end of the window of a model in eV, from its name."""
    return next(float(part[:-2]) for part in name.split("-") if part.endswith("eV"))
