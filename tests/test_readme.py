"""What the README says about the shipped model is what the model says."""

from __future__ import annotations

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_coreloss import load_pretrained
from tests.paths import ROOT


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


@pytest.mark.parametrize("name", ["silica-o-k", "silica-o-k-wide", "silica-o-k-absolute"])
def test_readme_tells_how_models_compare_with_the_mean(name):
    """On phases that they were not trained on."""
    ratios = [
        row["mae"] / row["baselines"]["mean"]
        for row in load_pretrained(name).record.metrics["phase_disjoint"].values()
    ]
    claim = f"`{name}` {min(ratios):.2f} to {max(ratios):.2f} times"
    assert claim in " ".join((ROOT / "README.md").read_text().split())
