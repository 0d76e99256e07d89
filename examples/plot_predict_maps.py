"""
Maps of six properties
======================

A spectrum image goes in, six maps come out, and here we know what they should look like.

Any EELS signal that HyperSpy has loaded has the method ``predict_properties``. So that this page
needs no file, the spectrum image is simulated: grains of silica, each with the computed oxygen K
edge of one site, on a power-law background, with drift of the energy axis and counting noise.
"""

# %%
# The spectra
# -----------
# One pixel, with 20 000 counts in the highest channel of its edge. The true properties come along.
import sys
from pathlib import Path

import hyperspy.api as hs
import matplotlib.pyplot as plt

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.signals.plotting import plot_comparison

# sphinx_gallery_thumbnail_number = 2
s, truth = silica_spectrum_image((48, 48), dose=2e4, resolution=0.5, drift=0.5)
s.inav[10, 20].plot()

# %%
# The prediction
# --------------
# The energy resolution of the measurement has to be told: the full width at half maximum of the
# zero loss, in eV. All else is found for each spectrum: background, onset, alignment.
p = s.predict_properties(resolution=0.5)
p

# %%
# Predicted and true maps, on the same colour scales. The grains show sites that the model was
# trained on: this picture tells what drift, background and noise do to a prediction, not how good
# the model is on new materials. For that, see the errors on held-out phases in its card.
figure = plot_comparison(p, truth)

# %%
# One map is a HyperSpy signal with units and calibrated axes.
bond_angle = p.get_property_map("bond_angle")
bond_angle

# %%
# How far to trust it
# -------------------
# The interval holds the true value of nine in ten sites of phases the model has not seen. Here it
# is wide, because the errors on such phases are large.
lower, upper = p.get_interval_map("bond_angle", level=0.9)
print(f"± {float((upper - lower).data.mean()) / 2:.0f}° around each bond angle")

# %%
# Spectra that cannot be read are NaN in all maps, with the reason in the quality map; the onset
# map shows the drift of the energy axis.
spoilt = s.inav[:12, :12].deepcopy()
spoilt.data[3:6, 4:9] = 0
partly = spoilt.predict_properties(resolution=0.5, show_progressbar=False)
figure_partly = partly.plot_maps(["bond_length", "bond_angle", "mulliken_charge"])
print("quality codes:", sorted(set(partly.quality.data.ravel().tolist())))

# %%
# Larger than memory
# ------------------
# Lazily nothing is read until the result is computed or saved, and then each spectrum is read once.
lazy = s.as_lazy().predict_properties(resolution=0.5)
lazy

# %%
# Results are saved and loaded as any HyperSpy signal, with names, units, intervals and quality.
# ``python examples/plot_predict_maps.py FOLDER`` (or ``make demo``) keeps picture and signal.
if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "silica_maps.png", dpi=100)
    p.save(folder / "silica_maps.hspy", overwrite=True)
    print(hs.load(folder / "silica_maps.hspy"), "in", folder)

plt.show()
