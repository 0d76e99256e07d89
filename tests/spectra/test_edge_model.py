"""A modelled edge is a measured one, and its derivatives are its changes."""

from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.spectra.edge_model import DEGREE, EdgeModel
from hyperspy_coreloss.spectra.edge_transforms import transform_edges
from tests.reference_spectra import AXIS, POSITION, measured_reference

ENERGY = AXIS[:1400]
# Position, dispersion error, resolution, thickness; intensities of the edge; background.
PARAMETERS = np.array([POSITION, 0.02, 0.6, 0.4, 1.0, 0.05, -0.02, 0.3, 3.0])
STEPS = np.array([0.02, 2e-4, 0.02, 0.01, *[0.01] * (DEGREE + 2), 0.01])


@pytest.fixture(scope="module")
def model(quartz):
    edges = transform_edges(quartz.energy, quartz.intensity[None], quartz.sigma)
    return EdgeModel(edges, ENERGY)


def test_the_edge_is_that_of_a_measurement_without_noise(quartz, model):
    effects = {"dispersion_error": 0.02, "resolution": 0.6, "relative_thickness": 0.4}
    counts = measured_reference(quartz, axis=ENERGY, counts=np.inf, jump_ratio=np.inf, **effects)
    edge, _ = model.edge(PARAMETERS[:4])
    np.testing.assert_allclose(edge / edge.max(), counts / counts.max(), atol=1e-4)


@pytest.mark.parametrize("index", range(PARAMETERS.size))
def test_derivatives_are_the_changes_of_the_spectrum(model, index):
    change = np.zeros(PARAMETERS.size)
    change[index] = STEPS[index]
    above, below = (model.spectrum(PARAMETERS + sign * change)[0] for sign in (1, -1))
    expected = (above - below) / (2 * STEPS[index])
    derivative = model.spectrum(PARAMETERS)[1][index]
    np.testing.assert_allclose(derivative, expected, atol=0.02 * np.abs(expected).max())


def test_the_first_guess_of_the_intensities_is_theirs(model):
    plain = PARAMETERS.copy()
    plain[5:7] = 0
    spectrum, _ = model.spectrum(plain)
    guess = model.first_guess(plain[:4], spectrum, np.ones(spectrum.size))
    np.testing.assert_allclose(guess, plain, rtol=1e-6, atol=1e-9)
