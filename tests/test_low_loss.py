"""Predictions with low-loss spectra: energy zero, resolution and thickness of each pixel."""

from __future__ import annotations

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.errors import EnergyAxisError, EnergyRangeError, SignalError
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.quality import Quality

QUIET = {"show_progressbar": False}
MAPS = ("onset", "quality", "zero_loss", "resolution", "relative_thickness")


def as_signal(spectra, offset=-15.0, scale=0.1):
    signal = hs.signals.Signal1D(spectra)
    axis = signal.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = offset, scale, "eV"
    return signal


def low_loss_of(thickness, zero_loss=0.0, resolution=0.5, scale=0.1, **options):
    energy = -15.0 + scale * np.arange(round(100 / scale))
    generator = np.random.default_rng(4)
    spectra = simulate_low_loss(
        energy,
        thickness,
        zero_loss=zero_loss,
        resolution=resolution,
        generator=generator,
        **options,
    )
    return as_signal(spectra.astype(np.float32), scale=scale)


@pytest.fixture(scope="module")
def pixels():
    """Thickness and energy zero of the 7 x 5 pixels of the small image."""
    generator = np.random.default_rng(0)
    return generator.uniform(0.1, 1.2, (5, 7)), generator.uniform(-1.0, 1.0, (5, 7))


@pytest.fixture(scope="module")
def low_loss(pixels):
    return low_loss_of(*pixels)


def everything(result):
    if result._lazy:
        result.compute(show_progressbar=False)
    return [result.data, *(getattr(result, name).data for name in MAPS)]


def test_maps_of_thickness_zero_and_resolution_are_recovered(image, low_loss, pixels):
    result = image[0].predict_properties(low_loss=low_loss, **QUIET)
    np.testing.assert_allclose(result.relative_thickness.data, pixels[0], atol=0.03)
    np.testing.assert_allclose(result.zero_loss.data, pixels[1], atol=0.01)
    np.testing.assert_allclose(result.resolution.data, 0.5, rtol=0.02)
    assert f"(t/λ): {np.median(pixels[0]):.2f}" in str(result.summary())


def test_onsets_are_relative_to_the_zero_loss_and_nothing_else_changes(image, low_loss, ensemble):
    """For networks that are not told the thickness."""
    plain = image[0].predict_properties(ensemble, resolution=0.5, **QUIET)
    result = image[0].predict_properties(ensemble, resolution=0.5, low_loss=low_loss, **QUIET)
    np.testing.assert_array_equal(result.data, plain.data)
    np.testing.assert_allclose(
        result.onset.data, plain.onset.data - result.zero_loss.data, atol=1e-3
    )


def test_spectra_of_an_absolute_window_are_placed_by_their_own_zero_loss(image, sites, absolute):
    """A drift of both spectra of a pixel changes nothing."""
    computed = [site.labels["excitation_energy"] for site in sites.sites]
    options = {"resolution": 0.5, "energy_offset": float(np.mean(computed) - 537.5), **QUIET}
    spectra = image[0]
    still = spectra.predict_properties(absolute, low_loss=low_loss_of(0.5), **options)
    drifted = spectra.deepcopy()
    drifted.axes_manager.signal_axes[0].offset += 0.7
    moved = drifted.predict_properties(
        absolute, low_loss=low_loss_of(0.5, zero_loss=0.7), **options
    )
    assert (still.quality.data == Quality.GOOD).sum() > 20
    spread = np.nanstd(still.data, axis=(0, 1))
    np.testing.assert_array_equal(moved.quality.data, still.quality.data)
    error = np.abs(moved.data - still.data)
    assert (np.nanmean(error, axis=(0, 1)) < 0.1 * spread).all()


def test_the_resolution_selects_the_model(image):
    sharp = image[0].predict_properties(low_loss=low_loss_of(0.3, resolution=0.4), **QUIET)
    broad = image[0].predict_properties(low_loss=low_loss_of(0.3, resolution=1.0), **QUIET)
    recorded = [one.metadata.CoreLossProperty for one in (sharp, broad)]
    assert [one.Preprocessing.resolution for one in recorded] == pytest.approx([0.4, 1.0], rel=0.02)
    assert all(one.Preprocessing.resolution_given for one in recorded)
    assert [one.Pretrained.name[-3:] for one in recorded] == ["0.3", "0.5"]
    given = image[0].predict_properties(resolution=recorded[1].Preprocessing.resolution, **QUIET)
    assert recorded[1].Pretrained.name == given.metadata.CoreLossProperty.Pretrained.name
    np.testing.assert_array_equal(broad.onset.data + broad.zero_loss.data, given.onset.data)
    # The network is told the thickness.
    assert (broad.data != given.data).any()


@pytest.mark.parametrize("chunks", [None, (2, 3, 400), (5, 1, -1), (1, 7, 100)])
def test_lazy_and_eager_in_any_chunks_are_the_same_bits(signal, image, low_loss, chunks):
    expected = everything(image[0].predict_properties(low_loss=low_loss, **QUIET))
    given = low_loss
    if chunks is not None:
        given = low_loss.as_lazy()
        given.data = given.data.rechunk(chunks)
    result = signal.predict_properties(low_loss=given, **QUIET)
    for ours, theirs in zip(everything(result), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("lazy", [False, True])
def test_one_low_loss_and_a_map_of_equal_ones_are_the_same_bits(signal, lazy):
    one = low_loss_of(0.4, zero_loss=0.3)
    many = as_signal(np.tile(one.data, (5, 7, 1)))
    expected = everything(signal.predict_properties(low_loss=many, **QUIET))
    result = signal.predict_properties(low_loss=one.as_lazy() if lazy else one, **QUIET)
    for ours, theirs in zip(everything(result), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_one_low_loss_of_one_spectrum(image):
    result = image[0].inav[2, 1].predict_properties(low_loss=low_loss_of(0.4), **QUIET)
    assert result.relative_thickness.data == pytest.approx(0.4, abs=0.03)


def test_other_dispersions_and_directions_are_read(image, pixels):
    coarse = low_loss_of(*pixels, scale=0.2)
    falling = as_signal(coarse.data[..., ::-1].copy(), 85.0 - 0.2, -0.2)
    expected = everything(image[0].predict_properties(low_loss=coarse, **QUIET))
    result = everything(image[0].predict_properties(low_loss=falling, **QUIET))
    for ours, theirs in zip(result, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def test_each_low_loss_is_read_once(image, low_loss):
    read = []

    def reader(block, block_info=None):
        read.append(block_info[0]["chunk-location"])
        return block

    given = low_loss.as_lazy()
    given.data = given.data.rechunk((2, 7, -1)).map_blocks(
        reader, dtype=given.data.dtype, meta=np.empty((0, 0, 0), given.data.dtype)
    )
    spectra = image[0].as_lazy()
    spectra.data = spectra.data.rechunk((3, 2, -1))
    result = spectra.predict_properties(resolution=0.5, low_loss=given)
    assert not read
    result.compute(show_progressbar=False)
    assert sorted(read) == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]


def test_a_specimen_thicker_than_those_of_the_training_has_its_code(image):
    thickness = np.full((5, 7), 0.8)
    thickness[2] = 3.4
    shipped = image[0].predict_properties(low_loss=low_loss_of(thickness), **QUIET)
    assert load_pretrained().thickest == 3.0
    thick = shipped.quality.data == Quality.TOO_THICK
    np.testing.assert_array_equal(thick, thickness > 3.0)
    measured = shipped.relative_thickness.data
    np.testing.assert_allclose(measured[~thick], thickness[~thick], atol=0.03)


def test_pixels_without_zero_loss_or_too_thick_have_their_codes(image, pixels, ensemble):
    thickness = pixels[0].copy()
    thickness[1, 2] = 1.8
    spoilt = low_loss_of(thickness, pixels[1])
    spoilt.data[3, 4], spoilt.data[0, 0, 300] = 0.0, np.nan
    spectra = image[0]
    spectra.data[0, 0] = 0.0
    options = {"resolution": 0.5, **QUIET}
    plain = spectra.predict_properties(ensemble, **options)
    result = spectra.predict_properties(ensemble, low_loss=spoilt, **options)
    codes = result.quality.data
    assert codes[1, 2] == Quality.TOO_THICK
    assert codes[3, 4] == Quality.NO_ZERO_LOSS
    assert codes[0, 0] == Quality.EMPTY  # the first reason
    assert result.relative_thickness.data[1, 2] == pytest.approx(1.8, abs=0.03)
    assert np.isnan(result.relative_thickness.data[3, 4])
    others = np.ones((5, 7), dtype=bool)
    others[1, 2] = others[3, 4] = False
    np.testing.assert_array_equal(result.data[others], plain.data[others])
    assert np.isnan(result.data[~others]).all()


@pytest.mark.parametrize("thickness", [3.8, None])
def test_a_map_of_one_reason_says_what_to_do(image, thickness):
    spectra = low_loss_of(np.full((5, 7), thickness or 0.3))
    if thickness is None:
        spectra.data[:] = 0.0
    remedy = r"too thick\. .*thinner" if thickness else r"no zero loss\. .*measure_resolution"
    with pytest.warns(UserWarning, match=remedy):
        image[0].predict_properties(resolution=0.5, low_loss=spectra, **QUIET)


def test_masked_pixels_keep_their_reason(image, low_loss):
    mask = hs.signals.BaseSignal(np.zeros((5, 7), dtype=bool)).T
    mask.data[2, 2] = True
    result = image[0].predict_properties(low_loss=low_loss, navigation_mask=mask, **QUIET)
    assert result.quality.data[2, 2] == Quality.MASKED
    assert np.isfinite(result.relative_thickness.data[2, 2])


def test_maps_are_sliced_saved_and_hidden_by_regions(image, low_loss, tmp_path):
    result = image[0].predict_properties(low_loss=low_loss, **QUIET)
    thickness = result.relative_thickness.data
    np.testing.assert_array_equal(
        result.inav[2:5, 1:4].relative_thickness.data, thickness[1:4, 2:5]
    )
    result.save(tmp_path / "maps.hspy")
    loaded = hs.load(tmp_path / "maps.hspy")
    np.testing.assert_array_equal(loaded.relative_thickness.data, thickness)
    region = hs.roi.CircleROI(3, 2, 1.5)(result)
    hidden = np.isnan(region.relative_thickness.data)
    assert hidden.any()
    np.testing.assert_array_equal(region.quality.data == Quality.MASKED, hidden)
    assert (region.spikes.data[hidden] == 0).all()


def test_without_low_loss_there_are_no_maps_of_it(image):
    result = image[0].predict_properties(resolution=0.5, **QUIET)
    with pytest.raises(SignalError, match=r"relative_thickness .* predict_properties\(low_loss="):
        _ = result.relative_thickness
    assert "t/λ" not in str(result.summary())


def test_low_losses_of_other_maps_are_refused(image):
    with pytest.raises(SignalError, match=r"navigation shape \(7, 5\) .* is \(5, 7\)"):
        image[0].predict_properties(low_loss=low_loss_of(np.full((7, 5), 0.3)), **QUIET)


def test_what_is_no_low_loss_is_refused(image, low_loss):
    with pytest.raises(EnergyRangeError, match=r"must hold 0 eV, but it goes from 480\.0"):
        image[0].predict_properties(low_loss=image[0], **QUIET)
    without = hs.signals.Signal1D(low_loss.data)
    with pytest.raises(EnergyAxisError, match="needs energy units"):
        image[0].predict_properties(low_loss=without, **QUIET)
    with pytest.raises(SignalError, match="HyperSpy signal of spectra is needed"):
        image[0].predict_properties(low_loss=low_loss.data, **QUIET)
    dark = as_signal(np.zeros((5, 7, 1000)))
    with pytest.raises(SignalError, match="At least half of the spectra need a zero loss"):
        image[0].predict_properties(low_loss=dark, **QUIET)
