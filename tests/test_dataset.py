from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from hyperspy_coreloss.dataset import SpectrumDataset, collect_sites
from hyperspy_coreloss.errors import DatasetError


def test_shipped_sites_are_silica(sites):
    assert len(sites) == len(sites.targets) >= 77
    length, angle = sites.targets[:, 0], sites.targets[:, 1]
    assert 1.5 < length.min() < length.max() < 1.8
    assert 110 < angle.min() < angle.max() <= 180
    assert "alpha-quartz" in sites.phases


def test_spectra_start_at_the_gap(sites):
    energy = np.arange(-10.0, 30.0, 0.1)
    spectra = sites.spectra(energy, [0, 5])
    assert spectra.shape == (2, 400)
    assert (spectra >= 0).all()
    for row, site in zip(spectra, (0, 5), strict=True):
        occupied = energy + sites.lowest_empty[site] < sites.gap_middle[site]
        assert occupied.any()
        assert (row[occupied] == 0).all()
        assert row[~occupied].min() > 0
        assert row[np.abs(energy - 3) < 5].max() > 10 * row[np.abs(energy) < 0.3].max()


def test_lifetime_is_the_only_broadening(sites):
    energy = np.arange(-10.0, 40.0, 0.02)
    sharp, wide = (sites.spectra(energy, [3], lifetime)[0] for lifetime in (0.1, 0.4))
    kernel = 0.3 / np.pi / (np.arange(-10, 10.01, 0.02) ** 2 + 0.3**2) * 0.02
    convolved = np.convolve(sharp, kernel, mode="same")
    peak = (energy > 2) & (energy < 10)
    np.testing.assert_allclose(convolved[peak], wide[peak], rtol=0.05)


def test_file_gives_the_data_set_back(sites, tmp_path):
    sites.save(tmp_path / "sites.npz")
    again = SpectrumDataset.load(tmp_path / "sites.npz")
    assert again.sha256() == sites.sha256()
    assert again.names == sites.names
    np.testing.assert_array_equal(again.targets, sites.targets)


def test_identity_covers_numbers_and_words(sites):
    shifted = dataclasses.replace(sites, targets=sites.targets + 1e-9)
    renamed = dataclasses.replace(sites, licence="none")
    assert len({data.sha256() for data in (sites, shifted, renamed)}) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": np.zeros((3, 6))}, "targets of a data set of .* needs the shape"),
        ({"phases": ("one",)}, "needs as many phases"),
        ({"site": None}, "needs recursion chains"),
        ({"norm": np.ones(3)}, "needs the shape"),
    ],
)
def test_parts_that_do_not_fit_are_refused(sites, change, message):
    if "site" in change:
        change = {"site": np.zeros_like(sites.site)}
    with pytest.raises(DatasetError, match=message):
        dataclasses.replace(sites, **change)


def test_labels_must_be_finite(sites):
    targets = sites.targets.copy()
    targets[4, 2] = np.nan
    with pytest.raises(DatasetError, match=f"drop or repair {sites.names[4]}"):
        dataclasses.replace(sites, targets=targets)


def test_other_files_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", spectra=np.zeros(3))
    with pytest.raises(DatasetError, match=r"other\.npz is no spectrum data set: .*'alpha'"):
        SpectrumDataset.load(tmp_path / "other.npz")


def write_site(folder, name, n_k=1, **label):
    known = {
        "name": name,
        "source": "made up",
        "lumo": 3.0,
        "homo": -3.0,
        "bond_length": 1.6,
        "bond_angle": 145.0,
        "voronoi_volume": 20.0,
        "bond_overlap_population": 0.6,
        "mulliken_charge": -0.8,
        "e_xch": -10.0,
        "e_ref_xch": -100.0,
        "e_gs": -20.0,
        "e_ref_gs": -630.0,
    }
    np.savez(
        folder / f"{name}_0.npz",
        alpha=np.zeros((n_k, 3, 20), np.float32),
        beta=np.ones((n_k, 3, 20), np.float32),
        norm=np.ones((n_k, 3), np.float32),
        cell=4.0 * np.eye(3),
        positions=np.zeros((1, 3)),
        site=0,
        label=json.dumps({**known, **label}),
    )


def test_sites_are_collected_with_phases_and_excitation_energies(tmp_path):
    write_site(tmp_path, "IZA-SOD", n_k=2)
    write_site(tmp_path, "MD-sod-19")
    write_site(tmp_path, "mp-7000_SiO2", e_xch=-9.0)
    collected = collect_sites(tmp_path, "made up", "CC0")
    assert collected.phases == ("SOD", "SOD", "alpha-quartz")
    assert collected.norm.shape == (12,)
    np.testing.assert_allclose(collected.targets[:, 5], [540.0, 540.0, 541.0])
    np.testing.assert_allclose(collected.targets[:, 2], 64.0)
    np.testing.assert_allclose(collected.gap_middle, 0.0)


def test_sites_may_name_their_phase(tmp_path):
    write_site(tmp_path, "IZA-SOD", structure="IZA-SOD-v0", phase="sodalite")
    collected = collect_sites(tmp_path, "made up", "CC0")
    assert collected.structures == ("IZA-SOD-v0",)
    assert collected.phases == ("sodalite",)


def test_a_folder_without_sites_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no site"):
        collect_sites(tmp_path, "made up", "CC0")
