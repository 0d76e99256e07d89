"""Claims about which crystals the engine computes, and which it refuses with the reason."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pymatgen", reason="formal charges are pymatgen's (extra 'simulation')")

from ase import Atoms
from ase.build import bulk

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.closed_shells import (
    SMALLEST_GAP,
    check_closed_shells,
    check_gap,
)
from hyperspy_coreloss.simulation.structures import check_structure

CLOSED = (
    *("SiO2", "SiO", "Na2O2", "MgO", "TiO2", "SrTiO3", "BaTiO3", "PbTiO3", "ZrSiO4", "Y2O3"),
    *("La2O3", "Lu2O3", "CeO2", "ThO2", "V2O5", "LiNbO3", "CrO3", "MoO3", "WO3", "CaMoO4"),
    *("KMnO4", "Cu2O", "CuAlO2", "Ag2O", "ZnO", "ZnO2", "CdO", "HgO", "TiOF2", "ZnCO3", "H2O"),
)
OPEN = (
    *("NiO", "FeO", "MnO", "CoO", "Fe2O3", "Fe3O4", "Cr2O3", "MnO2", "CuO", "AgO", "VO2"),
    *("Ti2O3", "LaTiO3", "LaMnO3", "MoO2", "NbO", "RuO2", "ReO3", "Ce2O3", "Gd2O3", "Yb2O3"),
    *("UO2", "Fe2SiO4", "ZnFe2O4", "Y3Fe5O12", "Ti"),
)


@pytest.mark.parametrize("formula", CLOSED)
def test_oxides_with_closed_shells_pass(formula):
    check_closed_shells(Atoms(formula))


@pytest.mark.parametrize("formula", OPEN)
def test_oxides_with_open_shells_are_refused(formula):
    with pytest.raises(StructureError, match="whose charges do not balance with closed"):
        check_closed_shells(Atoms(formula))


@pytest.mark.parametrize("formula", ["LiCoO2", "PdO"])
def test_shells_paired_by_the_crystal_field_are_not_told_from_open_ones(formula):
    with pytest.raises(StructureError, match="never"):
        check_closed_shells(Atoms(formula))


def test_titania_that_lacks_oxygen_has_open_shells():
    with pytest.raises(StructureError, match=r"Ti at the charge \+4"):
        check_closed_shells(Atoms("Ti16O31"))


def test_an_open_shell_refuses_the_structure_and_says_why():
    crystal = bulk("NiO", "rocksalt", a=4.18)
    with pytest.raises(StructureError, match="NiO of a file must have closed d and f shells"):
        check_structure(crystal, "O", "NiO of a file")
    check_structure(bulk("MgO", "rocksalt", a=4.21), "O")


def test_the_size_of_the_cell_does_not_matter():
    for copies in (1, 2, 27):
        check_closed_shells(bulk("TiO2", "fluorite", a=4.8).repeat((copies, 1, 1)))


def test_an_insulator_passes():
    check_gap(-3.0, 4.0, 96)
    check_gap(0.0, np.nextafter(SMALLEST_GAP, 1.0), 96)


@pytest.mark.parametrize("gap", [0.0, 0.1, -0.5])
def test_a_metal_is_refused(gap):
    with pytest.raises(StructureError, match=f"found a gap of {gap:.2f} eV"):
        check_gap(1.0, 1.0 + gap, 96, "sodium tungsten bronze")


def test_an_odd_number_of_electrons_is_refused():
    with pytest.raises(StructureError, match="found 97"):
        check_gap(-3.0, 4.0, 97)
