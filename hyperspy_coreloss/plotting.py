"""Figures of predicted properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.computed_site import RecursionChains
from hyperspy_coreloss.errors import DatasetError, SignalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.signal import BaseSignal
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hyperspy_coreloss.computed_site import ComputedSite
    from hyperspy_coreloss.dataset import SpectrumDataset
    from hyperspy_coreloss.signals import PropertySignal

_COLUMNS = 3

# Groups of sites whose mean spectra are drawn.
_GROUPS = 5


def plot_maps(maps: Sequence[BaseSignal]) -> Figure:
    """Plot maps side by side, each with its own colour bar; line scans become curves.

    Parameters
    ----------
    maps
        Signals with one or two signal axes and no navigation axes, for example from
        :meth:`~hyperspy_coreloss.CoreLossPropertySignal.as_maps`.

    Raises
    ------
    SignalError
        If a map has neither one nor two axes.
    """
    columns = min(_COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    figure, panels = plt.subplots(
        rows, columns, figsize=(4.2 * columns, 3.4 * rows), squeeze=False, layout="constrained"
    )
    for panel in panels.flat[len(maps) :]:
        panel.set_axis_off()
    for panel, property_map in zip(panels.flat, maps, strict=False):
        _draw(panel, property_map)
        panel.set_title(property_map.metadata.Signal.quantity)
    return figure


def plot_dataset(dataset: SpectrumDataset, sigma: float = 0.5) -> Figure:
    """Plot what a data set covers: labels, two of them against each other, and spectra.

    Parameters
    ----------
    dataset
        Computed spectra.
    sigma
        Standard deviation of the Gaussian that the spectra are shown with, in eV.
    """
    rows = -(-len(dataset.properties) // _COLUMNS)
    figure = plt.figure(figsize=(12.0, 3.0 * rows + 4.2), layout="constrained")
    blocks = figure.subfigures(2, 1, squeeze=False, height_ratios=(3.0 * rows, 4.2))
    above, below = blocks[0, 0], blocks[1, 0]
    panels = list(above.subplots(rows, _COLUMNS, squeeze=False).flat)
    for panel in panels:
        panel.set_axis_off()
    for panel, spec, values in zip(panels, dataset.properties, dataset.targets.T, strict=False):
        panel.set_axis_on()
        panel.hist(values[np.isfinite(values)], bins=40, color="tab:blue")
        panel.set_xlabel(spec.label)
        panel.set_ylabel("sites")
        panel.locator_params(axis="x", nbins=5)
    left, right = below.subplots(1, 2, width_ratios=(1, 2))
    if len(dataset.properties) > 1:
        _draw_coverage(left, dataset)
    else:
        left.set_axis_off()
    _draw_spectra(right, dataset, sigma)
    figure.suptitle(
        f"{len(dataset)} {dataset.edge.replace('_', ' ')} spectra, "
        f"{len(set(dataset.structures))} structures, {len(set(dataset.phases))} phases"
    )
    return figure


def _draw_coverage(panel: Axes, dataset: SpectrumDataset) -> None:
    """Draw the first label against the second, sites of one phase in one colour."""
    first, second = dataset.properties[:2]
    _, phase = np.unique(dataset.phases, return_inverse=True)
    horizontal, vertical = dataset.targets[:, :2].T
    panel.scatter(horizontal, vertical, c=phase % 20, cmap="tab20", s=8, linewidths=0)
    panel.set_xlabel(first.label)
    panel.set_ylabel(second.label)
    panel.set_title("one colour a phase")


def _draw_spectra(panel: Axes, dataset: SpectrumDataset, sigma: float) -> None:
    """Draw all spectra faintly, and the means of groups of equal size by the first label."""
    first, last = dataset.energy_range
    margin = 5 * sigma
    energy = np.arange(max(first + margin, -3.0), min(last - margin, 25.0), 0.05)
    spectra = dataset.spectra(energy, sigma)
    spectra /= spectra.mean(axis=1, keepdims=True)
    panel.plot(energy, spectra.T, color="0.5", alpha=0.06, linewidth=0.5)
    spec, values = dataset.properties[0], dataset.targets[:, 0]
    groups = np.array_split(np.argsort(values), min(_GROUPS, len(dataset)))
    for number, group in enumerate(groups):
        colour = plt.get_cmap("viridis")(number / max(len(groups) - 1, 1))
        label = f"{values[group].min():.3f} to {values[group].max():.3f}"
        panel.plot(energy, spectra[group].mean(axis=0), color=colour, label=label)
    panel.set_xlim(energy[0], energy[-1])
    panel.set_ylim(0, 1.15 * spectra.max())
    panel.set_xlabel("energy above the lowest empty state (eV)")
    panel.set_ylabel("intensity over its mean")
    panel.set_title(f"σ = {sigma:g} eV; means of the sites by {spec.label}")
    panel.legend(title=spec.label, fontsize="small")


def plot_projected_densities(site: ComputedSite, lifetime: float = 0.3) -> Figure:
    """Plot the spectrum of a site above the p-projected densities of states that explain it.

    The densities of each atom in the ground state and in the core-hole cell, on the energy scale of
    the ground state, whose gap is shaded (Kiyohara et al. 2019, figure 4).

    Parameters
    ----------
    site
        A site with projected densities.
    lifetime
        Half width of the Lorentzian in eV.

    Raises
    ------
    DatasetError
        If the site has none.
    """
    atoms = list(dict.fromkeys(name.partition(",")[0] for name in site.projected_densities))
    if not atoms or not isinstance(site.spectrum, RecursionChains):
        msg = (
            f"{site.name} has no projected densities of states. Simulate it with them, or choose "
            "another site."
        )
        raise DatasetError(msg)
    details = site.details
    gap = details["lumo_gs"] - details["homo_gs"]
    energy = np.arange(-12.0, gap + 20.0, 0.05)
    # From the ground state's highest occupied state to the lowest empty state of the core hole's.
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
        # The empty states are what the spectrum shows; oxygen's occupied ones stand far above them.
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


def plot_comparison(predicted: PropertySignal, reference: PropertySignal) -> Figure:
    """Plot the maps of two results beside each other, on one colour scale for each property.

    Parameters
    ----------
    predicted, reference
        Results of the same shape, for example a prediction and the truth of
        :func:`hyperspy_coreloss.data.silica_spectrum_image`.
    """
    names = predicted.property_names
    figure = plt.figure(figsize=(12.0, 3.6 * -(-len(names) // 2)), layout="constrained")
    blocks = figure.subfigures(-(-len(names) // 2), 2, squeeze=False, wspace=0.04)
    for block, name in zip(blocks.flat, names, strict=False):
        maps = [result.get_property_map(name) for result in (reference, predicted)]
        values = np.asarray(maps[0].data)
        limits = (float(np.nanmin(values)), float(np.nanmax(values)))
        left, right = block.subplots(1, 2, sharex=True, sharey=True)
        _draw(left, maps[0], limits, colour_bar=False)
        _draw(right, maps[1], limits)
        left.set_title("true")
        right.set_title("predicted")
        right.set_ylabel("")
        block.suptitle(maps[0].metadata.Signal.quantity)
    return figure


def _draw(
    panel: Axes,
    property_map: BaseSignal,
    limits: tuple[float | None, float | None] = (None, None),
    *,
    colour_bar: bool = True,
) -> None:
    axes = property_map.axes_manager
    if axes.signal_dimension not in (1, 2) or axes.navigation_dimension:
        msg = f"Maps of one or two dimensions can be plotted, but {property_map} is neither."
        raise SignalError(msg)
    if axes.signal_dimension == 1:
        (position,) = axes.signal_axes
        panel.plot(position.axis, np.asarray(property_map.data), ".-")
        panel.set_xlabel(_axis_label(position))
        return
    horizontal, vertical = axes.signal_axes
    image = panel.pcolormesh(
        horizontal.axis,
        vertical.axis,
        np.ma.masked_invalid(np.asarray(property_map.data)),
        vmin=limits[0],
        vmax=limits[1],
        cmap="viridis",
        shading="nearest",
        rasterized=True,
    )
    panel.set_facecolor("0.85")  # pixels without a prediction
    if not panel.yaxis_inverted():
        panel.invert_yaxis()
    if horizontal.units == vertical.units:
        panel.set_aspect("equal")
    panel.set_xlabel(_axis_label(horizontal))
    panel.set_ylabel(_axis_label(vertical))
    if colour_bar:
        panel.figure.colorbar(image, ax=panel, shrink=0.8)


def _axis_label(axis: object) -> str:
    name, units = getattr(axis, "name", ""), getattr(axis, "units", "")
    name = name if isinstance(name, str) else ""
    return f"{name} ({units})" if isinstance(units, str) and units else name
