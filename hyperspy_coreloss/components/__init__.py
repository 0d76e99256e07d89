"""Components for HyperSpy models: computed fine structure, and the continuum step of an edge.

All components return intensities per eV, like those of HyperSpy: where the energy axis is binned, a
model multiplies them by the channel width. The parameter ``intensity`` of the fine structure is in
counts, that of :class:`EdgeStep` in counts per eV.
"""

from hyperspy_coreloss.components.edge_step import EdgeStep
from hyperspy_coreloss.components.property_elnes import PropertyELNES
from hyperspy_coreloss.components.template import ELNESTemplate

__all__ = ("ELNESTemplate", "EdgeStep", "PropertyELNES")
