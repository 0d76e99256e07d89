"""The report of a result: one page that holds what the result holds, whatever its shape."""

from __future__ import annotations

import dataclasses
import io
import re
from base64 import b64decode

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hyperspy.axes import DataAxis

from hyperspy_coreloss import calibrate
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import CalibrationError, SignalError
from hyperspy_coreloss.provenance import bibtex, citations
from hyperspy_coreloss.signals import CoreLossPropertySignal
from hyperspy_coreloss.signals.lazy import LazyPropertySignal
from hyperspy_coreloss.signals.metadata import MAPS, get_map, set_map
from hyperspy_coreloss.signals.report import render_report
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.quality import Quality
from tests.fresh import run_fresh
from tests.pages.reading import Page, assert_readable, sources
from tests.paths import ROOT
from tests.reference_spectra import AXIS, measured_reference

LIMIT = 5_000_000
QUIET = {"resolution": 0.5, "show_progressbar": False}
HEADS = "Quality", "Measurement and calibration", "Model", "Definitions", "Software and citation"


@pytest.fixture(scope="module")
def spectra():
    image, _ = silica_spectrum_image((7, 5), seed=10)
    image.data[0, 1:3] = 0
    image.data[3, 2, 600] = np.nan
    return image


@pytest.fixture(scope="module")
def result(spectra):
    return spectra.predict_properties(**QUIET)


@pytest.fixture(scope="module")
def series():
    return silica_spectrum_image((3, 2, 4), seed=3)[0].predict_properties(**QUIET)


@pytest.fixture(scope="module")
def page(result):
    return Page(render_report(result))


def all_nan(result):
    blank = result.deepcopy()
    blank.data[:] = np.nan
    return blank


def uneven(result):
    """Return the result with another x axis, which is that of no picture."""
    changed = result.deepcopy()
    axes = [axis.get_axis_dictionary() for axis in changed.axes_manager.navigation_axes]
    x = DataAxis(axis=np.cumsum(1.0 + np.arange(axes[0]["size"])), name="x", units="nm")
    described = [axes[1], x.get_axis_dictionary(), {"name": "property", "size": 6}]
    described[1]["navigate"], described[2]["navigate"] = True, False
    return CoreLossPropertySignal(
        changed.data, axes=described, metadata=changed.metadata.as_dictionary()
    )


def in_meters(result):
    changed = result.deepcopy()
    changed.axes_manager["x"].units, changed.axes_manager["x"].scale = "s", -0.5
    return changed


def large(result, shape, noise=0.01):
    """Return a result of many pixels, all of which differ, without predicting them."""
    rows, columns = result.data.shape[:2]
    times = -(-shape[0] // rows), -(-shape[1] // columns), 1

    def tiled(array):
        return np.tile(array, times)[: shape[0], : shape[1]]

    random = np.random.default_rng(0)
    data = tiled(result.data)
    data = data * (1 + noise * random.standard_normal(data.shape, dtype=np.float32))
    axes = [axis.get_axis_dictionary() for axis in result.axes_manager.navigation_axes[::-1]]
    for axis, size in zip(axes, shape, strict=True):
        axis["size"] = size
    kept = result.deepcopy()
    maps = {name: get_map(kept, name) for name in MAPS}
    for name, one in maps.items():
        if one is not None:
            delattr(kept.metadata.CoreLossProperty, name)
    axes.append({"name": "property", "size": data.shape[-1], "navigate": False})
    made = CoreLossPropertySignal(data, axes=axes, metadata=kept.metadata.as_dictionary())
    for name, one in maps.items():
        if one is not None:
            set_map(made, name, hs.signals.Signal1D(tiled(one.data), axes=axes))
    return made


#: Ways to come by a result, and what its page shows of the pixels.
SHAPES = {
    "map": (lambda p: p, "Maps"),
    "line scan": (lambda p: p.inav[:, 1], "Curves"),
    "line of one row": (lambda p: p.inav[:, 1:2], "Curves"),
    "one pixel": (lambda p: p.inav[3, 2], "Values"),
    "map of one pixel": (lambda p: p.inav[3:4, 2:3], "Values"),
    "pixel without prediction": (lambda p: p.inav[1, 0], "Values"),
    "transposed": (lambda p: p.T, "Maps"),
    "swapped": (lambda p: p.swap_axes("x", "y"), "Maps"),
    "some properties": (lambda p: p.isig["bond_angle":"mulliken_charge"], "Maps"),
    "all NaN": (all_nan, "Maps"),
    "mean along a line": (lambda p: p.mean("x"), "Curves"),
    "mean": (lambda p: p.mean(), "Values"),
    "rebinned": (lambda p: p.rebin(scale=(2, 1, 1)), "Maps"),
    "uneven axis": (uneven, "Maps"),
    "other units": (in_meters, "Maps"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_result_has_a_page_that_all_can_read(result, name):
    open_before = plt.get_fignums()
    make, heading = SHAPES[name]
    page = Page(render_report(make(result)))
    assert_readable(page)
    assert heading in page.said
    assert all(head in page.said for head in HEADS)
    assert len(page.text) < 2_000_000
    assert plt.get_fignums() == open_before


@pytest.mark.parametrize("file_format", ["hspy", "nxs"])
def test_loaded_results_have_the_page_of_those_that_were_saved(result, page, tmp_path, file_format):
    path = tmp_path / f"maps.{file_format}"
    result.save(path)
    options = {"nxdata_only": True} if file_format == "nxs" else {}
    loaded = Page(render_report(hs.load(path, **options)))
    assert_readable(loaded)
    assert sorted(loaded.rows("bond length (Å)")) == sorted(page.rows("bond length (Å)"))


def test_true_properties_have_a_page_without_model_and_intervals(image):
    page = Page(render_report(image[1]))
    assert_readable(page)
    assert "35 pixels, 35 with values" in page.said
    assert "The values are not those of one model." in page.said
    assert "has no quality map" in page.said
    assert "90 %" not in page.said


def test_the_numbers_of_the_figures_are_those_of_the_result(result, page):
    found = sources(page)
    for number, name in enumerate(result.property_names):
        values = result.get_property_map(name).data
        lower, upper = (one.data for one in result.get_interval_map(name))
        for column, expected in (("value", values), ("width", (upper - lower) / 2)):
            ((numbers,),) = found[f"{column}_{number}"]
            low, high = np.nanmin(expected), np.nanmax(expected)
            read = np.where(numbers == 0, np.nan, low + (high - low) * (numbers - 1.0) / 65534)
            np.testing.assert_allclose(read, expected, atol=2e-5 * (high - low) + 1e-4)
    ((codes,),) = found["code"]
    np.testing.assert_array_equal(codes, result.quality.data)


def test_curves_have_the_values_and_the_limits_of_their_intervals(result):
    line = result.inav[:, 1]
    found = sources(Page(render_report(line)))
    lower, upper = line.get_interval_map("bond_angle")
    (values,) = found["value_1"]
    np.testing.assert_array_equal(values, line.get_property_map("bond_angle").data)
    np.testing.assert_allclose(found["lower_1"][0], lower.data, rtol=1e-6)
    np.testing.assert_allclose(found["upper_1"][0], upper.data, rtol=1e-6)


def test_what_is_transposed_shows_the_same_picture(result, page):
    for column, arrays in sources(Page(render_report(result.T))).items():
        if column.startswith(("value", "width", "code")):
            np.testing.assert_array_equal(arrays, sources(page)[column])


def test_falling_axes_are_turned_round_with_their_values(result, page):
    falling = result.deepcopy()
    falling.axes_manager["y"].scale, falling.axes_manager["y"].offset = -1.0, 4.0
    found = Page(render_report(falling))
    ((numbers,),) = sources(found)["value_2"]
    np.testing.assert_array_equal(numbers, sources(page)["value_2"][0][0][::-1])
    assert "y (nm) \\ x (nm)" in found.said


def test_reasons_are_counted_and_have_a_remedy(page, result):
    (row,) = page.rows("3 EMPTY")
    assert row[1:4] == [Quality.EMPTY.reason, "2", "6 %"]
    assert "check how the file was loaded" in row[4]
    assert page.rows("2 NOT_FINITE")[0][2] == "1"
    assert page.rows("0 GOOD")[0][2] == "32"
    assert "35 spectra: 32 predicted, 2 empty, 1 not finite" in page.said


def test_values_are_in_tables_too(result, page):
    maps = result.as_maps()
    table = next(one for one in page.tables if one["caption"].startswith("bond length (Å), at"))
    for (_, *row), values in zip(table["rows"][1:], maps["bond_length"].data, strict=True):
        for cell, value in zip(row, values, strict=True):
            assert cell == "none" if np.isnan(value) else abs(float(cell) - value) < 6e-4
    (row,) = (row for row in page.rows("bond length (Å)") if len(row) == 9)
    assert row[1] == "32"
    assert float(row[4]) == pytest.approx(np.nanmedian(maps["bond_length"].data), abs=1e-3)


def test_positions_have_their_units(result):
    result = result.deepcopy()
    for name, scale in (("x", 0.25), ("y", 0.5)):
        result.axes_manager[name].scale, result.axes_manager[name].units = scale, "µm"
    page = Page(render_report(result))
    assert "y (µm) \\ x (µm)" in page.said
    assert "1.25 µm" in page.said


def test_series_have_a_slider_through_their_positions(series):
    page = Page(render_report(series))
    assert_readable(page)
    assert 'id="pixel-frame" min="0" max="3"' in page.text
    (table,) = (one for one in page.tables if one["caption"].startswith("Means over the map"))
    assert [row[0] for row in table["rows"]] == ["position", *(f"z = {n} nm" for n in range(4))]
    frames = max(sources(page)["value_0"], key=len)
    assert len(frames) == 4
    order = [np.argsort(one, axis=None) for one in frames]
    expected = np.moveaxis(series.data, -1, 0)[0]
    for found, values in zip(order, expected, strict=True):
        assert (np.diff(values.ravel()[found]) >= -1e-4).all()


def test_long_series_are_cut_and_the_page_says_so(result):
    many = hs.stack([result.inav[:3, :2]] * 40)
    page = Page(render_report(many))
    assert "the first 36 of 40 positions" in page.said
    assert 'max="35"' in page.text
    (row,) = (row for row in page.rows("bond length (Å)") if len(row) == 9)
    assert row[1] == str(int(np.isfinite(many.data[..., 0]).sum()))


def test_a_series_of_series_has_all_its_positions(series):
    page = Page(render_report(hs.stack([series, series])))
    assert_readable(page)
    assert "z = 3 nm" in page.said
    assert 'max="7"' in page.text


def test_a_page_of_256_pixels_squared_is_whole_and_below_5_mb(result):
    image = large(result, (256, 256))
    text = render_report(image)
    assert len(text.encode()) < LIMIT
    assert "is the mean of" not in text
    assert max(one[0].shape for one in sources(Page(text))["value_0"]) == (256, 256)


def test_larger_maps_are_averaged_by_a_factor_that_the_page_states(result):
    image = large(result, (700, 640))
    text = render_report(image)
    assert len(text.encode()) < LIMIT
    page = Page(text)
    assert_readable(page)
    assert "each pixel shown here is the mean of 3 × 3 pixels" in page.said
    ((numbers,),) = sources(page)["value_0"]
    assert numbers.shape == (234, 214)
    (row,) = (row for row in page.rows("bond length (Å)") if len(row) == 9)
    assert row[1] == str(int(np.isfinite(image.data[..., 0]).sum()))


def test_long_lines_are_averaged_too(result):
    line = large(result, (2, 60_000)).inav[:, 0]
    text = render_report(line)
    assert len(text.encode()) < LIMIT
    assert "is the mean of 4 pixels" in text


def test_pixels_without_prediction_are_grey_in_the_picture_for_paper(result):
    (address,) = re.findall(r'<figure class="still"><img src="data:image/png;base64,([^"]*)"',
                            render_report(result))  # fmt: skip
    picture = plt.imread(io.BytesIO(b64decode(address)))
    grey = np.isclose(picture[..., :3], 0.85, atol=0.004).all(axis=-1)
    assert grey.sum() > 500
    assert picture.shape[1] == 1050


def test_what_files_say_is_text_and_no_markup(result):
    evil = "<script>alert('x')</script> & \"more\" </script><!-- <b>"
    result = result.deepcopy()
    result.metadata.General.title = evil
    result.metadata.set_item("General.notes", evil)
    result.axes_manager["x"].name = evil
    text = render_report(result)
    assert "<script>alert" not in text.replace("\\u003cscript", "")
    page = Page(text)
    assert_readable(page)
    assert page.said.count("<script>alert('x')</script> & \"more\"") > 3


def test_the_model_has_its_card_if_it_is_shipped(result, page, pretrained):
    name = result.metadata.CoreLossProperty.Pretrained.name
    from hyperspy_coreloss import load_pretrained

    model = load_pretrained(name)
    assert model.limits in page.said
    assert model.intended_use in page.said
    assert model.sha256 in page.said
    metrics = model.record.metrics["left_out_phases"]
    (row,) = (
        row for row in page.rows("bond length (Å)") if f"{metrics['bond_length']['r2']:.2f}" in row
    )
    assert row[1] == f"{metrics['bond_length']['mae']:.3g}"


@pytest.mark.parametrize("item", ["name", "sha256"])
def test_other_models_have_what_the_result_records(result, item):
    result = result.deepcopy()
    setattr(result.metadata.CoreLossProperty.Pretrained, item, "mine")
    page = Page(render_report(result))
    assert "This model is not shipped" in page.said
    assert "mine" in page.said
    assert "Mean absolute error on new phases of the kind" in page.said


def test_results_of_early_versions_have_a_page(result):
    result = result.deepcopy()
    for name in ("definitions", "scores", "Preprocessing", "region_errors", "population_errors"):
        delattr(result.metadata.CoreLossProperty, name)
    page = Page(render_report(result))
    assert_readable(page)
    assert "Mean distance from the absorbing atom" in page.said
    assert "the result does not record how" in page.said


def test_properties_are_defined_as_the_result_says(result):
    result = result.deepcopy()
    node = result.metadata.CoreLossProperty
    node.definitions = node.definitions.replace("Mean distance", "Longest distance")
    page = Page(render_report(result.isig[:2]))
    assert "Longest distance" in page.said
    assert "unweighted Voronoi cell" not in page.said


def test_the_measurement_is_told(page):
    for words in ("0.5 eV (full width at half maximum)", "power law", "not calibrated on a known"):
        assert words in page.said


@pytest.fixture(scope="module")
def calibration(quartz):
    reference = hs.signals.Signal1D(measured_reference(quartz))
    axis = reference.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = AXIS[0], AXIS[1] - AXIS[0], "eV"
    return calibrate(reference, "alpha-quartz")


@pytest.fixture(scope="module")
def calibrated(calibration):
    image, _ = silica_spectrum_image((3, 2), seed=2)
    return image.predict_properties(calibration=calibration, show_progressbar=False)


def test_energies_of_the_low_loss_are_told_to_a_thousandth():
    image, _ = silica_spectrum_image((3, 2), seed=2)
    counts = simulate_low_loss(
        -20 + 0.1 * np.arange(1000), np.full((2, 3), 0.3), generator=np.random.default_rng(0)
    )
    low_loss = hs.signals.Signal1D(counts)
    axis = low_loss.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = -20, 0.1, "eV"
    result = image.predict_properties(low_loss=low_loss, show_progressbar=False)
    said = Page(render_report(result)).said
    assert re.search(
        r"median (?!-0\.000)-?0\.00\d, from -?0\.0\d\d \(5 %\) to 0\.0\d\d \(95 %\) eV", said
    )


def test_a_calibration_is_told_and_shown_if_it_is_given(calibrated, calibration):
    told = Page(render_report(calibrated))
    assert "calibrated on alpha-quartz" in told.said
    error = calibration.uncertainties["energy_offset"]
    assert f"{calibration.energy_offset:.3f} ± {error:.3f} eV" in told.said
    assert f"({calibration.dispersion_error:+.2%})" in told.said
    shown = Page(render_report(calibrated, calibration))
    assert_readable(shown)
    assert len(shown.pictures) == len(told.pictures) + 1
    assert any("the computed spectrum fitted to it" in words for words in shown.pictures)


def test_a_calibration_read_from_its_file_is_that_of_the_result(calibrated, calibration, tmp_path):
    calibration.save(tmp_path / "quartz.json")
    again = type(calibration).load(tmp_path / "quartz.json")
    calibrated.save_report(tmp_path / "maps.html", calibration=again)
    assert (tmp_path / "maps.html").stat().st_size > 0


def test_another_calibration_is_refused(result, calibrated, calibration):
    other = dataclasses.replace(calibration, position=calibration.position + 0.01)
    with pytest.raises(CalibrationError, match="which is that on alpha-quartz, but was given <Cal"):
        render_report(calibrated, other)
    with pytest.raises(CalibrationError, match="which is none, but was given <Calibration"):
        render_report(result, calibration)


def test_software_and_citation_are_told(page):
    assert all(words in page.said for words in citations())
    for name in ("hyperspy_coreloss", "hyperspy", "exspy", "rosettasciio", "numpy", "torch"):
        assert re.search(rf"\b{name} \d", page.said)
    assert bibtex().splitlines()[0] in page.said


def test_citations_are_those_of_the_citation_file():
    """Spelled out twice, because the file is not installed."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    paper, package = citations()
    for key in ("title", "volume", "start", "year"):
        values = re.findall(rf'^\s*-?\s*{key}: "?([^"\n]+)"?$', text, re.M)
        assert any(value in paper for value in values), key
        assert any(value in bibtex() for value in values), key
    for family in re.findall(r"family-names: (\w+)", text):
        assert family in paper
        assert family in bibtex()
    assert "The hyperspy_coreloss developers" in text
    assert package.startswith("The hyperspy_coreloss developers")
    assert not re.search(r"doi", text + paper, re.I)  # none is known from a source


def test_a_file_is_replaced_only_if_it_may(result, tmp_path, monkeypatch, caplog):
    single = result.inav[3, 2]
    path = tmp_path / "maps.html"
    single.save_report(tmp_path / "maps")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    path.write_text("old")
    single.save_report(path, overwrite=False)
    assert path.read_text() == "old"
    assert "was not overwritten" in caplog.text
    asked = []
    for answer, written in (("n", False), ("y", True)):
        monkeypatch.setattr("builtins.input", lambda text, said=answer: asked.append(text) or said)
        path.write_text("old")
        single.save_report(path)
        assert (path.read_text(encoding="utf-8") != "old") == written
    assert len(asked) == 2
    assert "maps.html' (y/n)?" in asked[0]

    def nobody(_text):
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    path.write_text("old")
    single.save_report(path)
    assert path.read_text() == "old"
    single.save_report(path, overwrite=True)
    assert path.read_text(encoding="utf-8") != "old"
    assert [one.name for one in tmp_path.iterdir()] == ["maps.html"]


def test_a_page_is_written_whole_or_not_at_all(result, tmp_path, monkeypatch):
    path = tmp_path / "maps.html"
    path.write_text("old")
    monkeypatch.setattr(
        "hyperspy_coreloss.signals.report.render_report", lambda *_: "lone surrogate \ud800"
    )
    with pytest.raises(UnicodeEncodeError):
        result.save_report(path, overwrite=True)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["maps.html"]


def test_lazy_results_are_computed_once_and_only_if_the_page_may_be_written(
    spectra, result, page, tmp_path, monkeypatch
):
    times = []
    compute = LazyPropertySignal._compute
    monkeypatch.setattr(
        LazyPropertySignal,
        "_compute",
        lambda self, *a, **k: times.append(1) or compute(self, *a, **k),
    )
    lazy = spectra.as_lazy().predict_properties(resolution=0.5)
    with pytest.raises(NotADirectoryError):
        lazy.save_report(tmp_path / "nowhere" / "maps.html")
    (tmp_path / "there.html").write_text("old")
    lazy.save_report(tmp_path / "there.html", overwrite=False)
    assert times == []
    lazy.save_report(tmp_path / "maps.html")
    assert times == [1]
    assert type(lazy) is type(result)
    text = (tmp_path / "maps.html").read_text(encoding="utf-8")
    assert Page(text).rows("bond length (Å)") == page.rows("bond length (Å)")


def test_signals_without_properties_are_refused(result, tmp_path):
    renamed = result.deepcopy()
    renamed.axes_manager["property"].name = "energy"
    with pytest.raises(SignalError, match="an axis named 'property'"):
        renamed.save_report(tmp_path / "maps.html")
    assert not list(tmp_path.iterdir())


def test_only_pages_need_the_plotting_library():
    run_fresh("""
import sys
import hyperspy.api as hs
import hyperspy_coreloss as hc
s, _ = hc.data.silica_spectrum_image((2, 2))
p = s.predict_properties(resolution=0.5, show_progressbar=False)
p.summary(), p.plot_maps()
assert "bokeh" not in sys.modules
""")
