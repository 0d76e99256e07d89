"""Network inputs from computed spectra: zeros that no measurement has are no gaps in the data."""

from __future__ import annotations

import numpy as np

from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.dataset.inputs import network_inputs, site_thresholds
from hyperspy_coreloss.spectra import Recipe
from tests.made_sites import site, structure

ENERGY = np.arange(-16.0, 60.0, 0.05)


def test_a_gap_without_any_states_is_no_gap_in_the_data():
    # A state of a defect, sharp and high, at the end of a gap in which nothing is left.
    band = 0.3 * (1 + np.tanh(ENERGY - 5.0))
    state = np.exp(-0.5 * ((ENERGY + 0.1) / 0.1) ** 2)
    spectrum = np.where(ENERGY < -0.6, 0.0, band + state)
    made = site("defect", SampledSpectrum(ENERGY, spectrum, 0.08), structure("cell", phase="glass"))
    dataset = SpectrumDataset((made,), "made up", "CC0")
    for sigma in (0.3, 0.5, 0.8):
        recipe = Recipe(sigma=sigma)
        assert np.isfinite(network_inputs(dataset, recipe)).all()
        assert -2.0 < site_thresholds(dataset, recipe)[0] < 5.0
