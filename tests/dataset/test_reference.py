"""The reference of a material is the mean over its sites, each at its own energy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.dataset.reference import reference_edge
from hyperspy_coreloss.errors import DatasetError
from tests.made_sites import site, structure

GRID = np.arange(-40.0, 130.0, 0.05)


def line(name, at, excitation_energy, cell, population="glass", multiplicity=None):
    """A site with one line of a width of 0.5 eV."""
    spectrum = SampledSpectrum(GRID, np.exp(-0.5 * ((GRID - at) / 0.5) ** 2), 0.08)
    details = {} if multiplicity is None else {"multiplicity": multiplicity}
    labels = {"excitation_energy": excitation_energy}
    return site(name, spectrum, cell, labels=labels, details=details, population=population)


@pytest.fixture(scope="module")
def made():
    glass, crystal = structure("melt 1"), structure("crystal")
    return SpectrumDataset(
        sites=(
            line("g1", 10.0, 543.0, glass),
            line("g2", 30.0, 544.0, glass),
            line("c1", 10.0, 542.0, crystal, "crystal", 3),
            line("c2", 30.0, 546.0, crystal, "crystal", 1),
        ),
        description="made up",
        licence="CC0",
    )


def peaks(reference):
    middle = reference.intensity[1:-1]
    top = (middle > reference.intensity[:-2]) & (middle >= reference.intensity[2:]) & (middle > 0.1)
    return reference.energy[1:-1][top], middle[top]


def test_amorphous_silica_is_the_mean_of_the_glass(made):
    glass = reference_edge(made, "amorphous silica")
    assert (glass.material, glass.edge) == ("amorphous silica", "O_K")
    assert glass.excitation_energy == pytest.approx(543.5)
    assert glass.sigma == pytest.approx(0.08)
    energies, heights = peaks(glass)
    np.testing.assert_allclose(energies, [9.5, 30.5], atol=0.06)
    np.testing.assert_allclose(heights, 0.5, atol=0.01)


def test_sites_of_a_crystal_count_by_their_multiplicity(made):
    crystal = reference_edge(made, "crystal")
    assert crystal.excitation_energy == pytest.approx(543.0)
    energies, heights = peaks(crystal)
    np.testing.assert_allclose(energies, [9.0, 33.0], atol=0.06)
    np.testing.assert_allclose(heights, [0.75, 0.25], atol=0.01)


def test_a_reference_reaches_as_far_as_all_its_sites(made):
    short = replace(
        made.sites[0],
        name="short",
        spectrum=SampledSpectrum(GRID[GRID < 60], np.ones((GRID < 60).sum()), 0.08),
    )
    glass = reference_edge(replace(made, sites=(*made.sites, short)), "amorphous silica")
    assert 57 < glass.energy[-1] < 60
    assert glass.energy[0] == -15


def test_a_data_set_without_glass_has_no_amorphous_silica(made):
    with pytest.raises(DatasetError, match=r"population 'glass'.*it has: crystal.*'alpha-quartz'"):
        reference_edge(made.of_population("crystal"), "amorphous silica")


def test_a_misspelt_material_is_named(sites):
    with pytest.raises(DatasetError, match=r"'alpha-quarz'.*Did you mean 'alpha-quartz'"):
        reference_edge(sites, "alpha-quarz")


def test_energies_are_needed(made):
    without = replace(made.sites[0], labels={})
    with pytest.raises(DatasetError, match="excitation energy of g1 is missing"):
        reference_edge(replace(made, sites=(without,)), "amorphous silica")
