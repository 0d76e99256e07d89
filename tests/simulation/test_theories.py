"""Claims about the theories of the spectra: core hole and functional, on nine atoms of quartz."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("gpaw", reason="the engine is GPAW (extra 'simulation')")

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation import engine
from hyperspy_coreloss.simulation.comparison import cosine, recursion_chains
from hyperspy_coreloss.simulation.core_hole import CORE_HOLES, check_functional
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.populations import calculate_populations
from training.transfer.differences import broadened, threshold_of

FAST = EngineSettings(cutoff=300.0, steps=100)
SITE = 3
ENERGY = np.arange(-5.0, 60.0, 0.1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("core_hole")


@pytest.fixture(scope="module")
def ground(quartz_crystal):
    return engine.converge_ground_state(quartz_crystal, FAST)


@pytest.fixture(scope="module")
def cells(quartz_crystal, ground, cache):
    """The converged cell of each core hole."""
    return {
        name: engine.converge_core_hole(
            quartz_crystal, SITE, replace(FAST, core_hole=name), cache, ground
        )
        for name in CORE_HOLES
    }


@pytest.fixture(scope="module")
def spectra(cells):
    """The broadened spectrum of each core hole, from its lowest empty state."""
    return {
        name: broadened(
            recursion_chains(
                engine.absorption_recursion(cell, SITE, FAST), *engine.band_edges(cell)
            ),
            ENERGY,
        )
        for name, cell in cells.items()
    }


def test_the_default_is_a_full_core_hole_in_pbe(quartz_crystal, cells, cache, monkeypatch):
    """GPAW is asked for the same as by the names of data set and functional."""
    assert (EngineSettings().core_hole, EngineSettings().functional) == ("full", "PBE")
    named = engine.plane_wave_calculator(FAST, setups={SITE: "fch1s"}, charge=-1, xc="PBE")
    atoms = quartz_crystal.copy()
    atoms.calc = named
    # Not to the bit: GPAW differs from itself by 1e-12 eV from run to run.
    energy = atoms.get_potential_energy()
    usual = cells["full"]
    assert usual.get_potential_energy() == pytest.approx(energy, abs=1e-3)
    assert engine.band_edges(usual) == pytest.approx(engine.band_edges(named), abs=0.01)
    asked = {}

    def calculator(_, **special):
        asked.update(special)
        return named

    monkeypatch.setattr(engine, "plane_wave_calculator", calculator)
    engine.converge_core_hole(quartz_crystal, SITE, FAST, cache)
    assert asked == {"setups": {SITE: "fch1s"}, "charge": -1}
    assert isinstance(asked["charge"], int)  # or GPAW counts electrons in floating point


def test_every_cell_is_neutral_and_has_its_electron_in_the_conduction_band(cells, ground):
    for name, missing in {"full": 1.0, "half": 0.5, "none": 0.0}.items():
        waves = cells[name].wfs
        cores = sum(setup.Z - setup.Nc for setup in waves.setups)
        assert cores == pytest.approx(waves.nvalence), name
        assert waves.nvalence == ground.wfs.nvalence + missing
        occupied = cells[name].get_occupation_numbers()[ground.wfs.nvalence // 2 :].sum()
        assert occupied == pytest.approx(missing, abs=1e-6), name


def test_the_peak_is_weaker_and_later_with_less_of_a_core_hole(spectra):
    # The core hole gathers the oscillator strength at the edge, and pulls it down.
    ordered = [spectra[name] for name in ("full", "half", "none")]
    thresholds = [threshold_of(spectrum, ENERGY) for spectrum in ordered]
    peaks = [spectrum.max() / spectrum.mean() for spectrum in ordered]
    assert thresholds == sorted(thresholds)
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[0] > 1.2 * peaks[-1]


def test_a_harder_data_set_describes_the_same_core_hole(quartz_crystal, cache):
    fine = replace(FAST, cutoff=500.0)
    usual, harder = (
        broadened(
            recursion_chains(
                engine.absorption_recursion(cell, SITE, fine), *engine.band_edges(cell)
            ),
            ENERGY,
        )
        for cell in (
            engine.converge_core_hole(quartz_crystal, SITE, replace(fine, core_hole=name), cache)
            for name in ("full", "full-harder")
        )
    )
    near = (ENERGY >= 0.0) & (ENERGY < 15.0)
    assert cosine(usual[near], harder[near]) > 0.997


def test_without_a_core_hole_it_is_the_density_of_the_ground_state(spectra, ground):
    recursion = engine.projected_density_recursion(ground, SITE, FAST)
    density = broadened(recursion_chains(recursion, *engine.band_edges(ground)), ENERGY)
    near = (ENERGY >= 0.0) & (ENERGY < 15.0)
    alike = {name: cosine(spectrum[near], density[near]) for name, spectrum in spectra.items()}
    assert alike["none"] > 0.998
    assert alike["full"] < alike["half"] < 0.985


def test_without_a_core_hole_it_is_the_ground_state(cells, ground):
    assert cells["none"].get_potential_energy() == pytest.approx(
        ground.get_potential_energy(), abs=1e-3
    )
    assert engine.band_edges(cells["none"]) == pytest.approx(engine.band_edges(ground), abs=0.01)


def test_populations_do_not_follow_the_functional_of_the_spectra(quartz_crystal):
    usual, other = (
        calculate_populations(quartz_crystal, replace(FAST, functional=functional))
        for functional in ("PBE", "LDA")
    )
    np.testing.assert_array_equal(usual.shared, other.shared)
    changed = calculate_populations(quartz_crystal, replace(FAST, population_functional="LDA"))
    assert changed.mulliken_charge(SITE) != usual.mulliken_charge(SITE)


def test_the_functional_is_that_of_atom_and_cell(quartz_crystal, cache):
    settings = replace(FAST, functional="LDA", core_hole="half")
    cell = engine.converge_core_hole(quartz_crystal, SITE, settings, cache)
    assert cell.hamiltonian.xc.name == "LDA"
    assert (cache / "O.hch1s.LDA").exists()
    assert {setup.data.setupname for setup in cell.wfs.setups} == {"LDA"}


def test_another_core_hole_is_refused():
    with pytest.raises(SimulationError, match="full, full-harder, half, none; 'double' was given"):
        EngineSettings(core_hole="double")


@pytest.mark.parametrize(
    ("functional", "reason"),
    [
        ("HSE06", "'HSE06' is HYB"),
        ("GLLBSC", "'GLLBSC' is GLLB"),
        ("nothing", "unknown to GPAW"),
        ("PBEsol", "GPAW has none of O"),
    ],
)
def test_a_functional_that_gpaw_cannot_use_is_refused(functional, reason):
    check_functional("PBE", ["Si", "O"])
    with pytest.raises(SimulationError, match=reason):
        check_functional(functional, ["Si", "O"])
