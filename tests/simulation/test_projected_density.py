"""Claims about projected densities of states on one scale, on records made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.comparison import recursion_chains
from hyperspy_coreloss.simulation.projected_density import (
    density_of_states,
    find_density,
    potential_shift,
)
from hyperspy_coreloss.simulation.site_record import ProjectedDensity, SiteRecord, load_site_record
from hyperspy_coreloss.spectra.broadening import broadening_operator
from tests.paths import ROOT

KEPT = sorted((ROOT / "training" / "projected_density").glob("*.npz"))
HIGHEST_OCCUPIED = -1.5
SHIFT = 0.25
ENERGY = np.linspace(-30, 30, 6001)


def _level(energy: float, *, core_hole: bool, atom: int = 0) -> ProjectedDensity:
    """A narrow band around `energy`: a chain of equal coefficients."""
    shape = (2, 3, 5)
    return ProjectedDensity(
        atom, core_hole, np.full(shape, energy), np.full(shape, 0.05), np.full((2, 3), 0.4)
    )


@pytest.fixture
def record():
    # Atoms 2 and 3 are the far ones; the potential near the core hole does not matter.
    positions = np.array([[0, 0, 0], [1.6, 0, 0], [4, 4, 4], [4, 4, 4.1]])
    level = HIGHEST_OCCUPIED + 2.0
    return SiteRecord(
        alpha=np.ones((1, 3, 5)),
        beta=np.ones((1, 3, 5)),
        norm=np.ones((1, 3)),
        cell=8.0 * np.eye(3),
        positions=positions,
        numbers=np.array([8, 14, 8, 8]),
        site=0,
        label={
            "homo_gs": HIGHEST_OCCUPIED,
            "potentials_gs": [1.0, 2.0, 3.0, 4.0],
            "potentials_xch": [-9.0, 1.0, 3.0 + SHIFT, 4.0 + SHIFT],
        },
        densities=(
            _level(level, core_hole=False),
            _level(level + SHIFT - 3.0, core_hole=True),
            _level(level, core_hole=False, atom=1),
        ),
    )


def test_energies_count_from_the_highest_occupied_state_of_the_ground_state(record):
    density = density_of_states(record, find_density(record, core_hole=False), ENERGY)
    assert ENERGY[density.argmax()] == pytest.approx(2.0, abs=0.01)


def test_the_core_hole_cell_is_shifted_to_the_potential_of_the_ground_state(record):
    assert potential_shift(record) == pytest.approx(SHIFT)
    density = density_of_states(record, find_density(record, core_hole=True), ENERGY)
    assert ENERGY[density.argmax()] == pytest.approx(-1.0, abs=0.01)


def test_a_level_has_the_weight_of_its_three_functions(record):
    density = density_of_states(record, find_density(record, core_hole=False), ENERGY, lifetime=0.1)
    assert density.sum() * 0.01 == pytest.approx(3 * 0.4, rel=0.01)


def test_densities_of_neighbours_are_found_by_their_atom(record):
    assert find_density(record, core_hole=False, atom=1) is record.densities[2]
    with pytest.raises(SimulationError, match="atom 1 with core_hole=True"):
        find_density(record, core_hole=True, atom=1)


def test_records_of_the_study_are_kept():
    assert len(KEPT) >= 11


def _shape(chains, label, edges):
    """Unit vector of what is empty, from 1 eV below to 15 eV above the lowest empty state."""
    homo, lumo = (label[edge] for edge in edges)
    fine = np.arange(-4.0, 18.0, 0.05)
    broaden = broadening_operator(fine, 0.5, np.arange(-1.0, 15.0, 0.1))
    found = broaden @ recursion_chains(chains, homo, lumo).intensity(fine)
    return found / np.linalg.norm(found)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_spectrum_has_the_shape_of_the_density_with_the_core_hole_not_of_the_ground_state(path):
    record = load_site_record(path)
    spectrum, excited, ground = (
        _shape(chains, record.label, edges)
        for chains, edges in (
            (record, ("homo", "lumo")),
            (find_density(record, core_hole=True), ("homo", "lumo")),
            (find_density(record, core_hole=False), ("homo_gs", "lumo_gs")),
        )
    )
    assert spectrum @ excited > 0.99
    assert spectrum @ ground < 0.95


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_valence_band_of_the_ground_state_lies_below_the_gap(path):
    record = load_site_record(path)
    gap = record.label["lumo_gs"] - record.label["homo_gs"]
    assert gap > 3
    density = find_density(record, core_hole=False)
    valence = density_of_states(record, density, np.arange(-12, 0, 0.05), 0.05)
    inside = density_of_states(record, density, np.arange(1, gap - 1, 0.05), 0.05)
    assert inside.mean() < 0.03 * valence.mean()
    # The 2p functions of oxygen in an oxide hold most of six electrons, three of each spin.
    assert 2.0 < valence.sum() * 0.05 < 3.0
