"""HyperSpy signals of predicted properties, in memory and lazy, and figures of them.

The results are kept in the metadata, because a signal loses its other attributes when it is sliced
or saved. All metadata paths are in :mod:`hyperspy_coreloss.signals.metadata`.
"""

from hyperspy_coreloss.signals.exploration import Exploration
from hyperspy_coreloss.signals.interactive_prediction import InteractivePrediction
from hyperspy_coreloss.signals.lazy import (
    LazyCoreLossPropertyMap,
    LazyCoreLossPropertySignal,
)
from hyperspy_coreloss.signals.nearest_sites import NearestSites
from hyperspy_coreloss.signals.plotting import plot_comparison, plot_maps
from hyperspy_coreloss.signals.property_signal import (
    CoreLossPropertyMap,
    CoreLossPropertySignal,
    PropertySignal,
)
from hyperspy_coreloss.signals.summary import PropertySummary

__all__ = (
    "CoreLossPropertyMap",
    "CoreLossPropertySignal",
    "Exploration",
    "InteractivePrediction",
    "LazyCoreLossPropertyMap",
    "LazyCoreLossPropertySignal",
    "NearestSites",
    "PropertySignal",
    "PropertySummary",
    "plot_comparison",
    "plot_maps",
)
