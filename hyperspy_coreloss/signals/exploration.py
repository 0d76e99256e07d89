"""A result to look around in: a map with a pointer, and all that is known of the pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.widgets import CheckButtons, Slider

from hyperspy_coreloss.dataset.surroundings_drawing import draw_surroundings
from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.families import list_pretrained
from hyperspy_coreloss.properties import property_index
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, needed_axis
from hyperspy_coreloss.signals.computed_pixels import ComputedPixels, PixelValues
from hyperspy_coreloss.signals.explorer_panels import (
    POINTED,
    draw_map,
    draw_measured,
    draw_read,
    draw_value,
    draw_words,
    ink,
    lay_out,
    site_colours,
)
from hyperspy_coreloss.signals.measured_spectrum import measured_spectrum
from hyperspy_coreloss.signals.metadata import AMBIGUITY, recorded_model, title_of
from hyperspy_coreloss.signals.nearest_sites import (
    nearest_sites,
    predicting_model,
    training_dataset,
)
from hyperspy_coreloss.signals.place import find_place
from hyperspy_coreloss.signals.positions import items_along
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.signals.nearest_sites import NearSite
    from hyperspy_coreloss.signals.place import Place

#: Coverages that the keys and the slider step through.
LEVELS = (0.5, 0.68, 0.8, 0.9, 0.95, 0.99)
# Novelty below which a pixel is not believed: one in twenty spectra of new phases is as unusual.
_UNUSUAL = 0.05
_MAPS = ("quality", "novelty", "onset", AMBIGUITY)
_KEYS = "ctrl + arrows: move     , and . : property     - and + : coverage     b: believable only"


class Exploration:
    """A figure in which a result is looked at pixel by pixel.

    A pixel is selected with the mouse in the map, with the keys of HyperSpy's plots, or by
    ``axes_manager.indices`` of the result: the pointer of ``plot`` is the same one.

    Parameters
    ----------
    result
        Result with the properties along its only signal axis.
    signal
        Spectra that the properties were predicted from, or None.
    name
        Property whose map is shown; None is the first.
    level
        Coverage of the intervals, between 0 and 1.
    k
        Number of nearest computed sites that are shown.
    pretrained, dataset
        Model of the prediction and the data set of its training, if they are not shipped.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    property_name : str
        Property whose map is shown.
    level : float
        Coverage of the intervals.
    believable_only : bool
        Whether pixels are hidden that :meth:`show_believable` calls unbelievable.
    """

    def __init__(
        self,
        result: BaseSignal,
        signal: BaseSignal | None = None,
        name: str | None = None,
        level: float = 0.9,
        *,
        k: int = 3,
        pretrained: str | Path | PretrainedModel | None = None,
        dataset: SpectrumDataset | None = None,
    ) -> None:
        axes = result.axes_manager.signal_axes
        if [axis.name for axis in axes] != [PROPERTY_AXIS]:
            result = result.as_signal1D(needed_axis(result).index_in_array)
        self._result, self._signal, self._k = result, signal, k
        self._names = items_along(result, "names")
        self._labels = items_along(result, "labels")
        self._selected = 0 if name is None else property_index(name, self._names)
        self.level = _checked(level)
        self.believable_only = False
        self._model, self._dataset = _training(result, signal, pretrained, dataset)
        self._pixels = ComputedPixels(result)
        self._navigation = result.axes_manager.navigation_axes
        self.figure, self._panels = lay_out(
            self._names, n_sites=k if signal is not None else 0, with_map=bool(self._navigation)
        )
        self._thumbnails = [one for key, one in self._panels.items() if key.startswith("site")]
        self._colour_bar: Any = None
        self._pointer: list[Any] = []
        self._add_widgets()
        self._connect()
        self._update(everything=True)

    def __repr__(self) -> str:
        return f"<Exploration of {title_of(self._result)!r} at {self._place}>"

    @property
    def property_name(self) -> str:
        """Property whose map is shown."""
        return self._names[self._selected]

    def show_property(self, name: str) -> None:
        """Show the map of one property.

        Parameters
        ----------
        name
            One of the ``property_names`` of the result.

        Raises
        ------
        UnknownPropertyError
            If the result has no property of that name.
        """
        self._selected = property_index(name, self._names)
        self._update(everything=True)

    def set_level(self, level: float) -> None:
        """Set the coverage of the intervals.

        Parameters
        ----------
        level
            The probability that an interval contains the true value, between 0 and 1.

        Raises
        ------
        SignalError
            If `level` is not between 0 and 1.
        """
        self.level = _checked(level)
        self._slider.eventson = False
        self._slider.set_val(self.level)
        self._slider.eventson = True
        self._update(everything=self.believable_only)

    def show_believable(self, only: bool = True) -> None:
        """Hide the pixels that should not be believed, or show them again.

        These are pixels whose novelty is below 0.05, and pixels whose interval is as wide as the
        interval of the same coverage of all computed sites of the training: their spectra do not
        tell the property.
        """
        self.believable_only = bool(only)
        if self._check.get_status()[0] != self.believable_only:
            self._check.eventson = False
            self._check.set_active(0)
            self._check.eventson = True
        self._update(everything=True)

    def close(self) -> None:
        """Close the figure."""
        self._disconnect()  # not all backends tell that a figure is closed
        plt.close(self.figure)

    @property
    def _place(self) -> Place:
        return find_place(self._result, self._result.axes_manager.indices)

    def _add_widgets(self) -> None:
        place = self.figure.add_axes((0.13, 0.025, 0.15, 0.025))
        self._slider = Slider(place, "coverage", 0.5, 0.99, valinit=self.level, valstep=LEVELS)
        place = self.figure.add_axes((0.34, 0.012, 0.15, 0.05), frameon=False)
        self._check = CheckButtons(
            place,
            ["believable only"],
            frame_props={"edgecolor": ink()},
            check_props={"color": POINTED},
        )
        self._slider.on_changed(self.set_level)
        self._check.on_clicked(lambda _: self.show_believable(self._check.get_status()[0]))
        self.figure.text(0.985, 0.03, _KEYS, ha="right", fontsize="x-small", alpha=0.8)
        self._status = self.figure.text(0.045, 0.965, "", va="center")

    def _connect(self) -> None:
        events, canvas = self._result.axes_manager.events, self.figure.canvas
        events.indices_changed.connect(self._pointed, [])
        # Matplotlib holds methods weakly, and functions not.
        canvas.mpl_connect("button_press_event", lambda event: self._click(event))
        canvas.mpl_connect("motion_notify_event", lambda event: self._drag(event))
        canvas.mpl_connect("key_press_event", lambda event: self._key(event))
        canvas.mpl_connect(
            "close_event", lambda _: events.indices_changed.disconnect(self._pointed)
        )

    def _disconnect(self) -> None:
        moved = self._result.axes_manager.events.indices_changed
        if self._pointed in moved.connected:
            moved.disconnect(self._pointed)

    def _pointed(self) -> None:
        complete = self._pixels.complete
        deep = len(self._navigation) > 2  # another map may be the one to show
        self._update(everything=deep or not complete)

    def _click(self, event: Any) -> None:
        toolbar = self.figure.canvas.toolbar
        if event.button != 1 or (toolbar is not None and toolbar.mode):
            return
        for name in self._names:
            if event.inaxes is self._panels[name]:
                self.show_property(name)
                return
        self._drag(event)

    def _drag(self, event: Any) -> None:
        toolbar = self.figure.canvas.toolbar
        busy = toolbar is not None and toolbar.mode
        if event.inaxes is not self._panels.get("map") or event.button != 1 or busy:
            return
        given = (event.xdata, event.ydata)[: len(self._navigation)]
        shown = self._navigation[: len(given)]
        indices = [
            int(np.abs(axis.axis - one).argmin()) for axis, one in zip(shown, given, strict=True)
        ]
        rest = self._result.axes_manager.indices[len(indices) :]
        self._result.axes_manager.indices = (*indices, *rest)

    def _key(self, event: Any) -> None:
        if event.key in (",", "."):
            step = 1 if event.key == "." else -1
            self.show_property(self._names[(self._selected + step) % len(self._names)])
        elif event.key in ("-", "+"):
            row = int(np.abs(np.subtract(LEVELS, self.level)).argmin())
            row += 1 if event.key == "+" else -1
            self.set_level(LEVELS[min(max(row, 0), len(LEVELS) - 1)])
        elif event.key == "b":
            self.show_believable(not self.believable_only)
        else:
            self._result.axes_manager.key_navigator(event)

    def _update(self, *, everything: bool = False) -> None:
        place = self._place
        pixel = self._pixels.at(place, _MAPS, self.level)
        if everything and "map" in self._panels:
            self._draw_map()
        self._draw_pointer(place)
        sites = self._draw_spectra(place) if self._signal is not None else ()
        for number, name in enumerate(self._names):
            draw_value(
                self._panels[name],
                self._labels[number],
                (pixel.values[number], pixel.half_widths[number]),
                self._usual(number),
                [site.properties[name] for site in sites],
                number == self._selected,
            )
        self._status.set_text(self._words(place, pixel))
        self.figure.canvas.draw_idle()

    def _draw_map(self) -> None:
        panel = self._panels["map"]
        values = self._pixels.map_of(self._selected)
        if self.believable_only:
            values = np.where(self._believable(), values, np.nan)
        rest = self._result.axes_manager.indices[2:]
        values = values[tuple(rest[::-1])]
        if self._colour_bar is not None:
            self._colour_bar.remove()
            self._colour_bar = None
        drawn = draw_map(panel, values, self._navigation[:2])
        self._pointer = []
        panel.set_title(self._labels[self._selected], fontsize="medium")
        if values.ndim == 2 and np.isfinite(values).any():
            beside = panel.inset_axes((1.03, 0.0, 0.04, 1.0))
            self._colour_bar = beside
            self.figure.colorbar(drawn, cax=beside)

    def _believable(self) -> NDArray[np.bool_]:
        """Return whether each pixel is usual, and its interval narrower than that of all sites."""
        usual = self._usual(self._selected)
        half = self._pixels.half_widths_of(self._selected, self.level)
        believable = np.ones(half.shape, dtype=bool)
        novelty = self._pixels.companion("novelty")
        if novelty is not None:
            believable &= ~(novelty < _UNUSUAL)
        if self._model is not None and np.isfinite(usual).any():
            tail = (1 - self.level) / 2
            low, high = np.nanquantile(usual, [tail, 1 - tail])
            believable &= ~(2 * half >= high - low)
        return believable

    def _draw_pointer(self, place: Place) -> None:
        if "map" not in self._panels:
            return
        for artist in self._pointer:
            artist.remove()
        panel = self._panels["map"]
        thin: dict[str, Any] = {"color": POINTED, "linewidth": 0.7, "alpha": 0.7}
        where = [float(axis.axis[i]) for axis, i in zip(place.axes, place.indices, strict=True)]
        self._pointer = [panel.axvline(where[0], **thin)]
        if len(where) == 1:
            return
        steps = [np.ptp(axis.axis) / max(axis.size - 1, 1) or 1.0 for axis in place.axes[:2]]
        corner = (where[0] - steps[0] / 2, where[1] - steps[1] / 2)
        box = Rectangle(corner, *steps, fill=False, edgecolor=POINTED, linewidth=2)
        self._pointer += [panel.axhline(where[1], **thin), panel.add_patch(box)]

    def _draw_spectra(self, place: Place) -> Sequence[NearSite]:
        assert self._signal is not None
        assert self._model is not None
        block, there = self._pixels.block_at(place)
        measured = measured_spectrum(block, there, self._signal, self._model)
        draw_measured(self._panels["measured"], measured)
        for panel in self._thumbnails:
            panel.clear()
            panel.set_axis_off()
        try:
            found = nearest_sites(
                block, there.indices, self._signal, self._k, self._model, self._dataset
            )
        except SignalError as error:
            draw_words(self._panels["read"], str(error))
            return ()
        draw_read(self._panels["read"], found.energy, found.spectrum, found.sites)
        colours = site_colours(len(found.sites))
        for panel, site, colour in zip(self._thumbnails, found.sites, colours, strict=True):
            draw_surroundings(panel, site.site, labels=False)
            panel.set_title(f"{site.phase} ({site.population})", fontsize="x-small")
            panel.text(0.0, 0.88, "▼", color=colour, transform=panel.transAxes)
        return found.sites

    def _usual(self, number: int) -> NDArray:
        """Return values of the computed sites of the training, or else of the map."""
        if self._dataset is None or self._model is None or self._model.references is None:
            return self._pixels.map_of(number).ravel()
        column = self._model.property_names.index(self._names[number])
        return self._dataset.targets[self._model.references.sites, column]

    def _words(self, place: Place, pixel: PixelValues) -> str:
        words = [str(place).removeprefix("the pixel at ")]
        maps = {name: float(one[0]) for name, one in pixel.maps.items()}
        if "quality" in maps:
            words.append(Quality(int(maps["quality"])).phrase)
        if np.isfinite(maps.get("novelty", np.nan)):
            words.append(f"novelty {maps['novelty']:.2g}")
        if np.isfinite(maps.get(AMBIGUITY, np.nan)):
            ambiguity = float(pixel.maps[AMBIGUITY][self._selected])
            label = self._labels[self._selected]
            words.append(f"ambiguity of the {label} {ambiguity:.2g}")
        if np.isfinite(maps.get("onset", np.nan)):
            words.append(f"threshold {maps['onset']:.2f} eV")
        return "   |   ".join(words)


def _checked(level: float) -> float:
    if not 0 < level < 1:
        msg = f"level must be a coverage between 0 and 1, but it is {level!r}."
        raise SignalError(msg)
    return float(level)


def _training(
    result: BaseSignal,
    signal: BaseSignal | None,
    pretrained: str | Path | PretrainedModel | None,
    dataset: SpectrumDataset | None,
) -> tuple[PretrainedModel | None, SpectrumDataset | None]:
    """Return the model of a result and the data set of its training, as far as they are known."""
    shipped = recorded_model(result).get("name") in list_pretrained()
    if pretrained is None and signal is None and not shipped:
        return None, None
    model = predicting_model(result, pretrained)
    if model.references is None:
        return model, None
    return model, training_dataset(model, dataset)
