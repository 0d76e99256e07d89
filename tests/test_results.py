"""Data set, study, models and README belong together."""

from __future__ import annotations

import json

import pytest

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.dataset.splits import phase_disjoint_split, random_site_split
from hyperspy_coreloss.pretrained.families import list_pretrained
from tests.paths import ROOT

RESULTS = ROOT / "results"


@pytest.fixture(scope="module")
def study():
    return json.loads((RESULTS / "study.json").read_text(encoding="utf-8"))


def test_study_was_run_on_the_shipped_data_set(study, sites):
    assert study["dataset_sha256"] == sites.sha256
    assert study["n_spectra"] == len(sites)
    assert len(study["commit"]) == 40


def test_tries_were_made_on_the_shipped_data_set_without_its_test_phases(sites):
    tries = json.loads((RESULTS / "tries.json").read_text(encoding="utf-8"))
    development = phase_disjoint_split(sites).development
    assert tries["dataset_sha256"] == sites.sha256
    assert tries["n_spectra"] == len(development)


def test_fits_were_compared_on_the_shipped_data_set_without_its_test_phases(sites):
    fits = json.loads((RESULTS / "emulator.json").read_text(encoding="utf-8"))
    assert fits["dataset_sha256"] == sites.sha256
    assert fits["n_spectra"] == len(phase_disjoint_split(sites).development)
    assert list(fits["splits"]) == ["new phases", "new sites"]


def test_robustness_was_measured_with_the_shipped_models(sites):
    results = json.loads((RESULTS / "robustness.json").read_text(encoding="utf-8"))
    assert results["dataset_sha256"] == sites.sha256
    assert sorted([*results["models"], *results["skipped"]]) == list_pretrained()
    for name, measured in results["models"].items():
        model = load_pretrained(name)
        assert measured["sha256"] == model.sha256, name
        # A single network was trained on all phases but the withheld ones.
        one = model.n_networks == 1
        phases = model.record.withheld_phases if one else set(sites.phases)
        assert measured["n_phases"] == len(phases), name


@pytest.mark.parametrize("name", list_pretrained())
def test_models_have_the_settings_of_the_study(study, sites, name):
    record = load_pretrained(name).record
    assert record.dataset_sha256 == sites.sha256
    assert record.settings == study["settings"]


def errors_in_the_study(study):
    errors = {
        "silica-o-k-wide": study["window_stop"]["40"],
        "silica-o-k-absolute": study["excitation_energy"]["phase_disjoint"]["with"],
    }
    for sigma, found in study["resolution"].items():
        name = "silica-o-k" if sigma == "0.5" else f"silica-o-k-sigma-{sigma}"
        errors[name] = found
    return errors


def test_every_model_has_the_errors_of_the_study_on_new_phases(study):
    expected = errors_in_the_study(study)
    assert sorted(expected) == list_pretrained()
    for name, errors in expected.items():
        metrics = load_pretrained(name).record.metrics["phase_disjoint"]
        assert set(errors) == set(metrics), name
        for key, error in errors.items():
            assert metrics[key]["mae"] == pytest.approx(error, rel=1e-5), (name, key)


def test_study_has_both_splits(study, sites):
    for split in (random_site_split(sites), phase_disjoint_split(sites)):
        for spec in sites.properties:
            row = study[split.name][spec.name]
            assert row["n_test"] == len(split.test)
            assert {"mae", "r2", "baselines"} < set(row)
