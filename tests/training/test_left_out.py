"""Each phase is predicted by the network that was trained without it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.network import forward
from hyperspy_coreloss.training.ensemble import fold_numbers
from hyperspy_coreloss.training.left_out import (
    ALL_TRAINED,
    left_out_networks,
    predict_left_out,
)
from hyperspy_coreloss.training.model_training import train
from hyperspy_coreloss.training.regressor import TrainingSettings

SETTINGS = TrainingSettings(hidden=(16, 8), epochs=5)
OPTIONS = {
    "name": "quick",
    "intended_use": "tests",
    "limits": "tests only",
    "n_networks": 3,
    "show_progressbar": False,
}


@pytest.fixture(scope="module")
def few(sites):
    """Thirteen sites of six phases, of one to three sites each."""
    phases = sorted(set(sites.phases), key=sites.phases.count)[-6:]
    members = [
        np.flatnonzero(np.array(sites.phases) == phase)[:count]
        for phase, count in zip(phases, (3, 2, 2, 2, 3, 1), strict=True)
    ]
    return sites.take(np.concatenate(members))


@pytest.fixture(scope="module")
def model(few):
    return train(few, SETTINGS, withheld_phases=[few.phases[3]], **OPTIONS)


def test_the_networks_left_out_have_the_recorded_errors(few, model):
    networks = left_out_networks(model, few)
    withheld = np.array(few.phases) == few.phases[3]
    np.testing.assert_array_equal(networks == -1, withheld)
    assert set(networks[~withheld]) == {0, 1, 2}
    inputs = network_inputs(few, model.recipe)
    errors = predict_left_out(model, inputs, networks)[0] - few.targets
    np.testing.assert_allclose(errors[~withheld], model.scores, rtol=1e-5, atol=1e-5)
    other = predict_left_out(model, inputs, (networks + 1) % 3)[0] - few.targets
    assert not np.allclose(other[~withheld], model.scores, rtol=1e-2, atol=1e-2)


def test_withheld_phases_are_predicted_by_all_networks(few, model):
    inputs = network_inputs(few, model.recipe)
    mean = forward(model.weights, inputs).mean(axis=0)
    predicted, spread = predict_left_out(model, inputs, np.full(len(few), -1))
    np.testing.assert_array_equal(predicted, mean)
    np.testing.assert_array_equal(spread, 1.0)


def test_one_network_predicts_withheld_phases_only(few, model):
    """It was trained on all others, so that there is no prediction for these."""
    alone = dataclasses.replace(
        model,
        weights={name: array[:1] for name, array in model.weights.items()},
        history=model.history[:1],
    )
    networks = left_out_networks(alone, few)
    withheld = np.array(few.phases) == few.phases[3]
    np.testing.assert_array_equal(networks, np.where(withheld, -1, ALL_TRAINED))
    predicted, _ = predict_left_out(alone, network_inputs(few, model.recipe), networks)
    np.testing.assert_array_equal(np.isfinite(predicted).all(axis=-1), withheld)


def test_a_phase_is_left_out_as_a_whole_by_as_many_networks_as_there_are():
    groups = np.array([5, 5, 7, 9, 9, 9, 7, 2])
    folds = fold_numbers(groups, 3)
    assert set(folds) == {0, 1, 2}
    for group in groups:
        assert len(set(folds[groups == group])) == 1
    assert set(fold_numbers(groups, 8)) == {0, 1, 2, 3}


def test_another_data_set_is_refused(few, model):
    with pytest.raises(DatasetError, match=rf"{few.sha256[:12]}, but this data set has"):
        left_out_networks(model, few.take(range(12)))


def test_networks_that_started_from_others_are_refused(few, model):
    tuned = train(few, SETTINGS, start=model, **OPTIONS)
    with pytest.raises(DatasetError, match=rf"from the model {model.sha256[:12]}"):
        left_out_networks(tuned, few)


def test_errors_that_are_not_the_recorded_ones_are_noticed(few, model):
    swapped = {name: array[[1, 2, 0]] for name, array in model.weights.items()}
    changed = dataclasses.replace(model, weights=swapped)
    with pytest.raises(DatasetError, match=r"phases were divided differently"):
        left_out_networks(changed, few)
