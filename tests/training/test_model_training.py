from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.inputs import default_recipe, network_inputs
from hyperspy_coreloss.dataset.splits import Split, complete_sites
from hyperspy_coreloss.errors import DatasetError, ResolutionError
from hyperspy_coreloss.pretrained.card import render_card
from hyperspy_coreloss.spectra.broadening import broadening_operator
from hyperspy_coreloss.spectra.recipe import Recipe
from hyperspy_coreloss.training.model_training import train
from hyperspy_coreloss.training.regressor import TrainingSettings

QUICK = TrainingSettings(hidden=(16, 8), epochs=20)
WORDS = {"name": "quick", "intended_use": "tests", "limits": "tests only"}


@pytest.fixture(scope="module")
def few(sites):
    """Six sites of three phases."""
    phases = sorted(set(sites.phases), key=sites.phases.count)[-3:]
    members = [np.flatnonzero(np.array(sites.phases) == phase)[:2] for phase in phases]
    return sites.take(np.concatenate(members))


def with_targets(dataset, targets):
    names = [spec.name for spec in dataset.properties]
    changed = [
        dataclasses.replace(site, labels=dict(zip(names, row, strict=True)))
        for site, row in zip(dataset.sites, targets, strict=True)
    ]
    return dataclasses.replace(dataset, sites=tuple(changed))


def with_spectrum(dataset, index, spectrum):
    sites = list(dataset.sites)
    sites[index] = dataclasses.replace(sites[index], spectrum=spectrum)
    return dataclasses.replace(dataset, sites=tuple(sites))


def quick_model(dataset, changes=None, **options):
    settings = dataclasses.replace(QUICK, **({} if changes is None else changes))
    options = {"n_networks": 3, "show_progressbar": False, **WORDS, **options}
    return train(dataset, settings, **options)


def test_same_seed_gives_the_same_model_to_the_bit(few):
    state = torch.random.get_rng_state()
    assert quick_model(few).sha256 == quick_model(few).sha256
    assert quick_model(few).sha256 == quick_model(few, n_jobs=2).sha256
    assert quick_model(few).sha256 != quick_model(few, {"seed": 1}).sha256
    assert torch.equal(torch.random.get_rng_state(), state)


def test_left_out_phases_are_not_seen(few):
    """A label of a phase left out cannot change what is predicted for that phase."""
    left_out = [phase == few.phases[0] for phase in few.phases]
    targets = few.targets.copy()
    targets[left_out] += 7.0
    still = {"patience": None}
    before, after = quick_model(few, still), quick_model(with_targets(few, targets), still)
    first, second = before.scores + few.targets, after.scores + targets
    np.testing.assert_allclose(first[left_out], second[left_out])
    assert not np.allclose(first, second)


def test_record_says_whether_networks_stopped_early(few):
    assert "stopped early" in quick_model(few).record.split
    assert "stopped early" not in quick_model(few, {"patience": None}).record.split


def test_record_tells_data_settings_and_errors(few):
    model = quick_model(few)
    record = model.record
    assert (record.n_spectra, record.n_phases) == (6, len(set(few.phases)))
    assert record.settings["epochs"] == 20
    metrics = record.metrics["left_out_phases"]
    mae = np.abs(model.scores).mean(axis=0)
    np.testing.assert_allclose([row["mae"] for row in metrics.values()], mae)
    assert 0 < metrics["bond_length"]["baselines"]["mean"] < np.ptp(few.targets[:, 0])


def test_test_spectra_of_a_split_are_not_seen(few):
    """A label of a test site changes the errors, but nothing that was trained or predicted."""
    rows, groups = np.arange(6), np.unique(few.phases, return_inverse=True)[1]
    last = groups == groups[-1]
    split = Split("by hand", rows[~last][:2], rows[~last][2:], rows[last], groups)
    targets = few.targets.copy()
    targets[last] += 7.0
    errors = [
        quick_model(dataset, test_splits=[split]).record.metrics["by hand"]["bond_length"]
        for dataset in (few, with_targets(few, targets))
    ]
    assert errors[0]["n_test"] == 2
    assert errors[1]["mae"] == pytest.approx(7.0, abs=2 * errors[0]["mae"])
    baseline = [row["baselines"]["ridge"] for row in errors]
    assert baseline[1] == pytest.approx(7.0, abs=2 * baseline[0])


def test_withheld_phases_are_not_trained_on(few, tmp_path):
    """Labels of a withheld phase change nothing that was trained; the file lists the phase."""
    withheld = [few.phases[0]]
    rows = np.array(few.phases) == withheld[0]
    targets = few.targets.copy()
    targets[rows] += 7.0
    model, other = (
        quick_model(dataset, withheld_phases=withheld)
        for dataset in (few, with_targets(few, targets))
    )
    for name, array in model.weights.items():
        np.testing.assert_array_equal(array, other.weights[name])
    np.testing.assert_array_equal(model.scores, other.scores)
    np.testing.assert_array_equal(model.label_range, other.label_range)
    assert len(model.scores) == 6 - rows.sum()
    model.save(tmp_path / "quick.safetensors")
    record = type(model).load(tmp_path / "quick.safetensors").record
    assert record.withheld_phases == tuple(withheld)
    assert (record.n_spectra, record.n_phases) == (6 - rows.sum(), 2)
    assert record.dataset_sha256 == few.sha256
    assert f"Not trained on these phases of the data set: {withheld[0]}." in render_card(model)
    assert "Not trained on" not in render_card(quick_model(few))


def test_history_follows_every_network(few):
    model = quick_model(few, {"patience": None, "epochs": 40})
    assert model.history.shape == (3, 40, 2)
    assert np.isfinite(model.history).all()
    losses = model.history[:, :, 0]
    # Losses of six spectra go up and down: means of ten epochs do not.
    assert (losses[:, -10:].mean(axis=1) < losses[:, :10].mean(axis=1)).all()


def test_fine_tuning_starts_from_the_trained_networks(few):
    trained = quick_model(few)
    tuned = quick_model(few, {"epochs": 1, "learning_rate": 1e-6}, start=trained)
    assert tuned.record.start_sha256 == trained.sha256
    assert tuned.hidden == trained.hidden
    for name, array in trained.weights.items():
        np.testing.assert_allclose(tuned.weights[name], array, atol=1e-4)


def test_fine_tuning_needs_the_same_properties(few):
    other = dataclasses.replace(few, properties=few.properties[::-1])
    with pytest.raises(DatasetError, match=r"needs the properties bond_length, .* but the data"):
        quick_model(other, start=quick_model(few))


def test_a_model_states_the_range_of_its_labels(few, tmp_path):
    model = quick_model(few)
    model.save(tmp_path / "quick.safetensors")
    stated = type(model).load(tmp_path / "quick.safetensors").label_range
    np.testing.assert_array_equal(stated, [few.targets.min(axis=0), few.targets.max(axis=0)])
    assert all(
        array.dtype == np.float16 for name, array in model.weights.items() if "layer" in name
    )


def test_other_edges_and_properties_can_be_trained_on(few):
    """Three properties of carbon: everything follows the data set."""
    chosen = few.properties[:3]
    names = {spec.name for spec in chosen}
    sites = tuple(
        dataclasses.replace(
            site,
            labels={name: value for name, value in site.labels.items() if name in names},
        )
        for site in few.sites
    )
    carbon = dataclasses.replace(few, sites=sites, edge="C_K", properties=chosen)
    model = quick_model(carbon)
    assert (model.recipe.edge, model.recipe.nominal_onset) == ("C_K", 284.0)
    assert model.property_names == ("bond_length", "bond_angle", "voronoi_volume")


def test_an_edge_that_is_not_tabulated_needs_a_recipe(few):
    with pytest.raises(DatasetError, match=r"'Xx_K' is not tabulated .* recipe="):
        default_recipe(dataclasses.replace(few, edge="Xx_K"))


def test_one_phase_is_not_enough(few):
    one = few.take(np.flatnonzero(np.array(few.phases) == few.phases[0]))
    with pytest.raises(DatasetError, match="at least two groups"):
        quick_model(one)


def test_spectrum_without_threshold_is_named(few):
    energy = np.arange(-20.0, 45.0, 0.05)
    lost = with_spectrum(few, 2, SampledSpectrum(energy, np.zeros_like(energy), sigma=0.0))
    with pytest.raises(DatasetError, match=f"1 of 6 .* first one is {few.names[2]}: "):
        network_inputs(lost, Recipe())


def test_a_missing_label_is_named(few):
    targets = few.targets.copy()
    targets[4, 2] = np.nan
    with pytest.raises(DatasetError, match=rf"1 of 6 .*{few.names[4]}: voronoi_volume\. Add"):
        quick_model(with_targets(few, targets))


def test_broadened_samples_give_the_inputs_of_the_exact_spectrum(few):
    energy = np.arange(-12.0, 35.0, 0.05)
    fine = np.arange(-14.0, 37.0, 0.05)
    kernel = broadening_operator(fine, 0.3, energy)
    spectrum = few.sites[1].spectrum
    sigma = float(np.hypot(0.3, spectrum.sigma))
    samples = SampledSpectrum(energy, kernel @ spectrum.intensity(fine), sigma=sigma)
    exact = network_inputs(few, Recipe())
    sampled = network_inputs(with_spectrum(few, 1, samples), Recipe())
    np.testing.assert_allclose(sampled[1], exact[1], atol=2e-3 * exact.max())
    np.testing.assert_allclose(np.delete(sampled, 1, 0), np.delete(exact, 1, 0), atol=1e-3)


def test_samples_too_broad_for_the_recipe_are_refused(few):
    energy = np.arange(-12.0, 35.0, 0.05)
    blurred = SampledSpectrum(energy, few.sites[1].spectrum.intensity(energy), sigma=0.8)
    with pytest.raises(ResolutionError):
        network_inputs(with_spectrum(few, 1, blurred), Recipe())


def test_an_ensemble_records_its_errors_on_training_spectra(sites, ensemble):
    from hyperspy_coreloss.pretrained.network import evaluate

    trained = sites.take(complete_sites(sites))
    predicted = evaluate(ensemble, network_inputs(trained, ensemble.recipe))[0]
    error = np.abs(predicted - trained.targets).mean(axis=0)
    metrics = ensemble.record.metrics["left_out_phases"]
    recorded = [metrics[name]["mae_training"] for name in ensemble.property_names]
    np.testing.assert_allclose(error, recorded, rtol=0.01)
    of_the_mean = np.abs(trained.targets - trained.targets.mean(axis=0)).mean(axis=0)
    assert (error < of_the_mean).all()
