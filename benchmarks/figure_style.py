"""Style of the figures of the documentation: each is drawn for light and for dark pages.

Colours are those of Okabe and Ito, which the colour-blind tell apart; every series has a marker of
its own too. Figures are narrow, so that their text can be read on a telephone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

#: Width of a figure in inches.
WIDTH = 6.2
MARKERS = "osD^vPX*"
_SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DARK_SERIES = ("#56b4e9", "#e69f00", "#00b884", "#e79cc8", "#f2e64d", "#b9c4cc")
_SCHEMES = {
    "light": {"text": "#222832", "faint": "#b4bac2", "series": _SERIES},
    "dark": {"text": "#ced6dd", "faint": "#5c6570", "series": _DARK_SERIES},
}


def style(scheme: str) -> dict[str, object]:
    """Return the settings of matplotlib for the pages of a scheme, ``"light"`` or ``"dark"``."""
    colours = _SCHEMES[scheme]
    text = dict.fromkeys(
        ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"),
        colours["text"],
    )
    return {
        **text,
        "axes.prop_cycle": mpl.cycler(color=colours["series"]),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": "medium",
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "legend.frameon": False,
        "font.size": 9.0,
        "grid.color": colours["faint"],
        "lines.linewidth": 1.2,
        "lines.markersize": 4.0,
        # The same figure is the same file.
        "svg.hashsalt": "hyperspy_coreloss",
        "image.interpolation": "none",
    }


def faint() -> object:
    """Return the colour of lines and bands that guide the eye."""
    return mpl.rcParams["grid.color"]


def save(draw: Callable[[], Figure], folder: Path, name: str, alternative: str) -> None:
    """Draw a figure for both schemes, and write the part of a page that shows the fitting one.

    Parameters
    ----------
    draw
        Function that draws the figure.
    folder
        Where ``name_light.svg``, ``name_dark.svg`` and ``name.md`` are written.
    name
        Name of the figure.
    alternative
        What the figure shows, for those who cannot see it.
    """
    parts = []
    for scheme in _SCHEMES:
        with mpl.rc_context(style(scheme)):
            figure = draw()
            figure.savefig(folder / f"{name}_{scheme}.svg", metadata={"Date": None})
            plt.close(figure)
        parts += [f"```{{image}} {name}_{scheme}.svg", f":class: only-{scheme} mb-4"]
        parts += [f":alt: {alternative}", "```", ""]
    (folder / f"{name}.md").write_text("\n".join(parts), encoding="utf-8")
