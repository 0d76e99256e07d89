"""Claims about silanol groups: how they are added, relaxed, checked and kept."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("spglib", reason="primitive cells are found with spglib (extra 'simulation')")
pytest.importorskip("pymatgen", reason="closed shells are told by it (extra 'simulation')")

from ase import Atoms

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.atomistic import ForceRelaxation, silanol
from hyperspy_coreloss.simulation.atomistic.network import network_of
from hyperspy_coreloss.simulation.atomistic.silanol import (
    add_silanols,
    check_silanols,
    make_silanol,
    silanol_cell,
)
from hyperspy_coreloss.simulation.labels import geometry_labels
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import image_distance
from tests.paths import ROOT
from training.silica.make_silanols import CRYSTALS, GLASSES

GROUPS = {"nest": 4, "bridge": 2}
KEPT = [
    path
    for kind in GROUPS
    for path in sorted((ROOT / "training" / "structures").glob(f"silanol-*-{kind}-*.xyz"))
]


@pytest.fixture
def framework(sodalite):
    return silanol_cell(sodalite)


def numbers(atoms):
    return tuple(int((atoms.numbers == number).sum()) for number in (14, 8, 1))


def silanol_oxygen(atoms):
    network = network_of(atoms)
    return [
        index
        for index, symbol in enumerate(network.symbols)
        if symbol == "O" and "H" in {network.symbols[i] for i in network.neighbours[index]}
    ]


@pytest.mark.parametrize(("kind", "content"), [("nest", (11, 24, 4)), ("bridge", (12, 25, 2))])
def test_a_nest_takes_silicon_and_a_bridge_takes_up_water(framework, kind, content):
    assert numbers(framework) == (12, 24, 0)
    made = add_silanols(framework, kind, 1)
    assert numbers(made) == content
    check_silanols(made, GROUPS[kind])
    assert len(silanol_oxygen(made)) == GROUPS[kind]


@pytest.mark.parametrize("kind", GROUPS)
def test_the_seed_decides(framework, kind):
    one, again, other = (add_silanols(framework, kind, seed).positions for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.1


def test_the_two_groups_of_a_bridge_face_each_other(framework):
    made = add_silanols(framework, "bridge", 3)
    one, other = silanol_oxygen(made)
    ends = [bonded_neighbours(made, index).indices for index in (one, other)]
    silicon = [next(int(i) for i in end if made.numbers[i] == 14) for end in ends]
    assert silicon[0] != silicon[1]
    assert 2.4 < made.get_distance(one, other, mic=True) < 3.6
    assert made.get_distance(*silicon, mic=True) < 4.5


def test_small_cells_are_enlarged(quartz):
    cell = silanol_cell(quartz)
    assert 36 <= len(cell) <= 75
    assert image_distance(cell.cell[:]) >= 8
    with pytest.raises(StructureError, match="4 neighbours are different atoms; found none"):
        add_silanols(quartz[[0, 3]], "nest", 1)


def test_a_silica_with_other_bonds_is_no_parent(quartz, stishovite):
    del quartz[3]
    for parent in (quartz, stishovite):
        with pytest.raises(StructureError, match="Si-O-Si bridges before groups are added; Si0"):
            silanol_cell(parent)


def test_there_are_two_kinds(framework):
    with pytest.raises(StructureError, match="one of nest, bridge; found 'twin'"):
        add_silanols(framework, "twin", 1)


def test_water_is_no_silanol(framework):
    made = add_silanols(framework, "bridge", 1)
    place = _pore(made)
    made += Atoms("OH2", place + np.array([[0, 0, 0], [0.97, 0, 0], [-0.3, 0.92, 0]]))
    with pytest.raises(StructureError, match=rf"O{len(made) - 3} is bonded to H, H\."):
        check_silanols(made, 4)


def test_a_molecule_that_has_come_off_is_refused(framework):
    made = framework.repeat((2, 1, 1))
    place = _pore(made)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    made += Atoms("SiO4H4", place + np.vstack([np.zeros((1, 3)), 1.62 * corners, 2.59 * corners]))
    with pytest.raises(StructureError, match="found 2 parts, the smallest of 9 atoms"):
        check_silanols(made, 4)


def test_a_stretched_bond_of_hydrogen_is_refused(framework):
    made = add_silanols(framework, "bridge", 1)
    hydrogen = len(made) - 1
    (oxygen,) = bonded_neighbours(made, hydrogen).indices
    made.set_distance(int(oxygen), hydrogen, 1.12, fix=0, mic=True)
    with pytest.raises(StructureError, match=r"0\.93 to 1\.05 Å long; H38 is 1\.120 Å"):
        check_silanols(made, 2)
    with pytest.raises(StructureError, match="must have 4 Si-OH groups; found 2"):
        check_silanols(add_silanols(framework, "bridge", 1), 4)


def test_bonds_that_change_in_relaxation_are_refused(framework, monkeypatch):
    def swap(atoms, settings):
        moved = atoms.copy()
        moved.positions[[-1, -2]] = moved.positions[[-2, -1]]
        return moved

    monkeypatch.setattr(silanol, "relax_with_learned_potential", swap)
    with pytest.raises(StructureError, match="sodalite must keep the bonds"):
        make_silanol(framework, "nest", 1, "sodalite")


def test_a_relaxed_cell_says_how_it_was_made(sodalite):
    pytest.importorskip("chgnet", reason="forces are CHGNet's (extra 'structures')")
    brief = ForceRelaxation(largest_force=1.0, cell="fixed")
    made = make_silanol(sodalite, "nest", 1, relaxation=brief)
    assert made.info["population"] == "silanol"
    assert (made.info["groups"], made.info["seed"]) == ("nest", 1)
    assert made.info["chgnet_weights"]
    assert check_silanols(made, 4).miscoordinated == ()


def test_all_parents_have_a_kept_cell():
    parents = {path.stem.removeprefix("silanol-").rsplit("-", 2)[0] for path in KEPT}
    assert parents == {*CRYSTALS, *GLASSES}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_cell_has_the_groups_of_its_name_and_their_measured_shape(path):
    atoms = read_structure(path)
    parent, kind, seed = path.stem.removeprefix("silanol-").rsplit("-", 2)
    check_silanols(atoms, GROUPS[kind])
    assert atoms.info["population"] == "silanol"
    assert (atoms.info["groups"], str(atoms.info["seed"])) == (kind, seed)
    assert {"source", "licence", "chgnet"} <= set(atoms.info)
    if parent.startswith("glass"):
        assert atoms.info["phase"] == parent
    labels = [geometry_labels(atoms, site) for site in silanol_oxygen(atoms)]
    assert all(1.59 < label.bond_length < 1.70 for label in labels)
    assert all(100 < label.bond_angle < 140 for label in labels)
    assert np.mean([label.bond_angle for label in labels]) == pytest.approx(120, abs=8)


def _pore(atoms):
    """Return the place of a grid that is farthest from all atoms."""
    from ase.geometry import get_distances

    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 13)] * 3), axis=-1).reshape(-1, 3)
    places = grid @ atoms.cell[:]
    _, distances = get_distances(places, atoms.positions, cell=atoms.cell, pbc=True)
    return places[distances.min(axis=1).argmax()]
