"""Data set, study, models and README belong together."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.dataset.inputs import default_recipe
from hyperspy_coreloss.dataset.splits import (
    complete_sites,
    demonstration_phases,
    phase_disjoint_split,
    random_site_split,
)
from hyperspy_coreloss.pretrained.families import DEFAULT, list_pretrained
from hyperspy_coreloss.spectra.microscope import MICROSCOPES, TYPICAL
from hyperspy_coreloss.training.measured_training import FamilySettings
from hyperspy_coreloss.training.shipped_family import STOPS, family_recipes
from tests.paths import PACKAGE, ROOT

RESULTS = ROOT / "results"


@pytest.fixture(scope="module")
def study():
    return json.loads((RESULTS / "study.json").read_text(encoding="utf-8"))


def test_study_was_run_on_the_shipped_data_set(study, sites):
    assert study["dataset_sha256"] == sites.sha256
    assert study["n_spectra"] == len(complete_sites(sites))
    assert len(study["commit"]) == 40


def test_tries_were_made_on_the_shipped_data_set(sites):
    tries = json.loads((RESULTS / "tries.json").read_text(encoding="utf-8"))
    assert tries["dataset_sha256"] == sites.sha256
    assert (tries["n_spectra"], tries["n_phases"]) == (len(sites), len(set(sites.phases)))


def test_accuracy_was_measured_on_all_phases_of_the_shipped_data_set(sites):
    accuracy = json.loads((RESULTS / "accuracy.json").read_text(encoding="utf-8"))
    assert accuracy["dataset_sha256"] == sites.sha256
    for window in accuracy["windows"]:
        for condition in MICROSCOPES:
            row = accuracy[window][condition]["all"]["bond_length"]
            assert row["n_phases"] == len(set(sites.phases)), (window, condition)


def test_accuracy_was_measured_with_the_settings_of_the_family():
    accuracy = json.loads((RESULTS / "accuracy.json").read_text(encoding="utf-8"))
    settings = json.loads(json.dumps(asdict(FamilySettings())))
    assert accuracy["settings"] == settings
    assert accuracy["microscopes"] == {name: each.to_dict() for name, each in MICROSCOPES.items()}
    assert [float(window) for window in accuracy["windows"]] == list(STOPS)


def test_fits_were_compared_on_the_shipped_data_set(sites):
    fits = json.loads((RESULTS / "emulator.json").read_text(encoding="utf-8"))
    assert fits["dataset_sha256"] == sites.sha256
    complete = sites.take(complete_sites(sites))
    assert fits["n_spectra"] == len(phase_disjoint_split(complete).development)
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
def test_models_are_trained_on_the_shipped_data_set_without_the_demonstration(sites, name):
    model = load_pretrained(name)
    assert model.record.dataset_sha256 == sites.sha256
    assert model.record.withheld_phases == demonstration_phases(sites)
    assert model.record.settings["microscope"] == TYPICAL.to_dict()
    shown = set(demonstration_phases(sites))
    assert model.record.n_spectra == sum(phase not in shown for phase in sites.phases)


def test_the_shipped_family_is_complete_and_small(sites):
    recipes = family_recipes(DEFAULT, default_recipe(sites))
    assert {name: load_pretrained(name).recipe for name in list_pretrained()} == recipes
    folder = PACKAGE / "data" / "pretrained"
    # Without the sites that spectra are compared with, which take as much again.
    references = [load_pretrained(name).references.to_arrays().values() for name in recipes]
    compared = sum(array.nbytes for arrays in references for array in arrays)
    assert sum(path.stat().st_size for path in folder.iterdir()) - compared < 5e6
    assert compared < 5e6


def test_what_is_shipped_stays_light():
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".nc", ".safetensors")]
    assert len(files) > 18
    assert sum(path.stat().st_size for path in files) < 30e6


def test_study_has_both_splits(study, sites):
    complete = sites.take(complete_sites(sites))
    for split in (random_site_split(complete), phase_disjoint_split(complete)):
        for spec in sites.properties:
            row = study[split.name][spec.name]
            assert row["n_test"] == len(split.test)
            assert {"mae", "r2", "baselines"} < set(row)
