"""Small crystals that the simulator's tests share."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def quartz_crystal():
    """Alpha quartz, 9 atoms, PBE geometry (Materials Project mp-7000)."""
    from ase import Atoms

    silicon = [[0.523695, 0.523695, 0.0], [0.0, 0.476305, 2 / 3], [0.476305, 0.0, 1 / 3]]
    oxygen = [
        [0.256094, 0.414854, 0.794543],
        [0.585146, 0.841240, 0.127877],
        [0.158760, 0.743906, 0.461210],
        [0.414854, 0.256094, 0.205457],
        [0.743906, 0.158760, 0.538790],
        [0.841240, 0.585146, 0.872123],
    ]
    cell = [5.02150235, 5.02150235, 5.51056977, 90.0, 90.0, 120.0]
    return Atoms("Si3O6", scaled_positions=silicon + oxygen, cell=cell, pbc=True)


@pytest.fixture
def quartz(quartz_crystal):
    """A copy of quartz that a test may change."""
    return quartz_crystal.copy()


@pytest.fixture(scope="session")
def sodalite():
    """All-silica sodalite, 36 atoms in its cubic cell (IZA framework SOD)."""
    from ase import Atoms

    silicon = [
        [0.25, 0.5, 0], [0.75, 0.5, 0], [0.5, 0, 0.25],
        [0.5, 0, 0.75], [0, 0.25, 0.5], [0, 0.75, 0.5],
    ]  # fmt: skip
    x = 0.1474
    oxygen = [
        np.add(corner, shift)
        for shift in ([0, 0, 0], [0.5, 0.5, 0.5])
        for corner in (
            [x, x, 0.5], [-x, -x, 0.5], [-x, x, 0.5], [x, -x, 0.5],
            [0.5, x, x], [0.5, -x, -x], [0.5, -x, x], [0.5, x, -x],
            [x, 0.5, x], [-x, 0.5, -x], [x, 0.5, -x], [-x, 0.5, x],
        )
    ]  # fmt: skip
    positions = np.mod(np.vstack([silicon, np.add(silicon, 0.5), oxygen]), 1)
    return Atoms("Si12O24", scaled_positions=positions, cell=[8.965] * 3, pbc=True)


@pytest.fixture(scope="session")
def stishovite():
    """Stishovite, 6 atoms: the smallest silica."""
    from ase import Atoms

    u = 0.3061
    positions = [
        [0, 0, 0],
        [0.5, 0.5, 0.5],
        [u, u, 0],
        [-u, -u, 0],
        [0.5 + u, 0.5 - u, 0.5],
        [0.5 - u, 0.5 + u, 0.5],
    ]
    return Atoms(
        "Si2O4", scaled_positions=np.mod(positions, 1), cell=[4.1801, 4.1801, 2.6678], pbc=True
    )
