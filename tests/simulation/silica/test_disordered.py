"""Claims about the sites of made structures."""

from __future__ import annotations

import pytest

pytest.importorskip("spglib", reason="supercells need spglib (extra 'simulation')")
pytest.importorskip("pymatgen", reason="closed shells are told by it (extra 'simulation')")

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.simulation.tasks import build_structure
from tests.paths import ROOT
from training.silica.disordered import disordered_tasks

MADE = ROOT / "training" / "structures"


@pytest.fixture(scope="module")
def silanols():
    return [task for task in disordered_tasks(MADE) if task.population == "silanol"]


def test_about_sixty_sites_are_at_silanol_groups_and_beside_them(silanols):
    assert 55 <= sum(len(task.sites) for task in silanols) <= 75
    seen = set()
    for task in silanols:
        atoms = build_structure(task, MADE)
        around = [
            "".join(sorted(atoms.symbols[bonded_neighbours(atoms, site).indices]))
            for site in task.sites
        ]
        # The first task of a cell has its groups, the second what is beside them.
        assert around == ["SiSi" if task.name in seen else "HSi"] * 2
        seen.add(task.name)


def test_sites_beside_a_silanol_group_share_its_silicon(silanols):
    for task in silanols[len(silanols) // 2 :]:
        atoms = build_structure(task, MADE)
        for site in task.sites:
            silicon = [int(i) for i in bonded_neighbours(atoms, site).indices]
            near = {int(j) for i in silicon for j in bonded_neighbours(atoms, i).indices}
            ends = {int(k) for j in near for k in bonded_neighbours(atoms, j).indices}
            assert "H" in {atoms[k].symbol for k in ends}


def test_cells_with_silanol_groups_belong_to_the_phase_of_their_parent(silanols):
    phases = {task.name.removeprefix("silanol-").rsplit("-", 2)[0]: task.phase for task in silanols}
    assert phases["COD-Quartz-alpha"] == "quartz"
    assert phases["IZA-CHA"] == "CHA"
    assert phases["glass-SiO2-2.2-60-10"] == "glass-SiO2-2.2-60-10"
