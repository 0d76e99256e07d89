"""Options are chosen with the mouse, and what is shown of them is what a prediction does."""

from __future__ import annotations

from html import unescape

import dask.array as da
import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest
import yaml
from exspy.signals import EELSSpectrum, LazyEELSSpectrum
from hyperspy.ui_registry import TOOLKIT_REGISTRY
from matplotlib.backend_bases import MouseEvent

from hyperspy_coreloss.calibration import calibrate
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import EnergyAxisError, EnergyRangeError, SignalError
from hyperspy_coreloss.signals import InteractivePrediction, draggable_range
from hyperspy_coreloss.signals.axes import array_axes
from hyperspy_coreloss.signals.window_widgets import prediction_window
from hyperspy_coreloss.spectra import Quality, simulate_low_loss
from tests.paths import PACKAGE
from tests.test_documentation import quartz_spectrum

MODEL = "silica-o-k-40eV-sigma-0.5"
QUIET = {"resolution": 0.5, "show_progressbar": False}
SHOW = {"interactive": True, "display": False, **QUIET}
LOWER, UPPER = 0.2, 0.8  # parts of the height of the plot


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def made():
    """A map of 8 × 6 pixels, one of which has no counts."""
    signal = silica_spectrum_image((8, 6), seed=3)[0]
    signal.data[2, 1] = 0
    return signal


@pytest.fixture
def spectra(made):
    return made.deepcopy()


@pytest.fixture
def chosen(spectra):
    return spectra.predict_properties(MODEL, **SHOW)


def mouse(axes, name, energy, height):
    canvas = axes.figure.canvas
    x = axes.transData.transform((energy, 0))[0]
    y = axes.transAxes.transform((0, height))[1]
    held = None if name == "button_release_event" else 1
    canvas.callbacks.process(name, MouseEvent(name, canvas, x, y, button=held or 1))


def drag(chosen, start, stop, height):
    """Press the mouse at an energy, move it in steps, and release it at another energy."""
    axes = chosen._axes
    mouse(axes, "button_press_event", start, height)
    for energy in np.linspace(start, stop, 3)[1:]:
        mouse(axes, "motion_notify_event", energy, height)
    mouse(axes, "button_release_event", stop, height)


def shown(chosen, name):
    return chosen._ranges[name].limits


def threshold(chosen):
    return chosen._threshold_line.get_xdata()[0]


def test_the_mouse_drags_the_edge_of_a_range(chosen):
    low, high = shown(chosen, "background_range")
    assert chosen.background_range is None
    drag(chosen, low, 490.0, LOWER)
    assert chosen.background_range == pytest.approx((490.0, high), abs=0.2)
    assert shown(chosen, "background_range") == pytest.approx(chosen.background_range)
    assert chosen.onset_range is None


def test_the_mouse_drags_a_whole_range(chosen):
    chosen.background_range = (495.0, 515.0)
    drag(chosen, 505.0, 510.0, LOWER)
    assert chosen.background_range == pytest.approx((500.0, 520.0), abs=0.2)


def test_where_ranges_overlap_the_height_tells_which_one_is_dragged(chosen):
    chosen.background_range, chosen.onset_range = (495.0, 530.0), (520.0, 550.0)
    drag(chosen, 525.0, 528.0, UPPER)
    assert chosen.background_range == (495.0, 530.0)
    assert chosen.onset_range == pytest.approx((523.0, 553.0), abs=0.2)
    drag(chosen, 526.0, 522.0, LOWER)
    assert chosen.background_range == pytest.approx((491.0, 526.0), abs=0.2)
    assert chosen.onset_range == pytest.approx((523.0, 553.0), abs=0.2)


@pytest.mark.parametrize(("cost", "expected"), [(0.0, 4), (1.5, 3), (100.0, 2)])
def test_steps_of_the_mouse_that_come_too_fast_are_left_out_but_never_the_last(
    chosen, monkeypatch, cost, expected
):
    """A step comes each second; what is shown of it takes a time of its own."""
    chosen.background_range = (495.0, 515.0)
    now, told = [1000.0], []

    def note(event):
        told.append(event.new)
        now[0] += cost

    chosen.observe(note, "background_range")
    monkeypatch.setattr(draggable_range, "monotonic", lambda: now[0])
    mouse(chosen._axes, "button_press_event", 505.0, LOWER)
    for energy in (506.0, 507.0, 508.0, 510.0):
        now[0] += 1.0
        mouse(chosen._axes, "motion_notify_event", energy, LOWER)
    mouse(chosen._axes, "button_release_event", 510.0, LOWER)
    assert told[-1] == pytest.approx((500.0, 520.0), abs=0.2)
    assert len(told) == expected


def test_what_is_shown_of_a_pixel_is_what_the_prediction_gives_it(chosen, spectra):
    chosen.background_range, chosen.onset_range = (492.0, 521.0), (530.0, 545.0)
    result = chosen.predict()
    for place in [*np.ndindex(2, 3), (2, 1), (5, 7)]:
        spectra.axes_manager.indices = place[::-1]
        quality = Quality(int(result.quality.data[place]))
        if quality is Quality.GOOD:
            assert threshold(chosen) == float(result.onset.data[place])
            assert f"{threshold(chosen):.2f} eV: can be predicted" in chosen.words
        else:
            assert quality.reason in chosen.words
            assert np.isnan(threshold(chosen))
        assert chosen.words.startswith(f"x = {place[1]} nm, y = {place[0]} nm\n")


def test_the_background_is_drawn_as_it_is_subtracted(chosen, spectra):
    energy, background = chosen._background_line.get_data()
    low, high = shown(chosen, "background_range")
    assert high == pytest.approx(threshold(chosen) - 5, abs=8)
    assert high - low == pytest.approx(30, abs=1e-6)
    fitted = (energy >= low) & (energy <= high)
    axis = spectra.axes_manager.signal_axes[0].axis
    counts = np.interp(energy[fitted], axis, spectra.data[0, 0])
    assert background[fitted].sum() == pytest.approx(counts.sum(), rel=0.005)
    # The range that is shown, given as an option, makes the same background.
    chosen.background_range = (low, high)
    np.testing.assert_allclose(chosen._background_line.get_data(), (energy, background), rtol=1e-6)
    chosen.background = None
    assert not len(chosen._background_line.get_xdata())
    picture = chosen._axes.figure.canvas.buffer_rgba
    hidden = np.asarray(picture()).copy()
    drag(chosen, np.mean((low, high)), 500.0, LOWER)
    assert chosen.background_range == (low, high)
    chosen.background = "power law"
    assert (np.asarray(picture()) != hidden).any()
    drag(chosen, low, 490.0, LOWER)
    assert chosen.background_range[0] == pytest.approx(490.0, abs=0.2)


def test_the_prediction_is_the_ordinary_one_with_the_same_options(chosen, spectra):
    drag(chosen, np.mean(shown(chosen, "background_range")), 512.0, LOWER)
    chosen.onset_range = (528.0, 548.0)
    chosen.energy_offset, chosen.energy_error, chosen.novelty_level = 1.5, 0.5, 0.2
    result = chosen.predict()
    assert result is chosen.result
    expected = spectra.predict_properties(
        MODEL,
        background_range=chosen.background_range,
        onset_range=(528.0, 548.0),
        energy_offset=1.5,
        energy_error=0.5,
        novelty_level=0.2,
        **QUIET,
    )
    np.testing.assert_array_equal(result.data, expected.data)
    np.testing.assert_array_equal(result.quality.data, expected.quality.data)
    recorded = [one.metadata.CoreLossProperty.Preprocessing for one in (result, expected)]
    assert recorded[0].as_dictionary() == recorded[1].as_dictionary()


def test_options_that_were_never_touched_are_those_that_were_given(spectra):
    mask = spectra.sum(-1) < 100
    given = {"navigation_mask": mask, "background_range": (100, 450), "lazy_output": True, **QUIET}
    chosen = spectra.predict_properties(MODEL, interactive=True, display=False, **given)
    assert isinstance(chosen, InteractivePrediction)
    for name, value in given.items():
        assert chosen.options[name] is value
    assert shown(chosen, "background_range") == pytest.approx((490.0, 525.0))
    assert chosen.predict()._lazy
    spectra.axes_manager.indices = (1, 2)
    assert Quality.MASKED.reason in chosen.words


def test_of_lazy_spectra_the_chunk_of_the_pixel_is_computed_once(made):
    read = []

    def noting(block, block_info=None):
        read.append(tuple(block_info[0]["chunk-location"][:2]))
        return block

    axes = [axis.get_axis_dictionary() for axis in array_axes(made)]
    data = da.from_array(made.data, chunks=(3, 4, -1)).map_blocks(noting, dtype=made.data.dtype)
    lazy = LazyEELSSpectrum(data, axes=axes)
    read.clear()
    chosen = lazy.predict_properties(MODEL, **SHOW)
    drag(chosen, shown(chosen, "background_range")[0], 490.0, LOWER)
    chosen.onset_range = (528.0, 548.0)
    lazy.axes_manager.indices = (3, 2)
    assert read == [(0, 0)]
    lazy.axes_manager.indices = (5, 2)
    assert read == [(0, 0), (0, 1)]
    result = chosen.predict()
    assert result._lazy
    assert len(read) == 2
    result.compute(show_progressbar=False)
    assert threshold(chosen) == float(result.onset.data[2, 5])


@pytest.mark.parametrize(
    ("shape", "lazy"), [((), False), ((), True), ((5,), True), ((4, 3), False), ((3, 2, 2), True)]
)
def test_spectra_of_any_shape_are_shown(made, shape, lazy):
    data = np.resize(made.data.reshape(-1, made.data.shape[-1]), (*shape, made.data.shape[-1]))
    signal = EELSSpectrum(data)
    energy, given = signal.axes_manager.signal_axes[0], made.axes_manager.signal_axes[0]
    energy.units, energy.scale, energy.offset = "eV", given.scale, given.offset
    signal = signal.as_lazy() if lazy else signal
    chosen = signal.predict_properties(MODEL, **SHOW)
    signal.axes_manager.indices = tuple(size - 1 for size in shape[::-1])
    result = chosen.predict()
    if lazy:
        result.compute(show_progressbar=False)
    assert threshold(chosen) == float(result.onset.data.ravel()[-1])
    drag(chosen, shown(chosen, "background_range")[0], 490.0, LOWER)
    assert chosen.background_range[0] == pytest.approx(490.0, abs=0.2)


@pytest.mark.parametrize("change", ["keV", "falling", "uneven"])
def test_ranges_are_those_of_the_axis_whatever_it_is(spectra, change):
    expected = spectra.predict_properties(MODEL, background_range=(490.0, 521.0), **QUIET)
    axis, factor = spectra.axes_manager.signal_axes[0], 1.0
    if change == "keV":
        factor = 1e-3
        axis.scale, axis.offset, axis.units = axis.scale * factor, axis.offset * factor, "keV"
    elif change == "falling":
        energy = axis.axis
        spectra.data = spectra.data[..., ::-1].copy()
        axis.offset, axis.scale = energy[-1], energy[0] - energy[1]
    else:
        axis.convert_to_non_uniform_axis()
    chosen = spectra.predict_properties(MODEL, **SHOW)
    low = shown(chosen, "background_range")[0]
    chosen.background_range = (low, 521.0 * factor)
    drag(chosen, low, 490.0 * factor, LOWER)
    assert chosen.background_range == pytest.approx((490.0 * factor, 521.0 * factor), rel=5e-4)
    assert threshold(chosen) == pytest.approx(float(expected.onset.data[0, 0]) * factor, rel=1e-4)


def test_energies_are_calibrated_and_ranges_are_not(sites):
    quartz = quartz_spectrum(sites)
    calibration = calibrate(quartz, "alpha-quartz")
    chosen = quartz.predict_properties(MODEL, calibration=calibration, **SHOW)
    result = chosen.predict()
    onset = float(result.onset.data.ravel()[0])
    assert f"{onset:.2f} eV" in chosen.words
    axis = quartz.axes_manager.signal_axes[0].axis
    assert threshold(chosen) == pytest.approx(np.interp(onset, calibration.energies(axis), axis))
    assert abs(threshold(chosen) - onset) > 0.1


def test_the_low_loss_of_the_pixel_is_read_and_the_resolution_measured_once(spectra):
    loss = -20 + 0.1 * np.arange(1000)
    low = EELSSpectrum(
        simulate_low_loss(loss + 0.4, np.full((6, 8), 0.2), generator=np.random.default_rng(0))
    )
    axis = low.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = loss[0], 0.1, "eV"
    options = {"low_loss": low, "show_progressbar": False}
    chosen = spectra.predict_properties(MODEL, interactive=True, display=False, **options)
    resolution = chosen._measured
    assert resolution > 0
    low.data = low.data.copy()
    spectra.axes_manager.indices = (4, 3)
    chosen.background_range = (490.0, 521.0)
    assert chosen.resolution is None
    assert chosen._measured == resolution
    result = chosen.predict()
    assert f"threshold at {result.onset.data[3, 4]:.2f} eV" in chosen.words
    shift = float(result.zero_loss.data[3, 4])
    assert abs(shift) > 0.2
    assert threshold(chosen) == pytest.approx(float(result.onset.data[3, 4]) + shift, abs=1e-3)


WRONG = {
    "background_range": ((495.0, 495.2), "at least 4 channels"),
    "onset_range": ("abc", "needs two limits"),
    "resolution": (-1, "The resolution must be"),
    "energy_offset": (np.nan, "energy_offset must be"),
    "novelty_level": (2, "novelty_level must be"),
    "pretrained": ("nothing", "There is no pretrained model 'nothing'"),
}


def test_what_is_wrong_with_options_is_a_text_until_they_are_right(chosen):
    words = chosen.words
    for name, (value, message) in WRONG.items():
        before = getattr(chosen, name)
        setattr(chosen, name, value)
        assert message in chosen.problem
        assert message in repr(chosen)
        assert message in " ".join(chosen._text.get_text().split())
        assert not len(chosen._background_line.get_xdata())
        chosen.try_to_predict()
        assert chosen.result is None
        with pytest.raises((SignalError, LookupError, EnergyRangeError), match=message):
            chosen.predict()
        setattr(chosen, name, before)
        assert (chosen.problem, chosen.words) == ("", words)
        assert " ".join(chosen._text.get_text().split()) == " ".join(words.split())
        assert len(chosen._background_line.get_xdata())


def test_a_range_that_is_dragged_too_short_is_told_and_can_be_dragged_back(chosen):
    chosen.background_range = (495.0, 515.0)
    drag(chosen, 515.0, 495.5, LOWER)
    assert "at least 4 channels" not in chosen.problem
    chosen.background_range = (495.0, 495.3)
    assert "at least 4 channels" in chosen.problem
    drag(chosen, 495.3, 515.0, LOWER)
    assert chosen.problem == ""


def test_a_spectrum_that_cannot_be_read_is_told_in_words(spectra, monkeypatch):
    lazy = spectra.as_lazy()
    chosen = lazy.predict_properties(MODEL, **SHOW)

    def fail(*_, **__):
        raise OSError("the disk is gone")

    monkeypatch.setattr("hyperspy_coreloss.signals.interactive_prediction.preview_pixel", fail)
    lazy.axes_manager.indices = (1, 1)
    assert chosen.problem == "the disk is gone"
    monkeypatch.undo()
    lazy.axes_manager.indices = (2, 1)
    assert chosen.problem == ""


def test_signals_that_are_no_spectra_are_refused_before_anything_is_plotted(spectra):
    spectra.axes_manager.signal_axes[0].units = "s"
    with pytest.raises(EnergyAxisError):
        spectra.predict_properties(MODEL, **SHOW)
    assert plt.get_fignums() == []


def connected(spectra):
    events = spectra.axes_manager.events
    both = (events.indices_changed, events.any_axis_changed, spectra.events.data_changed)
    return [set(event.connected) for event in both]


def test_closing_leaves_the_plot_as_it_was(spectra):
    spectra.plot()
    before, figures = connected(spectra), plt.get_fignums()
    axes = plt.figure(figures[-1]).axes[0]
    children = set(axes.get_children())
    chosen = spectra.predict_properties(MODEL, **SHOW)
    assert plt.get_fignums() == figures
    assert chosen._axes is axes
    assert set(axes.get_children()) > children
    chosen.close()
    assert connected(spectra) == before
    assert set(axes.get_children()) == children
    assert plt.get_fignums() == figures
    words = chosen.words
    spectra.axes_manager.indices = (3, 3)
    assert chosen.words == words
    chosen.close()
    chosen.background_range = (490.0, 490.1)
    assert "at least 4 channels" in chosen.problem
    chosen.background_range = (490.0, 520.0)
    assert chosen.words.startswith("x = 3 nm, y = 3 nm")
    assert chosen.predict().data.shape == (6, 8, 6)
    assert set(axes.get_children()) == children


def test_a_plot_that_is_closed_or_made_anew_closes_the_choice(spectra):
    chosen = spectra.predict_properties(MODEL, **SHOW)
    spectra.plot()
    spectra.axes_manager.indices = (1, 1)
    assert chosen.closed
    between = spectra.predict_properties(MODEL, **SHOW)
    again = spectra.predict_properties(MODEL, **SHOW)
    assert again._axes is between._axes
    assert (between.closed, again.closed) == (True, False)
    canvas = again._axes.figure.canvas
    canvas.callbacks.process("close_event", MouseEvent("close_event", canvas, 0, 0))
    assert again.closed
    last = spectra.predict_properties(MODEL, **SHOW)
    plt.close(last._axes.figure)
    spectra.axes_manager.indices = (3, 3)
    assert last.closed


def test_where_figures_are_closed_without_a_word_the_spectra_are_plotted_anew(spectra):
    """As notebooks do after each cell, of which HyperSpy is not told."""
    first = spectra.predict_properties(MODEL, **SHOW)
    plt.close("all")
    again = spectra.predict_properties(MODEL, **SHOW)
    assert again._axes.figure is not first._axes.figure
    assert again._axes.figure.number in plt.get_fignums()
    assert (first.closed, again.closed) == (True, False)
    drag(again, shown(again, "background_range")[0], 490.0, LOWER)
    assert again.background_range[0] == pytest.approx(490.0, abs=0.2)


def test_without_widgets_the_plot_is_all_there_is(spectra, monkeypatch):
    monkeypatch.setattr("hyperspy.ui_registry.TOOLKIT_REGISTRY", set())
    monkeypatch.setattr("hyperspy_coreloss.signals.interactive_prediction.TOOLKIT_REGISTRY", set())
    chosen = spectra.predict_properties(MODEL, interactive=True, **QUIET)
    assert chosen.predict().data.shape == (6, 8, 6)
    with pytest.raises(ImportError, match="No toolkit registered"):
        chosen.gui(toolkit="ipywidgets")


def test_toolkits_that_are_not_installed_stay_unknown_to_hyperspy():
    """HyperSpy takes every toolkit with widgets in a registration file for installed."""
    registered = yaml.safe_load((PACKAGE / "hyperspy_extension.yaml").read_text(encoding="utf-8"))
    assert registered["GUI"] == {"toolkeys": ["hyperspy_coreloss.predict_properties"]}
    assert {"ipywidgets", "traitsui"} <= TOOLKIT_REGISTRY


@pytest.fixture
def widgets(chosen):
    return chosen.gui(display=False, toolkit="ipywidgets")["ipywidgets"]["wdict"]


def told(widget):
    """Return the text of a widget of HTML."""
    return " ".join(unescape(widget.value).replace("<br>", " ").split())


def test_widgets_choose_the_options(chosen, widgets):
    widgets["background_range"].value = "492 to 521.5"
    widgets["onset_range"].value = "530, 545"
    widgets["resolution"].value = "0.4"
    widgets["energy_offset"].value = "1.5"
    widgets["energy_error"].value = "0.2"
    widgets["novelty_level"].value = "0.05"
    widgets["pretrained"].value = "silica-o-k-25eV"
    assert chosen.background_range == (492.0, 521.5) == shown(chosen, "background_range")
    assert chosen.onset_range == (530.0, 545.0)
    options = (chosen.resolution, chosen.energy_offset, chosen.energy_error, chosen.novelty_level)
    assert options == (0.4, 1.5, 0.2, 0.05)
    assert chosen.pretrained == "silica-o-k-25eV"
    for name in ("background_range", "onset_range", "resolution", "energy_offset", "energy_error"):
        widgets[name].value = ""
    assert chosen.background_range is chosen.onset_range is chosen.resolution is None
    assert chosen.energy_offset is None
    assert chosen.energy_error == 0.3


def test_widgets_show_the_options_and_what_becomes_of_them(chosen, widgets, spectra):
    assert widgets["resolution"].value == "0.5"
    assert widgets["background_range"].value == ""
    assert widgets["pretrained"].value == MODEL in widgets["pretrained"].options
    drag(chosen, np.mean(shown(chosen, "background_range")), 512.0, LOWER)
    written = [float(one) for one in widgets["background_range"].value.split(" to ")]
    assert written == pytest.approx(chosen.background_range)
    chosen.resolution = None
    assert widgets["resolution"].value == ""
    assert told(widgets["status"]) == " ".join(chosen.words.split())
    spectra.axes_manager.indices = (1, 2)
    assert "all channels are zero" in told(widgets["status"])
    widgets["onset_range"].value = "not two numbers"
    assert "onset_range needs two limits" in told(widgets["status"])
    assert "&#x27;not two numbers&#x27;" in widgets["status"].value
    widgets["onset_range"].value = ""
    assert told(widgets["status"]) == " ".join(chosen.words.split())


def test_the_buttons_predict_and_close(chosen, widgets, spectra):
    widgets["background_range"].value = "500 to 500.1"
    widgets["predict_button"].click()
    assert chosen.result is None
    assert "at least 4 channels" in told(widgets["status"])
    widgets["background_range"].value = "492 to 521"
    widgets["predict_button"].click()
    expected = spectra.predict_properties(MODEL, background_range=(492.0, 521.0), **QUIET)
    np.testing.assert_array_equal(chosen.result.data, expected.data)
    assert told(widgets["outcome"]) == expected.summary().line
    box = chosen.gui(display=False, toolkit="ipywidgets")["ipywidgets"]["widget"]
    assert box.comm is not None
    widgets["close_button"].click()
    assert chosen.closed
    assert box.comm is None


def test_widgets_are_shown_where_there_is_a_notebook(spectra, monkeypatch):
    displayed = []
    monkeypatch.setattr("IPython.display.display", displayed.append)
    options = {**SHOW, "display": True, "toolkit": "ipywidgets"}
    spectra.predict_properties(MODEL, **options)
    assert [type(one).__name__ for one in displayed] == ["VBox"]
    spectra.predict_properties(MODEL, **{**options, "display": False})
    assert len(displayed) == 1
    before = connected(spectra)
    with pytest.raises(ValueError, match="not a registered toolkit"):
        spectra.predict_properties(MODEL, **{**options, "toolkit": "tk"})
    assert all(now <= then for now, then in zip(connected(spectra), before, strict=True))
    monkeypatch.setattr(hs.preferences.GUIs, "enable_ipywidgets_gui", False)
    monkeypatch.setattr(hs.preferences.GUIs, "enable_traitsui_gui", False)
    chosen = spectra.predict_properties(MODEL, **{**options, "toolkit": None})
    assert len(displayed) == 1
    assert chosen.problem == ""


def test_the_window_of_the_desktop_has_the_same_options(chosen, widgets):
    window = prediction_window(chosen, display=False)
    form, view = window["form"], window["view"]
    names = {item.name for item in items(view.content)}
    assert {"predict", "close", "help", "status", "outcome"} < names
    assert names - {"predict", "close", "help", "outcome"} < set(widgets)
    form.background_range = "492 to 521"
    assert chosen.background_range == (492.0, 521.0)
    assert widgets["background_range"].value == "492 to 521"
    chosen.novelty_level = 0.5
    assert form.novelty_level == "0.5"
    form.predict = True
    assert form.outcome == chosen.result.summary().line
    form.close = True
    assert chosen.closed


def items(content):
    for one in content.content:
        if hasattr(one, "content") and not hasattr(one, "editor"):
            yield from items(one)
        else:
            yield one


@pytest.mark.parametrize("limits", [(np.inf, 520.0), (1e300, -1e300), (0.0, 10**400)])
def test_limits_that_cannot_be_drawn_do_not_break_the_plot(chosen, limits):
    chosen.background_range = limits
    chosen._axes.figure.canvas.draw()
    assert chosen.problem
    assert np.isfinite(shown(chosen, "background_range")).all()


def test_spectra_that_are_cropped_in_place_are_planned_anew(chosen, spectra):
    spectra.crop_signal(480.0, 590.0)
    cropped = spectra.deepcopy().predict_properties(MODEL, **SHOW)
    assert chosen.words == cropped.words
    assert chosen.problem == cropped.problem


def test_a_unit_that_is_taken_away_is_told_at_the_next_pixel(chosen, spectra):
    spectra.axes_manager.signal_axes[0].units = ""
    spectra.axes_manager.indices = (1, 0)
    assert "needs energy units" in chosen.problem


def test_the_background_of_counts_beyond_float32_is_drawn(spectra):
    spectra.change_dtype("float64")
    spectra.data *= 1e300
    with np.errstate(over="raise"):
        chosen = spectra.predict_properties(MODEL, **SHOW)
    drawn = chosen._background_line.get_ydata()
    assert np.isfinite(drawn).all()
