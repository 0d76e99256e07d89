"""What the README says about the shipped model is what the model says."""

from __future__ import annotations

import json

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from hyperspy_coreloss import load_pretrained
from tests.paths import ROOT
from training.silica.readme_numbers import with_accuracy


def test_the_first_example_runs(image, tmp_path, monkeypatch):
    """On a file of HyperSpy in place of the microscope's."""
    monkeypatch.chdir(tmp_path)
    image[0].save("spectrum_image.hspy")
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1]
    names: dict = {}
    exec(block.partition("```")[0].replace(".dm4", ".hspy"), names)
    plt.close("all")
    assert names["s"]._lazy
    again = hs.load("maps.hspy")
    assert np.isfinite(again.data).all()
    np.testing.assert_array_equal(again.data, names["p"].data)


def test_readme_and_changes_give_the_size_of_the_data_set(pretrained):
    record = pretrained.record
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{record.n_spectra} computed spectra of {record.n_phases} phases" in readme
    changes = (ROOT / "CHANGES.md").read_text(encoding="utf-8")
    assert f"from {record.n_spectra} computed spectra" in changes


def test_readme_has_the_accuracy_that_was_measured():
    """On phases that no network was trained on."""
    results = json.loads((ROOT / "results" / "accuracy.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_accuracy(readme, results) == readme
    error = results["100"]["typical"]["all"]["bond_length"]["mae"]
    assert f"| 100 | typical | {error:.4f}" in readme


def test_the_picture_of_the_readme_is_small_and_of_the_shipped_model():
    """It is drawn by ``python -m benchmarks.first_picture docs/first_picture.png``."""
    picture = ROOT / "docs" / "first_picture.png"
    assert "docs/first_picture.png" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert picture.stat().st_size < 200e3
    with Image.open(picture) as opened:
        name, sha256 = opened.info["Model"].split()
    assert load_pretrained(name).sha256 == sha256
