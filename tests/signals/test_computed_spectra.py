from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.signals.computed_spectra import dataset_to_signal


@pytest.fixture(scope="module")
def few(sites):
    return sites.take([0, 40, 80])


def test_every_site_is_a_navigation_position_with_its_edge_at_its_excitation_energy(few):
    signal = dataset_to_signal(few, sigma=0.2)
    assert type(signal).__name__ == "EELSSpectrum"
    assert signal.axes_manager.navigation_shape == (3,)
    assert signal.metadata.Sample.site_names == list(few.names)
    energy = signal.axes_manager.signal_axes[0].axis
    excitation = few.targets[:, 5]
    for row, edge in zip(signal.data, excitation, strict=True):
        assert row[energy < edge - 3].max() < 0.03 * row.max()
        assert edge < energy[np.argmax(row)] < edge + 8


def test_aligned_edges_start_at_zero(few):
    signal = dataset_to_signal(few, aligned=True, offset=-5.0, size=250, dispersion=0.1)
    energy = signal.axes_manager.signal_axes[0].axis
    np.testing.assert_allclose(signal.data, few.spectra(energy, 0.5), rtol=1e-6)


def test_the_signal_can_be_predicted_from(few):
    signal = dataset_to_signal(few, sigma=0.3, offset=500.0, size=800)
    predicted = signal.predict_properties(
        resolution=0.3 * 2.3548, background=None, show_progressbar=False
    )
    assert np.isfinite(predicted.data).all()


def test_an_edge_without_excitation_energy_is_refused(mixed):
    with pytest.raises(DatasetError, match="excitation energy of a is missing"):
        dataset_to_signal(mixed)
