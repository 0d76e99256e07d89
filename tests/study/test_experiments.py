from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from hyperspy_coreloss.dataset.splits import phase_disjoint_split
from hyperspy_coreloss.study import experiments, learning_curves
from hyperspy_coreloss.study.experiments import load_settings, run_study, save_study
from hyperspy_coreloss.training import settings_search
from hyperspy_coreloss.training.ensemble import settings_record
from hyperspy_coreloss.training.regressor import TrainingSettings

PHASES = ("coesite", "AHT", "quartz", "MON", "SOD", "cristobalite", "GIS", "ACO", "RHO")
QUICK = TrainingSettings(epochs=3, patience=None)


@pytest.fixture(scope="module")
def few(sites):
    """Two sites of each of nine phases: two of the test, two of the validation."""
    phases = np.array(sites.phases)
    return sites.take(np.concatenate([np.flatnonzero(phases == name)[:2] for name in PHASES]))


def small_study(dataset):
    with pytest.MonkeyPatch.context() as patch:
        grid = {"hidden": [(8,), (8, 8)], "dropout": [0.2], "weight_decay": [1e-3]}
        patch.setattr(settings_search, "GRID", grid)
        patch.setattr(experiments, "BANK", (0.5,))
        patch.setattr(experiments, "WINDOW_STOPS", (15.0, 20.0))
        patch.setattr(learning_curves, "SHARES", (0.5, 1.0))
        return run_study(
            dataset, settings=QUICK, n_networks=2, commit="abc", show_progressbar=False
        )


@pytest.fixture(scope="module")
def result(few):
    return small_study(few)


def test_study_names_data_and_code(result, few):
    assert result["commit"] == "abc"
    assert result["dataset_sha256"] == few.sha256
    assert (result["n_spectra"], result["n_phases"]) == (len(few), len(set(few.phases)))


@pytest.mark.parametrize("split", ["random_site", "phase_disjoint"])
def test_errors_are_those_of_the_predictions(result, few, split):
    test = result["predictions"][split]["test"]
    error = np.abs(np.subtract(test["predicted"], test["true"])).mean(axis=0)
    for column, spec in enumerate(few.properties):
        row = result[split][spec.name]
        assert row["mae"] == pytest.approx(error[column])
        assert row["n_test"] == len(test["sites"])
        expected = {"mean", "ridge", "PLS", "kernel ridge", "random forest", "nearest neighbours"}
        assert expected < set(row["baselines"])


def test_test_phases_are_disjoint(result, few):
    phase_of = dict(zip(few.names, few.phases, strict=True))
    parts = result["predictions"]["phase_disjoint"]
    test, training = ({phase_of[name] for name in parts[k]["sites"]} for k in ("test", "training"))
    assert test == {"coesite", "AHT"} == set(result["splits"]["phase_disjoint"]["test"]["phases"])
    assert not test & training


def test_test_labels_cannot_change_what_is_chosen_or_predicted(result, few):
    """The test spectra of the honest split measure errors, and do nothing else."""
    test = set(phase_disjoint_split(few).test.tolist())
    changed = tuple(
        dataclasses.replace(site, labels={k: 2.0 * v for k, v in site.labels.items()})
        if number in test
        else site
        for number, site in enumerate(few.sites)
    )
    patched = dataclasses.replace(few, sites=changed)
    with pytest.MonkeyPatch.context() as patch:
        # Only the honest split: at random the changed sites would be trained on.
        patch.setattr(experiments, "random_site_split", phase_disjoint_split)
        patch.setattr(experiments, "errors_with_excitation_energy", lambda *_, **__: {})
        patch.setattr(experiments, "predict_noisy_spectrum", lambda *_, **__: None)
        again = small_study(patched)
    assert again["search"]["phase_disjoint"] == result["search"]["phase_disjoint"]
    assert again["settings"] == result["settings"]
    first, second = (s["predictions"]["phase_disjoint"]["test"] for s in (result, again))
    assert first["predicted"] == second["predicted"]
    assert first["true"] != second["true"]


def test_worst_predictions_are_compared_with_training_spectra(result):
    worst = result["worst"]["phase_disjoint"]
    test = result["predictions"]["phase_disjoint"]["test"]
    training = result["predictions"]["phase_disjoint"]["training"]["sites"]
    first = worst["sites"]["bond_length"][0]
    error = np.abs(np.subtract(test["predicted"], test["true"]))[:, 0]
    assert test["sites"][int(np.argmax(error))] == first
    nearest = worst["nearest"][first]
    assert set(nearest["sites"]) <= set(training)
    assert nearest["rms_difference"] == sorted(nearest["rms_difference"])


def test_noisy_spectrum_is_of_a_phase_that_was_left_out(result):
    noisy = result["noisy_spectrum"]
    assert noisy["left_out_phase"] == "quartz"
    assert "uartz" in noisy["site"]
    assert noisy["energy"][0] < noisy["threshold"] < noisy["energy"][-1]
    assert max(noisy["counts"]) > 1000


def test_learning_curves_have_fewer_phases_and_sites_first(result):
    for kind, count in (("phases", "n_phases"), ("sites", "n_sites")):
        curve = result["learning_curves"][kind]
        assert curve[0][count] < curve[-1][count]
        assert curve[-1]["n_sites"] == len(
            result["predictions"]["phase_disjoint"]["training"]["sites"]
        )


def test_written_study_gives_the_settings_back(result, tmp_path):
    save_study(result, tmp_path / "study.json")
    again = json.loads((tmp_path / "study.json").read_text())
    assert again["phase_disjoint"] == result["phase_disjoint"]
    settings, n_networks = load_settings(tmp_path / "study.json")
    assert n_networks == 2
    assert settings_record(settings, n_networks) == result["settings"] == again["settings"]
