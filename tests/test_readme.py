"""What the README says about the shipped model is what the model says."""

from __future__ import annotations

import pytest

from hyperspy_coreloss import load_pretrained
from tests.paths import ROOT


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
