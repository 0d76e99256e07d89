"""The figures of the study, from plain arrays (Kiyohara et al. 2019, figures 2, 3, 5 and 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.properties import PropertySpec

# Colours of Okabe and Ito, which readers with colour blindness can distinguish.
_BLUE, _SKY, _ORANGE, _GREEN = "#0072b2", "#56b4e9", "#e69f00", "#009e73"
_RED, _PURPLE, _GREY = "#d55e00", "#cc79a7", "#999999"
_COLOURS = (_BLUE, _SKY, _ORANGE, _GREEN, _RED, _PURPLE, _GREY)
_MARKERS = "osD^vPX"
_STYLE: Any = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "0.4",
    "xtick.color": "0.25",
    "ytick.color": "0.25",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.3,
    "figure.facecolor": "white",
    "text.parse_math": False,  # a $ in a name is not mathematics
}
_WIDTH = 9.0
_COLUMNS = 3
_OF_THE_MEAN = "error / error of the mean"


@rc_context(_STYLE)
def plot_relative_errors(
    errors: Mapping[str, Mapping[str, Sequence[float]]],
    titles: Sequence[str],
    targets: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Plot bars of errors relative to those of predicting the mean of the training spectra.

    Parameters
    ----------
    errors
        For each panel, by its title: the relative errors of the properties, by model.
    titles
        Names of the properties.
    targets
        For each panel the target values of the relative errors, drawn as black lines.
    """
    figure = plt.figure(figsize=(_WIDTH, 2.9 * len(errors)), layout="constrained")
    panels = figure.subplots(len(errors), squeeze=False, sharex=True)[:, 0]
    position = np.arange(len(titles))
    for panel, (title, models) in zip(panels, errors.items(), strict=True):
        width = 0.84 / len(models)
        for number, (name, values) in enumerate(models.items()):
            left = position - 0.42 + number * width
            colour = _COLOURS[number % len(_COLOURS)]
            panel.bar(left, values, 0.92 * width, align="edge", color=colour, label=name)
        panel.axhline(1.0, color="0.4", linewidth=0.8)
        if targets is not None:
            aims = targets[title]
            panel.hlines(aims, position - 0.46, position + 0.46, color="black", label="target")
        panel.set_title(title)
        panel.set_ylabel(_OF_THE_MEAN)
        panel.set_xlim(-0.6, len(titles) - 0.4)
        panel.tick_params(axis="x", length=0, labelbottom=True)
    panels[-1].set_xticks(position, [_broken(title) for title in titles])
    handles, labels = panels[0].get_legend_handles_labels()
    # Matplotlib lists lines before bars; the targets shall come last.
    handles = sorted(handles, key=lambda handle: handle.get_label() == "target")
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(labels), 4))
    return figure


@rc_context(_STYLE)
def plot_parity(
    properties: Sequence[PropertySpec],
    training: tuple[NDArray, NDArray],
    test: tuple[NDArray, NDArray],
    errors: Mapping[str, Mapping[str, Any]],
) -> Figure:
    """Plot predicted against true values, training in grey, test in blue (the paper's Fig. 2).

    Parameters
    ----------
    properties
        Properties in the order of the columns.
    training, test
        True and predicted values, each of shape (spectra, properties).
    errors
        ``mae`` and ``r2`` on the test spectra by the name of the property, for the titles.
    """
    rows = -(-len(properties) // _COLUMNS)
    figure = plt.figure(figsize=(_WIDTH, 3.0 * rows + 0.3), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).flat
    for column, panel in enumerate(panels):
        if column >= len(properties):
            panel.set_axis_off()
            continue
        spec = properties[column]
        drawn = np.concatenate([np.asarray(each)[:, column] for each in (*training, *test)])
        margin = 0.04 * np.ptp(drawn) or 1.0
        limits = (drawn.min() - margin, drawn.max() + margin)
        panel.plot(limits, limits, color="0.55", linewidth=0.8, zorder=0)
        panel.scatter(
            *_columns(training, column), s=9, color="0.72", linewidths=0, label="training"
        )
        panel.scatter(
            *_columns(test, column), s=14, color=_BLUE, alpha=0.8, linewidths=0, label="test"
        )
        panel.set(xlim=limits, ylim=limits, aspect="equal")
        panel.locator_params(nbins=5)
        panel.set_xlabel(f"true {spec.label}")
        panel.set_ylabel("predicted")
        row = errors[spec.name]
        error = f"{row['mae']:#.3g}".rstrip(".")
        panel.set_title(f"MAE {error}, R² {row['r2']:.2f}")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


@rc_context(_STYLE)
def plot_neighbours(
    energy: NDArray, spectra: Mapping[str, NDArray], neighbours: Sequence[Mapping[str, NDArray]]
) -> Figure:
    """Plot spectra together with their nearest training spectra (the paper's Fig. 3).

    Parameters
    ----------
    energy
        In eV from the threshold, shape (channels,).
    spectra
        Intensities (per eV) by the name of the site, one panel each.
    neighbours
        For each panel the intensities of the nearest training spectra by name, nearest first.
    """
    figure = plt.figure(figsize=(_WIDTH, 3.4), layout="constrained")
    panels = figure.subplots(1, len(spectra), squeeze=False, sharey=True)[0]
    for panel, (name, spectrum), others in zip(panels, spectra.items(), neighbours, strict=True):
        for number, (other, values) in enumerate(others.items()):
            style = ("-", "--", ":")[number % 3]
            panel.plot(energy, values, style, color="0.5", label=other)
        panel.plot(energy, spectrum, color=_BLUE, label=name, zorder=3)
        panel.set_title(name)
        panel.set_xlabel("energy from threshold (eV)")
        panel.set_xlim(energy[0], energy[-1])
        panel.set_ylim(bottom=min(0.0, float(spectrum.min())))
        panel.legend(loc="upper right", fontsize=7.5)
    panels[0].set_ylabel("intensity, area 1 (1/eV)")
    return figure


@rc_context(_STYLE)
def plot_noisy_spectrum(
    spectrum: tuple[NDArray, NDArray],
    threshold: float,
    window: NDArray,
    read: NDArray,
    exact: NDArray,
) -> Figure:
    """Plot a noisy spectrum and the network input made from it (the paper's Fig. 6).

    Parameters
    ----------
    spectrum
        Energies in eV and counts of the noisy spectrum, each of shape (channels,).
    threshold
        Threshold of the noisy spectrum, in eV.
    window
        Energies in eV from the threshold, shape (window channels,).
    read, exact
        Area-normalised intensities on the window: the network input, and the spectrum of the same
        site without noise.
    """
    figure = plt.figure(figsize=(_WIDTH, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2)
    energy, counts = spectrum
    left.step(energy, counts, where="mid", color="0.35", linewidth=0.6)
    left.axvline(threshold, color=_RED, linewidth=1.0, label=f"threshold, {threshold:.2f} eV")
    left.set_xlabel("energy loss (eV)")
    left.set_ylabel("counts per channel")
    left.set_title("noisy spectrum")
    left.set_xlim(energy[0], energy[-1])
    left.set_ylim(0, 1.18 * counts.max())
    left.legend(loc="upper right")
    right.plot(window, exact, color=_ORANGE, linewidth=2.4, label="without noise")
    right.plot(window, read, color=_BLUE, linewidth=0.9, label="from the noisy spectrum")
    right.set_xlabel("energy from threshold (eV)")
    right.set_ylabel("intensity, area 1 (1/eV)")
    right.set_title("network input")
    right.set_xlim(window[0], window[-1])
    right.set_ylim(0, 1.18 * max(read.max(), exact.max()))
    right.legend(loc="upper right")
    return figure


@rc_context(_STYLE)
def plot_against(
    values: Sequence[float], errors: Mapping[str, Sequence[float]], label: str
) -> Figure:
    """Plot relative errors against a setting of the preprocessing.

    Parameters
    ----------
    values
        Values of the setting.
    errors
        Relative error at each value, by the title of the property.
    label
        Name of the setting, with its unit.
    """
    figure = plt.figure(figsize=(_WIDTH, 3.3), layout="constrained")
    panel = figure.subplots()
    for number, (title, relative) in enumerate(errors.items()):
        panel.plot(values, relative, color=_colour(number), marker=_marker(number), label=title)
    _finish_relative(panel)
    panel.set_xlabel(label)
    panel.set_xlim(left=0)
    figure.legend(loc="outside right upper")
    return figure


@rc_context(_STYLE)
def plot_learning_curves(
    curves: Mapping[str, tuple[Sequence[float], Mapping[str, Sequence[float]]]],
) -> Figure:
    """Plot relative errors against the number of training phases and sites.

    Parameters
    ----------
    curves
        For each panel, by the label of its horizontal axis: the number of phases or sites in each
        draw, and the relative errors of the draws by the title of the property. Points are draws;
        lines join the means over draws of equal size.
    """
    figure = plt.figure(figsize=(_WIDTH, 3.9), layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False, sharey=True)[0]
    for panel, (label, (sizes, errors)) in zip(panels, curves.items(), strict=True):
        means, place = np.unique(sizes, return_inverse=True)
        for number, (title, values) in enumerate(errors.items()):
            style = {"color": _colour(number), "marker": _marker(number)}
            panel.plot(sizes, values, linestyle="none", markersize=3.5, alpha=0.45, **style)
            mean = np.bincount(place, values) / np.bincount(place)
            panel.plot(means, mean, label=title, markersize=0.0, **style)
        _finish_relative(panel)
        panel.set_xlabel(label)
        panel.set_xlim(left=0)
    panels[-1].set_ylabel("")
    handles = [
        panels[0].plot([], [], color=_colour(number), marker=_marker(number), label=title)[0]
        for number, title in enumerate(next(iter(curves.values()))[1])
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def _finish_relative(panel: Axes) -> None:
    panel.axhline(1.0, color="0.4", linewidth=0.8)
    panel.set_ylabel(_OF_THE_MEAN)
    panel.grid(axis="y", color="0.92")
    panel.set_axisbelow(True)


def _columns(pair: tuple[NDArray, NDArray], column: int) -> tuple[NDArray, NDArray]:
    true, predicted = pair
    return np.asarray(true)[:, column], np.asarray(predicted)[:, column]


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _marker(number: int) -> str:
    return _MARKERS[number % len(_MARKERS)]


def _broken(title: str) -> str:
    """Return a title in two lines, so that six fit side by side."""
    first, _, last = title.rpartition(" ")
    return f"{first}\n{last}"
