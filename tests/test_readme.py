"""What the README says about the shipped model is what the model says."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_readme_and_changes_give_the_size_of_the_data_set(pretrained):
    record = pretrained.record
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"{record.n_spectra} computed spectra of {record.n_phases} phases" in readme
    assert f"from {record.n_spectra} computed spectra" in (ROOT / "CHANGES.md").read_text()


def test_readme_tells_how_much_better_than_the_mean_the_model_is(pretrained):
    gains = [
        100 * (1 - row["mae"] / row["baselines"]["mean"])
        for row in pretrained.record.metrics.values()
    ]
    claim = f"errors are {min(gains):.0f} to {max(gains):.0f} % below those of always answering"
    assert claim in " ".join((ROOT / "README.md").read_text().split())
