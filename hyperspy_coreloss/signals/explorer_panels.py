"""The panels of the explorer: a map with a pointer, spectra, and values with their intervals."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_coreloss.signals.panels import axis_label, property_colours
from hyperspy_coreloss.signals.summary import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.signals.measured_spectrum import MeasuredSpectrum
    from hyperspy_coreloss.signals.nearest_sites import NearSite

# Energies in eV that are shown before the threshold and behind the window.
_BEFORE, _BEHIND = 60.0, 10.0
_BINS = 30
_LETTERS = 60  # in a line of words
# Half of a grey, which is seen on light and on dark backgrounds.
_SHADE: dict[str, Any] = {"color": "0.5", "alpha": 0.25, "linewidth": 0}
#: Orange of Okabe and Ito (2008): the pixel, in all panels.
POINTED = "#D55E00"


def lay_out(
    names: Sequence[str], *, n_sites: int, with_map: bool
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and its panels by name.

    Parameters
    ----------
    names
        Names of the properties, each of which has a panel.
    n_sites
        Number of panels for structures, called ``"site 0"`` and so on. With none, there are no
        panels for spectra, which are called ``"measured"`` and ``"read"``.
    with_map
        Whether there is a panel ``"map"``.
    """
    figure = plt.figure(figsize=(14.0, 8.6) if n_sites else (11.0, 8.0))
    outer = figure.add_gridspec(
        2, 1, height_ratios=(2.4, 1), left=0.05, right=0.985, top=0.91, bottom=0.115, hspace=0.36
    )
    panels = {}
    above = outer[0].subgridspec(2, 32, hspace=0.36)
    if with_map:
        panels["map"] = figure.add_subplot(above[:, : 12 if n_sites else 30])
    if n_sites:
        spectra = slice(16 if with_map else 0, 27)
        panels["measured"] = figure.add_subplot(above[0, spectra])
        panels["read"] = figure.add_subplot(above[1, spectra])
        column = above[:, 28:].subgridspec(n_sites, 1, hspace=0.3)
        panels |= {f"site {i}": figure.add_subplot(column[i]) for i in range(n_sites)}
    below = outer[1].subgridspec(1, len(names), wspace=0.15)
    panels |= {name: figure.add_subplot(below[i]) for i, name in enumerate(names)}
    return figure, panels


def ink() -> Any:
    """Return the colour of text, in which lines are drawn that must be seen on any background."""
    return plt.rcParams["text.color"]


def site_colours(number: int) -> NDArray:
    """Return the colours of the nearest sites, which differ in lightness too."""
    return plt.get_cmap("viridis")(np.linspace(0.25, 0.85, max(number, 1)))


def draw_map(panel: Axes, values: NDArray, axes: Sequence[Any]) -> Any:
    """Draw a map, or the curve of a line scan, and return the artist whose values change.

    Parameters
    ----------
    panel
        Where to draw.
    values
        Values of shape (y, x), or (x,) of a line scan.
    axes
        Navigation axes in the order of HyperSpy, x first.
    """
    panel.clear()
    panel.set_xlabel(axis_label(axes[0]))
    panel.set_xlim(*_outer(axes[0]))
    if values.ndim == 1:
        (line,) = panel.plot(axes[0].axis, values, ".-", color=ink())
        return line
    panel.set_ylabel(axis_label(axes[1]))
    image = panel.pcolormesh(
        axes[0].axis,
        axes[1].axis,
        np.ma.masked_invalid(values),
        cmap=property_colours(),
        shading="nearest",
        rasterized=True,
    )
    panel.set_facecolor("0.85")  # pixels without a prediction
    panel.set_ylim(*_outer(axes[1])[::-1])
    if axes[0].units == axes[1].units:
        panel.set_aspect("equal")
    return image


def _outer(axis: Any) -> tuple[float, float]:
    """Return the outer edges of the first and the last pixel of an axis."""
    positions = np.asarray(axis.axis, dtype=float)
    step = np.ptp(positions) / (len(positions) - 1) if len(positions) > 1 else 1.0
    return float(positions.min() - step / 2), float(positions.max() + step / 2)


def draw_measured(panel: Axes, measured: MeasuredSpectrum) -> None:
    """Draw a spectrum as it was measured, its background, its threshold and what is read of it."""
    panel.clear()
    energy = measured.energy
    counts: NDArray = np.ma.filled(np.ma.asarray(measured.counts, float), np.nan)
    panel.plot(energy, counts, color=ink(), linewidth=1, label="as measured")
    onset = measured.onset
    middle = onset if np.isfinite(onset) else float(np.mean(measured.background_energy))
    if np.isfinite(measured.background).any():
        panel.plot(
            measured.background_energy,
            measured.background,
            "--",
            color=POINTED,
            linewidth=1.2,
            label="background",
        )
    first, last = measured.window
    if np.isfinite(onset):
        panel.axvspan(onset + first, onset + last, **_SHADE)
        panel.axvline(onset, color=POINTED, linewidth=1, label=f"threshold {onset:.2f} eV")
    low, high = middle - _BEFORE, middle + last + _BEHIND
    panel.set_xlim(max(low, float(energy.min())), min(high, float(energy.max())))
    shown = counts[(energy > low) & (energy < high) & np.isfinite(counts)]
    if shown.size and np.ptp(shown) > 0:
        panel.set_ylim(shown.min() - 0.05 * np.ptp(shown), shown.max() + 0.08 * np.ptp(shown))
    panel.set_xlabel("energy loss (eV)")
    panel.set_ylabel("intensity")
    panel.legend(loc="best", fontsize="x-small", frameon=False)


def draw_read(panel: Axes, energy: NDArray, read: NDArray, sites: Sequence[NearSite]) -> None:
    """Draw a spectrum as the model reads it over those of the nearest computed sites."""
    panel.clear()
    for site, colour in zip(sites, site_colours(len(sites)), strict=True):
        panel.plot(
            energy,
            site.spectrum,
            color=colour,
            linewidth=1.5,
            label=f"{site.name} ({site.population}), distance {site.distance:.2f}",
        )
    panel.plot(energy, read, color=ink(), linewidth=1, label="this pixel, as the model reads it")
    panel.set_xlim(energy[0], energy[-1])
    panel.set_yticks([])
    panel.set_xlabel("energy above the threshold (eV)")
    panel.set_ylabel("intensity per area")
    panel.legend(loc="upper right", fontsize="x-small", frameon=False)


def draw_words(panel: Axes, words: str) -> None:
    """Write why there is nothing to be drawn."""
    panel.clear()
    panel.set_xticks([])
    panel.set_yticks([])
    lines = fill(words, _LETTERS)
    panel.text(0.5, 0.5, lines, transform=panel.transAxes, ha="center", va="center")


def draw_value(
    panel: Axes,
    label: str,
    values: tuple[float, float],
    usual: NDArray,
    computed: Sequence[float],
    selected: bool,
) -> None:
    """Draw the value of a property and its interval before the distribution of usual values.

    Parameters
    ----------
    panel
        Where to draw.
    label
        Name and unit of the property.
    values
        The value and the half width of its interval; NaN where there is none.
    usual
        Values of the computed sites of the training, or of the map.
    computed
        Values of the nearest sites, the nearest first.
    selected
        Whether the map shows this property.
    """
    panel.clear()
    value, half = values
    known = usual[np.isfinite(usual)]
    if known.size:
        panel.stairs(*np.histogram(known, _BINS), fill=True, color="0.5", alpha=0.35)
    top = panel.get_ylim()[1] if known.size else 1.0
    if np.isfinite(value):
        if np.isfinite(half):
            panel.axvspan(value - half, value + half, color=POINTED, alpha=0.25, linewidth=0)
        panel.axvline(value, color=POINTED, linewidth=2)
    colours = site_colours(len(computed))
    panel.scatter(
        computed, np.full(len(computed), 0.93 * top), marker="v", color=colours, s=28, zorder=3
    )
    panel.set_ylim(0, top)
    panel.set_yticks([])
    panel.locator_params(axis="x", nbins=4)
    panel.tick_params(axis="x", labelsize="small")
    text = rounded(value, half) if np.isfinite(value) else "no prediction"
    panel.set_title(
        f"{label}\n{text}", fontsize="small", fontweight="bold" if selected else "normal"
    )
    for spine in panel.spines.values():
        spine.set_color(POINTED if selected else plt.rcParams["axes.edgecolor"])
        spine.set_linewidth(2.5 if selected else plt.rcParams["axes.linewidth"])
