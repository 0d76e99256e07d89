"""Plain arrays are predicted as signals are, and without HyperSpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import (
    EnergyAxisError,
    EnergyRangeError,
    ResolutionError,
    SignalError,
)
from hyperspy_coreloss.spectra.quality import Quality
from tests.fresh import run_fresh

ENERGY = 480.0 + 0.1 * np.arange(1700)


@pytest.fixture(scope="module")
def model():
    return load_pretrained("silica-o-k-15eV")


def assert_same(one, other):
    for name in ("values", "onset", "quality"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (2, 3, 2)])
@pytest.mark.parametrize("name", ["silica-o-k", "silica-o-k-15eV-sigma-0.3", "absolute"])
def test_arrays_get_the_bits_that_signals_get(shape, name, absolute):
    signal, _ = silica_spectrum_image(shape, seed=8)
    model = absolute if name == "absolute" else load_pretrained(name)
    options = {"energy_offset": 6.0} if model.recipe.window.origin == "absolute" else {}
    energy = signal.axes_manager.signal_axes[0].axis
    plain = model.predict(signal.data, energy, resolution=0.5, **options)
    result = signal.predict_properties(model, resolution=0.5, show_progressbar=False, **options)
    navigation = shape[::-1]
    assert plain.values.shape == (*navigation, 6)
    assert plain.onset.shape == plain.quality.shape == navigation
    assert (plain.quality == Quality.GOOD).any()
    np.testing.assert_array_equal(plain.values, result.data.reshape(plain.values.shape))
    np.testing.assert_array_equal(plain.onset, result.onset.data.reshape(navigation))
    np.testing.assert_array_equal(plain.quality, result.quality.data.reshape(navigation))


def test_options_mean_what_they_mean_for_signals(model, image):
    options = {"background_range": (490.0, 525.0), "onset_range": (530.0, 545.0)}
    plain = model.predict(image[0].data, ENERGY, resolution=0.4, **options)
    result = image[0].predict_properties(model, resolution=0.4, show_progressbar=False, **options)
    np.testing.assert_array_equal(plain.values, result.data)
    for wrong in ({"background": "linear"}, {"energy_offset": 1.0}):
        with pytest.raises(SignalError, match=next(iter(wrong))):
            model.predict(image[0].data, ENERGY, resolution=0.4, **wrong)


def test_the_order_of_the_energies_does_not_matter(model, image):
    spectra = image[0].data
    rising = model.predict(spectra, ENERGY, resolution=0.5)
    falling = model.predict(spectra[..., ::-1], ENERGY[::-1], resolution=0.5)
    assert_same(falling, rising)


def test_lists_are_arrays_too(model, image):
    spectra = image[0].data[0, :2]
    expected = model.predict(spectra.astype(float), ENERGY, resolution=0.5)
    assert_same(model.predict(spectra.tolist(), ENERGY.tolist(), resolution=0.5), expected)


def test_counts_per_ev_are_counts_over_the_widths_of_uneven_channels(model):
    # With little noise, so that rounding cannot decide between two equally likely backgrounds.
    spectra = silica_spectrum_image((7, 5), seed=3, dose=1e6)[0].data
    energy = np.concatenate([ENERGY[:400], ENERGY[400::2]])
    counts = np.concatenate([spectra[..., :400], spectra[..., 400::2]], axis=-1)
    widths = np.gradient(energy)
    per_ev = model.predict(counts, energy, resolution=0.5, binned=False)
    binned = model.predict(counts * widths, energy, resolution=0.5)
    assert (binned.quality == Quality.GOOD).all()
    np.testing.assert_allclose(binned.onset, per_ev.onset, atol=0.01)
    np.testing.assert_allclose(binned.values, per_ev.values, rtol=1e-3)


@pytest.mark.parametrize("dtype", ["u2", "i4", "u8", ">i2", "f4", "f8"])
def test_counts_of_any_real_type_are_the_same_counts(model, image, dtype):
    counts = np.round(image[0].data / image[0].data.max() * 30000)
    expected = model.predict(counts, ENERGY, resolution=0.5)
    found = model.predict(counts.astype(dtype), ENERGY, resolution=0.5)
    assert (found.quality == Quality.GOOD).all()
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5)
    np.testing.assert_allclose(found.onset, expected.onset, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 2), st.integers(0, 3)),
        st.sampled_from([Quality.NOT_FINITE, Quality.EMPTY, Quality.NEGATIVE]),
    )
)
def test_what_cannot_be_read_is_nan_with_its_reason_and_changes_no_other(model, reasons):
    spectra = silica_spectrum_image((4, 3), seed=8)[0].data
    clean = model.predict(spectra, ENERGY, resolution=0.5)
    assert (clean.quality == Quality.GOOD).all()
    spoilt = spectra.copy()
    for place, reason in reasons.items():
        if reason == Quality.NOT_FINITE:
            spoilt[(*place, 600)] = np.nan
        elif reason == Quality.NEGATIVE:
            spoilt[place][:500] *= -1
        else:
            spoilt[place] = 0
    found = model.predict(spoilt, ENERGY, resolution=0.5)
    for place in np.ndindex(3, 4):
        assert found.quality[place] == reasons.get(place, Quality.GOOD)
        if place in reasons:
            assert np.isnan(found.values[place]).all()
            assert np.isnan(found.onset[place])
        else:
            np.testing.assert_array_equal(found.values[place], clean.values[place])
            assert found.onset[place] == clean.onset[place]


@pytest.mark.parametrize(
    ("spectra", "energy", "error", "message"),
    [
        (np.ones((2, 1699)), ENERGY, SignalError, r"1700.*\(2, 1699\)"),
        (np.ones((1700, 2)), ENERGY, SignalError, r"1700.*\(1700, 2\)"),
        (np.float64(3.0), ENERGY, SignalError, r"1700.*\(\)"),
        (np.ones((2, 1700), "c8"), ENERGY, SignalError, "complex64"),
        (np.ones((2, 1700), bool), ENERGY, SignalError, "bool"),
        (np.full((2, 1700), "1"), ENERGY, SignalError, "<U1"),
        (np.ones((2, 1700), object), ENERGY, SignalError, "object"),
        (np.ones(1700), np.roll(ENERGY, 1), EnergyAxisError, "rising or falling"),
        (np.ones(1700), np.full(1700, 530.0), EnergyAxisError, "rising or falling"),
        (np.ones(1700), np.append(ENERGY[:-1], np.nan), EnergyAxisError, "finite"),
        (np.ones(1700), np.append(ENERGY[:-1], np.inf), EnergyAxisError, "finite"),
        (np.ones(1), ENERGY[:1], EnergyAxisError, "two"),
        (np.ones(500), ENERGY[:500], EnergyRangeError, "high side"),
        (np.ones(102), ENERGY[::10][:102], ResolutionError, r"0\.5 eV .*1 eV"),
    ],
)
def test_what_are_no_spectra_or_no_energies_is_refused(model, spectra, energy, error, message):
    with pytest.raises(error, match=message):
        model.predict(spectra, energy, resolution=0.0)


@pytest.mark.parametrize("resolution", [-0.1, np.nan, np.inf])
def test_a_resolution_that_is_no_width_is_refused(model, resolution):
    with pytest.raises(SignalError, match="resolution"):
        model.predict(np.ones(1700), ENERGY, resolution=resolution)


def test_no_spectra_give_no_predictions(model):
    found = model.predict(np.empty((0, 1700)), ENERGY, resolution=0.5)
    assert found.values.shape == (0, 6)
    assert found.onset.shape == found.quality.shape == (0,)


def test_arrays_are_left_as_they_were(model, image):
    spectra, energy = image[0].data.copy(), ENERGY.copy()
    spectra.flags.writeable = energy.flags.writeable = False
    model.predict(spectra, energy, resolution=0.5)
    np.testing.assert_array_equal(spectra, image[0].data)


def test_neither_hyperspy_nor_exspy_is_needed_and_torch_only_to_predict():
    run_fresh("""
        import sys
        import numpy as np
        from hyperspy_coreloss.pretrained import load_pretrained

        model = load_pretrained("silica-o-k")
        assert "torch" not in sys.modules
        energy = 480.0 + 0.1 * np.arange(1700)
        edge = np.clip(energy - 536.0, 0, 3) * np.exp(-np.clip(energy - 536.0, 0, None) / 20)
        counts = 1e4 * (energy / 500) ** -3 + 1e4 * edge
        # It is no edge of silica.
        found = model.predict(counts, energy, resolution=0.5, novelty_level=0)
        assert found.quality == 0 and np.isfinite(found.values).all()
        loaded = {name.partition(".")[0] for name in sys.modules}
        assert "torch" in loaded
        assert not loaded & {"hyperspy", "exspy", "rsciio"}, loaded
        """)


def test_no_good_value_lies_outside_the_labels_by_more_than_its_interval(rng):
    model = load_pretrained()
    signal, _ = silica_spectrum_image((64,), dose=np.inf, jump_ratio=0.1)
    energy = signal.axes_manager.signal_axes[0].axis
    bent = 1 - 0.03 * np.clip((energy - 515) / 40, 0, 2)[None] ** 2 * rng.uniform(0, 1, (64, 1))
    p = model.predict(rng.poisson(1e4 * signal.data * bent), energy, resolution=0.5)
    assert (p.quality == Quality.OUTSIDE_LABELS).sum() > 5
    good = p.quality == Quality.GOOD
    values, half_width = p.values[good], model.interval_scale * p.spread[good]
    low, high = model.trained_range
    assert ((values >= low - half_width) & (values <= high + half_width)).all()
    assert (values[:, model.property_names.index("voronoi_volume")] > 0).all()
    assert (values[:, model.property_names.index("bond_angle")] <= 180).all()
    assert np.isnan(p.values[p.quality == Quality.OUTSIDE_LABELS]).all()
