"""Components for HyperSpy models: computed fine structure, and the step of an edge.

All give intensities per eV, as HyperSpy's own do: a model multiplies by the channel width where the
energy axis is binned. Their ``intensity`` is in counts.
"""

from hyperspy_coreloss.components.edge_step import EdgeStep
from hyperspy_coreloss.components.property_elnes import PropertyELNES
from hyperspy_coreloss.components.template import ELNESTemplate

__all__ = ("ELNESTemplate", "EdgeStep", "PropertyELNES")
