"""
Maps of six properties
======================

Maps of six properties are predicted from a spectrum image, and compared with the true maps.

Every EELS signal of HyperSpy has the method ``predict_properties``. The spectrum image of this page
is simulated: grains of silica, each with the computed oxygen K edge of one site, on a power-law
background, with drift of the energy axis and counting noise. The model was not trained on the
phases of these grains.
"""

# %%
# The spectra
# -----------
# The simulation returns the spectra and the true properties. The figure shows one pixel; its edge
# has 20 000 counts in the highest channel.
import sys
from pathlib import Path

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np

import hyperspy_coreloss as hc
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.signals import plot_comparison

# sphinx_gallery_thumbnail_number = 2
s, truth = silica_spectrum_image((48, 48), dose=2e4, resolution=0.5, drift=0.5)
s.inav[10, 20].plot()

# %%
# The prediction
# --------------
# The prediction needs the energy resolution of the measurement: the full width at half maximum of
# the zero loss, in eV. Background and onset are determined for each spectrum.
p = s.predict_properties(resolution=0.5)
p

# %%
# Predicted and true maps have the same colour scales. The phases of these grains were kept out of
# the training, so the figure shows what to expect for a new material. It has few grains: the errors
# on many left-out phases are in the model card. Spectra of a grey grain are unfamiliar: unlike all
# that the model knows, so that it has no numbers for them.
figure = plot_comparison(p, truth)
figure.suptitle("Simulated silica, phases that the model was not trained on")
withheld = hc.load_pretrained(p.metadata.CoreLossProperty.Pretrained.name).record.withheld_phases
print("not trained on:", ", ".join(withheld))

# %%
# Each map is a HyperSpy signal with units and calibrated axes.
bond_angle = p.get_property_map("bond_angle")
bond_angle

# %%
# Prediction intervals
# --------------------
# For nine in ten sites of phases that were not trained on, the interval contains the true value. It
# is wide here, because the errors on such phases are large.
lower, upper = p.get_interval_map("bond_angle", level=0.9)
print(f"± {np.nanmean((upper - lower).data) / 2:.0f}° around each bond angle")

# %%
# Spectra that cannot be read are NaN in all maps; the quality map gives the reason. The map
# ``onset`` gives the threshold of each spectrum, which follows the drift of the energy axis.
spoilt = s.inav[24:36, :12].deepcopy()
spoilt.data[3:6, 4:9] = 0
partly = spoilt.predict_properties(resolution=0.5, show_progressbar=False)
figure_partly = partly.plot_maps(["bond_length", "bond_angle", "mulliken_charge"])
print("quality codes:", sorted(set(partly.quality.data.ravel().tolist())))

# %%
# Larger than memory
# ------------------
# The prediction for a lazy signal is lazy: spectra are read when the result is computed or saved,
# and each of them once.
lazy = s.as_lazy().predict_properties(resolution=0.5)
lazy

# %%
# Results are saved and loaded like any HyperSpy signal, with names, units, intervals and quality.
# ``python examples/plot_predict_maps.py FOLDER`` (or ``make demo``) saves the figure and the
# signal.
if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "silica_maps.png", dpi=100)
    p.save(folder / "silica_maps.hspy", overwrite=True)
    print(hs.load(folder / "silica_maps.hspy"), "in", folder)

plt.show()
