"""The computed sites whose spectra are most like that of one pixel, and what their oxygen is in."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.dataset.shipped import oxygen_k_sites
from hyperspy_coreloss.dataset.surroundings_drawing import draw_surroundings
from hyperspy_coreloss.errors import DatasetError, SignalError
from hyperspy_coreloss.pretrained.families import load_pretrained
from hyperspy_coreloss.pretrained.trust import distances, near
from hyperspy_coreloss.signals.measured_spectrum import check_same, measured_spectrum
from hyperspy_coreloss.signals.metadata import recorded_model
from hyperspy_coreloss.signals.place import find_place, half_widths_at, values_at
from hyperspy_coreloss.signals.positions import items_along
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.computed_site import ComputedSite
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.pretrained.references import References

_WIDTH, _HEIGHT = 11.0, 6.5  # inches
_PICTURES = 5


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
    site
        The computed site itself, with its structure.
    """

    name: str
    structure: str
    phase: str
    population: str
    distance: float
    properties: Mapping[str, float]
    spectrum: NDArray[np.float32]
    site: ComputedSite


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
        """Plot the spectra over one another, and the properties of the sites beside the pixel's.

        Beneath the spectra are the surroundings of the nearest five sites.
        """
        figure = plt.figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        rows = -(-len(self.labels) // 2)
        grid = figure.add_gridspec(rows, 3, width_ratios=(2.4, 1, 1))
        colours = plt.get_cmap("viridis")(np.linspace(0.25, 0.85, len(self.sites)))
        left = grid[:, 0].subgridspec(2, 1, height_ratios=(3.2, 1))
        self._draw_spectra(figure.add_subplot(left[0]), colours)
        for number, name in enumerate(self.labels):
            panel = figure.add_subplot(grid[number // 2, 1 + number % 2])
            self._draw_property(panel, name, colours)
        pictures = left[1].subgridspec(1, _PICTURES)
        for number, (site, colour) in enumerate(zip(self.sites[:_PICTURES], colours, strict=False)):
            panel = figure.add_subplot(pictures[number])
            draw_surroundings(panel, site.site, labels=False, voronoi=False)
            panel.set_title(site.population, fontsize="small", color=colour)
        figure.suptitle(f"Computed sites whose spectra are most like that of {self.where}")
        return figure

    def _draw_spectra(self, panel: Axes, colours: NDArray) -> None:
        ink = plt.rcParams["text.color"]
        panel.plot(self.energy, self.spectrum, color=ink, linewidth=2, label="the pixel, as read")
        for site, colour in zip(self.sites, colours, strict=True):
            label = f"{site.name} ({site.population}), distance {site.distance:.2f}"
            panel.plot(self.energy, site.spectrum, color=colour, linewidth=1, label=label)
        panel.set_xlabel("energy above the threshold (eV)")
        panel.set_ylabel("intensity (unit area)")
        panel.legend(loc="upper right", fontsize="small")

    def _draw_property(self, panel: Axes, name: str, colours: NDArray) -> None:
        value, half = self.predicted[name], self.half_widths[name]
        if np.isfinite(value):
            panel.axvline(value, color=plt.rcParams["text.color"])
        if np.isfinite(value) and np.isfinite(half):
            panel.axvspan(value - half, value + half, color="0.5", alpha=0.3)
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
    model = predicting_model(result, pretrained)
    references = model.references
    if references is None:
        msg = (
            f"The model {model.name!r} has no computed sites to compare spectra with, because it "
            "is of an early version. Predict with a model of this version."
        )
        raise SignalError(msg)
    dataset = training_dataset(model, dataset)
    if not isinstance(k, Integral) or not 1 <= k <= len(references.sites):
        msg = f"k must be a number of sites from 1 to {len(references.sites)}, but it is {k!r}."
        raise SignalError(msg)
    place = find_place(result, position)
    measured = measured_spectrum(result, place, signal, model)
    if measured.quality != Quality.GOOD:
        msg = (
            f"The spectrum of {place} cannot be read: {measured.quality.reason}. "
            "Choose a pixel with a prediction, or an unfamiliar one."
        )
        raise SignalError(msg)
    check_same(result, place, measured.onset)
    read = measured.read[np.newaxis]
    found, rows = distances(references.spectrum, near(references.spectrum, read), k)
    names = items_along(result, "names")
    values = values_at(place, result.data)
    return NearestSites(
        where=str(place),
        predicted=dict(zip(names, values.tolist(), strict=True)),
        half_widths=dict(zip(names, half_widths_at(result, place).tolist(), strict=True)),
        labels=dict(zip(names, items_along(result, "labels"), strict=True)),
        energy=model.recipe.window.grid,
        spectrum=measured.read,
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
            site=site,
        )
        for site, far, spectrum in zip(chosen.sites, distance, spectra, strict=True)
    )


def predicting_model(
    result: BaseSignal, pretrained: str | Path | PretrainedModel | None
) -> PretrainedModel:
    """Return the model that a result was predicted by, and check it by its SHA-256."""
    recorded = recorded_model(result)
    name, sha256 = (recorded.get(item, "") for item in ("name", "sha256"))
    model = load_pretrained(name if pretrained is None else pretrained)
    if model.sha256 != sha256:
        msg = (
            f"The result is of the model {name!r} with the SHA-256 {sha256[:12]}, but the model "
            f"{model.name!r} that was found has {model.sha256[:12]}. Give pretrained=, the file of "
            "the model of the result, or predict again."
        )
        raise SignalError(msg)
    return model


def training_dataset(model: PretrainedModel, dataset: SpectrumDataset | None) -> SpectrumDataset:
    """Return the data set that a model was trained on, and check it by its SHA-256."""
    dataset = oxygen_k_sites() if dataset is None else dataset
    if dataset.sha256 != model.record.dataset_sha256:
        msg = (
            f"The sites are those of the data set that the model {model.name!r} was trained on, "
            f"with the SHA-256 {model.record.dataset_sha256[:12]}, but this data set has "
            f"{dataset.sha256[:12]}. Give dataset=, the data set of the training."
        )
        raise DatasetError(msg)
    return dataset
