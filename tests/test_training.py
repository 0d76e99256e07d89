from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.network import build_network
from hyperspy_coreloss.recipe import Recipe
from hyperspy_coreloss.training import TrainingSettings, network_inputs, train

QUICK = TrainingSettings(hidden=(16, 8), epochs=20)
WORDS = {"intended_use": "tests", "limits": "tests only"}


@pytest.fixture(scope="module")
def few(sites):
    """Six sites of three phases."""
    chosen = [0, 1, 2, 3, 4, 5]
    chains = np.isin(sites.site, chosen)

    def of(values):
        return tuple(values[site] for site in chosen)

    return dataclasses.replace(
        sites,
        alpha=sites.alpha[chains],
        beta=sites.beta[chains],
        norm=sites.norm[chains],
        site=sites.site[chains],
        lowest_empty=sites.lowest_empty[chosen],
        gap_middle=sites.gap_middle[chosen],
        targets=sites.targets[chosen],
        names=of(sites.names),
        structures=of(sites.structures),
        phases=of(sites.phases),
        sources=of(sites.sources),
    )


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
    before, after = quick_model(few), quick_model(dataclasses.replace(few, targets=targets))
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
    gap_middle = few.gap_middle.copy()
    gap_middle[2] += 60
    lost = dataclasses.replace(few, gap_middle=gap_middle)
    with pytest.raises(DatasetError, match=f"1 of 6 .* first is {few.names[2]}: all channels are"):
        network_inputs(lost, Recipe())


def test_shipped_model_has_learnt_its_training_spectra(sites, pretrained):
    from hyperspy_coreloss.network import evaluate

    predicted = evaluate(pretrained, network_inputs(sites, pretrained.recipe))
    error = np.abs(predicted - sites.targets).mean(axis=0)
    assert (error < 0.2 * sites.targets.std(axis=0)).all()
    metrics = pretrained.record.metrics
    recorded = [metrics[name]["mae_training"] for name in pretrained.property_names]
    np.testing.assert_allclose(error, recorded, rtol=0.01)
