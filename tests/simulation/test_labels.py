"""Claims about the labels that come from the structure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("spglib", reason="inequivalent sites need spglib (extra 'simulation')")

from ase import Atoms

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.dataset.voronoi import voronoi_volume
from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.labels import geometry_labels
from hyperspy_coreloss.simulation.populations import Populations
from hyperspy_coreloss.simulation.structures import absorbing_sites
from hyperspy_coreloss.simulation.topology import framework_signature
from hyperspy_coreloss.simulation.virtual_structures import rattle, strain


def test_quartz_has_its_known_bonds(quartz):
    labels = geometry_labels(quartz, 3)
    assert labels.coordination == 2
    assert labels.bond_length == pytest.approx(1.626984, abs=1e-6)
    assert labels.bond_angle == pytest.approx(146.7264, abs=1e-3)
    assert labels.voronoi_volume == pytest.approx(16.367036, abs=1e-5)


def test_oxygen_in_stishovite_has_three_bonds(stishovite):
    labels = geometry_labels(stishovite, 2)
    assert labels.coordination == 3
    assert labels.bond_angle == pytest.approx(119.9, abs=0.5)


def test_silicon_and_oxygen_are_bonded_up_to_2_2_angstrom():
    for distance, bonds in ((2.19, 1), (2.21, 0)):
        pair = Atoms("SiO", positions=[[0, 0, 0], [distance, 0, 0]], cell=[20] * 3, pbc=True)
        assert len(bonded_neighbours(pair, 1).indices) == bonds


def test_one_bond_has_no_angle():
    axis = [[0, 0, 0], [0, 0, 1.16], [0, 0, -1.16]]
    carbon_dioxide = Atoms("CO2", positions=axis, cell=[6] * 3, pbc=True)
    labels = geometry_labels(carbon_dioxide, 1)
    assert labels.coordination == 1
    assert labels.bond_length == pytest.approx(1.16)
    assert np.isnan(labels.bond_angle)


def test_the_length_of_a_silanol_group_is_that_of_its_bond_to_silicon():
    # Si-O 1.64 Å, O-H 0.97 Å, 115 degrees apart.
    angle = np.radians(115)
    hydrogen = 0.97 * np.array([np.cos(angle), np.sin(angle), 0])
    group = Atoms("OSiH", positions=[[0, 0, 0], [1.64, 0, 0], hydrogen], cell=[9] * 3, pbc=True)
    labels = geometry_labels(group, 0)
    assert labels.bond_length == pytest.approx(1.64)
    assert labels.bond_angle == pytest.approx(115)
    assert labels.coordination == 2
    assert labels.bonds == pytest.approx((0.97, 1.64))


def test_hydrogen_counts_where_there_is_nothing_else():
    water = Atoms("OH2", [[0, 0, 0], [0.97, 0, 0], [-0.24, 0.93, 0]], cell=[9] * 3, pbc=True)
    labels = geometry_labels(water, 0)
    assert labels.bond_length == pytest.approx(0.965, abs=0.01)
    assert labels.coordination == 2


def test_overlap_populations_are_averaged_over_the_same_bonds_as_lengths():
    group = Atoms("OSiH", positions=[[0, 0, 0], [1.64, 0, 0], [0, 0.97, 0]], cell=[9] * 3, pbc=True)
    shared = np.array([[6.0, 0.30, 0.20], [0.30, 2.0, 0.0], [0.20, 0.0, 0.5]])
    populations = Populations(shared, np.array([6.0, 4.0, 1.0]), "any")
    assert populations.bond_overlap_population(group, 0) == pytest.approx(0.60)
    assert populations.bond_overlap_population(group, 2) == pytest.approx(0.40)


def test_an_absorber_without_neighbours_is_refused():
    alone = Atoms("O", cell=[15, 15, 15], pbc=True)
    with pytest.raises(StructureError, match="found none"):
        geometry_labels(alone, 0)


def test_symmetry_equivalent_sites_have_equal_labels(quartz, stishovite):
    for crystal in (quartz, stishovite):
        (site,) = absorbing_sites(crystal, "O")
        labels = [geometry_labels(crystal, index) for index in site.equivalents]
        for name in ("bond_length", "bond_angle", "voronoi_volume"):
            values = [getattr(label, name) for label in labels]
            np.testing.assert_allclose(values, values[0], rtol=1e-5)


def _total_volume(atoms):
    sites = range(len(atoms))
    return sum(voronoi_volume(atoms.cell[:], atoms.positions, site) for site in sites)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 2000.0))
def test_voronoi_volumes_sum_to_the_volume_of_the_cell(seed, temperature):
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(4, 7, 3)) + rng.uniform(-1, 1, (3, 3))
    corner = Atoms("Si2O4", scaled_positions=rng.uniform(size=(6, 3)), cell=cell, pbc=True)
    crystal = rattle(strain(corner, 0.05, seed), temperature, seed)
    total = _total_volume(crystal)
    assert total == pytest.approx(crystal.get_volume(), rel=1e-9)


def test_voronoi_volumes_sum_to_the_cell_in_an_open_framework(stishovite):
    # A slab with a gap of 14 Å: the cells reach far beyond the first neighbours.
    stretched = stishovite.copy()
    stretched.set_cell([4.1801, 4.1801, 16.0])
    total = _total_volume(stretched)
    assert total == pytest.approx(stretched.get_volume(), rel=1e-9)


def test_labels_do_not_depend_on_the_choice_of_the_cell(quartz):
    moved = quartz.repeat((2, 1, 1))
    moved.translate([1.7, -2.3, 9.9])
    one, other = geometry_labels(quartz, 3), geometry_labels(moved, 3)
    assert one.voronoi_volume == pytest.approx(other.voronoi_volume, rel=1e-9)
    assert one.bonds == pytest.approx(other.bonds)


def test_quartz_is_told_by_its_coordination_sequence(quartz):
    assert framework_signature(quartz) == ((4, 12, 30, 52, 80, 116, 156, 204),)


def test_strain_and_heat_do_not_change_the_framework(quartz):
    changed = rattle(strain(quartz, 0.03, seed=4).repeat((2, 1, 1)), 300.0, seed=4)
    assert framework_signature(changed) == framework_signature(quartz)


def test_a_framework_needs_its_network_former(stishovite):
    with pytest.raises(StructureError, match="Ge atoms"):
        framework_signature(stishovite, former="Ge")
