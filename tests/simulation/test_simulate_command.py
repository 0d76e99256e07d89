"""The command line computes sites with the real engine, on a cell far too small to be right."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

pytest.importorskip("gpaw", reason="the engine is GPAW (extra 'simulation')")
pytest.importorskip("pymatgen", reason="CIF files are read through pymatgen (extra 'simulation')")
pytest.importorskip("spglib", reason="primitive cells need spglib (extra 'simulation')")

from ase.io import write

from hyperspy_coreloss.cli import main
from hyperspy_coreloss.dataset.dataset import load_dataset

TINY = ("--cutoff", "300", "--steps", "60", "--image-distance", "2")


def test_structures_become_sites_that_make_a_data_set(tmp_path, stishovite):
    (tmp_path / "structures").mkdir()
    write(tmp_path / "structures" / "stishovite.cif", stishovite)
    (tmp_path / "structures" / "broken.cif").write_text("data_nothing")
    arguments = ["simulate", str(tmp_path / "structures"), "-o", str(tmp_path / "sites"), *TINY]
    finished = CliRunner().invoke(main, arguments)
    assert finished.exit_code == 0, finished.output
    assert "1 of 1 sites done, 0 failed" in finished.output
    assert "refused" in finished.output
    assert "broken.cif" in finished.output
    words = ["-o", str(tmp_path / "tiny.nc"), "--description", "tiny", "--licence", "CC0"]
    output = (
        CliRunner().invoke(main, ["dataset", "collect", str(tmp_path / "sites"), *words]).output
    )
    assert output.startswith("1 sites of 1 phases")
    collected = load_dataset(tmp_path / "tiny.nc")
    assert collected.phases == ("stishovite",)
    assert 500 < collected.targets[0, 5] < 600
    assert "1 of 1 sites done" in CliRunner().invoke(main, arguments).output


def test_another_theory_is_in_the_details_of_the_sites(tmp_path, stishovite):
    write(tmp_path / "stishovite.cif", stishovite)
    theory = ("--core-hole", "half", "--functional", "LDA")
    arguments = ["simulate", str(tmp_path / "stishovite.cif"), "-o", str(tmp_path / "sites")]
    finished = CliRunner().invoke(main, [*arguments, *TINY, *theory])
    assert "1 of 1 sites done, 0 failed" in finished.output
    words = ["-o", str(tmp_path / "tiny.nc"), "--description", "tiny", "--licence", "CC0"]
    CliRunner().invoke(main, ["dataset", "collect", str(tmp_path / "sites"), *words])
    (site,) = load_dataset(tmp_path / "tiny.nc").sites
    settings = site.details["calculation"]["settings"]
    assert settings["core_hole"] == "half 1s, neutral cell"
    assert (settings["functional"], settings["population_functional"]) == ("LDA", "PBE")
    assert "excitation_energy" not in site.labels
    assert -1.0 < site.labels["mulliken_charge"] < 0.0
