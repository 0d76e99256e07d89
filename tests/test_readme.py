"""What the README says about the shipped model is what the model says."""

from __future__ import annotations

import json

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np

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
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"{record.n_spectra} computed spectra of {record.n_phases} phases" in readme
    assert f"from {record.n_spectra} computed spectra" in (ROOT / "CHANGES.md").read_text()


def test_readme_has_the_accuracy_that_was_measured():
    """On phases that no network was trained on."""
    results = json.loads((ROOT / "results" / "accuracy.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_accuracy(readme, results) == readme
    ratios = [
        f"{results['100'][condition]['all']['bond_length']['relative']:.2f}"
        for condition in ("typical", "clean")
    ]
    assert f"| 100 | {' / '.join(ratios)} |" in readme
