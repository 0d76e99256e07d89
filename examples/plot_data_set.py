"""
The data set behind the model
=============================

We know of no open data set of measured oxygen K edges with the atomic structure around each
absorbing atom. The models are therefore trained on computed spectra. The package includes them,
with the structures, six properties of each site, and the origin of the data.
"""

# %%
# Properties and spectra
# ----------------------
import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss import dataset_to_signal
from hyperspy_coreloss.data import oxygen_k_sites
from hyperspy_coreloss.dataset import plot_dataset, plot_projected_densities

# sphinx_gallery_thumbnail_number = 1
sites = oxygen_k_sites()
print(sites)
figure = plot_dataset(sites)

# %%
# Above: the labels of each population, from the lower to the upper quartile (boxes) and for 90 % of
# the sites (whiskers). Below: the bond angle against the bond length, and the mean spectrum of each
# population with the standard deviation of its sites. Sites of files from before populations were
# recorded are counted as ``other``.

# %%
# Spectra as a signal
# -------------------
# Spectra are available at any resolution from σ = 0.08 eV. Each edge lies at the excitation energy
# of its site. At σ = 0.1 eV single states are visible, because the cell has a finite number of
# k-points.
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
# Projected densities of states
# -----------------------------
# For some sites the data set also has p-projected densities of states. The core hole lowers the
# energies of the empty states at its atom and concentrates them. The spectrum follows the density
# of the cell with the core hole, not that of the ground state.
explained = [site for site in sites.sites if site.projected_densities]
quartz = next(site for site in explained if site.structure.phase == "quartz")
figure = plot_projected_densities(quartz)

# %%
# One site
# --------
# A site has its structure, its labels and the settings of the calculation.
site = quartz
print(site.structure.source, site.structure.licence, sep="\n")
print({name: round(value, 3) for name, value in site.labels.items()})
print(site.details["calculation"]["settings"])
