"""
What microscopes do to predictions
==================================

Errors of the shipped models on phases that they were not trained on, with one effect of the
microscope or of the specimen at a time, from ``results/robustness.json`` (``make robustness``).
Without the effect, the instrument is a good one (a resolution of 0.5 eV, 10⁴ electrons in the
highest 0.1 eV of the edge, a jump ratio of 1), and the specimen has no thickness.
"""

# %%
# Errors
# ------
# Errors relative to those without the effect, as the mean over the properties. They are those of
# the spectra that have a prediction, and are not given if fewer than twenty have one.

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss import load_pretrained

# sphinx_gallery_thumbnail_number = 1
results = json.loads(Path("../results/robustness.json").read_text(encoding="utf-8"))
models, effects = results["models"], results["effects"]


def plot_effects(series, label, level, logarithmic=False):
    """Plot a quantity against each effect: `series` has functions of an effect by their name."""
    figure, panels = plt.subplots(3, 4, figsize=(11, 8), layout="constrained", sharey=True)
    for panel, (effect, about) in zip(panels.flat, effects.items(), strict=False):
        for number, (name, values) in enumerate(series.items()):
            style = {"marker": "osD^vPX*"[number % 8], "markersize": 3.5, "label": name}
            panel.plot(about["values"], values(effect), **style)
        panel.axhline(level, color="0.4", linewidth=0.8, zorder=0)
        panel.set_xlabel(about["label"])
        if about["logarithmic"]:
            panel.set_xscale("log")
    if logarithmic:
        panel.set_yscale("log")
        panel.set_yticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"], minor=False)
        panel.minorticks_off()
    for panel in panels[:, 0]:
        panel.set_ylabel(label)
    panels.flat[-1].set_axis_off()
    panels.flat[-1].legend(*panels.flat[0].get_legend_handles_labels(), loc="center")
    return figure


def of_model(name, quantity):
    """Return a function of an effect: the mean of a quantity over the properties."""

    def mean(effect):
        rows = np.array(models[name]["effects"][effect][quantity], dtype=float)
        return rows if rows.ndim == 1 else rows.mean(axis=1)

    return mean


def of_models(quantity):
    """Return the functions of all models."""
    return {name: of_model(name, quantity) for name in models}


figure = plot_effects(of_models("relative_error"), "relative error", 1.0, logarithmic=True)

# %%
# Mixtures have smaller errors than single sites, because the mean of many sites is closer to the
# mean of all.

# %%
# Spectra with a prediction
# -------------------------
# The share of the spectra whose quality is good. The others have a code that says why they have no
# prediction.
figure = plot_effects(of_models("predicted"), "share with a prediction", 1.0)

# %%
# Intervals
# ---------
# The share of true values within the 90 % interval, as the mean over the properties. An interval is
# made from errors on computed spectra, so it holds what it promises only where measuring adds no
# error.
figure = plot_effects(of_models("coverage"), "coverage of the 90 % interval", results["level"])

# %%
# Properties
# ----------
# Errors of the model that reads the widest range, relative to those of always predicting the mean
# of all sites. Where the ratio is 1, a spectrum says nothing about the property.
wide = models["silica-o-k-100eV-sigma-0.5"]
specs = load_pretrained("silica-o-k-100eV-sigma-0.5").properties


def of_property(column):
    """Return a function of an effect: the error of a property over that of predicting the mean."""

    def ratio(effect):
        errors = np.array(wide["effects"][effect]["mae"], dtype=float)[:, column]
        return errors / wide["error_of_mean"][column]

    return ratio


series = {spec.title: of_property(column) for column, spec in enumerate(specs)}
figure = plot_effects(series, "error / error of the mean", 1.0, logarithmic=True)
