"""HyperSpy's classes for results: what a map of properties can do, eagerly and lazily.

One module owns every metadata path, because a signal keeps nothing else when it is sliced or saved.
"""

from hyperspy_coreloss.signals.lazy import (
    LazyCoreLossPropertyMap,
    LazyCoreLossPropertySignal,
)
from hyperspy_coreloss.signals.plotting import plot_comparison, plot_maps
from hyperspy_coreloss.signals.property_signal import (
    CoreLossPropertyMap,
    CoreLossPropertySignal,
    PropertySignal,
)

__all__ = (
    "CoreLossPropertyMap",
    "CoreLossPropertySignal",
    "LazyCoreLossPropertyMap",
    "LazyCoreLossPropertySignal",
    "PropertySignal",
    "plot_comparison",
    "plot_maps",
)
