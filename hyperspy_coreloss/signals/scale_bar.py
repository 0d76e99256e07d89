"""Scale bars of maps: a round length in the units of the axes, drawn below the map.

Below, they hide no pixel, and stand out from every colour map and background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from hyperspy_coreloss.properties import quantity_text

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes

# Longest bar, as a fraction of the width of the map.
_LONGEST = 0.35
_ROUND = (1.0, 2.0, 5.0)
_THICKNESS = 0.25  # of a letter
_PIXELS = "pixel", "pixels"


def can_have_scale_bar(property_map: BaseSignal) -> bool:
    """Return whether a length means the same along both axes of a map."""
    horizontal, vertical = property_map.axes_manager.signal_axes
    return bool(horizontal.units == vertical.units)


def draw_scale_bar(panel: Axes, horizontal: Any) -> None:
    """Draw a bar below a map, from its left end, and its length beside it.

    Parameters
    ----------
    panel
        Panel with the map.
    horizontal
        Horizontal axis of the map, from HyperSpy. Without units, the length is one in pixels.
    """
    first, second = panel.get_xlim()
    calibrated = isinstance(horizontal.units, str) and bool(horizontal.units)
    step = abs(second - first) / horizontal.size
    length = round_length(_LONGEST * abs(second - first) / (1.0 if calibrated else step))
    if not calibrated:
        length = max(length, 1.0)
    letter = plt.rcParams["font.size"]
    colour = plt.rcParams["text.color"]
    below = ScaledTranslation(0, -letter / 72, panel.figure.dpi_scale_trans)
    place = blended_transform_factory(panel.transData, panel.transAxes) + below
    end = first + np.copysign(length if calibrated else length * step, second - first)
    panel.plot(
        [first, end],
        [0, 0],
        color=colour,
        linewidth=_THICKNESS * letter,
        marker="",
        solid_capstyle="butt",
        transform=place,
        clip_on=False,
        scalex=False,
        scaley=False,
        gid="scale bar",
    )
    panel.annotate(
        quantity_text(length, horizontal.units) if calibrated else _in_pixels(length),
        (end, 0),
        xycoords=place,
        xytext=(letter / 2, 0),
        textcoords="offset points",
        verticalalignment="center",
        fontsize="medium",
        annotation_clip=False,
    )


def round_length(longest: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above a length.

    Examples
    --------
    >>> round_length(37.0), round_length(0.7)
    (20.0, 0.5)
    """
    power = 10.0 ** np.floor(np.log10(longest))
    # Of lengths that are round, but for the last digit.
    found = max(one for one in _ROUND if one * power <= longest * (1 + 1e-9))
    return float(f"{found * power:.6g}")


def _in_pixels(number: float) -> str:
    return f"{number:g} {_PIXELS[number != 1]}"
