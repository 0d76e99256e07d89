"""The options of a prediction, chosen with the mouse in a plot of the spectra."""

from __future__ import annotations

from numbers import Integral
from textwrap import fill
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
import traits.api as t
from hyperspy.ui_registry import TOOLKIT_REGISTRY, UI_REGISTRY, get_gui

from hyperspy_coreloss.errors import CoreLossError
from hyperspy_coreloss.pretrained.trust import NOVELTY_LEVEL
from hyperspy_coreloss.signals.draggable_range import DraggableRange, is_open
from hyperspy_coreloss.signals.metadata import title_of
from hyperspy_coreloss.signals.pixel_preview import preview_pixel
from hyperspy_coreloss.signals.place import Place
from hyperspy_coreloss.signals.prediction_plan import USUAL_ENERGY_ERROR, plan_prediction
from hyperspy_coreloss.signals.spectrum_axis import channel_energies
from hyperspy_coreloss.signals.summary import LOGGER
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hyperspy.signals import BaseSignal

    from hyperspy_coreloss.signals.pixel_preview import PixelPreview
    from hyperspy_coreloss.signals.prediction_plan import PredictionPlan

#: Options that are chosen in a plot or in a form. The others stay as they were given.
CHOSEN = (
    "pretrained",
    "resolution",
    "background",
    "background_range",
    "onset_range",
    "energy_offset",
    "energy_error",
    "novelty_level",
)
TOOLKEY = "hyperspy_coreloss.predict_properties"
# Not in the registration file: HyperSpy takes every toolkit that a file names for installed, and
# would no longer tell its users which package of widgets they lack.
_WIDGETS = {
    "ipywidgets": {
        "module": "hyperspy_coreloss.signals.notebook_widgets",
        "function": "prediction_widget",
    },
    "traitsui": {
        "module": "hyperspy_coreloss.signals.window_widgets",
        "function": "prediction_window",
    },
}
# Options that a plan does not need.
_OF_COMPUTATION = ("lazy_output", "show_progressbar", "num_workers")
# What goes wrong with options, files and chunks, and is told in words.
_TOLD = (CoreLossError, ImportError, OSError)
# Colours that are told apart by all readers; the line of HyperSpy's plots is red.
_BACKGROUND, _ONSET, _WRONG = "#0072B2", "#007A58", "#D55E00"
_LETTERS = 44
# Of several in one plot, each range would be there twice.
_OPEN: WeakSet[InteractivePrediction] = WeakSet()


class InteractivePrediction(t.HasTraits):
    """Options of a prediction that are chosen with the mouse, and their preview in one pixel.

    ``s.predict_properties(interactive=True)`` returns it. The plot of the spectra has two ranges
    that can be dragged: that of the background fit in the lower half, and that of the search for
    the threshold in the upper half. The background, the threshold and the quality are those that a
    prediction with these options would give the pixel at the pointer.

    A range that is None is automatic: it is drawn where the prediction would take it in this pixel,
    and becomes an option when it is dragged.

    Parameters
    ----------
    signal
        Core-loss spectra.
    predictor
        Function that predicts properties: :func:`~hyperspy_coreloss.predict_properties`.
    pretrained
        Pretrained model, as for `predictor`.
    options
        Further options of `predictor` to begin with, by name.

    Attributes
    ----------
    pretrained : str or path or PretrainedModel or None
        Pretrained model or family of models.
    resolution : float or None
        Energy resolution in eV.
    background : str or None
        Background that is subtracted.
    background_range, onset_range : tuple of float or None
        Limits as for :func:`~hyperspy_coreloss.predict_properties`; None is automatic.
    energy_offset : float or None
        Energy in eV to add to thresholds.
    energy_error : float
        Standard error of `energy_offset` in eV.
    novelty_level : float
        Novelty below which a spectrum is unfamiliar.
    result : CoreLossPropertySignal or None
        What :meth:`predict` returned last.
    words : str
        What would become of the pixel at the pointer.
    problem : str
        What is wrong with the options, or empty.

    Raises
    ------
    SignalError
        If the signal does not contain real spectra along one signal axis.
    EnergyAxisError
        If the signal axis has no units of energy.
    """

    pretrained = t.Any()
    resolution = t.Any()
    background = t.Any("power law")
    background_range = t.Any()
    onset_range = t.Any()
    energy_offset = t.Any()
    energy_error = t.Any(USUAL_ENERGY_ERROR)
    novelty_level = t.Any(NOVELTY_LEVEL)
    # Signals that are compared make signals.
    result = t.Any(comparison_mode=t.ComparisonMode.identity)
    words = t.Str()
    problem = t.Str()
    closed = t.Bool(False)

    def __init__(
        self,
        signal: BaseSignal,
        predictor: Callable[..., Any],
        pretrained: Any = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        channel_energies(signal)  # what has no energy axis cannot be plotted either
        given = {"pretrained": pretrained, **(options or {})}
        super().__init__(**{name: given.pop(name) for name in CHOSEN if name in given})
        self._signal, self._predictor, self._others = signal, predictor, given
        for other in list(_OPEN):
            other._make_way(signal)
        _OPEN.add(self)
        self._plan: PredictionPlan | None = None
        self._planned_for: Any = None
        self._measured: float | None = None
        make = self._range_in_plot
        self._ranges = {
            "background_range": make("background_range", "background range", _BACKGROUND, (0, 0.5)),
            "onset_range": make("onset_range", "onset range", _ONSET, (0.5, 1)),
        }
        self._axes = self._ranges["onset_range"].axes
        # HyperSpy draws what is animated itself, and the spectrum last, unless others are above.
        drawn: dict[str, Any] = {
            "animated": self._axes.figure.canvas.supports_blit,
            "zorder": 6,
        }
        kept = {"scalex": False, "scaley": False, "linewidth": 1.6, **drawn}
        (self._background_line,) = self._axes.plot([], [], "--", color=_BACKGROUND, **kept)
        (self._threshold_line,) = self._axes.plot(
            [], [], color=_ONSET, transform=self._axes.get_xaxis_transform(), **kept
        )
        self._text = self._axes.text(
            0.985,
            0.97,
            "",
            transform=self._axes.transAxes,
            ha="right",
            va="top",
            multialignment="left",
            fontsize="small",
            **drawn,
        )
        self._box = {"facecolor": self._axes.get_facecolor(), "alpha": 0.85, "linewidth": 1.5}
        self._connect()
        self._options_changed()

    def __repr__(self) -> str:
        return (
            f"<InteractivePrediction of {title_of(self._signal)!r}: {self.problem or self.words}>"
        )

    @property
    def options(self) -> dict[str, Any]:
        """The options that :meth:`predict` passes on, by name."""
        return {**{name: getattr(self, name) for name in CHOSEN}, **self._others}

    def predict(self) -> Any:
        """Predict with the chosen options.

        Returns
        -------
        CoreLossPropertySignal
            What :func:`~hyperspy_coreloss.predict_properties` returns with :attr:`options`. It is
            kept in :attr:`result`.

        Raises
        ------
        CoreLossError
            As :func:`~hyperspy_coreloss.predict_properties` does.
        """
        self.result = self._predictor(self._signal, **self.options)
        return self.result

    def try_to_predict(self) -> None:
        """Predict as a button does: an error becomes the text :attr:`problem`."""
        try:
            self.predict()
        except _TOLD as error:
            self.problem = str(error)
            if not self.closed:
                self._write()

    def gui(self, display: bool = True, toolkit: str | Iterable[str] | None = None) -> Any:
        """Show the widgets of the options.

        Parameters
        ----------
        display
            Whether to show the widgets, or to return them by toolkit.
        toolkit
            Name of a toolkit, or several: ``"ipywidgets"``, ``"traitsui"``. By default, all are
            used that are installed and enabled in HyperSpy's preferences. If none is, this is
            logged, and the plot is all there is.

        Raises
        ------
        ValueError
            If a `toolkit` is named that is not installed.
        NotImplementedError
            If a `toolkit` is named that has no widgets for these options.
        """
        for name in TOOLKIT_REGISTRY & _WIDGETS.keys():
            UI_REGISTRY[TOOLKEY][name] = _WIDGETS[name]
        try:
            return get_gui(self, TOOLKEY, display=display, toolkit=toolkit)
        except (ImportError, ValueError, NotImplementedError) as error:
            if toolkit is not None:
                raise
            LOGGER.info("Drag the ranges in the plot: there are no widgets. %s", error)
            return None

    def close(self) -> None:
        """Remove the ranges from the plot, and the widgets. The plot of the spectra stays open.

        Options can still be set, and used by :meth:`predict`.
        """
        if self.closed:
            return
        self.closed = True
        _OPEN.discard(self)
        axes = self._signal.axes_manager
        for event in (axes.events.indices_changed, self._signal.events.data_changed):
            if self._show in event.connected:
                event.disconnect(self._show)
        self._axes.figure.canvas.mpl_disconnect(self._connection)
        for one in self._ranges.values():
            one.remove()
        for artist in (self._background_line, self._threshold_line, self._text):
            if artist.axes is not None:
                artist.remove()
        self._axes.figure.canvas.draw_idle()

    def _make_way(self, signal: BaseSignal) -> None:
        if self._signal is signal:
            self.close()

    def _range_in_plot(
        self, name: str, label: str, colour: str, part: tuple[float, float]
    ) -> DraggableRange:
        def dragged(limits: tuple[float, float]) -> None:
            setattr(self, name, limits)

        return DraggableRange(self._signal, label, colour, part, dragged, self.close)

    def _connect(self) -> None:
        self.observe(self._options_changed, list(CHOSEN))
        self._signal.axes_manager.events.indices_changed.connect(self._show, [])
        self._signal.events.data_changed.connect(self._show, [])
        self._connection = self._axes.figure.canvas.mpl_connect(
            "close_event", lambda _: self.close()
        )

    def _options_changed(self, _event: Any = None) -> None:
        """Plan the prediction anew, and show what it makes of the pixel at the pointer."""
        self._plan_anew()
        self._show()

    def _plan_anew(self) -> None:
        self._planned_for = _shape_and_axis(self._signal)
        try:
            self._plan, self.problem = self._planned(), ""
        except _TOLD as error:
            self._plan, self.problem = None, str(error)

    def _planned(self) -> PredictionPlan:
        options = {name: v for name, v in self.options.items() if name not in _OF_COMPUTATION}
        if self.resolution is None and options.get("low_loss") is not None:
            # Once, and not with every step of the mouse.
            if self._measured is None:
                self._measured = plan_prediction(self._signal, **options).resolution
            options["resolution"] = self._measured
        return plan_prediction(self._signal, **options)

    def _show(self) -> None:
        if not self.closed and not is_open(self._axes):
            self.close()  # not all backends tell that a figure is closed
        if self._planned_for != _shape_and_axis(self._signal):
            self._plan_anew()  # the plan is that of other channels
        preview = None
        if self._plan is not None:
            try:
                preview = preview_pixel(self._signal, self._plan)
            except _TOLD as error:
                self.problem = str(error)
            else:
                self.problem = ""
        if preview is not None and self._plan is not None:
            self.words = _in_words(preview, self._place(), self._plan.model.name)
        if not self.closed:
            self._draw(preview)
            self._write()

    def _draw(self, preview: PixelPreview | None) -> None:
        self._background_line.set_data([], [])
        self._threshold_line.set_data([], [])
        self._ranges["background_range"].show(self.background is not None)
        for name, one in self._ranges.items():
            given = _floats(getattr(self, name), self._signal)
            automatic = None if preview is None else getattr(preview, name)
            limits = given if given is not None else automatic
            if limits is not None and limits[0] < limits[1]:
                one.move_to(limits)
        if preview is None:
            return
        if self.background is not None:
            first = min(preview.background_range)
            shown = preview.position >= first
            self._background_line.set_data(preview.position[shown], preview.background[shown])
        self._threshold_line.set_data([preview.threshold] * 2, [0, 1])

    def _write(self) -> None:
        text = self.problem or self.words
        lines = (fill(line, _LETTERS, break_on_hyphens=False) for line in text.splitlines())
        self._text.set_text("\n".join(lines))
        edge = _WRONG if self.problem else "none"
        self._text.set_bbox({**self._box, "edgecolor": edge})
        self._axes.figure.canvas.draw_idle()

    def _place(self) -> Place:
        axes = self._signal.axes_manager
        return Place(tuple(axes.navigation_axes), tuple(axes.indices))


def _in_words(preview: PixelPreview, place: Place, model: str) -> str:
    where = str(place).removeprefix("the pixel at ")
    if preview.quality is Quality.GOOD:
        what = f"threshold at {preview.onset:.2f} eV: can be predicted"
    else:
        what = f"no prediction: {preview.quality.reason}"
    return f"{where}\n{what}\nmodel {model}"


def _shape_and_axis(signal: BaseSignal) -> tuple[Any, ...]:
    """Return what a plan depends on, of a signal that may be cropped in place."""
    axes = signal.axes_manager
    described = tuple((one.axis.tobytes(), str(one.units)) for one in axes.signal_axes)
    return signal.data.shape, signal.data.dtype, axes.navigation_shape, described


def _floats(limits: Any, signal: BaseSignal) -> tuple[float, float] | None:
    """Return the limits of an option as values of the axis, or None if they are none.

    Limits far outside the axis, of which Matplotlib draws none, become closer ones.
    """
    axis = signal.axes_manager.signal_axes[0]
    try:
        low, high = sorted(
            float(axis.index2value(one) if isinstance(one, Integral) else one) for one in limits
        )
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if np.isnan(low) or np.isnan(high):
        return None
    first, last = np.min(axis.axis), np.max(axis.axis)
    low, high = np.clip((low, high), 2 * first - last, 2 * last - first).tolist()
    return low, high
