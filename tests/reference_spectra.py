"""Spectra of a material with a computed edge, as a microscope measures them."""

from __future__ import annotations

import numpy as np

from hyperspy_coreloss.spectra.edge_transforms import transform_edges
from hyperspy_coreloss.spectra.measurement import measure
from hyperspy_coreloss.spectra.microscope import Microscope

#: Axis in eV, and where the lowest empty state lies on it.
AXIS = 490.0 + 0.1 * np.arange(1550)
POSITION = 537.3


def measured_reference(reference, *, axis=AXIS, position=POSITION, seed=0, **effects):
    """Return counts, shape (channels,); the effects are those of a Microscope."""
    edges = transform_edges(reference.energy, reference.intensity[None], reference.sigma)
    usual = {"relative_thickness": 0.5, "resolution": 0.5, "counts": 1e5, "jump_ratio": 1.0}
    drawn = measure(
        edges,
        np.array([[0]]),
        np.array([[position]]),
        axis,
        Microscope(**{**usual, **effects}),
        np.random.default_rng(seed),
    )
    return drawn.intensities[0].astype(np.float64)
