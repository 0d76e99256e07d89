"""Claims about relaxing atoms, and about the relaxed structures that are kept."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("gpaw", reason="forces come from GPAW (extra 'simulation')")

from ase import Atoms
from ase.io import read

from hyperspy_coreloss.errors import SimulationError, StructureError
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.relaxation import RelaxationSettings, relax
from tests.paths import ROOT

KEPT = sorted((ROOT / "training" / "structures").glob("*-vac*.xyz"))
FAST = RelaxationSettings(engine=EngineSettings(cutoff=300.0))


def test_relaxing_finds_the_bond_length_of_hydrogen():
    stretched = Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.85]], cell=[5.0, 4.8, 5.2], pbc=True)
    relaxed = relax(stretched, FAST)
    assert relaxed.get_distance(0, 1) == pytest.approx(0.75, abs=0.01)  # PBE
    assert stretched.get_distance(0, 1) == pytest.approx(0.85)
    np.testing.assert_array_equal(relaxed.cell[:], stretched.cell[:])


def test_atoms_that_do_not_come_to_rest_are_refused():
    stretched = Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.95]], cell=[5.0, 4.8, 5.2], pbc=True)
    with pytest.raises(SimulationError, match="within 1 steps"):
        relax(stretched, RelaxationSettings(1e-6, most_steps=1, engine=FAST.engine))


def test_a_molecule_without_a_cell_is_refused():
    with pytest.raises(StructureError, match="crystal"):
        relax(Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.75]]))


def test_relaxed_structures_are_kept():
    assert KEPT


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_silicon_bond_closes_every_vacancy_of_a_kept_structure(path):
    atoms = read(path)
    n_silicon, n_oxygen = (int(np.sum(atoms.numbers == number)) for number in (14, 8))
    assert 2 * n_silicon - n_oxygen == atoms.info["vacancies"]
    silicon = atoms[atoms.numbers == 14].get_all_distances(mic=True)
    bonds = silicon[np.triu_indices_from(silicon, 1)]
    closed = bonds[bonds < 2.65]
    assert len(closed) == atoms.info["vacancies"]
    assert (closed > 2.25).all()
