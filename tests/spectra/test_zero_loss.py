"""Zero losses are recovered as simulated: the electrons between the limits of each channel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_coreloss.errors import EnergyRangeError, SignalError
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.zero_loss import find_zero_loss, median_fwhm

FINE = np.linspace(-40.0, 40.0, 160001)


def gaussian(energy, fwhm):
    return np.exp(-0.5 * (FWHM_PER_SIGMA * energy / fwhm) ** 2)


def lorentzian(energy, fwhm):
    return 1.0 / (1.0 + 4.0 * (energy / fwhm) ** 2)


def half_lorentzian(energy, fwhm):
    """Half of each."""
    return 0.5 * gaussian(energy, fwhm) + 0.5 * lorentzian(energy, fwhm)


def field_emission(energy, fwhm):
    """A sharp rise at the Fermi level, and an exponential tail of slower electrons."""
    # 2.33 is the width of this shape at unit scale.
    scaled = 2.33 * energy / fwhm
    return np.exp(-np.logaddexp(0.0, -4.0 * scaled) - 0.5 * scaled)


def width_of(shape, fwhm):
    curve = shape(FINE, fwhm)
    inside = FINE[curve >= curve.max() / 2]
    return inside[-1] - inside[0]


def counted(shape, fwhm, centre, dispersion, electrons=1e6, begin=-12.0, end=30.0):
    """Return the axis, and the electrons of a peak between the limits of each channel."""
    energy = np.arange(begin, end, dispersion)
    curve = shape(FINE, fwhm)
    total = np.cumsum(curve) / curve.sum()
    limits = np.append(energy, energy[-1] + dispersion) - dispersion / 2
    return energy, electrons * np.diff(np.interp(limits - centre, FINE, total))


SHAPES = st.sampled_from([gaussian, lorentzian, half_lorentzian, field_emission])


@given(
    shape=SHAPES,
    dispersion=st.sampled_from([0.02, 0.05, 0.1, 0.25, 0.5]),
    channels=st.floats(4.0, 12.0),
    centre=st.floats(-1.5, 1.5),
    pedestal=st.sampled_from([-20.0, 0.0, 600.0, 1e5]),
)
@settings(max_examples=120, deadline=None)
def test_the_width_is_recovered_in_counting_noise(shape, dispersion, channels, centre, pedestal):
    """At any dispersion, on any constant, with a plasmon beside it; to four per cent."""
    fwhm = max(0.06, min(channels * dispersion, 2.4))
    energy, electrons = counted(shape, fwhm, centre, dispersion)
    electrons = np.random.default_rng(7).poisson(electrons)
    plasmon = 0.02 * electrons.max() * dispersion * lorentzian(energy - 22.0, 4.0)
    found = find_zero_loss(electrons + plasmon + pedestal, energy)
    true = width_of(shape, fwhm)
    assert found.fwhm == pytest.approx(true, rel=0.04)
    peak = FINE[np.argmax(shape(FINE, fwhm))] + centre
    assert found.energy == pytest.approx(peak, abs=0.15 * true)
    assert found.pedestal == pytest.approx(pedestal, abs=0.02 * found.height)


@given(
    electrons=st.floats(1e4, 1e7),
    dispersion=st.sampled_from([0.02, 0.1, 0.2]),
    seed=st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_ten_thousand_electrons_are_enough(electrons, dispersion, seed):
    energy, expected = counted(gaussian, 0.8, 0.3, dispersion, electrons)
    noisy = np.random.default_rng(seed).poisson(expected)
    # Four standard deviations of the width, and the resolution of the method.
    tolerance = 4 * 2.7e-2 * np.sqrt(1e4 / electrons) + 0.01
    assert find_zero_loss(noisy, energy).fwhm == pytest.approx(0.8, rel=tolerance)


def test_the_width_of_the_channels_is_no_part_of_the_width():
    """Counted in channels of 0.5 eV, a peak of 1.25 eV looks 1.33 eV wide."""
    energy, electrons = counted(gaussian, 1.25, 0.1, 0.5)
    assert find_zero_loss(electrons, energy).fwhm == pytest.approx(1.25, rel=0.015)


def test_uneven_channels_give_the_same_width(rng):
    energy = np.cumsum(rng.uniform(0.05, 0.15, 500)) - 15.0
    assert find_zero_loss(gaussian(energy - 0.4, 0.9), energy).fwhm == pytest.approx(0.9, rel=0.02)


def spectrum_with(peak, fwhm=None, energy=None, height=1.0):
    energy = np.arange(-10.0, 50.0, 0.1) if energy is None else energy
    return height * gaussian(energy - peak, 0.8 if fwhm is None else fwhm), energy


NOISE = np.random.default_rng(0).normal(0, 50, 2000)
EVEN = np.arange(-10.0, 50.0, 0.1)


@pytest.mark.parametrize(
    ("intensity", "energy", "message"),
    [
        (*spectrum_with(22.0, 12.0), r"maximum .* within 5 eV of 0 eV, but it is at 2[12]\.\d eV"),
        (*spectrum_with(7.0, 2.0), r"within 5 eV of 0 eV"),
        (*spectrum_with(4.0, 4.0), r"at most 3 eV wide.*4 eV wide, like a plasmon"),
        (NOISE, np.arange(-100.0, 900.0, 0.5), "within 5 eV of 0 eV"),
        (NOISE[:400], np.arange(-20.0, 20.0, 0.1), "zero loss"),
        (np.zeros(600), EVEN, "all channels are zero.*give the resolution"),
        (np.full(600, 7.0), EVEN, "within 5 eV of 0 eV"),
        (EVEN + 10.0, EVEN, "within 5 eV of 0 eV"),
        (np.full(600, np.nan), EVEN, "finite intensities, but 600 of its 600"),
        ((np.abs(EVEN) < 0.01) * 1e4, EVEN, r"2 channels wide or more"),
        (*spectrum_with(0.0, 0.1), r"2 channels wide .*channels of 0\.1 eV"),
        (np.exp(-np.abs(EVEN) * np.where(EVEN < 0, 9, 0.5)), EVEN, "falls on both sides alike"),
    ],
)
def test_what_is_no_zero_loss_is_refused(intensity, energy, message):
    with pytest.raises(SignalError, match=message):
        find_zero_loss(intensity, energy)


@pytest.mark.parametrize("seed", range(20))
def test_noise_near_zero_is_not_a_zero_loss(seed):
    """The highest channel always lies near 0 eV here."""
    energy = np.arange(-4.5, 4.5, 0.02)
    with pytest.raises((SignalError, EnergyRangeError)):
        find_zero_loss(np.random.default_rng(seed).normal(100, 10, energy.size), energy)


@pytest.mark.parametrize("begin", [0.0, 0.4, 4.0, 480.0, -60.0])
def test_an_axis_without_zero_has_no_zero_loss(begin):
    energy = begin + np.arange(0.0, 50.0, 0.05)
    intensity = gaussian(energy - begin - 10.0, 0.8)
    with pytest.raises(EnergyRangeError, match=rf"must hold 0 eV, but it goes from {begin:.1f} to"):
        find_zero_loss(intensity, energy)
    with pytest.raises(EnergyRangeError, match="must hold 0 eV"):
        median_fwhm([intensity], energy)


def test_an_axis_that_begins_in_the_peak_is_refused():
    energy = np.arange(-1.0, 40.0, 0.05)
    with pytest.raises(EnergyRangeError, match=r"axis must begin 2 eV or more below .* at -1\.00"):
        find_zero_loss(gaussian(energy, 1.0), energy)


@pytest.mark.parametrize("shape", [gaussian, lorentzian, field_emission])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("pedestal", [0.0, 600.0])
def test_a_clipped_zero_loss_is_refused(shape, kept, pedestal):
    energy, electrons = counted(shape, 0.8, 0.0, 0.02)
    clipped = np.minimum(electrons, kept * electrons.max()) + pedestal
    message = rf"must not be clipped.*flat at an intensity of {clipped.max():.4g}".replace(
        "+", r"\+"
    )
    with pytest.raises(SignalError, match=message):
        find_zero_loss(clipped, energy)


@pytest.mark.parametrize("kept", [0.2, 0.5])
def test_a_saturated_zero_loss_is_refused_after_a_gain_correction(rng, kept):
    """Its plateau is flat to a per cent, but no two channels are equal."""
    energy, electrons = counted(gaussian, 0.8, 0.0, 0.02)
    clipped = np.minimum(electrons, kept * electrons.max()) * rng.normal(1, 0.01, energy.size)
    with pytest.raises(SignalError, match="must not be clipped"):
        find_zero_loss(clipped, energy)


def test_whole_numbers_of_electrons_are_not_taken_for_clipping():
    energy, electrons = counted(gaussian, 0.8, 0.0, 0.02, electrons=4e3)
    rounded = np.round(electrons)
    assert (rounded == rounded.max()).sum() > 2
    assert find_zero_loss(rounded, energy).fwhm == pytest.approx(0.8, rel=0.03)


def test_bad_spectra_of_a_map_are_left_out():
    energy, electrons = counted(gaussian, 0.7, 0.2, 0.1)
    spectra = np.tile(electrons, (9, 1))
    spectra[0] = 0.0
    spectra[3, 17] = np.nan
    spectra[5] = np.minimum(electrons, 0.3 * electrons.max())
    assert median_fwhm(spectra, energy) == pytest.approx(0.7, rel=0.01)
    spectra[6:8] = 0.0
    message = r"At least half .* only 4 of the 9 spectra read have one.*The first without: .*zero"
    with pytest.raises(SignalError, match=message):
        median_fwhm(spectra, energy)


def test_the_error_of_a_single_spectrum_is_its_own():
    with pytest.raises(SignalError, match=r"^A low-loss spectrum needs finite intensities"):
        median_fwhm(np.full((1, 600), np.nan), EVEN)
