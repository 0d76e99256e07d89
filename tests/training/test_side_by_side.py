"""Networks trained side by side: each is blind to its own fold, and tells how far it may be off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.auxiliary import DIRECT
from hyperspy_coreloss.training.side_by_side import (
    NO_FOLD,
    NetworkSettings,
    predict_by_fold,
    train_side_by_side,
)

QUICK = NetworkSettings(hidden=(32, 32), steps=600, batch_size=64)


def evaluated(weights, inputs):
    """Return values and spreads of each network, by NumPy alone."""
    x = (inputs - weights["input_mean"][:, None]) / weights["input_scale"][:, None]
    layers = sum(name.endswith("bias") for name in weights)
    for number in range(layers):
        weight, step, bias = (
            weights[f"layer.{number}.{name}"].astype(float) for name in ("weight", "step", "bias")
        )
        x = np.einsum("nsi,noi->nso", x, weight * step[..., None]) + bias[:, None]
        if number < layers - 1:
            x = np.maximum(x, 0)
    half = x.shape[-1] // 2
    scale = weights["target_scale"][:, None]
    return x[..., :half] * scale + weights["target_mean"][:, None], np.exp(x[..., half:]) * scale


@pytest.fixture
def regression(rng):
    inputs = rng.standard_normal((900, 5)).astype(np.float32)
    targets = np.column_stack([100 + 3 * inputs[:, 0], inputs[:, 1] * inputs[:, 2]])
    return inputs, targets


def test_networks_learn_what_the_inputs_tell(regression):
    inputs, targets = regression
    weights = train_side_by_side(inputs, targets, np.full(900, NO_FOLD), QUICK)
    assert weights["layer.0.weight"].shape == (1, 32, 5)
    values, _ = evaluated(weights, inputs)
    assert np.abs(values[0] - targets).mean(axis=0) == pytest.approx([0, 0], abs=0.25)


def test_a_network_never_sees_its_fold(regression):
    """Labels of a fold that contradict all others teach the other networks only."""
    inputs, targets = regression
    folds = np.arange(900) % 3
    lying = targets.copy()
    lying[folds == 1] = 1e3
    values, _ = evaluated(train_side_by_side(inputs, lying, folds, QUICK), inputs)
    error = np.abs(values[:, :, 0] - targets[:, 0]).mean(axis=-1)
    assert len(error) == 4
    assert error[1] < 0.05 * error[[0, 2]].min()


def test_the_spread_is_the_mean_error_that_such_spectra_have(rng):
    inputs = rng.uniform(0, 1, (4000, 1)).astype(np.float32)
    noise = rng.standard_normal(4000) * np.where(inputs[:, 0] > 0.5, 4.0, 0.5)
    weights = train_side_by_side(inputs, noise[:, None], np.full(4000, NO_FOLD), QUICK)
    _, spread = evaluated(weights, np.array([[0.2], [0.8]]))
    # The mean absolute value of a normal distribution.
    np.testing.assert_allclose(spread[0, :, 0], [0.5 * 0.798, 4 * 0.798], rtol=0.15)


def test_a_known_number_is_read_among_hundreds_of_intensities(rng):
    """A user tells the energy: the label but for an error. The intensities tell less."""
    label = rng.standard_normal((2000, 1))
    intensities = rng.standard_normal((2000, 300)) + 0.1 * label
    told = label + 0.1 * rng.standard_normal((2000, 1))
    read = np.hstack([intensities, told]).astype(np.float32)
    networks = replace(QUICK, dropout=0.15, weight_decay=0.5)
    folds = np.arange(2000) % 2
    weights = train_side_by_side(read, label, folds, networks, auxiliary=1)
    assert weights[DIRECT].shape == (3, 2, 1)
    values, _ = predict_by_fold(weights, read, folds)
    # The mean absolute error of the number itself is 0.08.
    assert np.abs(values - label).mean() < 0.13
    hidden = {name: array for name, array in weights.items() if name != DIRECT}
    assert np.abs(predict_by_fold(hidden, read, folds)[0] - label).mean() > 0.3


def test_missing_labels_are_left_out_of_the_loss(regression):
    inputs, targets = regression
    targets[::2, 0] = np.nan
    values, _ = evaluated(train_side_by_side(inputs, targets, np.full(900, NO_FOLD), QUICK), inputs)
    assert np.nanmean(np.abs(values[0, :, 0] - targets[:, 0])) < 0.3
    assert np.isfinite(values).all()


def test_the_same_seed_gives_the_same_bits(regression):
    inputs, targets = regression
    folds = np.arange(900) % 2
    short = replace(QUICK, steps=20)
    first, second, other = (
        train_side_by_side(inputs, targets, folds, replace(short, seed=seed)) for seed in (1, 1, 2)
    )
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
    assert (first["layer.0.weight"] != other["layer.0.weight"]).any()


def test_each_step_is_reported(regression):
    steps = []
    short = replace(QUICK, steps=7)
    train_side_by_side(*regression, np.full(900, NO_FOLD), short, progress=lambda: steps.append(1))
    assert len(steps) == 7


def test_a_property_without_labels_is_refused(regression):
    inputs, targets = regression
    targets[:, 1] = np.nan
    with pytest.raises(DatasetError, match=r"none of property number \[1\]"):
        train_side_by_side(inputs, targets, np.full(900, NO_FOLD), QUICK)
