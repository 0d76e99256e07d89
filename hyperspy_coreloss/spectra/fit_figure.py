"""Figure of a computed edge fitted to a measured one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from matplotlib.patches import Patch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.agreement import Agreement

# Colours of Okabe and Ito (2008), which people with any colour vision tell apart.
_MEASURED, _FITTED, _BACKGROUND, _NOISE = "#000000", "#D55E00", "#777777", "#56B4E9"


def plot_fit(
    energy: NDArray,
    distance: NDArray,
    spectra: tuple[NDArray, NDArray, NDArray],
    agreement: Sequence[Agreement],
    title: str,
) -> Figure:
    """Plot a measured and a fitted spectrum, their difference, and their agreement by energy.

    Parameters
    ----------
    energy
        Energies of the channels on the axis of the measurement in eV, shape (channels,).
    distance
        The same energies, calibrated, relative to the lowest empty state, shape (channels,).
    spectra
        Measured spectrum, fit and its background, shape (channels,) each.
    agreement
        Agreement in ranges of energy.
    title
        Title of the figure.
    """
    measured, fitted, background = spectra
    figure, (above, middle, below) = plt.subplots(
        3, 1, figsize=(7.5, 7.5), height_ratios=(3, 1.2, 1.2), layout="constrained"
    )
    above.plot(energy, measured, color=_MEASURED, lw=0.8, label="measured")
    above.plot(energy, fitted, color=_FITTED, lw=1.2, label="computed, fitted")
    above.plot(energy, background, color=_BACKGROUND, lw=1.0, ls="--", label="background")
    above.set(ylabel="intensity", xlabel="energy on the axis / eV", xlim=energy[[0, -1]])
    above.legend(frameon=False)
    above.set_title(title, fontsize=8)
    middle.axhline(0.0, color=_BACKGROUND, lw=0.8)
    middle.plot(distance, measured - fitted, color=_MEASURED, lw=0.6)
    middle.set(ylabel="measured - fitted", xlim=distance[[0, -1]], xticklabels=[])
    for one in agreement:
        span = (one.start, one.stop - one.start)
        below.bar(*span[:1], 100 * one.residual, span[1], align="edge", color=_FITTED, ec="white")
        below.bar(*span[:1], 100 * one.noise, span[1], align="edge", color=_NOISE, ec="white")
    below.set(
        xlabel="calibrated energy from the lowest empty state / eV",
        ylabel="residual / %",
        xlim=distance[[0, -1]],
    )
    handles = [Patch(color=colour) for colour in (_FITTED, _NOISE)]
    below.legend(handles, ["all", "counting noise alone"], frameon=False, ncols=2)
    return figure
