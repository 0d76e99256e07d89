"""The explorer shows of each pixel what the result and the spectra say of it."""

from __future__ import annotations

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
import pytest
from exspy.signals import LazyEELSSpectrum
from matplotlib.backend_bases import KeyEvent, MouseEvent

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import SignalError, UnknownPropertyError
from hyperspy_coreloss.signals import CoreLossPropertySignal
from hyperspy_coreloss.signals.axes import array_axes

MODEL = "silica-o-k-40eV-sigma-0.5"
QUIET = {"resolution": 0.5, "show_progressbar": False}


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def spectra():
    """A map of 8 × 6 pixels, one of which has no counts."""
    signal = silica_spectrum_image((8, 6), seed=3)[0]
    signal.data[2, 1] = 0
    return signal


@pytest.fixture
def result(spectra):
    return spectra.predict_properties(MODEL, **QUIET)


def panel(exploration, name):
    return exploration.figure.axes[list(exploration._panels).index(name)]


def picture(exploration):
    canvas = exploration.figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def press(exploration, key):
    canvas = exploration.figure.canvas
    canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", canvas, key))


def mouse(exploration, where, x, y, name="button_press_event", button=1):
    """Press or move the mouse at a place in the coordinates of a panel."""
    canvas = exploration.figure.canvas
    canvas.draw()
    pixel = where.transData.transform((x, y))
    canvas.callbacks.process(name, MouseEvent(name, canvas, *pixel, button=button))


def drawn_value(where):
    """Return the value and the interval that a panel shows, or nothing."""
    (line,) = where.lines
    left, right = where.patches[-1].get_extents().transformed(where.transData.inverted()).intervalx
    return line.get_xdata()[0], left, right


def words_in(where):
    (words,) = where.texts
    return " ".join(words.get_text().split())


def shown_map(exploration):
    image = panel(exploration, "map").collections[0]
    return np.ma.filled(image.get_array(), np.nan).reshape(6, 8)


def test_each_value_is_drawn_with_its_interval(result, spectra):
    result.axes_manager.indices = (3, 1)
    exploration = result.explore(spectra, level=0.8)
    for name in result.property_names:
        value, left, right = drawn_value(panel(exploration, name))
        lower, upper = result.get_interval_map(name, 0.8)
        assert value == pytest.approx(result.get_property_map(name).data[1, 3])
        assert left == pytest.approx(lower.data[1, 3], rel=1e-5)
        assert right == pytest.approx(upper.data[1, 3], rel=1e-5)


def test_the_mouse_selects_a_pixel_of_the_result(result, spectra):
    exploration = result.explore(spectra)
    where = panel(exploration, "map")
    mouse(exploration, where, 5.3, 3.8)
    assert result.axes_manager.indices == (5, 4)
    value = drawn_value(panel(exploration, "bond_angle"))[0]
    assert value == pytest.approx(result.data[4, 5, 1])
    mouse(exploration, where, 2.2, 0.1, "motion_notify_event")
    assert result.axes_manager.indices == (2, 0)
    mouse(exploration, where, 6.0, 2.0, button=3)
    mouse(exploration, panel(exploration, "read"), 6.0, 0.01)
    assert result.axes_manager.indices == (2, 0)


def test_the_pointer_is_that_of_the_plot(result):
    exploration = result.explore()
    result.plot()
    press(exploration, "ctrl+right")
    press(exploration, "ctrl+down")
    assert result.axes_manager.indices == (1, 1)
    assert "x = 1 nm, y = 1 nm" in repr(exploration)
    result.axes_manager.indices = (7, 5)
    value = drawn_value(panel(exploration, "bond_length"))[0]
    assert value == pytest.approx(result.data[5, 7, 0])


def test_keys_and_clicks_choose_the_property_of_the_map(result):
    exploration = result.explore(name="bond_angle")
    np.testing.assert_array_equal(shown_map(exploration), result.data[..., 1])
    press(exploration, ".")
    assert exploration.property_name == "voronoi_volume"
    for _ in range(3):
        press(exploration, ",")
    assert exploration.property_name == "excitation_energy"
    where = panel(exploration, "mulliken_charge")
    mouse(exploration, where, *np.mean([where.get_xlim(), where.get_ylim()], axis=1))
    assert exploration.property_name == "mulliken_charge"
    np.testing.assert_array_equal(shown_map(exploration), result.data[..., 4])
    assert panel(exploration, "map").get_title() == "Mulliken charge (e)"


def test_keys_and_the_slider_choose_the_coverage(result):
    exploration = result.explore()
    narrow = drawn_value(panel(exploration, "bond_length"))
    press(exploration, "+")
    assert exploration.level == 0.95
    wide = drawn_value(panel(exploration, "bond_length"))
    assert wide[2] - wide[1] > narrow[2] - narrow[1]
    press(exploration, "-")
    press(exploration, "-")
    assert exploration.level == 0.8
    exploration._slider.set_val(0.9)
    assert drawn_value(panel(exploration, "bond_length")) == narrow


def test_what_is_not_believable_is_hidden(result):
    exploration = result.explore(name="bond_length")
    everything = shown_map(exploration)
    press(exploration, "b")
    believed = shown_map(exploration)
    novelty = result.novelty.data
    lower, upper = result.get_interval_map("bond_length")
    labels = exploration._usual(0)
    tells = upper.data - lower.data < np.diff(np.quantile(labels, [0.05, 0.95]))
    np.testing.assert_array_equal(
        np.isfinite(believed), np.isfinite(everything) & (novelty >= 0.05) & tells
    )
    exploration.show_believable(only=False)
    np.testing.assert_array_equal(shown_map(exploration), everything)


def test_a_property_that_no_spectrum_tells_is_hidden(result):
    """An interval as wide as that of all sites of the training says nothing of the pixel."""
    exploration = result.explore(name="bond_length")
    spread = result.metadata.get_item("CoreLossProperty.spread")
    spread.data = spread.data * 100
    exploration.show_believable()
    assert np.isnan(shown_map(exploration)).all()


def test_the_spectrum_is_shown_as_measured_with_what_is_subtracted(result, spectra):
    result.axes_manager.indices = (4, 2)
    exploration = result.explore(spectra)
    measured, background, threshold = panel(exploration, "measured").lines
    np.testing.assert_array_equal(measured.get_ydata(), spectra.data[2, 4])
    np.testing.assert_allclose(
        measured.get_xdata(), spectra.axes_manager.signal_axes[0].axis, rtol=1e-12
    )
    energy, fitted = background.get_data()
    before = (energy > 505) & (energy < 525)
    counted = np.interp(energy[before], *measured.get_data())
    assert fitted[before].sum() == pytest.approx(counted.sum(), rel=0.01)
    assert threshold.get_xdata()[0] == pytest.approx(float(result.onset.data[2, 4]), abs=0.01)


def test_the_nearest_sites_are_those_of_the_table(result, spectra):
    result.axes_manager.indices = (4, 2)
    exploration = result.explore(spectra, k=4)
    found = result.nearest_sites((4, 2), spectra, 4)
    *sites, own = panel(exploration, "read").lines
    np.testing.assert_array_equal(own.get_ydata(), found.spectrum)
    for line, site in zip(sites, found.sites, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), site.spectrum)
        assert line.get_label().startswith(f"{site.name} ({site.population})")
    for number, site in enumerate(found.sites):
        assert site.phase in panel(exploration, f"site {number}").get_title()
    marks = panel(exploration, "bond_length").collections[-1].get_offsets()[:, 0]
    np.testing.assert_allclose(marks, [site.properties["bond_length"] for site in found.sites])


def test_a_pixel_without_a_prediction_says_why(result, spectra):
    result.axes_manager.indices = (1, 2)
    exploration = result.explore(spectra)
    assert "empty" in exploration._status.get_text()
    assert panel(exploration, "bond_length").get_title() == "bond length (Å)\nno prediction"
    assert "cannot be read" in words_in(panel(exploration, "read"))
    assert not panel(exploration, "read").lines


def test_a_lazy_result_computes_the_chunk_of_the_pixel_only(spectra):
    """Chunks of a thousand spectra are not merged."""
    read = []

    def noting(block, block_info=None):
        read.append(tuple(block_info[0]["chunk-location"][:2]))
        return block

    data = np.tile(spectra.data, (10, 5, 1))  # 60 × 40 pixels
    axes = [axis.get_axis_dictionary() for axis in array_axes(spectra)]
    axes[0]["size"], axes[1]["size"] = data.shape[:2]
    lazy = LazyEELSSpectrum(
        da.from_array(data, chunks=(30, 20, -1)).map_blocks(noting, dtype=data.dtype), axes=axes
    )
    result = lazy.predict_properties(MODEL, resolution=0.5)
    read.clear()
    result.axes_manager.indices = (25, 1)
    exploration = result.explore()
    assert read == [(0, 1)]
    assert result._lazy
    known = np.isfinite(exploration._pixels.map_of(0))
    assert known[:30, 20:].any()
    assert not known[30:].any()
    assert not known[:, :20].any()
    value = drawn_value(panel(exploration, "bond_length"))[0]
    eager = spectra.predict_properties(MODEL, **QUIET)
    assert value == pytest.approx(eager.data[1, 1, 0])
    result.axes_manager.indices = (26, 2)
    assert read == [(0, 1)]
    for position in ((0, 0), (0, 55), (39, 59)):
        result.axes_manager.indices = position
    whole = np.ma.filled(panel(exploration, "map").collections[0].get_array(), np.nan)
    np.testing.assert_array_equal(whole.reshape(60, 40), np.tile(eager.data[..., 0], (10, 5)))


def test_pictures_depend_on_the_pixel_alone(spectra, result):
    """Not on the way to it, nor on whether the result is lazy."""
    exploration = result.explore(spectra)
    first = picture(exploration)
    for position in ((3, 4), (1, 2), (0, 0)):
        result.axes_manager.indices = position
    np.testing.assert_array_equal(picture(exploration), first)
    result.axes_manager.indices = (3, 4)
    assert (picture(exploration) != first).any()
    result.axes_manager.indices = (0, 0)
    press(exploration, ".")
    press(exploration, "b")
    press(exploration, "b")
    press(exploration, ",")
    np.testing.assert_array_equal(picture(exploration), first)
    lazy = spectra.as_lazy().predict_properties(MODEL, resolution=0.5)
    np.testing.assert_array_equal(picture(lazy.explore(spectra.as_lazy())), first)


@pytest.mark.parametrize("background", ["default", "dark_background"])
@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (4, 3, 2), (3, 2, 2, 2), (1, 1)])
def test_results_of_any_shape_are_explored(shape, background):
    spectra = silica_spectrum_image((max(int(np.prod(shape)), 1), 1), seed=1)[0].inav[:, 0]
    size = spectra.data.shape[-1]
    axis = spectra.axes_manager.signal_axes[0].get_axis_dictionary()
    signal = type(spectra)(spectra.data.reshape(*shape, size))
    energy = signal.axes_manager.signal_axes[0]
    energy.units, energy.scale, energy.offset = axis["units"], axis["scale"], axis["offset"]
    result = signal.predict_properties(MODEL, novelty_level=0, **QUIET)
    with plt.style.context(background):
        exploration = result.explore(signal)
        exploration.figure.canvas.draw()
    result.axes_manager.indices = tuple(size - 1 for size in shape[::-1])
    last = result.data.reshape(-1, 6)[-1]
    for name, value in zip(result.property_names, last, strict=True):
        assert drawn_value(panel(exploration, name))[0] == pytest.approx(value)
    if len(shape) > 2:
        image = panel(exploration, "map").collections[0].get_array()
        expected = result.data[(*(-1 for _ in shape[:-2]), ..., 0)]
        np.testing.assert_array_equal(np.ravel(image), expected.ravel())


def test_a_transposed_result_is_explored_as_the_result(result, spectra):
    exploration = result.T.explore(spectra)
    assert drawn_value(panel(exploration, "bond_length"))[0] == pytest.approx(result.data[0, 0, 0])


def test_without_spectra_and_without_a_model_the_values_are_shown(result):
    truth = silica_spectrum_image((8, 6), seed=3)[1]
    exploration = truth.explore()
    (line,) = panel(exploration, "bond_length").lines
    assert line.get_xdata()[0] == pytest.approx(truth.data[0, 0, 0])
    empty = result.deepcopy()
    empty.data[:] = np.nan
    exploration = empty.explore()
    assert not panel(exploration, "bond_length").lines
    press(exploration, "b")
    exploration.figure.canvas.draw()


def test_a_closed_figure_is_left_alone(result, monkeypatch):
    exploration = result.explore()
    drawn = []
    monkeypatch.setattr(exploration, "_update", lambda **_: drawn.append(1))
    result.axes_manager.indices = (1, 1)
    assert drawn == [1]
    exploration.close()
    result.axes_manager.indices = (2, 2)
    assert drawn == [1]


def test_other_spectra_and_wrong_options_are_refused(result, spectra):
    with pytest.raises(UnknownPropertyError):
        result.explore(name="bond length")
    for level in (0, 1, 90, -0.1):
        with pytest.raises(SignalError, match="between 0 and 1"):
            result.explore(level=level)
    with pytest.raises(SignalError, match="navigation axes"):
        result.explore(spectra.inav[0])
    other = spectra.deepcopy()
    other.data = np.roll(other.data, 20, axis=-1)
    exploration = result.explore(other)
    assert "has its threshold at" in words_in(panel(exploration, "read"))
    with pytest.raises(SignalError, match="axis named 'property'"):
        CoreLossPropertySignal(np.zeros((2, 3))).explore()
