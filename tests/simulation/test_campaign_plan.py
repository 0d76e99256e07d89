"""Claims about the plan of the silica data set, on a folder with a few crystals."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pymatgen", reason="CIF files are read through pymatgen (extra 'simulation')")
pytest.importorskip("spglib", reason="inequivalent sites need spglib (extra 'simulation')")

from ase.io import write

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.campaign_plan import silica_plan
from hyperspy_coreloss.simulation.structures import image_distance
from hyperspy_coreloss.simulation.tasks import build_structure
from hyperspy_coreloss.simulation.virtual_structures import rattle


@pytest.fixture(scope="module")
def folder(tmp_path_factory, quartz_crystal, sodalite):
    folder = tmp_path_factory.mktemp("structures")
    for part in ("materials_project", "polymorphs", "zeolites_iza", "si_zeo22"):
        (folder / part).mkdir()
    write(folder / "polymorphs" / "SiO2-Quartz-alpha.cif", _scaled(quartz_crystal, 1.01))
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
def plan(folder):
    return silica_plan(folder)


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


def test_every_planned_site_is_an_oxygen_of_a_cell_that_keeps_the_rule(plan, folder):
    for task in plan[:12]:
        atoms = build_structure(task, folder)
        assert all(atoms[site].symbol == "O" for site in task.sites)
        assert image_distance(atoms.cell[:]) >= 7.5
        assert len(atoms) <= 72


def test_a_plan_is_the_same_every_time(plan, folder):
    assert silica_plan(folder) == plan
    task = next(task for task in plan if task.seed is not None)
    np.testing.assert_array_equal(
        build_structure(task, folder).positions, build_structure(task, folder).positions
    )


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(StructureError, match="materials_project"):
        silica_plan(tmp_path)
