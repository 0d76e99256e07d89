"""The fused pass recovers computed spectra from measured ones, and loses only the bad ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess, subtracted_background
from hyperspy_coreloss.spectra.quality import Quality
from hyperspy_coreloss.spectra.recipe import Recipe

RECIPE = Recipe()

# Codes that no change of a spectrum alone brings about.
NOT_OF_A_SPECTRUM = (
    Quality.GOOD,
    Quality.MASKED,
    Quality.EXCITATION_ENERGY_OUTSIDE,
    Quality.OUTSIDE_LABELS,
    Quality.UNFAMILIAR,
    Quality.NO_ZERO_LOSS,
    Quality.TOO_THICK,
)


def noiseless(**options):
    options = {"dose": np.inf, "drift": 0.7, "seed": 5, "resolution": 0.4, **options}
    signal, truth = silica_spectrum_image((24,), **options)
    return signal, truth, signal.axes_manager.signal_axes[0].axis


@pytest.fixture(scope="module")
def expected(request):
    from hyperspy_coreloss.data import oxygen_k_sites

    sites = oxygen_k_sites()
    inputs = network_inputs(sites, RECIPE)

    def of(truth):
        site = [np.flatnonzero((sites.targets == row).all(1))[0] for row in _rows(truth, sites)]
        return inputs[site]

    return of


def _rows(truth, sites):
    targets = sites.targets
    return [targets[np.nanargmin(np.abs(targets / row - 1).max(axis=1))] for row in truth.data]


@pytest.mark.parametrize(
    ("dispersion", "n_channels", "tolerance"),
    [(0.05, 2048, 0.001), (0.1, 1024, 0.001), (0.3, 512, 0.001), (0.5, 256, 0.004)],
)
def test_noise_free_measurements_become_the_computed_spectra(
    expected, dispersion, n_channels, tolerance
):
    signal, truth, energy = noiseless(dispersion=dispersion, n_channels=n_channels)
    inputs = preprocess(signal.data, prepare(RECIPE, energy, resolution=0.4))
    assert (inputs.quality == Quality.GOOD).all()
    assert np.abs(inputs.spectra - expected(truth)).max() < tolerance


@pytest.mark.parametrize("resolution", [0.0, 0.15, 0.5, 1.0])
def test_resolution_is_made_up_for(expected, resolution):
    signal, truth, energy = noiseless(resolution=resolution)
    inputs = preprocess(signal.data, prepare(RECIPE, energy, resolution=resolution))
    assert np.abs(inputs.spectra - expected(truth)).max() < 0.001


def test_drift_moves_the_onset_and_nothing_else(expected):
    signal, truth, energy = noiseless(drift=2.0, n_grains=1)
    inputs = preprocess(signal.data, prepare(RECIPE, energy, resolution=0.4))
    np.testing.assert_allclose(inputs.onset, truth.onset.data, atol=0.02)
    assert np.ptp(truth.onset.data) > 4
    np.testing.assert_allclose(inputs.spectra, np.tile(inputs.spectra[:1], (24, 1)), atol=1e-3)


def test_background_removal_by_the_user_gives_the_same_spectra():
    signal, _, energy = noiseless()
    plain, _, _ = noiseless(jump_ratio=1e6)
    with_background = preprocess(signal.data, prepare(RECIPE, energy, resolution=0.4))
    without = preprocess(plain.data, prepare(RECIPE, energy, resolution=0.4, background=None))
    assert np.abs(with_background.spectra - without.spectra).max() < 0.001
    assert np.abs(with_background.onset - without.onset).max() < 0.01


def test_a_background_that_is_subtracted_already_is_no_background_to_subtract():
    signal, _, energy = noiseless()
    plain, _, _ = noiseless(jump_ratio=1e6)
    with_background = preprocess(signal.data, prepare(RECIPE, energy, resolution=0.4))
    noise = np.random.default_rng(0).normal(0, 1e-3 * plain.data.max(), plain.data.shape)
    again = preprocess(plain.data + noise, prepare(RECIPE, energy, resolution=0.4))
    assert (again.quality == Quality.GOOD).all()
    assert np.abs(with_background.onset - again.onset).max() < 0.05


def test_axis_direction_unit_of_intensity_and_fixed_background_range_do_not_matter():
    signal, _, energy = noiseless()
    reference = preprocess(signal.data, prepare(RECIPE, energy, resolution=0.4))
    falling = preprocess(signal.data[:, ::-1], prepare(RECIPE, energy[::-1], resolution=0.4))
    np.testing.assert_array_equal(falling.spectra, reference.spectra)
    fixed = prepare(RECIPE, energy, resolution=0.4, background_range=(490.0, 525.0))
    assert np.abs(preprocess(signal.data, fixed).spectra - reference.spectra).max() < 1e-3
    for scale in (1e-200, 1e-30, 1e30, 1e200):
        scaled = preprocess(
            signal.data.astype(float) * scale, prepare(RECIPE, energy, resolution=0.4)
        )
        np.testing.assert_allclose(scaled.spectra, reference.spectra, atol=2e-5)


def test_uneven_axes_give_the_same_spectra_binned_or_not(rng):
    signal, _, energy = noiseless()
    reference = preprocess(signal.data, prepare(RECIPE, energy, resolution=0.4))
    uneven = energy[0] + (energy[-1] - energy[0]) * np.linspace(0, 1, 700) ** 1.2
    density = np.stack([np.interp(uneven, energy, row) for row in signal.data])
    for binned, widths in ((False, 1.0), (True, np.gradient(uneven))):
        preparation = prepare(RECIPE, uneven, resolution=0.4, binned=binned)
        inputs = preprocess(density * widths, preparation)
        assert (inputs.quality == Quality.GOOD).all()
        assert np.abs(inputs.spectra - reference.spectra).max() < 0.003


@pytest.mark.parametrize(
    "dtype", ["u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">i2", ">f4"]
)
def test_any_real_dtype_is_read(dtype):
    signal, _, energy = noiseless()
    counts = np.round(signal.data / signal.data.max() * 200)
    reference = preprocess(counts, prepare(RECIPE, energy, resolution=0.4))
    inputs = preprocess(counts.astype(dtype), prepare(RECIPE, energy, resolution=0.4))
    assert (reference.quality == Quality.GOOD).all()
    np.testing.assert_allclose(inputs.spectra, reference.spectra, atol=1e-5)


def spoil(spectrum, reason):
    middle = 600
    if reason == Quality.NOT_FINITE:
        spectrum[middle] = np.nan
    elif reason == Quality.EMPTY:
        spectrum[:] = 0
    elif reason == Quality.NEGATIVE:
        spectrum[:500] -= 2 * spectrum[0]
    elif reason == Quality.OUTLIERS:
        spectrum[300:700:50] *= 100
    elif reason == Quality.SATURATED:
        spectrum[middle - 10 : middle + 10] = spectrum.max()
    elif reason == Quality.NO_ONSET:
        spectrum[:] = 1e4 * (np.arange(480, 480 + 0.1 * spectrum.size, 0.1) / 500) ** -3
    elif reason == Quality.WINDOW_NOT_COVERED:
        spectrum[120:] = spectrum[:-120].copy()
        spectrum[:120] = spectrum[120]
    elif reason == Quality.OTHER_EDGE:
        spectrum[300:400] += 0.2 * spectrum[280]


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_bad_spectrum_is_nan_with_its_reason_and_changes_no_other(data):
    signal, _ = silica_spectrum_image((9,), n_channels=830, seed=1)
    energy = signal.axes_manager.signal_axes[0].axis
    preparation = prepare(RECIPE, energy, resolution=0.5)
    clean = preprocess(signal.data, preparation)
    assert (clean.quality == Quality.GOOD).all()
    spectra = signal.data.copy()
    reasons = data.draw(
        st.dictionaries(
            st.integers(0, 8),
            st.sampled_from([q for q in Quality if q not in NOT_OF_A_SPECTRUM]),
        )
    )
    for row, reason in reasons.items():
        spoil(spectra[row], reason)
    inputs = preprocess(spectra, preparation)
    for row in range(9):
        assert inputs.quality[row] == reasons.get(row, Quality.GOOD)
        if row in reasons:
            assert np.isnan(inputs.onset[row])
            assert (inputs.spectra[row] == 0).all()
        else:
            np.testing.assert_array_equal(inputs.spectra[row], clean.spectra[row])
            assert inputs.onset[row] == clean.onset[row]


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e300, -1e300])
def test_wild_values_stay_in_their_spectrum(value):
    signal, _, energy = noiseless()
    preparation = prepare(RECIPE, energy, resolution=0.4)
    spectra = signal.data.astype(np.float64)
    clean = preprocess(spectra, preparation)
    spectra[3, 500] = value
    wild = preprocess(spectra, preparation)
    if not np.isfinite(value):
        assert wild.quality[3] != Quality.GOOD
    others = np.arange(24) != 3
    np.testing.assert_array_equal(wild.spectra[others], clean.spectra[others])


@pytest.mark.parametrize("lost", [1, 600])
@pytest.mark.parametrize("function", [preprocess, subtracted_background])
def test_spectra_of_other_channels_are_refused(function, lost):
    # Compiled functions would read what lies behind them in memory.
    spectra, energy = measured()
    preparation = prepare(RECIPE, energy)
    with pytest.raises(SignalError, match=f"{energy.size} channels.*have {energy.size - lost}"):
        function(spectra[:, lost:], preparation)


def test_a_full_integer_is_saturation():
    signal, _, energy = noiseless()
    counts = (signal.data / signal.data.max() * 60000).astype(np.uint16)
    counts[4, 580] = 65535
    quality = preprocess(counts, prepare(RECIPE, energy, resolution=0.4)).quality
    assert quality[4] == Quality.SATURATED
    assert (np.delete(quality, 4) == Quality.GOOD).all()


def test_negative_intensities_are_fine_without_background():
    signal, _, energy = noiseless(jump_ratio=1e6)
    spectra = signal.data - 0.001
    inputs = preprocess(spectra, prepare(RECIPE, energy, resolution=0.4, background=None))
    assert (inputs.quality == Quality.GOOD).all()


def test_an_onset_outside_the_given_range_is_no_onset():
    signal, _, energy = noiseless(drift=0.0)
    preparation = prepare(RECIPE, energy, resolution=0.4, onset_range=(525.0, 530.0))
    assert (preprocess(signal.data, preparation).quality == Quality.NO_ONSET).all()


def test_areas_are_one_and_onsets_stay_near_the_truth_in_noise():
    signal, _ = silica_spectrum_image((400,), dose=2e3, seed=11)
    energy = signal.axes_manager.signal_axes[0].axis
    inputs = preprocess(signal.data, prepare(RECIPE, energy, resolution=0.5))
    assert (inputs.quality == Quality.GOOD).all()
    np.testing.assert_allclose(inputs.spectra.sum(axis=1) * 0.1, 1.0, rtol=1e-5)
    exact, _ = silica_spectrum_image((400,), dose=np.inf, seed=11)
    shift = inputs.onset - preprocess(exact.data, prepare(RECIPE, energy, resolution=0.5)).onset
    assert abs(np.median(shift)) < 0.05
    assert shift.std() < 0.15


def measured(shape=(40,), **options):
    signal, _ = silica_spectrum_image(shape, **{"seed": 3, "resolution": 0.5, **options})
    return signal.data, signal.axes_manager.signal_axes[0].axis


def read(spectra, energy, **options):
    return preprocess(spectra, prepare(RECIPE, energy, **{"resolution": 0.5, **options}))


def test_a_pedestal_of_the_camera_hides_no_clear_edge():
    spectra, energy = measured(dose=2e4)
    inputs = read(spectra + np.float32(100 * 2e4), energy)
    assert (inputs.quality == Quality.GOOD).all()
    assert np.abs(inputs.onset - read(spectra, energy).onset).max() < 0.1


def test_negative_channels_within_the_noise_are_normal(rng):
    spectra, energy = measured(dose=2e3, jump_ratio=50.0)
    noisy = spectra + rng.normal(0, 30, spectra.shape).astype(np.float32)
    assert (noisy < 0).any(axis=1).all()
    inputs = read(noisy, energy)
    assert (inputs.quality == Quality.GOOD).all()
    assert np.abs(inputs.onset - read(spectra, energy).onset).max() < 0.3


def test_a_negative_background_is_refused():
    spectra, energy = measured()
    assert (read(spectra - 2 * spectra[:, :1], energy).quality == Quality.NEGATIVE).all()


@pytest.mark.parametrize("background", ["power law", None])
@pytest.mark.parametrize("mean", [1e-3, 1e-2, 0.1, 0.5])
def test_a_few_counts_are_no_edge(rng, mean, background):
    energy = np.arange(480, 582.4, 0.1)
    counts = rng.poisson(mean * (energy / 537) ** -3, (300, energy.size)).astype(np.uint16)
    quality = read(counts, energy, background=background).quality
    if background is not None or mean * 300 < 50:
        assert (quality != Quality.GOOD).all()


@pytest.mark.parametrize("dose", [0.3, 3, 30])
def test_few_counts_are_not_saturation(dose):
    spectra, energy = measured((300,), dose=dose)
    assert (read(spectra.astype(np.uint16), energy).quality != Quality.SATURATED).all()


@pytest.mark.parametrize("first", [515, 520, 525, 530, 535])
def test_an_edge_does_not_lie_where_the_data_begin(first):
    spectra, energy = measured()
    background = np.random.default_rng(0).poisson(1e3 * (energy / 537) ** -3.0, spectra.shape)
    for data, reason in (
        (spectra, Quality.WINDOW_NOT_COVERED),
        (background, Quality.NO_ONSET),
    ):
        assert (read(np.where(energy < first, 0, data), energy).quality == reason).all()


@pytest.mark.parametrize("last", [545, 548, 550])
def test_half_a_window_is_not_read(last):
    spectra, energy = measured()
    quality = read(np.where(energy > last, 0, spectra), energy).quality
    assert (quality == Quality.WINDOW_NOT_COVERED).all()


@pytest.mark.parametrize(
    ("start", "width"), [(515, 1), (515, 5), (538, 0.5), (540, 1), (545, 2), (536, 3)]
)
def test_a_gap_of_the_detector_where_a_spectrum_is_read_is_named(start, width):
    spectra, energy = measured()
    gap = (energy >= start) & (energy < start + width)
    assert (read(np.where(gap, 0, spectra), energy).quality == Quality.WINDOW_NOT_COVERED).all()


def test_a_background_range_without_the_gap_reads_the_spectrum():
    spectra, energy = measured(dose=1e5)
    gap = (energy >= 515) & (energy < 516)
    found = read(np.where(gap, 0, spectra), energy, background_range=(517.0, 532.0))
    clean = read(spectra, energy, background_range=(517.0, 532.0))
    assert (found.quality == Quality.GOOD).all()
    np.testing.assert_allclose(found.onset, clean.onset, atol=0.01)


@pytest.fixture(scope="module")
def bright():
    spectra, energy = measured(dose=1e5)
    return spectra, energy, read(spectra, energy)


@given(st.floats(480, 560), st.floats(0.4, 30))
@settings(max_examples=40, deadline=None)
def test_what_is_read_beside_a_gap_is_right(bright, start, width):
    spectra, energy, clean = bright
    gap = (energy >= start) & (energy < start + width)
    found = read(np.where(gap, 0, spectra), energy)
    good = (found.quality == Quality.GOOD) & (clean.quality == Quality.GOOD)
    assert set(found.quality) <= {Quality.GOOD, Quality.WINDOW_NOT_COVERED}
    assert np.abs(found.onset - clean.onset)[good].max(initial=0) < 0.2
    assert np.abs(found.spectra - clean.spectra)[good].max(initial=0) < 0.1 * clean.spectra.max()


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("first", [515.0, 525.0, 541.0])
def test_single_dead_channels_cost_no_spectrum(first, width):
    spectra, energy = measured(dose=1e5, resolution=0.7)
    clean = read(spectra, energy, resolution=0.7)
    dead = np.searchsorted(energy, first)
    spectra[:, dead : dead + width] = 0
    found = read(spectra, energy, resolution=0.7)
    assert (found.quality == Quality.GOOD).all()
    assert (found.spikes == width).all()
    assert np.abs(found.onset - clean.onset).max() < 0.02


def test_the_noise_of_a_background_that_is_subtracted_already_does_not_grow():
    """With noise alone before the edge, power laws of an exponent of -28 used to be fitted."""
    spectra, energy = measured((200,), dose=2e3)
    law, before = (energy / 537) ** -3.0, energy < 525
    level = spectra[:, before].sum(axis=1) / law[before].sum()
    net = spectra - level[:, None] * law
    wide = Recipe(window=EnergyWindow(-1.0, 80.0, 0.1))
    found, right = (
        preprocess(net, prepare(wide, energy, resolution=0.5, background=background))
        for background in ("power law", None)
    )
    good = found.quality == Quality.GOOD
    assert good.mean() > 0.9
    assert np.abs(found.spectra - right.spectra)[good].max() < 0.1 * right.spectra.max()


def test_spikes_are_counted_and_change_little():
    spectra, energy = measured(dose=1e5, resolution=0.7)
    clean = read(spectra, energy, resolution=0.7)
    hot = spectra.copy()
    rows = np.arange(len(hot))
    peak = hot[:, 550:680].argmax(axis=1) + 550
    hot[rows, peak] *= 3
    spoilt = read(hot, energy, resolution=0.7)
    assert not clean.spikes.any()
    assert (spoilt.spikes == 1).all()
    assert np.abs(spoilt.spectra - clean.spectra).max() < 0.01 * clean.spectra.max()
    assert np.abs(spoilt.onset - clean.onset).max() < 0.02


def test_a_spectrum_of_many_spikes_is_refused():
    spectra, energy = measured()
    spectra[:, 300:700:50] *= 100
    assert (read(spectra, energy).quality == Quality.OUTLIERS).all()


def _power_law(energy):
    return 2e4 * (energy / 500.0) ** -3.2


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint16])
@pytest.mark.parametrize("axis", ["even", "falling", "uneven"])
def test_the_background_that_is_shown_is_that_of_the_spectrum(axis, dtype):
    energy = 470.0 + 0.1 * np.arange(1300)
    if axis == "falling":
        energy = energy[::-1]
    if axis == "uneven":
        energy = 470.0 + 130.0 * np.linspace(0.0, 1.0, 1300) ** 1.1
    widths = np.abs(np.gradient(energy)) / 0.1 if axis == "uneven" else 1.0
    edge = 8e3 * (1 + np.exp(-((energy - 538.0) ** 2) / 8)) / (1 + np.exp(-(energy - 535.0) / 0.4))
    spectra = ((_power_law(energy) + edge) * widths)[None].astype(dtype)
    used, background = subtracted_background(spectra, prepare(RECIPE, energy, resolution=0.4))
    assert (np.diff(used) > 0).all()
    expected = _power_law(used) * (np.abs(np.gradient(used)) / 0.1 if axis == "uneven" else 1.0)
    np.testing.assert_allclose(background[0], expected, rtol=0.01)


def test_what_is_shown_is_what_is_subtracted():
    """Spectra from which it is subtracted before are read as the spectra are."""
    signal, _, energy = noiseless()
    with_background = prepare(RECIPE, energy, resolution=0.4)
    used, background = subtracted_background(signal.data, with_background)
    channels = slice(*np.searchsorted(energy, [used[0] - 1e-6, used[-1] + 1e-6]))
    net = signal.data[:, channels].astype(np.float64) - background
    without = prepare(RECIPE, energy[channels], resolution=0.4, background=None)
    difference = preprocess(net, without).spectra - preprocess(signal.data, with_background).spectra
    assert np.abs(difference).max() < 2e-3


def test_there_is_no_background_of_spectra_that_cannot_be_read_or_have_none():
    signal, _, energy = noiseless()
    spectra = signal.data[:3].copy()
    spectra[0], spectra[1, 300] = 0.0, np.nan
    _, background = subtracted_background(spectra, prepare(RECIPE, energy, resolution=0.4))
    assert np.isnan(background[:2]).all()
    assert np.isfinite(background[2]).all()
    _, none = subtracted_background(
        signal.data[2:3], prepare(RECIPE, energy, resolution=0.4, background=None)
    )
    assert (none == 0).all()
