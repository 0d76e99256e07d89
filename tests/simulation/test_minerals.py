"""Claims about the minerals of the shipped data set."""

from __future__ import annotations

import pytest

pytest.importorskip("spglib", reason="inequivalent sites need spglib (extra 'simulation')")

from ase import Atoms

from hyperspy_coreloss.dataset.minerals import MINERALS, find_sites
from hyperspy_coreloss.simulation.structures import absorbing_sites, primitive_structure


@pytest.mark.parametrize("mineral", MINERALS)
def test_a_mineral_has_all_inequivalent_sites_of_its_crystal(sites, mineral):
    found = find_sites(sites, mineral).sites
    part = found[0].structure
    atoms = Atoms(part.numbers, positions=part.positions, cell=part.cell, pbc=True)
    expected = absorbing_sites(primitive_structure(atoms), "O")
    assert sorted(site.details["multiplicity"] for site in found) == sorted(
        site.multiplicity for site in expected
    )
