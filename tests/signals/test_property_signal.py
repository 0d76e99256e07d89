"""Results keep class, names, units, intervals and quality maps through all HyperSpy does."""

from __future__ import annotations

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import SignalError, UnknownPropertyError
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.signals.lazy import LazyCoreLossPropertyMap, LazyCoreLossPropertySignal
from hyperspy_coreloss.signals.property_signal import CoreLossPropertyMap, CoreLossPropertySignal
from hyperspy_coreloss.spectra.quality import Quality

NAMES = tuple(spec.name for spec in PROPERTIES)


@pytest.fixture(params=["eager", "lazy"])
def result(request, image):
    """A prediction with one bad spectrum at x = 1, y = 2."""
    spectra = image[0]
    spectra.data[2, 1] = 0
    if request.param == "lazy":
        return spectra.as_lazy().predict_properties(resolution=0.5)
    return spectra.predict_properties(resolution=0.5, show_progressbar=False)


def values(signal):
    return np.asarray(signal.data)


def assert_complete(result, names=NAMES):
    lazy = result._lazy
    assert isinstance(result, CoreLossPropertySignal | CoreLossPropertyMap)
    assert isinstance(result, LazyCoreLossPropertySignal | LazyCoreLossPropertyMap) == lazy
    assert result.property_names == names
    units = {spec.name: spec.unit for spec in PROPERTIES}
    assert result.property_units == tuple(units[name] for name in names)
    lower, upper = result.get_interval_map(names[0])
    centre = values(result.get_property_map(names[0]))
    good = values(result.quality) == Quality.GOOD
    assert good.any()
    assert (values(lower)[good] < centre[good]).all()
    assert (values(upper)[good] > centre[good]).all()
    np.testing.assert_array_equal(np.isnan(centre), ~good)
    np.testing.assert_array_equal(np.isnan(values(result.onset)), ~good)
    assert values(result.quality).dtype == np.uint8


def test_a_result_is_complete(result):
    assert_complete(result)
    assert values(result.quality)[2, 1] == Quality.EMPTY
    assert np.count_nonzero(values(result.quality)) == 1


@pytest.mark.parametrize(
    ("derive", "names"),
    [
        (lambda p: p.inav[1:5, 1:4], NAMES),
        (lambda p: p.inav[::2, 2], NAMES),
        (lambda p: p.isig[:3], NAMES[:3]),
        (lambda p: p.isig[2:5], NAMES[2:5]),
        (lambda p: p.isig[::2], NAMES[::2]),
        (lambda p: p.inav[1:5].isig[2:4], NAMES[2:4]),
        (lambda p: p.T, NAMES),
        (lambda p: p.T.T, NAMES),
        (lambda p: p.T.inav[2:4], NAMES[2:4]),
        (lambda p: p.T.isig[1:5, 1:4], NAMES),
        (lambda p: p.inav[:, 2].T, NAMES),
        (lambda p: p.deepcopy(), NAMES),
        (lambda p: p.deepcopy().T.deepcopy().isig[1:3, 2:4], NAMES),
    ],
)
def test_derived_results_stay_complete(result, derive, names):
    assert_complete(derive(result), names)


def test_slices_carry_the_right_pixels(result):
    cut = result.inav[1:4, 2:5]
    np.testing.assert_array_equal(values(cut.quality), values(result.quality)[2:5, 1:4])
    np.testing.assert_array_equal(values(cut.onset), values(result.onset)[2:5, 1:4])
    turned = result.T.isig[1:4, 2:5]
    np.testing.assert_array_equal(values(turned.quality), values(cut.quality))
    np.testing.assert_array_equal(
        values(turned.get_property_map("bond_angle")), values(cut.get_property_map("bond_angle"))
    )


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
def test_files_give_everything_back(result, tmp_path, extension):
    result.save(tmp_path / f"maps.{extension}")
    for lazy in (False, True):
        again = hs.load(tmp_path / f"maps.{extension}", lazy=lazy)
        assert again._lazy == lazy
        assert_complete(again)
        np.testing.assert_array_equal(values(again), values(result))
        np.testing.assert_array_equal(values(again.quality), values(result.quality))
        node = again.metadata.CoreLossProperty
        assert node.Pretrained.sha256 == result.metadata.CoreLossProperty.Pretrained.sha256
        assert node.Preprocessing.resolution == 0.5


def test_compute_and_as_lazy_change_the_class_only(result):
    expected = values(result).copy()
    if result._lazy:
        result.compute(show_progressbar=False)
    assert type(result) is CoreLossPropertySignal
    assert_complete(result)
    assert isinstance(result.metadata.CoreLossProperty.quality.data, np.ndarray)
    lazy = result.as_lazy()
    assert_complete(lazy)
    lazy.compute(show_progressbar=False)
    assert_complete(lazy)
    np.testing.assert_array_equal(values(lazy), expected)


def test_a_transposed_lazy_result_computes(image):
    result = image[0].as_lazy().predict_properties(resolution=0.5).T
    result.compute(show_progressbar=False)
    assert type(result) is CoreLossPropertyMap
    assert_complete(result)


def test_maps_are_plain_signals_with_quantity_and_axes(result):
    bond_length = result.get_property_map("bond_length")
    kind = hs.signals.Signal2D
    assert isinstance(bond_length, kind)
    assert bond_length._lazy == result._lazy
    assert bond_length.metadata.Signal.quantity == "bond length (Å)"
    assert bond_length.axes_manager.signal_axes[0].units == "nm"
    assert bond_length.axes_manager.signal_shape == (7, 5)
    np.testing.assert_array_equal(values(bond_length), values(result)[..., 0])
    assert list(result.as_maps()) == list(NAMES)
    assert list(result.as_maps(["bond_angle"])) == ["bond_angle"]


def test_line_scans_and_single_spectra_have_maps_too(image):
    line = image[0].inav[:, 1].predict_properties(resolution=0.5, show_progressbar=False)
    assert line.get_property_map("bond_angle").axes_manager.signal_shape == (7,)
    assert_complete(line)
    single = image[0].inav[2, 1].predict_properties(resolution=0.5, show_progressbar=False)
    assert single.axes_manager.navigation_dimension == 0
    expected = line.get_property_map("bond_angle").data[2]
    np.testing.assert_allclose(single.get_property_map("bond_angle").data, expected, rtol=1e-6)
    assert single.quality.data.tolist() == [Quality.GOOD]


def test_unknown_property_is_answered_with_the_nearest(result):
    with pytest.raises(UnknownPropertyError, match="mean 'bond_length'"):
        result.get_property_map("bond_lenght")
    cut = result.isig[2:]
    with pytest.raises(UnknownPropertyError, match="voronoi_volume"):
        cut.get_property_map("bond_length")


def test_quality_of_combined_pixels_is_refused_not_guessed(prediction):
    mean = prediction.mean(axis=0)
    assert mean.property_names == NAMES
    with pytest.raises(SignalError, match="is lost when spectra are combined"):
        _ = mean.quality


def test_wider_levels_give_wider_intervals(prediction):
    ends = [prediction.get_interval_map("bond_angle", level) for level in (0.5, 0.9)]
    widths = [(upper - lower).data.mean() for lower, upper in ends]
    assert 0 < widths[0] < widths[1]
    assert ends[1][0].metadata.General.title == "bond angle, lower 90%"


def test_three_navigation_axes_give_stacks_of_maps():
    spectra, _ = silica_spectrum_image((4, 3, 2), seed=3)
    spectra.data[1, 2, 0] = 0  # z, y, x
    result = spectra.predict_properties(resolution=0.5, show_progressbar=False)
    assert result.axes_manager.navigation_shape == (4, 3, 2)
    for one in (result.get_property_map("bond_length"), result.quality, result.onset):
        assert (one.axes_manager.navigation_shape, one.axes_manager.signal_shape) == ((2,), (4, 3))
        assert [axis.name for axis in one.axes_manager.signal_axes] == ["x", "y"]
    assert result.quality.inav[1].data[2, 0] == Quality.EMPTY
    np.testing.assert_array_equal(
        result.get_property_map("bond_angle").inav[1].data, result.data[1, ..., 1]
    )


def test_files_of_nexus_give_everything_back(prediction, tmp_path):
    """Its reader also finds arrays of texts, such as elements, unless told to look for data."""
    prediction.save(tmp_path / "maps.nxs")
    for lazy in (False, True):
        again = hs.load(tmp_path / "maps.nxs", lazy=lazy, nxdata_only=True)
        assert_complete(again)
        np.testing.assert_array_equal(values(again), values(prediction))
        np.testing.assert_array_equal(values(again.quality), values(prediction.quality))
        assert values(again.inav[1:3, 2:].quality).shape == (3, 2)
        definitions = again.metadata.CoreLossProperty.definitions
        assert definitions == prediction.metadata.CoreLossProperty.definitions
        assert "Å" in definitions


def test_one_property_may_be_named_alone(result):
    assert list(result.as_maps("bond_angle")) == ["bond_angle"]
    (panel, _) = result.plot_maps("bond_angle").axes
    assert panel.get_title() == "bond angle (°)"
    plt.close("all")


def test_plots_show_every_property(result):
    figure = result.plot_maps()
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [spec.label for spec in PROPERTIES]
    assert len(result.plot_maps(["bond_angle"]).axes) == 2
    plt.close("all")


def test_line_scans_are_plotted_as_curves(image):
    line = image[0].inav[:, 1].predict_properties(resolution=0.5, show_progressbar=False)
    panels = line.plot_maps().axes
    drawn = [panel.lines[0].get_ydata() for panel in panels if panel.get_title()]
    np.testing.assert_array_equal(drawn, line.data.T)
    plt.close("all")


def test_single_spectra_have_no_map_to_plot(image):
    single = image[0].inav[2, 1].predict_properties(resolution=0.5, show_progressbar=False)
    with pytest.raises(SignalError, match="one or two signal axes and no navigation axes"):
        single.plot_maps()


def test_plot_steps_through_maps(prediction):
    for result in (prediction, prediction.inav[:, 1]):
        result.plot()
        assert plt.get_fignums()
        plt.close("all")
