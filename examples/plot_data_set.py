"""
The data set behind the model
=============================

No open set of measured oxygen K edges with known surroundings is known to us, so the model learns
from computed ones. They come with the package: spectra, structures, six properties of each site,
and where all of it comes from.
"""

# %%
# What it covers
# --------------
import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.data import oxygen_k_sites
from hyperspy_coreloss.dataset.as_signal import dataset_to_signal
from hyperspy_coreloss.dataset.plotting import plot_dataset, plot_projected_densities

# sphinx_gallery_thumbnail_number = 1
sites = oxygen_k_sites()
print(sites)
figure = plot_dataset(sites)

# %%
# The shortest and the longest bonds make the main peak broad and low; but sites of one bond length
# differ more among each other (grey) than the means do. This is why more than one property can be
# learnt from a spectrum, and why it takes many sites.

# %%
# Spectra as a signal
# -------------------
# At any resolution, because recursion coefficients are kept, not curves. Each edge lies at the
# excitation energy of its site. At 0.1 eV single states show: the k-points of a finite cell.
phases = np.array(sites.phases)
chosen = sites.take([np.flatnonzero(phases == p)[0] for p in ("cristobalite", "quartz", "SOD")])
sharp = dataset_to_signal(chosen, sigma=0.1, offset=538, dispersion=0.05, size=600)
blurred = dataset_to_signal(chosen, sigma=0.5, offset=538, dispersion=0.05, size=600)
sharp

# %%
panels = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")[1]
for panel, signal, sigma in zip(panels, (sharp, blurred), (0.1, 0.5), strict=True):
    hs.plot.plot_spectra(signal, style="overlap", legend=list(chosen.phases), ax=panel)
    panel.set_title(f"σ = {sigma} eV")

# %%
# What a spectrum shows
# ---------------------
# Of some sites the p-projected densities of states are kept as well. The core hole pulls the empty
# states of its atom down and together: the spectrum follows the density of the core-hole cell, not
# that of the ground state.
explained = [site for site in sites.sites if site.projected_densities]
quartz = next(site for site in explained if site.structure.phase == "quartz")
figure = plot_projected_densities(quartz)

# %%
# One site
# --------
# A site knows its structure, its labels and how it was computed.
site = quartz
print(site.structure.source, site.structure.licence, sep="\n")
print({name: round(value, 3) for name, value in site.labels.items()})
print(site.details["calculation"]["settings"])
