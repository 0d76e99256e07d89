"""The method, from the signal a user has to the result a user wants."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import hyperspy.api as hs
import numpy as np
import pytest
import traits.api as t

import hyperspy_coreloss
from hyperspy_coreloss import prediction
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.errors import (
    CoreLossError,
    EnergyAxisError,
    EnergyRangeError,
    ResolutionError,
    SignalError,
)
from hyperspy_coreloss.pretrained import families
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.network import evaluate
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.spectra import preparation
from hyperspy_coreloss.spectra.quality import Quality

QUIET = {"resolution": 0.5, "show_progressbar": False}


def test_a_noise_free_image_gives_what_the_network_says_of_its_sites(sites, pretrained):
    spectra, truth = silica_spectrum_image((16, 16), dose=None, n_grains=40, seed=2)
    predicted = spectra.predict_properties(pretrained, **QUIET)
    assert (predicted.quality.data == Quality.GOOD).all()
    rows, pixels = np.unique(truth.data.reshape(-1, 6), axis=0, return_inverse=True)
    targets = sites.targets.astype(np.float32)
    shown = [int(np.flatnonzero((targets == row).all(axis=1))[0]) for row in rows]
    of_sites = evaluate(pretrained, network_inputs(sites.take(shown), pretrained.recipe))
    expected = of_sites[pixels.ravel()].reshape(truth.data.shape)
    for column, spec in enumerate(PROPERTIES):
        error = np.abs(predicted.data[..., column] - expected[..., column])
        assert error.mean() < 0.05 * sites.targets[:, column].std(), spec.name


def test_a_noisy_image_still_shows_the_grains(pretrained):
    spectra, truth = silica_spectrum_image((16, 16), dose=5e3, n_grains=60, seed=2)
    predicted = spectra.predict_properties(pretrained, **QUIET)
    for name in ("bond_length", "bond_angle", "excitation_energy"):
        true = truth.get_property_map(name).data.ravel()
        assert np.corrcoef(predicted.get_property_map(name).data.ravel(), true)[0, 1] > 0.9


def test_lazy_and_eager_agree(signal, image):
    eager = image[0].predict_properties(**QUIET)
    result = signal.predict_properties(**QUIET)
    assert result._lazy == signal._lazy
    if result._lazy:
        result.compute(show_progressbar=False)
    np.testing.assert_array_equal(result.data, eager.data)
    np.testing.assert_array_equal(result.onset.data, eager.onset.data)


@pytest.mark.parametrize("lazy_output", [False, True])
def test_output_is_as_lazy_as_asked_for(signal, lazy_output):
    result = signal.predict_properties(lazy_output=lazy_output, num_workers=1, **QUIET)
    assert result._lazy == lazy_output


def test_function_and_method_are_one(image):
    assert image[0].predict_properties.__func__ is hyperspy_coreloss.predict_properties
    plain = hs.signals.Signal1D(image[0])
    plain.axes_manager.signal_axes[0].units = "eV"
    plain.axes_manager.signal_axes[0].offset = 480.0
    plain.axes_manager.signal_axes[0].scale = 0.1
    result = hyperspy_coreloss.predict_properties(plain, **QUIET)
    np.testing.assert_array_equal(result.data, image[0].predict_properties(**QUIET).data)


@pytest.mark.parametrize(("units", "factor"), [("keV", 1e-3), ("meV", 1e3)])
def test_units_of_the_axis_do_not_matter(image, units, factor):
    expected = image[0].predict_properties(onset_range=(530.0, 545.0), **QUIET).data
    axis = image[0].axes_manager.signal_axes[0]
    axis.scale, axis.offset, axis.units = axis.scale * factor, axis.offset * factor, units
    limits = {"onset_range": (530.0 * factor, 545.0 * factor)}
    result = image[0].predict_properties(**limits, **QUIET)
    np.testing.assert_allclose(result.data, expected, rtol=1e-4)


def test_falling_and_uneven_axes_are_read(image):
    spectra = image[0]
    expected = spectra.predict_properties(**QUIET).data
    energy = spectra.axes_manager.signal_axes[0].axis
    falling = hs.signals.Signal1D(spectra.data[..., ::-1].copy())
    axis = falling.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = energy[-1], energy[0] - energy[1], "eV"
    falling.set_signal_type("EELS")
    np.testing.assert_allclose(falling.predict_properties(**QUIET).data, expected, rtol=1e-5)
    uneven = spectra.deepcopy()
    uneven.axes_manager.signal_axes[0].convert_to_non_uniform_axis()
    np.testing.assert_allclose(uneven.predict_properties(**QUIET).data, expected, rtol=1e-5)


def test_ranges_are_hyperspys(image):
    """Floats are axis values, integers are channels, a SpanROI is both limits."""
    ranges = (490.0, 525.0), (100, 450), hs.roi.SpanROI(490.0, 525.0)
    results = [image[0].predict_properties(background_range=limits, **QUIET) for limits in ranges]
    for result in results[1:]:
        np.testing.assert_array_equal(result.data, results[0].data)
    recorded = results[0].metadata.CoreLossProperty.Preprocessing.background_range
    np.testing.assert_allclose(recorded, (490.0, 525.0))


def test_masked_spectra_are_left_out(image):
    mask = np.zeros((5, 7), dtype=bool)
    mask[3, 4] = True
    for given in (mask, hs.signals.BaseSignal(mask).T):
        result = image[0].predict_properties(navigation_mask=given, **QUIET)
        assert result.quality.data[3, 4] == Quality.MASKED
        assert np.isnan(result.data[3, 4]).all()
        assert np.isfinite(result.data[~mask]).all()
    with pytest.raises(SignalError, match=r"needs the shape \(5, 7\).*but it has \(7, 5\)"):
        image[0].predict_properties(navigation_mask=mask.T, **QUIET)


def test_missing_resolution_is_a_warning_and_recorded(image):
    with pytest.warns(UserWarning, match=r"Pass resolution=.*measure_resolution"):
        result = image[0].predict_properties(show_progressbar=False)
    assert not result.metadata.CoreLossProperty.Preprocessing.resolution_given
    assert result.metadata.CoreLossProperty.Preprocessing.resolution == 0


def test_result_tells_how_it_was_made(image, pretrained):
    result = image[0].predict_properties(pretrained, **QUIET)
    node = result.metadata.CoreLossProperty
    assert node.Pretrained.sha256 == pretrained.sha256
    assert node.Preprocessing.edge == "O_K"
    assert list(node.definitions) == [spec.definition for spec in PROPERTIES]
    assert result.metadata.General.title == "Properties of Simulated silica"


@pytest.mark.parametrize("finish", ["compute", "save"])
def test_each_spectrum_is_read_once(image, tmp_path, finish):
    read = []

    def reader(block, block_info=None):
        read.append(block_info[0]["chunk-location"])
        return block

    spectra = image[0].as_lazy()
    spectra.data = spectra.data.rechunk((2, 7, -1)).map_blocks(
        reader, dtype=spectra.data.dtype, meta=np.empty((0, 0, 0), spectra.data.dtype)
    )
    result = spectra.predict_properties(resolution=0.5)
    assert not read
    if finish == "save":
        result.save(tmp_path / "maps.hspy")
    else:
        result.compute(show_progressbar=False)
    assert sorted(read) == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("resolution", [0.0, 0.5, 1.5])
def test_the_axis_is_surveyed_and_each_model_read_once(image, monkeypatch, lazy, resolution):
    read, surveyed, prepared = Counter(), [], []

    def counting_load(path, real=PretrainedModel.load):
        read[path.name] += 1
        return real(path)

    def survey(recipe, energy, real=prediction.survey_axis, **ranges):
        surveyed.append(energy)
        return real(recipe, energy, **ranges)

    def prepare(recipe, survey, real=prediction.prepare_surveyed, **options):
        prepared.append(recipe.sigma)
        return real(recipe, survey, **options)

    # A store of its own, that has read nothing yet.
    monkeypatch.setattr(families, "_SHIPPED", replace(families._SHIPPED, read=counting_load))
    monkeypatch.setattr(prediction, "survey_axis", survey)
    monkeypatch.setattr(preparation, "survey_axis", survey)
    monkeypatch.setattr(prediction, "prepare_surveyed", prepare)
    spectra = image[0].as_lazy() if lazy else image[0]
    for times in (1, 2):
        spectra.predict_properties(resolution=resolution, show_progressbar=False)
        assert set(read.values()) == {1}
        assert "silica-o-k.safetensors" in read
        assert not {"silica-o-k-wide.safetensors", "silica-o-k-absolute.safetensors"} & set(read)
        assert (len(surveyed), len(prepared)) == (times, times)


def test_input_is_left_as_it_was(signal):
    before, metadata = np.asarray(signal.data).copy(), signal.metadata.as_dictionary()
    signal.predict_properties(**QUIET)
    np.testing.assert_array_equal(np.asarray(signal.data), before)
    assert signal.metadata.as_dictionary() == metadata


def spoil_units(spectra):
    spectra.axes_manager.signal_axes[0].units = t.Undefined


def spoil_dispersion(spectra):
    spectra.axes_manager.signal_axes[0].scale = 1.2
    spectra.axes_manager.signal_axes[0].offset = 200


def spoil_range(spectra):
    spectra.crop_signal(480.0, 541.0)


def spoil_background(spectra):
    spectra.crop_signal(525.0, 580.0)


def spoil_dtype(spectra):
    spectra.change_dtype("complex64")


def never_read(block):
    raise AssertionError


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (spoil_units, EnergyAxisError, "needs energy units"),
        (
            spoil_dispersion,
            ResolutionError,
            r"every 0\.\d eV or finer.*1\.2 eV per channel",
        ),
        (spoil_range, EnergyRangeError, r"6\.1 eV are missing on the high side"),
        (spoil_background, EnergyRangeError, r"needs a pre-edge region.*8\.0 eV are missing"),
        (spoil_dtype, SignalError, "Real spectra are needed.*complex64"),
    ],
)
def test_unusable_signals_are_refused_before_anything_is_read(image, spoil, error, message):
    spectra = image[0]
    spoil(spectra)
    unread = spectra.as_lazy()
    empty = np.empty((0, 0, 0), unread.data.dtype)
    unread.data = unread.data.map_blocks(never_read, dtype=empty.dtype, meta=empty)
    for given in (spectra, unread):
        with pytest.raises(error, match=message) as raised:
            hyperspy_coreloss.predict_properties(given, **QUIET)
        assert isinstance(raised.value, CoreLossError)


def test_images_are_refused(image):
    with pytest.raises(SignalError, match=r"one signal axis .* has 2 signal axes"):
        hyperspy_coreloss.predict_properties(image[0].transpose(2), **QUIET)


def test_a_resolution_worse_than_the_models_is_refused(image, pretrained):
    with pytest.raises(ResolutionError, match="never sharpened"):
        image[0].predict_properties(resolution=2.5)
    with pytest.raises(ResolutionError, match=r"reads spectra of σ = 0\.5 eV.*never sharpened"):
        image[0].predict_properties(pretrained, resolution=1.5)


@pytest.mark.parametrize("limits", [490.0, (1.0, 2.0, 3.0), "x"])
def test_ranges_need_two_limits(image, limits):
    with pytest.raises(EnergyRangeError, match="needs two limits"):
        image[0].predict_properties(background_range=limits, **QUIET)


def low_loss(fwhm, drift, shape=(3, 4)):
    energy = np.arange(-10.0, 40.0, 0.05)
    centre = drift * np.arange(np.prod(shape)).reshape(shape)
    spectra = 1e4 * np.exp(-4 * np.log(2) * ((energy - centre[..., None]) / fwhm) ** 2)
    signal = hs.signals.Signal1D(spectra)
    axis = signal.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = -10.0, 0.05, "eV"
    signal.set_signal_type("EELS")
    return signal


@pytest.mark.parametrize("lazy", [False, True])
def test_resolution_is_measured_in_spite_of_drift(lazy):
    signal = low_loss(0.8, drift=0.3)
    signal = signal.as_lazy() if lazy else signal
    assert hyperspy_coreloss.measure_resolution(signal) == pytest.approx(0.8, abs=0.01)
    assert hyperspy_coreloss.measure_resolution(signal.inav[1, 1]) == pytest.approx(0.8, abs=0.01)
