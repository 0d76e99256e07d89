"""
A page for those without HyperSpy
=================================

The maps of a result are written as one HTML page, which any browser shows without a network.
"""

# %%
# A result
# --------
# A simulated spectrum image of silica, with a hole in the specimen.
from pathlib import Path
from tempfile import mkdtemp

from hyperspy_coreloss.data import silica_spectrum_image

# sphinx_gallery_thumbnail_number = 1
s, truth = silica_spectrum_image((48, 32))
s.data[12:16, 20:26] = 0
p = s.predict_properties(resolution=0.5, show_progressbar=False)
p.plot_maps(["bond_length", "bond_angle", "mulliken_charge"])

# %%
# The page
# --------
# It holds these maps, which can be zoomed, with the values and intervals of the pixel under the
# pointer, and what a reader must know: why pixels are grey, what the model can and cannot do, how
# all this was measured, and how to cite it. `Such a page <../report_example.html>`_ is part of this
# documentation.
folder = Path(mkdtemp())
p.save_report(folder / "maps.html")
print(f"{(folder / 'maps.html').stat().st_size / 1e6:.1f} MB")


# %%
# A line of pixels has curves, with bands of the intervals, and one pixel a table.
p.inav[:, 20].save_report(folder / "line.html")
p.inav[10, 20].save_report(folder / "pixel.html")
sorted(path.name for path in folder.iterdir())
