"""
Which pixels to believe
=======================

A spectrum image holds a particle of another oxide, a thick corner and a noisy edge. The maps tell
which of its pixels to believe, and why.

All is simulated: grains of silica, of phases that the model was not trained on, and a particle of
magnesium oxide.
"""

# %%
# The specimen
# ------------
# The same grains are measured three times: where the specimen is thin, where it is thick, and with
# few electrons. One image is put together from the three.
import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np

import hyperspy_coreloss as hc
from hyperspy_coreloss.data import oxygen_k_foreign, silica_spectrum_image
from hyperspy_coreloss.spectra import Microscope, simulate_low_loss

# sphinx_gallery_thumbnail_number = 1
usual = {"resolution": 0.5, "jump_ratio": 1.0}
shape, places = (36, 24), np.indices((24, 36))
thin, thick, noisy = (
    silica_spectrum_image(shape, drift=0.0, microscope=Microscope(**usual, **effects))[0]
    for effects in ({"counts": 1e4}, {"counts": 1e4, "relative_thickness": 2.5}, {"counts": 30.0})
)
s = thin.deepcopy()
y, x = places
corner, edge = x + y < 12, x >= 31
s.data[corner], s.data[edge] = thick.data[corner], noisy.data[edge]

# %%
# The particle is magnesium oxide, whose oxygen is bonded to six magnesium atoms. Its edge is as
# high as those of the silica, on a like background, and counted in the same way.
oxides = oxygen_k_foreign()
energy = s.axes_manager.signal_axes[0].axis
magnesia = oxides.take([oxides.names.index("periclase_1")])
intensity = magnesia.spectra(energy - 537.0, sigma=0.21)[0]
expected = 1e4 * (intensity / intensity.max() + (energy / 525) ** -3)
particle = (x - 22) ** 2 + (y - 13) ** 2 < 16
counts = np.random.default_rng(0).poisson(expected, (particle.sum(), energy.size))
s.data[particle] = counts

# %%
# The low loss of the same pixels was measured too. It tells the thickness.
thickness = np.where(corner, 2.5, 0.0)
low_energy = -15.0 + 0.1 * np.arange(1024)
low_loss = hs.signals.Signal1D(
    simulate_low_loss(
        low_energy,
        thickness,
        zero_loss=np.zeros(thickness.shape),
        resolution=0.5,
        electrons=3e6,
        generator=np.random.default_rng(1),
    )
)
axis = low_loss.axes_manager.signal_axes[0]
axis.offset, axis.scale, axis.units, axis.name = -15.0, 0.1, "eV", "Energy loss"

# %%
# What the model says
# -------------------
# Pixels without a prediction are grey: the particle, because no computed site of silica has such a
# spectrum, and what is too noisy. A grain of silica may be unfamiliar too: one or two in a hundred
# spectra of new phases are, and often those of one grain together. The thick corner has numbers,
# but with wide intervals, as is shown below; above three mean free paths it would have none.
p = s.predict_properties(low_loss=low_loss, show_progressbar=False)
p.plot_maps(["bond_length", "mulliken_charge", "excitation_energy"])
p.summary()

# %%
# Why
# ---
# The quality map has the reason for each pixel, and the novelty a p-value: how usual such a
# spectrum would be among those of phases of silica that the model never saw.
figure, panels = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
codes = p.quality.data
image = panels[0].imshow(codes, cmap="tab20", vmin=0, vmax=19)
panels[0].set_title("quality")
shown = sorted(set(codes.ravel().tolist()))
bar = figure.colorbar(image, ax=panels[0], ticks=shown)
bar.ax.set_yticklabels([hc.Quality(code).phrase for code in shown])
image = panels[1].imshow(np.log10(p.novelty.data), cmap="magma", vmin=-3, vmax=0)
panels[1].set_title("log10 of the novelty")
figure.colorbar(image, ax=panels[1])

for name, region in {"particle": particle, "thick corner": corner, "noisy edge": edge}.items():
    predicted = (codes[region] == hc.Quality.GOOD).mean()
    print(f"{name}: {predicted:.0%} of {region.sum()} pixels have a prediction")

# %%
# Without the low loss, nobody tells the model how thick the specimen is. It finds the thickness in
# the spectra, of up to three mean free paths, and need not notice thicker specimens: measure the
# low loss where they may be.
blind = s.predict_properties(resolution=0.5, show_progressbar=False)
lower, upper = blind.get_interval_map("bond_length")
half = np.nanmedian((upper - lower).data[corner]) / 2
print(f"thick corner without the low loss: ± {half:.3f} Å")

# %%
# What it resembles
# -----------------
# The computed sites whose spectra are most like that of one pixel, here of the particle. Even the
# nearest ones differ from it: it is something else.
p.nearest_sites((22, 13), s).plot()

# %%
# Of the most usual pixel, some computed sites have nearly the spectrum. Their properties stand
# beside the predicted ones.
row, column = np.unravel_index(np.nanargmax(p.novelty.data), p.novelty.data.shape)
p.nearest_sites((int(column), int(row)), s)

# %%
# How far off
# -----------
# Each pixel that is read has an interval of its own.
lower, upper = p.get_interval_map("bond_length")
widths = (upper - lower).data / 2
for name, region in {"thin": ~(particle | corner | edge), "thick": corner, "noisy": edge}.items():
    if np.isfinite(widths[region]).any():
        print(f"{name}: ± {np.nanmedian(widths[region]):.3f} Å")

# %%
# A number to report
# ------------------
# The mean over a region of one material has a narrower interval, but not as narrow as the scatter
# of its pixels would suggest: what the model gets wrong about a phase does not average out.
p.inav[24:30, 2:8].mean_over()
