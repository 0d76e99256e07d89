"""Signals of predicted properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from hyperspy.signals import BaseSignal, Signal1D, Signal2D

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.properties import property_index
from hyperspy_coreloss.signals.derived import DerivedSignal
from hyperspy_coreloss.signals.explorer import medians, plot_pixels, plot_properties
from hyperspy_coreloss.signals.metadata import (
    MAPS,
    PROPERTY_AXIS,
    SIGNAL_TYPE,
    SPREAD,
    array_axes,
    describe_map,
    get_map,
    map_path,
    model_of,
    preprocessing_of,
    property_axis,
    property_items,
    scores_of,
    set_title,
    title_of,
)
from hyperspy_coreloss.signals.plotting import plot_maps
from hyperspy_coreloss.signals.summary import PropertySummary, count_codes
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from hyperspy_coreloss.pretrained.results import ResultField


# Number of axes of a map.
_MAP_AXES = 2


class PropertySignal(DerivedSignal):
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
            Map with the navigation axes of this signal as signal axes; lazy if this signal is. Of
            more than two navigation axes, the first two are signal axes.

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
        the true value with a probability of at least `level`. If the model predicts how far it may
        be off, each pixel has a width of its own; else the width is the same for all pixels, and
        does not include the effects of noise and thickness. It never includes those of other kinds
        of material.

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
        SignalError
            If this signal has no errors on held-out spectra, as after ``max``, or `level` is not
            between 0 and 1.
        """
        centre = self.get_property_map(name)
        column = property_index(name, property_items(self, "names"))
        scores = scores_of(self)
        if scores is None:
            msg = (
                "Intervals need the errors of the model on held-out spectra, but this signal has "
                "none: the errors of single spectra do not apply to extremes of many, the parts of "
                "a stack are of different models, or the properties are true ones. Take the "
                "intervals from the signal that predict_properties returned."
            )
            raise SignalError(msg)
        width: Any = np.float32(conformal_half_width(scores, level)[column])
        spread = get_map(self, SPREAD)
        if spread is not None:
            position = property_index(name, self.property_names)
            width = self._map(spread.data * width, position, "half width")
        lower, upper = centre - width, centre + width
        for end, bound in ((lower, "lower"), (upper, "upper")):
            set_title(end, f"{title_of(centre)}, {bound} {level:.0%}")
        return lower, upper

    def as_maps(self, names: str | Sequence[str] | None = None) -> dict[str, BaseSignal]:
        """Return the maps of several properties by name; the default is all properties."""
        names = (names,) if isinstance(names, str) else names or self.property_names
        return {name: self.get_property_map(name) for name in names}

    def plot_maps(self, names: str | Sequence[str] | None = None) -> Figure:
        """Plot the maps of several properties, each with its own colour bar.

        Pixels without a prediction are grey. Of three navigation axes, the maps at all positions
        along the third are plotted. A lazy signal is computed first, and stays computed.

        Parameters
        ----------
        names
            One or several of :attr:`property_names`; the default is all.
        """
        return plot_maps(list(self.as_maps(names).values()))

    def plot(self, navigator: Any = "auto", **kwargs: Any) -> None:
        """Plot the properties of one pixel, which is selected in the map of one property.

        The properties are shown as deviations from their medians, in half widths of the 90 %
        prediction interval; the labels of the property axis contain both. If the signal is
        transposed, the map of one property is plotted, which is selected in a list. A lazy signal
        is computed first, and stays computed. :meth:`plot_maps` plots all maps in one figure.

        Parameters
        ----------
        navigator
            Name of the property whose map is the navigator, or a navigator as in HyperSpy. The
            default is the first property.
        **kwargs
            Further parameters of :meth:`hyperspy.api.signals.BaseSignal.plot`.
        """
        axes = self.axes_manager
        names = [[axis.name for axis in axes.signal_axes]]
        names.append([axis.name for axis in axes.navigation_axes])
        if names[0] == [PROPERTY_AXIS]:
            plot_pixels(self, navigator, kwargs)
        elif names[1] == [PROPERTY_AXIS]:
            plot_properties(self, super().plot, navigator, kwargs)
        else:
            super().plot(navigator, **kwargs)

    def summary(self) -> PropertySummary:
        """Return how many spectra have a prediction, why others have none, and the medians.

        A lazy signal is computed first, and stays computed.

        Returns
        -------
        PropertySummary
            Object that prints as a text.

        Raises
        ------
        SignalError
            If spectra were combined, as by ``mean``.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> s.predict_properties(resolution=0.5, show_progressbar=False).summary().line
        '48 spectra: 48 predicted'
        """
        quality = self.quality.data
        preprocessing = preprocessing_of(self)
        given = preprocessing.get("resolution_given", False)
        return PropertySummary(
            title=title_of(self),
            model=model_of(self),
            resolution=preprocessing["resolution"] if given else None,
            counts=count_codes(quality),
            medians=medians(self),
            relative_thickness=self._median_thickness(),
        )

    def _median_thickness(self) -> float | None:
        thickness = get_map(self, "relative_thickness")
        if thickness is None or np.isnan(thickness.data).all():
            return None
        return float(np.nanmedian(thickness.data))

    def _property_axis(self) -> Any:
        axis = property_axis(self)
        if axis is None:
            msg = (
                f"Maps need a signal with an axis named {PROPERTY_AXIS!r}, but this signal has "
                "none. Take the maps from the signal that predict_properties returned."
            )
            raise SignalError(msg)
        return axis

    def _along_properties(self, item: Literal["names", "labels", "units"]) -> tuple[str, ...]:
        entries = property_items(self, item)
        # The axis values are indices of the model's properties, also after slicing.
        return tuple(entries[round(index)] for index in self._property_axis().axis)

    def _companion_map(self, name: str, label: str) -> BaseSignal:
        companion = get_map(self, name)
        if companion is None:
            (field,) = (one for one in MAP_FIELDS if one.name == name)
            only = " It needs predict_properties(low_loss=...)." if field.of_low_loss else ""
            msg = (
                f"The {name} map has one entry per spectrum and is lost when spectra are combined. "
                f"Take it from the signals that predict_properties returned.{only}"
            )
            raise SignalError(msg)
        quality = get_map(self, "quality")
        codes = None if quality is None else quality.data
        return self._map(_without_blanks(companion.data, self.data, codes, name), 0, label)

    def _map(self, data: Any, position: int, label: str) -> BaseSignal:
        """Return one position along the property axis of an array as a separate signal.

        The array has the shape of this signal's data.
        """
        axis = self._property_axis().index_in_array
        layer = data[(slice(None),) * axis + (position,)]
        axes = [other for other in array_axes(self) if other.name != PROPERTY_AXIS]
        # Three axes cannot be shown at once, so the first of three is for navigation.
        described = [
            {**other.get_axis_dictionary(), "navigate": place < len(axes) - _MAP_AXES}
            for place, other in enumerate(axes)
        ]
        if not axes:  # a single spectrum
            layer, described = layer.reshape(1), [{"name": "spectrum", "size": 1}]
        result = BaseSignal(
            layer,
            axes=described,
            metadata=describe_map(self, label),
            attributes={"_lazy": self._lazy},
        )
        result.set_signal_type("")
        return result


def _without_blanks(layer: Any, values: Any, quality: Any, name: str) -> Any:
    """Return a map without its entries where the values were set to NaN later, as by a region."""
    (field,) = (one for one in MAP_FIELDS if one.name == name)
    blank = np.isnan(values)
    if quality is not None:
        blank = blank & (quality == Quality.GOOD)
    entry = np.nan if np.issubdtype(field.dtype, np.floating) else 0
    if name == "quality":
        entry = Quality.MASKED
    return np.where(blank, np.asarray(entry, field.dtype), layer)


def _map_property(field: ResultField) -> property:
    def get(self: PropertySignal) -> BaseSignal:
        return self._companion_map(field.name, field.label)

    return property(get, doc=f"Map of the {field.meaning}")


for _field in MAP_FIELDS:
    if _field.per_property:
        continue  # it is read through the intervals
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
