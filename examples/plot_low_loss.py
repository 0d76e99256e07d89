"""
Low-loss spectra: energy zero, resolution and thickness
=======================================================

If the low loss of the same pixels was measured too, as in dual EELS, it tells where the energies of
each pixel begin, how sharp its spectrum is, and how thick the specimen is there.
"""

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.spectra import simulate_low_loss

# sphinx_gallery_thumbnail_number = 2

# %%
# A simulated pair
# ----------------
# Grains of silica, and the low loss of the same pixels. The energies of both drift alike, by up to
# one electronvolt from the left to the right, and the specimen is a wedge.
shape = (24, 16)
s, truth = silica_spectrum_image(shape, drift=0.0, resolution=0.5, seed=1)
drift = np.tile(np.linspace(-0.5, 0.5, shape[0]), (shape[1], 1))
thickness = np.tile(np.linspace(0.1, 0.9, shape[1])[:, None], (1, shape[0]))
energy = s.axes_manager.signal_axes[0].axis
s.map(
    lambda spectrum, by: np.interp(energy, energy + by, spectrum),
    by=hs.signals.BaseSignal(drift[..., None]).transpose(navigation_axes=2),
    inplace=True,
    show_progressbar=False,
)

low_energy = -15.0 + 0.1 * np.arange(1024)
counts = simulate_low_loss(
    low_energy,
    thickness,
    zero_loss=drift,
    resolution=0.5,
    electrons=3e6,
    generator=np.random.default_rng(0),
)
low_loss = hs.signals.Signal1D(counts)
axis = low_loss.axes_manager.signal_axes[0]
axis.offset, axis.scale, axis.units, axis.name = -15.0, 0.1, "eV", "Energy loss"

figure, axes = plt.subplots()
for row in (0, 8, 15):
    axes.semilogy(low_energy, counts[row, 12] + 1, label=f"t/λ = {thickness[row, 12]:.2f}")
axes.set(xlabel="energy loss (eV)", ylabel="counts")
axes.legend()

# %%
# The prediction
# --------------
# The resolution need not be given: it is the width of the zero loss.
p = s.predict_properties(low_loss=low_loss, show_progressbar=False)
print(p.summary())

# %%
# Maps of the low loss
# --------------------
# The relative thickness is the thickness divided by the mean free path of inelastic scattering.
figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
for ax, name in zip(axes, ("relative_thickness", "zero_loss", "resolution"), strict=True):
    values = getattr(p, name).data
    figure.colorbar(ax.imshow(values), ax=ax, shrink=0.8)
    ax.set_title(name.replace("_", " "))
error = np.abs(p.relative_thickness.data - thickness)
print(f"largest error of t/λ: {error.max():.3f}")

# %%
# Onsets without drift
# --------------------
# Onsets are relative to the zero loss of their pixel. What remains are the differences of the
# grains, and noise.
without = s.predict_properties(resolution=0.5, show_progressbar=False)
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, one, title in zip(axes, (without, p), ("on the axis", "from the zero loss"), strict=True):
    figure.colorbar(ax.imshow(one.onset.data), ax=ax, shrink=0.8, label="eV")
    ax.set_title(f"onset, {title}")

# %%
# Thick pixels
# ------------
# Plural scattering changes the shape of an edge. Pixels that are thicker than the spectra of the
# training, one mean free path here, have no prediction, and a reason of their own in the map of
# the quality.
thick = low_loss.deepcopy()
thick.data = simulate_low_loss(low_energy, thickness * 1.8, electrons=3e6, resolution=0.5)
print(s.predict_properties(low_loss=thick, show_progressbar=False).summary().line)

plt.show()
