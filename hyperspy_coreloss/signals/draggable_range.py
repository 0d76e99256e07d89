"""A range of energies in HyperSpy's plot of spectra, which the mouse drags.

Ranges may overlap, as those of a background and of a threshold do. So each of them has a part of
the height of the plot, where it is drawn and where it takes the mouse.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from hyperspy.api import roi
from hyperspy.signals import BaseSignal, LazySignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# Significant digits of a limit that was dragged: 0.01 eV of 500 eV, finer than a pixel of a screen.
_DIGITS = 5


class DraggableRange:
    """A range of the signal axis that the mouse drags: its edges, or all of it.

    Parameters
    ----------
    signal
        Spectra, which are plotted.
    label
        Text in the range.
    colour
        Colour of the range.
    part
        Lower and upper end of the range as fractions of the height of the plot.
    dragged
        Called with the two limits, as values of the axis, whenever the mouse has changed them.
    closed
        Called when the plot is closed.

    Attributes
    ----------
    axes : matplotlib.axes.Axes
        Where the range is drawn.
    """

    def __init__(
        self,
        signal: BaseSignal,
        label: str,
        colour: Any,
        part: tuple[float, float],
        dragged: Callable[[tuple[float, float]], None],
        closed: Callable[[], None],
    ) -> None:
        self._signal, self._part, self._dragged = signal, part, dragged
        self.axes = axes_of_plot(signal)
        # HyperSpy's span takes the mouse over the whole height. The plot calls in the order of
        # connection, so that this decides first whether the span is active.
        self._connections = [
            self.axes.figure.canvas.mpl_connect(name, lambda event: self._yield(event))
            for name in ("button_press_event", "motion_notify_event")
        ]
        self._connections.append(
            self.axes.figure.canvas.mpl_connect("button_release_event", lambda _: self._release())
        )
        self._roi = roi.SpanROI()
        self._widget = self._roi.add_widget(
            signal, axes=_signal_axes(signal), color=colour, snap=False, alpha=0.2
        )
        self._artists = self._widget.span.artists
        area, *edges = self._artists
        area.set_y(part[0])
        area.set_height(part[1] - part[0])
        for edge in edges:
            edge.set_ydata(part)
        # Beside the lower edge, and away from the middle of the plot, where the spectrum is.
        lower = part[0] == 0
        self._text = self.axes.annotate(
            label,
            (0.0, 0.02 if lower else part[1] - 0.02),
            xycoords=self.axes.get_xaxis_transform(),
            xytext=(2, 0),
            textcoords="offset points",
            rotation=90,
            color=colour,
            fontsize="small",
            ha="left",
            va="bottom" if lower else "top",
            clip_on=True,
        )
        # Where it is until it has limits: the lower one before the other.
        axis = np.sort(signal.axes_manager.signal_axes[0].axis)
        fifths = axis[0] + np.ptp(axis) * np.arange(6) / 5
        self._closed, self._told, self._gone, self._hidden = closed, self.limits, False, False
        self.move_to((fifths[0], fifths[1]) if lower else (fifths[1], fifths[3]))
        self._shown_at = self._cost = 0.0
        self._roi.events.changed.connect(self._changed, [])
        self._widget.events.closed.connect(self._plot_closed, [])

    @property
    def limits(self) -> tuple[float, float]:
        """The limits, as values of the axis."""
        return float(self._roi.left), float(self._roi.right)

    def move_to(self, limits: tuple[float, float]) -> None:
        """Show other limits, which are not those of the mouse.

        Parameters
        ----------
        limits
            Two values of the axis, in any order.
        """
        low, high = sorted(limits)
        if (low, high) != self.limits:
            with self._roi.events.changed.suppress():
                # One after the other, they must not cross.
                if low >= self._roi.right:
                    self._roi.right = high
                self._roi.left = low
                self._roi.right = high
        self._label_at(low)
        self._told = self.limits

    def show(self, shown: bool = True) -> None:
        """Show the range, or hide it, so that it cannot be dragged."""
        self._hidden = not shown
        for artist in (*self._artists, self._text):
            artist.set_visible(shown)

    def remove(self) -> None:
        """Remove the range from the plot."""
        for one in self._connections:
            self.axes.figure.canvas.mpl_disconnect(one)
        self._connections = []
        if self._plot_closed in self._widget.events.closed.connected:
            self._widget.events.closed.disconnect(self._plot_closed)
        if self._changed in self._roi.events.changed.connected:
            self._roi.events.changed.disconnect(self._changed)
        if not self._gone:
            _remove(self._roi, self._signal, self._artists)
        if self._text.axes is not None:
            self._text.remove()

    def _plot_closed(self) -> None:
        self._gone = True  # HyperSpy is removing the span, and fails if it is asked to again
        self._closed()

    def _label_at(self, low: float) -> None:
        self._text.xy = (low, self._text.xy[1])

    def _changed(self) -> None:
        self._label_at(self.limits[0])
        # Steps of the mouse come faster than spectra are read: some are left out, never the last.
        if monotonic() >= self._shown_at + self._cost:
            self._tell()

    def _tell(self) -> None:
        begin = monotonic()
        low, high = (float(f"{limit:.{_DIGITS}g}") for limit in self.limits)
        if low < high:
            self._dragged((low, high))
        self._shown_at = monotonic()
        self._cost = self._shown_at - begin
        self._told = self.limits

    def _release(self) -> None:
        if self._widget.span is not None and self.limits != self._told:
            self._tell()

    def _yield(self, event: Any) -> None:
        """Leave the mouse to others unless it is in the part of this range; not while it drags."""
        if self._widget.span is None or event.inaxes is not self.axes:
            return
        if event.name == "motion_notify_event" and event.button is not None:
            return
        height = self.axes.transAxes.inverted().transform((event.x, event.y))[1]
        active = self._part[0] <= height < self._part[1] and not self._hidden
        if active != self._widget.span.active:
            self._widget.span.active = active


def axes_of_plot(signal: BaseSignal) -> Axes:
    """Return the axes in which spectra are plotted; plot them if they are not.

    Of lazy spectra without a navigator, none is computed: the map below the pointer is empty.

    Parameters
    ----------
    signal
        Spectra along one signal axis.
    """
    probe = roi.SpanROI()
    options = {"axes": _signal_axes(signal), "snap": False}
    try:
        widget = probe.add_widget(signal, **options)
    except RuntimeError:  # HyperSpy's word for a signal that has no plot
        pass
    else:
        if is_open(widget.ax):
            return _taken(probe, signal, widget)
        _taken(probe, signal, widget)
    signal.plot(navigator=_navigator(signal))
    return _taken(probe, signal, probe.add_widget(signal, **options))


def is_open(axes: Axes) -> bool:
    """Return whether the figure of axes is among those of pyplot.

    Not all backends tell that a figure is closed, and a new figure may have the number of another.
    """
    figure = axes.figure.canvas.figure
    if not plt.fignum_exists(figure.number):
        return False
    active = plt.gcf()
    found = plt.figure(figure.number)
    plt.figure(active.number)
    return found is figure


def _taken(probe: roi.SpanROI, signal: BaseSignal, widget: Any) -> Axes:
    """Return the axes of a widget that is removed again."""
    found: Axes = widget.ax
    _remove(probe, signal, widget.span.artists)
    return found


def _remove(span: roi.SpanROI, signal: BaseSignal, artists: Iterable[Artist]) -> None:
    span.remove_widget(signal)
    for artist in artists:  # which HyperSpy hides
        if artist.axes is not None:
            artist.remove()


def _signal_axes(signal: BaseSignal) -> list[Any]:
    return [signal.axes_manager.signal_axes[0]]


def _navigator(signal: BaseSignal) -> Any:
    """Return the navigator of a plot for which no more is computed than the pixel that is shown."""
    if not isinstance(signal, LazySignal) or signal.navigator is not None:
        return "auto"
    axes = signal.axes_manager.navigation_axes[::-1]
    if not axes:
        return None
    if not all(axis.is_uniform for axis in axes):
        return "slider"
    described = [axis.get_axis_dictionary() for axis in axes]
    return BaseSignal(np.zeros([axis.size for axis in axes]), axes=described)
