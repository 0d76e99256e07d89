"""The signal of predicted properties, and the function every EELS signal has as a method."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from hyperspy.signals import BaseSignal, Signal1D, Signal2D

from hyperspy_coreloss.errors import EnergyAxisError, SignalError
from hyperspy_coreloss.metadata import (
    COMPANIONS,
    NODE,
    PROPERTY_AXIS,
    SIGNAL_TYPE,
    companion_paths,
)
from hyperspy_coreloss.properties import property_index

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained import PretrainedModel
    from hyperspy_coreloss.recipe import Background


class PropertySignal(BaseSignal):
    """What the signals of predicted properties have in common, whatever their dimension."""

    _signal_type = SIGNAL_TYPE
    # HyperSpy slices these along, as it does with the noise variance.
    _additional_slicing_targets = [  # noqa: RUF012
        *BaseSignal._additional_slicing_targets,
        *companion_paths(),
    ]

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties along the property axis."""
        return self._along_properties("names")

    @property
    def property_units(self) -> tuple[str, ...]:
        """Units of the properties along the property axis."""
        return self._along_properties("units")

    @property
    def quality(self) -> BaseSignal:
        """Map of :class:`~hyperspy_coreloss.quality.Quality` codes; 0 is good."""
        return self._companion_map("quality", "quality")

    @property
    def onset(self) -> BaseSignal:
        """Map of the thresholds found, in eV."""
        return self._companion_map("onset", "onset (eV)")

    def get_property_map(self, name: str) -> BaseSignal:
        """Return the map of one property, for example as a `Signal2D`.

        Parameters
        ----------
        name
            One of :attr:`property_names`.

        Returns
        -------
        BaseSignal
            With the navigation axes as signal axes; lazy if this signal is.

        Raises
        ------
        UnknownPropertyError
            If there is no such property.

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
        """Return the maps of the lower and the upper end of the prediction interval.

        The width comes from the errors on held-out phases (split conformal prediction): of sites
        like those in the pretrained model's data set, a share of at least `level` has its true
        value inside. It is the same for all pixels, and does not know about noise, thickness or
        materials of another kind.

        Parameters
        ----------
        name
            One of :attr:`property_names`.
        level
            Share of true values inside, between 0 and 1.

        Returns
        -------
        lower, upper : BaseSignal
            Maps as from :meth:`get_property_map`.
        """
        from hyperspy_coreloss.pretrained import conformal_half_width

        centre = self.get_property_map(name)
        node = self.metadata.get_item(NODE)
        column = property_index(name, list(node.names))
        half_width = np.float32(conformal_half_width(node.residuals, level)[column])
        lower, upper = centre - half_width, centre + half_width
        for end, bound in ((lower, "lower"), (upper, "upper")):
            end.metadata.General.title = f"{centre.metadata.General.title}, {bound} {level:.0%}"
        return lower, upper

    def as_maps(self, names: Sequence[str] | None = None) -> dict[str, BaseSignal]:
        """Return the maps of several properties by name; by default of all."""
        return {name: self.get_property_map(name) for name in names or self.property_names}

    def plot_maps(self, names: Sequence[str] | None = None) -> Figure:
        """Plot the maps of several properties, each with its own colour bar.

        Pixels without a prediction stay blank. Lazy signals are computed for it.

        Parameters
        ----------
        names
            Some of :attr:`property_names`; by default all.
        """
        from hyperspy_coreloss.plotting import plot_maps

        return plot_maps(list(self.as_maps(names).values()))

    def plot(self, *args: Any, **kwargs: Any) -> None:
        """Plot the map of one property with a slider over the properties.

        Of a result without at least two navigation axes the values are plotted as they are. See
        :meth:`plot_maps` for all maps in one figure. Parameters are those of
        :meth:`hyperspy.api.signals.Signal2D.plot`.
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
        """Transpose as :meth:`hyperspy.api.signals.BaseSignal.transpose`, quality maps included."""
        result = super().transpose(signal_axes, navigation_axes, optimize)
        for name in COMPANIONS:
            companion = self.metadata.get_item(f"{NODE}.{name}")
            if companion is not None:
                turned = companion.transpose(signal_axes, navigation_axes, optimize)
                result.metadata.set_item(f"{NODE}.{name}", turned)
        return result

    def _property_axis(self) -> Any:
        axes = [axis for axis in self.axes_manager._axes if axis.name == PROPERTY_AXIS]
        if not axes:
            msg = (
                f"This signal has no {PROPERTY_AXIS!r} axis any more; take maps from the signal "
                "that predict_properties returned."
            )
            raise SignalError(msg)
        return axes[0]

    def _along_properties(self, item: str) -> tuple[str, ...]:
        values = self.metadata.get_item(f"{NODE}.{item}")
        # The axis counts the model's properties, so it still does after slicing.
        return tuple(str(values[round(index)]) for index in self._property_axis().axis)

    def _companion_map(self, name: str, label: str) -> BaseSignal:
        companion = self.metadata.get_item(f"{NODE}.{name}")
        if companion is None or companion.data.shape != self.data.shape:
            msg = (
                f"The {name} map has one entry a spectrum and got lost when spectra were combined; "
                "take it from the signal that predict_properties returned."
            )
            raise SignalError(msg)
        return self._map(companion.data, 0, label)

    def _map(self, data: Any, position: int, label: str) -> BaseSignal:
        """Return one layer of an array of this signal's shape as a signal of its own."""
        axis = self._property_axis().index_in_array
        layer = data[(slice(None),) * axis + (position,)]
        axes = [other for other in self.axes_manager._axes if other.name != PROPERTY_AXIS]
        described = [{**other.get_axis_dictionary(), "navigate": False} for other in axes]
        title = label.rpartition(" (")[0] or label
        metadata = {"General": {"title": title}, "Signal": {"quantity": label, "signal_type": ""}}
        if not axes:
            layer, described = layer.reshape(1), None
        result = BaseSignal(
            layer, axes=described, metadata=metadata, attributes={"_lazy": self._lazy}
        )
        result.set_signal_type("")
        return result


class CoreLossPropertySignal(PropertySignal, Signal1D):
    """Properties predicted from core-loss spectra, the properties along the signal axis.

    Made by :func:`predict_properties`. ``metadata.CoreLossProperty`` tells what the values mean
    and how they were obtained.
    """


class CoreLossPropertyMap(PropertySignal, Signal2D):
    """Properties predicted from core-loss spectra, transposed: maps along the signal axes."""


def predict_properties(
    signal: BaseSignal,
    pretrained: str | Path | PretrainedModel | None = None,
    *,
    resolution: float | None = None,
    background: Background = "power law",
    background_range: tuple[float, float] | None = None,
    onset_range: tuple[float, float] | None = None,
    navigation_mask: NDArray | BaseSignal | None = None,
    lazy_output: bool | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> CoreLossPropertySignal:
    """Predict local properties of the absorbing atom from each core-loss spectrum.

    Implements Kiyohara et al. 2019, J. Phys. Mater. 2, 024003: mean bond length, mean bond angle,
    Voronoi volume, bond overlap population, Mulliken charge and excitation energy from oxygen K
    edges of silicon oxides. Each spectrum loses its power-law background, is broadened to the
    resolution of the pretrained model, counted from its own threshold and read by a feed-forward
    network.

    Parameters
    ----------
    signal
        Core-loss spectra with an energy axis in any unit of energy.
    pretrained
        Name (see :func:`~hyperspy_coreloss.list_pretrained`), file, or a loaded model.
    resolution
        Energy resolution of the spectra in eV: the full width at half maximum of the zero loss
        (see :func:`measure_resolution`). If None, the spectra are taken as perfectly sharp, with
        a warning.
    background
        ``"power law"``, or None if the spectra have no background any more.
    background_range
        Where to fit the background, as for ``remove_background``: floats are axis values,
        integers are channels, or a ``SpanROI``. By default up to 30 eV that end 5 eV before the
        edge of each spectrum.
    onset_range
        Where to look for the onset, in the same forms. By default within 20 eV of the tabulated
        one, because axes are often uncalibrated.
    navigation_mask
        True for spectra to leave out, of the navigation shape.
    lazy_output
        Whether to return a lazy signal; by default as the input.
    show_progressbar
        Whether to show a progress bar; by default HyperSpy's preference.
    num_workers
        Number of dask workers; by default all cores.

    Returns
    -------
    CoreLossPropertySignal
        Navigation axes of the input, and the properties along the signal axis. Spectra that
        cannot be read are NaN, with the reason in the map ``quality``.

    Raises
    ------
    SignalError
        If the signal is not made of real one-dimensional spectra.
    EnergyAxisError
        If the signal axis has no units of energy.
    EnergyRangeError
        If the spectra do not cover the window, or leave no room for the background.
    ResolutionError
        If the dispersion or the resolution is too coarse for the pretrained model.

    Examples
    --------
    >>> import hyperspy_coreloss as hc
    >>> s, truth = hc.data.silica_spectrum_image((8, 6))
    >>> s.predict_properties(resolution=0.5)
    <CoreLossPropertySignal, title: Properties of Simulated silica, dimensions: (8, 6|6)>
    """
    from hyperspy_coreloss.inference import map_spectra
    from hyperspy_coreloss.lazy_signals import lazy_prediction
    from hyperspy_coreloss.metadata import describe_prediction
    from hyperspy_coreloss.pretrained import load_pretrained
    from hyperspy_coreloss.recipe import prepare

    model = load_pretrained(pretrained)
    energy = _energy_of(signal)
    if resolution is None:
        msg = (
            "No resolution was given: the spectra are taken as perfectly sharp and broadened by "
            f"σ = {model.recipe.sigma:g} eV. Pass resolution=, the full width at half maximum of "
            "the zero loss in eV; hyperspy_coreloss.measure_resolution(low_loss) measures it."
        )
        warnings.warn(msg, stacklevel=2)
    preparation = prepare(
        model.recipe,
        energy,
        resolution=0.0 if resolution is None else resolution,
        binned=signal.axes_manager.signal_axes[0].is_binned,
        background=background,
        background_range=_limits_in_ev(signal, background_range),
        onset_range=_limits_in_ev(signal, onset_range),
    )
    excluded = _excluded(signal, navigation_mask)
    prediction = map_spectra(signal.data, preparation, model, excluded)
    result = lazy_prediction(
        prediction,
        signal.axes_manager.navigation_axes[::-1],
        describe_prediction(signal, model, preparation, resolution),
    )
    if not (signal._lazy if lazy_output is None else lazy_output):
        workers = {} if num_workers is None else {"num_workers": num_workers}
        result.compute(show_progressbar=show_progressbar, **workers)
    return result


def measure_resolution(low_loss: BaseSignal) -> float:
    """Measure the energy resolution: the full width at half maximum of the zero loss.

    Parameters
    ----------
    low_loss
        Low-loss spectra with their zero loss. Of a map, the median over at most 256 evenly
        spread spectra is taken, so that drift does not widen it.

    Returns
    -------
    float
        Resolution in eV, for the argument `resolution` of :func:`predict_properties`.

    Raises
    ------
    SignalError
        If a spectrum has no zero loss.
    """
    from hyperspy_coreloss.broadening import zero_loss_fwhm

    energy = _energy_of(low_loss)
    order = np.argsort(energy)
    spectra = low_loss.data.reshape(-1, energy.size)
    chosen = np.unique(np.linspace(0, len(spectra) - 1, 256).astype(int))
    widths = [zero_loss_fwhm(spectrum[order], energy[order]) for spectrum in _read(spectra[chosen])]
    return float(np.median(widths))


def _read(data: Any) -> NDArray:
    return np.asarray(data)


def _energy_of(signal: BaseSignal) -> NDArray[np.float64]:
    """Return the energies of the channels in eV, after checking that these are spectra."""
    from hyperspy_coreloss.energy import axis_in_ev

    axes = signal.axes_manager
    if axes.signal_dimension != 1:
        msg = (
            f"Spectra with one signal axis are needed, but the signal has {axes.signal_dimension} "
            "signal axes. Use s.transpose(signal_axes=[...]) to put the energy axis there."
        )
        raise SignalError(msg)
    if signal.data.dtype.kind not in "iuf":
        msg = (
            f"Real spectra are needed, but the data are of type {signal.data.dtype}. "
            "Take the real part or the modulus first."
        )
        raise SignalError(msg)
    axis = axes.signal_axes[0]
    return axis_in_ev(axis.axis, axis.units, str(axis.name or "signal"))


def _limits_in_ev(signal: BaseSignal, limits: Any) -> tuple[float, float] | None:
    """Return limits given as HyperSpy's signal ranges in eV, in rising order."""
    from hyperspy_coreloss.energy import axis_in_ev

    if limits is None:
        return None
    try:
        first, second = limits
    except (TypeError, ValueError) as error:
        msg = f"A range needs two limits, for example (490.0, 520.0), but it is {limits!r}."
        raise EnergyAxisError(msg) from error
    axis = signal.axes_manager.signal_axes[0]
    values = [
        axis.index2value(limit) if isinstance(limit, (int, np.integer)) else float(limit)
        for limit in (first, second)
    ]
    low, high = sorted(axis_in_ev(np.array(values), axis.units).tolist())
    return low, high


def _excluded(signal: BaseSignal, navigation_mask: Any) -> NDArray[np.bool_] | None:
    if navigation_mask is None:
        return None
    mask = navigation_mask.data if isinstance(navigation_mask, BaseSignal) else navigation_mask
    excluded = np.asarray(mask).astype(bool)
    shape = signal.data.shape[:-1]
    if excluded.shape != shape:
        msg = (
            f"The navigation mask needs the shape {shape} (True excludes a spectrum), but it has "
            f"{excluded.shape}."
        )
        raise SignalError(msg)
    return excluded
