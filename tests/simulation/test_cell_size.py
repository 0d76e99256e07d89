"""The correction for periodic images, against known constants."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pymatgen", reason="Ewald sums are pymatgen's (extra 'simulation')")

from hyperspy_coreloss.simulation.cell_size import (
    SILICA_CONTACT,
    SILICA_POLARISABILITY,
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


@pytest.mark.parametrize(
    ("formula_volume", "refractive_index"), [(42.9, 1.485), (34.2, 1.596), (23.3, 1.81)]
)
def test_the_polarisability_of_quartz_gives_the_refractive_index_of_other_silicas(
    formula_volume, refractive_index
):
    """Cristobalite, coesite and stishovite."""
    polarisability = 37.7 * (1.547**2 - 1) / (4 * np.pi)
    epsilon = dielectric_constant(formula_volume, polarisability)
    assert np.sqrt(epsilon) == pytest.approx(refractive_index, rel=0.01)


def test_nothing_screens_in_a_vacuum():
    assert dielectric_constant(1e9, SILICA_POLARISABILITY) == pytest.approx(1.0)


def test_the_error_falls_as_one_over_the_length_of_the_cell_and_one_over_its_volume():
    cell = 8.0 * np.eye(3) + 0.5
    small, large = cell_size_error(cell, 12), cell_size_error(2 * cell, 96)
    assert small < large < 0
    images = [cell_size_error(width * cell, 12 * width**3, contact=0.0) for width in (1, 2)]
    assert images[0] == pytest.approx(2 * images[1], rel=1e-4)
    assert small - images[0] == pytest.approx(8 * (large - images[1]))
    assert small - images[0] == pytest.approx(SILICA_CONTACT / np.linalg.det(cell))
