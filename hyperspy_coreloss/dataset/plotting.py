"""Figures of data sets and sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.dataset.computed_site import RecursionChains
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hyperspy_coreloss.dataset.computed_site import ComputedSite
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

_COLUMNS = 3

# Number of groups of sites whose mean spectra are drawn.
_GROUPS = 5


def plot_dataset(dataset: SpectrumDataset, sigma: float = 0.5) -> Figure:
    """Plot histograms of the labels, the second label against the first, and the spectra.

    Parameters
    ----------
    dataset
        Computed spectra.
    sigma
        Standard deviation of the Gaussian broadening of the spectra in eV.
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
    counts = dataset.counts
    figure.suptitle(
        f"{counts.n_spectra} {dataset.edge.replace('_', ' ')} spectra, "
        f"{counts.n_structures} structures, {counts.n_phases} phases"
    )
    return figure


def _draw_coverage(panel: Axes, dataset: SpectrumDataset) -> None:
    """Draw the second label against the first; all sites of a phase have the same colour."""
    first, second = dataset.properties[:2]
    _, phase = np.unique(dataset.phases, return_inverse=True)
    horizontal, vertical = dataset.targets[:, :2].T
    panel.scatter(horizontal, vertical, c=phase % 20, cmap="tab20", s=8, linewidths=0)
    panel.set_xlabel(first.label)
    panel.set_ylabel(second.label)
    panel.set_title("one colour a phase")


def _draw_spectra(panel: Axes, dataset: SpectrumDataset, sigma: float) -> None:
    """Draw all spectra, and the mean spectra of equally large groups sorted by the first label."""
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
