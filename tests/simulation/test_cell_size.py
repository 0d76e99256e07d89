"""The correction for periodic images, against known constants."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pymatgen", reason="Ewald sums are pymatgen's (extra 'simulation')")

from hyperspy_coreloss.simulation.cell_size import (
    cell_size_error,
    dielectric_constant,
    image_energy,
)

COULOMB = 14.399645  # eV Å


@pytest.mark.parametrize(
    ("cell", "madelung"),
    [
        (np.eye(3), 2.837297),
        (0.5 * (1 - np.eye(3)), 4.584862),
        (0.5 * (1 - 2 * np.eye(3)), 3.639240),
    ],
)
def test_image_energies_are_those_of_the_cubic_wigner_crystals(cell, madelung):
    """Simple, face-centred and body-centred cubic, in units of the cube's edge."""
    for edge in (5.0, 20.0):
        expected = -0.5 * COULOMB * madelung / edge
        assert image_energy(edge * cell) == pytest.approx(expected, rel=1e-4)


def test_quartz_has_about_its_dielectric_constant():
    assert 2.2 < dielectric_constant(37.7, 2.9) < 2.5
    assert dielectric_constant(1e9, 2.9) == pytest.approx(1.0)


def test_the_error_falls_as_one_over_the_length_of_the_cell():
    cell = 8.0 * np.eye(3) + 0.5
    small, large = cell_size_error(cell, 12), cell_size_error(2 * cell, 96)
    assert small < large < 0
    assert small == pytest.approx(2 * large, rel=1e-4)
