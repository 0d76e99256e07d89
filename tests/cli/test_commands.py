from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from hyperspy_coreloss.cli import main
from hyperspy_coreloss.components.emulator import load_emulator
from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.pretrained.card import render_card
from hyperspy_coreloss.pretrained.families import list_pretrained
from hyperspy_coreloss.pretrained.model import PretrainedModel


def run(*arguments):
    finished = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert finished.exit_code == 0, finished.output
    return finished.output


def test_list_and_card_show_the_shipped_model(pretrained, tmp_path):
    assert run("list").split() == list_pretrained()
    assert pretrained.sha256 in run("card")
    assert pretrained.sha256 in run("card", "silica-o-k")
    assert run("card", "--page", tmp_path / "card.html") == ""
    assert pretrained.sha256 in (tmp_path / "card.html").read_text(encoding="utf-8")


def test_a_data_set_becomes_a_model(sites, tmp_path):
    few = sites.take(range(0, len(sites), len(sites) // 40))
    few.save(tmp_path / "sites.nc")
    words = ("--intended-use", "tests", "--limits", "tests", "--name", "mine", "--epochs", 2)
    changes = ("--sigma", 0.3, "--stop", 20, "--jobs", 1)
    path = tmp_path / "mine.safetensors"
    output = run("train", tmp_path / "sites.nc", "-o", path, *words, *changes)
    model = PretrainedModel.load(path)
    assert model.sha256 in output
    assert model.record.dataset_sha256 == few.sha256
    assert (model.recipe.sigma, model.recipe.window.stop) == (0.3, 20.0)
    assert set(model.record.metrics) == {"left_out_phases", "random_site", "phase_disjoint"}


def never(*arguments, **options):
    raise AssertionError


PLACES = ("missing/result", "sites.nc/result", "folder")
TRAIN = ("train", "--intended-use", "t", "--limits", "t", "-o")


@pytest.mark.parametrize(
    ("command", "computes", "place"),
    [
        *((TRAIN, "training.model_training.train", place) for place in PLACES),
        (("train-emulator", "-o"), "components.emulator_training.train_emulator", "folder"),
        (("study", "-o"), "study.experiments.run_study", "sites.nc/result"),
        (("dataset", "show", "--picture"), "dataset.summary.summarise", "missing/result"),
    ],
)
def test_nothing_is_computed_that_cannot_be_written(
    mixed, tmp_path, monkeypatch, command, computes, place
):
    monkeypatch.setattr(f"hyperspy_coreloss.{computes}", never)
    mixed.save(tmp_path / "sites.nc")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    arguments = [*command, tmp_path / place, tmp_path / "sites.nc"]
    finished = CliRunner().invoke(main, [str(one) for one in arguments])
    assert finished.exit_code == 2
    message = " ".join(finished.output.split())
    assert "cannot be written" in message
    assert "Name another place" in message
    assert sorted(tmp_path.rglob("*")) == before


def test_too_few_phases_to_test_on_are_told_and_trained_on_anyway(sites, tmp_path):
    known = np.isin(sites.phases, ["cristobalite", "SOD"])
    sites.take(np.flatnonzero(known)).save(tmp_path / "sites.nc")
    words = ("--intended-use", "tests", "--limits", "tests", "--epochs", 2, "--jobs", 1)
    output = run("train", tmp_path / "sites.nc", "-o", tmp_path / "mine.safetensors", *words)
    assert "Test left out. The split phase_disjoint needs sites" in output
    model = PretrainedModel.load(tmp_path / "mine.safetensors")
    assert "phase_disjoint" not in model.record.metrics


def test_a_single_test_spectrum_has_an_error_and_no_share_of_the_variance(sites, tmp_path):
    phases = np.array(sites.phases)
    chosen = [np.flatnonzero(phases == phase)[0] for phase in ("quartz", "coesite", "SOD", "AHT")]
    sites.take(chosen).save(tmp_path / "sites.nc")
    words = ("--intended-use", "tests", "--limits", "tests", "--epochs", 1, "--jobs", 1)
    run("train", tmp_path / "sites.nc", "-o", tmp_path / "mine.safetensors", *words)
    model = PretrainedModel.load(tmp_path / "mine.safetensors")
    tested = model.record.metrics["random_site"]["bond_length"]
    assert tested["n_test"] == 1
    assert tested["mae"] >= 0
    assert np.isnan(tested["r2"])
    assert "New sites" in render_card(model)


def test_a_data_set_is_shown_in_words_numbers_and_a_picture(mixed, tmp_path):
    mixed.save(tmp_path / "sites.nc")
    words = run("dataset", "show", tmp_path / "sites.nc", "--picture", tmp_path / "set.png")
    assert "n_spectra      5\n" in words
    assert "voronoi_volume           no values" in words
    assert (tmp_path / "set.png").stat().st_size > 10_000
    run("dataset", "show", tmp_path / "sites.nc", "--surroundings", tmp_path / "bonds.png")
    assert (tmp_path / "bonds.png").stat().st_size > 10_000
    numbers = json.loads(run("dataset", "show", tmp_path / "sites.nc", "--json"))
    assert numbers["sha256"] == mixed.sha256
    assert numbers["n_phases"] == 3
    assert numbers["labels"]["bond_angle"]["maximum"] == 145.0


def test_the_card_of_a_data_set_tells_labels_phases_accuracy_and_origin(mixed, tmp_path):
    mixed.save(tmp_path / "sites.nc")
    card = run("dataset", "card", tmp_path / "sites.nc")
    assert card.startswith("# sites\n\n5 O K spectra of 4 structures, 3 phases.")
    assert "| glass | 1 | 2 |" in card
    assert "| below 500 | cutoff | 0.9991 |  |" in card
    assert "| made up | CC0 | 3 |" in card
    assert mixed.sha256 in card


def test_a_table_becomes_a_data_set(tmp_path):
    (tmp_path / "spectra.csv").write_text("energy,a,b\n-1,0,0\n0,1,2\n1,3,1\n")
    (tmp_path / "labels.csv").write_text("name,phase,bond_length\na,quartz,1.61\nb,quartz,1.62\n")
    files = tmp_path / "spectra.csv", tmp_path / "labels.csv", "-o", tmp_path / "table.nc"
    words = "--description", "made up", "--sigma", 0.5, "--definition", "bond_length=measured"
    output = run("dataset", "import-table", *files, *words, "--energy-origin", "lowest_empty")
    assert output.startswith("2 sites of 1 phases")
    table = load_dataset(tmp_path / "table.nc")
    assert table.names == ("a", "b")
    assert table.properties[0].definition == "measured"
    shifted = run("dataset", "import-table", *files, *words, "--energy-origin", "0.5")
    assert shifted.startswith("2 sites")
    assert load_dataset(tmp_path / "table.nc").energy_range == (-1.5, 0.5)
    arguments = ["dataset", "import-table", *files, *words, "--energy-origin", "nowhere"]
    finished = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert "Error: " in finished.output
    assert "nowhere" in finished.output


def test_only_k_edges_are_simulated(tmp_path):
    finished = CliRunner().invoke(main, ["simulate", str(tmp_path), "--edge", "O_L", "-o", "x"])
    assert finished.exit_code == 1
    assert "K edges can be computed" in finished.output


def test_wrong_input_is_told_without_a_traceback(tmp_path):
    finished = CliRunner().invoke(main, ["card", "unknown"])
    assert finished.exit_code == 1
    assert "Error: There is no pretrained model 'unknown'" in finished.output
    (tmp_path / "other.nc").write_bytes(b"no data set")
    finished = CliRunner().invoke(main, ["dataset", "show", str(tmp_path / "other.nc")])
    assert finished.exit_code == 1
    assert "Error: other.nc is not a complete spectrum data set" in finished.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TRAIN, "m.safetensors", "--sigma", "nan"), "'--sigma': nan is not a number of eV"),
        (
            (*TRAIN, "m.safetensors", "--sigma", "1e9"),
            "'--sigma': 1000000000.0 is not in the range",
        ),
        ((*TRAIN, "m.safetensors", "--stop", "1e9"), "'--stop': 1000000000.0 is not in the range"),
        ((*TRAIN, "m.safetensors", "--stop", "-1"), "'--stop': -1.0 is not in the range"),
        ((*TRAIN, "m.safetensors", "--seed", "-1"), "'--seed': -1 is not in the range"),
        ((*TRAIN, "m.safetensors", "--jobs", "0"), "'--jobs': it must be a number of processes"),
        ((*TRAIN, "m.safetensors", "--study", "sites.nc"), "sites.nc must be a JSON file"),
        (("train-emulator", "-o", "e.safetensors", "--sigma", "nan"), "nan is not a number of eV"),
        (("dataset", "show", "--picture", "x.foo"), "a picture needs one of the endings .png"),
        (("dataset", "show", "--surroundings", "x"), "a picture needs one of the endings .png"),
        (("dataset", "show", "--picture", "x"), "a picture needs one of the endings .png"),
        (("dataset", "show", "--picture", "folder"), "a picture needs one of the endings"),
    ],
)
def test_options_without_sense_are_told_before_anything_is_computed(
    tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "sites.nc").write_bytes(b"\x89HDF")
    finished = CliRunner().invoke(main, [*arguments, "sites.nc"])
    assert finished.exit_code == 2
    assert isinstance(finished.exception, SystemExit)
    assert message in " ".join(finished.output.split())


def test_a_data_set_becomes_an_emulator(sites, tmp_path):
    few = sites.take(range(0, len(sites), len(sites) // 40))
    few.save(tmp_path / "sites.nc")
    path = tmp_path / "mine.safetensors"
    chosen = ("--property", "bond_angle", "--property", "mulliken_charge", "--sigma", 0.3)
    output = run("train-emulator", tmp_path / "sites.nc", "-o", path, "--name", "mine", *chosen)
    emulator = load_emulator(path)
    assert emulator.sha256 in output
    assert emulator.record["dataset_sha256"] == few.sha256
    assert (emulator.name, emulator.sigma) == ("mine", 0.3)
    assert emulator.property_names == ("bond_angle", "mulliken_charge")
