from __future__ import annotations

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
