"""Claims about the oxides that are not silica: structures, plan, table and figure."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pymatgen", reason="CIF files are read through pymatgen (extra 'simulation')")
pytest.importorskip("spglib", reason="inequivalent sites need spglib (extra 'simulation')")

from pymatgen.core import Composition

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import (
    SMALLEST_IMAGE_DISTANCE,
    absorbing_sites,
    image_distance,
    primitive_structure,
)
from hyperspy_coreloss.simulation.tasks import build_structure
from training.foreign.oxides import OXIDES
from training.foreign.plan import STRUCTURES, foreign_plan

BY_NAME = {oxide.name: oxide for oxide in OXIDES}


def crystal(name):
    return read_structure(STRUCTURES / f"{name}.cif")


def test_every_structure_has_its_origin_and_licence_beside_it():
    origin = (STRUCTURES / "ORIGIN.md").read_text(encoding="utf-8")
    assert {path.stem for path in STRUCTURES.glob("*.cif")} == set(BY_NAME)
    for oxide in OXIDES:
        row = f"| {oxide.name}.cif | {oxide.formula} | {oxide.source} | {oxide.licence} |"
        assert row in origin.splitlines()


@pytest.mark.parametrize("name", BY_NAME)
def test_each_structure_is_what_it_is_called_and_no_silica(name):
    atoms = crystal(name)
    assert Composition(atoms.get_chemical_formula()).reduced_composition == (
        Composition(BY_NAME[name].formula).reduced_composition
    )
    assert not set(atoms.get_chemical_symbols()) <= {"Si", "O"}
    assert len(primitive_structure(atoms)) == len(atoms)
    for site in absorbing_sites(atoms, "O"):
        neighbours = bonded_neighbours(atoms, site.index)
        assert "O" not in {atoms[int(i)].symbol for i in neighbours.indices}
        assert 2 <= len(neighbours.indices) <= 8


@pytest.mark.parametrize(
    ("name", "element", "bonds"),
    [
        ("rutile", "Ti", [1.949, 1.949, 1.980]),
        ("calcite", "C", [1.284]),
        ("calcite", "Ca", [2.360, 2.360]),
        ("forsterite", "Si", [1.613, 1.635, 1.655]),
        ("sillimanite", "Si", [1.573, 1.633, 1.645]),
        ("kalsilite", "Si", [1.58, 1.63]),
    ],
)
def test_measured_structures_have_their_published_bonds(name, element, bonds):
    atoms = crystal(name)
    found = set()
    for site in absorbing_sites(atoms, "O"):
        near = bonded_neighbours(atoms, site.index)
        found |= {
            round(float(distance), 2)
            for index, distance in zip(near.indices, near.distances, strict=True)
            if atoms[int(index)].symbol == element
        }
    assert all(min(abs(length - other) for other in found) < 0.02 for length in bonds)


def test_hydrogen_bonds_are_no_bonds_of_ice():
    atoms = crystal("ice-XI")
    for site in absorbing_sites(atoms, "O"):
        near = bonded_neighbours(atoms, site.index)
        assert [atoms[int(i)].symbol for i in near.indices] == ["H", "H"]
        assert near.distances.max() < 1.1


@pytest.fixture(scope="module")
def plan():
    names = ("lime", "calcite", "forsterite")
    return foreign_plan(STRUCTURES, [BY_NAME[name] for name in names])


def test_two_sites_of_each_oxide_come_first(plan):
    assert [(task.name, len(task.sites)) for task in plan] == [
        ("lime", 1),
        ("calcite", 1),
        ("forsterite", 2),
        ("forsterite", 1),
        ("lime-v0", 2),
        ("calcite-v0", 2),
    ]
    assert {task.phase for task in plan} == {"lime", "calcite", "forsterite"}


def test_tasks_are_oxygen_atoms_of_large_enough_cells(plan):
    for task in plan:
        atoms = build_structure(task, STRUCTURES)
        assert image_distance(atoms.cell[:]) > SMALLEST_IMAGE_DISTANCE - 1e-6
        assert {atoms[site].symbol for site in task.sites} == {"O"}


def test_the_two_sites_of_a_variant_differ(plan):
    task = next(task for task in plan if task.name == "lime-v0")
    atoms = build_structure(task, STRUCTURES)
    first, second = (np.sort(bonded_neighbours(atoms, site).distances) for site in task.sites)
    assert np.abs(first - second).max() > 0.01
