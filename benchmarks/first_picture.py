"""The first picture of the documentation: spectra go in, maps with intervals come out.

``python -m benchmarks.first_picture FILE`` writes it for the README.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt

from benchmarks.figure_style import MARKERS, WIDTH, style
from hyperspy_coreloss.data import silica_spectrum_image

if TYPE_CHECKING:
    import numpy as np
    from exspy.signals import EELSSpectrum
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hyperspy_coreloss.signals import CoreLossPropertySignal

# x and y of the pixels whose spectra are shown.
_PIXELS = ((8, 6), (24, 20), (43, 13))


def predicted_image() -> tuple[EELSSpectrum, CoreLossPropertySignal]:
    """Return the simulated spectra of grains of silica, and the prediction from them."""
    s, _ = silica_spectrum_image((48, 28), dose=2e4, resolution=0.5)
    return s, s.predict_properties(resolution=0.5, show_progressbar=False)


def first_picture(s: EELSSpectrum, p: CoreLossPropertySignal) -> Figure:
    """Draw the spectra of some pixels above maps of two properties with their intervals."""
    figure, panels = plt.subplot_mosaic(
        [["spectra", "spectra"], ["bond_length", "half"], ["mulliken_charge", "half charge"]],
        figsize=(WIDTH, 5.6),
        layout="constrained",
        height_ratios=(1.1, 1, 1),
    )
    _spectra(panels["spectra"], s)
    for name, half in (("bond_length", "half"), ("mulliken_charge", "half charge")):
        lower, upper = p.get_interval_map(name, level=0.9)
        single = p.get_property_map(name)
        label = single.metadata.Signal.quantity
        unit = label.partition(" (")[2]
        _map(panels[name], single.data, f"out: {label}", "viridis")
        _map(panels[half], (upper - lower).data / 2, f"its 90 % interval, ± ({unit}", "magma")
    for number, (x, y) in enumerate(_PIXELS):
        for name in ("bond_length", "mulliken_charge"):
            panels[name].plot(x, y, MARKERS[number], color=f"C{number}", mec="white", ms=7)
    return figure


def _spectra(panel: Axes, s: EELSSpectrum) -> None:
    energy = s.axes_manager.signal_axes[0].axis
    shown = (energy > 515) & (energy < 640)
    for number, (x, y) in enumerate(_PIXELS):
        counts = s.data[y, x][shown] / 1e3
        panel.plot(energy[shown], counts - 12 * number, linewidth=0.9)
        panel.plot(energy[shown][-1], counts[-1] - 12 * number, MARKERS[number], color=f"C{number}")
    panel.set_title("in: a spectrum for each pixel", loc="left")
    panel.set_xlabel("energy loss (eV)")
    panel.set_ylabel("electrons, shifted")
    panel.set_yticks([])


def _map(panel: Axes, values: np.ndarray, label: str, colours: str) -> None:
    """Draw a map with its colour bar; pixels without a prediction are grey."""
    image = panel.imshow(values, cmap=plt.get_cmap(colours).with_extremes(bad="0.6"))
    panel.set_title(label, loc="left")
    panel.set_axis_off()
    bar = panel.figure.colorbar(image, ax=panel, shrink=0.9, pad=0.02)
    bar.outline.set_visible(False)


def main() -> None:
    """Write the picture for a white page, with the model that predicted."""
    s, p = predicted_image()
    model = p.metadata.CoreLossProperty.Pretrained
    with mpl.rc_context(style("light")):
        figure = first_picture(s, p)
        described = {"Model": f"{model.name} {model.sha256}"}
        figure.savefig(Path(sys.argv[1]), dpi=110, facecolor="white", metadata=described)


if __name__ == "__main__":
    main()
