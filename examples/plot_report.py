"""
A page to send around
=====================

``p.save_report("maps.html")`` writes one file that any browser shows, without a network and without
Python.
"""

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from hyperspy_coreloss.data import silica_spectrum_image

s, truth = silica_spectrum_image((48, 36))
p = s.predict_properties(resolution=0.5, show_progressbar=False)

# %%
# The maps of the page are these, and below them it has the distributions, the reasons for pixels
# without a prediction, what is recorded of the measurement, the model and its limits, the
# definitions, and what to cite.
with TemporaryDirectory() as folder:
    path = Path(folder) / "maps.html"
    p.save_report(path)
    page = path.read_text(encoding="utf-8")
    print(f"{len(page) / 1e6:.1f} MB")


class Page:
    """The page, shown in a frame of this one."""

    def _repr_html_(self) -> str:
        quoted = page.replace("&", "&amp;").replace('"', "&quot;")
        return f'<iframe srcdoc="{quoted}" title="Report" width="100%" height="900"></iframe>'


Page()
