"""
How far predictions are off
===========================

Errors of the networks of the family on phases that they were not trained on, by the end of the
window that they read, and the coverage of their intervals, from ``results/accuracy.json`` (``make
accuracy``). The :doc:`tables </accuracy>` say how they are measured.
"""

# %%
# Errors by window
# ----------------
# Mean absolute errors of single sites, relative to those of always predicting the median of the
# training. The spectra are measured by three microscopes; the networks are trained on the typical
# one. Bars are standard errors over the phases. Stars are the typical microscope with the energy of
# the threshold known to 0.1 eV.

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss import load_pretrained

# sphinx_gallery_thumbnail_number = 1
results = json.loads(Path("../results/accuracy.json").read_text(encoding="utf-8"))
specs = [spec for spec in load_pretrained().properties if spec.name in results["properties"]]
windows = [window for window in results["windows"] if window in results]
ends = [float(window) for window in windows]
conditions = {"harsh": ("^", "C3"), "typical": ("o", "C0"), "clean": ("s", "C2")}

figure, panels = plt.subplots(2, 3, figsize=(9, 5.6), layout="constrained", sharex=True)
for panel, spec in zip(panels.flat, specs, strict=False):
    panel.axhline(1.0, color="0.6", linewidth=0.8)
    for number, (condition, (marker, colour)) in enumerate(conditions.items()):
        rows = [results[window][condition]["all"][spec.name] for window in windows]
        relative = np.array([row["relative"] for row in rows])
        bars = relative * [row["standard_error"] / row["mae"] for row in rows]
        style = {"marker": marker, "color": colour, "markersize": 4, "capsize": 2}
        # Beside each other, so that no bar hides another.
        panel.errorbar(np.add(ends, number - 1), relative, bars, label=condition, **style)
    known = [results[f"{window}+energy"]["typical"]["all"][spec.name] for window in windows]
    stars = [row["relative"] for row in known]
    panel.plot(ends, stars, "*:", color=conditions["typical"][1], label="typical, energy known")
    panel.set_title(spec.title)
    panel.set_ylim(0, 1.15)
panels.flat[2].legend(loc="lower left")
figure.supxlabel("end of the window (eV above the threshold)")
figure.supylabel("error / error of the median")

# %%
# Bond lengths and charges are in the slow oscillations far behind the threshold, so that wide
# windows tell most of them. A known energy tells much of them too, also where the window is short.
# The Voronoi volume is hardly in any spectrum.

# %%
# Coverage by population
# ----------------------
# The share of true values within their 90 % intervals, on phases that neither the networks nor the
# intervals have seen, for spectra of the typical microscope. Small populations have few phases:
# their number is in brackets. The grey band is from 85 to 95 %.
covered = results[windows[-1]]["typical"]
names = list(covered)
figure, axis = plt.subplots(figsize=(9, 4.5), layout="constrained")
axis.axhspan(0.85, 0.95, color="0.9")
axis.axhline(results["level"], color="0.5", linewidth=0.8)
for number, spec in enumerate(specs):
    places = np.arange(len(names)) + 0.1 * (number - (len(specs) - 1) / 2)
    shares = [covered[name].get(spec.name, {}).get("coverage_90", np.nan) for name in names]
    axis.plot(places, shares, "osD^vP"[number % 6], markersize=5, label=spec.title)
phases = [next(iter(covered[name].values()))["n_phases"] for name in names]
labels = [f"{name}\n({count})" for name, count in zip(names, phases, strict=True)]
labels = [label.replace("+", " +\n") for label in labels]
axis.set_xticks(range(len(names)), labels)
axis.set_ylabel("coverage of the 90 % interval")
axis.set_ylim(None, 1.01)
figure.legend(
    *axis.get_legend_handles_labels(), ncols=6, fontsize="small", loc="outside upper center"
)
plt.show()
