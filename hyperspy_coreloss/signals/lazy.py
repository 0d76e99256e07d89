"""Lazy signals of predicted properties."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
from hyperspy.signals import LazySignal, LazySignal1D, LazySignal2D, Signal1D

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, needed_axis
from hyperspy_coreloss.signals.joining import joined, repeat, split
from hyperspy_coreloss.signals.memory import read_metadata
from hyperspy_coreloss.signals.metadata import (
    MAPS,
    PER_PROPERTY,
    forget_items,
    get_map,
    options_of,
    set_map,
)
from hyperspy_coreloss.signals.progress import progress_bar
from hyperspy_coreloss.signals.property_signal import (
    CoreLossPropertyMap,
    CoreLossPropertySignal,
    PropertySignal,
)
from hyperspy_coreloss.signals.scratch import computed_on_disk, computes_here
from hyperspy_coreloss.signals.summary import LOGGER, count_codes, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.signals import BaseSignal
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.results import Prediction
    from hyperspy_coreloss.signals.region_mean import RegionMean
    from hyperspy_coreloss.signals.summary import PropertySummary
    from hyperspy_coreloss.spectra.calibration import Calibration


class LazyPropertySignal(PropertySignal, LazySignal):
    """Base class of the lazy signals of predicted properties."""

    data: da.Array

    def compute(
        self, close_file: bool = False, show_progressbar: bool | None = None, **kwargs: Any
    ) -> None:
        """Compute the values and the quality maps together, so that each spectrum is read once.

        If several threads compute the same signal, it is computed once. If the computation fails or
        is interrupted, the signal stays lazy and complete. If many spectra have no prediction, the
        numbers are logged; if none has one, a warning says what to do. The parameters are those of
        :meth:`hyperspy.api.signals.LazySignal.compute`.
        """
        # setdefault is atomic, so all threads take the same lock.
        with self.__dict__.setdefault("_computing", RLock()):
            if isinstance(self, LazySignal):  # not yet computed by another thread
                self._compute(close_file, show_progressbar, **kwargs)

    def _compute(self, close_file: bool, show_progressbar: bool | None, **kwargs: Any) -> None:
        axis, maps, lengths, together = self._together()
        # This signal is unchanged if the computation fails.
        values, *layers = split(computed(together, show_progressbar, **kwargs), lengths, axis)
        # Before the file is closed. The maps follow first, and are replaced by the same values.
        for one, layer in zip(maps.values(), layers, strict=True):
            _hold(one, layer.astype(one.data.dtype), values.shape)
        read_metadata(self)
        if close_file:
            self.close_file()
        _hold(self, values, values.shape)
        quality = dict(zip(maps, layers, strict=True)).get("quality")
        if quality is not None:
            _report(self, quality)

    def _together(self) -> tuple[int, dict[str, BaseSignal], list[int], da.Array]:
        """Return the property axis, the maps that are lazy, and values and maps as one array.

        The third item is the length of each of them along the property axis of the array.
        """
        axis = needed_axis(self).index_in_array
        companions = {name: get_map(self, name) for name in MAPS}
        maps = {name: one for name, one in companions.items() if isinstance(one, LazySignal)}
        size = self.data.shape[axis]
        lengths = [size, *(size if name in PER_PROPERTY else 1 for name in maps)]
        arrays = [self.data, *(one.data for one in maps.values())]
        return axis, maps, lengths, joined(arrays, lengths, axis)

    def save(
        self, filename: Any = None, overwrite: bool | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Compute the values and the quality maps together and save them.

        Each spectrum is read once. A lazy save would read all spectra for the values and again for
        each map. Results of up to 256 MB are in memory afterwards, also if the file cannot be
        written. Larger ones are computed into a temporary file beside the one that is saved, chunk
        by chunk, and stay lazy: load the file to go on. A result can replace the file that it was
        loaded from. The parameters are those of :meth:`hyperspy.api.signals.BaseSignal.save`.
        """
        axis, maps, lengths, together = self._together()
        large = together.nbytes > _LARGEST_IN_MEMORY
        if not (large and isinstance(filename, (str, PathLike)) and computes_here()):
            self.compute(show_progressbar=kwargs.get("show_progressbar"))
            PropertySignal.save(self, filename, overwrite, *args, **kwargs)
            return
        folder, shown = Path(filename).absolute().parent, kwargs.pop("show_progressbar", None)
        with computed_on_disk(together, folder, shown) as stored:
            values, *layers = split(stored, lengths, axis)
            held = self.deepcopy()
            held.data = values
            forget_items(held, maps)
            read_metadata(held)
            for (name, one), layer in zip(maps.items(), layers, strict=True):
                repeated = one.deepcopy()
                repeated.data = da.broadcast_to(layer.astype(one.data.dtype), values.shape)
                set_map(held, name, repeated)
            # The computation showed a progress bar; copying would show one for each map.
            PropertySignal.save(held, filename, overwrite, *args, show_progressbar=False, **kwargs)
            if "quality" in maps:
                _report(self, held.quality.data.compute())

    def plot(self, navigator: Any = "auto", **kwargs: Any) -> None:
        """Compute the signal once, rather than once for each property, and plot it.

        The parameters are those of :meth:`PropertySignal.plot`.
        """
        self.compute()
        PropertySignal.plot(self, navigator, **kwargs)

    def summary(self) -> PropertySummary:
        """Compute the signal and return its summary, as :meth:`PropertySignal.summary`."""
        self.compute()
        return PropertySignal.summary(self)

    def to_dataframe(self, level: float | None = 0.9) -> Any:
        """Compute the signal and return it as :meth:`PropertySignal.to_dataframe`."""
        self.compute()
        return PropertySignal.to_dataframe(self, level)

    def mean_over(self, navigation_mask: Any = None, level: float = 0.9) -> RegionMean:
        """Compute the signal and return means over it, as :meth:`PropertySignal.mean_over`."""
        self.compute()
        return PropertySignal.mean_over(self, navigation_mask, level)

    def plot_maps(self, names: str | Sequence[str] | None = None, **options: Any) -> Figure:
        """Compute the signal once, rather than once for each property, and plot its maps.

        The parameters are those of :meth:`PropertySignal.plot_maps`.
        """
        self.compute()
        return PropertySignal.plot_maps(self, names, **options)

    def save_report(
        self,
        filename: str | PathLike[str],
        overwrite: bool | None = None,
        *,
        calibration: Calibration | None = None,
    ) -> None:
        """Compute the signal once, unless the page may not be written, and save its report.

        The parameters are those of :meth:`PropertySignal.save_report`.
        """
        from hyperspy_coreloss.signals.report import may_write, page_name

        path = page_name(filename)
        if may_write(path, overwrite):
            self.compute()
            PropertySignal.save_report(self, path, overwrite=True, calibration=calibration)


# Results with more bytes are not held in memory to be saved.
_LARGEST_IN_MEMORY = 2**28


def _hold(signal: BaseSignal, values: NDArray, shape: tuple[int, ...]) -> None:
    """Turn a lazy signal into one in memory that has these values, repeated to a shape."""
    signal.data = da.broadcast_to(da.from_array(values, chunks=-1, name=False), shape)
    # By the method of HyperSpy's lazy signals, and here, whatever computes the spectra.
    LazySignal.compute(signal, show_progressbar=False, scheduler="synchronous")


def _report(result: BaseSignal, quality: NDArray) -> None:
    try:
        report(count_codes(quality), options_of(result))
    except SignalError as error:  # in a damaged file, of which the values are of use all the same
        LOGGER.warning("%s", error)


class LazyCoreLossPropertySignal(LazyPropertySignal, CoreLossPropertySignal, LazySignal1D):
    """Lazy form of :class:`~hyperspy_coreloss.signals.CoreLossPropertySignal`."""


class LazyCoreLossPropertyMap(LazyPropertySignal, CoreLossPropertyMap, LazySignal2D):
    """Lazy form of :class:`~hyperspy_coreloss.signals.CoreLossPropertyMap`."""


def computed(array: da.Array, show_progressbar: bool | None = None, **kwargs: Any) -> NDArray[Any]:
    """Compute an array with a progress bar.

    Parameters
    ----------
    array
        The array.
    show_progressbar
        Whether to show a progress bar; None for HyperSpy's preference.
    **kwargs
        Options of :meth:`dask.array.Array.compute`.
    """
    with progress_bar(show_progressbar):
        return np.asarray(array.compute(**kwargs))


def property_signal(
    prediction: Prediction, navigation_axes: Sequence[Any], metadata: dict[str, Any]
) -> CoreLossPropertySignal:
    """Return the signal of a prediction, lazy if its arrays are of dask.

    As when a lazy signal is computed, the numbers of spectra without a prediction are logged.

    Parameters
    ----------
    prediction
        Prediction of dask arrays or arrays in memory; its values have the shape (navigation...,
        properties).
    navigation_axes
        Navigation axes of the spectra, in the order of the array's axes.
    metadata
        Metadata from :func:`~hyperspy_coreloss.signals.metadata.describe_prediction`.
    """
    shape = prediction.values.shape
    axes = [axis.get_axis_dictionary() for axis in navigation_axes]
    axes.append({"name": PROPERTY_AXIS, "size": shape[-1], "navigate": False})
    lazily = isinstance(prediction.values, da.Array)
    of_values = LazyCoreLossPropertySignal if lazily else CoreLossPropertySignal
    of_maps = LazySignal1D if lazily else Signal1D
    result = of_values(_whole(prediction.values), axes=axes, metadata=metadata)
    for name in MAPS:
        values = getattr(prediction, name)
        if values is not None:
            each = _whole(values) if name in PER_PROPERTY else repeat(values, shape[-1])
            set_map(result, name, of_maps(each, axes=axes))
    if not lazily:
        read_metadata(result)
        _report(result, np.asarray(prediction.quality))
    return result


def _whole(values: da.Array | NDArray) -> Any:
    """Return an array that is no part of another one, which would stay in memory with it."""
    return values.copy() if isinstance(values, np.ndarray) else values
