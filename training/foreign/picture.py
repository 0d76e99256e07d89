"""Table and figure of the oxides that are not silica, from their site records.

Usage: ``python -m training.foreign.picture FIGURE [--sites training/foreign/sites]``
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.dataset.dataset import SpectrumDataset, excitation_energies
from hyperspy_coreloss.dataset.minerals import find_sites
from hyperspy_coreloss.simulation.collect import collect_sites
from training.foreign.oxides import OXIDES

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

SITES = Path(__file__).parent / "sites"

_COLUMNS = 4
_ENERGY = np.arange(-3.0, 40.0, 0.1)


def foreign_sites(folder: str | Path = SITES) -> SpectrumDataset:
    """Return the computed sites of a folder as a data set."""
    words = Path(__file__).parent / "words" / "dataset.txt"
    return SpectrumDataset(
        collect_sites(folder), words.read_text(encoding="utf-8").strip(), "CC-BY-4.0"
    )


def oxides_table(dataset: SpectrumDataset) -> str:
    """Return a Markdown table of the oxides: atoms of the cell, sites, coordination and labels."""
    lines = [
        "| oxide | formula | atoms | sites | neighbours of O | bond length (Å) | charge (e) |\n",
        "|---|---|---|---|---|---|---|\n",
    ]
    for oxide in OXIDES:
        sites = [site for site in dataset.sites if site.structure.phase == oxide.name]
        if not sites:
            continue
        coordination = sorted({site.details["coordination"] for site in sites})
        spans = [
            _span([site.labels.get(name, np.nan) for site in sites])
            for name in ("bond_length", "mulliken_charge")
        ]
        cells = [
            oxide.name,
            oxide.formula,
            str(max(len(site.structure.numbers) for site in sites)),
            str(len(sites)),
            ", ".join(map(str, coordination)),
            *spans,
        ]
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def _span(values: list[float]) -> str:
    low, high = (f"{value:.2f}" for value in (np.min(values), np.max(values)))
    return low if low == high else f"{low} to {high}"


def mean_spectrum(dataset: SpectrumDataset, name: str, sigma: float = 0.5) -> NDArray[np.float64]:
    """Return the mean spectrum of a structure, from -3 eV to 40 eV of its excitation energy.

    The sites are weighted by their multiplicity, and lie at their own excitation energies.
    """
    sites = find_sites(dataset, name)
    weights = np.array([float(site.details["multiplicity"]) for site in sites.sites])
    weights /= weights.sum()
    energies = excitation_energies(sites)
    shifts = energies - weights @ energies
    return weights @ sites.spectra(_ENERGY - shifts[:, np.newaxis], sigma)


def plot_oxides(dataset: SpectrumDataset, sigma: float = 0.5) -> Figure:
    """Plot the mean spectrum of each oxide in a panel of its own.

    Parameters
    ----------
    dataset
        Computed sites.
    sigma
        Standard deviation of the Gaussian broadening in eV.
    """
    known = [oxide for oxide in OXIDES if oxide.name in dataset.structures]
    rows = -(-len(known) // _COLUMNS)
    figure, panels = plt.subplots(
        rows,
        _COLUMNS,
        sharex=True,
        squeeze=False,
        figsize=(3.0 * _COLUMNS, 1.7 * rows),
        layout="constrained",
    )
    for panel in panels.flat[len(known) :]:
        panel.set_axis_off()
    for panel, oxide in zip(panels.flat, known, strict=False):
        spectrum = mean_spectrum(dataset, oxide.name, sigma)
        panel.plot(_ENERGY, spectrum / spectrum.max(), color="tab:blue")
        panel.set_title(f"{oxide.name}, {oxide.formula}", fontsize="small")
        panel.set_yticks([])
        panel.set_ylim(0, 1.1)
        panel.grid(axis="x", alpha=0.4)
    panels[0, 0].set_xlim(_ENERGY[0], _ENERGY[-1])
    figure.supxlabel("energy above the excitation energy (eV)")
    return figure


@click.command()
@click.argument("figure", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sites", default=SITES, type=click.Path(exists=True, path_type=Path))
def main(figure: Path, sites: Path) -> None:
    """Draw the figure into a file, and print the table."""
    dataset = foreign_sites(sites)
    plot_oxides(dataset).savefig(figure, dpi=130)
    click.echo(oxides_table(dataset))


if __name__ == "__main__":
    main()
