from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.atomistic.composition import parse_composition


@given(ratio=st.floats(1.0, 2.0).map(lambda x: round(x, 2)), n_atoms=st.integers(30, 200))
def test_the_cell_is_as_near_to_the_formula_as_whole_atoms_allow(ratio, n_atoms):
    cell = parse_composition(f"SiO{ratio}", n_atoms)
    assert abs(cell.n_oxygen - ratio * cell.n_silicon) <= 0.5
    assert abs(cell.n_silicon + cell.n_oxygen - n_atoms) <= 2.5
    # Each bond joins two atoms: four at each silicon atom, two at each oxygen atom.
    assert 4 * cell.n_silicon == 2 * cell.n_oxygen + 2 * cell.n_si_si_bonds


def test_formulas_of_several_atoms_are_read():
    assert parse_composition("Si2O3", 50) == parse_composition("SiO1.5", 50)
    assert parse_composition("SiO", 40).n_si_si_bonds == 20
    assert parse_composition("SiO1.5", 50).formula == "SiO1.5"


@pytest.mark.parametrize("formula", ["SiO3", "SiO0.5", "MgO", "", "Si0O2", "SiO2 ", "2"])
def test_other_formulas_are_refused(formula):
    with pytest.raises(StructureError, match=r"SiO2, SiO1[.]5 or Si2O3"):
        parse_composition(formula, 60)


def test_a_cell_too_small_to_be_amorphous_is_refused():
    with pytest.raises(StructureError, match="at least 8 silicon atoms"):
        parse_composition("SiO2", 21)
