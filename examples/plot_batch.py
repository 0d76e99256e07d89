"""
Many files at once
==================

Three files are predicted in one call. One of them is not a file of spectra, and does not stop the
others.
"""

# %%
# Three files
# -----------
# A spectrum image, a line scan and a text, in a folder.
from pathlib import Path
from tempfile import mkdtemp

import hyperspy.api as hs

import hyperspy_coreloss as hc
from hyperspy_coreloss.data import silica_spectrum_image

# sphinx_gallery_thumbnail_number = 1
folder = Path(mkdtemp())
silica_spectrum_image((24, 16), seed=1)[0].save(folder / "grains.hspy")
silica_spectrum_image((40,), seed=2)[0].save(folder / "line.hspy")
(folder / "notes.hspy").write_text("Thin here, thick there.")

# %%
# One call
# --------
# On the command line: ``hyperspy-coreloss predict *.hspy --output maps --resolution 0.5``.
files = sorted(folder.glob("*.hspy"))
report = hc.predict_files(files, folder / "maps", resolution=0.5, show_progressbar=False)
for one in report.files:
    print(f"{one.file.name}: {one.line}")

# %%
# Called again, it skips what has results.
again = hc.predict_files(files, folder / "maps", resolution=0.5, show_progressbar=False)
for one in again.files:
    print(f"{one.file.name}: {one.line}")

# %%
# The results are HyperSpy signals with all their maps.
p = hs.load(report.files[0].outputs[0])
p.plot_maps(["bond_length", "mulliken_charge"])
