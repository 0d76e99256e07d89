"""Errors of predictions for simulated silica, against dose and errors of the resolution.

The model was not trained on the phases of the grains. The errors without noise are those of the
model on these phases; what the other errors exceed them by comes from the measurement.

Usage: ``python benchmarks/recovery.py``
"""

from __future__ import annotations

import numpy as np

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.properties import PROPERTIES


def row(name: str, dose: float, resolution: float) -> None:
    """Print mean absolute errors of an image measured at a resolution of 0.5 eV."""
    spectra, truth = silica_spectrum_image((32, 32), dose=dose, n_grains=77, seed=1)
    # One model for all rows: by name, a family would choose another model for each resolution.
    predicted = spectra.predict_properties(
        load_pretrained(), resolution=resolution, show_progressbar=False
    )
    errors = np.nanmean(np.abs(predicted.data - truth.data), axis=(0, 1))
    read = np.mean(predicted.quality.data == 0)
    print(f"{name:26s} {read:6.1%}  " + "  ".join(f"{error:9.4f}" for error in errors))


def main() -> None:
    """Print the table."""
    print(f"{'':26s} {'read':>6s}  " + "  ".join(f"{spec.symbol:>9s}" for spec in PROPERTIES))
    for dose in (np.inf, 1e5, 1e4, 3e3, 1e3, 300.0):
        row("no noise" if np.isinf(dose) else f"dose {dose:g}", dose, 0.5)
    for resolution in (0.0, 0.3, 0.7, 1.0):
        row(f"given as {resolution} eV, no noise", np.inf, resolution)


if __name__ == "__main__":
    main()
