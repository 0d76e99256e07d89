"""
What the study found
====================

The errors behind the shipped models, from ``results/study.json``. Test phases are phases that no
network was trained on and that nothing was chosen by.
"""

# %%
# True and predicted values
# -------------------------
# Figure 2 of the paper, on new phases. Training spectra (grey) are fitted far better than test
# spectra (blue): the network knows its phases, and each new one is new to it.

import json
from pathlib import Path

import numpy as np

import hyperspy_coreloss as hc
from hyperspy_coreloss.study.figures import (
    plot_against,
    plot_learning_curves,
    plot_parity,
    plot_relative_errors,
)

study = json.loads(Path("../results/study.json").read_text(encoding="utf-8"))
sites = hc.data.oxygen_k_sites()
titles = [spec.title for spec in sites.properties]


def values(part):
    """Return true and predicted values of the training or test spectra."""
    found = study["predictions"]["phase_disjoint"][part]
    return np.array(found["true"]), np.array(found["predicted"])


figure = plot_parity(sites.properties, values("training"), values("test"), study["phase_disjoint"])

# %%
# Beyond the baselines?
# ---------------------
# Errors over that of always answering the mean (1).


def relative(errors, split="phase_disjoint"):
    """Return errors over those of the mean, in the order of the properties."""
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
# Reading more of the spectrum
# ----------------------------
# The paper reads to 15 eV. The broad structure above moves with the distance of the neighbours.

windows = study["window_stop"]
series = dict(zip(titles, zip(*map(relative, windows.values()), strict=True), strict=True))
figure = plot_against([float(stop) for stop in windows], series, "end of the window (eV)")

# %%
# Giving the excitation energy to the network
# -------------------------------------------
# Figure 5 of the paper: spectra at their excitation energies instead of counted from the threshold.

energies = study["excitation_energy"]["phase_disjoint"]
figure = plot_relative_errors(
    {"new phases": {f"{kind} excitation energy": relative(energies[kind]) for kind in energies}},
    titles,
)

# %%
# More data?
# ----------

curves = {}
for kind in ("phases", "sites"):
    draws = study["learning_curves"][kind]
    found = zip(*(relative(draw["mae"]) for draw in draws), strict=True)
    sizes = [draw[f"n_{kind}"] for draw in draws]
    curves[f"{kind} to learn from"] = (sizes, dict(zip(titles, found, strict=True)))
figure = plot_learning_curves(curves)
