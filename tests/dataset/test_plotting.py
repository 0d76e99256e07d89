from __future__ import annotations

import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_coreloss.dataset.plotting import plot_dataset, plot_projected_densities
from hyperspy_coreloss.errors import DatasetError


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_data_set_is_drawn_with_all_its_labels_and_spectra(mixed):
    figure = plot_dataset(mixed)
    assert "O K: 5 spectra, 4 structures, 3 phases" in figure.get_suptitle()
    titled = [axes for axes in figure.axes if axes.get_xlabel()]
    assert [axes.get_xlabel() for axes in titled[:6]] == [spec.label for spec in mixed.properties]
    assert titled[0].get_yticklabels()[0].get_text() == "other (5)"
    box = titled[0].patches[0].get_path().vertices[:, 0]
    assert (box.min(), box.max()) == (1.6, 1.6)  # of the four sites with this label


def test_a_data_set_of_one_property_is_drawn(mixed):
    sites = tuple(
        dataclasses.replace(site, labels={"bond_length": 1.6 + 0.01 * number})
        for number, site in enumerate(mixed.sites)
    )
    figure = plot_dataset(dataclasses.replace(mixed, sites=sites, properties=mixed.properties[:1]))
    assert len(figure.axes) == 5


def test_densities_are_drawn_on_the_scale_of_the_ground_state(mixed):
    site = mixed.sites[4]
    (density,) = site.projected_densities.values()
    site = dataclasses.replace(
        site,
        details={"homo_gs": -1.0, "lumo_gs": 4.0, "potential_shift": 0.25},
        projected_densities={
            "p of O 0, ground state": dataclasses.replace(density, gap_middle=-np.inf),
            "p of O 0, core hole": dataclasses.replace(density, gap_middle=-np.inf),
        },
    )
    spectrum, oxygen = plot_projected_densities(site).axes
    (curve,) = spectrum.lines
    energy, values = curve.get_data()
    # The highest occupied state of the ground state, -1 eV, lies at -0.75 eV in the core-hole cell.
    np.testing.assert_allclose(values, site.spectrum.intensity(energy - 0.75 - 2.5, 0.3))
    whole = dataclasses.replace(density, gap_middle=-np.inf)
    ground, core_hole = (line.get_ydata() for line in oxygen.lines)
    np.testing.assert_allclose(core_hole, whole.intensity(energy - 0.75 - 2.5, 0.3))
    np.testing.assert_allclose(ground, whole.intensity(energy - 5.0, 0.3))


def test_a_site_without_densities_cannot_be_explained(mixed):
    with pytest.raises(DatasetError, match="a has no projected densities"):
        plot_projected_densities(mixed.sites[0])
