"""
Training on your own data
=========================

One call trains a model on a data set. To keep this page quick, the data set is a small subset of
the shipped one and the networks are few and small, so the errors are large.
"""

# %%
# A quarter of the phases takes the place of your own data. The same data and settings give a
# bit-identical model.

import matplotlib.pyplot as plt
import numpy as np

import hyperspy_coreloss as hc
from hyperspy_coreloss.dataset import complete_sites, demonstration_phases

sites = hc.data.oxygen_k_sites()
sites = sites.take(complete_sites(sites))
phases = np.array(sites.phases)
others = np.setdiff1d(phases, demonstration_phases(sites))  # those are shown on this page
mine = sites.take(np.flatnonzero(np.isin(phases, others[::4])))
settings = hc.TrainingSettings(hidden=(64, 64), dropout=0.2, epochs=150, patience=50)
options = {"n_networks": 4, "show_progressbar": False}
options |= {"intended_use": "An example.", "limits": "Of no other use."}
model = hc.train(mine, settings, name="mine", **options)
print(mine, "->", model.n_networks, "networks")

# %%
# Each network is trained without one fold of the phases, and stops when its error on them no longer
# decreases. Errors are in standard deviations of the properties. Those on training spectra include
# dropout and noise, so they are larger than in predictions.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(model.history[:, :, 0].T, color="0.6", lw=1)
axes.plot(model.history[:, :, 1].T, color="tab:orange", lw=1)
axes.plot([], [], color="0.6", label="training spectra")
axes.plot([], [], color="tab:orange", label="phases left out")
axes.set(xlabel="epoch", ylabel="mean absolute error (standard deviations)", ylim=(0, None))
axes.legend(frameon=False)

# %%
# Predictions of each network for the phases left out of its training, against the true values. The
# differences are kept in the model, because its prediction intervals follow from them.

figure, panels = plt.subplots(2, 3, figsize=(9, 6), layout="constrained")
for panel, spec, true, error in zip(
    panels.flat, model.properties, mine.targets.T, model.scores.T, strict=True
):
    limits = (true.min(), true.max())
    panel.plot(limits, limits, color="0.7", lw=1)
    panel.plot(true, true + error, ".", color="tab:blue", ms=4)
    panel.set(title=spec.label, xlabel="computed", ylabel="predicted", xlim=limits, ylim=limits)

# %%
# With few spectra, training can start from networks trained on others (fine-tuning). Here the base
# model is trained on all other phases; a second call with ``start`` and a low learning rate
# continues with your spectra. The errors on the phases left out show that this helps for most
# properties here.

rest = sites.take(np.flatnonzero(np.isin(phases, np.setdiff1d(others, others[::4]))))
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
# ``predict_properties`` takes the model itself or its file. No phase of this spectrum image is in a
# training set.

s, truth = hc.data.silica_spectrum_image((24, 16))
p = s.predict_properties(tuned, resolution=0.5, show_progressbar=False)
p.plot_maps()
