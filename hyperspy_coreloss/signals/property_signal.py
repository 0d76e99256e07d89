"""Signals of predicted properties."""

from __future__ import annotations

from contextlib import nullcontext
from os import PathLike
from typing import TYPE_CHECKING, Any

from hyperspy.signals import BaseSignal, Signal1D, Signal2D

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.files import keep_replaced
from hyperspy_coreloss.pretrained.results import MAP_FIELDS
from hyperspy_coreloss.properties import property_index
from hyperspy_coreloss.signals.layers import companion_map, half_width_data, layer_map
from hyperspy_coreloss.signals.metadata import (
    AMBIGUITY,
    SIGNAL_TYPE,
    SLICED_WITH_A_RESULT,
    set_title,
    title_of,
)
from hyperspy_coreloss.signals.nearest_sites import NearestSites, nearest_sites
from hyperspy_coreloss.signals.positions import items_along
from hyperspy_coreloss.signals.presented_signal import PresentedSignal
from hyperspy_coreloss.signals.region_mean import RegionMean, region_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.pretrained.results import ResultField


class PropertySignal(PresentedSignal):
    """Base class of the signals of predicted properties, for any number of signal axes."""

    _signal_type = SIGNAL_TYPE
    # HyperSpy slices these together with the signal, as it does with the noise variance.
    _additional_slicing_targets = [  # noqa: RUF012
        *BaseSignal._additional_slicing_targets,
        *SLICED_WITH_A_RESULT,
    ]

    if TYPE_CHECKING:
        # The properties of MAP_FIELDS are added below.
        def __getattr__(self, name: str) -> Any: ...

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties along the property axis."""
        return items_along(self, "names")

    @property
    def property_units(self) -> tuple[str, ...]:
        """Units of the properties along the property axis."""
        return items_along(self, "units")

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
        return layer_map(self, self.data, position, items_along(self, "labels")[position])

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
        width = self._half_width_map(name, level)
        lower, upper = centre - width, centre + width
        for end, bound in ((lower, "lower"), (upper, "upper")):
            set_title(end, f"{title_of(centre)}, {bound} {level:.0%}")
        return lower, upper

    def _half_width_map(self, name: str, level: float) -> BaseSignal:
        widths = half_width_data(self, level)
        if widths is None:
            msg = (
                "Intervals need the errors of the model on held-out spectra, but this signal has "
                "none: the errors of single spectra do not apply to extremes of many, the parts of "
                "a stack are of different models, or the properties are true ones. Take the "
                "intervals from the signal that predict_properties returned."
            )
            raise SignalError(msg)
        position = property_index(name, self.property_names)
        label = items_along(self, "labels")[position]
        return layer_map(self, widths, position, f"{100 * level:g} % half width of {label}")

    def get_ambiguity_map(self, name: str) -> BaseSignal:
        """Return the map of how much computed sites with spectra like each pixel's differ.

        It is the standard deviation of the labels of the eight computed sites whose spectra are
        nearest. Where it is large, spectra like this one belong to sites of different properties,
        and the value is one of several. The intervals hold this already.

        Parameters
        ----------
        name
            One of :attr:`property_names`.

        Raises
        ------
        UnknownPropertyError
            If this signal has no property of that name.
        SignalError
            If spectra were combined, as by ``mean``.
        """
        position = property_index(name, self.property_names)
        label = items_along(self, "labels")[position]
        return companion_map(self, AMBIGUITY, f"ambiguity of the {label}", position)

    def mean_over(self, navigation_mask: Any = None, level: float = 0.9) -> RegionMean:
        """Return the means of the properties over a region of one material, with their intervals.

        Noise averages out over the pixels. What the model gets wrong about a material that it never
        saw does not, nor does what the microscope does to all pixels alike: thickness, calibration
        and resolution. Intervals therefore shrink to those of regions of many counts of phases
        that the model never saw, and no further. Pixels without a prediction are left out.

        Parameters
        ----------
        navigation_mask
            True excludes a pixel, as for :func:`~hyperspy_coreloss.predict_properties`. The default
            is all pixels, such as those of a region of interest: ``roi(p).mean_over()``.
        level
            Coverage: the probability that an interval contains the true mean, between 0 and 1.

        Raises
        ------
        SignalError
            If spectra were combined, as by ``mean``, or the mask or `level` is not valid.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> p = s.predict_properties(resolution=0.5, show_progressbar=False)
        >>> p.inav[:4, :].mean_over().n_pixels
        24
        """
        return region_mean(self, navigation_mask, level)

    def nearest_sites(
        self,
        position: Any,
        signal: BaseSignal,
        k: int = 3,
        *,
        pretrained: Any = None,
        dataset: SpectrumDataset | None = None,
    ) -> NearestSites:
        """Return the computed sites whose spectra are most like that of one pixel.

        Their properties stand beside the predicted ones, and their spectra can be plotted over that
        of the pixel, as the network reads it: figure 3 of Kiyohara et al. 2019 for any pixel. Only
        this pixel of the spectra is read, also if they are lazy.

        Parameters
        ----------
        position
            The pixel, as in ``inav``: whole numbers are indices, other numbers values on the
            navigation axes.
        signal
            Spectra that the properties were predicted from.
        k
            Number of sites.
        pretrained
            Model of the prediction, if it is not shipped with the package.
        dataset
            Data set that the model was trained on. The default is that of the shipped models.

        Returns
        -------
        NearestSites
            Object that prints as a table, with the method ``plot``.

        Raises
        ------
        SignalError
            If the position is not one pixel, the signal has other navigation axes, its spectrum
            cannot be read, the model is another one than that of the prediction, or it has no sites
            to compare with.
        DatasetError
            If the model was trained on another data set.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> p = s.predict_properties(resolution=0.5, show_progressbar=False)
        >>> [site.population for site in p.nearest_sites((1, 2), s).sites]
        ['strained', 'crystal', 'vacancy']
        """
        return nearest_sites(self, position, signal, k, pretrained, dataset)

    def as_maps(self, names: str | Sequence[str] | None = None) -> dict[str, BaseSignal]:
        """Return the maps of several properties by name; the default is all properties."""
        names = (names,) if isinstance(names, str) else names or self.property_names
        return {name: self.get_property_map(name) for name in names}

    def save(
        self, filename: Any = None, overwrite: bool | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Save the signal; a file that is overwritten is kept until the new one is complete.

        If the disk is full, or the writing is interrupted, the old file is there again. The
        parameters are those of :meth:`hyperspy.api.signals.BaseSignal.save`.
        """
        named = isinstance(filename, (str, PathLike))
        with keep_replaced(filename) if overwrite and named else nullcontext():
            super().save(filename, overwrite, *args, **kwargs)


def _map_property(field: ResultField) -> property:
    def get(self: PropertySignal) -> BaseSignal:
        return companion_map(self, field.name, field.label)

    return property(get, doc=f"Map of the {field.meaning}")


for _field in MAP_FIELDS:
    if _field.per_property:
        continue  # read through get_interval_map and get_ambiguity_map
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
