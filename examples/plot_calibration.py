"""
Calibration on a known material
===============================

Bond lengths follow from the distances between the structures of a spectrum, so they need a
correct dispersion. ``calibrate`` fits the computed spectrum of a material that you know, here
quartz, to its measured spectrum: energy offset, dispersion, resolution and thickness.

The spectra are simulated. The dispersion is 0.103 eV per channel, but their axes say 0.1 eV.
"""

# %%
# The reference
# -------------
# A spectrum of quartz with 0.5 eV resolution, a background and counting noise.
import matplotlib.pyplot as plt
import numpy as np
from exspy.signals import EELSSpectrum
from scipy.ndimage import gaussian_filter1d

import hyperspy_coreloss as hc
from hyperspy_coreloss.data import oxygen_k_sites, silica_spectrum_image
from hyperspy_coreloss.dataset import mean_spectrum

# sphinx_gallery_thumbnail_number = 1
computed, spectrum, _ = mean_spectrum(oxygen_k_sites(), "alpha-quartz", (-30.0, 110.0))
edge = gaussian_filter1d(spectrum, 0.5 / 2.355 / (computed[1] - computed[0]))
true_energy = 480.0 + 0.103 * np.arange(1500)
counts = np.interp(true_energy - 537.0, computed, edge / edge.max(), left=0.0, right=0.0)
counts = np.random.default_rng(0).poisson(2e4 * (counts + (true_energy / 537.0) ** -3.0))
axis = {"name": "Energy loss", "offset": 484.0, "scale": 0.1, "units": "eV"}
reference = EELSSpectrum(counts, axes=[axis | {"size": counts.size}]).isig[:630.0]

# %%
# The calibration has its values with their standard uncertainties. Its figure shows the spectra,
# and how well they agree in four ranges of energy: here as well as the noise allows.
calibration = hc.calibrate(reference, "alpha-quartz")
print(calibration)
print(*calibration.agreement, sep="\n")
figure = calibration.plot()

# %%
# What it is not is refused.
try:
    hc.calibrate(reference, "stishovite")
except hc.errors.CalibrationError as error:
    print(error)

# %%
# The map
# -------
# A spectrum image on the same axis, and its bond lengths without and with the calibration. The
# model reads up to 40 eV, where the axis is wrong by 1.2 eV.
s, truth = silica_spectrum_image(
    (24, 16), n_grains=40, n_channels=1200, dispersion=0.103, drift=0.0, seed=1
)
energy_axis = s.axes_manager.signal_axes[0]
energy_axis.offset, energy_axis.scale = 484.0, 0.1
true = truth.get_property_map("bond_length").data
figure, panels = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained", sharey=True)
for panel, used, title in zip(panels, (None, calibration), ("as it is", "calibrated"), strict=True):
    p = s.predict_properties(
        "silica-o-k-40eV", calibration=used, resolution=0.5, show_progressbar=False
    )
    predicted = p.get_property_map("bond_length").data
    error = np.nanmedian(predicted - true)
    panel.plot(true.ravel(), predicted.ravel(), ".", color="tab:blue", ms=3)
    panel.axline((true.min(), true.min()), slope=1, color="tab:orange", lw=1)
    panel.set(title=f"{title}: median error {error:+.4f} Å", xlabel="true bond length (Å)")
_ = panels[0].set_ylabel("predicted bond length (Å)")
