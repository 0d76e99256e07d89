"""
Results of the study
====================

Errors of the networks, from ``results/study.json``. Test phases take no part in the training or in
the choice of settings.
"""

# %%
# True and predicted values
# -------------------------
# Figure 2 of the paper, on new phases. The errors on training spectra (grey) are far smaller than
# those on test spectra (blue), whose phases were not trained on.

import json
from pathlib import Path

import numpy as np

import hyperspy_coreloss as hc
from hyperspy_coreloss.study import (
    plot_against,
    plot_learning_curves,
    plot_parity,
    plot_relative_errors,
)

study = json.loads(Path("../results/study.json").read_text(encoding="utf-8"))
sites = hc.data.oxygen_k_sites()
titles = [spec.title for spec in sites.properties]


def values(subset):
    """Return true and predicted values of the training or test spectra."""
    predictions = study["predictions"]["phase_disjoint"][subset]
    return np.array(predictions["true"]), np.array(predictions["predicted"])


figure = plot_parity(sites.properties, values("training"), values("test"), study["phase_disjoint"])

# %%
# Comparison with baselines
# -------------------------
# Errors divided by those of predicting the mean of the training spectra.


def relative(errors, split="phase_disjoint"):
    """Return errors divided by those of predicting the mean, in the order of the properties."""
    rows = study[split]
    return [errors[name] / row["baselines"]["mean"] for name, row in rows.items()]


def of_model(split, model):
    """Return the errors of a baseline."""
    return {name: row["baselines"][model] for name, row in study[split].items()}


models = ("ridge", "kernel ridge", "random forest")
shown = {}
for split, title in (("phase_disjoint", "new phases"), ("random_site", "new sites")):
    ensemble = {name: row["mae"] for name, row in study[split].items()}
    shown[title] = {"networks": relative(ensemble, split)}
    shown[title] |= {model: relative(of_model(split, model), split) for model in models}
figure = plot_relative_errors(shown, titles)

# %%
# Wider windows
# -------------
# The window of the paper ends at 15 eV. The broad structure above it shifts with the distance of
# the neighbours.

windows = study["window_stop"]
series = dict(zip(titles, zip(*map(relative, windows.values()), strict=True), strict=True))
figure = plot_against([float(stop) for stop in windows], series, "end of the window (eV)")

# %%
# The excitation energy as an input
# ---------------------------------
# Figure 5 of the paper: with the excitation energy as an input, spectra lie on an absolute energy
# scale; without it, energies are counted from the threshold.

energies = study["excitation_energy"]["phase_disjoint"]
figure = plot_relative_errors(
    {"new phases": {f"{kind} excitation energy": relative(energies[kind]) for kind in energies}},
    titles,
)

# %%
# Learning curves
# ---------------
# Errors on new phases against the number of training phases and of training sites.

curves = {}
for kind in ("phases", "sites"):
    draws = study["learning_curves"][kind]
    errors = zip(*(relative(draw["mae"]) for draw in draws), strict=True)
    sizes = [draw[f"n_{kind}"] for draw in draws]
    curves[f"training {kind}"] = (sizes, dict(zip(titles, errors, strict=True)))
figure = plot_learning_curves(curves)
