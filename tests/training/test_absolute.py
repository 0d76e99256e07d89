"""Spectra at their excitation energies (Kiyohara et al. 2019, figure 5)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hyperspy_coreloss
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.dataset.dataset import excitation_energies
from hyperspy_coreloss.dataset.inputs import absolute_window, network_inputs
from hyperspy_coreloss.errors import DatasetError, SignalError
from hyperspy_coreloss.pretrained.card import render_card
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.quality import Quality
from hyperspy_coreloss.spectra.recipe import Recipe
from hyperspy_coreloss.training.model_training import train
from hyperspy_coreloss.training.regressor import TrainingSettings

STEP = 0.1


@pytest.fixture(scope="module")
def recipe():
    from hyperspy_coreloss.data import oxygen_k_sites

    return Recipe(window=absolute_window(oxygen_k_sites()))


@pytest.fixture(scope="module")
def measured():
    """Noise-free pixels of one grain each, without drift."""
    return silica_spectrum_image((12,), n_grains=12, dose=np.inf, drift=0.0, resolution=0.4, seed=5)


@pytest.fixture(scope="module")
def absolute_model(sites, recipe):
    few = sites.take(range(0, len(sites), 40))
    words = {"intended_use": "tests", "limits": "tests only", "show_progressbar": False}
    settings = TrainingSettings(hidden=(16, 8), epochs=20)
    return train(few, settings, n_networks=2, name="absolute", recipe=recipe, **words)


def energies(signal):
    return signal.axes_manager.signal_axes[0].axis


def inputs_at(spectra, energy, recipe, energy_offset):
    return preprocess(spectra, prepare(recipe, energy, resolution=0.4, energy_offset=energy_offset))


def site_of(row, sites):
    return int(np.nanargmin(np.abs(sites.targets / row - 1).max(axis=1)))


def test_the_window_holds_all_excitation_energies_and_what_is_read_around_them(sites, recipe):
    window, known = recipe.window, excitation_energies(sites)
    assert window.start <= known.min() - 1 - 1 < window.start + STEP
    assert window.stop >= known.max() + 15 + 1 > window.stop - STEP
    assert window.grid[0] == window.start
    np.testing.assert_allclose(window.grid * 10, np.round(window.grid * 10), atol=1e-6)


def test_computed_thresholds_lie_at_their_excitation_energies(sites, recipe):
    few = sites.take(range(0, len(sites), 10))
    inputs = network_inputs(few, recipe)
    np.testing.assert_allclose(inputs.sum(axis=1) * STEP, 1.0, rtol=1e-5)
    for row, edge in zip(inputs, excitation_energies(few), strict=True):
        grid = recipe.window.grid
        outside = (grid < edge - 1 - 0.51 * STEP) | (grid > edge + 15 - 0.49 * STEP)
        assert (row[outside] == 0).all()
        assert np.count_nonzero(row) == recipe.window.n_read
        # The threshold is where the main peak's height is passed by 30 % for the first time.
        peak = row[(grid >= edge) & (grid <= edge + 10)].max()
        assert np.interp(edge, grid, row) == pytest.approx(0.3 * peak, abs=float(0.01 * peak))


def test_counted_from_the_threshold_absolute_inputs_are_the_usual_ones(sites, recipe):
    few = sites.take(range(0, len(sites), 10))
    absolute, usual = network_inputs(few, recipe), network_inputs(few, Recipe())
    grid, inner = recipe.window.grid, Recipe().window.grid[2:-2]
    for row, expected, edge in zip(absolute, usual, excitation_energies(few), strict=True):
        found = np.interp(inner + edge, grid, row)
        np.testing.assert_allclose(found, expected[2:-2], atol=0.01 * expected.max())


def test_a_shifted_axis_gives_the_inputs_of_the_data_set(sites, recipe, measured):
    """The offset takes the measured threshold to the excitation energy of the same site."""
    signal, truth = measured
    usual = preprocess(signal.data, prepare(Recipe(), energies(signal), resolution=0.4))
    for pixel, targets in enumerate(truth.data):
        site = site_of(targets, sites)
        offset = excitation_energies(sites)[site] - usual.onset[pixel]
        for shift in (0.0, -7.3):
            found = inputs_at(
                signal.data[pixel : pixel + 1], energies(signal) + shift, recipe, offset - shift
            )
            expected = network_inputs(sites.take([site]), recipe)
            assert found.quality[0] == Quality.GOOD
            # At the ends a point more or less may be read, if the start lies between two.
            differing = np.abs(found.spectra - expected) > 0.001
            assert differing.sum() <= 2
            inside = (found.spectra != 0) & (expected != 0)
            assert np.abs(found.spectra - expected)[inside].max() < 0.001


@given(error=st.floats(-0.9, 0.9))
@settings(max_examples=30, deadline=None)
def test_an_error_of_the_offset_shifts_the_input_by_as_much(recipe, measured, error):
    signal, _ = measured
    right = inputs_at(signal.data, energies(signal), recipe, 5.4)
    wrong = inputs_at(signal.data, energies(signal), recipe, 5.4 + error)
    assert (wrong.quality == Quality.GOOD).all()
    np.testing.assert_array_equal(wrong.onset, right.onset)
    grid = recipe.window.grid
    for row in range(len(right.spectra)):
        edge = right.onset[row] + 5.4
        inside = grid[(grid > edge - 0.8) & (grid < edge + 14.7)]
        shifted = np.interp(inside + error, grid, wrong.spectra[row])
        expected = np.interp(inside, grid, right.spectra[row])
        np.testing.assert_allclose(shifted, expected, atol=0.01 * expected.max())


@given(
    offset=st.floats(-1e300, 1e300),
    rows=st.lists(st.integers(0, 11), min_size=1, unique=True),
)
@settings(max_examples=60, deadline=None)
def test_any_offset_gives_spectra_inside_or_a_reason(recipe, measured, offset, rows):
    signal, _ = measured
    inputs = inputs_at(signal.data[rows], energies(signal), recipe, offset)
    usual = preprocess(signal.data[rows], prepare(Recipe(), energies(signal), resolution=0.4))
    window = recipe.window
    edge = usual.onset.astype(np.float64) + offset
    margin = 0.5 * STEP
    sure = (edge > window.start + 1 + margin) & (edge < window.stop - 15 - margin)
    out = (edge < window.start + 1 - margin) | (edge > window.stop - 15 + margin)
    assert (inputs.quality[sure] == Quality.GOOD).all()
    assert (inputs.quality[out] == Quality.EXCITATION_ENERGY_OUTSIDE).all()
    bad = inputs.quality != Quality.GOOD
    assert np.isnan(inputs.onset[bad]).all()
    assert (inputs.spectra[bad] == 0).all()
    np.testing.assert_allclose(inputs.spectra[~bad].sum(axis=1) * STEP, 1.0, rtol=1e-5)


def test_a_spectrum_far_off_is_nan_with_its_reason_and_changes_no_other(absolute_model, image):
    spectra = image[0]
    options = {"resolution": 0.5, "energy_offset": 5.4, "show_progressbar": False}
    clean = spectra.predict_properties(absolute_model, **options)
    assert (clean.quality.data == Quality.GOOD).all()
    moved = spectra.deepcopy()
    moved.data[2, 3] = np.roll(moved.data[2, 3], 80)
    moved.data[2, 3, :80] = moved.data[2, 3, 80]
    result = moved.predict_properties(absolute_model, **options)
    assert result.quality.data[2, 3] == Quality.EXCITATION_ENERGY_OUTSIDE
    assert "energy_offset" in Quality(result.quality.data[2, 3]).reason
    assert np.isnan(result.data[2, 3]).all()
    others = np.ones((5, 7), dtype=bool)
    others[2, 3] = False
    np.testing.assert_array_equal(result.data[others], clean.data[others])


def test_lazy_and_eager_agree_and_record_the_offset(absolute_model, signal, image):
    options = {"resolution": 0.5, "energy_offset": 5.4, "show_progressbar": False}
    expected = image[0].predict_properties(absolute_model, **options)
    result = signal.predict_properties(absolute_model, **options)
    if result._lazy:
        result.compute(show_progressbar=False)
    np.testing.assert_array_equal(result.data, expected.data)
    np.testing.assert_array_equal(result.quality.data, expected.quality.data)
    assert result.metadata.CoreLossProperty.Preprocessing.energy_offset == 5.4


def test_a_missing_offset_and_one_without_meaning_are_refused(absolute_model, image):
    with pytest.raises(SignalError, match="energy_offset is needed"):
        image[0].predict_properties(absolute_model, resolution=0.5)
    spectra, energy = image[0].data, image[0].axes_manager.signal_axes[0].axis
    with pytest.raises(SignalError, match="energy_offset has no meaning"):
        prepare(Recipe(), energy, resolution=0.5, energy_offset=5.0)
    model = hyperspy_coreloss.load_pretrained()
    with pytest.raises(SignalError, match="energy_offset has no meaning"):
        model.predict(spectra, energy, resolution=0.5, energy_offset=5.0)


def test_without_an_offset_none_is_recorded(prediction):
    assert "energy_offset" not in prediction.metadata.CoreLossProperty.Preprocessing


def test_a_site_without_excitation_energy_is_refused(sites, recipe):
    few = sites.take(range(3))
    labels = {k: v for k, v in few.sites[1].labels.items() if k != "excitation_energy"}
    unlabelled = dataclasses.replace(few.sites[1], labels=labels)
    lacking = dataclasses.replace(few, sites=(few.sites[0], unlabelled, few.sites[2]))
    for refused in (lambda: network_inputs(lacking, recipe), lambda: absolute_window(lacking)):
        with pytest.raises(DatasetError, match=f"excitation energy of {few.names[1]} is missing"):
            refused()
    assert len(network_inputs(lacking, Recipe())) == 3


def test_a_window_that_does_not_hold_a_site_is_refused(sites):
    short = Recipe(EnergyWindow(500.0, 520.0, origin="absolute"))
    with pytest.raises(DatasetError, match="outside the excitation energies"):
        network_inputs(sites.take(range(3)), short)


def test_the_offset_is_found_with_a_reference_in_the_data_set(sites):
    """As the user guide does it, from the onsets that a model of the usual kind finds."""
    reference, truth = silica_spectrum_image((8,), n_grains=1, drift=0.0, seed=2)
    site = site_of(truth.data[0], sites)
    inputs = preprocess(reference.data, prepare(Recipe(), energies(reference), resolution=0.5))
    offset = excitation_energies(sites)[site] - float(np.median(inputs.onset))
    exact = reference.data.mean(axis=0, keepdims=True)
    window = absolute_window(sites)
    found = preprocess(
        exact,
        prepare(Recipe(window=window), energies(reference), resolution=0.5, energy_offset=offset),
    )
    expected = network_inputs(sites.take([site]), Recipe(window=window))
    grid = window.grid
    shift = (found.spectra @ grid - expected @ grid)[0] * STEP
    assert abs(shift) < 0.05


def test_file_and_card_tell_the_window(absolute_model, tmp_path):
    absolute_model.save(tmp_path / "absolute.safetensors")
    again = hyperspy_coreloss.load_pretrained(tmp_path / "absolute.safetensors")
    assert again == absolute_model
    assert again.recipe == absolute_model.recipe
    window = absolute_model.recipe.window
    stated = f"excitation energies of {window.start:g} to {window.stop:g} eV"
    assert stated in render_card(again)
