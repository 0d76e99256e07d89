"""Claims about making many structures, with makers that take no time."""

from __future__ import annotations

import pytest

pytest.importorskip("pymatgen", reason="CIF files are read through it (extra 'simulation')")

import matplotlib.pyplot as plt
from click.testing import CliRunner

from hyperspy_coreloss.cli import main
from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.atomistic import (
    Composition,
    GlassSettings,
    network_of,
    production,
)
from hyperspy_coreloss.simulation.atomistic.description import describe_networks, plot_networks
from hyperspy_coreloss.simulation.atomistic.production import make_glasses
from hyperspy_coreloss.simulation.structure_files import read_structure

SETTINGS = GlassSettings(Composition(12, 24))


@pytest.fixture
def made(monkeypatch, sodalite, quartz_crystal):
    """Seeds that were made; seed 2 is broken, and 3 repeats the network of 1."""
    seeds = []

    def make(settings, seed, name):
        seeds.append(seed)
        if seed == 2:
            msg = f"Atoms of {name} must have four bonds."
            raise StructureError(msg)
        cell = (sodalite if seed in (1, 3) else quartz_crystal.repeat((2, 2, 1))).copy()
        cell.rattle(0.01, seed=seed)
        cell.info = {"population": "glass", "seed": seed}
        return cell

    monkeypatch.setattr(production, "make_glass", make)
    return seeds


def test_each_seed_is_kept_or_refused_with_its_reason(made, tmp_path):
    outcome = make_glasses(SETTINGS, range(1, 5), tmp_path, progress=False)
    names = [path.stem for path in outcome.accepted]
    assert names == ["glass-SiO2-2.2-36-1", "glass-SiO2-2.2-36-4"]
    assert "must have four bonds" in outcome.refused["glass-SiO2-2.2-36-2"]
    assert "repeats the network of glass-SiO2-2.2-36-1" in outcome.refused["glass-SiO2-2.2-36-3"]
    kept = read_structure(outcome.accepted[0])
    assert kept.info["seed"] == 1
    assert kept.info["population"] == "glass"


def test_repeating_makes_only_what_is_missing(made, tmp_path):
    first = make_glasses(SETTINGS, range(1, 4), tmp_path, progress=False)
    made.clear()
    again = make_glasses(SETTINGS, range(1, 5), tmp_path, progress=False)
    assert made == [4]
    assert again.refused == first.refused
    assert len(again.accepted) == 2


def test_the_table_names_measured_values_and_the_picture_is_drawn(sodalite, quartz, tmp_path):
    networks = {"sodalite": network_of(sodalite), "quartz": network_of(quartz)}
    table = describe_networks(networks)
    rows = {line.split()[0]: line.split() for line in table.splitlines() if line}
    assert rows["quartz"][1:3] == ["9", "0"]
    assert rows["sodalite"][4:7] == [f"{networks['sodalite'].si_o_bonds.mean():.3f}", "±", "0.000"]
    assert "1.62 (X-rays: Mozzi and Warren 1969)" in table
    figure = plot_networks(networks, {4: 24, 6: 60})
    coordination = figure.axes[3]
    assert {bar.get_height() for bar in coordination.patches} == {15, 30}
    plt.close(figure)


def test_structures_are_described_on_the_command_line(sodalite, tmp_path):
    pytest.importorskip("networkx", reason="rings are paths in a graph (extra 'structures')")
    sodalite.write(tmp_path / "sod.xyz")
    words = ("structures", "describe", str(tmp_path / "sod.xyz"), "--picture")
    finished = CliRunner().invoke(main, [*words, str(tmp_path / "sod.png")])
    assert finished.exit_code == 0, finished.output
    assert "sod" in finished.output
    assert (tmp_path / "sod.png").stat().st_size > 10_000


def test_the_command_reports_what_was_refused(made, tmp_path):
    words = ("structures", "glass", "--atoms", "36", "--seeds", "2", "-o", str(tmp_path))
    finished = CliRunner().invoke(main, words)
    assert finished.exit_code == 0, finished.output
    assert "1 of 2 cells" in finished.output
    assert "refused glass-SiO2-2.2-36-2" in finished.output


def test_heated_frames_are_saved_once(monkeypatch, quartz, tmp_path):
    quartz.write(tmp_path / "quartz.cif")
    calls = []

    def heat(crystal, n_frames, seed, conditions, name, *, progress):
        calls.append((len(crystal), n_frames, seed, conditions.temperature, name))
        return (crystal,) * n_frames

    monkeypatch.setattr(production, "heat_crystal", heat)
    words = ("structures", "heat", str(tmp_path / "quartz.cif"), "--frames", "2", "-o")
    for _ in range(2):
        finished = CliRunner().invoke(main, [*words, str(tmp_path / "hot")])
        assert finished.exit_code == 0, finished.output
        assert "2 frames" in finished.output
    assert calls == [(9, 2, 1, 300.0, "quartz-300K-1")]
    names = sorted(path.name for path in (tmp_path / "hot").iterdir())
    assert names == ["quartz-300K-1-0.xyz", "quartz-300K-1-1.xyz"]


@pytest.fixture
def hydroxylated(monkeypatch):
    """Seeds of cells with silanol groups; seed 2 is refused."""
    seeds = []

    def make(parent, kind, seed, name):
        seeds.append((kind, seed))
        if seed == 2:
            msg = f"{name} must keep the bonds that it was made with."
            raise StructureError(msg)
        cell = parent.copy()
        cell.info = {"population": "silanol", "seed": seed}
        return cell

    monkeypatch.setattr(production, "make_silanol", make)
    return seeds


def _silanol(*words):
    return CliRunner().invoke(main, ["structures", "silanol", *map(str, words)])


def test_silanol_cells_are_made_once_for_each_seed(hydroxylated, quartz, tmp_path):
    quartz.write(tmp_path / "quartz.cif")
    words = (tmp_path / "quartz.cif", "--groups", "nest", "--seeds", 3, "-o", tmp_path / "wet")
    for _ in range(2):
        finished = _silanol(*words)
        assert finished.exit_code == 0, finished.output
        assert "2 of 3 cells" in finished.output
        assert "refused silanol-quartz-nest-2: silanol-quartz-nest-2 must keep" in finished.output
    assert hydroxylated == [("nest", 1), ("nest", 2), ("nest", 3)]
    kept = read_structure(tmp_path / "wet" / "silanol-quartz-nest-3.xyz")
    assert kept.info["population"] == "silanol"
    assert kept.info["phase"] == "quartz"
    assert kept.info["source"] == ("quartz.cif; silanol groups (nest), relaxed with CHGNet")


def test_silanol_cells_keep_phase_and_licence_of_their_parent(hydroxylated, quartz, tmp_path):
    quartz.info = {"phase": "low quartz", "licence": "CC0"}
    quartz.write(tmp_path / "file.xyz")
    assert _silanol(tmp_path / "file.xyz", "-o", tmp_path).exit_code == 0
    kept = read_structure(tmp_path / "silanol-file-bridge-1.xyz")
    assert (kept.info["phase"], kept.info["licence"]) == ("low quartz", "CC0")
    assert _silanol(tmp_path / "file.xyz", "--phase", "mine", "--first-seed", 4, "-o", tmp_path)
    assert read_structure(tmp_path / "silanol-file-bridge-4.xyz").info["phase"] == "mine"
