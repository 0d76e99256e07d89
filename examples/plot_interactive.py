"""
Choose ranges with the mouse
============================

Where the background is fitted, and where the threshold is searched for, can be dragged in the plot
of the spectra, which shows at once what becomes of the pixel at the pointer.
"""

# %%
# A map of simulated grains of silica, one pixel of which is dead.
from hyperspy_coreloss.data import silica_spectrum_image

# sphinx_gallery_thumbnail_number = 2
s, truth = silica_spectrum_image((48, 36))
s.data[20, 30] = 0
given = {"resolution": 0.5, "show_progressbar": False}

# %%
# The lower range is that of the background fit, the upper one that of the search for the threshold.
# Both are automatic: they are drawn where the prediction takes them in this pixel. The dashed line
# is the background that is subtracted. ``display=False`` leaves out the form with all options,
# which notebooks show below the cell.
s.axes_manager.indices = (38, 22)
chosen = s.predict_properties(interactive=True, display=False, **given)

# %%
# Here commands do what the mouse would.
chosen = s.predict_properties(interactive=True, display=False, **given)
chosen.background_range = (490.0, 515.0)
chosen.onset_range = (530.0, 546.0)

# %%
# A pixel that cannot be predicted says why.
s.axes_manager.indices = (30, 20)
chosen = s.predict_properties(interactive=True, display=False, **given)

# %%
# So do options that cannot be used. Nothing is raised while they are chosen.
chosen.background_range = (490.0, 490.2)
chosen.problem

# %%
# The prediction is the ordinary one, with the options that were chosen.
chosen.background_range = (490.0, 515.0)
p = chosen.predict()
p.summary()
