"""Claims about the bonds, angles and rings of a network, and about what is refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("networkx", reason="rings are paths in a graph (extra 'structures')")
pytest.importorskip("spglib", reason="symmetry is found with spglib (extra 'simulation')")

from ase import Atoms
from ase.build import make_supercell

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.atomistic.network import (
    check_network,
    network_of,
    refuse_alike,
    refuse_crystal,
    same_bonds,
    smallest_rings,
)


def test_quartz_has_the_network_of_the_literature(quartz):
    network = network_of(quartz)
    assert network.coordination("Si") == {4: 3}
    assert network.coordination("O") == {2: 6}
    assert network.miscoordinated == ()
    assert network.edge_sharing == ()
    assert len(network.si_o_bonds) == 12
    assert len(network.si_si_bonds) == 0
    assert network.si_o_bonds.mean() == pytest.approx(1.62, abs=0.01)
    assert network.si_o_si_angles.mean() == pytest.approx(147, abs=1)
    assert len(network.o_si_o_angles) == 3 * 6
    assert network.o_si_o_angles.mean() == pytest.approx(109.5, abs=0.1)
    assert network.density == pytest.approx(9 * 60.084 / 3 / 0.602214 / 3 / 40.1, rel=0.01)


def test_rings_are_those_of_the_framework_atlas(quartz, sodalite):
    # Vertex symbols: quartz 6.6.6(2).6(2).8(7).8(7), sodalite 4.4.6.6.6.6.
    assert smallest_rings(quartz) == {6: 4 * 3, 8: 2 * 3}
    assert smallest_rings(sodalite) == {4: 2 * 12, 6: 4 * 12}
    assert smallest_rings(sodalite, largest=5) == {4: 2 * 12}


def test_an_si_si_bond_shortens_rings_and_is_counted_once(sodalite):
    poorer = sodalite.copy()
    bridge = next(i for i, symbol in enumerate(poorer.symbols) if symbol == "O")
    one, other = network_of(poorer).neighbours[bridge]
    apart = poorer.get_distance(one, other, mic=True, vector=True)
    for end, sign in ((one, 1), (other, -1)):
        poorer.positions[end] += sign * 0.3 * apart / np.linalg.norm(apart)
    del poorer[bridge]
    network = network_of(poorer)
    assert network.si_si_bonds == pytest.approx([np.linalg.norm(apart) - 0.6])
    assert network.miscoordinated == ()
    assert check_network(poorer, si_si_bonds=1).symbols == tuple(poorer.get_chemical_symbols())
    with pytest.raises(StructureError, match="must have 0 Si-Si bonds; found 1"):
        check_network(poorer)


def test_a_missing_bridge_is_refused_unless_defects_are_wanted(quartz):
    cell = quartz.repeat((2, 2, 2))
    bridge = next(i for i, symbol in enumerate(cell.symbols) if symbol == "O")
    ends = network_of(cell).neighbours[bridge]
    del cell[bridge]
    assert set(network_of(cell).miscoordinated) == {i - (i > bridge) for i in ends}
    with pytest.raises(StructureError, match="at most 0 exceptions; found 2: Si"):
        check_network(cell, name="cut quartz")
    assert len(check_network(cell, most_defects=2).miscoordinated) == 2


def test_tetrahedra_that_share_an_edge_are_refused():
    # A chain of tetrahedra that share edges, as in SiS2.
    silicon = [[0, 0, 0], [2.5, 0, 0], [5.0, 0, 0], [7.5, 0, 0]]
    middles = [1.25, 3.75, 6.25, 8.75]
    oxygen = [[x, *side] for k, x in enumerate(middles) for side in _sides(k)]
    chain = Atoms("Si4O8", positions=silicon + oxygen, cell=[10, 9, 9], pbc=True)
    assert len(network_of(chain).edge_sharing) == 4
    with pytest.raises(StructureError, match="share corners only; found 4 pairs"):
        check_network(chain)


def _sides(number):
    along = (0, 1.05) if number % 2 else (1.05, 0)
    return (along, (-along[0], -along[1]))


def test_overlapping_atoms_are_refused(quartz):
    quartz.append("O")
    quartz.positions[-1] = quartz.positions[3] + [0.3, 0, 0]
    with pytest.raises(StructureError, match="must not overlap"):
        check_network(quartz)


def test_crystals_are_told_from_glass_however_they_are_written(quartz, sodalite):
    rattled = sodalite.repeat((2, 1, 1))
    rattled.rattle(0.08, seed=3)
    turned = make_supercell(quartz, [[2, 1, 0], [0, 2, 0], [0, 1, 2]])
    for crystal in (quartz.repeat((2, 2, 1)), turned, rattled):
        with pytest.raises(StructureError, match="must be amorphous"):
            refuse_crystal(crystal)


def test_a_strained_copy_is_alike_and_another_framework_is_not(quartz, sodalite):
    strained = sodalite.copy()
    strained.set_cell(strained.cell[:] * [1.03, 0.98, 1.0], scale_atoms=True)
    strained.rattle(0.03, seed=1)
    strained = strained[np.random.default_rng(0).permutation(len(strained))]
    with pytest.raises(StructureError, match="new repeats the network of old"):
        refuse_alike(strained, {"quartz": quartz, "old": sodalite}, "new")
    refuse_alike(quartz, {"old": sodalite}, "new")


def test_bonds_are_compared_atom_by_atom(quartz):
    moved = quartz.copy()
    moved.rattle(0.05, seed=2)
    assert same_bonds(moved, quartz)
    moved.positions[4] += [0.9, 0.9, 0.9]
    assert not same_bonds(moved, quartz)
