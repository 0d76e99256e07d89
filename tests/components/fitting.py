"""Empty signals, and models of them."""

from __future__ import annotations

import numpy as np
from exspy.signals import EELSSpectrum

QUIET = {"show_progressbar": False}


def energy_axis(offset=500.0, scale=0.1, size=800, **changes):
    axis = {"name": "Energy loss", "offset": offset, "scale": scale, "size": size, "units": "eV"}
    return {**axis, **changes}


def empty(navigation_shape=(), **axis):
    axes = [{"name": f"axis {n}", "size": size} for n, size in enumerate(navigation_shape)]
    described = energy_axis(**axis)
    return EELSSpectrum(np.zeros((*navigation_shape, described["size"])), axes=[*axes, described])


def model(signal, *parts, **changes):
    m = signal.create_model(**{"auto_background": False, "auto_add_edges": False, **changes})
    m.extend(parts)
    return m
