"""Energy zero, resolution and thickness are recovered from low-loss spectra of simulated pixels."""

from __future__ import annotations

import hyperspy.api as hs
import numpy as np
import pytest
from scipy import fft

from hyperspy_coreloss.errors import EnergyRangeError
from hyperspy_coreloss.spectra.low_loss import measure_low_loss, prepare_low_loss
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.zero_loss import find_zero_loss

AXIS = -15.0 + 0.1 * np.arange(1150)
THICKNESS = np.array([0.02, 0.1, 0.3, 0.5, 0.8, 1.0, 1.25, 1.5])


def simulated(axis=AXIS, seed=0, **options):
    generator = np.random.default_rng(seed)
    zero = generator.uniform(-1.5, 1.5, THICKNESS.size)
    options = {"electrons": 3e6, "generator": generator} | options
    return zero, simulate_low_loss(axis, THICKNESS, zero_loss=zero, **options)


@pytest.mark.parametrize("end", [60.0, 100.0, 300.0])
@pytest.mark.parametrize("dispersion", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("tail_fraction", [0.0, 0.2])
def test_thickness_energy_and_width_are_recovered(end, dispersion, tail_fraction):
    axis = np.arange(-15.0, end, dispersion)
    zero, spectra = simulated(axis, tail_fraction=tail_fraction, resolution=0.8)
    found = measure_low_loss(spectra, prepare_low_loss(axis))
    np.testing.assert_allclose(found.relative_thickness, THICKNESS, atol=0.03)
    np.testing.assert_allclose(found.zero_loss, zero, atol=0.1 * dispersion)
    # Tails broaden a peak by a little.
    np.testing.assert_allclose(found.resolution, 0.82 if tail_fraction else 0.8, rtol=0.04)


@pytest.mark.parametrize("pedestal", [-20.0, 600.0])
def test_a_pedestal_is_no_thickness(pedestal):
    _, spectra = simulated()
    found = measure_low_loss(spectra + pedestal, prepare_low_loss(AXIS))
    np.testing.assert_allclose(found.relative_thickness, THICKNESS, atol=0.03)


def test_the_width_is_that_of_one_spectrum():
    _, spectra = simulated()
    found = measure_low_loss(spectra, prepare_low_loss(AXIS))
    alone = [find_zero_loss(spectrum, AXIS) for spectrum in spectra]
    np.testing.assert_array_equal(found.resolution, [peak.fwhm for peak in alone])
    np.testing.assert_array_equal(found.zero_loss, [peak.energy for peak in alone])


def test_a_spectrum_gives_the_same_bits_beside_any_others():
    _, spectra = simulated()
    axis = prepare_low_loss(AXIS)
    together = measure_low_loss(spectra, axis)
    others = measure_low_loss(np.concatenate([spectra[3:5] * 7, spectra[::-1]]), axis)
    alone = measure_low_loss(spectra[2:3], axis)
    for name in ("zero_loss", "resolution", "relative_thickness"):
        np.testing.assert_array_equal(getattr(others, name)[2:][::-1], getattr(together, name))
        np.testing.assert_array_equal(getattr(alone, name), getattr(together, name)[2:3])


@pytest.mark.parametrize("dtype", [np.float32, np.uint32, np.int64])
def test_types_and_directions_do_not_matter(dtype):
    _, spectra = simulated()
    expected = measure_low_loss(spectra, prepare_low_loss(AXIS))
    falling = measure_low_loss(spectra[:, ::-1].astype(dtype), prepare_low_loss(AXIS[::-1]))
    for name in ("zero_loss", "resolution", "relative_thickness"):
        np.testing.assert_array_equal(getattr(falling, name), getattr(expected, name))


def test_uneven_channels_are_read():
    """The dispersion of a spectrometer changes slowly along the detector."""
    uneven = AXIS * (1 + 1e-3 * AXIS)
    zero, spectra = simulated()
    even = np.array([np.interp(uneven, AXIS, spectrum) for spectrum in spectra])
    found = measure_low_loss(even[:, uneven < 85], prepare_low_loss(uneven[uneven < 85]))
    np.testing.assert_allclose(found.relative_thickness, THICKNESS, atol=0.03)
    np.testing.assert_allclose(found.zero_loss, zero, atol=0.02)


def test_what_has_no_zero_loss_is_unknown_and_spoils_nothing():
    _, spectra = simulated()
    expected = measure_low_loss(spectra, prepare_low_loss(AXIS))
    spoilt = np.concatenate([np.zeros((1, AXIS.size)), spectra])
    spoilt[3, 500] = np.nan
    spoilt[5] = np.minimum(spoilt[5], 0.4 * spoilt[5].max())
    masked = np.ma.masked_array(spoilt)
    masked[7, 3] = np.ma.masked
    found = measure_low_loss(masked, prepare_low_loss(AXIS))
    for name in ("zero_loss", "resolution", "relative_thickness"):
        values = getattr(found, name)
        assert np.flatnonzero(np.isnan(values)).tolist() == [0, 3, 5, 7]
        left = np.isfinite(values)[1:]
        np.testing.assert_array_equal(values[1:][left], getattr(expected, name)[left])


def test_a_short_axis_gives_no_thickness():
    axis = np.arange(-15.0, 40.0, 0.1)
    zero, spectra = simulated(axis)
    found = measure_low_loss(spectra, prepare_low_loss(axis))
    np.testing.assert_allclose(found.zero_loss, zero, atol=0.01)
    assert np.isnan(found.relative_thickness).all()


def test_an_axis_must_hold_zero():
    with pytest.raises(EnergyRangeError, match=r"must hold 0 eV, but it goes from 480\.0 to"):
        prepare_low_loss(480.0 + AXIS + 15.0)


def with_thickness(axis, counts, factors):
    """Return spectra of the measured specimen at other thicknesses, and these.

    The zero loss is symmetric from the band gap on, 8.5 eV from its maximum. The losses go on
    beyond the axis as those of free electrons.
    """
    step, zero = axis[1] - axis[0], int(np.argmax(counts))
    gap = zero + round(8.5 / step)
    peak = counts.copy()
    peak[gap:] = 0.0
    mirrored = 2 * zero - np.arange(gap, 2 * zero + 1)
    peak[gap : 2 * zero + 1] = counts[mirrored]
    losses = np.maximum(counts - peak, 0.0)
    beyond = np.arange(axis[-1] + step, 250.0, step)
    losses = np.append(losses, losses[-50:].mean() * (beyond / axis[-1]) ** -3.0)
    peak = np.append(peak, np.zeros(beyond.size))
    length = fft.next_fast_len(4 * peak.size)
    # From the maximum on, where the first loss may lie.
    single = np.log1p(fft.rfft(np.roll(losses, -zero), length) / peak.sum())
    spectra = [
        fft.irfft(fft.rfft(peak, length) * np.exp(f * (single - single[0])), length)
        for f in factors
    ]
    return single[0].real * np.array(factors), np.array(spectra)[:, : axis.size]


def test_thickness_and_energy_are_recovered_of_measured_silica(real_eels):
    signal = hs.load(real_eels / "silica_low_loss.msa")
    axis, counts = signal.axes_manager[-1].axis, np.asarray(signal.data, dtype=np.float64)
    thickness, spectra = with_thickness(axis, counts, [0.1, 0.3, 0.6, 1.0, 1.5, 2.0])
    noisy = np.random.default_rng(1).poisson(np.maximum(spectra, 0.0))
    at = axis[np.argmax(counts)]
    found = measure_low_loss(noisy, prepare_low_loss(axis))
    np.testing.assert_allclose(found.relative_thickness, thickness, atol=0.03)
    np.testing.assert_allclose(found.zero_loss - at, found.zero_loss[0] - at, atol=0.01)
    moved = measure_low_loss(noisy, prepare_low_loss(axis + 0.437))
    np.testing.assert_allclose(moved.zero_loss - found.zero_loss, 0.437, atol=1e-6)
