"""Signals of predicted properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from hyperspy.signals import BaseSignal, Signal1D, Signal2D

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.properties import property_index
from hyperspy_coreloss.signals.metadata import (
    MAPS,
    PROPERTY_AXIS,
    SIGNAL_TYPE,
    describe_map,
    get_map,
    map_path,
    property_items,
    residuals_of,
    set_map,
    set_title,
    title_of,
)
from hyperspy_coreloss.signals.plotting import plot_maps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from hyperspy_coreloss.pretrained.results import ResultField


class PropertySignal(BaseSignal):
    """Base class of the signals of predicted properties, for any number of signal axes."""

    _signal_type = SIGNAL_TYPE
    # HyperSpy slices these together with the signal, as it does with the noise variance.
    _additional_slicing_targets = [  # noqa: RUF012
        *BaseSignal._additional_slicing_targets,
        *(f"metadata.{map_path(name)}" for name in MAPS),
    ]

    if TYPE_CHECKING:
        # The properties of MAP_FIELDS are added below.
        def __getattr__(self, name: str) -> Any: ...

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties along the property axis."""
        return self._along_properties("names")

    @property
    def property_units(self) -> tuple[str, ...]:
        """Units of the properties along the property axis."""
        return self._along_properties("units")

    def get_property_map(self, name: str) -> BaseSignal:
        """Return the map of one property, for example a `Signal2D` for a spectrum image.

        Parameters
        ----------
        name
            One of :attr:`property_names`.

        Returns
        -------
        BaseSignal
            Map with the navigation axes of this signal as signal axes; lazy if this signal is.

        Raises
        ------
        UnknownPropertyError
            If this signal has no property of that name.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> s.predict_properties(resolution=0.5).get_property_map("bond_length")
        <Signal2D, title: bond length, dimensions: (|8, 6)>
        """
        position = property_index(name, self.property_names)
        return self._map(self.data, position, self._along_properties("labels")[position])

    def get_interval_map(self, name: str, level: float = 0.9) -> tuple[BaseSignal, BaseSignal]:
        """Return the maps of the lower and the upper limit of the prediction interval.

        The width is obtained from the errors on held-out phases by split conformal prediction.
        For sites similar to those in the data set of the pretrained model, the interval contains
        the true value with a probability of at least `level`. The width is the same for all
        pixels. It does not include the effects of noise, thickness or other kinds of material.

        Parameters
        ----------
        name
            One of :attr:`property_names`.
        level
            Coverage: the probability that the interval contains the true value, between 0 and 1.

        Returns
        -------
        lower, upper : BaseSignal
            Maps of the two limits, with the axes of :meth:`get_property_map`.

        Raises
        ------
        UnknownPropertyError
            If this signal has no property of that name.
        ValueError
            If `level` is not between 0 and 1.
        """
        centre = self.get_property_map(name)
        column = property_index(name, property_items(self, "names"))
        half_width = np.float32(conformal_half_width(residuals_of(self), level)[column])
        lower, upper = centre - half_width, centre + half_width
        for end, bound in ((lower, "lower"), (upper, "upper")):
            set_title(end, f"{title_of(centre)}, {bound} {level:.0%}")
        return lower, upper

    def as_maps(self, names: Sequence[str] | None = None) -> dict[str, BaseSignal]:
        """Return the maps of several properties by name; the default is all properties."""
        return {name: self.get_property_map(name) for name in names or self.property_names}

    def plot_maps(self, names: Sequence[str] | None = None) -> Figure:
        """Plot the maps of several properties, each with its own colour bar.

        Pixels without a prediction are blank. A lazy signal is computed for the figure.

        Parameters
        ----------
        names
            Names from :attr:`property_names`; the default is all.
        """
        return plot_maps(list(self.as_maps(names).values()))

    def plot(self, *args: Any, **kwargs: Any) -> None:
        """Plot the map of one property, with a slider that selects the property.

        A result with two navigation axes is transposed for the plot; any other result is plotted
        without transposing. The method :meth:`plot_maps` plots all maps in one figure. The
        parameters are those of :meth:`hyperspy.api.signals.Signal2D.plot`.
        """
        axes = self.axes_manager
        if axes.navigation_dimension == 2 and axes.signal_axes[0].name == PROPERTY_AXIS:
            self.T.plot(*args, **kwargs)
        else:
            super().plot(*args, **kwargs)

    def transpose(
        self,
        signal_axes: Any = None,
        navigation_axes: Any = None,
        optimize: bool = False,
    ) -> BaseSignal:
        """Transpose the signal together with its quality maps.

        The parameters are those of :meth:`hyperspy.api.signals.BaseSignal.transpose`.
        """
        result = super().transpose(signal_axes, navigation_axes, optimize)
        for name in MAPS:
            companion = get_map(self, name)
            if companion is not None:
                turned = companion.transpose(signal_axes, navigation_axes, optimize)
                set_map(result, name, turned)
        return result

    def _property_axis(self) -> Any:
        axes = [axis for axis in self.axes_manager._axes if axis.name == PROPERTY_AXIS]
        if not axes:
            msg = (
                f"Maps need a signal with an axis named {PROPERTY_AXIS!r}, but this signal has "
                "none. Take the maps from the signal that predict_properties returned."
            )
            raise SignalError(msg)
        return axes[0]

    def _along_properties(self, item: Literal["names", "labels", "units"]) -> tuple[str, ...]:
        entries = property_items(self, item)
        # The axis values are indices of the model's properties, also after slicing.
        return tuple(entries[round(index)] for index in self._property_axis().axis)

    def _companion_map(self, name: str, label: str) -> BaseSignal:
        companion = get_map(self, name)
        if companion is None or companion.data.shape != self.data.shape:
            msg = (
                f"The {name} map has one entry per spectrum and is lost when spectra are combined. "
                "Take it from the signal that predict_properties returned."
            )
            raise SignalError(msg)
        return self._map(companion.data, 0, label)

    def _map(self, data: Any, position: int, label: str) -> BaseSignal:
        """Return one position along the property axis of an array as a separate signal.

        The array has the shape of this signal's data.
        """
        axis = self._property_axis().index_in_array
        layer = data[(slice(None),) * axis + (position,)]
        axes = [other for other in self.axes_manager._axes if other.name != PROPERTY_AXIS]
        described = [{**other.get_axis_dictionary(), "navigate": False} for other in axes]
        if not axes:  # a single spectrum
            layer, described = layer.reshape(1), [{"name": "spectrum", "size": 1}]
        result = BaseSignal(
            layer, axes=described, metadata=describe_map(label), attributes={"_lazy": self._lazy}
        )
        result.set_signal_type("")
        return result


def _map_property(field: ResultField) -> property:
    def get(self: PropertySignal) -> BaseSignal:
        return self._companion_map(field.name, field.label)

    return property(get, doc=f"Map of the {field.meaning}")


for _field in MAP_FIELDS:
    setattr(PropertySignal, _field.name, _map_property(_field))


class CoreLossPropertySignal(PropertySignal, Signal1D):
    """Properties predicted from core-loss spectra, with the properties along the signal axis.

    The function :func:`~hyperspy_coreloss.predict_properties` returns such a signal.
    ``metadata.CoreLossProperty`` contains the definitions of the properties, the pretrained model
    and the preprocessing.
    """


class CoreLossPropertyMap(PropertySignal, Signal2D):
    """Properties predicted from core-loss spectra, transposed: one map per property.

    The signal axes are the navigation axes of the spectra.
    """
