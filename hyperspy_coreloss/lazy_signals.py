"""Lazy forms of the signals of predicted properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
from hyperspy.signals import LazySignal, LazySignal1D, LazySignal2D

from hyperspy_coreloss.metadata import COMPANIONS, NODE, PROPERTY_AXIS
from hyperspy_coreloss.signals import (
    CoreLossPropertyMap,
    CoreLossPropertySignal,
    PropertySignal,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy_coreloss.inference import Prediction


class LazyPropertySignal(LazySignal, PropertySignal):
    """What the lazy signals of predicted properties have in common."""

    data: da.Array

    def compute(
        self, close_file: bool = False, show_progressbar: bool | None = None, **kwargs: Any
    ) -> None:
        """Compute values and quality maps together, reading the spectra once.

        Parameters are those of :meth:`hyperspy.api.signals.LazySignal.compute`.
        """
        axis = self._property_axis().index_in_array
        shape, dtype = self.data.shape, self.data.dtype
        found = (self.metadata.get_item(f"{NODE}.{name}") for name in COMPANIONS)
        companions = [signal for signal in found if signal is not None and signal._lazy]
        # Companions repeat along the property axis: one layer is enough.
        layer = (slice(None),) * axis + (slice(0, 1),)
        layers = [signal.data[layer].astype(dtype) for signal in companions]
        self.data = da.concatenate([self.data, *layers], axis=axis)
        super().compute(close_file, show_progressbar, **kwargs)
        bounds = shape[axis] + np.arange(len(layers))
        self.data, *layers = np.split(self.data, bounds, axis=axis)
        for signal, computed in zip(companions, layers, strict=True):
            signal.data = np.broadcast_to(computed.astype(signal.data.dtype), shape)
            signal._lazy = False
            signal._assign_subclass()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Compute values and quality maps together, reading the spectra once, and save them.

        Written lazily, values and maps would each read all spectra; in memory they take far less
        room than the spectra. This signal stays lazy. Parameters are those of
        :meth:`hyperspy.api.signals.BaseSignal.save`.
        """
        computed = self.deepcopy()
        computed.compute()
        computed.save(*args, **kwargs)


class LazyCoreLossPropertySignal(LazyPropertySignal, CoreLossPropertySignal, LazySignal1D):
    """Lazy form of :class:`~hyperspy_coreloss.signals.CoreLossPropertySignal`."""


class LazyCoreLossPropertyMap(LazyPropertySignal, CoreLossPropertyMap, LazySignal2D):
    """Lazy form of :class:`~hyperspy_coreloss.signals.CoreLossPropertyMap`."""


def lazy_prediction(
    prediction: Prediction, navigation_axes: Sequence[Any], metadata: dict[str, Any]
) -> LazyCoreLossPropertySignal:
    """Turn the dask arrays of a prediction into a lazy signal.

    Parameters
    ----------
    prediction
        Of dask arrays; values of shape (navigation..., properties).
    navigation_axes
        Navigation axes of the spectra, in the order of the array.
    metadata
        From :func:`~hyperspy_coreloss.metadata.describe_prediction`.
    """
    shape = prediction.values.shape
    axes = [axis.get_axis_dictionary() for axis in navigation_axes]
    axes.append({"name": PROPERTY_AXIS, "size": shape[-1], "navigate": False})
    result = LazyCoreLossPropertySignal(prediction.values, axes=axes, metadata=metadata)
    for name in COMPANIONS:
        repeated = da.broadcast_to(getattr(prediction, name)[..., None], shape)
        result.metadata.set_item(f"{NODE}.{name}", LazySignal1D(repeated, axes=axes))
    return result
