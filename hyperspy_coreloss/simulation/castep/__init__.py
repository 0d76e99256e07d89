"""Core-level runs of CASTEP and OptaDOS, read into computed sites.

``sites`` is the top (pairing, naming); below it one module for a spectrum, for labels, and for each
file format.
"""

from hyperspy_coreloss.simulation.castep.sites import read_castep_sites

__all__ = ("read_castep_sites",)
