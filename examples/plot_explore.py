"""
Look at single pixels
=====================

A map is believed when single pixels of it have been looked at. ``p.explore(s)`` shows what is known
of one: its spectrum, the computed sites that it is like, and its values with their intervals.
"""

# %%
# A map of simulated grains of silica, one pixel of which is dead.
from hyperspy_coreloss.data import silica_spectrum_image

# sphinx_gallery_thumbnail_number = 1
s, truth = silica_spectrum_image((48, 36))
s.data[20, 30] = 0
p = s.predict_properties(resolution=0.5, show_progressbar=False)

# %%
# The figure is interactive: select a pixel in the map, or move with ``Ctrl`` and an arrow. Here the
# pixel is selected by a command.
p.axes_manager.indices = (38, 22)
exploration = p.explore(s)

# %%
# The measured spectrum is shown with the background that was subtracted and the threshold. Below,
# it is shown as the model reads it, over the spectra of the nearest computed sites, whose oxygen is
# drawn beside. The six values stand with their intervals before those of all sites of the training:
# a wide interval says that the spectrum hardly tells this property.

# %%
# A click on a value, or the keys ``.`` and ``,``, show the map of another property. The key ``b``
# hides what should not be believed.
exploration = p.explore(s, name="bond_angle")
exploration.show_believable()

# %%
# A pixel without a prediction says why.
p.axes_manager.indices = (30, 20)
exploration = p.explore(s)

# %%
# Line scans are curves, and of a lazy result only what is looked at is computed.
scan = s.inav[:, 22].as_lazy()
result = scan.predict_properties(resolution=0.5)
result.axes_manager.indices = (38,)
exploration = result.explore(scan, name="mulliken_charge")
