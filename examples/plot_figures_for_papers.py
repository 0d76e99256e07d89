"""
Figures and tables for a paper
==============================

Maps with scale bars in the width of a column, their intervals, and a table with a row for each
pixel.
"""

# %%
# A spectrum image of simulated silica. Part of it was not measured.
import matplotlib.pyplot as plt

from hyperspy_coreloss.data import silica_spectrum_image

# sphinx_gallery_thumbnail_number = 1
s, truth = silica_spectrum_image((48, 36), dose=2e4, resolution=0.5)
s.data[24:28, 8:20] = 0
p = s.predict_properties(resolution=0.5)

# %%
# In the width of a column
# ------------------------
# A width in millimetres gives a figure as it is printed: its letters have 7 points. A scale bar
# stands in place of axes. Grey pixels have no prediction, and the note says why.
p.plot_maps(
    ["bond_length", "bond_angle", "mulliken_charge", "excitation_energy"], scalebar=[0], width=85
)

# %%
# How sure each value is
# ----------------------
# With ``intervals``, maps of the half widths of the prediction intervals lie below those of the
# values. The limits of the colours can be set by property, as numbers or percentiles.
p.plot_maps(
    ["bond_length", "mulliken_charge"],
    intervals=0.9,
    vmin={"bond_length": "2th"},
    vmax={"bond_length": "98th"},
    axes_decor="ticks",
)

# %%
# Of a line scan, the intervals are bands.
p.inav[:, 20].plot_maps(["bond_length", "mulliken_charge"], intervals=0.9)

# %%
# For slides
# ----------
# Any style of Matplotlib can be given.
p.plot_maps(["bond_length", "mulliken_charge"], scalebar=True, style="dark_background")

# %%
# Files
# -----
# In vector graphics, a map is an image of its pixels. Letters stay letters with these settings of
# Matplotlib::
#
#     with plt.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
#         figure.savefig("maps.pdf")
#
# Tables
# ------
# A data frame has a row for each pixel, with the units in the heads of the columns. It can be
# grouped, and saved for a spreadsheet: ``frame.to_csv("pixels.csv")``.
frame = p.to_dataframe()
columns = ["bond length (Å)", "half width of bond length (Å)"]
frame.groupby("population", observed=True)[columns].agg(["mean", "count"]).round(3)

# %%
# ``p.to_xarray()`` has the same as maps with units, for netCDF files.
p.to_xarray()["bond_length"].attrs

# %%
plt.show()
