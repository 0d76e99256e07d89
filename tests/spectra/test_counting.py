"""Claims about counts: the step of one count, and stretches of zeros that are no counts."""

from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.spectra.counting import blank_channels, count_step


@pytest.mark.parametrize("gain", [1.0, 0.37, 1e-3, 250.0])
@pytest.mark.parametrize("mean", [0.01, 1, 100])
def test_the_step_of_one_count_is_the_gain(rng, gain, mean):
    counts = rng.poisson(mean, (20, 1000))
    counts[:, 0] = 1
    spectra = (gain * counts).astype(np.float32)
    np.testing.assert_allclose(count_step(spectra), gain, rtol=1e-3)


def test_a_constant_spectrum_has_no_step():
    assert count_step(np.ones((1, 10))) == 0


@pytest.mark.parametrize("mean", [0.001, 0.1, 1, 5])
def test_zero_counts_are_data(rng, mean):
    counts = rng.poisson(mean, (200, 1000)).astype(np.float32)
    assert not blank_channels(counts, count_step(counts)).any()


@pytest.mark.parametrize("mean", [3, 100, 1e5])
@pytest.mark.parametrize(("start", "stop"), [(0, 50), (400, 412), (900, 1000)])
def test_stretches_filled_with_zeros_are_no_data(rng, mean, start, stop):
    counts = (rng.poisson(mean, (5, 1000)) + (mean > 50)).astype(np.float32)
    counts[:, start:stop] = 0
    counts[:, [max(start - 1, 60), min(stop, 899)]] = mean
    blank = blank_channels(counts, count_step(counts))
    assert blank[:, start:stop].all()
    assert blank.sum() == 5 * (stop - start)
