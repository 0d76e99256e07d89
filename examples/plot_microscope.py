"""
What a microscope makes of a spectrum
=====================================

A computed edge is measured as by different instruments and specimens.

A :class:`~hyperspy_coreloss.spectra.Microscope` describes the effects of a measurement: plural
scattering, resolution, errors of the energy axis, background, counting and detector. Each effect is
a number, or a distribution from which each spectrum gets its own value. The same description
simulates spectrum images, trains models and measures how robust they are.
"""

# %%
# One effect at a time
# --------------------
# The same site of silica, through specimens of growing thickness: electrons that excite the edge
# and lose energy to the valence electrons as well arrive one or two plasmon energies later. The
# curves have the same height at the main peak.
import hyperspy.api as hs

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.spectra import Microscope, named_microscope

one_site = {"navigation_shape": (), "n_grains": 1, "drift": 0.0, "seed": 3}


def measured(microscope):
    """Return the spectrum of the site."""
    return silica_spectrum_image(microscope=microscope, **one_site)[0]


thicknesses = (0.0, 0.5, 1.0)
spectra = [measured(Microscope(resolution=0.5, relative_thickness=t)) for t in thicknesses]
hs.plot.plot_spectra(
    [spectrum.isig[525.0:] for spectrum in spectra],
    legend=[f"t/λ = {t}" for t in thicknesses],
)

# %%
# Counting
# --------
# The dose is the number of electrons in the highest 0.1 eV of the edge.
doses = (100, 1000, 10000)
noisy = [measured(Microscope(resolution=0.5, counts=dose, jump_ratio=1.0)) for dose in doses]
hs.plot.plot_spectra(
    [spectrum.isig[500.0:580.0] / float(spectrum.data.max()) for spectrum in noisy],
    style="cascade",
    legend=[f"{dose} counts" for dose in doses],
)

# %%
# Microscopes to draw from
# ------------------------
# The ``"typical"`` microscope is what most users have: up to one mean free path of thickness, 300
# to 10⁵ counts, a dispersion that is right to 1 %, and pixels that are means over several sites.
# The ``"harsh"`` one is a thick specimen, few counts and an instrument that nobody has calibrated.
# Each pixel is different.
for name in ("typical", "harsh"):
    microscope = named_microscope(name)
    image, _ = silica_spectrum_image((4,), microscope=microscope, n_grains=1, seed=3)
    pixels = [image.inav[x].isig[500.0:] / float(image.inav[x].data.max()) for x in range(4)]
    panel = hs.plot.plot_spectra(pixels, style="cascade")
    panel.set_title(f"Four pixels of one grain, {name} microscope")

# %%
# All effects of a microscope that differ from those of a perfect measurement:
named_microscope("typical").to_dict()
