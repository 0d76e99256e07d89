"""Claims about one site from file to record: the real engine on a tiny cell, in a campaign."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("gpaw", reason="the engine is GPAW (extra 'simulation')")
pytest.importorskip("pymatgen", reason="CIF files are read through pymatgen (extra 'simulation')")
pytest.importorskip("spglib", reason="primitive cells need spglib (extra 'simulation')")

from ase.io import write

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import SimulationError, StructureError
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.simulation import site_simulation
from hyperspy_coreloss.simulation.campaign import record_path, run_campaign
from hyperspy_coreloss.simulation.comparison import recursion_chains
from hyperspy_coreloss.simulation.engine import GroundState
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.projected_density import density_of_states, find_density
from hyperspy_coreloss.simulation.site_record import load_site_record
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from hyperspy_coreloss.simulation.tasks import SimulationTask


@pytest.fixture(scope="module")
def structures(tmp_path_factory, stishovite):
    folder = tmp_path_factory.mktemp("structures")
    write(folder / "stishovite.cif", stishovite)
    return folder


@pytest.fixture(scope="module")
def simulator(structures, tmp_path_factory):
    return SiteSimulator(
        str(structures),
        settings=EngineSettings(cutoff=300.0, steps=60),
        setup_folder=str(tmp_path_factory.mktemp("core_hole")),
        smallest_image_distance=2.0,  # one primitive cell: fast, and far too small to be right
    )


@pytest.fixture(scope="module")
def task():
    return SimulationTask(
        name="stishovite-v0",
        phase="stishovite",
        path="stishovite.cif",
        sites=(0, 2),  # the first is silicon: it has to fail, and the second to be computed
        multiplicities=(1, 1),
        source="textbook",
        licence="CC0",
        strain=0.02,
        temperature=300.0,
        seed=5,
    )


@pytest.fixture(scope="module")
def campaign_folder(tmp_path_factory, simulator, task):
    folder = tmp_path_factory.mktemp("campaign")
    status = run_campaign([task], folder, simulator, progress=False)
    assert (status.done, status.failed) == (1, 1)
    return folder


def test_a_record_holds_all_six_properties_and_where_they_come_from(campaign_folder, task):
    record = load_site_record(record_path(campaign_folder, task.name, 2))
    label = record.label
    assert all(np.isfinite(label[spec.name]) for spec in PROPERTIES)
    for key in ("structure", "phase", "source", "licence", "seed", "strain", "temperature"):
        assert label[key] == getattr(task, {"structure": "name"}.get(key, key))
    assert {"gpaw", "ase", "hyperspy-coreloss"} <= set(label["versions"])
    assert label["settings"]["cutoff"] == 300.0
    assert len(label["potentials_gs"]) == len(record.numbers) == 6
    spectrum = recursion_chains(record, label["homo"], label["lumo"]).intensity(np.arange(-1, 15))
    assert (spectrum >= 0).all()
    assert spectrum.max() > 0


def test_a_site_of_another_element_fails_with_its_reason(campaign_folder):
    (line,) = (campaign_folder / "failures.jsonl").read_text().splitlines()
    assert "Site 0 of stishovite-v0 must be one of the O atoms" in json.loads(line)["reason"]


def test_a_ground_state_is_computed_once(campaign_folder, simulator, task, monkeypatch):
    def never(*_):
        raise AssertionError

    monkeypatch.setattr(site_simulation, "converge_ground_state", never)
    monkeypatch.setattr(site_simulation, "calculate_populations", never)
    prepared = simulator.prepare(task, campaign_folder / "ground")
    record = load_site_record(record_path(campaign_folder, task.name, 2))
    assert prepared.ground.energy == pytest.approx(record.label["e_gs"])
    np.testing.assert_allclose(prepared.atoms.positions, record.positions)


def test_a_metal_is_refused_before_its_sites_are_computed(simulator, task, monkeypatch, tmp_path):
    calculator = SimpleNamespace(wfs=SimpleNamespace(nvalence=32))
    ground = GroundState(-1.0, -2.0, 3.0, 3.01, np.zeros(6))
    monkeypatch.setattr(site_simulation, "converge_ground_state", lambda *_: calculator)
    monkeypatch.setattr(site_simulation, "ground_state_of", lambda _: ground)
    with pytest.raises(StructureError, match=r"stishovite-v0 must be an insulator.*0\.01 eV"):
        simulator.prepare(task, tmp_path)
    assert not list(tmp_path.iterdir())


def test_projected_densities_are_those_of_ground_state_and_core_hole(
    campaign_folder, simulator, task
):
    kept = campaign_folder / "ground" / f"{task.name}.npz"
    written = kept.stat().st_mtime_ns
    simulator = replace(simulator, projected_density="neighbours")
    prepared = simulator.prepare(task, campaign_folder / "ground")
    record = simulator.simulate(task, prepared, 2)
    assert kept.stat().st_mtime_ns == written
    silicon = {int(i) for i in bonded_neighbours(prepared.atoms, 2).indices}
    assert {(d.atom, d.core_hole) for d in record.densities} == {
        (atom, core_hole) for atom in {2} | silicon for core_hole in (False, True)
    }
    plain = load_site_record(record_path(campaign_folder, task.name, 2))
    assert plain.densities == ()
    np.testing.assert_allclose(record.alpha[..., :20], plain.alpha[..., :20], atol=0.02)

    # Occupied, the three p functions of oxygen in an oxide hold most of an electron each.
    energy = np.linspace(-30, 0.5 * (plain.label["lumo_gs"] - plain.label["homo_gs"]), 2000)
    occupied = density_of_states(record, find_density(record, core_hole=False), energy, 0.05)
    assert 2.0 < occupied.sum() * (energy[1] - energy[0]) < 3.0
    # The core hole pulls its atom's states down.
    mean = [
        np.average(energy, weights=density_of_states(record, density, energy, 0.05))
        for density in record.densities[:2]
    ]
    assert mean[1] < mean[0] - 1.0


def test_an_unknown_choice_of_projected_densities_is_refused(simulator):
    with pytest.raises(SimulationError, match="found 'all'"):
        replace(simulator, projected_density="all")


@pytest.mark.parametrize("change", ["cell", "settings"])
def test_a_ground_state_of_another_cell_or_setting_is_not_taken(
    campaign_folder, simulator, task, monkeypatch, change
):
    class Computed(Exception):  # noqa: N818 - a signal, no error
        pass

    def compute(*_):
        raise Computed

    monkeypatch.setattr(site_simulation, "converge_ground_state", compute)
    if change == "cell":
        task = replace(task, seed=6)
    else:
        simulator = replace(simulator, settings=replace(simulator.settings, cutoff=350.0))
    with pytest.raises(Computed):
        simulator.prepare(task, campaign_folder / "ground")


def test_a_ground_state_serves_every_core_hole_and_older_settings(
    campaign_folder, simulator, task, tmp_path, monkeypatch
):
    class Computed(Exception):  # noqa: N818 - a signal, no error
        pass

    def compute(*_):
        raise Computed

    monkeypatch.setattr(site_simulation, "converge_ground_state", compute)
    with np.load(campaign_folder / "ground" / f"{task.name}.npz") as saved:
        arrays = dict(saved)
    settings = json.loads(str(arrays["settings"]))
    assert "core_hole" not in settings
    del settings["population_functional"]  # as in files of earlier versions
    np.savez(tmp_path / f"{task.name}.npz", **arrays | {"settings": json.dumps(settings)})
    for folder in (campaign_folder / "ground", tmp_path):
        for core_hole in ("full", "half", "none"):
            other = replace(simulator.settings, core_hole=core_hole)
            prepared = replace(simulator, settings=other).prepare(task, folder)
            assert prepared.ground.energy == arrays["energies"][0]
    for change in ({"functional": "LDA"}, {"population_functional": "LDA"}):
        other = replace(simulator, settings=replace(simulator.settings, **change))
        with pytest.raises(Computed):
            other.prepare(task, tmp_path)


@pytest.mark.parametrize("core_hole", ["half", "none"])
def test_only_the_full_core_hole_has_an_excitation_energy(
    campaign_folder, simulator, task, core_hole
):
    usual = load_site_record(record_path(campaign_folder, task.name, 2)).label
    assert usual["settings"]["core_hole"] == "full 1s, neutral cell"
    other = replace(simulator, settings=replace(simulator.settings, core_hole=core_hole))
    prepared = other.prepare(task, campaign_folder / "ground")
    label = other.simulate(task, prepared, 2).label
    assert label["excitation_energy"] is None
    assert label["settings"]["core_hole"].startswith(core_hole)
    others = [spec.name for spec in PROPERTIES if spec.name != "excitation_energy"]
    assert all(label[name] == usual[name] for name in others)
    assert np.isfinite([label["homo"], label["lumo"]]).all()


def test_without_a_core_hole_there_is_one_density(campaign_folder, simulator, task):
    settings = replace(simulator.settings, core_hole="none", steps=5)
    simulator = replace(simulator, settings=settings, projected_density="site")
    prepared = simulator.prepare(task, campaign_folder / "other_ground")
    (density,) = simulator.simulate(task, prepared, 2).densities
    assert not density.core_hole
