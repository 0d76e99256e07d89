from __future__ import annotations

import json

from click.testing import CliRunner

from hyperspy_coreloss.cli import main
from hyperspy_coreloss.dataset import SpectrumDataset
from hyperspy_coreloss.pretrained import PretrainedModel

from .test_dataset import write_site


def run(*arguments):
    finished = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert finished.exit_code == 0, finished.output
    return finished.output


def test_list_and_card_show_the_shipped_model(pretrained):
    assert run("list").split() == ["silica-o-k"]
    assert pretrained.sha256 in run("card")
    assert pretrained.sha256 in run("card", "silica-o-k")


def test_a_data_set_becomes_a_model(sites, tmp_path):
    sites.save(tmp_path / "sites.npz")
    words = ("--intended-use", "tests", "--limits", "tests", "--name", "mine", "--epochs", 2)
    output = run("train", tmp_path / "sites.npz", "-o", tmp_path / "mine.safetensors", *words)
    model = PretrainedModel.load(tmp_path / "mine.safetensors")
    assert model.sha256 in output
    assert model.record.dataset_sha256 == sites.sha256()


def test_sites_are_collected(tmp_path):
    (tmp_path / "sites").mkdir()
    for name in ("IZA-SOD", "mp-7000_SiO2"):
        write_site(tmp_path / "sites", name)
    output = run(
        "dataset", "collect", tmp_path / "sites", "-o", tmp_path / "two.npz", "--description", "two"
    )
    assert output.startswith("2 sites of 2 phases")
    assert len(SpectrumDataset.load(tmp_path / "two.npz")) == 2


def test_a_data_set_is_shown_in_words_numbers_and_a_picture(sites, tmp_path):
    sites.save(tmp_path / "sites.npz")
    words = run("dataset", "show", tmp_path / "sites.npz", "--picture", tmp_path / "set.png")
    assert f"n_spectra      {len(sites)}" in words
    assert (tmp_path / "set.png").stat().st_size > 10_000
    numbers = json.loads(run("dataset", "show", tmp_path / "sites.npz", "--json"))
    assert numbers["sha256"] == sites.sha256()
    assert numbers["n_phases"] == len(set(sites.phases))
    assert numbers["labels"]["bond_angle"]["maximum"] == sites.targets[:, 1].max()


def test_only_k_edges_are_simulated(tmp_path):
    finished = CliRunner().invoke(main, ["simulate", str(tmp_path), "--edge", "O_L", "-o", "x"])
    assert finished.exit_code == 1
    assert "K edges can be computed" in finished.output


def test_wrong_input_is_told_without_a_traceback(tmp_path):
    finished = CliRunner().invoke(main, ["card", "unknown"])
    assert finished.exit_code == 1
    assert "Error: There is no pretrained model 'unknown'" in finished.output
    (tmp_path / "empty").mkdir()
    finished = CliRunner().invoke(
        main, ["dataset", "collect", str(tmp_path / "empty"), "-o", "x.npz", "--description", "x"]
    )
    assert finished.exit_code == 1
    assert "Error: There is no site" in finished.output
