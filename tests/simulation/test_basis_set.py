"""Claims about the finite plane-wave basis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.simulation.basis_set import (
    ERROR_PER_LOGARITHM,
    MEAN_ERROR,
    basis_set_error,
    plane_wave_count,
    plane_wave_excess,
)

KINETIC = 3.809982  # hbar**2 / 2m in eV Å**2


@pytest.mark.parametrize(("squared", "count"), [(0, 1), (1, 7), (2, 19), (3, 27), (4, 33), (5, 57)])
def test_the_shells_of_a_cube_are_counted(squared, count):
    edge = 4.0
    shell = KINETIC * squared * (2 * np.pi / edge) ** 2
    assert plane_wave_count(edge * np.eye(3), shell + 1e-3) == count


@given(
    st.lists(st.floats(-0.3, 0.3), min_size=9, max_size=9),
    st.sampled_from([(0, 1), (0, 2), (1, 2), (2, 0)]),
    st.sampled_from([-1, 1, 2]),
)
def test_the_count_does_not_depend_on_the_choice_of_the_vectors(tilt, axes, times):
    cell = 6.0 * (np.eye(3) + np.reshape(tilt, (3, 3)))
    other = cell.copy()
    other[axes[0]] += times * cell[axes[1]]
    # A point exactly on the sphere may fall on either side of it by rounding.
    assert abs(plane_wave_count(cell, 300.0) - plane_wave_count(other, 300.0)) <= 2


def test_the_scatter_fades_in_large_cells():
    rng = np.random.default_rng(0)
    scatter = []
    for edge in (5.0, 20.0):
        cells = edge * (np.eye(3) + rng.uniform(-0.1, 0.1, (40, 3, 3)))
        scatter.append(np.std([plane_wave_excess(cell) for cell in cells]))
    assert scatter[1] < 0.1 * scatter[0]
    assert scatter[1] < 1e-3


def test_more_plane_waves_than_the_mean_lower_the_error():
    cells = [edge * np.eye(3) for edge in np.arange(5.0, 6.0, 0.1)]
    most = max(cells, key=plane_wave_excess)
    fewest = min(cells, key=plane_wave_excess)
    assert basis_set_error(most) < MEAN_ERROR < basis_set_error(fewest)
    gap = plane_wave_excess(fewest) - plane_wave_excess(most)
    expected = ERROR_PER_LOGARITHM * gap
    assert basis_set_error(fewest) - basis_set_error(most) == pytest.approx(expected)
