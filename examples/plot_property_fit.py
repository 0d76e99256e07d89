"""
Properties as parameters of a fit
=================================

``PropertyELNES`` is a component for HyperSpy models. Its parameters are properties of the absorbing
atom and its surroundings, such as a bond angle and a charge; it returns the spectrum of such a
site.
"""

# %%
# The effect of each property
# ---------------------------
# In each panel one property varies from the 10 % to the 90 % quantile of the training sites, and
# the other properties are fixed at their means. Far from the training sites the emulator returns
# their mean spectrum.
import matplotlib.pyplot as plt
import numpy as np
from hyperspy.components1d import PowerLaw

from hyperspy_coreloss.components import PropertyELNES
from hyperspy_coreloss.data import oxygen_k_sites, silica_spectrum_image
from hyperspy_coreloss.dataset import complete_sites, default_recipe, site_thresholds

# sphinx_gallery_thumbnail_number = 1
energy = np.arange(-3.0, 40.0, 0.1)
oxygen = PropertyELNES(broadening=0.2)
sites = oxygen_k_sites()
sites = sites.take(complete_sites(sites))
figure, panels = plt.subplots(2, 3, figsize=(11, 6), layout="constrained", sharey=True)
for panel, spec, labels in zip(
    panels.flat, oxygen.emulator.properties, sites.targets.T, strict=False
):
    parameter = getattr(oxygen, spec.name)
    start = parameter.value
    for quantile in np.linspace(0.1, 0.9, 7):
        parameter.value = np.quantile(labels, quantile)
        panel.plot(energy, oxygen.function(energy), color=plt.cm.viridis(quantile))
    parameter.value = start
    low, high = np.quantile(labels, [0.1, 0.9])
    panel.set(title=f"{spec.label}\n{low:.3g} to {high:.3g}", xlabel="eV from the onset")
panels[1, 2].fill_between(energy, oxygen.discrepancy(energy), color="0.7")
_ = panels[1, 2].set(
    title="difference of new phases\n(root mean square)", xlabel="eV from the onset"
)

# %%
# A fit
# -----
# The spectrum image is simulated: grains of silica on a power-law background, with drift of the
# energy axis and noise. Neither the emulator nor the networks were trained on the phases of these
# grains. The onset, the charge and the intensities are fitted. A prediction gives their initial
# values, and the values of the properties that are fixed.
s, truth = silica_spectrum_image((16, 12), drift=0.3, resolution=0.5, dose=2e4, seed=2)
p = s.predict_properties(resolution=0.5, show_progressbar=False)

m = s.create_model(auto_background=False, auto_add_edges=False)
background, oxygen = PowerLaw(), PropertyELNES(intensity=1.5e5, broadening=0.08)
m.extend([background, oxygen])
background.estimate_parameters(s, 490.0, 530.0)
background.r.value = 3.0
background.r.assign_current_value_to_all()
background.r.free = False
oxygen.start_from(p)
oxygen.onset.free = True
oxygen.onset.bmin, oxygen.onset.bmax = 535.0, 539.5
for name in ("bond_length", "bond_angle", "voronoi_volume", "bond_overlap_population"):
    getattr(oxygen, name).free = False
m.set_signal_range(500.0, 572.0)
m.multifit(optimizer="trf", bounded=True, grad="analytical", x_scale="jac", show_progressbar=False)
m.axes_manager.indices = (3, 3)
m.plot(plot_components=True)

# %%
# The fitted charge is compared with the true one and with the prediction of the networks, and the
# fitted onset with the true energy of the lowest empty state. The true onset map holds thresholds,
# so the distance of each site's threshold from its lowest empty state is subtracted.
fitted, error = oxygen.mulliken_charge.map["values"], oxygen.mulliken_charge.map["std"]
true = truth.get_property_map("mulliken_charge").data
predicted = p.get_property_map("mulliken_charge").data
figure, panels = plt.subplots(1, 4, figsize=(12, 3), layout="constrained")
limits = {"vmin": true.min(), "vmax": true.max()}
maps = {"fitted charge (e)": fitted, "true": true, "predicted by the networks": predicted}
for panel, (title, values) in zip(panels, maps.items(), strict=False):
    image = panel.imshow(values, **limits)
    panel.set(title=title, xticks=[], yticks=[])
figure.colorbar(image, ax=panels[2])
site = np.abs(truth.data[..., None, :] - sites.targets).sum(axis=-1).argmin(axis=-1)
lowest_empty = truth.onset.data - site_thresholds(sites, default_recipe(sites))[site]
panels[3].plot(lowest_empty.ravel(), oxygen.onset.map["values"].ravel(), ".", ms=4)
_ = panels[3].set(xlabel="true lowest empty state (eV)", ylabel="fitted onset (eV)")

# %%
# Standard errors and intervals
# -----------------------------
# The standard error of a fit includes noise only. The interval also includes that sites of equal
# charge have different spectra: in tests on phases left out of the training it contains nine in
# ten true charges.
width = oxygen.half_width(0.9)["mulliken_charge"]
missed = np.abs(fitted - true)
print(f"standard error ± {np.nanmedian(error):.3f} e, interval ± {width:.3f} e")
print(f"true value within the standard error in {np.mean(missed <= error):.0%} of the pixels,")
print(f"within the interval in {np.mean(missed <= width):.0%}")
print(f"mean absolute error of the fit {missed.mean():.3f} e, of the networks")
print(f"{np.abs(predicted - true).mean():.3f} e")
