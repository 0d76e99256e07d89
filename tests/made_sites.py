"""Sites made up for tests: small, quick, of every kind."""

from __future__ import annotations

import numpy as np

from hyperspy_coreloss.dataset.computed_site import ComputedSite, ComputedStructure, RecursionChains


def structure(name, phase="phase", n_atoms=3):
    return ComputedStructure(
        name=name,
        phase=phase,
        source="made up",
        licence="CC0",
        cell=4.0 * np.eye(3),
        positions=np.arange(3.0 * n_atoms).reshape(n_atoms, 3),
        numbers=np.array([8] * n_atoms),
    )


def chains(steps=20, n_chains=2):
    return RecursionChains(
        alpha=np.full((n_chains, steps), 8.0),
        beta=np.full((n_chains, steps), 3.0),
        norm=np.ones(n_chains),
        lowest_empty=2.5,
        gap_middle=0.0,
    )


def site(name="site", spectrum=None, cell=None, absorber=0, **changes):
    labels = {"bond_length": 1.6, "bond_angle": 145.0}
    cell = structure(name) if cell is None else cell
    spectrum = chains() if spectrum is None else spectrum
    return ComputedSite(name, cell, absorber, spectrum, **{"labels": labels, **changes})
