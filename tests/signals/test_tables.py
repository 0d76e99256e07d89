"""Results as tables and data sets of other packages: same numbers, with units, and read back."""

from __future__ import annotations

import csv
import sys

import hyperspy.api as hs
import numpy as np
import pandas as pd
import pint
import pytest
import xarray as xr

from hyperspy_coreloss import Quality, predict_files
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.properties import PROPERTIES, parse_unit
from hyperspy_coreloss.signals.pixel_table import pixel_table

QUIET = {"resolution": 0.5, "show_progressbar": False}
LABELS = [spec.label for spec in PROPERTIES]


@pytest.fixture
def result(image):
    """A prediction with one empty spectrum at x = 1, y = 2."""
    image[0].data[2, 1] = 0
    return image[0].predict_properties(**QUIET)


@pytest.fixture(scope="module")
def series():
    """A prediction with four navigation axes."""
    spectra, _ = silica_spectrum_image((3, 2, 2, 2), seed=10)
    return spectra.predict_properties(**QUIET)


def widths(result, name, level=0.9):
    lower, upper = result.get_interval_map(name, level)
    return (upper.data.astype(float) - lower.data) / 2


def test_a_row_has_the_numbers_of_its_pixel(result):
    frame = result.to_dataframe()
    assert frame.index.names == ["x (nm)", "y (nm)"]
    x, y = (result.axes_manager[name].axis for name in "xy")
    row = frame.loc[(x[4], y[3])]
    assert row["bond angle (°)"] == result.get_property_map("bond_angle").data[3, 4]
    assert row["onset (eV)"] == result.onset.data[3, 4]
    width = row["half width of bond angle (°)"]
    assert width == pytest.approx(widths(result, "bond_angle")[3, 4], rel=1e-4)
    bad = frame.loc[(x[1], y[2])]
    assert bad["quality"] == "empty"
    assert bad[LABELS].isna().all()
    assert len(frame) == 35


def test_words_are_categories_in_the_order_of_the_codes(result):
    frame = result.to_dataframe()
    codes = frame["quality"].cat.codes
    np.testing.assert_array_equal(codes, result.quality.data.ravel())
    assert codes[frame["quality"] == Quality.EMPTY.phrase].tolist() == [Quality.EMPTY]
    populations = result.population.data.ravel()
    known = populations < len(POPULATIONS)
    np.testing.assert_array_equal(frame["population"].cat.codes[known], populations[known])
    assert (frame["population"].isna() == ~known).all()
    means = frame.groupby("quality", observed=True)["bond length (Å)"].mean()
    assert means["predicted"] == pytest.approx(np.nanmean(result.data[..., 0]), rel=1e-6)


# pandas 2 writes NaN of 32 bits by a cast that NumPy before 2 warns of.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_a_saved_frame_is_the_table_of_the_command_and_reads_back(result, image, tmp_path):
    frame = result.to_dataframe()
    frame.to_csv(tmp_path / "frame.csv")
    image[0].save(tmp_path / "spectra.hspy")
    files = [tmp_path / "spectra.hspy"]
    predict_files(files, tmp_path / "maps", file_format="csv", **QUIET)
    rows = []
    for path in (tmp_path / "frame.csv", tmp_path / "maps" / "spectra.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            rows.append(list(csv.reader(file)))
    assert rows[0][0] == rows[1][0]
    again = pd.read_csv(tmp_path / "frame.csv", index_col=["x (nm)", "y (nm)"])
    written = pd.read_csv(tmp_path / "maps" / "spectra.csv", index_col=["x (nm)", "y (nm)"])
    pd.testing.assert_frame_equal(again, written)
    assert {kind.kind for kind in again.dtypes[LABELS]} == {"f"}
    for label in LABELS:
        np.testing.assert_allclose(again[label], frame[label], rtol=1e-6)
    assert again["quality"].tolist() == frame["quality"].tolist()


@pytest.mark.parametrize("level", [0.5, 0.683, None])
def test_half_widths_of_any_level_say_which(result, level):
    heads = [head for head in result.to_dataframe(level) if "half width" in head]
    assert len(heads) == (0 if level is None else 6)
    if level is not None:
        head = f"{100 * level:g} % half width of bond length (Å)"
        expected = widths(result, "bond_length", level).ravel()
        np.testing.assert_allclose(result.to_dataframe(level)[head], expected, rtol=1e-3)
        assert result.to_xarray(level)["bond_length_half_width"].attrs["level"] == level


@pytest.mark.parametrize("method", ["to_dataframe", "to_xarray"])
def test_levels_lie_between_0_and_1(result, method):
    with pytest.raises(SignalError, match="between 0 and 1, but it is 90"):
        getattr(result, method)(90)


def test_turned_results_and_regions_have_the_same_rows(result):
    frame = result.to_dataframe()
    pd.testing.assert_frame_equal(result.T.to_dataframe(), frame)
    xr.testing.assert_identical(result.T.to_xarray(), result.to_xarray())
    part = result.inav[2:5, 1:].to_dataframe()
    pd.testing.assert_frame_equal(part, frame.loc[part.index])
    circle = hs.roi.CircleROI(3, 2, 1.6)(result)
    inside = circle.to_dataframe()
    assert (inside["quality"] == "masked").sum() == int((circle.quality.data == 1).sum()) > 0
    masked = inside["quality"] == "masked"
    assert inside.loc[masked, LABELS].isna().all(axis=None)
    assert circle.to_xarray()["quality"].values.tolist() == circle.quality.data.tolist()


def test_any_number_of_axes(result, series):
    frame = series.to_dataframe()
    assert [name.split()[0] for name in frame.index.names] == [
        axis.name for axis in series.axes_manager.navigation_axes
    ]
    assert len(frame) == 24
    assert frame.index.is_unique
    np.testing.assert_array_equal(frame["bond length (Å)"], series.data[..., 0].ravel())
    assert series.to_xarray()["bond_length"].shape == (2, 2, 2, 3)
    line = result.inav[:, 1]
    assert line.to_dataframe().index.names == ["x (nm)"]
    single = result.inav[3, 1]
    (row,) = single.to_dataframe().to_dict("records")
    assert row["bond length (Å)"] == single.data[0]
    assert single.to_dataframe().index.names == ["spectrum"]
    assert single.to_xarray()["bond_length"].shape == ()


def test_results_without_intervals_and_maps(result, image):
    largest = result.max("x")
    assert list(largest.to_dataframe()) == LABELS
    mean = result.mean("x")
    assert [head for head in mean.to_dataframe() if head not in LABELS] == [
        f"half width of {label}" for label in LABELS
    ]
    truth = image[1]
    assert list(truth.to_dataframe())[:6] == LABELS
    assert list(truth.to_xarray().data_vars)[:6] == [spec.name for spec in PROPERTIES]


def test_axes_without_names_or_with_those_of_maps(result):
    first, second = result.axes_manager.navigation_axes
    first.name, second.name, second.units = "", "onset", "eV"
    frame = result.to_dataframe()
    assert frame.index.names == ["axis 0 (nm)", "onset axis (eV)"]
    np.testing.assert_array_equal(frame["onset (eV)"], result.onset.data.ravel())
    assert result.to_xarray()["quality"].dims == ("onset axis", "axis 0")


def test_lazy_results_are_computed_once(image, result):
    read = []
    lazy = image[0].as_lazy()
    lazy.data = lazy.data.rechunk((2, 3, -1)).map_blocks(
        lambda block: (read.append(block.shape), block)[1], dtype=lazy.data.dtype
    )
    predicted = lazy.predict_properties(resolution=0.5)
    gridded = predicted.to_xarray()
    assert predicted._lazy
    assert all(one.chunks for one in gridded.data_vars.values())
    read.clear()
    xr.testing.assert_identical(gridded.compute(scheduler="synchronous"), result.to_xarray())
    chunks = 9
    assert len(read) == chunks
    pd.testing.assert_frame_equal(predicted.to_dataframe(), result.to_dataframe())
    assert not predicted._lazy
    assert len(read) == 2 * chunks


def test_a_netcdf_file_has_units_and_meanings(result, tmp_path):
    result.to_xarray().to_netcdf(tmp_path / "maps.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "maps.nc", engine="h5netcdf") as again:
        xr.testing.assert_identical(again.load(), result.to_xarray())
        for spec in PROPERTIES:
            variable = again[spec.name]
            assert parse_unit(variable.attrs["units"]) == parse_unit(spec.unit)
            width = again[variable.attrs["ancillary_variables"]]
            assert width.attrs["units"] == variable.attrs["units"]
        assert again["x"].attrs["units"] == "nm"
        assert again["onset"].attrs == {"long_name": "onset", "units": "eV"}
        assert again["novelty"].attrs["units"] == "1"
        quality = again["quality"]
        meanings = quality.attrs["flag_meanings"].split()
        assert dict(zip(meanings, quality.attrs["flag_values"].tolist(), strict=True)) == {
            code.name.lower(): code for code in Quality
        }
        assert meanings[int(quality.sel(x=again["x"][1], y=again["y"][2]))] == "empty"
    assert pint.get_application_registry().Unit(again["x"].attrs["units"]).dimensionality


def test_a_changed_data_set_leaves_the_result_as_it_is(result):
    before = result.data.copy()
    result.to_xarray()["bond_length"][:] = 0
    frame = result.to_dataframe()
    frame.loc[:, LABELS] = 0
    np.testing.assert_array_equal(result.data, before)


@pytest.mark.parametrize(
    ("method", "package"), [("to_dataframe", "pandas"), ("to_xarray", "xarray")]
)
def test_a_missing_package_is_named(result, monkeypatch, method, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=f"not installed: pip install {package}"):
        getattr(result, method)()
    assert pixel_table(result)


def test_codes_that_no_version_knows_are_refused(result):
    quality = result.metadata.CoreLossProperty.quality
    quality.data = np.full_like(quality.data, 99)
    with pytest.raises(SignalError, match="this one has 99"):
        result.to_dataframe()
