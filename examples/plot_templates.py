"""
Maps of reference materials
===========================

Spectra of reference sites are components of a HyperSpy model. If only their intensities are free,
the fit is linear (multiple linear least squares) and solves all pixels at once.

The spectrum image is simulated: six grains of silica, each with the computed oxygen K edge of one
site, on a power-law background, with counting noise. The energies of the pixels are aligned.
"""

# %%
# The spectrum image, and the names of the sites in its grains.
import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.components import ELNESTemplate
from hyperspy_coreloss.data import oxygen_k_sites, silica_spectrum_image
from hyperspy_coreloss.dataset import complete_sites

# sphinx_gallery_thumbnail_number = 1
s, truth = silica_spectrum_image((48, 32), n_grains=6, drift=0.0, resolution=0.5, dose=2e3, seed=3)
sites = oxygen_k_sites()
sites = sites.take(complete_sites(sites))
number = np.abs(truth.data[..., None, :] - sites.targets).sum(axis=-1).argmin(axis=-1)
names = [sites.names[site] for site in np.unique(number)]
print(*names, sep=", ")

# %%
# The model
# ---------
# There is one component for each site: its spectrum, placed at the onset and broadened to the
# resolution of the measurement. Any other spectrum without background can be a template too
# (``ELNESTemplate.from_signal``). Minerals are available by name, such as ``"alpha-quartz"``.
edge = s.remove_background((490.0, 530.0), show_progressbar=False)
m = edge.create_model(auto_background=False, auto_add_edges=False)
for name in names:
    m.append(ELNESTemplate.from_dataset(name, onset=537.0, broadening=0.5 / 2.355))
m.set_signal_range(532.0, 575.0)

# %%
# Non-negative least squares gives the fraction of each site in each pixel.
m.multifit(optimizer="nnls", show_progressbar=False)
counts = np.stack([template.intensity.map["values"] for template in m])
shares = counts / counts.sum(axis=0)

figure, panels = plt.subplots(2, len(names), figsize=(11, 3.6), layout="constrained")
for panel, share, name, site in zip(panels.T, shares, names, np.unique(number), strict=True):
    panel[0].imshow(share, vmin=0, vmax=1, cmap="viridis")
    image = panel[1].imshow(number == site, vmin=0, vmax=1, cmap="viridis")
    panel[0].set_title(name, fontsize=8)
for row, label in zip(panels, ("fitted fraction", "true"), strict=True):
    row[0].set_ylabel(label)
    for panel in row:
        panel.set(xticks=[], yticks=[])
figure.colorbar(image, ax=panels, shrink=0.8)
right = shares.argmax(axis=0) == np.searchsorted(np.unique(number), number)
print(f"The site with the largest fraction is the true one in {right.mean():.0%} of the pixels.")

# %%
# The components of one pixel, and their sum.
m.axes_manager.indices = (10, 20)
m.plot(plot_components=True)

# %%
# Lazily
# ------
# For data larger than memory, HyperSpy fits linear models with the optimiser ``"lstsq"``.
lazy = edge.as_lazy().create_model(auto_background=False, auto_add_edges=False)
for name in names:
    lazy.append(ELNESTemplate.from_dataset(name, onset=537.0, broadening=0.5 / 2.355))
lazy.multifit(optimizer="lstsq", show_progressbar=False)
lazy.as_signal(show_progressbar=False)
