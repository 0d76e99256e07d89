"""The method, from the signal a user has to the result a user wants."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest
import traits.api as t

import hyperspy_coreloss
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.errors import (
    CoreLossError,
    EnergyAxisError,
    EnergyRangeError,
    PretrainedNotFoundError,
    ResolutionError,
    SignalError,
)
from hyperspy_coreloss.pretrained import families
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.network import evaluate
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.signals import prediction_plan
from hyperspy_coreloss.signals.metadata import MAPS, get_map
from hyperspy_coreloss.spectra import preparation
from hyperspy_coreloss.spectra.quality import Quality

QUIET = {"resolution": 0.5, "show_progressbar": False}


def test_a_noise_free_image_gives_what_the_networks_say_of_its_sites(sites, ensemble):
    spectra, truth = silica_spectrum_image((16, 16), dose=np.inf, n_grains=40, seed=2)
    predicted = spectra.predict_properties(ensemble, **QUIET)
    assert (predicted.quality.data == Quality.GOOD).all()
    rows, pixels = np.unique(truth.data.reshape(-1, 6), axis=0, return_inverse=True)
    targets = sites.targets.astype(np.float32)
    shown = [int(np.flatnonzero((targets == row).all(axis=1))[0]) for row in rows]
    of_sites = evaluate(ensemble, network_inputs(sites.take(shown), ensemble.recipe))[0]
    expected = of_sites[pixels.ravel()].reshape(truth.data.shape)
    for column, spec in enumerate(PROPERTIES):
        error = np.abs(predicted.data[..., column] - expected[..., column])
        assert error.mean() < 0.05 * np.nanstd(sites.targets[:, column]), spec.name


def test_a_noisy_image_still_shows_the_grains(pretrained):
    """As the model sees them without noise: it was not trained on their phases."""
    noisy, exact = (
        silica_spectrum_image((16, 16), dose=dose, n_grains=60, seed=2)[0].predict_properties(
            pretrained, novelty_level=0, **QUIET
        )
        for dose in (5e3, np.inf)
    )
    for name in ("bond_length", "bond_angle", "excitation_energy"):
        maps = [result.get_property_map(name).data.ravel() for result in (noisy, exact)]
        assert np.corrcoef(*maps)[0, 1] > 0.9


def test_lazy_and_eager_agree(signal, image):
    eager = image[0].predict_properties(**QUIET)
    result = signal.predict_properties(**QUIET)
    assert result._lazy == signal._lazy
    if result._lazy:
        result.compute(show_progressbar=False)
    for name in ("", *MAPS):
        one, other = (get_map(each, name) if name else each for each in (result, eager))
        if one is None or other is None:
            assert one is other
            continue
        assert type(one) is type(other)
        assert one.axes_manager.as_dictionary() == other.axes_manager.as_dictionary()
        assert one.data.dtype == other.data.dtype
        assert one.data.flags.writeable
        assert one.data.flags.owndata
        np.testing.assert_array_equal(one.data, other.data)
    assert result.metadata.General.title == eager.metadata.General.title


@pytest.mark.parametrize("shown", [True, False])
def test_the_progress_bar_is_shown_as_asked_for(image, capfd, shown):
    image[0].predict_properties(resolution=0.5, show_progressbar=shown)
    assert ("100%" in capfd.readouterr().err) == shown


@pytest.mark.parametrize("lazy_output", [False, True])
def test_output_is_as_lazy_as_asked_for(signal, lazy_output):
    result = signal.predict_properties(lazy_output=lazy_output, num_workers=1, **QUIET)
    assert result._lazy == lazy_output


def test_later_changes_of_the_spectra_do_not_reach_a_lazy_result(image):
    spectra = image[0].deepcopy()
    expected = spectra.predict_properties(**QUIET)
    result = spectra.predict_properties(lazy_output=True, **QUIET)
    spectra.data[:] = 0
    result.compute(show_progressbar=False)
    np.testing.assert_array_equal(result.data, expected.data)


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


def test_channels_of_falling_and_uneven_axes_are_counted_from_their_beginning(image):
    spectra, size = image[0], image[0].data.shape[-1]
    energy = spectra.axes_manager.signal_axes[0].axis
    falling = hs.signals.Signal1D(spectra.data[..., ::-1].copy())
    axis = falling.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = energy[-1], energy[0] - energy[1], "eV"
    uneven, function = spectra.deepcopy(), spectra.deepcopy()
    uneven.axes_manager.signal_axes[0].convert_to_non_uniform_axis()
    function.axes_manager.signal_axes[0].convert_to_functional_data_axis("a * x", a=1.0)
    expected = spectra.predict_properties(background_range=(100, 450), **QUIET)
    given = [(falling, (size - 101, size - 451)), (uneven, (100, 450)), (function, (100, 450))]
    for signal, channels in given:
        result = hyperspy_coreloss.predict_properties(signal, background_range=channels, **QUIET)
        recorded = result.metadata.CoreLossProperty.Preprocessing.background_range
        np.testing.assert_allclose(recorded, energy[[100, 450]])
        # Rounding of the falling energies can move one channel across a limit of the fit.
        tolerance = 0.02 * expected.data.std(axis=(0, 1)) if signal is falling else 0
        assert (np.abs(result.data - expected.data) <= tolerance).all()


@pytest.mark.parametrize("value", [True, 1, 1.0])
@pytest.mark.parametrize("lazy", [False, True])
def test_masked_spectra_are_left_out(image, value, lazy):
    """An array has the order of navigation_shape, as in HyperSpy; a signal has its own."""
    left_out = np.zeros((5, 7), dtype=bool)
    left_out[3, 4] = True
    values = np.where(left_out, value, type(value)(0))
    signals = hs.signals.BaseSignal(values).T, hs.signals.Signal2D(values)
    spectra = image[0].as_lazy() if lazy else image[0]
    assert spectra.axes_manager.navigation_shape == values.T.shape == (7, 5)
    for given in (values.T, values.T.tolist(), *signals, *(one.as_lazy() for one in signals)):
        result = spectra.predict_properties(
            navigation_mask=given, lazy_output=False, resolution=0.5, show_progressbar=False
        )
        assert result.quality.inav[...].isig[4, 3].data[0] == Quality.MASKED
        assert np.isnan(result.inav[4, 3].data).all()
        np.testing.assert_array_equal(result.quality.data == Quality.MASKED, left_out)
        assert np.isfinite(result.data[~left_out]).all()


def test_a_mask_leaves_out_the_same_spectra_as_in_a_decomposition(image):
    spectra = image[0]
    spectra.change_dtype("float64")
    mask = np.zeros(spectra.axes_manager.navigation_shape, dtype=bool)
    mask[:2] = True  # x below 2
    spectra.decomposition(navigation_mask=mask, output_dimension=3, print_info=False)
    left_out = np.isnan(spectra.get_decomposition_loadings().data[0])
    result = spectra.predict_properties(navigation_mask=mask, **QUIET)
    np.testing.assert_array_equal(result.quality.data == Quality.MASKED, left_out)
    assert np.flatnonzero(left_out.all(axis=0)).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((5, 7), bool), r"needs the shape \(7, 5\) \(x, y\).* has \(5, 7\).*\.T"),
        (np.zeros(35, bool), r"needs the shape \(7, 5\)"),
        (True, r"has \(\)"),
        ([[True], [False, True]], "cannot be read as an array"),
        (np.full((7, 5), np.nan), "True, which excludes a spectrum, and False.*float64"),
        (np.full((7, 5), 2), "True, which excludes"),
        (np.full((7, 5), "no"), "True, which excludes"),
        (np.full((7, 5), None), "True, which excludes"),
        (hs.signals.Signal2D(np.zeros((7, 5), bool)), r"needs the shape \(5, 7\)"),
        (hs.signals.Signal1D(np.zeros((5, 7), bool)), "navigation axes of the spectra and no"),
    ],
)
def test_other_masks_are_refused(image, mask, message):
    with pytest.raises(SignalError, match=message):
        image[0].predict_properties(navigation_mask=mask, **QUIET)


def test_a_mask_whose_order_cannot_be_told_is_refused(image):
    square = image[0].inav[:5, :5]
    mask = np.zeros((5, 5), dtype=bool)
    mask[:2] = True
    with pytest.raises(SignalError, match=r"order .* cannot be told.*x comes first.*\(mask\)\.T"):
        square.predict_properties(navigation_mask=mask, **QUIET)
    as_told = hs.signals.BaseSignal(mask).T  # as the message says, for an array like s.data
    result = square.predict_properties(navigation_mask=as_told, **QUIET)
    np.testing.assert_array_equal(result.quality.data == Quality.MASKED, mask)
    for told in (mask | mask.T, np.eye(5, dtype=bool)):
        result = square.predict_properties(navigation_mask=told, **QUIET)
        np.testing.assert_array_equal(result.quality.data == Quality.MASKED, told)


@pytest.mark.parametrize("kind", [int, np.int16, np.uint8, lambda limit: np.array(limit)])
def test_integers_that_could_be_energies_are_refused(image, kind):
    """They would mean channels: 533.0 to 534.5 eV."""
    limits = (kind(230), kind(245)) if kind is np.uint8 else (kind(530), kind(545))
    axis = image[0].axes_manager.signal_axes[0]
    axis.offset -= 300 if kind is np.uint8 else 0
    message = rf"channels.* at {axis.index2value(int(limits[0])):g} and .* eV.*could also be energ"
    for name in ("onset_range", "background_range"):
        remedy = rf"{name}=\({int(limits[0])}\.0, {int(limits[1])}\.0\)"
        with pytest.raises(EnergyRangeError, match=message + ".*" + remedy):
            image[0].predict_properties(**{name: limits}, **QUIET)
        with pytest.raises(EnergyRangeError, match="could also be energies"):
            image[0].predict_properties(**{name: (limits[0], float(limits[1]))}, **QUIET)


def test_channels_beyond_the_axis_are_refused(image):
    for limits in ((100, 2000), (-3000, 100)):
        with pytest.raises(EnergyRangeError, match=r"go from 0 to 1699 .*decimal point"):
            image[0].predict_properties(background_range=limits, **QUIET)
    # The first and the last, counted from the end, as in HyperSpy.
    with pytest.raises(EnergyRangeError, match="two different"):
        image[0].predict_properties(background_range=(-1700, 0), **QUIET)


@pytest.mark.parametrize(
    "limits",
    [
        (np.nan, 545.0),
        (530.0, np.inf),
        ("a", "b"),
        ("530", "545"),
        (530.0, None),
        (True, False),
        (530j, 545.0),
        ([530.0], [545.0]),
    ],
)
def test_limits_must_be_numbers(image, limits):
    with pytest.raises(EnergyRangeError, match="onset_range needs two finite numbers"):
        image[0].predict_properties(onset_range=limits, **QUIET)


def test_limits_may_be_any_floating_point_numbers_in_any_order(image):
    expected = image[0].predict_properties(onset_range=(530.0, 545.0), **QUIET)
    for limits in (
        (545.0, 530.0),
        np.array([530.0, 545.0]),
        (np.float32(530), np.array(545.0)),
    ):
        result = image[0].predict_properties(onset_range=limits, **QUIET)
        np.testing.assert_array_equal(result.data, expected.data)


@pytest.mark.parametrize("background", ["linear", np.array([1, 2]), 0, ["power law"]])
def test_a_background_is_the_power_law_or_none(image, background):
    with pytest.raises(SignalError, match="background must be 'power law' or None"):
        image[0].predict_properties(background=background, **QUIET)


def test_a_number_is_not_taken_for_a_model(image):
    for number in (0.4, 1, np.float32(0.5)):
        with pytest.raises(SignalError, match=r"by its name.*write resolution="):
            image[0].predict_properties(number)
    for other in ([], ("silica-o-k",), {}, b"silica-o-k"):
        with pytest.raises(PretrainedNotFoundError, match="The names are silica-o-k"):
            image[0].predict_properties(other, **QUIET)


@pytest.mark.parametrize("resolution", ["0.5", "x", [0.5], np.nan, -1.0, True, 1j, (0.5, 0.6)])
def test_a_resolution_is_one_number(image, resolution):
    with pytest.raises(SignalError, match="must be a width in eV"):
        image[0].predict_properties(resolution=resolution)


@pytest.mark.parametrize("workers", [0, -1, "2", 1.5, [1], True])
def test_a_number_of_workers_is_a_whole_number(image, workers):
    with pytest.raises(SignalError, match="num_workers must be a whole number above 0"):
        image[0].predict_properties(num_workers=workers, **QUIET)
    image[0].predict_properties(num_workers=np.array(1), **QUIET)


def test_numbers_may_be_of_any_type(image, tmp_path, pretrained):
    expected = image[0].predict_properties(pretrained, resolution=1, show_progressbar=False)
    pretrained.save(tmp_path / "model.safetensors")
    for resolution in (1.0, np.int32(1), np.uint8(1), np.float16(1), np.array(1.0), np.array(1)):
        for model in (tmp_path / "model.safetensors", str(tmp_path / "model.safetensors")):
            result = image[0].predict_properties(
                model, resolution=resolution, show_progressbar=False
            )
            np.testing.assert_array_equal(result.data, expected.data)


@pytest.mark.parametrize("given", [0.4, None, np.zeros((3, 1024)), "spectra.hspy"])
def test_what_is_not_a_signal_is_refused(given):
    with pytest.raises(SignalError, match=r"HyperSpy signal.* was given.*PretrainedModel\.predict"):
        hyperspy_coreloss.predict_properties(given, resolution=0.5)


def test_the_energy_axis_must_be_the_signal_axis(image):
    spectra = image[0]
    spectra.axes_manager.signal_axes[0].name = "Energy loss"
    expected = spectra.predict_properties(**QUIET)
    remedy = r"s\.transpose\(signal_axes=\['Energy loss'\], optimize=True\)"
    across, none = spectra.transpose(signal_axes=["x"]), spectra.transpose(signal_axes=[])
    both = spectra.transpose(signal_axes=["x", "y"])
    assert [one.axes_manager.signal_dimension for one in (across, none, both)] == [1, 0, 2]
    for given in (across, none, both):
        with pytest.raises(CoreLossError, match=remedy) as raised:
            hyperspy_coreloss.predict_properties(given, **QUIET)
        assert isinstance(raised.value, ValueError)
        mended = given.transpose(signal_axes=["Energy loss"], optimize=True)
        mended = hyperspy_coreloss.predict_properties(mended, **QUIET)
        ours = np.sort(mended.data.reshape(-1, 6), axis=0)
        np.testing.assert_array_equal(ours, np.sort(expected.data.reshape(-1, 6), axis=0))


def test_channels_that_are_not_last_in_the_data_are_refused(image):
    spectra = image[0]
    axes = [axis.get_axis_dictionary() for axis in spectra.axes_manager._axes]
    given = hs.signals.BaseSignal(np.moveaxis(spectra.data, -1, 0), axes=[axes[2], *axes[:2]])
    assert given.axes_manager.signal_axes[0].index_in_array == 0
    with pytest.raises(EnergyAxisError, match=r"last axis of the data.*axis 0 of 3.*transpose"):
        hyperspy_coreloss.predict_properties(given, **QUIET)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0,)])
def test_a_signal_without_spectra_is_refused(shape):
    spectra = hs.signals.Signal1D(np.zeros((*shape, 1024), np.float32))
    axis = spectra.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = 480.0, 0.1, "eV"
    with pytest.raises(SignalError, match=r"navigation shape is .*0.* has none"):
        hyperspy_coreloss.predict_properties(spectra, **QUIET)


@pytest.mark.parametrize("units", ["ev", "EV", " eV", "(eV)", "electron_volt"])
def test_units_may_be_written_plainly(image, units):
    expected = image[0].predict_properties(**QUIET)
    image[0].axes_manager.signal_axes[0].units = units
    result = image[0].predict_properties(**QUIET)
    np.testing.assert_array_equal(result.data, expected.data)


@pytest.mark.parametrize("lazy", [False, True])
def test_the_bare_call_predicts_without_a_word_and_records_the_missing_resolution(
    image, caplog, lazy
):
    spectra = image[0].as_lazy() if lazy else image[0]
    with caplog.at_level("INFO", logger="hyperspy"):
        result = spectra.predict_properties(show_progressbar=False)
    named = hyperspy_coreloss.load_pretrained("silica-o-k")
    expected = image[0].predict_properties(named, resolution=0, show_progressbar=False)
    np.testing.assert_array_equal(np.asarray(result.onset.data), expected.onset.data)
    # The network knows that 0 eV is no resolution that was measured.
    assert (np.asarray(result.data) != expected.data).any()
    assert not result.metadata.CoreLossProperty.Preprocessing.resolution_given
    assert result.metadata.CoreLossProperty.Preprocessing.resolution == 0
    assert "not given, taken as 0" in str(result.summary())
    assert "not given" not in str(expected.summary())
    assert all(record.levelname == "INFO" for record in caplog.records)
    assert "measure_resolution" in caplog.text


def test_result_tells_how_it_was_made(image, pretrained):
    result = image[0].predict_properties(pretrained, **QUIET)
    node = result.metadata.CoreLossProperty
    assert node.Pretrained.sha256 == pretrained.sha256
    assert node.Preprocessing.edge == "O_K"
    assert node.definitions.split("\n") == [spec.definition for spec in pretrained.properties]
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

    def survey(recipe, energy, real=prediction_plan.survey_axis, **ranges):
        surveyed.append(energy)
        return real(recipe, energy, **ranges)

    def prepare(recipe, survey, real=prediction_plan.prepare_surveyed, **options):
        prepared.append(recipe.sigma)
        return real(recipe, survey, **options)

    # A store of its own, that has read nothing yet.
    monkeypatch.setattr(families, "_SHIPPED", replace(families._SHIPPED, read=counting_load))
    monkeypatch.setattr(prediction_plan, "survey_axis", survey)
    monkeypatch.setattr(preparation, "survey_axis", survey)
    monkeypatch.setattr(prediction_plan, "prepare_surveyed", prepare)
    spectra = image[0].as_lazy() if lazy else image[0]
    for times in (1, 2):
        spectra.predict_properties(resolution=resolution, show_progressbar=False)
        assert set(read.values()) == {1}
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


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
@pytest.mark.parametrize("lazy", ["no", "as_lazy", "dask"])
def test_masked_channels_have_no_value(image, lazy, dtype):
    """What lies under the mask changes nothing, and masked channels that are not read neither."""
    spectra, model = image[0], "silica-o-k-15eV"  # does not read the last channels
    spectra.change_dtype(dtype)
    expected = spectra.predict_properties(model, **QUIET)
    masked = np.ma.masked_array(spectra.data.copy())
    masked[2, 1, 600], masked[3, 4], masked[0, 0, -1] = 60000, 7, 60000
    masked[2, 1, 600] = masked[3, 4] = masked[0, 0, -1] = np.ma.masked
    spectra.data = masked
    if lazy == "as_lazy":
        spectra = spectra.as_lazy()
    elif lazy == "dask":
        spectra.data = da.from_array(masked, chunks=(2, 3, -1))
        spectra = spectra.as_lazy()
    result = spectra.predict_properties(model, lazy_output=False, **QUIET)
    assert type(result.data) is np.ndarray
    hidden = np.zeros((5, 7), dtype=bool)
    hidden[2, 1] = hidden[3, 4] = True
    np.testing.assert_array_equal(result.quality.data == Quality.NOT_FINITE, hidden)
    np.testing.assert_array_equal(np.isnan(result.data).all(axis=-1), hidden)
    np.testing.assert_array_equal(result.data[~hidden], expected.data[~hidden])


def test_masked_arrays_are_read_without_hyperspy_too(image, pretrained):
    energy = image[0].axes_manager.signal_axes[0].axis
    masked = np.ma.masked_array(image[0].data)
    masked[2, 1] = np.ma.masked
    predicted = pretrained.predict(masked, energy, resolution=0.5)
    assert predicted.quality[2, 1] == Quality.NOT_FINITE
    assert np.isnan(predicted.values[2, 1]).all()
    assert np.isfinite(predicted.values).all(axis=-1).sum() == 34


@pytest.mark.parametrize("lazy", [False, True])
def test_resolution_is_measured_beside_dead_pixels_and_on_a_pedestal(lazy):
    signal = low_loss(0.8, drift=0.1)
    signal.data += 600.0
    signal.data[0, 0], signal.data[1, 2, 300] = 0.0, np.nan
    signal = signal.as_lazy() if lazy else signal
    assert hyperspy_coreloss.measure_resolution(signal) == pytest.approx(0.8, abs=0.01)
    with pytest.raises(SignalError, match="finite intensities, but 1 of its 1000 channels"):
        hyperspy_coreloss.measure_resolution(signal.inav[2, 1])


@pytest.mark.parametrize("offset", [0.0, 480.0])
def test_spectra_without_a_zero_loss_have_no_resolution(offset):
    signal = low_loss(0.8, drift=0.1)
    signal.axes_manager.signal_axes[0].offset = offset
    with pytest.raises(EnergyRangeError, match="axis must hold 0 eV"):
        hyperspy_coreloss.measure_resolution(signal)


def test_resolution_is_the_same_on_any_axis_of_energy():
    signal = low_loss(0.8, drift=0.1)
    expected = hyperspy_coreloss.measure_resolution(signal)
    axis = signal.axes_manager.signal_axes[0]
    falling = hs.signals.Signal1D(signal.data[..., ::-1].copy())
    other = falling.axes_manager.signal_axes[0]
    other.offset, other.scale, other.units = axis.axis[-1] / 1e3, -axis.scale / 1e3, "keV"
    assert hyperspy_coreloss.measure_resolution(falling) == pytest.approx(expected, rel=1e-3)
