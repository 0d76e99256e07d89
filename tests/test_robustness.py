"""The benchmark of robustness: one effect at a time, on phases that were not trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import robustness
from benchmarks.robustness import EFFECTS, Reading
from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.microscope import Microscope
from hyperspy_coreloss.spectra.recipe import Recipe
from hyperspy_coreloss.training.left_out import ALL_TRAINED, left_out_networks
from hyperspy_coreloss.training.model_training import train
from hyperspy_coreloss.training.regressor import TrainingSettings
from hyperspy_coreloss.training.side_by_side import NO_FOLD
from tests.made_sites import site, structure

PHASES = 8


def edge(energy, peak):
    rise = 0.5 * (1 + np.tanh((energy - 1.0) / 0.5))
    return rise * (1 + np.exp(-0.5 * ((energy - peak) / 1.5) ** 2)) + 1e-9


@pytest.fixture(scope="module")
def dataset():
    """Twenty-four sites of eight phases, whose bond length is where their peak lies."""
    energy = np.arange(-16.0, 137.0, 0.1)
    sites = [
        site(
            f"site {number}",
            SampledSpectrum(energy, edge(energy, 4.0 + 0.2 * number), 0.1),
            structure(f"cell {number}", phase=f"phase {number % PHASES}"),
            labels={"bond_length": 1.5 + 0.01 * number, "excitation_energy": 537.0 + number % 5},
        )
        for number in range(3 * PHASES)
    ]
    labels = {"bond_length", "excitation_energy"}
    properties = tuple(spec for spec in PROPERTIES if spec.name in labels)
    return SpectrumDataset(tuple(sites), "made up", "CC0", properties=properties)


@pytest.fixture(scope="module")
def sample(dataset):
    return specimen(dataset)


@pytest.fixture(scope="module")
def model(dataset):
    return train(
        dataset,
        TrainingSettings(hidden=(32, 32), dropout=0.0, epochs=100, batch_size=8, patience=None),
        name="quick",
        intended_use="tests",
        limits="tests only",
        recipe=Recipe(window=EnergyWindow(stop=20.0)),
        n_networks=4,
        show_progressbar=False,
    )


@pytest.fixture(scope="module")
def results(dataset, sample, model):
    networks = left_out_networks(model, dataset)
    return robustness.measure_model(model, networks, sample, len(dataset))


def test_sites_are_drawn_from_every_phase_that_was_left_out():
    phases = np.repeat([0, 1, 2, 3], [50, 5, 1, 9])
    networks = np.repeat([0, 1, NO_FOLD, ALL_TRAINED], [50, 5, 1, 9])
    for number in (1, 10, 100):
        chosen = robustness.choose_sites(phases, networks, number)
        times = max(number // 56, 1)
        assert len(set(chosen)) == len(chosen) // times == min(max(number, 3), 56)
        assert set(phases[chosen]) == {0, 1, 2}
    assert not np.array_equal(chosen, np.sort(chosen))


@pytest.mark.parametrize("effect", [name for name in EFFECTS if name != "misalignment"])
def test_every_effect_changes_the_microscope_alone(effect):
    """Other effects stay as they are, and the first and the last value differ."""
    good = Microscope(resolution=0.5, counts=1e4, jump_ratio=1.0)
    first, last = (
        robustness.changed(good, effect, EFFECTS[effect].values[place]).to_dict()
        for place in (0, -1)
    )
    assert first != last
    own = {effect, "mixed_fraction", "neighbour_height"}
    for name, value in good.to_dict().items():
        assert name in own or first[name] == last[name] == value
    assert set(last) <= {*good.to_dict(), *own}


def test_an_effect_that_is_absent_changes_nothing(results):
    reference = results["reference"]
    for effect, about in EFFECTS.items():
        measured = results["effects"][effect]
        assert len(measured["mae"]) == len(about.values)
        if effect in ("relative_thickness", "dispersion_error", "misalignment", "mixed_sites"):
            place = about.values.index(1 if effect == "mixed_sites" else 0.0)
            assert measured["mae"][place] == reference["mae"]
            assert measured["relative_error"][place] == [1.0, 1.0]


def test_what_harms_the_spectrum_raises_the_errors_and_lowers_the_coverage(results):
    """The bond length is the place of the peak, which noise hides and a wrong threshold shifts."""
    for effect, bad in (("counts", 0), ("misalignment", -1), ("misalignment", 0)):
        measured = results["effects"][effect]
        assert measured["relative_error"][bad][0] > 1.1
        assert measured["coverage"][bad][0] < results["reference"]["coverage"][0]


def test_each_site_is_predicted_by_the_network_left_out_alone(dataset, sample, model, results):
    """A network changes the predictions of the phases it was not trained on, and no others."""
    first = model.record.metrics["left_out_phases"][model.property_names[0]]
    recorded = first["mae"]
    assert results["reference"]["mae"][0] == pytest.approx(recorded, rel=0.5)
    networks, everything = left_out_networks(model, dataset), np.arange(len(dataset))
    mean = model.weights["target_mean"].copy()
    mean[2] += 0.1
    changed = replace(model, weights={**model.weights, "target_mean": mean})
    before, after = (
        robustness.read(each, networks, sample, everything).errors for each in (model, changed)
    )
    difference = np.where(networks == 2, 0.1, 0.0)[:, None]
    np.testing.assert_allclose(after - before, np.repeat(difference, 2, axis=1), atol=1e-9)


def test_errors_are_those_of_spectra_with_a_prediction():
    errors = np.array([[1.0], [-3.0]] * 12 + [[np.nan]] * 8)
    predicted = np.isfinite(errors[:, 0])
    half_width = np.full(errors.shape, 2.0)
    summary = robustness.summarise(Reading(errors, half_width, predicted, np.arange(32) // 2))
    assert summary["predicted"] == 0.75
    assert summary["mae"] == [2.0]
    assert summary["coverage"] == [0.5]
    # Every phase has the same mean, so the draw of the phases does not matter.
    assert summary["standard_error"] == [0.0]


def test_no_errors_are_given_for_few_predictions():
    ones = np.ones((32, 2))
    summary = robustness.summarise(Reading(ones, ones, np.arange(32) < 5, np.arange(32)))
    assert summary["mae"] == summary["coverage"] == [None, None]
    assert summary["predicted"] == 5 / 32


def test_models_that_cannot_be_measured_are_named_with_the_reason(model):
    absolute = EnergyWindow(530.0, 560.0, origin="absolute", around=(-1.0, 15.0))
    reasons = [
        robustness.reason_to_skip(replace(model, recipe=recipe, weights=weights))
        for recipe, weights in (
            (model.recipe, model.weights),
            (replace(model.recipe, sigma=0.1), model.weights),
            (replace(model.recipe, window=absolute), with_inputs(model, absolute.n_channels)),
        )
    ]
    assert reasons[0] is None
    assert "the model of σ = 0.5 eV is measured" in reasons[1]
    assert "not relative to the threshold" in reasons[2]


def with_inputs(model, number):
    """Return the weights of a model of another number of inputs."""
    first = model.weights["layer.0.weight"]
    wide = np.zeros((*first.shape[:2], number), dtype=first.dtype)
    scales = {
        name: np.ones((model.n_networks, number), dtype=model.weights[name].dtype)
        for name in ("input_mean", "input_scale")
    }
    return {**model.weights, "layer.0.weight": wide, **scales}


def test_the_table_has_an_error_and_a_share_for_each_effect(results):
    table = {
        "effects": {
            name: {"label": about.label, "values": list(about.values), "shown": about.shown}
            for name, about in EFFECTS.items()
        },
        "models": {"quick": results},
    }
    header, rows = robustness.robustness_table(table)
    assert header == ["effect", "`quick`"]
    counts = results["effects"]["counts"]
    mean = np.mean(counts["relative_error"][2])
    assert rows[0] == [
        "electrons in the highest 0.1 eV: 300",
        f"{mean:.2f} ({counts['predicted'][2]:.0%})",
    ]
    assert len(rows) == len(EFFECTS)
