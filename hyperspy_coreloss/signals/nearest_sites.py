"""The computed sites whose spectra are most like that of one pixel, and what their oxygen is in."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, cast

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.dataset.shipped import oxygen_k_sites
from hyperspy_coreloss.errors import DatasetError, SignalError
from hyperspy_coreloss.pretrained.families import load_pretrained
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.pretrained.trust import distances, near
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS, array_axes
from hyperspy_coreloss.signals.held_out_errors import scores_of
from hyperspy_coreloss.signals.metadata import SPREAD, get_map, options_of, pretrained_of
from hyperspy_coreloss.signals.positions import items_along, property_positions
from hyperspy_coreloss.signals.spectrum_axis import channel_energies
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.pretrained.references import References
    from hyperspy_coreloss.spectra.recipe import Background

_LEVEL = 0.9
# Largest difference in eV of the thresholds of one spectrum, read twice.
_SAME = 0.02
_WIDTH, _HEIGHT = 11.0, 6.5  # inches


@dataclass(frozen=True, slots=True)
class NearSite:
    """A computed site whose spectrum is like that of a pixel.

    Parameters
    ----------
    name, structure, phase, population
        Name of the site, of its structure and its phase, and its population in the data set.
    distance
        Distance of its spectrum to that of the pixel, divided by the median distance of spectra of
        new phases to the nearest site: below 1, they are as alike as spectra of silica are.
    properties
        Labels of the site by the name of the property.
    spectrum
        Its computed spectrum as the network would read it, shape (channels,).
    """

    name: str
    structure: str
    phase: str
    population: str
    distance: float
    properties: Mapping[str, float]
    spectrum: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NearestSites:
    """A pixel and the computed sites whose spectra are most like its own; prints as a table.

    Parameters
    ----------
    where
        The pixel, in words.
    predicted
        Predicted value of each property by name; NaN without a prediction.
    half_widths
        Half width of its 90 % interval by name; NaN if there is none.
    labels
        Name and unit of each property by name.
    energy
        Energies of the window that the network reads in eV above the threshold, shape (channels,).
    spectrum
        Spectrum of the pixel as the network reads it, of unit area, shape (channels,).
    sites
        The sites, the nearest first.
    """

    where: str
    predicted: Mapping[str, float]
    half_widths: Mapping[str, float]
    labels: Mapping[str, str]
    energy: NDArray[np.floating]
    spectrum: NDArray[np.float32]
    sites: tuple[NearSite, ...]

    def __str__(self) -> str:
        width = max(map(len, self.labels.values()))
        heads = ["predicted", *(site.name for site in self.sites)]
        columns = [max(len(head), 10) for head in heads]
        rows = [heads, ["", *(site.population for site in self.sites)]]
        rows.append(["", *(f"{site.distance:.2f}" for site in self.sites)])
        rows += [
            [
                f"{self.predicted[name]:.4g}",
                *(f"{site.properties[name]:.4g}" for site in self.sites),
            ]
            for name in self.labels
        ]
        names = ["", "population", "distance", *self.labels.values()]
        lines = [f"Computed sites whose spectra are most like that of {self.where}"]
        for name, row in zip(names, rows, strict=True):
            cells = (cell.rjust(size) for cell, size in zip(row, columns, strict=True))
            lines.append(f"{name:{width}}  {'  '.join(cells)}")
        return "\n".join(lines)

    __repr__ = __str__

    def plot(self) -> Figure:
        """Plot the spectra over one another, and the properties of the sites beside the pixel's."""
        figure = plt.figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        rows = -(-len(self.labels) // 2)
        grid = figure.add_gridspec(rows, 3, width_ratios=(2.4, 1, 1))
        colours = plt.get_cmap("viridis")(np.linspace(0.1, 0.85, len(self.sites)))
        self._draw_spectra(figure.add_subplot(grid[:, 0]), colours)
        for number, name in enumerate(self.labels):
            panel = figure.add_subplot(grid[number // 2, 1 + number % 2])
            self._draw_property(panel, name, colours)
        figure.suptitle(f"Computed sites whose spectra are most like that of {self.where}")
        return figure

    def _draw_spectra(self, panel: Axes, colours: NDArray) -> None:
        panel.plot(
            self.energy, self.spectrum, color="black", linewidth=2, label="the pixel, as read"
        )
        for site, colour in zip(self.sites, colours, strict=True):
            label = f"{site.name} ({site.population}), distance {site.distance:.2f}"
            panel.plot(self.energy, site.spectrum, color=colour, linewidth=1, label=label)
        panel.set_xlabel("energy above the threshold (eV)")
        panel.set_ylabel("intensity (unit area)")
        panel.legend(loc="upper right", fontsize="small")

    def _draw_property(self, panel: Axes, name: str, colours: NDArray) -> None:
        value, half = self.predicted[name], self.half_widths[name]
        if np.isfinite(value):
            panel.axvline(value, color="black")
        if np.isfinite(value) and np.isfinite(half):
            panel.axvspan(value - half, value + half, color="0.85")
        for row, (site, colour) in enumerate(zip(self.sites, colours, strict=True)):
            panel.plot(site.properties[name], row, "o", color=colour)
        panel.set_ylim(len(self.sites) - 0.5, -0.5)
        panel.set_yticks([])
        panel.locator_params(axis="x", nbins=4)
        panel.set_xlabel(self.labels[name], fontsize="small")


def nearest_sites(
    result: BaseSignal,
    position: int | float | Sequence[int | float],
    signal: BaseSignal,
    k: int,
    pretrained: str | Path | PretrainedModel | None,
    dataset: SpectrumDataset | None,
) -> NearestSites:
    """Return the computed sites whose spectra are most like that of one pixel of a result.

    The parameters and errors are those of
    :meth:`hyperspy_coreloss.CoreLossPropertySignal.nearest_sites`.
    """
    model = _model_of(result, pretrained)
    references = model.references
    if references is None:
        msg = (
            f"The model {model.name!r} has no computed sites to compare spectra with, because it "
            "is of an early version. Predict with a model of this version."
        )
        raise SignalError(msg)
    dataset = _dataset_of(model, dataset)
    if not isinstance(k, Integral) or not 1 <= k <= len(references.sites):
        msg = f"k must be a number of sites from 1 to {len(references.sites)}, but it is {k!r}."
        raise SignalError(msg)
    place = _place(result, position)
    read = _read(result, place, signal, model)
    found, rows = distances(references.spectrum, near(references.spectrum, read), k)
    names = items_along(result, "names")
    values = _values_at(place, result.data)
    return NearestSites(
        where=str(place),
        predicted=dict(zip(names, values.tolist(), strict=True)),
        half_widths=dict(zip(names, _half_widths(result, place).tolist(), strict=True)),
        labels=dict(zip(names, items_along(result, "labels"), strict=True)),
        energy=model.recipe.window.grid,
        spectrum=read[0],
        sites=_described(references, rows[0], found[0], dataset, model),
    )


def _described(
    references: References,
    rows: NDArray[np.integer],
    distance: NDArray[np.floating],
    dataset: SpectrumDataset,
    model: PretrainedModel,
) -> tuple[NearSite, ...]:
    chosen = dataset.take(references.sites[rows])
    spectra = network_inputs(chosen, model.recipe)
    usual = float(np.median(references.spectrum.distances.astype(np.float64)))
    return tuple(
        NearSite(
            name=site.name,
            structure=site.structure.name,
            phase=site.structure.phase,
            population=site.population,
            distance=float(far) / usual,
            properties={name: float(site.labels[name]) for name in model.property_names},
            spectrum=spectrum,
        )
        for site, far, spectrum in zip(chosen.sites, distance, spectra, strict=True)
    )


def _model_of(
    result: BaseSignal, pretrained: str | Path | PretrainedModel | None
) -> PretrainedModel:
    name, sha256 = pretrained_of(result)
    model = load_pretrained(name if pretrained is None else pretrained)
    if model.sha256 != sha256:
        msg = (
            f"The result is of the model {name!r} with the SHA-256 {sha256[:12]}, but the model "
            f"{model.name!r} that was found has {model.sha256[:12]}. Give pretrained=, the file of "
            "the model of the result, or predict again."
        )
        raise SignalError(msg)
    return model


def _dataset_of(model: PretrainedModel, dataset: SpectrumDataset | None) -> SpectrumDataset:
    dataset = oxygen_k_sites() if dataset is None else dataset
    if dataset.sha256 != model.record.dataset_sha256:
        msg = (
            f"The sites are those of the data set that the model {model.name!r} was trained on, "
            f"with the SHA-256 {model.record.dataset_sha256[:12]}, but this data set has "
            f"{dataset.sha256[:12]}. Give dataset=, the data set of the training."
        )
        raise DatasetError(msg)
    return dataset


@dataclass(frozen=True, slots=True)
class _Place:
    """A position of the spectra, along their navigation axes in the order of HyperSpy."""

    axes: tuple[Any, ...]
    indices: tuple[int, ...]

    def __str__(self) -> str:
        if not self.axes:
            return "the spectrum"
        words = []
        for number, (axis, index) in enumerate(zip(self.axes, self.indices, strict=True)):
            name = axis.name if isinstance(axis.name, str) and axis.name else f"axis {number}"
            unit = f" {axis.units}" if isinstance(axis.units, str) and axis.units else ""
            words.append(f"{name} = {axis.axis[index]:g}{unit}")
        return f"the pixel at {', '.join(words)}"


def _place(result: BaseSignal, position: Any) -> _Place:
    """Return a position, given as in ``inav``: whole numbers are indices, others axis values."""
    axes = [axis for axis in array_axes(result)[::-1] if axis.name != PROPERTY_AXIS]
    given = list(position) if np.ndim(position) else [position] if axes else []
    if len(given) != len(axes) or not all(isinstance(one, Real) for one in given):
        msg = (
            f"The position of a pixel needs a number for each of the {len(axes)} navigation axes, "
            f"as in inav[...], but it is {position!r}."
        )
        raise SignalError(msg)
    indices = []
    for axis, one in zip(axes, given, strict=True):
        index = axis.value2index(one) if isinstance(one, (float, np.floating)) else int(one)
        if not -axis.size <= index < axis.size:
            msg = (
                f"The navigation axis {axis.name!r} has {axis.size} pixels, so that it has none at "
                f"the index {index}. Give a position inside the map."
            )
            raise SignalError(msg)
        indices.append(int(index) % axis.size)
    return _Place(tuple(axes), tuple(indices))


def _values_at(place: _Place, data: Any) -> NDArray[np.float64]:
    """Return the values of all properties at one place, of an array like that of a result."""
    indices: list[Any] = [slice(None)] * data.ndim
    for axis, index in zip(place.axes, place.indices, strict=True):
        indices[axis.index_in_array] = index
    return np.ravel(np.asarray(data[tuple(indices)], dtype=np.float64))


def _half_widths(result: BaseSignal, place: _Place) -> NDArray[np.floating]:
    """Return the half widths of the 90 % intervals at one place; NaN if there are none."""
    scores, spread = scores_of(result), get_map(result, SPREAD)
    positions = property_positions(result)
    if scores is None:
        return np.full(len(positions), np.nan)
    widths = conformal_half_width(scores, _LEVEL)[positions]
    return widths if spread is None else widths * _values_at(place, spread.data)


def _read(
    result: BaseSignal, place: _Place, signal: BaseSignal, model: PretrainedModel
) -> NDArray[np.float32]:
    """Return the spectrum at one place of the spectra as the model reads it, shape (1, channels).

    Only this spectrum is computed. It is found by its place on the axes, because a result may have
    been sliced.
    """
    options = options_of(result)
    if options is None:
        msg = (
            "The nearest sites are those of a predicted pixel, but this signal is not predicted. "
            "Take the signal that predict_properties returned."
        )
        raise SignalError(msg)
    energy = options.energies(channel_energies(signal))
    navigation = signal.axes_manager.navigation_axes
    if len(navigation) != len(place.axes):
        msg = (
            f"The spectra need the {len(place.axes)} navigation axes of the result, but they have "
            f"{len(navigation)}. Give the signal that the properties were predicted from."
        )
        raise SignalError(msg)
    coordinates = (float(axis.axis[i]) for axis, i in zip(place.axes, place.indices, strict=True))
    indices = tuple(
        axis.value2index(value) for axis, value in zip(navigation, coordinates, strict=True)
    )
    counts = np.asarray(signal.data[indices[::-1]])[None]
    preparation = prepare(
        model.recipe,
        energy,
        resolution=options.resolution or 0.0,
        binned=signal.axes_manager.signal_axes[0].is_binned,
        background=cast("Background", options.background),
        background_range=options.background_range,
        onset_range=options.onset_range,
        energy_offset=options.energy_offset if model.recipe.window.origin == "absolute" else None,
    )
    read = preprocess(counts, preparation)
    if read.quality[0] != Quality.GOOD:
        msg = (
            f"The spectrum of {place} cannot be read: {Quality(int(read.quality[0])).reason}. "
            "Choose a pixel with a prediction, or an unfamiliar one."
        )
        raise SignalError(msg)
    _check_same(result, place, float(read.onset[0]))
    return read.spectra


def _check_same(result: BaseSignal, place: _Place, onset: float) -> None:
    """Check by its threshold that a spectrum is the one that a pixel was predicted from."""
    recorded, zero_loss = get_map(result, "onset"), get_map(result, "zero_loss")
    if recorded is None:
        msg = (
            "The nearest sites are those of single spectra, but spectra were combined, as by mean "
            "or rebin. Take a pixel of the signal that predict_properties returned."
        )
        raise SignalError(msg)
    expected = [_values_at(place, recorded.data)[0]]
    if zero_loss is not None:  # from which thresholds are counted, unless the axis is calibrated
        expected.append(expected[0] + _values_at(place, zero_loss.data)[0])
    # Of pixels that were excluded, no threshold is recorded: NaN differs by no number.
    if all(abs(onset - one) > _SAME for one in expected):
        msg = (
            f"The spectrum of {place} has its threshold at {onset:.2f} eV, but that of the result "
            f"has {expected[-1]:.2f} eV. Give the signal that the properties were predicted from."
        )
        raise SignalError(msg)
