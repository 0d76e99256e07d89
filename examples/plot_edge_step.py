"""
The onset from a fitted step
============================

``EdgeStep`` is the continuum step of an edge, an arctangent or an error function. It is used in
fits of the fine structure, and to measure the onset of an edge.

The spectrum image is simulated: oxygen K edges of silica grains with a background and counting
noise. The energy axis drifts from pixel to pixel, with a standard deviation of 0.5 eV.
"""

# %%
# The step is fitted to the rising flank of the edge. Its width is fixed to that of the flank.
import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.components import EdgeStep
from hyperspy_coreloss.data import silica_spectrum_image

# sphinx_gallery_thumbnail_number = 3
s, truth = silica_spectrum_image((24, 16), drift=0.5, resolution=0.5, dose=1e4, seed=1)
edge = s.remove_background((490.0, 530.0), show_progressbar=False)
m = edge.create_model(auto_background=False, auto_add_edges=False)
step = EdgeStep("erf", intensity=8e4, onset=538.5, width=0.6)
m.append(step)
step.width.free = False
m.set_signal_range(530.0, 542.0)

# %%
# HyperSpy fits onset and height in all pixels, with analytical gradients.
m.multifit(grad="analytical", show_progressbar=False)
m.axes_manager.indices = (5, 5)
m.plot(plot_components=True)

# %%
# The true onset is the threshold as a prediction measures it: the energy at which the spectrum
# rises through 30 % of its main peak, at σ = 0.5 eV and without noise. The onset of the step is
# the energy at half its height, so it lies higher by a nearly constant offset.
fitted, true = step.onset.map["values"], truth.onset.data
offset = np.median(fitted - true)
figure, panels = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
limits = {"vmin": true.min(), "vmax": true.max(), "cmap": "magma"}
for panel, values, title in (
    (panels[0], fitted - offset, f"fitted onset - {offset:.1f} eV"),
    (panels[1], true, "true threshold"),
):
    image = panel.imshow(values, **limits)
    panel.set(title=title, xticks=[], yticks=[])
figure.colorbar(image, ax=panels[:2], label="eV")
panels[2].plot(true, fitted, ".", color="tab:blue", ms=4)
ends = np.array([true.min(), true.max()])
panels[2].plot(ends, ends + offset, color="tab:orange")
_ = panels[2].set(xlabel="true threshold (eV)", ylabel="fitted onset (eV)")

# %%
# Noise alone would give a median absolute deviation of two thirds of the standard error. The
# deviation is larger, because the grains have edges of different shapes.
error = np.median(step.onset.map["std"])
deviation = np.median(np.abs(fitted - true - offset))
print(f"median absolute deviation {deviation:.3f} eV, median standard error {error:.3f} eV")
