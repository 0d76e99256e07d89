"""What a result shows of itself: figures, tables and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, needed_axis
from hyperspy_coreloss.signals.data_frame import data_frame
from hyperspy_coreloss.signals.derived import DerivedSignal
from hyperspy_coreloss.signals.exploration import Exploration
from hyperspy_coreloss.signals.explorer import medians, plot_pixels, plot_properties
from hyperspy_coreloss.signals.gridded import gridded
from hyperspy_coreloss.signals.layers import companion_data
from hyperspy_coreloss.signals.metadata import get_map, model_of, options_of, title_of
from hyperspy_coreloss.signals.plotting import plot_maps
from hyperspy_coreloss.signals.resemblance import resemblance
from hyperspy_coreloss.signals.summary import PropertySummary, count_codes, counts_line
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from hyperspy.signals import BaseSignal
    from matplotlib.figure import Figure

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.spectra.calibration import Calibration


class PresentedSignal(DerivedSignal):
    """A signal of properties with the methods that draw it or put it into words."""

    if TYPE_CHECKING:
        # PropertySignal has the maps.
        def __getattr__(self, name: str) -> Any: ...

    def plot_maps(
        self,
        names: str | Sequence[str] | None = None,
        *,
        intervals: float | None = None,
        note: bool = True,
        **options: Any,
    ) -> Figure:
        """Plot the maps of several properties, each with its own colour bar.

        Pixels without a prediction are grey, and a note below the figure says how many they are and
        why. Of three navigation axes, the maps at all positions along the third are plotted, with
        the same colours. A lazy signal is computed first, and stays computed.

        Parameters
        ----------
        names
            One or several of :attr:`property_names`; the default is all.
        intervals
            Level of the prediction intervals, whose half widths are drawn as maps below those of
            the values; around the curves of line scans as bands. By default they are not drawn.
        note
            Whether to tell how many pixels have no prediction, if there are any.
        **options
            Further parameters of :func:`~hyperspy_coreloss.signals.plot_maps`: `scalebar`,
            `axes_decor`, `cmap`, `colorbar`, `vmin`, `vmax`, `per_row`, `suptitle`, `width` (in mm,
            for print) and `style`.

        Raises
        ------
        SignalError
            If there are too many maps, an option is not valid, or `intervals` is given and the
            signal has none.
        """
        maps = self.as_maps(names)
        widths = (
            {}
            if intervals is None
            else {name: self._half_width_map(name, intervals) for name in maps}
        )
        return plot_maps(maps, half_widths=widths, note=self._grey() if note else "", **options)

    def _grey(self) -> str:
        """Return what to say of the pixels without a prediction; nothing if there are none."""
        codes = companion_data(self, "quality")
        if codes is None:
            return ""
        counts = count_codes(np.take(codes, 0, axis=needed_axis(self).index_in_array))
        return "" if set(counts) == {Quality.GOOD} else counts_line(counts)

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

    def explore(
        self,
        signal: BaseSignal | None = None,
        name: str | None = None,
        level: float = 0.9,
        *,
        k: int = 3,
        pretrained: Any = None,
        dataset: SpectrumDataset | None = None,
    ) -> Exploration:
        """Look at the result pixel by pixel: map, spectrum, nearest sites, values and intervals.

        Select a pixel with the mouse, or with the keys of HyperSpy's plots. With the spectra, the
        figure shows the pixel's spectrum as it was measured, with its background and threshold, and
        as the model reads it, over those of the nearest computed sites. Each value is shown with
        its interval before the values of all computed sites of the training. Click on one to see
        its map.

        Of a lazy result, only the chunk that holds the pixel is computed; the map fills in.

        Parameters
        ----------
        signal
            Spectra that the properties were predicted from. A result does not hold them.
        name
            Property whose map is shown, one of :attr:`property_names`. The default is the first.
        level
            Coverage: the probability that an interval contains the true value, between 0 and 1.
        k
            Number of nearest computed sites that are shown.
        pretrained
            Model of the prediction, if it is not shipped with the package.
        dataset
            Data set that the model was trained on. The default is that of the shipped models.

        Returns
        -------
        Exploration
            The figure and what it shows, to be changed by commands too.

        Raises
        ------
        UnknownPropertyError
            If this signal has no property of that name.
        SignalError
            If `level` is not between 0 and 1, the spectra have other navigation axes, this signal
            is not predicted, or the model is another one than that of the prediction.
        DatasetError
            If the model was trained on another data set.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> p = s.predict_properties(resolution=0.5, show_progressbar=False)
        >>> exploration = p.explore(s)
        >>> exploration.show_property("bond_angle")
        >>> exploration.close()
        """
        return Exploration(self, signal, name, level, k=k, pretrained=pretrained, dataset=dataset)

    def to_dataframe(self, level: float | None = 0.9) -> Any:
        """Return the result as a data frame of pandas with a row for each pixel.

        The heads of the columns have the units in parentheses, as in the tables of
        ``hyperspy-coreloss predict --format csv``. A lazy signal is computed first, and stays
        computed.

        Parameters
        ----------
        level
            Coverage of the intervals, between 0 and 1. The columns "half width of ..." have half of
            their lengths; those of a signal without intervals are left out, and all with None.

        Returns
        -------
        pandas.DataFrame
            Its index has the place of the pixel on the navigation axes. The columns are the
            properties, the half widths of their intervals, and the maps that the signal has.
            ``quality`` and ``population`` are categories in the order of their codes, which
            ``frame["quality"].cat.codes`` has.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        SignalError
            If `level` is not between 0 and 1.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> p = s.predict_properties(resolution=0.5, show_progressbar=False)
        >>> p.to_dataframe()["quality"].value_counts().loc[["predicted", "unfamiliar"]].tolist()
        [45, 3]
        """
        return data_frame(self, level)

    def to_xarray(self, level: float | None = 0.9) -> Any:
        """Return the result as a data set of xarray, with a variable for each map.

        Units and the meanings of codes are attributes, as the CF conventions want them, and stay
        when the data set is saved as netCDF. A lazy signal gives a lazy data set.

        Parameters
        ----------
        level
            Coverage of the intervals, between 0 and 1. The variables "..._half_width" have half of
            their lengths; those of a signal without intervals are left out, and all with None.

        Returns
        -------
        xarray.Dataset
            Its dimensions are the navigation axes, in the order of the array.

        Raises
        ------
        ModuleNotFoundError
            If xarray is not installed.
        SignalError
            If `level` is not between 0 and 1.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> p = s.predict_properties(resolution=0.5, show_progressbar=False)
        >>> p.to_xarray()["bond_length"].dims
        ('y', 'x')
        """
        return gridded(self, level)

    def summary(self) -> PropertySummary:
        """Return how many spectra have a prediction, why others have none, and the medians.

        It also tells which computed spectra the predicted ones are most like, and the error of the
        model on new phases of this kind.

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
        '48 spectra: 45 predicted, 3 unfamiliar'
        """
        quality = self.quality.data
        options = options_of(self)
        populations, errors = resemblance(self)
        return PropertySummary(
            title=title_of(self),
            model=model_of(self),
            resolution=None if options is None else options.resolution,
            counts=count_codes(quality),
            medians=medians(self),
            relative_thickness=self._median_thickness(),
            populations=populations,
            errors=errors,
        )

    def save_report(
        self,
        filename: str | PathLike[str],
        overwrite: bool | None = None,
        *,
        calibration: Calibration | None = None,
    ) -> None:
        """Save the maps as one HTML page, which any browser shows without a network.

        The page has the maps of all properties, or their curves along a line, with the values, the
        intervals of 90 % and the quality of the pixel that is pointed at; histograms; the reasons
        for pixels without a prediction and what to do; what is recorded of measurement and
        calibration; what the model can and cannot do; the definitions of the properties; software
        and citation. It stays below 5 MB: larger maps are averaged over squares of pixels, and of
        more than two navigation axes, a slider goes through the first 36 positions. The page says
        so. A lazy signal is computed first, and stays computed.

        Parameters
        ----------
        filename
            The page, which gets the ending ``.html`` if it has none. It is written completely or
            not at all.
        overwrite
            As for :meth:`save`, None asks whether to replace an existing file, True replaces it,
            and False leaves it.
        calibration
            The calibration that the properties were predicted with, to show its fit.

        Raises
        ------
        SignalError
            If the signal has no property axis, or its file is damaged.
        CalibrationError
            If the properties were predicted with another calibration, or with none.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> p = s.predict_properties(resolution=0.5, show_progressbar=False)
        >>> p.save_report(getfixture("tmp_path") / "maps.html")
        """
        # Templates and plotting library are for pages only, and take a while to load.
        from hyperspy_coreloss.signals.report import may_write, page_name, write_report

        path = page_name(filename)
        if may_write(path, overwrite):
            write_report(self, path, calibration)

    def _median_thickness(self) -> float | None:
        thickness = get_map(self, "relative_thickness")
        if thickness is None or np.isnan(thickness.data).all():
            return None
        return float(np.nanmedian(thickness.data))
