from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.dataset.voronoi import voronoi_volume
from hyperspy_coreloss.errors import StructureError


def test_volumes_sum_to_the_cell_however_open_it_is(rng):
    for height in (5.0, 20.0, 45.0):
        cell = np.diag([4.0, 5.0, height]) + rng.uniform(-0.5, 0.5, (3, 3))
        positions = rng.uniform(-10, 10, (4, 3))
        total = sum(voronoi_volume(cell, positions, site) for site in range(4))
        assert total == pytest.approx(abs(np.linalg.det(cell)), rel=1e-9)


def test_open_structures_are_refused():
    with pytest.raises(StructureError, match="must close within 60 Å"):
        voronoi_volume(200 * np.eye(3), np.zeros((1, 3)), 0)


def test_shipped_volumes_do_not_stop_at_the_first_neighbours(sites):
    """Sites in open frameworks used to have volumes cut off at 6.5 Å."""
    volumes = sites.targets[:, 2]
    for number in np.argsort(-volumes)[:5]:
        site = sites.sites[number]
        part = site.structure
        each = [
            voronoi_volume(part.cell, part.positions, atom) for atom in range(len(part.numbers))
        ]
        assert sum(each) == pytest.approx(abs(np.linalg.det(part.cell)), rel=1e-9)
        assert volumes[number] == pytest.approx(each[site.absorber], rel=1e-6)
