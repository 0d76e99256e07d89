"""HyperSpy's operations give properties where the result is one, and plain numbers otherwise."""

from __future__ import annotations

import operator

import hyperspy.api as hs
import numpy as np
import pytest
from hyperspy.signals import BaseSignal, Signal1D
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import SignalError, UnknownPropertyError
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.signals import derived
from hyperspy_coreloss.signals.axes import PROPERTY_AXIS
from hyperspy_coreloss.signals.metadata import MAPS, PER_PROPERTY, describe_properties
from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal, PropertySignal
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


def computed(signal):
    if signal._lazy:
        signal.compute(show_progressbar=False)
    return signal


def assert_plain(signal):
    computed(signal)
    assert isinstance(signal, BaseSignal)
    assert not isinstance(signal, PropertySignal)
    assert not signal.metadata.has_item("CoreLossProperty")
    assert signal.metadata.Signal.signal_type == ""


@pytest.mark.parametrize(
    ("average", "expected", "title"),
    [
        (lambda p: p.nanmean(), lambda d: np.nanmean(d, axis=(0, 1)), "Mean"),
        (lambda p: p.mean("x"), lambda d: d.mean(axis=1), "Mean"),
        (lambda p: p.nanmean("y"), lambda d: np.nanmean(d, axis=0), "Mean"),
        (lambda p: p.inav[2:].mean(), lambda d: d[:, 2:].mean(axis=(0, 1)), "Mean"),
        (lambda p: p.T.inav[1:3].T.mean("x"), lambda d: d[..., 1:3].mean(axis=1), "Mean"),
    ],
)
def test_a_mean_of_properties_is_properties(result, average, expected, title):
    mean = average(result)
    assert computed(mean).metadata.General.title == f"{title} of properties of Simulated silica"
    assert isinstance(mean, CoreLossPropertySignal)
    np.testing.assert_allclose(values(mean), expected(values(result)), rtol=1e-5)
    name = mean.property_names[0]
    lower, upper = mean.get_interval_map(name)
    # As wide as those of the pixels, in the mean.
    low, high = (values(one) for one in result.get_interval_map(name))
    widths = np.broadcast_to((high - low)[..., None], result.data.shape)
    width = values(upper) - values(lower)
    np.testing.assert_allclose(width.ravel(), expected(widths)[..., 0].ravel(), rtol=1e-3)
    for one in set(MAPS) - set(PER_PROPERTY):
        with pytest.raises(SignalError, match="is lost when spectra are combined"):
            getattr(mean, one)


@pytest.mark.parametrize(("name", "function"), [("nanmax", np.nanmax), ("nanmin", np.nanmin)])
def test_an_extreme_is_a_property_without_the_intervals_of_single_spectra(result, name, function):
    extreme = computed(getattr(result, name)())
    assert extreme.property_names == NAMES
    np.testing.assert_array_equal(extreme.data, function(values(result), axis=(0, 1)))
    with pytest.raises(SignalError, match="errors of single spectra do not apply to extremes"):
        extreme.get_interval_map("bond_length")


@pytest.mark.parametrize("name", sorted(derived.NUMBERS))
def test_what_is_not_a_property_is_plain(result, name):
    axes = {"sum": (), "std": (), "var": (), "nansum": (), "nanstd": (), "nanvar": ()}
    cut = result.inav[2:6]  # without NaN
    if name == "fft":
        cut = cut.T
        cut.axes_manager.signal_axes[0].units = cut.axes_manager.signal_axes[1].units = "nm"
    numbers = getattr(cut, name)(*axes.get(name, () if name == "fft" else ("x",)))
    assert_plain(numbers)
    assert numbers.metadata.General.title.endswith(" of properties of Simulated silica")


@pytest.mark.parametrize("name", ["mean", "max", "nanmin"])
def test_properties_reduced_with_each_other_are_plain(result, name):
    assert_plain(getattr(result.inav[2:], name)(PROPERTY_AXIS))


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p + 1,
        lambda p: p - p,
        lambda p: p * p.inav[2, 2],
        lambda p: p / 2.0,
        lambda p: p**2,
        lambda p: -p,
        lambda p: abs(p),
        lambda p: p > 1.6,
        lambda p: p == p,
        lambda p: np.abs(p),
        lambda p: p.map(np.sort, inplace=False, output_dtype=p.data.dtype, output_signal_size=(6,)),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_arithmetic_gives_numbers(result, change):
    changed = change(result)
    assert_plain(changed)
    assert changed.metadata.General.title == "Numbers from properties of Simulated silica"
    assert changed.data.shape == (5, 7, 6)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.map(np.sort, inplace=True, show_progressbar=False),
        lambda p: operator.iadd(p, 1),
        lambda p: operator.imul(p, p.deepcopy()),
    ],
)
def test_changes_in_place_make_the_signal_plain(prediction, change):
    change(prediction)
    assert_plain(prediction)
    assert type(prediction) is Signal1D


def test_every_operator_of_hyperspy_is_overridden():
    from hyperspy import signal

    groups = ("ARITHMETIC", "INPLACE", "COMPARISON", "UNARY")
    names = {name for group in groups for name in getattr(signal, f"{group}_OPERATORS")}
    assert names <= set(derived.ARITHMETIC)
    for name in (*names, *derived.NUMBERS, *derived.AVERAGES, *derived.EXTREMES, *derived.MOVED):
        assert name in vars(derived.DerivedSignal)


def test_rebin_averages_and_leaves_out_pixels_without_a_prediction(result):
    coarse = computed(result.inav[:6, :4].rebin(scale=(2, 2, 1)))
    blocks = values(result)[:4, :6].reshape(2, 2, 3, 2, 6)
    np.testing.assert_allclose(coarse.data, np.nanmean(blocks, axis=(1, 3)), rtol=1e-5)
    assert np.isfinite(coarse.data).all()  # the block of the bad spectrum has three good ones
    assert coarse.property_names == NAMES
    assert coarse.data.dtype == np.float32
    x = coarse.axes_manager["x"]
    assert (x.scale, x.offset, x.size) == (2.0, 0.5, 3)
    for one in set(MAPS) - set(PER_PROPERTY):
        with pytest.raises(SignalError, match="is lost when spectra are combined"):
            getattr(coarse, one)
    with pytest.raises(SignalError, match="is lost when spectra are combined"):
        coarse.get_ambiguity_map("bond_angle")
    coarse.get_interval_map("bond_angle")


def test_rebin_is_nan_where_no_pixel_has_a_prediction(image):
    image[0].data[:2, :2] = 0
    result = image[0].predict_properties(resolution=0.5, show_progressbar=False)
    coarse = result.inav[:6, :4].rebin(scale=(2, 2, 1))
    np.testing.assert_array_equal(np.isnan(coarse.data[..., 0]), [[1, 0, 0], [0, 0, 0]])


def test_properties_are_not_averaged_with_each_other(result):
    for options in ({"scale": (1, 1, 2)}, {"new_shape": (7, 5, 3)}):
        with pytest.raises(SignalError, match=r"number 2 in the scale.*Give 1 .* or 6"):
            result.rebin(**options)
    with pytest.raises(SignalError, match="Nothing lies between two properties"):
        result.interpolate_on_axis("uniform", PROPERTY_AXIS)


def signal_of(data):
    axes = [
        {"size": size, "navigate": True, "name": name}
        for size, name in zip(data.shape[:2], "yx", strict=True)
    ]
    axes.append({"name": PROPERTY_AXIS, "size": data.shape[-1], "navigate": False})
    metadata = describe_properties(PROPERTIES[: data.shape[-1]], "Properties")
    return CoreLossPropertySignal(data, axes=axes, metadata=metadata)


@settings(deadline=None, max_examples=50)
@given(
    data=arrays(
        np.float64, (4, 6, 2), elements=st.one_of(st.floats(-1e3, 1e3), st.just(float("nan")))
    ),
    scale=st.tuples(st.sampled_from([1, 2, 3, 1.5]), st.sampled_from([1, 2, 4])),
)
def test_averages_lie_between_the_values_they_are_of(data, scale):
    coarse = signal_of(data).rebin(scale=(*scale, 1))
    for column in range(2):
        known = data[..., column][np.isfinite(data[..., column])]
        averages = coarse.data[..., column]
        averages = averages[np.isfinite(averages)]
        assert bool(averages.size) == bool(known.size)
        if averages.size:
            assert known.min() - 1e-9 <= averages.min()
            assert averages.max() <= known.max() + 1e-9


def test_rebin_writes_where_it_is_told(prediction):
    out = prediction.rebin(scale=(1, 5, 1))
    expected = out.data.copy()
    out.data = np.zeros_like(out.data)
    assert prediction.rebin(scale=(1, 5, 1), out=out) is None
    np.testing.assert_array_equal(out.data, expected)


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (lambda p: p.swap_axes(0, 1), lambda d: d.swapaxes(0, 1)),
        (lambda p: p.swap_axes("x", "y"), lambda d: d.swapaxes(0, 1)),
        (lambda p: p.rollaxis("y", "x"), lambda d: d.swapaxes(0, 1)),
        (lambda p: p.T.T, lambda d: d),
        (lambda p: p.as_signal1D(2), lambda d: d),
    ],
)
def test_maps_move_with_the_pixels_even_on_square_images(move, expected):
    spectra, _ = silica_spectrum_image((4, 4), seed=3)
    spectra.data[2, 1] = spectra.data[0, 3] = 0
    for signal in (spectra, spectra.as_lazy()):
        result = signal.predict_properties(resolution=0.5, show_progressbar=False)
        moved = move(result)
        quality = expected(values(result.quality))
        np.testing.assert_array_equal(values(computed(moved).quality), quality)
        np.testing.assert_array_equal(np.isnan(moved.data[..., 0]), quality != Quality.GOOD)
        np.testing.assert_array_equal(np.isnan(moved.onset.data), quality != Quality.GOOD)


def test_parts_keep_their_maps(result):
    quality = values(result.quality)
    for parts, expected in (
        (result.split(), list(quality)),
        (result.split("x", step_sizes=[2, 5]), [quality[:, :2], quality[:, 2:]]),
        (result.split("y", number_of_parts=1), [quality]),
    ):
        for part, own in zip(parts, expected, strict=True):
            np.testing.assert_array_equal(values(computed(part).quality), own)
            assert part.property_names == NAMES


def test_cropping_in_place_crops_the_maps(result):
    quality = values(result.quality)
    result.crop("x", 1, 5)
    np.testing.assert_array_equal(values(result.quality), quality[:, 1:5])
    result.crop(1, 2.0, 4.0)
    np.testing.assert_array_equal(values(result.quality), quality[2:4, 1:5])
    result.crop_signal(0, 2)
    assert result.property_names == NAMES[:2]
    assert values(computed(result).quality)[0, 0] == Quality.EMPTY


def test_a_stack_splits_into_what_it_was_made_of(result):
    other = result.inav[::-1]
    stack = hs.stack([result, other], show_progressbar=False)
    assert stack._lazy == result._lazy
    assert computed(stack).property_names == NAMES
    np.testing.assert_array_equal(
        values(stack.quality), np.stack([values(one.quality) for one in (result, other)])
    )
    for part, whole in zip(stack.split(), (result, other), strict=True):
        np.testing.assert_array_equal(values(part), values(whole))
        np.testing.assert_array_equal(values(part.quality), values(whole.quality))
        part.get_interval_map("bond_length")


def test_a_stack_of_different_models_has_no_intervals(image):
    options = {"resolution": 0.5, "show_progressbar": False}
    one, other = (
        image[0].predict_properties(name, **options)
        for name in ("silica-o-k-15eV-sigma-0.3", "silica-o-k-40eV")
    )
    same = hs.stack([one, one.deepcopy()], show_progressbar=False)
    same.get_interval_map("bond_length")
    mixed = hs.stack([one, other], show_progressbar=False)
    with pytest.raises(SignalError, match="a stack are of different models"):
        mixed.get_interval_map("bond_length")
    mixed.split()[1].get_interval_map("bond_length")


def test_maps_follow_axes_that_were_calibrated_later(result):
    quality = values(result.quality)
    axis = result.axes_manager["x"]
    axis.scale, axis.offset, axis.name, axis.units = 0.5, 100.0, "position", "µm"
    cut = result.inav[100.5:102.0]
    np.testing.assert_array_equal(values(cut.quality), quality[:, 1:4])
    assert cut.quality.axes_manager["position"].offset == 100.5
    assert result.T.isig[100.5:102.0].onset.data.shape == (5, 3)


@pytest.mark.parametrize("name", NAMES)
def test_a_property_is_sliced_by_its_name(result, name):
    column = NAMES.index(name)
    expected = result.get_property_map(name)
    for one in (result.isig[name].T, result.isig[column].T, result.T.inav[name]):
        assert type(one) is type(expected)
        assert one.metadata.General.title == expected.metadata.General.title
        assert one.metadata.Signal.quantity == expected.metadata.Signal.quantity
        np.testing.assert_array_equal(values(one), values(expected))
        assert_plain(one)
    assert result.isig[float(column)].metadata.General.title == expected.metadata.General.title
    assert result.isig[name:].property_names == NAMES[column:]
    if column:
        assert result.isig[:name].property_names == NAMES[:column]


def test_names_are_those_of_the_slice(result):
    cut = result.isig["voronoi_volume":"excitation_energy"]
    assert cut.property_names == NAMES[2:5]
    np.testing.assert_array_equal(values(cut.isig["mulliken_charge"]), values(result)[..., 4])
    assert cut.isig[1].metadata.General.title == "bond overlap population"
    assert cut.isig[...].property_names == NAMES[2:5]
    with pytest.raises(UnknownPropertyError, match=r"no property 'bond_length'"):
        cut.isig["bond_length"]
    with pytest.raises(UnknownPropertyError, match="Did you mean 'voronoi_volume'"):
        cut.isig["voronoi"]


def test_names_are_found_among_other_axes(prediction):
    turned = prediction.transpose(signal_axes=["x"])  # the navigation axes are y and the properties
    place = [axis.name for axis in turned.axes_manager.navigation_axes].index(PROPERTY_AXIS)
    assert len(turned.axes_manager.navigation_axes) == 2
    slices = [slice(None), slice(None)]
    slices[place] = "bond_angle"
    expected = prediction.data[..., 1]
    np.testing.assert_array_equal(turned.inav[tuple(slices)].data, expected)
    with_dots = (..., "bond_angle") if place == 1 else ("bond_angle", ...)
    np.testing.assert_array_equal(turned.inav[with_dots].data, expected)
    assert turned.inav[with_dots].metadata.General.title == "bond angle"
    assert (
        len(turned.inav[:, 1:3].property_names if place else turned.inav[1:3].property_names) == 2
    )


def test_values_can_be_set_by_name(prediction):
    prediction.isig["bond_angle"] = 140.0
    assert (prediction.data[..., 1] == 140).all()
    assert (prediction.data[..., 0] < 2).all()


@pytest.mark.parametrize(
    ("roi", "inside"),
    [
        (hs.roi.RectangularROI(1, 1, 4, 4), np.s_[1:4, 1:4]),
        (hs.roi.SpanROI(1, 4), np.s_[:, 1:4]),
        (hs.roi.Point1DROI(1), np.s_[:, 1]),
        (hs.roi.Point2DROI(3, 2), np.s_[2, 3]),
    ],
)
def test_regions_cut_results_and_their_maps(result, roi, inside):
    cut = computed(roi(result))
    assert cut.property_names == NAMES
    np.testing.assert_array_equal(cut.data, values(result)[inside])
    np.testing.assert_array_equal(
        np.squeeze(cut.quality.data), np.squeeze(values(result.quality)[inside])
    )


@pytest.mark.parametrize(
    "roi", [hs.roi.CircleROI(2, 2, 1.5), hs.roi.PolygonROI([(0, 0), (4, 0), (4, 4)])]
)
def test_pixels_outside_a_region_are_masked(result, roi):
    cut = computed(roi(result))
    outside = cut.quality.data == Quality.MASKED
    assert 0 < outside.sum() < outside.size
    assert Quality.EMPTY in cut.quality.data
    np.testing.assert_array_equal(np.isnan(cut.data[..., 0]), cut.quality.data != Quality.GOOD)
    np.testing.assert_array_equal(np.isnan(cut.onset.data), cut.quality.data != Quality.GOOD)
    assert cut.quality.data.dtype == np.uint8
    assert cut.onset.data.dtype == np.float32
