from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from hyperspy_coreloss.pretrained.network import build_network
from hyperspy_coreloss.training.baselines import fit_baselines
from hyperspy_coreloss.training.ensemble import train_ensemble
from hyperspy_coreloss.training.regressor import NetworkRegressor, TrainingSettings, _augmentation
from hyperspy_coreloss.training.settings_search import SearchResult, search_settings

QUICK = TrainingSettings(hidden=(32,), epochs=60, dropout=0.0, noise=0.0, jitter=0.0)


@pytest.fixture(scope="module")
def peaks():
    """Spectra of one peak whose place and height are the two properties, in four groups."""
    random = np.random.default_rng(3)
    place, height = random.uniform(2, 6, 120), random.uniform(1, 2, 120)
    energy = np.arange(0.0, 8.0, 0.1)
    spectra = height[:, None] * np.exp(-((energy - place[:, None]) ** 2))
    return spectra.astype("f4"), np.stack([place, 540 + 0.01 * height], 1), np.arange(120) % 4


def test_network_is_the_papers():
    network = build_network(160, (160, 120), 6, 0.5)
    kinds = [type(layer).__name__ for layer in network]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear"]
    assert network[2].p == 0.5


def test_a_network_learns_what_can_be_learnt(peaks):
    """Both properties, one of them a small change of a large number."""
    spectra, properties, _ = peaks
    network = NetworkRegressor(replace(QUICK, epochs=300, weight_decay=0.0), step=0.1)
    network.fit(spectra[:90], properties[:90])
    error = np.abs(network.predict(spectra[90:]) - properties[90:]).mean(axis=0)
    assert (error < 0.1 * properties.std(axis=0)).all()


def test_training_stops_early_and_keeps_the_best(peaks):
    spectra, properties, _ = peaks
    validation = (spectra[90:], np.random.default_rng(0).permutation(properties[90:]))
    network = NetworkRegressor(replace(QUICK, epochs=500, patience=5), step=0.1)
    network.fit(spectra[:90], properties[:90], validation=validation)
    held_out = network.history_[:, 1]
    assert len(held_out) < 500
    assert np.argmin(held_out) == len(held_out) - 6
    scaled = np.abs(network.predict(validation[0]) - validation[1]) / properties[:90].std(axis=0)
    assert scaled.mean() == pytest.approx(held_out.min(), rel=1e-3)


def test_scikit_learn_can_clone_and_search(peaks):
    spectra, properties, _ = peaks
    network = clone(NetworkRegressor(QUICK, step=0.2))
    assert network.get_params() == {"settings": QUICK, "step": 0.2}
    with pytest.raises(NotFittedError):
        network.predict(spectra)
    good, bad = QUICK, replace(QUICK, learning_rate=1e-9)
    search = GridSearchCV(network, {"settings": [bad, good]}, cv=2).fit(spectra, properties)
    assert search.best_params_["settings"] is good


def test_search_finds_the_settings_that_learn(peaks):
    found = search_settings(*peaks, QUICK, step=0.1, grid={"learning_rate": [1e-9, 1e-3]})
    assert found.best.learning_rate == 1e-3
    row = found.to_dict()["candidates"][1]
    assert (row["hidden"], row["error"]) == ((32,), min(found.error))


def test_of_settings_that_are_as_good_those_that_fit_best_are_taken():
    candidates = tuple(replace(QUICK, epochs=number) for number in range(4))
    found = SearchResult(
        candidates,
        error=(0.70, 0.72, 0.71, 0.90),
        spread=(0.06, 0.06, 0.06, 0.06),
        training_error=(0.5, 0.3, 0.4, 0.1),
    )
    assert found.best is candidates[1]


def test_an_ensemble_judges_each_group_by_networks_that_did_not_see_it(peaks):
    spectra, properties, groups = peaks
    settings, how = replace(QUICK, patience=None), {"step": 0.1, "n_networks": 4}
    first = train_ensemble(spectra, properties, groups, settings, **how)
    changed = properties + 5.0 * (groups == 2)[:, None]
    second = train_ensemble(spectra, changed, groups, settings, **how)
    np.testing.assert_allclose(first.held_out[groups == 2], second.held_out[groups == 2])
    assert not np.allclose(first.held_out[groups == 1], second.held_out[groups == 1])
    assert first.predict(spectra).shape == properties.shape


def test_an_ensemble_starts_from_another(peaks):
    spectra, properties, groups = peaks
    how = {"step": 0.1, "n_networks": 2}
    first = train_ensemble(spectra, properties, groups, QUICK, **how)
    slow = replace(QUICK, epochs=1, learning_rate=1e-9)
    again = train_ensemble(spectra, properties, groups, slow, start=first.weights, **how)
    np.testing.assert_allclose(again.predict(spectra), first.predict(spectra), atol=1e-4)


def test_mixed_spectra_have_mixed_properties(peaks):
    """Properties that are linear in the spectrum are learnt as well from mixtures."""
    spectra, _, _ = peaks
    linear = spectra[:, [20, 50]].astype(float)
    network = NetworkRegressor(replace(QUICK, mixup=0.4, epochs=300, weight_decay=0.0), step=0.1)
    error = np.abs(network.fit(spectra, linear).predict(spectra) - linear).mean()
    assert error < 0.15 * linear.std()


def test_baselines_recover_a_linear_law(peaks):
    spectra, _, groups = peaks
    linear = spectra[:, [20, 50]] @ np.array([[1.0, 0.5], [-1.0, 2.0]])
    models = fit_baselines(spectra[:90], linear[:90], groups[:90])
    error = {
        name: np.abs(model.predict(spectra[90:]) - linear[90:]).mean()
        for name, model in models.items()
    }
    assert min(error["ridge"], error["PLS"]) < 0.1 * error["mean"]
    assert max(error[name] for name in error if name != "mean") < 0.5 * error["mean"]
    expected = {"mean", "nearest neighbours", "ridge", "PLS", "kernel ridge", "random forest"}
    assert set(error) == expected


def test_nothing_is_added_where_nothing_was_read(peaks):
    """Zeros around a spectrum at its excitation energy stay zero in training."""
    padded = np.pad(peaks[0] + 1.0, [(0, 0), (30, 30)])
    noisy = replace(QUICK, noise=5.0)
    slope, noise = _augmentation(padded, np.ones(140, "f4"), noisy, 0.1)
    assert not slope[:, :31].any()
    assert not slope[:, -31:].any()
    assert slope[:, 31:-31].any()
    assert not noise[:, :30].any()
    assert (noise[:, 30:-30] == 5.0).all()
