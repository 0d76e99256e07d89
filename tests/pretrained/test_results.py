"""What is said of a spectrum is declared once, and reaches arrays, maps and files from there."""

from __future__ import annotations

import dataclasses

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_coreloss.pretrained.inference import predict_arrays, predict_batch, predict_chunk
from hyperspy_coreloss.pretrained.results import (
    MAP_FIELDS,
    RESULT_FIELDS,
    Prediction,
    as_prediction,
    blank_unreadable,
    result_dtype,
)
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.quality import Quality
from tests.fresh import run_fresh

NAMES = [one.name for one in RESULT_FIELDS]
WITHOUT_LOW_LOSS = [one.name for one in RESULT_FIELDS if not one.of_low_loss]


@pytest.fixture
def preparation(image, pretrained):
    energy = image[0].axes_manager.signal_axes[0].axis
    return prepare(pretrained.recipe, energy, resolution=0.5)


@pytest.fixture
def results():
    """Made-up results of six spectra with three properties, one of each of some qualities."""
    made = np.zeros(6, result_dtype(3, low_loss=True))
    made["values"], made["onset"] = np.arange(18.0).reshape(6, 3), 530.0
    made["quality"] = [
        Quality.GOOD,
        Quality.MASKED,
        Quality.NOT_FINITE,
        Quality.GOOD,
        Quality.NO_ONSET,
        Quality.EXCITATION_ENERGY_OUTSIDE,
    ]
    return made


def test_declared_is_what_a_prediction_has():
    assert [one.name for one in dataclasses.fields(Prediction)] == NAMES
    assert sorted(WITHOUT_LOW_LOSS) == [
        "ambiguity",
        "background_error",
        "novelty",
        "onset",
        "population",
        "quality",
        "spikes",
        "spread",
        "values",
    ]
    assert sorted(set(NAMES) - set(WITHOUT_LOW_LOSS)) == [
        "relative_thickness",
        "resolution",
        "zero_loss",
    ]
    assert [one.name for one in MAP_FIELDS] == [name for name in NAMES if name != "values"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Prediction(*range(len(NAMES))).onset = 4


@pytest.mark.parametrize("n_properties", [1, 6])
@pytest.mark.parametrize("low_loss", [False, True])
def test_a_chunk_has_every_declared_field_in_its_type(n_properties, low_loss):
    dtype = result_dtype(n_properties, low_loss)
    assert list(dtype.names) == (NAMES if low_loss else WITHOUT_LOW_LOSS)
    for one in (field for field in RESULT_FIELDS if field.name in dtype.names):
        assert dtype[one.name].base == one.dtype
        assert dtype[one.name].shape == (() if not one.per_property else (n_properties,))


def test_a_batch_works_out_every_declared_field(image, preparation, pretrained):
    spectra = image[0].data.reshape(35, -1)
    found = predict_batch(spectra, preparation, pretrained)
    assert sorted(found) == sorted(WITHOUT_LOW_LOSS)
    chunk = predict_chunk(spectra, preparation=preparation, pretrained=pretrained)
    assert chunk.dtype == result_dtype(6)
    prediction = predict_arrays(spectra, preparation, pretrained)
    for one in RESULT_FIELDS:
        if one.of_low_loss:
            assert getattr(prediction, one.name) is None
            continue
        assert len(found[one.name]) == 35
        assert found[one.name].dtype == one.dtype
        np.testing.assert_array_equal(getattr(prediction, one.name), chunk[one.name])


def test_what_cannot_be_read_is_blanked_and_the_rest_is_left(results):
    before = results.copy()
    blank_unreadable(results)
    good = before["quality"] == Quality.GOOD
    np.testing.assert_array_equal(results["quality"], before["quality"])
    for one in RESULT_FIELDS:
        np.testing.assert_array_equal(results[one.name][good], before[one.name][good])
        if one.unreadable is not None:
            assert np.isnan(one.unreadable) == (np.dtype(one.dtype).kind == "f")
            expected = np.full_like(results[one.name][~good], one.unreadable)
            np.testing.assert_array_equal(results[one.name][~good], expected)
    assert good.sum() == 2


def test_what_is_read_keeps_its_onset_and_novelty_without_numbers(results):
    results["quality"][[0, 3]] = Quality.UNFAMILIAR, Quality.OUTSIDE_LABELS
    before = results.copy()
    blank_unreadable(results)
    kept = [one for one in RESULT_FIELDS if one.of_read]
    assert sorted(one.name for one in kept) == ["novelty", "onset", "population"]
    for one in kept:
        np.testing.assert_array_equal(results[one.name][[0, 3]], before[one.name][[0, 3]])
        lost = results[one.name][[1, 2, 4, 5]]
        np.testing.assert_array_equal(lost, np.full_like(lost, one.unreadable))
    assert np.isnan(results["values"]).all()


def test_fields_are_taken_by_their_names(results):
    prediction = as_prediction(results)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(prediction, name), results[name])
    with pytest.raises(ValueError, match=r"no field of name values"):
        as_prediction(results[["quality", "onset"]])


def test_a_further_line_is_a_further_map_everywhere(tmp_path):
    """Declare one more field, work out a value for it, and see it arrive."""
    code = '''
        import ast, sys, types
        from importlib.util import find_spec, module_from_spec
        from pathlib import Path
        import numpy as np

        # The module as it would be with one more line.
        name = "hyperspy_coreloss.pretrained.results"
        folder = Path(find_spec("hyperspy_coreloss").origin).parent
        path = folder / "pretrained" / "results.py"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        line = """gain: object = field(
            metadata=_declared(np.float32, -1.0, 'gain (%)', 'made-up gain.')
        )"""
        (declared,) = (part for part in tree.body if getattr(part, "name", "") == "Prediction")
        names = [getattr(getattr(one, "target", None), "id", "") for one in declared.body]
        place = names.index("zero_loss")  # Fields without a default come first.
        declared.body[place:place] = ast.parse(line).body
        module = types.ModuleType(name)
        sys.modules[name] = module
        exec(compile(tree, path, "exec"), module.__dict__)

        import hyperspy.api as hs
        import hyperspy_coreloss as hc
        from hyperspy_coreloss.pretrained import inference

        assert inference.as_prediction is module.as_prediction
        known = inference.predict_batch

        def predict_batch(*arguments):
            found = known(*arguments)
            return {**found, "gain": 2 * found["onset"]}

        inference.predict_batch = predict_batch
        spectra, _ = hc.data.silica_spectrum_image((4, 3))
        spectra.data[1, 2] = 0
        for given in (spectra, spectra.as_lazy()):
            result = given.predict_properties(resolution=0.5, show_progressbar=False)
            if result._lazy:
                result.compute(show_progressbar=False)
            expected = 2 * result.onset.data
            assert (result.quality.data[1, 2] != 0).all()
            expected[result.quality.data != 0] = -1
            np.testing.assert_array_equal(result.gain.data, expected)
            assert result.gain.metadata.Signal.quantity == "gain (%)"
            assert type(result).gain.__doc__ == "Map of the made-up gain."
            np.testing.assert_array_equal(result.inav[2:, 1].gain.data, expected[1, 2:])
            np.testing.assert_array_equal(result.T.gain.data, expected)
            result.save(sys.argv[1], overwrite=True)
            np.testing.assert_array_equal(hs.load(sys.argv[1]).gain.data, expected)
        array = hc.load_pretrained().predict(
            spectra.data, spectra.axes_manager.signal_axes[0].axis, resolution=0.5
        )
        assert array.gain.shape == (3, 4) and array.gain[1, 2] == -1
        '''
    run_fresh(code, str(tmp_path / "maps.hspy"))


@pytest.fixture(params=["eager", "lazy"])
def result(request, image):
    """A prediction of 7 x 5 spectra, that at x = 1, y = 2 unreadable."""
    spectra = image[0]
    spectra.data[2, 1] = 0
    spectra = spectra.as_lazy() if request.param == "lazy" else spectra
    energy = -15.0 + 0.1 * np.arange(1000)
    low_loss = hs.signals.Signal1D(simulate_low_loss(energy, 0.5))
    axis = low_loss.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = energy[0], 0.1, "eV"
    return spectra.predict_properties(resolution=0.5, low_loss=low_loss, show_progressbar=False)


@pytest.mark.parametrize(
    "field", [one for one in MAP_FIELDS if not one.per_property], ids=lambda field: field.name
)
def test_every_map_field_is_a_documented_map_that_stays(result, field, tmp_path):
    described = getattr(type(result), field.name).__doc__
    assert field.meaning in described
    one = getattr(result, field.name)
    assert one.metadata.Signal.quantity == field.label
    assert one.axes_manager.signal_shape == (7, 5)
    assert one.data.dtype == field.dtype
    assert one._lazy == result._lazy
    whole = np.asarray(one.data)
    if field.unreadable is not None:
        blank = np.isnan(whole) if np.isnan(field.unreadable) else whole == field.unreadable
        assert blank[2, 1]
        codes = np.asarray(result.quality.data)
        lost = codes != Quality.GOOD
        if field.of_read:
            lost &= ~np.isin(codes, (Quality.UNFAMILIAR, Quality.OUTSIDE_LABELS))
        np.testing.assert_array_equal(blank, lost)
    cut = getattr(result.inav[1:4, 2:], field.name)
    np.testing.assert_array_equal(np.asarray(cut.data), whole[2:, 1:4])
    result.save(tmp_path / "maps.hspy")
    again = getattr(hs.load(tmp_path / "maps.hspy"), field.name)
    np.testing.assert_array_equal(again.data, whole)
    assert again.data.dtype == field.dtype
    if result._lazy:
        result.compute(show_progressbar=False)
    np.testing.assert_array_equal(getattr(result, field.name).data, whole)
    assert isinstance(getattr(result, field.name).data, np.ndarray)
