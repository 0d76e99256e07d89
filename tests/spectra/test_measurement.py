"""A microscope does to a spectrum what the physics says, effect by effect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.errors import EnergyRangeError
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.edge_transforms import transform_edges
from hyperspy_coreloss.spectra.measurement import measure
from hyperspy_coreloss.spectra.microscope import TYPICAL, Microscope
from hyperspy_coreloss.spectra.spread import Uniform

GRID = np.arange(-15.0, 140.0, 0.1)
SIGMA = 0.2
AXIS = 490.0 + 0.1 * np.arange(1400)
# Far from every other structure, and on the steps of no grid.
LINES = (3.03, 6.04)


def line(energy, sigma=SIGMA):
    return np.exp(-0.5 * (energy / sigma) ** 2)


def step(energy):
    return 0.5 * (1 + np.tanh(energy / 0.8)) * (1 + np.exp(-np.maximum(energy, 0) / 5))


EDGES = transform_edges(GRID, [line(GRID - LINES[0]), line(GRID - LINES[1]), step(GRID - 2)], SIGMA)


def measured(site, microscope=None, *, axis=AXIS, at=537.0, spectra=1, seed=0):
    sites = np.full((spectra, 1), site)
    return measure(
        EDGES,
        sites,
        np.full(sites.shape, at),
        axis,
        Microscope() if microscope is None else microscope,
        np.random.default_rng(seed),
    )


def moments(spectrum, axis=AXIS):
    weight = spectrum / spectrum.sum()
    mean = weight @ axis
    return mean, np.sqrt(weight @ (axis - mean) ** 2)


def test_a_perfect_measurement_is_the_computed_spectrum():
    spectrum = measured(2).intensities[0]
    true = step(AXIS - 537.0 - 2)
    np.testing.assert_allclose(spectrum, true / true.max(), atol=2e-3)


@pytest.mark.parametrize("dispersion", [0.05, 0.1, 0.25])
def test_a_line_keeps_its_energy_and_has_the_width_of_all_its_broadenings(dispersion):
    axis = 530.0 + dispersion * np.arange(round(20 / dispersion))
    microscope = Microscope(resolution=0.8, drift=0.3)
    mean, width = moments(measured(0, microscope, axis=axis).intensities[0], axis)
    assert mean == pytest.approx(537.0 + LINES[0], abs=2e-3)
    blur = np.sqrt((0.8 / FWHM_PER_SIGMA) ** 2 + 0.3**2 + dispersion**2 / 12)
    assert width == pytest.approx(blur, rel=0.01)


def test_tails_hold_their_fraction_of_the_intensity():
    axis = 490.0 + 0.1 * np.arange(1000)
    spectrum = measured(0, Microscope(tail_fraction=0.3, tail_width=2.0), axis=axis).intensities[0]
    far = np.abs(axis - 540.03) > 3.0
    # Three widths and more from the middle lies this part of a Lorentzian of width 2.
    outside = 0.3 * (1 - 2 / np.pi * np.arctan(3.0))
    assert spectrum[far].sum() / spectrum.sum() == pytest.approx(outside, rel=0.1)


@pytest.mark.parametrize("error", [-0.03, 0.01])
def test_a_wrong_dispersion_stretches_about_the_lowest_empty_state(error):
    microscope = Microscope(dispersion_error=error)
    mean, _ = moments(measured(1, microscope).intensities[0])
    assert mean - 537.0 == pytest.approx(LINES[1] / (1 + error), abs=2e-3)


def test_thickness_moves_intensity_from_the_edge_to_a_plasmon_behind_it():
    thin, thick = (measured(0, Microscope(relative_thickness=t)).intensities[0] for t in (0.0, 0.5))
    near = np.abs(AXIS - 540) < 2
    plasmon = (AXIS > 548) & (AXIS < 585)
    assert not thin[plasmon].any() or thin[plasmon].max() < 1e-4
    # One loss for e^-0.5 * 0.5 of the electrons that lost energy to the edge, none for e^-0.5.
    assert thick[plasmon].sum() / thick[near].sum() == pytest.approx(0.5, rel=0.25)


def test_a_mixed_spectrum_is_the_mean_of_its_sites_at_their_energies():
    mixed = measure(
        EDGES,
        np.array([[0, 1, -1]]),
        np.array([[536.0, 538.0, 0.0]]),
        AXIS,
        Microscope(),
        np.random.default_rng(0),
    ).intensities[0]
    one, other = (line(AXIS - e) for e in (536.0 + LINES[0], 538.0 + LINES[1]))
    np.testing.assert_allclose(mixed / mixed.sum(), (one + other) / (one + other).sum(), atol=2e-3)


def test_counts_have_the_variance_of_a_poisson_distribution():
    microscope = Microscope(counts=400.0, jump_ratio=0.5)
    spectra = measured(2, microscope, spectra=2000).intensities
    mean = spectra.mean(axis=0)
    np.testing.assert_allclose(spectra.var(axis=0), mean, rtol=0.2)
    assert spectra.mean() == pytest.approx(spectra.var(axis=0).mean(), rel=0.01)


def test_the_peak_of_the_edge_has_its_counts_and_the_background_its_jump_ratio():
    coarse = 490.0 + 0.5 * np.arange(280)
    microscope = Microscope(counts=1e6, jump_ratio=0.25, background_exponent=3.0)
    spectrum = measured(2, microscope, axis=coarse).intensities[0]
    background = 5e6 * 4 * (coarse / 537.0) ** -3.0
    np.testing.assert_allclose(spectrum[coarse < 530], background[coarse < 530], rtol=0.01)
    assert (spectrum - background)[coarse > 537].max() == pytest.approx(5e6, rel=0.01)


def test_a_residue_is_no_power_law():
    plain, with_residue = (
        measured(2, Microscope(jump_ratio=1.0, background_residue=r)).intensities[0]
        for r in (0.0, 0.05)
    )
    at = [np.abs(AXIS - 537.0 - e).argmin() for e in (-30.0, 70.0)]
    np.testing.assert_allclose((with_residue - plain)[at], [0.0, 0.05], atol=1e-3)


def test_slow_errors_change_the_intensity_by_their_amplitude():
    plain = measured(2).intensities
    wavy = measured(2, Microscope(intensity_error=0.05), spectra=300).intensities
    edge = AXIS > 545
    change = wavy[:, edge] / plain[:, edge] - 1
    assert np.abs(change).max() == pytest.approx(0.05, rel=0.02)
    assert np.abs(np.diff(change, axis=-1)).max() < 0.05 * 2 * np.pi / 60 * 0.1 * 1.01


def test_the_detector_adds_noise_a_zero_and_a_step():
    noisy = measured(0, Microscope(counts=100.0, readout_noise=3.0, zero_error=-2.0), spectra=400)
    empty = noisy.intensities[:, AXIS < 530]
    assert empty.mean() == pytest.approx(-2.0, abs=0.05)
    assert empty.std() == pytest.approx(3.0, rel=0.02)
    stepped = measured(2, Microscope(jump_ratio=1.0, gain_step=0.1)).intensities[0]
    ratio = stepped / measured(2, Microscope(jump_ratio=1.0)).intensities[0]
    assert set(np.round(ratio, 4)) == {np.float32(1.0), np.float32(1.1)}


def test_another_edge_stands_where_it_is_told():
    microscope = Microscope(jump_ratio=1.0, neighbour_position=38.0, neighbour_height=0.7)
    change = (
        measured(2, microscope).intensities[0]
        - measured(2, Microscope(jump_ratio=1.0)).intensities[0]
    )
    assert np.abs(change[AXIS < 537 + 33]).max() < 1e-4
    assert change[np.abs(AXIS - 537 - 42).argmin()] == pytest.approx(0.7, rel=0.03)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    first, second = (measured(2, TYPICAL, spectra=8, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.intensities, second.intensities)
    assert first.resolution == second.resolution
    assert (measured(2, TYPICAL, spectra=8, seed=6).intensities != first.intensities).any()


def test_what_was_drawn_is_returned():
    drawn = measured(2, replace(TYPICAL, counts=Uniform(500.0, 600.0)), spectra=50)
    assert ((drawn.counts >= 500) & (drawn.counts <= 600)).all()
    assert drawn.relative_thickness.min() < 0.3 < 0.7 < drawn.relative_thickness.max()
    assert 0.3 <= drawn.resolution <= 0.8


def test_an_axis_beyond_the_computed_spectra_is_refused():
    with pytest.raises(EnergyRangeError, match=r"must reach to 149\.9 eV .* end at 139\.9 eV"):
        measured(0, axis=490.0 + 0.1 * np.arange(1970))


@pytest.mark.parametrize("axis", [AXIS[::-1], np.array([530.0]), AXIS**1.01])
def test_an_uneven_axis_is_refused(axis):
    with pytest.raises(EnergyRangeError, match=r"ascending, evenly spaced"):
        measured(0, axis=axis)
