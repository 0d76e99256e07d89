"""
From a file to a number
=======================

Work with a spectrum image, from its file to a number in a report: load, predict, look at the maps,
average over a region, save, and load the result lazily.

The spectrum image is simulated and saved to a temporary folder, with a low-loss spectrum of the
same resolution. The model was not trained on the phases of its grains, so that its errors are those
on new materials.
"""

# %%
# Files
# -----
# These two files stand for those of a microscope.
from pathlib import Path
from tempfile import TemporaryDirectory

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np

import hyperspy_coreloss as hc
from hyperspy_coreloss.data import silica_spectrum_image

# sphinx_gallery_thumbnail_number = 3
temporary = TemporaryDirectory()
folder = Path(temporary.name)
simulated, truth = silica_spectrum_image((40, 30), dose=2e4, resolution=0.4, n_grains=8, seed=5)
simulated.save(folder / "silica.hspy")

loss = np.arange(-10.0, 10.0, 0.05)
peak = np.random.default_rng(0).poisson(1e5 * np.exp(-4 * np.log(2) * (loss / 0.4) ** 2))
axis = {"name": "Energy loss", "units": "eV", "offset": -10.0, "scale": 0.05, "size": loss.size}
hs.signals.Signal1D(peak, axes=[axis]).save(folder / "zero_loss.hspy")

# %%
# The spectra
# -----------
# HyperSpy plots the image of the counts, and the spectrum of the selected pixel.
s = hs.load(folder / "silica.hspy")
s.axes_manager.indices = (26, 22)
s.plot()

# %%
# The prediction
# --------------
# A model reads spectra of one resolution, to which yours are broadened. The resolution of the
# measurement is the full width at half maximum of the zero loss.
resolution = hc.measure_resolution(hs.load(folder / "zero_loss.hspy"))
print(f"resolution {resolution:.2f} eV")
p = s.predict_properties(resolution=resolution, show_progressbar=False)
print(p.summary())

# %%
# The maps
# --------
p.plot_maps()

# %%
# ``plot`` draws the map of one property, and all properties of the selected pixel. A region of
# interest is drawn on the map and can be moved there.
p.axes_manager.indices = (26, 22)
p.plot("bond_length")
region = hs.roi.RectangularROI(left=24, top=20, right=30, bottom=26)
grain = region.interactive(p)
print(grain)

# %%
# Mean over a region
# ------------------
# The mean keeps the interval of a single spectrum: the errors of a model on one material are
# similar in all its pixels, and do not average out. The standard deviation over the region is much
# smaller. It contains noise only.
mean = grain.nanmean()
lower, upper = mean.get_interval_map("bond_length", level=0.9)
value, half_width = mean.isig["bond_length"].data.item(), float(upper.data[0] - lower.data[0]) / 2
scatter = np.nanstd(grain.get_property_map("bond_length").data)
true = region(truth).get_property_map("bond_length").data.mean()
print(f"bond length ({value:.2f} ± {half_width:.2f}) Å, 90 % interval")
print(f"scatter over the region {scatter:.3f} Å, true bond length {true:.2f} Å")

# %%
# Save and load
# -------------
# The file holds names, units, intervals, quality and the model that predicted. A result that was
# loaded lazily can be saved over its own file.
p.save(folder / "maps.hspy")
again = hs.load(folder / "maps.hspy", lazy=True)
print(again)
again.metadata.General.notes = "Simulated, for the gallery."
again.save(folder / "maps.hspy", overwrite=True)
again = hs.load(folder / "maps.hspy")
print(again.metadata.General.notes, again.metadata.CoreLossProperty.Pretrained.name)
print("the same values:", np.array_equal(again.data, p.data, equal_nan=True))

# %%
# Larger than memory
# ------------------
# From a lazy signal to a file, each spectrum is read once, and never all of them at a time.
lazy = hs.load(folder / "silica.hspy", lazy=True)
lazy.predict_properties(resolution=resolution).save(folder / "lazy_maps.hspy")
print("the same values:", np.array_equal(hs.load(folder / "lazy_maps.hspy").data, p.data))
lazy.close_file()
temporary.cleanup()
plt.show()
