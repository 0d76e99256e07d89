"""Figures of data sets and sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.dataset.computed_site import ComputedSite, RecursionChains
from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.dataset.surroundings_drawing import draw_surroundings
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.properties import BOND_ANGLE, BOND_LENGTH, PROPERTIES, VORONOI_VOLUME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

_COLUMNS = 3

# Pictures of sites in one row of a figure, and in the whole of it.
_IN_A_ROW = 4
_MOST_PICTURES = 40
# Inches: the side of a picture, the space beside it, and that of the words above and beneath.
_PICTURE, _GAP, _WORDS = 2.8, 0.3, 0.95

# Colours of the populations, in their order: those of Okabe and Ito (2008), which people with any
# colour vision tell apart, and two greys.
_COLOURS = (
    *("#0072B2", "#56B4E9", "#E69F00", "#BBBBBB", "#CC79A7"),
    *("#009E73", "#D55E00", "#F0E442", "#000000", "#777777"),
)

# Distance of the mean spectra of two populations, in means of a spectrum.
_OFFSET = 1.0


def plot_dataset(dataset: SpectrumDataset, sigma: float = 0.5) -> Figure:
    """Plot the labels by population, the second label against the first, and mean spectra.

    Parameters
    ----------
    dataset
        Computed spectra.
    sigma
        Standard deviation of the Gaussian broadening of the spectra in eV.
    """
    groups = _groups(dataset)
    rows = -(-len(dataset.properties) // _COLUMNS)
    height = 1.4 + 0.28 * len(groups)
    below_height = 3.4 + 0.25 * len(groups)
    figure = plt.figure(figsize=(12.0, height * rows + below_height), layout="constrained")
    blocks = figure.subfigures(2, 1, squeeze=False, height_ratios=(height * rows, below_height))
    above, below = blocks[0, 0], blocks[1, 0]
    panels = list(above.subplots(rows, _COLUMNS, squeeze=False).flat)
    for panel in panels:
        panel.set_axis_off()
    for number, spec in enumerate(dataset.properties):
        panel = panels[number]
        panel.set_axis_on()
        _draw_label(panel, dataset.targets[:, number], groups, named=number % _COLUMNS == 0)
        panel.set_xlabel(spec.label)
    left, right = below.subplots(1, 2, width_ratios=(1, 1.4))
    if len(dataset.properties) > 1:
        _draw_coverage(left, dataset, groups)
    else:
        left.set_axis_off()
    _draw_spectra(right, dataset, groups, sigma)
    figure.suptitle(f"{dataset.edge.replace('_', ' ')}: {dataset.counts}")
    return figure


@dataclass(frozen=True)
class _DrawnPopulation:
    """The sites of a population, and how they are drawn."""

    name: str
    sites: NDArray[np.int64]
    colour: str


def _groups(dataset: SpectrumDataset) -> list[_DrawnPopulation]:
    populations = np.array(dataset.populations)
    return [
        _DrawnPopulation(name, np.flatnonzero(populations == name), colour)
        for name, colour in zip(POPULATIONS, _COLOURS, strict=True)
        if name in dataset.populations
    ]


def _draw_label(
    panel: Axes, values: NDArray[np.float64], groups: Sequence[_DrawnPopulation], *, named: bool
) -> None:
    """Draw the distribution of a label: a box from quartile to quartile, whiskers for 90 %."""
    for row, group in enumerate(groups):
        own = values[group.sites]
        own = own[np.isfinite(own)]
        if not own.size:
            continue
        panel.boxplot(
            own,
            orientation="horizontal",
            positions=[row],
            widths=0.6,
            whis=(5, 95),
            patch_artist=True,
            boxprops={"facecolor": group.colour, "linewidth": 0.8},
            medianprops={"color": "black"},
            flierprops={"marker": ".", "markersize": 2, "markeredgecolor": group.colour},
        )
    names = [f"{group.name} ({len(group.sites)})" if named else "" for group in groups]
    panel.set_yticks(range(len(groups)), names)
    panel.set_ylim(len(groups) - 0.4, -0.6)
    panel.locator_params(axis="x", nbins=5)
    panel.grid(axis="x", alpha=0.3)


def _draw_coverage(
    panel: Axes, dataset: SpectrumDataset, groups: Sequence[_DrawnPopulation]
) -> None:
    """Draw the second label against the first."""
    first, second = dataset.properties[:2]
    # Small populations last, so that large ones do not hide them.
    for group in sorted(groups, key=lambda each: -len(each.sites)):
        horizontal, vertical = dataset.targets[group.sites, :2].T
        panel.scatter(horizontal, vertical, color=group.colour, s=9, linewidths=0, alpha=0.8)
    panel.set_xlabel(first.label)
    panel.set_ylabel(second.label)


def _draw_spectra(
    panel: Axes, dataset: SpectrumDataset, groups: Sequence[_DrawnPopulation], sigma: float
) -> None:
    """Draw the mean spectrum of each population, shaded by the standard deviation of its sites."""
    first, last = dataset.energy_range
    margin = 5 * sigma
    energy = np.arange(max(first + margin, -3.0), min(last - margin, 40.0), 0.1)
    spectra = dataset.spectra(energy, sigma)
    spectra /= spectra.mean(axis=1, keepdims=True)
    for row, group in enumerate(groups):
        own = spectra[group.sites]
        mean, spread = own.mean(axis=0), own.std(axis=0)
        base = _OFFSET * (len(groups) - 1 - row)
        panel.fill_between(
            energy, base + mean - spread, base + mean + spread, color=group.colour, alpha=0.35
        )
        panel.plot(energy, base + mean, color=group.colour)
        panel.text(energy[-1], base + mean[-1], f" {group.name}", va="center", fontsize="small")
    panel.set_xlim(energy[0], energy[-1] + 0.16 * (energy[-1] - energy[0]))
    panel.set_yticks([])
    panel.set_xlabel("energy above the lowest empty state (eV)")
    panel.set_ylabel("intensity over its mean")
    panel.set_title(f"mean and standard deviation, σ = {sigma:g} eV")


def plot_projected_densities(site: ComputedSite, lifetime: float = 0.3) -> Figure:
    """Plot the spectrum of a site and the p-projected densities of states of its atoms.

    The densities of each atom are those of the ground state and of the core-hole cell. The energy
    scale is that of the ground state, whose band gap is shaded (Kiyohara et al. 2019, figure 4).

    Parameters
    ----------
    site
        Site with projected densities of states.
    lifetime
        Half width at half maximum of the Lorentzian broadening in eV.

    Raises
    ------
    DatasetError
        If the site has no projected densities of states.
    """
    atoms = list(dict.fromkeys(name.partition(",")[0] for name in site.projected_densities))
    if not atoms or not isinstance(site.spectrum, RecursionChains):
        msg = (
            "A site with projected densities of states is needed, but "
            f"{site.name} has no projected densities. Simulate the site with projected densities, "
            "or choose another site."
        )
        raise DatasetError(msg)
    details = site.details
    gap = details["lumo_gs"] - details["homo_gs"]
    energy = np.arange(-12.0, gap + 20.0, 0.05)
    # Energy of the ground state's highest occupied state, relative to the lowest empty state of the
    # core-hole cell.
    excited = details["homo_gs"] + details["potential_shift"] - site.spectrum.lowest_empty
    figure, panels = plt.subplots(
        len(atoms) + 1,
        sharex=True,
        figsize=(7.0, 2.0 * (len(atoms) + 1)),
        layout="constrained",
    )
    panels[0].plot(energy, site.spectrum.intensity(energy + excited, lifetime), color="black")
    panels[0].set_title(f"{site.structure.phase}, {site.name}: absorption")
    for panel, atom in zip(panels[1:], atoms, strict=True):
        highest = 0.0
        for state, origin, style in (("ground state", -gap, "--"), ("core hole", excited, "-")):
            density = site.projected_densities.get(f"{atom}, {state}")
            if density is not None:
                values = density.intensity(energy + origin, lifetime)
                highest = max(highest, values[energy > gap].max())
                panel.plot(energy, values, style, label=state)
        panel.set_title(atom)
        # The spectrum shows the empty states; the density of oxygen's occupied states is higher.
        panel.set_ylim(top=2 * highest)
    panels[0].set_ylim(bottom=0)
    panels[1].legend()
    for panel in panels:
        panel.axvspan(0, gap, color="0.92")
        panel.set_yticks([])
        panel.set_ylim(bottom=0)
    panels[-1].set_xlim(energy[0], energy[-1])
    panels[-1].set_xlabel("energy above the highest occupied state of the ground state (eV)")
    return figure


def plot_surroundings(
    sites: ComputedSite | Sequence[ComputedSite], *, voronoi: bool = True
) -> Figure:
    """Draw the surroundings of sites: bonds, angles and Voronoi cell, with the labels beneath.

    One site is drawn large, with a table of all its labels. :func:`draw_surroundings` draws into
    a panel of your own.

    Parameters
    ----------
    sites
        One computed site, or up to 40.
    voronoi
        Draw the Voronoi cells.

    Raises
    ------
    DatasetError
        If there is no site, or there are more than 40.
    """
    sites = [sites] if isinstance(sites, ComputedSite) else list(sites)
    if not 1 <= len(sites) <= _MOST_PICTURES:
        msg = (
            f"A figure has pictures of 1 to {_MOST_PICTURES} sites, but {len(sites)} are given. "
            "Choose some, for example with typical_sites(dataset).sites."
        )
        raise DatasetError(msg)
    if len(sites) == 1:
        return _one_site(sites[0], voronoi=voronoi)
    columns = min(_IN_A_ROW, len(sites))
    rows = -(-len(sites) // columns)
    width, height = columns * (_PICTURE + _GAP), rows * (_PICTURE + _WORDS)
    figure, panels = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    figure.subplots_adjust(
        left=_GAP / 2 / width,
        right=1 - _GAP / 2 / width,
        bottom=0.4 * _WORDS / height,
        top=1 - 0.6 * _WORDS / height,
        wspace=_GAP / _PICTURE,
        hspace=_WORDS / _PICTURE,
    )
    for panel in panels.flat:
        panel.set_axis_off()
    for panel, site in zip(panels.flat, sites, strict=False):
        draw_surroundings(panel, site, voronoi=voronoi)
        panel.set_title(f"{site.population}\n{site.name}", fontsize="medium")
        panel.text(0.5, -0.02, _caption(site), transform=panel.transAxes, ha="center", va="top")
    return figure


def _one_site(site: ComputedSite, *, voronoi: bool) -> Figure:
    figure, (picture, table) = plt.subplots(
        1, 2, figsize=(10.0, 5.5), width_ratios=(1.5, 1), layout="constrained"
    )
    draw_surroundings(picture, site, voronoi=voronoi)
    table.set_axis_off()
    labels = {spec.name: spec.label for spec in PROPERTIES}
    rows = [
        ("population", site.population),
        ("phase", site.structure.phase),
        *((labels.get(name, name), f"{value:#.4g}") for name, value in site.labels.items()),
    ]
    for number, (name, value) in enumerate(rows):
        height = 0.82 - 0.075 * number
        table.text(0.0, height, name, transform=table.transAxes)
        table.text(1.0, height, value, transform=table.transAxes, ha="right")
    figure.suptitle(site.name)
    return figure


def _caption(site: ComputedSite) -> str:
    """Return the labels that the picture shows, in one line."""
    formats = ((BOND_LENGTH, "{:.3f} Å"), (BOND_ANGLE, "{:.1f}°"), (VORONOI_VOLUME, "{:.1f} Å³"))
    return ", ".join(
        f"{spec.symbol} = {form.format(site.labels[spec.name])}"
        for spec, form in formats
        if spec.name in site.labels
    )
