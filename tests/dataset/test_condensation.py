"""Claims about condensed spectra: the spectra of their coefficients in a fifth of the space."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest

from hyperspy_coreloss.data import oxygen_k_sites
from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.condensation import LAST, SIGMA, condense, sample_energies
from hyperspy_coreloss.dataset.dataset import SpectrumDataset, load_dataset
from hyperspy_coreloss.dataset.inputs import default_recipe, network_inputs
from hyperspy_coreloss.errors import ResolutionError
from tests.made_sites import site


@pytest.fixture(scope="module")
def sites():
    """Sites of which the shipped data set has the coefficients, without projected densities."""
    explained = [each for each in oxygen_k_sites().sites if each.projected_densities]
    return tuple(replace(each, projected_densities={}) for each in explained[:4])


def as_dataset(sites) -> SpectrumDataset:
    return SpectrumDataset(tuple(sites), "made up", "CC0")


@pytest.mark.parametrize("sigma", [0.3, 0.5, 0.8])
def test_condensed_spectra_are_those_of_the_coefficients_as_microscopes_see_them(sites, sigma):
    energy = np.arange(-5.0, 120.0, 0.1)
    exact = as_dataset(sites).spectra(energy, sigma)
    condensed = as_dataset(condense(sites)).spectra(energy, sigma)
    deviation = np.abs(condensed - exact).max(axis=1) / exact.max(axis=1)
    assert deviation.max() < 0.002


def test_networks_read_the_same_from_condensed_spectra(sites):
    recipe = default_recipe(as_dataset(sites))
    exact = network_inputs(as_dataset(sites), recipe)
    condensed = network_inputs(as_dataset(condense(sites)), recipe)
    assert np.abs(condensed - exact).max() < 0.005 * exact.max()


def test_condensed_spectra_take_a_fifth_of_the_space(sites, tmp_path):
    for name, chosen in (("exact", sites), ("condensed", condense(sites))):
        as_dataset(chosen).save(tmp_path / f"{name}.nc")
    stored = {"exact": ("alpha", "beta"), "condensed": ("sample_energy", "sample_intensity")}
    sizes = []
    for name, variables in stored.items():
        with h5py.File(tmp_path / f"{name}.nc") as file:
            sizes.append(sum(file[each].id.get_storage_size() for each in variables))
    exact, condensed = sizes
    assert condensed < 0.2 * exact


def test_condensed_spectra_survive_a_file(sites, tmp_path):
    dataset = as_dataset(condense(sites))
    dataset.save(tmp_path / "sites.nc")
    assert load_dataset(tmp_path / "sites.nc").sha256 == dataset.sha256


def test_any_axis_that_begins_before_the_edge_is_covered(sites):
    spectra = as_dataset(condense(sites)).spectra(np.arange(-200.0, 130.0, 0.5), 0.5)
    assert not spectra[:, :300].any()
    assert spectra[:, 420:].all()


def test_resolutions_below_that_of_the_samples_are_refused(sites):
    with pytest.raises(ResolutionError, match="already has a broadening"):
        as_dataset(condense(sites)).spectra(np.arange(5.0), SIGMA / 2)


def test_what_is_no_chain_or_has_projected_densities_stays_as_it_is(sites):
    energy = np.arange(-5.0, 40.0, 0.1)
    curve = site("curve", spectrum=SampledSpectrum(energy, np.exp(-(energy**2)), 0.3))
    explained = replace(sites[0], projected_densities={"O1, core hole": sites[0].spectrum})
    assert condense([curve, explained]) == (curve, explained)


def test_samples_are_close_where_states_are_sharp():
    energy = sample_energies()
    assert energy[-1] == LAST
    for low, high, step in ((-10, 20, 0.05), (20, 45, 0.1), (45, LAST, 0.2)):
        inside = energy[(energy >= low) & (energy <= high)]
        np.testing.assert_allclose(np.diff(inside), step, rtol=1e-6)
