from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.dataset.summary import summarise
from hyperspy_coreloss.errors import DatasetError, ResolutionError
from hyperspy_coreloss.properties import PROPERTIES
from tests.made_sites import site, structure


def gaussian(energy, sigma):
    return np.exp(-0.5 * ((energy - 7.0) / sigma) ** 2) / sigma


def test_shipped_sites_are_silica(sites):
    assert len(sites) == len(sites.targets) >= 160
    length, angle = sites.targets[:, 0], sites.targets[:, 1]
    # Oxygen with a single bond has no angle.
    single = np.isnan(angle)
    assert np.isfinite(np.delete(sites.targets, 1, axis=1)).all()
    assert {sites.sites[row].population for row in np.flatnonzero(single)} <= {"defect"}
    assert single.sum() < 0.01 * len(sites)
    # Virtual structures are strained by up to 6 % and rattled on top.
    strained = np.array([one.details["strain"] > 0 for one in sites.sites])
    bridging = ~strained & ~single
    assert 1.55 < length[bridging].min() < length[bridging].max() < 1.85
    # A single bond is shorter than those of a bridge.
    assert 1.5 < length[single].min() < length[single].max() < 1.6
    assert 1.4 < length.min() < length.max() < 1.9
    assert 90 < np.nanmin(angle) < np.nanmax(angle) <= 180
    assert {"cristobalite", "tridymite"} <= set(sites.phases)


def test_shipped_sites_tell_where_their_structures_come_from(sites):
    for one in sites.sites:
        assert one.structure.source
        assert one.structure.licence in ("CC BY 4.0", "CC0") or "public" in one.structure.licence
        assert one.details["calculation"]["versions"]["gpaw"]
        assert one.structure.numbers[one.absorber] == 8


def test_spectra_start_at_the_gap(sites):
    energy = np.arange(-10.0, 30.0, 0.1)
    few = sites.take([sites.names.index(name) for name in ("COD-Coesite_8", "COD-Stishovite_2")])
    spectra = few.spectra(energy)
    assert spectra.shape == (2, 400)
    assert (spectra >= 0).all()
    for row, one in zip(spectra, few.sites, strict=True):
        occupied = energy + one.spectrum.lowest_empty < one.spectrum.gap_middle
        assert occupied.any()
        assert (row[occupied] == 0).all()
        assert row[~occupied].min() > 0
        assert row[np.abs(energy - 3) < 5].max() > 10 * row[np.abs(energy) < 0.3].max()


def test_lifetime_is_the_only_broadening():
    """Of spectra from recursion coefficients."""
    energy = np.arange(-10.0, 40.0, 0.02)
    one = SpectrumDataset((site(),), "made up", "CC0")
    sharp, wide = (one.spectra(energy, lifetime=lifetime)[0] for lifetime in (0.1, 0.4))
    kernel = 0.3 / np.pi / (np.arange(-10, 10.01, 0.02) ** 2 + 0.3**2) * 0.02
    convolved = np.convolve(sharp, kernel, mode="same")
    band = (energy > 0) & (energy < 10)
    np.testing.assert_allclose(convolved[band], wide[band], rtol=0.005)
    assert np.abs(sharp[band] / wide[band] - 1).max() > 0.05


def test_a_gaussian_adds_to_the_broadening_a_spectrum_has(mixed):
    energy = np.arange(-5.0, 20.0, 0.1)
    line = SampledSpectrum(np.arange(-20, 40, 0.01), gaussian(np.arange(-20, 40, 0.01), 0.3), 0.3)
    one = SpectrumDataset((site(spectrum=line),), "made up", "CC0")
    np.testing.assert_allclose(one.spectra(energy, 0.5)[0], gaussian(energy, 0.5), atol=1e-4)
    np.testing.assert_allclose(one.spectra(energy, 0.3)[0], gaussian(energy, 0.3), atol=1e-4)
    with pytest.raises(ResolutionError, match=r"has a broadening of σ = 0\.3 eV"):
        one.spectra(energy, 0.2)


def test_every_site_may_have_energies_of_its_own(mixed):
    energy = np.array([[0.0, 1.0]]) + np.arange(5)[:, np.newaxis]
    spectra = mixed.spectra(energy)
    for row, of_all in enumerate(energy):
        np.testing.assert_array_equal(spectra[row], mixed.spectra(of_all)[row])


def test_labels_that_are_not_known_are_nan(mixed):
    np.testing.assert_array_equal(np.isfinite(mixed.targets).sum(axis=1), [2, 2, 1, 2, 2])
    assert mixed.targets[2, 4] == -1.2


def test_the_range_is_that_of_the_narrowest_spectrum(mixed):
    assert mixed.energy_range == (-10.0, 25.0)
    assert mixed.take([0, 1]).energy_range == (-np.inf, np.inf)
    np.testing.assert_array_equal(mixed.sigma, [0, 0, 0, 0.3, 0])


def test_identity_covers_numbers_and_words(mixed):
    def changed(index, **changes):
        new = dataclasses.replace(mixed.sites[index], **changes)
        parts = (*mixed.sites[:index], new, *mixed.sites[index + 1 :])
        return dataclasses.replace(mixed, sites=parts)

    louder = dataclasses.replace(mixed.sites[1].spectrum, norm=np.full(4, 2.0))
    others = [
        mixed,
        dataclasses.replace(mixed, licence="none"),
        dataclasses.replace(mixed, convergence=()),
        changed(0, labels={"bond_length": 1.6 + 1e-9}),
        changed(0, absorber=1),
        changed(1, spectrum=louder),
        changed(4, projected_densities={}),
        mixed.take([1, 0, 2, 3, 4]),
    ]
    assert len({data.sha256 for data in others}) == len(others)
    assert mixed.sha256 == dataclasses.replace(mixed).sha256


@pytest.mark.parametrize(
    ("sites", "message"),
    [
        ((), "needs at least one site"),
        ((site("a"), site("b"), site("a")), "have the name 'a'"),
        (
            (site("a", cell=structure("x")), site("b", cell=structure("x", "y"))),
            "have the name 'x'",
        ),
        ((site(labels={"bond_lenght": 1.6}),), "a label 'bond_lenght', but the properties"),
    ],
)
def test_sites_that_do_not_fit_are_refused(sites, message):
    with pytest.raises(DatasetError, match=message):
        SpectrumDataset(sites, "made up", "CC0")


def test_labels_of_two_definitions_are_no_data_set():
    castep = {"label_definitions": {"mulliken_charge": "CASTEP's"}}
    charged = site("a", labels={"mulliken_charge": -1.2}, details=castep)
    other = site("b", labels={"mulliken_charge": -0.8})
    plain = site("c", labels={"bond_length": 1.6})
    with pytest.raises(DatasetError, match="same definition of the Mulliken charge, but a has"):
        SpectrumDataset((charged, other), "made up", "CC0")
    told = SpectrumDataset((charged, plain), "made up", "CC0")
    assert told.properties[4].definition == "CASTEP's"
    assert SpectrumDataset((other, plain), "x", "CC0").properties == PROPERTIES


def test_a_summary_counts_what_is_there(mixed):
    summary = summarise(mixed)
    assert (summary["n_spectra"], summary["n_structures"], summary["n_phases"]) == (5, 4, 3)
    assert summary["sha256"] == mixed.sha256
    assert summary["labels"]["bond_length"]["n_known"] == 4
    assert summary["labels"]["voronoi_volume"] == {"unit": "angstrom**3", "n_known": 0}
