"""
Training on your own data
=========================

A model is trained from a data set in one call. Here the data set is a part of the shipped one, and
the networks are small and few, so that this page is quick; its errors are nothing to show off.
"""

# %%
# Twelve phases stand in for data of your own. The settings are frozen: the same data and settings
# give the same model to the bit.

import matplotlib.pyplot as plt
import numpy as np

import hyperspy_coreloss as hc

sites = hc.data.oxygen_k_sites()
phases = np.array(sites.phases)
mine = sites.take(np.flatnonzero(np.isin(phases, np.unique(phases)[::4])))
settings = hc.TrainingSettings(hidden=(64, 64), dropout=0.2, epochs=150, patience=50)
options = {"n_networks": 4, "show_progressbar": False}
options |= {"intended_use": "An example.", "limits": "Of no other use."}
model = hc.train(mine, settings, name="mine", **options)
print(mine, "->", model.n_networks, "networks")

# %%
# Each network leaves out a share of the phases and stops when its error on them no longer falls.
# Errors are in standard deviations of the properties; dropout and noise make those on the training
# spectra larger than they are in use.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(model.history[:, :, 0].T, color="0.6", lw=1)
axes.plot(model.history[:, :, 1].T, color="tab:orange", lw=1)
axes.plot([], [], color="0.6", label="training spectra")
axes.plot([], [], color="tab:orange", label="phases left out")
axes.set(xlabel="epoch", ylabel="mean absolute error (standard deviations)", ylim=(0, None))
axes.legend(frameon=False)

# %%
# What each network says of the phases it never saw, against the truth: the residuals of the model,
# which its prediction intervals are made of.

figure, panels = plt.subplots(2, 3, figsize=(9, 6), layout="constrained")
for panel, spec, true, residual in zip(
    panels.flat, model.properties, mine.targets.T, model.residuals.T, strict=True
):
    limits = (true.min(), true.max())
    panel.plot(limits, limits, color="0.7", lw=1)
    panel.plot(true, true + residual, ".", color="tab:blue", ms=4)
    panel.set(title=spec.label, xlabel="computed", ylabel="predicted", xlim=limits, ylim=limits)

# %%
# Few spectra may go further from networks that know others. Here these are trained on all phases
# but yours; then a call with ``start`` and a low learning rate goes on with your spectra. Whether
# it helps is seen on the phases left out: here for some properties only.

rest = sites.take(np.flatnonzero(~np.isin(phases, np.unique(phases)[::4])))
base = hc.train(rest, settings, name="base", **options)
tuned = hc.train(
    mine,
    hc.TrainingSettings(learning_rate=1e-4, epochs=50),
    start=base,
    name="tuned",
    **options,
)
errors = [one.record.metrics["left_out_phases"] for one in (model, tuned)]
print("errors on phases left out        mean    new   tuned")
for name in model.property_names:
    row = (errors[0][name]["baselines"]["mean"], errors[0][name]["mae"], errors[1][name]["mae"])
    print(f"{name:28s}", *(f"{value:7.3g}" for value in row))

# %%
# A model is used by its file or as it is.

s, truth = hc.data.silica_spectrum_image((24, 16))
p = s.predict_properties(tuned, resolution=0.5, show_progressbar=False)
p.plot_maps()
