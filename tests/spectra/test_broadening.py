from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_coreloss.errors import ResolutionError
from hyperspy_coreloss.spectra.broadening import (
    FWHM_PER_SIGMA,
    broadened,
    broadening_operator,
    can_be_broadened,
    missing_broadening,
)


def gaussian(energy, sigma, centre=20.0):
    return np.exp(-0.5 * ((energy - centre) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


@pytest.mark.parametrize("number", [1, 63, 64, 200])
def test_many_spectra_are_broadened_as_each_alone(rng, number):
    energy = np.arange(500.0, 560.0, 0.3)
    operator = broadening_operator(energy, 0.5, np.arange(505.0, 555.0, 0.1)).astype(np.float32)
    spectra = rng.random((number, energy.size)).astype(np.float32)
    smooth = broadened(operator, spectra)
    np.testing.assert_allclose(smooth, spectra @ operator.toarray().T, rtol=1e-5)
    assert (smooth[-1] == broadened(operator, spectra[-1:])[0]).all()


@pytest.mark.parametrize("dispersion", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("kernel", [0.0, 0.05, 0.29, 0.31, 0.48, 2.0])
def test_widths_add_in_quadrature(dispersion, kernel):
    sigma = 0.5
    energy = np.arange(0.0, 40.0, dispersion)
    points = np.arange(15.0, 25.0, 0.1)
    smooth = broadening_operator(energy, kernel, points) @ gaussian(energy, sigma)
    expected = gaussian(points, np.hypot(sigma, kernel))
    np.testing.assert_allclose(smooth, expected, atol=2e-3 * expected.max())


def test_uneven_axes_give_the_same_spectrum(rng):
    energy = 0.1 * (np.arange(400) + rng.uniform(-0.4, 0.4, 400))
    points = np.arange(15.0, 25.0, 0.1)
    smooth = broadening_operator(energy, 0.4, points) @ gaussian(energy, 0.5)
    expected = gaussian(points, np.hypot(0.5, 0.4))
    np.testing.assert_allclose(smooth, expected, atol=2e-2 * expected.max())


def test_a_constant_stays_constant_up_to_the_ends_of_the_axis():
    energy = np.arange(0.0, 10.0, 0.1)
    for sigma in (0.0, 0.05, 0.5):
        np.testing.assert_allclose(
            broadening_operator(energy, sigma, energy) @ np.ones(100), 1.0, rtol=1e-6
        )


@given(resolution=st.floats(0, 3), dispersion=st.floats(1e-3, 1), target=st.floats(0.05, 1))
def test_missing_broadening_completes_the_target_or_refuses(resolution, dispersion, target):
    measured = np.hypot(resolution / FWHM_PER_SIGMA, dispersion / np.sqrt(12))
    try:
        missing = missing_broadening(target, resolution, dispersion)
    except ResolutionError:
        assert measured > target or dispersion > target
    else:
        assert np.hypot(missing, measured) == pytest.approx(target, rel=1e-5)


TARGETS = st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8])


@given(
    target=TARGETS,
    resolution=st.one_of(
        st.floats(0, 3),
        # Near the edge, where rounding could make the two disagree.
        st.tuples(TARGETS, st.floats(-3e-6, 3e-6)).map(
            lambda pair: pair[0] * FWHM_PER_SIGMA * (1 + pair[1])
        ),
    ),
    dispersion=st.one_of(st.floats(0, 1), TARGETS, st.floats(0, 1e-7)),
)
@settings(max_examples=500)
def test_spectra_can_be_broadened_just_where_the_missing_width_is_not_refused(
    target, resolution, dispersion
):
    if can_be_broadened(target, resolution, dispersion):
        assert 0 <= missing_broadening(target, resolution, dispersion) <= target
    else:
        with pytest.raises(ResolutionError, match=f"{target:g} eV"):
            missing_broadening(target, resolution, dispersion)


@pytest.mark.parametrize("target", [0.1, 0.5, 0.8])
def test_spectra_as_broad_as_the_target_can_be_broadened_by_nothing(target):
    as_broad = target * FWHM_PER_SIGMA
    assert can_be_broadened(target, as_broad, 0.0)
    assert missing_broadening(target, as_broad, 0.0) == pytest.approx(0.0, abs=1e-6)
    assert can_be_broadened(target, 0.0, target)
    assert not can_be_broadened(target, 1.001 * as_broad, 0.0)
    assert not can_be_broadened(target, 0.0, 1.001 * target)
    assert not can_be_broadened(target, as_broad, 0.1 * target)


def test_refusals_give_both_numbers_and_a_way_out():
    with pytest.raises(ResolutionError, match=r"1\.18 eV \(FWHM\).*1\.50 eV.*never sharpened"):
        missing_broadening(0.5, 1.5, 0.1)
    with pytest.raises(
        ResolutionError, match=r"0\.5 eV per channel or finer.*0\.75 eV per channel"
    ):
        missing_broadening(0.5, 0.1, 0.75)
