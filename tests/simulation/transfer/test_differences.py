"""Claims about differences between theories: known ones are found."""

from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.errors import SimulationError
from training.transfer.differences import theory_difference

ENERGY = np.arange(-20.0, 140.0, 0.02)


def spectrum(shift: float = 0.0, stretch: float = 1.0, peak: float = 1.0, threshold: float = 2.0):
    """A step with a peak and oscillations that become wider with energy, as of neighbours."""
    energy = (ENERGY - threshold - shift) / stretch
    above = np.clip(energy, 0.0, None)
    waves = 1.0 + 0.1 * np.sin(3.2 * np.sqrt(above + 4.0)) + 0.05 * np.sin(5.1 * np.sqrt(above))
    step = 1.0 / (1.0 + np.exp(-energy / 0.2)) * np.exp(-above / 80.0)
    near = peak * np.exp(-0.5 * ((energy - 2.5) / 1.2) ** 2)
    return SampledSpectrum(ENERGY, step * waves + near, 0.0)


def test_a_theory_does_not_differ_from_itself():
    difference = theory_difference(spectrum(), spectrum())
    assert difference.cosines == pytest.approx((1.0, 1.0, 1.0))
    assert difference.threshold_shift == 0.0
    assert difference.peak_ratio == pytest.approx(1.0)
    for found in (difference.edge, difference.oscillations):
        assert (found.shift, found.stretch) == pytest.approx((0.0, 1.0), abs=1e-3)


@pytest.mark.parametrize("stretch", [0.97, 1.0, 1.04])
def test_a_stretched_axis_is_found(stretch):
    difference = theory_difference(spectrum(), spectrum(stretch=stretch))
    assert difference.edge.stretch == pytest.approx(stretch, abs=2e-3)
    assert difference.oscillations.stretch == pytest.approx(stretch, abs=2e-3)
    assert difference.oscillations.cosine > 0.999
    assert difference.cosines[2] <= difference.edge.cosine


def test_a_later_threshold_is_found_and_does_not_change_aligned_spectra():
    difference = theory_difference(spectrum(), spectrum(threshold=2.7))
    assert difference.threshold_shift == pytest.approx(0.7, abs=1e-3)
    assert difference.cosines == pytest.approx((1.0, 1.0, 1.0), abs=1e-5)
    assert difference.edge.shift == pytest.approx(0.0, abs=5e-3)


def test_a_shift_of_the_oscillations_is_found_where_the_peak_differs():
    """As with less of a core hole: the peak is weaker, and the rest keeps its energies."""
    weak = spectrum(peak=0.5)
    difference = theory_difference(spectrum(), weak)
    assert difference.peak_ratio < 0.8
    # The higher peak has its threshold at a higher intensity, and hence later.
    lag = difference.threshold_shift
    assert lag < 0.0
    assert difference.oscillations.shift == pytest.approx(-lag, abs=0.02)
    assert difference.oscillations.stretch == pytest.approx(1.0, abs=1e-3)


def test_a_spectrum_without_a_threshold_is_refused():
    flat = SampledSpectrum(ENERGY, np.ones(len(ENERGY)), 0.0)
    with pytest.raises(SimulationError, match="must rise through its threshold"):
        theory_difference(spectrum(), flat)
