"""Reading core-level calculations of CASTEP and OptaDOS as computed sites.

``sites`` pairs and names the calculations. It uses one module for spectra, one for labels, and one
for each file format.
"""

from hyperspy_coreloss.simulation.castep.sites import read_castep_sites

__all__ = ("read_castep_sites",)
