"""Claims about the comparison of computed spectra."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.dataset.card import render_dataset_card
from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.comparison import (
    SIGMA,
    THRESHOLD_FRACTION,
    aligned_spectrum,
    cosine,
    recursion_chains,
)
from hyperspy_coreloss.simulation.recursion import Recursion
from hyperspy_coreloss.spectra.recipe import Recipe


def conduction_band(centre: float = 6.0, hopping: float = 1.5) -> Recursion:
    """A band of constant coefficients from `centre` - 2 `hopping` on, two k-points."""
    shape = (2, 3, 80)
    return Recursion(
        np.full(shape, centre), np.full(shape, hopping), np.ones(shape[:2]), np.zeros((2, 3))
    )


def test_the_threshold_lies_one_electron_volt_into_the_window():
    spectrum = aligned_spectrum(recursion_chains(conduction_band(), homo=-6.0, lumo=3.0))
    assert spectrum.shape == (160,)
    assert spectrum[10] == pytest.approx(THRESHOLD_FRACTION * spectrum.max(), rel=0.01)
    assert (np.diff(spectrum[5:15]) > 0).all()


def test_a_shift_of_all_energies_changes_nothing():
    spectra = [
        aligned_spectrum(recursion_chains(conduction_band(6.0 + shift), -6.0 + shift, 3.0 + shift))
        for shift in (0.0, 543.21)
    ]
    np.testing.assert_allclose(*spectra, atol=1e-5 * spectra[0].max())


def test_a_shift_against_the_band_edge_changes_nothing():
    spectra = [
        aligned_spectrum(recursion_chains(conduction_band(), homo=-6.0, lumo=lumo))
        for lumo in (3.0, 2.713)
    ]
    assert cosine(*spectra) > 0.999999


def test_a_line_is_seen_at_the_stated_resolution():
    line = conduction_band(4.0, hopping=0.01)
    spectrum = aligned_spectrum(recursion_chains(line, homo=-4.0, lumo=4.0))
    above = np.flatnonzero(spectrum > 0.5 * spectrum.max())
    width = 0.1 * (above[-1] - above[0] + 1)
    # The Lorentzian of 0.1 eV adds a little.
    assert 2.355 * SIGMA - 0.1 < width < 2.355 * SIGMA + 0.3


def test_occupied_states_do_not_count():
    band = conduction_band()
    valence = replace(band, alpha=band.alpha - 20.0)
    both = Recursion(
        *(
            np.concatenate([getattr(part, name) for part in (band, valence)])
            for name in ("alpha", "beta", "norm", "kpoints")
        )
    )
    alone, with_valence = (
        aligned_spectrum(recursion_chains(part, homo=-11.0, lumo=3.0)) for part in (band, both)
    )
    assert cosine(alone, with_valence) == pytest.approx(1.0, abs=1e-5)  # the tail of a Lorentzian


def test_cosine_knows_shape_and_not_scale():
    first, second = np.array([1.0, 2.0, 3.0]), np.array([3.0, 0.0, -1.0])
    assert cosine(first, 7.0 * first) == pytest.approx(1.0)
    assert cosine(first, second) == pytest.approx(0.0)


def test_the_card_of_a_data_set_names_the_fractions_at_which_spectra_are_aligned(mixed):
    card = render_dataset_card(mixed, "made up")
    assert f"first rise through {100 * THRESHOLD_FRACTION:.0f} % of their highest" in card
    assert f"networks align at {100 * Recipe().threshold_fraction:.0f} %" in card


def test_a_spectrum_without_an_edge_is_refused():
    band = replace(conduction_band(), norm=np.zeros((2, 3)))
    with pytest.raises(SimulationError, match="10 % of its maximum"):
        aligned_spectrum(recursion_chains(band, homo=-6.0, lumo=3.0))
