"""Pictures that are part of a page."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Dots per inch: figures are sharp on high-resolution screens at a page width of 900 pixels.
SHARP = 180


def embed(figure: Figure, dpi: float = SHARP) -> str:
    """Return a figure as the data URL of a PNG image, and close it.

    Parameters
    ----------
    figure
        Figure of matplotlib.
    dpi
        Dots per inch.
    """
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi)
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
