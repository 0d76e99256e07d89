from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from hyperspy_coreloss.broadening import broadening_operator
from hyperspy_coreloss.computed_site import SampledSpectrum
from hyperspy_coreloss.errors import DatasetError, ResolutionError
from hyperspy_coreloss.network import build_network
from hyperspy_coreloss.recipe import Recipe
from hyperspy_coreloss.training import TrainingSettings, network_inputs, train

QUICK = TrainingSettings(hidden=(16, 8), epochs=20)
WORDS = {"intended_use": "tests", "limits": "tests only"}


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


def quick_model(dataset, **changes):
    settings = dataclasses.replace(QUICK, **changes)
    return train(dataset, "quick", settings=settings, show_progressbar=False, **WORDS)


def test_network_is_the_papers():
    network = build_network(160, (160, 120), 6, 0.5)
    kinds = [type(layer).__name__ for layer in network]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear"]
    assert network[2].p == 0.5


def test_same_seed_gives_the_same_model_to_the_bit(few):
    state = torch.random.get_rng_state()
    assert quick_model(few).sha256 == quick_model(few).sha256
    assert quick_model(few).sha256 != quick_model(few, seed=1).sha256
    assert torch.equal(torch.random.get_rng_state(), state)


def test_held_out_phases_are_not_seen(few):
    """A label of the held-out phase cannot change what is predicted for that phase."""
    held_out = [phase == few.phases[0] for phase in few.phases]
    targets = few.targets.copy()
    targets[held_out] += 7.0
    before, after = quick_model(few), quick_model(with_targets(few, targets))
    first, second = before.residuals + few.targets, after.residuals + targets
    np.testing.assert_allclose(first[held_out], second[held_out])
    assert not np.allclose(first, second)


def test_record_tells_data_settings_and_errors(few):
    model = quick_model(few)
    record = model.record
    assert (record.n_spectra, record.n_phases) == (6, len(set(few.phases)))
    assert record.settings["epochs"] == 20
    mae = np.abs(model.residuals).mean(axis=0)
    np.testing.assert_allclose([row["mae"] for row in record.metrics.values()], mae)
    mean_error = record.metrics["bond_length"]["baselines"]["mean"]
    assert 0 < mean_error < np.ptp(few.targets[:, 0])


def test_spectrum_without_threshold_is_named(few):
    energy = np.arange(-20.0, 45.0, 0.05)
    lost = with_spectrum(few, 2, SampledSpectrum(energy, np.zeros_like(energy), sigma=0.0))
    with pytest.raises(DatasetError, match=f"1 of 6 .* first is {few.names[2]}: "):
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
    samples = SampledSpectrum(energy, kernel @ few.sites[1].spectrum.intensity(fine), sigma=0.3)
    exact = network_inputs(few, Recipe())
    sampled = network_inputs(with_spectrum(few, 1, samples), Recipe())
    np.testing.assert_allclose(sampled[1], exact[1], atol=2e-3 * exact.max())
    np.testing.assert_allclose(np.delete(sampled, 1, 0), np.delete(exact, 1, 0), atol=1e-3)


def test_samples_too_broad_for_the_recipe_are_refused(few):
    energy = np.arange(-12.0, 35.0, 0.05)
    blurred = SampledSpectrum(energy, few.sites[1].spectrum.intensity(energy), sigma=0.8)
    with pytest.raises(ResolutionError):
        network_inputs(with_spectrum(few, 1, blurred), Recipe())


def test_shipped_model_has_learnt_its_training_spectra(sites, pretrained):
    from hyperspy_coreloss.network import evaluate

    predicted = evaluate(pretrained, network_inputs(sites, pretrained.recipe))
    error = np.abs(predicted - sites.targets).mean(axis=0)
    of_the_mean = np.abs(sites.targets - sites.targets.mean(axis=0)).mean(axis=0)
    assert (error < 0.5 * of_the_mean).all()
    metrics = pretrained.record.metrics
    recorded = [metrics[name]["mae_training"] for name in pretrained.property_names]
    np.testing.assert_allclose(error, recorded, rtol=0.01)
