"""
The onset from a fitted step
============================

``EdgeStep`` is the continuum step of an edge, an arctangent or an error function, for fits of
the fine structure and for the onset itself.

The spectrum image is simulated: grains of silica whose oxygen K edges drift in energy from pixel to
pixel by half an electronvolt, with background and counting noise.
"""

# %%
# A step on the flank of the edge, as wide as the flank.
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
# HyperSpy fits position and height in all pixels, with the gradients of the expression.
m.multifit(grad="analytical", show_progressbar=False)
m.axes_manager.indices = (5, 5)
m.plot(plot_components=True)

# %%
# The fitted onsets, and the true energies of the lowest empty state. They differ by a constant:
# half the height of a broadened step is reached later than its first state.
fitted, true = step.onset.map["values"], truth.onset.data
offset = np.median(fitted - true)
figure, panels = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
limits = {"vmin": true.min(), "vmax": true.max(), "cmap": "magma"}
for panel, values, title in (
    (panels[0], fitted - offset, f"fitted onset - {offset:.1f} eV"),
    (panels[1], true, "lowest empty state"),
):
    image = panel.imshow(values, **limits)
    panel.set(title=title, xticks=[], yticks=[])
figure.colorbar(image, ax=panels[:2], label="eV")
panels[2].plot(true, fitted, ".", color="tab:blue", ms=4)
panels[2].plot(limits["vmin"] + np.array([0, 3]), limits["vmin"] + offset + np.array([0, 3]))
_ = panels[2].set(xlabel="lowest empty state (eV)", ylabel="fitted onset (eV)")

# %%
# What is beyond the noise is that the edges of the grains differ in shape.
error = np.median(step.onset.map["std"])
missed = np.median(np.abs(fitted - true - offset))
print(f"median deviation {missed:.2f} eV, median standard error {error:.3f} eV")
