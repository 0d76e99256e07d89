"""Claims about reading, refusing and repeating structures."""

from __future__ import annotations

import itertools
import sys
import types
from typing import ClassVar

import numpy as np
import pytest

pytest.importorskip("pymatgen", reason="CIF files are read through pymatgen (extra 'simulation')")
pytest.importorskip("spglib", reason="inequivalent sites need spglib (extra 'simulation')")

from ase import Atoms
from ase.io import write

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.structure_files import (
    fetch_materials_project,
    read_frame,
    read_structure,
    structure_files,
)
from hyperspy_coreloss.simulation.structures import (
    absorbing_sites,
    are_duplicates,
    build_supercell,
    check_structure,
    image_distance,
    primitive_structure,
    refuse_duplicate,
)
from hyperspy_coreloss.simulation.tasks import build_structure, tasks_from_files
from hyperspy_coreloss.simulation.virtual_structures import (
    SILICON_BOND,
    rattle,
    remove_oxygen,
    strain,
)

PARTIAL = """data_partial
_cell_length_a 4.0
_cell_length_b 4.0
_cell_length_c 4.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Si1 Si 0 0 0 1
O1 O 0.5 0.5 0.5 0.5
"""


@pytest.mark.parametrize("name", ["quartz.cif", "POSCAR", "quartz.xyz"])
def test_a_structure_survives_writing_and_reading(quartz, tmp_path, name):
    path = tmp_path / name
    write(path, quartz, **({"format": "extxyz"} if name.endswith("xyz") else {}))
    assert are_duplicates(read_structure(path), quartz)


def test_a_file_that_is_no_cif_is_refused_with_the_reason(tmp_path):
    path = tmp_path / "broken.cif"
    path.write_text("data_nothing\nthis is no crystal\n")
    with pytest.raises(StructureError, match=r"broken\.cif must be a readable crystal structure"):
        read_structure(path)


def test_a_file_of_unknown_type_is_refused(tmp_path):
    path = tmp_path / "notes.abcxyz"
    path.write_text("hello")
    with pytest.raises(StructureError, match=r"notes\.abcxyz"):
        read_structure(path)


def test_a_missing_file_is_called_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is none"):
        read_structure(tmp_path / "none.cif")


def test_partial_occupancy_is_refused(tmp_path):
    path = tmp_path / "partial.cif"
    path.write_text(PARTIAL)
    with pytest.raises(StructureError, match="fully occupied"):
        read_structure(path)


def test_a_molecule_is_refused(tmp_path):
    path = tmp_path / "water.xyz"
    write(path, Atoms("OH2", positions=[[0, 0, 0], [0.96, 0, 0], [0, 0.96, 0]]))
    with pytest.raises(StructureError, match="periodic in three dimensions"):
        read_structure(path)


def test_overlapping_atoms_are_refused_with_their_distance(quartz):
    doubled = quartz + Atoms("O", positions=[quartz.positions[4] + [0.2, 0, 0]])
    with pytest.raises(StructureError, match=r"O4 and O9 0\.20 Å apart"):
        check_structure(doubled, "O", "doubled quartz")


def test_a_structure_without_the_absorber_is_refused():
    with pytest.raises(StructureError, match="absorbing element O; found Si2"):
        check_structure(
            Atoms("Si2", positions=[[0, 0, 0], [1.36] * 3], cell=[4] * 3, pbc=True), "O"
        )


def test_nan_positions_are_refused(quartz):
    quartz.positions[0, 0] = np.nan
    with pytest.raises(StructureError, match="finite"):
        check_structure(quartz, "O")


def test_a_repeated_structure_is_refused_under_its_twins_name(quartz):
    other = quartz.repeat((1, 2, 1))
    other.translate([0.3, 0.1, 0.7])
    with pytest.raises(StructureError, match="twin repeats quartz"):
        refuse_duplicate(other, {"quartz": quartz}, "twin")


def test_a_strained_structure_is_no_duplicate(quartz):
    assert not are_duplicates(quartz, strain(quartz, 0.03, seed=1))


def test_quartz_has_one_oxygen_of_multiplicity_six(quartz):
    (site,) = absorbing_sites(quartz, "O")
    assert (site.index, site.multiplicity) == (3, 6)
    assert site.equivalents == (3, 4, 5, 6, 7, 8)


def test_every_oxygen_of_a_rattled_crystal_is_its_own_site(quartz):
    sites = absorbing_sites(rattle(quartz, 300.0, seed=1), "O")
    assert [site.multiplicity for site in sites] == [1] * 6


def test_a_supercell_is_reduced_to_its_primitive_cell(quartz):
    assert are_duplicates(primitive_structure(quartz.repeat((2, 1, 1))), quartz)
    assert len(primitive_structure(quartz.repeat((2, 1, 1)))) == 9


@pytest.mark.parametrize("diagonal", [True, False])
def test_images_of_the_core_hole_are_at_least_eight_angstrom_apart(quartz, stishovite, diagonal):
    for crystal in (quartz, stishovite):
        supercell = build_supercell(crystal, diagonal=diagonal)
        assert image_distance(supercell.cell[:]) >= 8.0
        np.testing.assert_allclose(
            supercell.get_volume() / len(supercell), crystal.get_volume() / len(crystal)
        )


def test_a_general_supercell_of_quartz_is_smaller_than_the_diagonal_one(quartz):
    assert len(build_supercell(quartz, diagonal=True)) == 72
    assert len(build_supercell(quartz)) == 54


def test_the_first_atoms_of_a_supercell_are_those_of_the_crystal(quartz):
    supercell = build_supercell(quartz)
    shift = (supercell.positions[:9] - quartz.positions) @ np.linalg.inv(quartz.cell[:])
    np.testing.assert_allclose(shift, shift.round(), atol=1e-8)
    assert (supercell.numbers[:9] == quartz.numbers).all()


def test_the_image_distance_does_not_depend_on_the_choice_of_the_cell():
    cell = np.diag([8.0, 9.0, 10.0])
    skewed = np.array([[1, 3, 0], [0, 1, -4], [0, 0, 1]]) @ cell
    assert image_distance(skewed) == pytest.approx(8.0)


def test_strain_and_rattling_are_reproducible_and_differ_between_seeds(quartz):
    for change in (lambda a, s: strain(a, 0.03, s), lambda a, s: rattle(a, 300.0, s)):
        np.testing.assert_array_equal(change(quartz, 5).positions, change(quartz, 5).positions)
        assert np.abs(change(quartz, 5).positions - change(quartz, 6).positions).max() > 1e-3


def test_strain_keeps_the_fractional_coordinates_and_stays_within_its_magnitude(quartz):
    strained = strain(quartz, 0.03, seed=2)
    fractional = [atoms.cell.scaled_positions(atoms.positions) for atoms in (strained, quartz)]
    np.testing.assert_allclose(*fractional, atol=1e-12)
    tensor = np.linalg.solve(quartz.cell[:], strained.cell[:]) - np.eye(3)
    np.testing.assert_allclose(tensor, tensor.T, atol=1e-12)
    assert np.abs(tensor).max() <= 0.03


def test_rattling_moves_light_atoms_more_and_grows_with_the_root_of_temperature(quartz):
    crystal = quartz.repeat(4)
    cold, hot = (
        rattle(crystal, temperature, seed=3).positions - crystal.positions
        for temperature in (100.0, 400.0)
    )
    np.testing.assert_allclose(hot, 2 * cold, atol=1e-12)
    silicon = crystal.numbers == 14
    ratio = cold[~silicon].std() / cold[silicon].std()
    assert ratio == pytest.approx(np.sqrt(28.085 / 15.999), rel=0.15)


@pytest.mark.parametrize(("change", "much"), [(strain, -0.1), (strain, 0.5), (rattle, -1.0)])
def test_impossible_strains_and_temperatures_are_refused(quartz, change, much):
    with pytest.raises(StructureError, match=f"found {much:g}"):
        change(quartz, much, seed=1)


def test_removing_oxygen_leaves_silicon_bonds_and_is_reproducible(quartz):
    supercell = build_supercell(quartz)
    poorer = remove_oxygen(supercell, 2, seed=8)
    assert poorer.get_chemical_formula() == "O34Si18"
    silicon = poorer[poorer.numbers == 14].get_all_distances(mic=True)
    np.testing.assert_allclose(np.sort(silicon[np.triu_indices(18, 1)])[:2], SILICON_BOND)
    oxygen = np.flatnonzero(poorer.numbers == 8)
    bonds = [
        int(np.isin(bonded_neighbours(poorer, i).indices, oxygen).sum())
        for i in np.flatnonzero(poorer.numbers == 14)
    ]
    assert sorted(bonds) == [3] * 4 + [4] * 14
    np.testing.assert_array_equal(poorer.positions, remove_oxygen(supercell, 2, seed=8).positions)
    assert not np.array_equal(poorer.positions, remove_oxygen(supercell, 2, seed=9).positions)
    assert len(supercell) == 54


@pytest.mark.parametrize("count", [0, 40])
def test_an_impossible_number_of_vacancies_is_refused(quartz, count):
    with pytest.raises(StructureError, match=f"Removing {count} oxygen atoms"):
        remove_oxygen(build_supercell(quartz), count, seed=1)


def test_oxygen_that_is_no_bridge_is_not_removed(stishovite):
    with pytest.raises(StructureError, match="found 0"):
        remove_oxygen(build_supercell(stishovite), 1, seed=1)


def test_files_become_tasks_or_are_refused_with_their_reasons(quartz, stishovite, tmp_path):
    for name, crystal in (("a", quartz), ("b", stishovite), ("twin", quartz.repeat((1, 1, 2)))):
        write(tmp_path / f"{name}.cif", crystal)
    (tmp_path / "broken.cif").write_text("data_broken\n")
    names = ("a", "b", "twin", "broken", "missing")
    tasks, refused = tasks_from_files([tmp_path / f"{name}.cif" for name in names], "O")
    assert [(task.name, len(task.sites)) for task in tasks] == [("a", 1), ("b", 1)]
    assert [tasks[0].multiplicities, tasks[1].multiplicities] == [(6,), (4,)]
    reasons = [refused[str(tmp_path / f"{name}.cif")] for name in names[2:]]
    for reason, word in zip(reasons, ("repeats a.cif", "readable", "there is none"), strict=True):
        assert word in reason
    assert len(build_structure(tasks[0])) == 54


def test_a_frame_of_molecular_dynamics_is_read(quartz, tmp_path):
    path = tmp_path / "qtz.npz"
    frames = np.stack([quartz.positions, quartz.positions + 0.1]).astype(np.float32)
    cells = np.stack([quartz.cell[:]] * 2).astype(np.float32)
    np.savez(path, positions=frames, cells=cells, symbols=np.array(quartz.get_chemical_symbols()))
    assert are_duplicates(read_frame(path, 1), quartz)
    with pytest.raises(StructureError, match="one of 0 to 1; found 2"):
        read_frame(path, 2)


def test_a_frame_file_without_cells_is_refused(tmp_path):
    path = tmp_path / "bad.npz"
    np.savez(path, positions=np.zeros((1, 2, 3)), symbols=np.array(["Si", "O"]))
    with pytest.raises(StructureError, match="lacks cells"):
        read_frame(path, 0)


def test_the_materials_project_is_not_asked_without_a_key(monkeypatch):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    with pytest.raises(StructureError, match="MP_API_KEY"):
        fetch_materials_project("mp-7000")


@pytest.fixture
def materials_project(monkeypatch, quartz):
    """A Materials Project of one entry, which counts how often it is asked."""
    from pymatgen.io.ase import AseAtomsAdaptor

    class UnknownEntryError(Exception):
        pass

    class Client:
        asked: ClassVar[list[str]] = []

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return False

        def get_structure_by_material_id(self, material_id):
            self.asked.append(material_id)
            if material_id != "mp-7000":
                raise UnknownEntryError(material_id)
            return AseAtomsAdaptor.get_structure(quartz)

    client = types.ModuleType("mp_api.client")
    client.MPRester, client.MPRestError = Client, UnknownEntryError
    monkeypatch.setitem(sys.modules, "mp_api", types.ModuleType("mp_api"))
    monkeypatch.setitem(sys.modules, "mp_api.client", client)
    monkeypatch.setenv("MP_API_KEY", "a key")
    return Client


def test_an_entry_of_the_materials_project_is_fetched_once(materials_project, quartz, tmp_path):
    (first,) = structure_files(["mp-7000"], tmp_path / "structures")
    (again,) = structure_files(["mp-7000"], tmp_path / "structures")
    assert first == again
    assert materials_project.asked == ["mp-7000"]
    fetched = read_structure(first)
    assert sorted(fetched.symbols) == sorted(quartz.symbols)
    assert fetched.get_volume() == pytest.approx(quartz.get_volume(), rel=1e-5)
    (task,), refused = tasks_from_files([first], "O")
    assert (task.name, refused) == ("mp-7000", {})


def test_an_entry_that_does_not_exist_is_refused(materials_project, tmp_path):
    with pytest.raises(StructureError, match="mp-1 could not be fetched"):
        structure_files(["mp-1"], tmp_path)


def test_files_and_folders_are_taken_as_they_are(tmp_path):
    for name in ("b.cif", "a.cif", "mp-7000"):
        (tmp_path / name).write_text("")
    (tmp_path / "deeper").mkdir()
    names = [str(tmp_path), str(tmp_path / "b.cif")]
    found = structure_files(names, tmp_path / "never")
    assert [path.name for path in found] == ["a.cif", "b.cif", "mp-7000", "b.cif"]
    with pytest.raises(FileNotFoundError, match=r"there is no .*c\.cif"):
        structure_files([str(tmp_path / "c.cif")], tmp_path)


def test_every_superlattice_is_tried_once():
    from hyperspy_coreloss.simulation.structures import _superlattices

    # Number of sublattices of index n in three dimensions (OEIS A001001).
    for size, count in zip(range(1, 9), (1, 7, 13, 35, 31, 91, 57, 155), strict=True):
        found = list(_superlattices(size, diagonal=False))
        assert len(found) == count
        assert all(round(np.linalg.det(matrix)) == size for matrix in found)
    assert all(
        np.any(a != b) for a, b in itertools.combinations(_superlattices(6, diagonal=False), 2)
    )
