"""Figures of maps: everything that is drawn lies inside the figure, is legible and comparable."""

from __future__ import annotations

import io
import re

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import SignalError, UnknownPropertyError
from hyperspy_coreloss.properties import PROPERTIES, quantity_text
from hyperspy_coreloss.signals import plot_comparison, plot_maps
from hyperspy_coreloss.signals.panels import property_colours
from hyperspy_coreloss.signals.scale_bar import round_length

EDGE = 0.02  # inches that stay free
TWO = ["bond_length", "bond_angle"]
MM = 25.4


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def truth():
    return silica_spectrum_image((12, 9), n_channels=2)[1]


def assert_within(figure):
    # The layout of the first drawing is where that of the second one starts.
    figure.canvas.draw()
    figure.canvas.draw()
    inside = figure.get_tightbbox(figure.canvas.get_renderer())
    width, height = figure.get_size_inches()
    assert min(inside.x0, inside.y0) > EDGE
    assert inside.x1 < width - EDGE
    assert inside.y1 < height - EDGE


def assert_texts_apart(figure):
    """No text covers another one."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    shown = []
    for panel in figure.axes:
        shown += [panel.title, *panel.texts]
        if panel.axison:
            shown += [panel.xaxis.label, panel.yaxis.label]
            limits = ((panel.xaxis, panel.get_xlim()), (panel.yaxis, panel.get_ylim()))
            shown += [
                label
                for axis, ends in limits
                for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
                if min(ends) <= place <= max(ends)
            ]
    boxes = [one.get_window_extent(renderer) for one in shown if one.get_text().strip()]
    for number, box in enumerate(boxes):
        for other in boxes[number + 1 :]:
            # Their margins may touch.
            width = min(box.x1, other.x1) - max(box.x0, other.x0)
            height = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert min(width, height) < 2, (shown[number].get_text(), box, other)


def maps_of(figure):
    return [panel for panel in figure.axes if panel.get_title()]


def bars_of(figure):
    return [panel for panel in figure.axes if panel.get_label() == "<colorbar>"]


def drawn(panel):
    return np.ma.filled(panel.images[0].get_array(), np.nan)


@pytest.mark.parametrize("shape", [(12, 12), (24, 5), (5, 24), (12,), (6, 1), (1, 1), (5, 4, 2)])
def test_no_label_is_clipped(shape):
    _, truth = silica_spectrum_image(shape, n_channels=2)
    for options in ({}, {"scalebar": True}, {"width": 85, "suptitle": "Silica", "note": True}):
        assert_within(truth.plot_maps(TWO, **options))
    assert_within(truth.plot_maps("bond_overlap_population"))
    if len(shape) < 3:
        assert_within(plot_comparison(truth, truth, suptitle="A title of the figure"))


@pytest.mark.parametrize("shape", [(12, 12), (64, 2), (2, 64), (24, 1), (12,)])
@pytest.mark.parametrize("options", [{}, {"width": 85}, {"scalebar": True}], ids=str)
def test_no_text_covers_another_one(shape, options):
    _, truth = silica_spectrum_image(shape, n_channels=2)
    assert_texts_apart(truth.plot_maps(**options))


@pytest.mark.parametrize(("shape", "times"), [((24, 8), 1 / 3), ((8, 24), 3)])
def test_figures_have_the_shape_of_the_maps(shape, times):
    """A flat map has no tall colour bar beside it."""
    square, other = (silica_spectrum_image(each, n_channels=2)[1] for each in ((8, 8), shape))
    for plot in (type(square).plot_maps, lambda one: plot_comparison(one, one)):
        heights = [plot(one).get_size_inches()[1] for one in (square, other)]
        assert (heights[1] > heights[0]) == (times > 1)


def test_every_pixel_is_drawn_where_it_lies():
    for shape in ((5, 3), (1, 1), (6, 1)):
        _, truth = silica_spectrum_image(shape, n_channels=2)
        axis = truth.axes_manager["x"]
        axis.scale, axis.offset = 0.5, 10
        (panel,) = maps_of(truth.plot_maps("bond_length"))
        np.testing.assert_array_equal(drawn(panel), truth.data[..., 0])
        assert panel.get_xlim() == (9.75, 9.75 + 0.5 * shape[0])
        assert panel.get_ylim() == (shape[1] - 0.5, -0.5)
        assert panel.get_aspect() == 1


def test_axes_that_are_not_uniform_or_fall_are_drawn(truth):
    part = truth.isig[:1]
    part.axes_manager["x"].scale = -1
    (panel,) = maps_of(part.plot_maps())
    assert sorted(panel.get_xlim()) == [-11.5, 0.5]
    part.axes_manager["x"].convert_to_non_uniform_axis()
    (panel,) = maps_of(part.plot_maps())
    assert sorted(panel.get_xlim()) == [-11.5, 0.5]


# ---- scale bars


def bar_of(panel):
    """Return the length and the text of the scale bar of a panel, or None."""
    bars = [line for line in panel.lines if line.get_gid() == "scale bar"]
    if not bars:
        return None
    first, second = bars[0].get_xdata()
    (text,) = (one.get_text() for one in panel.texts)
    return second - first, text


@pytest.mark.parametrize(
    ("scale", "units", "length", "text"),
    [
        (1.0, "nm", 2.0, "2 nm"),
        (400.0, "nm", 1000.0, "1 µm"),
        (0.002, "µm", 0.005, "5 nm"),
        (0.1, "µm", 0.2, "0.2 µm"),
        (0.7, "Å", 2.0, "2 Å"),
        (0.7, "", 1.4, "2 pixels"),
    ],
)
def test_scale_bars_have_round_lengths(scale, units, length, text):
    _, truth = silica_spectrum_image((9, 6), n_channels=2)
    for name in "xy":
        axis = truth.axes_manager[name]
        axis.scale, axis.units = scale, units
    (panel,) = maps_of(truth.plot_maps("bond_length", scalebar=True))
    drawn_length, drawn_text = bar_of(panel)
    assert drawn_length == pytest.approx(length)
    assert drawn_text == text
    assert not panel.axison


@pytest.mark.parametrize("longest", [1e-9, 0.19, 0.2, 1, 3.4, 49.9, 99999])
def test_round_lengths_are_the_longest(longest):
    length = round_length(longest)
    assert 0.4 * longest <= length <= longest * (1 + 1e-6)
    assert f"{length:e}"[0] in "125"


def test_scale_bars_on_the_maps_that_are_asked_for(truth):
    figure = truth.plot_maps(scalebar=[0, 4])
    assert [bar_of(panel) is not None for panel in maps_of(figure)] == [
        True,
        *3 * [False],
        True,
        False,
    ]
    figure = truth.plot_maps(scalebar="all", axes_decor="all")
    assert all(bar_of(panel) and panel.axison for panel in maps_of(figure))
    assert not any(map(bar_of, maps_of(truth.plot_maps())))


def test_without_a_common_unit_axes_stay(truth):
    truth.axes_manager["y"].units = "s"
    (panel,) = maps_of(truth.plot_maps("bond_length", scalebar=True))
    assert bar_of(panel) is None
    assert panel.axison
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("x (nm)", "y (s)")
    assert panel.get_aspect() == "auto"


def test_lengths_in_words():
    assert quantity_text(20, "um") == "20 µm"
    assert quantity_text(5, "1/nm") == "5 1/nm"
    assert quantity_text(3, "no unit at all") == "3 no unit at all"


# ---- colours


def test_limits_of_the_colours(truth):
    lengths, angles = truth.data[..., 0], truth.data[..., 1]
    panels = maps_of(truth.plot_maps(TWO, vmin={"bond_length": 1.5}, vmax="90th"))
    assert panels[0].images[0].get_clim() == pytest.approx((1.5, np.percentile(lengths, 90)))
    limits = angles.min(), np.percentile(angles, 90)
    assert panels[1].images[0].get_clim() == pytest.approx(limits)
    assert bars_of(truth.plot_maps(TWO, colorbar=None)) == []
    (panel,) = maps_of(truth.plot_maps("bond_length", cmap="cividis"))
    assert panel.images[0].cmap == property_colours("cividis")
    assert property_colours("cividis").get_bad()[0] == property_colours().get_bad()[0]


def test_maps_at_all_positions_have_one_scale():
    _, truth = silica_spectrum_image((5, 4, 3), n_channels=2)
    figure = truth.plot_maps(TWO)
    limits = [panel.images[0].get_clim() for panel in maps_of(figure)]
    assert len(bars_of(figure)) == 2
    for number in (0, 1):
        values = truth.data[..., number]
        assert limits[3 * number : 3 * number + 3] == 3 * [(values.min(), values.max())]


def test_comparisons_have_the_scale_of_the_reference(truth):
    other = truth.deepcopy()
    other.data = other.data * 1.5
    figure = plot_comparison(other, truth)
    pair = maps_of(figure)[:2]
    assert [panel.get_title().split("\n")[-1] for panel in pair] == ["true", "predicted"]
    lengths = truth.data[..., 0]
    assert {panel.images[0].get_clim() for panel in pair} == {(lengths.min(), lengths.max())}
    assert len(bars_of(figure)) == 6


# ---- what is not known


def test_a_note_tells_what_has_no_prediction(image, prediction):
    assert prediction.plot_maps("bond_angle").get_supxlabel() == ""
    image[0].data[2, 1:3] = 0
    result = image[0].as_lazy().predict_properties(resolution=0.5, show_progressbar=False)
    figure = result.plot_maps("bond_angle")
    assert figure.get_supxlabel() == result.summary().line == "35 spectra: 33 predicted, 2 empty"
    assert np.isnan(drawn(maps_of(figure)[0])[2, 1:3]).all()
    assert result.plot_maps("bond_angle", note=False).get_supxlabel() == ""
    region = hs.roi.CircleROI(3, 2, 1.6)(result)
    assert "masked" in region.plot_maps("bond_angle").get_supxlabel()
    assert result.mean("x").plot_maps("bond_angle").get_supxlabel() == ""
    assert image[1].plot_maps("bond_angle").get_supxlabel() == ""


def test_maps_without_any_prediction_say_so(truth):
    truth.data[..., 0] = np.nan
    figure = truth.plot_maps(TWO)
    first, second = maps_of(figure)
    assert [text.get_text() for text in first.texts] == ["no prediction"]
    assert not second.texts
    assert len(bars_of(figure)) == 1


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_half_widths_lie_below_the_values(prediction, level):
    figure = prediction.plot_maps(intervals=level, per_row=2)
    panels = maps_of(figure)
    labels = [spec.label for spec in PROPERTIES]
    expected = [
        title
        for first in (0, 2, 4)
        for title in (
            *labels[first : first + 2],
            *(f"{100 * level:g} % half width of {one}" for one in labels[first : first + 2]),
        )
    ]
    assert [panel.get_title().replace("\n", " ") for panel in panels] == expected
    lower, upper = prediction.get_interval_map("bond_angle", level)
    half = (upper.data.astype(float) - lower.data) / 2
    np.testing.assert_allclose(drawn(panels[3]), half, rtol=1e-4)


def test_intervals_of_line_scans_are_bands(prediction):
    line = prediction.inav[:, 1]
    (panel,) = maps_of(line.plot_maps("bond_length", intervals=0.9))
    lower, upper = line.get_interval_map("bond_length")
    corners = panel.collections[0].get_paths()[0].vertices[:, 1]
    assert corners.min() == pytest.approx(lower.data.min())
    assert corners.max() == pytest.approx(upper.data.max())


def test_signals_without_intervals_have_no_half_widths(truth):
    with pytest.raises(SignalError, match="Intervals need the errors"):
        truth.plot_maps(intervals=0.9)


# ---- for print


@pytest.mark.parametrize(("width", "columns"), [(85, 2), (180, 3)])
def test_figures_are_as_wide_as_they_are_printed(truth, width, columns):
    figure = truth.plot_maps(width=width)
    assert figure.get_size_inches()[0] == pytest.approx(width / MM)
    assert figure.axes[0].get_gridspec().ncols == columns
    assert {panel.title.get_fontsize() for panel in maps_of(figure)} == {7}
    assert figure.get_dpi() == 300
    larger = truth.plot_maps("bond_length", width=width, style={"axes.titlesize": 9})
    assert maps_of(larger)[0].title.get_fontsize() == 9


def test_styles_do_not_stay(truth):
    before = dict(plt.rcParams)
    figure = truth.plot_maps(width=85, scalebar=True, style=["dark_background", {"font.size": 6}])
    assert dict(plt.rcParams) == before
    assert figure.get_facecolor()[:3] == (0, 0, 0)
    panel = maps_of(figure)[0]
    assert panel.title.get_color() == panel.lines[0].get_color() == "white"


def test_vector_graphics_hold_pixels_and_texts(rng):
    maps = {}
    for number in range(4):
        one = hs.signals.Signal2D(np.repeat(rng.random((512, 1)), 512, axis=1))
        one.metadata.set_item("Signal.quantity", f"bond length {number} (Å)")
        maps[str(number)] = one
    figure = plot_maps(maps, width=85)
    with plt.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
        files = {ending: io.BytesIO() for ending in ("svg", "pdf")}
        for ending, file in files.items():
            figure.savefig(file, format=ending)
    svg = files["svg"].getvalue().decode()
    assert all(f"bond length {number} (Å)" in svg for number in range(4))
    assert len(re.findall(r'<image[^>]*? height="512"', svg)) == 4
    assert len(svg) < 1e6
    pdf = files["pdf"].getvalue()
    assert pdf.count(b"/Width 512") == 4
    assert b"/Type3" not in pdf
    assert len(pdf) < 2e5


# ---- what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axes_decor": "none"}, "axes_decor must be one of 'all', 'ticks', 'off', None"),
        ({"colorbar": "single"}, "colorbar must be one of 'multi', None, but it is 'single'"),
        ({"scalebar": "some"}, "scalebar must be one of"),
        ({"width": 0}, "number of millimetres, but it is 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(truth, options, message):
    with pytest.raises(SignalError, match=message):
        truth.plot_maps(**options)


def test_limits_of_unknown_properties_are_refused(truth):
    with pytest.raises(UnknownPropertyError, match="Did you mean 'bond_length'"):
        truth.plot_maps(vmin={"bond_lenght": 1.5})


def test_maps_are_needed_and_half_widths_of_all_of_them(truth):
    with pytest.raises(SignalError, match="needs at least one map"):
        plot_maps({})
    with pytest.raises(SignalError, match="of all maps or of none, but there are 2 maps"):
        one = truth.get_property_map("bond_length")
        plot_maps([one, one], half_widths=[one])
