"""Numbers and a picture of what the other theory of the transfer set changes.

Usage: ``python -m training.transfer.report [--picture FILE]``
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.simulation.campaign import record_path
from hyperspy_coreloss.simulation.comparison import recursion_chains
from hyperspy_coreloss.simulation.site_record import load_site_record
from hyperspy_coreloss.simulation.tasks import load_tasks
from training.transfer.differences import (
    WINDOW_ENDS,
    TheoryDifference,
    broadened,
    theory_difference,
    threshold_of,
)
from training.transfer.plan import PLACES, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from hyperspy_coreloss.dataset.computed_site import RecursionChains

TRAINING = Path(__file__).parents[1]

#: Sites of the picture, and what they are.
PICTURED = {
    "mp-10851_3": "quartz",
    "COD-Stishovite_2": "stishovite",
    "MD-etv-19_35": "zeolite ETV, thermal",
    "IZA-BIK-vac3_32": "zeolite BIK, oxygen vacancies",
}

# Energies of the picture in eV from the threshold.
_DRAWN = np.arange(-3.0, 60.0, 0.05)
# The grid on which thresholds are found, in eV from the lowest empty state.
_SEARCHED = np.arange(-8.0, 120.0, 0.05)

_HEADER = (
    "sites",
    "number",
    *(f"cosine to {end:g} eV" for end in WINDOW_ENDS),
    "threshold (eV)",
    "main peak",
    "oscillations: shift (eV)",
    "stretch",
    "cosine",
)


@dataclass(frozen=True, eq=False)
class SitePair:
    """A site of the transfer set and its counterpart in the data set.

    Parameters
    ----------
    name
        Structure and index of the site.
    kind
        Kind of its structure (:mod:`training.transfer.plan`).
    usual, other
        Its spectrum by the usual theory, and by that of the transfer set.
    """

    name: str
    kind: str
    usual: RecursionChains
    other: RecursionChains


def load_pairs(
    usual: Path = TRAINING / "sites", other: Path = TRAINING / "transfer" / "sites"
) -> tuple[SitePair, ...]:
    """Read the sites of the transfer set that are computed, with their counterparts.

    Parameters
    ----------
    usual, other
        Folders of site records of the data set and of the transfer set.
    """
    pairs = []
    for task in load_tasks(other / "tasks.json"):
        for site in task.sites:
            paths = [record_path(folder, task.name, site) for folder in (usual, other)]
            if all(path.exists() for path in paths):
                spectra = map(_chains, paths)
                pairs.append(SitePair(f"{task.name}_{site}", kind_of(task), *spectra))
    return tuple(pairs)


def _chains(path: Path) -> RecursionChains:
    record = load_site_record(path)
    return recursion_chains(record, record.label["homo"], record.label["lumo"])


def difference_table(pairs: Sequence[SitePair]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return header and rows of a table: medians over the sites of each kind, and over all."""
    differences = [(pair.kind, theory_difference(pair.usual, pair.other)) for pair in pairs]
    rows = []
    for kind in (*PLACES, "all"):
        members = [each for of, each in differences if kind in (of, "all")]
        if members:
            medians = np.median([_numbers(each) for each in members], axis=0)
            formats = ["{:.3f}"] * len(WINDOW_ENDS)
            formats += ["{:+.2f}", "{:.2f}", "{:+.2f}", "{:.4f}", "{:.3f}"]
            cells = [text.format(value) for text, value in zip(formats, medians, strict=True)]
            rows.append([kind, str(len(members)), *cells])
    return _HEADER, rows


def _numbers(difference: TheoryDifference) -> tuple[float, ...]:
    waves = difference.oscillations
    return (
        *difference.cosines,
        difference.threshold_shift,
        difference.peak_ratio,
        waves.shift,
        waves.stretch,
        waves.cosine,
    )


def plot_theories(pairs: Sequence[SitePair]) -> Figure:
    """Draw spectra of the sites of `PICTURED` by both theories, aligned at their thresholds."""
    by_name = {pair.name: pair for pair in pairs}
    shown = [name for name in PICTURED if name in by_name]
    figure, axes = plt.subplots(2, 2, figsize=(9.0, 6.0), sharex=True, layout="constrained")
    for axis, name in zip(axes.flat, shown, strict=False):
        pair = by_name[name]
        for chains, label, style in (
            (pair.usual, "PBE, full core hole (data set)", "-"),
            (pair.other, "LDA, half a core hole (transfer set)", "--"),
        ):
            spectrum = broadened(chains, _SEARCHED)
            energy = threshold_of(spectrum, _SEARCHED) + _DRAWN
            drawn = np.interp(energy, _SEARCHED, spectrum)
            axis.plot(_DRAWN, drawn / drawn.mean(), style, label=label)
        axis.set_title(f"{PICTURED[name]} ({name})")
        axis.set_yticks([])
    axes[0, 0].legend()
    figure.supxlabel("energy above the threshold (eV)")
    figure.supylabel("intensity, relative to its mean")
    return figure


@click.command()
@click.option("--picture", type=click.Path(path_type=Path), help="Draw four sites into this file.")
def main(picture: Path | None) -> None:
    """Print what the other theory changes, by kind of structure."""
    pairs = load_pairs()
    header, rows = difference_table(pairs)
    for row in (header, *rows):
        click.echo("  ".join(f"{cell:>16}" for cell in row))
    if picture is not None:
        plot_theories(pairs).savefig(picture)


if __name__ == "__main__":
    main()
