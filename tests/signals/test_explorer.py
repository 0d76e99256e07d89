"""HyperSpy's plot of a result names the properties and shows them in comparable numbers."""

from __future__ import annotations

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.properties import PROPERTIES

WORDS = [spec.title.split() for spec in PROPERTIES]


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture(params=["eager", "lazy"])
def result(request, image):
    """A prediction with one bad spectrum at x = 1, y = 2."""
    image[0].data[2, 1] = 0
    spectra = image[0].as_lazy() if request.param == "lazy" else image[0]
    return spectra.predict_properties(resolution=0.5, show_progressbar=False)


def panels(result):
    figures = result._plot.navigator_plot, result._plot.signal_plot
    return tuple(figure and figure.ax for figure in figures)


def texts(panel):
    return [label.get_text().split("\n") for label in panel.get_xticklabels()]


def test_properties_are_named_with_medians_and_half_widths(result):
    result.plot()
    assert not result._lazy
    shown = texts(panels(result)[1])
    assert [text[:-2] for text in shown] == WORDS
    assert [text[-1] for text in shown] == ["Å", "°", "Å³", "electron", "e", "eV"]
    lower, upper = result.get_interval_map("bond_length")
    middle, width = (float(number) for number in shown[0][-2].split(" ± "))
    assert middle == pytest.approx(np.nanmedian(result.data[..., 0]), abs=0.001)
    assert width == pytest.approx(np.nanmedian(upper.data - lower.data) / 2, abs=0.001)


def test_the_pixel_is_shown_in_half_widths_from_the_median(result):
    result.axes_manager.indices = (3, 1)
    result.plot()
    result.axes_manager.indices = (4, 0)
    lower, upper = result.get_interval_map("bond_angle")
    half_width = np.nanmedian(upper.data - lower.data) / 2
    expected = (result.data[0, 4, 1] - np.nanmedian(result.data[..., 1])) / half_width
    drawn = panels(result)[1].lines[0].get_ydata()
    assert drawn[1] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("name", "column"), [("auto", 0), ("bond_angle", 1)])
def test_the_navigator_is_the_map_of_one_property(result, name, column):
    result.plot(name)
    panel = panels(result)[0]
    assert panel.get_title() == PROPERTIES[column].label
    (image,) = panel.images
    np.testing.assert_array_equal(np.ma.filled(image.get_array(), np.nan), result.data[..., column])
    grey = image.cmap(np.ma.masked_invalid(np.array(np.nan)))
    assert tuple(grey) != tuple(image.cmap(1.0))
    assert grey[0] == grey[1] == grey[2] == 0.85


def test_a_navigator_of_the_user_is_used(prediction):
    prediction.plot(navigator=prediction.quality)
    np.testing.assert_array_equal(
        panels(prediction)[0].images[0].get_array(), prediction.quality.data
    )
    prediction.plot(navigator=None)
    assert panels(prediction)[0] is None


def test_line_scans_are_curves_along_the_line(result):
    line = result.inav[:, 2]
    line.plot("bond_angle")
    panel = panels(line)[0]
    np.testing.assert_array_equal(panel.lines[0].get_ydata(), line.data[:, 1])
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("x axis (nm)", "bond angle (°)")
    turned = result.inav[:, 2].T
    turned.plot()
    names, curve = panels(turned)
    assert [text[:-1] for text in texts(names)] == WORDS
    np.testing.assert_array_equal(curve.lines[0].get_ydata(), turned.data[0])


def test_a_transposed_result_shows_how_much_each_property_varies(result):
    turned = result.T
    turned.plot()
    names, image = panels(turned)
    assert [text[:-1] for text in texts(names)] == WORDS
    known = turned.data[:, np.isfinite(turned.data[0])]
    lower, upper = turned.get_interval_map("mulliken_charge")
    spread = np.subtract(*np.percentile(known[4], [95, 5]))
    expected = spread / (np.nanmedian(upper.data - lower.data) / 2)
    assert names.lines[0].get_ydata()[4] == pytest.approx(expected, rel=1e-3)
    assert image.images[0].cmap.get_bad()[0] == 0.85


def test_other_results_are_plotted_too(image, prediction):
    truth = image[1]
    truth.plot()
    assert "standard deviations" in panels(truth)[1].get_title()
    single = prediction.inav[3, 3]
    single.plot()
    assert (panels(single)[1].lines[0].get_ydata() == 0).all()
    prediction.mean("x").plot()
    prediction.swap_axes("x", "property").plot()


def test_a_result_without_predictions_is_plotted(image):
    image[0].data[:] = 0
    with pytest.warns(UserWarning, match="35 empty"):
        result = image[0].predict_properties(resolution=0.5, show_progressbar=False)
    result.plot()
    assert [text[-2] for text in texts(panels(result)[1])] == ["no prediction"] * 6
    result.plot_maps()


def test_three_navigation_axes_are_plotted():
    spectra, _ = silica_spectrum_image((3, 4, 5), seed=3)
    spectra.data[0, 0, 0] = 0
    result = spectra.predict_properties(resolution=0.5, show_progressbar=False)
    result.plot(navigator=result.get_property_map("bond_length").T)
    assert panels(result)[0].get_title() == "bond length (Å)"
    figure = result.plot_maps("bond_angle")
    titles = [panel.get_title() for panel in figure.axes if panel.get_title()]
    assert titles == [f"bond angle (°)\nz (nm) = {z}" for z in range(5)]


@pytest.mark.parametrize(
    "roi",
    [
        hs.roi.RectangularROI(1, 1, 4, 4),
        hs.roi.CircleROI(2, 2, 1.5),
        hs.roi.Point2DROI(2, 2),
        hs.roi.SpanROI(1, 3),
        hs.roi.Line2DROI(0, 0, 4, 4),
    ],
)
def test_regions_are_drawn_on_a_plotted_result(result, roi):
    if isinstance(roi, hs.roi.SpanROI):
        result = result.inav[:, 2]
    result.plot()
    before = len(panels(result)[0].patches) + len(panels(result)[0].lines)
    cut = roi.interactive(result)
    assert len(panels(result)[0].patches) + len(panels(result)[0].lines) > before
    if not isinstance(roi, hs.roi.Line2DROI):
        assert cut.property_names == result.property_names
        assert cut.quality.data.size == cut.data.size / 6
