"""Claims about the plan of the silica data set, on a folder with a few crystals."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pymatgen", reason="CIF files are read through pymatgen (extra 'simulation')")
pytest.importorskip("spglib", reason="inequivalent sites need spglib (extra 'simulation')")

from ase.io import write

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.structures import (
    build_supercell,
    image_distance,
    primitive_structure,
)
from hyperspy_coreloss.simulation.tasks import build_structure
from hyperspy_coreloss.simulation.virtual_structures import rattle, remove_oxygen
from training.silica.coverage import plan_coverage
from training.silica.plan import silica_plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory, quartz_crystal, sodalite, stishovite):
    folder = tmp_path_factory.mktemp("structures")
    for part in ("materials_project", "polymorphs", "zeolites_iza", "si_zeo22"):
        (folder / part).mkdir()
    write(folder / "polymorphs" / "SiO2-Quartz-alpha.cif", _scaled(quartz_crystal, 1.01))
    write(folder / "polymorphs" / "SiO2-Stishovite.cif", stishovite)
    write(folder / "materials_project" / "mp-7000_SiO2.cif", quartz_crystal)
    write(folder / "materials_project" / "mp-9999_SiO2.cif", quartz_crystal)
    write(folder / "materials_project" / "mp-640917_SiO2.cif", _scaled(quartz_crystal, 1.03))
    write(folder / "zeolites_iza" / "SOD.cif", sodalite)
    (folder / "zeolites_iza" / "BAD.cif").write_text("data_BAD\n")
    frames = [rattle(sodalite, 300.0, seed).positions for seed in range(20)]
    np.savez(
        folder / "si_zeo22" / "sod.npz",
        positions=np.array(frames, dtype=np.float32),
        cells=np.array([sodalite.cell[:]] * 20, dtype=np.float32),
        symbols=np.array(sodalite.get_chemical_symbols()),
    )
    return folder


@pytest.fixture(scope="module")
def oxygen_poor(tmp_path_factory, quartz_crystal):
    folder = tmp_path_factory.mktemp("oxygen_poor")
    atoms = remove_oxygen(build_supercell(primitive_structure(quartz_crystal)), 1, seed=4)
    for parent in ("mp-7000", "mp-1"):
        write(folder / f"{parent}-vac1.xyz", atoms, format="extxyz")
    return folder


@pytest.fixture(scope="module")
def plan(folder, oxygen_poor):
    return silica_plan(folder, oxygen_poor)


def _scaled(crystal, factor):
    scaled = crystal.copy()
    scaled.set_cell(crystal.cell[:] * factor, scale_atoms=True)
    return scaled


def test_no_site_is_planned_twice(plan):
    units = [(task.name, site) for task in plan for site in task.sites]
    assert len(units) == len(set(units))


def test_the_same_framework_from_two_sources_is_one_phase(plan):
    phases = {task.name: task.phase for task in plan}
    assert phases["mp-7000"] == phases["COD-Quartz-alpha"] == phases["mp-7000-v0"] == "quartz"
    assert phases["IZA-SOD"] == phases["MD-sod-19"] == "SOD"


def test_duplicates_bad_entries_and_broken_files_are_left_out(plan):
    names = {task.name for task in plan}
    assert "mp-7000" in names
    assert not names & {"mp-9999", "mp-640917", "IZA-BAD"}


def test_few_sites_of_all_come_before_all_sites_of_few(plan):
    first = {}
    for position, task in enumerate(plan):
        first.setdefault(task.name, position)
    second_frame = first["MD-sod-4"]
    assert all(first[name] < second_frame for name in ("mp-7000", "mp-7000-v0", "IZA-SOD-v0"))


def test_an_oxygen_poor_structure_belongs_to_the_phase_of_its_crystal(plan):
    phases = {task.name: task.phase for task in plan}
    assert phases["mp-7000-vac1"] == "quartz"
    assert "mp-1-vac1" not in phases  # no crystal of the plan


def test_sites_of_an_oxygen_poor_structure_are_at_its_vacancy_but_for_the_farthest(
    plan, oxygen_poor
):
    (task,) = (task for task in plan if task.name == "mp-7000-vac1")
    atoms = build_structure(task, oxygen_poor)
    poor = [
        i for i in np.flatnonzero(atoms.numbers == 14) if 14 in _neighbour_numbers(atoms, int(i))
    ]
    assert len(poor) == 2
    *near, far = (atoms.get_distances(site, poor, mic=True).min() for site in task.sites)
    assert len(near) == 4
    assert max(near) < 1.9
    assert far > 3.5


def _neighbour_numbers(atoms, index):
    return atoms.numbers[bonded_neighbours(atoms, index).indices]


def test_crystals_of_three_coordinated_oxygen_have_more_variants(plan):
    names = {task.name for task in plan}
    count = {
        parent: sum(f"{parent}-v{number}" in names for number in range(20))
        for parent in ("COD-Stishovite", "mp-7000", "IZA-SOD")
    }
    assert count == {"COD-Stishovite": 9, "mp-7000": 5, "IZA-SOD": 5}


def test_the_coverage_of_a_plan_counts_coordination_and_composition(plan, folder, oxygen_poor):
    chosen = [task for task in plan if task.name in ("COD-Stishovite", "mp-7000", "mp-7000-vac1")]
    coverage = plan_coverage(chosen, (folder, oxygen_poor))
    n_sites = sum(len(task.sites) for task in chosen)
    assert (coverage.sites, coverage.structures, coverage.phases) == (n_sites, 3, 2)
    assert coverage.coordination == {"2": n_sites - 1, "3": 1}
    assert coverage.composition == {"1.944": 5, "2.000": n_sites - 5}
    assert coverage.bond_length["1.61"] >= 1  # quartz: 1.62 Å, 145 degrees
    assert coverage.bond_angle["145"] >= 1
    assert sum(coverage.bond_angle.values()) == n_sites - 1
    assert plan_coverage(chosen, (folder, oxygen_poor), first=2).sites == 2


def test_every_planned_site_is_an_oxygen_of_a_cell_that_keeps_the_rule(plan, folder, oxygen_poor):
    for task in plan[:12]:
        atoms = build_structure(task, (folder, oxygen_poor))
        assert all(atoms[site].symbol == "O" for site in task.sites)
        assert image_distance(atoms.cell[:]) >= 7.5
        assert len(atoms) <= 72


def test_a_structure_file_that_no_folder_has_is_named(plan, oxygen_poor):
    task = next(task for task in plan if task.name == "IZA-SOD")
    with pytest.raises(FileNotFoundError, match=r"zeolites_iza/SOD\.cif was expected in"):
        build_structure(task, (oxygen_poor,))


def test_a_plan_is_the_same_every_time_but_for_the_oxygen_poor_if_there_are_none(plan, folder):
    assert silica_plan(folder) == tuple(task for task in plan if "-vac" not in task.name)
    task = next(task for task in plan if task.seed is not None)
    np.testing.assert_array_equal(
        build_structure(task, folder).positions, build_structure(task, folder).positions
    )


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(StructureError, match="materials_project"):
        silica_plan(tmp_path)
