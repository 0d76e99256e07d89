from __future__ import annotations

import h5netcdf
import h5py
import numpy as np
import pytest
import xarray

from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.errors import DatasetError


@pytest.fixture
def file(mixed, tmp_path):
    mixed.save(tmp_path / "mixed.nc")
    return tmp_path / "mixed.nc"


def test_a_file_gives_the_data_set_back(mixed, file):
    again = load_dataset(file)
    assert again.sha256 == mixed.sha256
    assert again.names == mixed.names
    np.testing.assert_array_equal(again.targets, mixed.targets)
    energy = np.arange(-5.0, 20.0, 0.1)
    np.testing.assert_array_equal(again.spectra(energy), mixed.spectra(energy))
    assert again.sites[0].structure is again.sites[1].structure
    assert again.sites[0].details == mixed.sites[0].details
    assert again.sites[2].label_definitions == {"mulliken_charge": "CASTEP's"}
    assert again.properties == mixed.properties
    assert list(again.sites[4].projected_densities) == ["ground state O p"]


def test_each_kind_of_spectrum_may_stand_alone(mixed, tmp_path):
    for index in range(len(mixed)):
        one = mixed.take([index])
        one.save(tmp_path / "one.nc")
        assert load_dataset(tmp_path / "one.nc").sha256 == one.sha256


def test_xarray_opens_the_file_with_names_and_units(mixed, file):
    with xarray.open_dataset(file) as opened:
        assert opened.sizes["site"] == 5
        assert float(opened.bond_length.sel(site="b")) == 1.6
        assert opened.bond_length.attrs["units"] == "angstrom"
        assert opened.attrs["license"] == "CC0"
        assert opened.attrs["sha256"] == mixed.sha256
        owner = opened.structure.values[opened.structure_of_site.sel(site="b")]
        assert owner == "common"
        assert len(opened.variables) > 10
        for name in opened.variables:
            assert "long_name" in opened[name].attrs, name


def test_the_shipped_file_is_readable_by_xarray(sites):
    from pathlib import Path

    import hyperspy_coreloss.data as shipped

    with xarray.open_dataset(Path(shipped.__file__).parent / "oxygen_k_sites.nc") as opened:
        assert opened.sizes["site"] == len(sites)
        np.testing.assert_array_equal(opened.bond_length, sites.targets[:, 0])


def test_a_changed_file_is_refused(file):
    with h5py.File(file, "r+") as opened:
        opened["bond_length"][0] = 1.7
    with pytest.raises(DatasetError, match="damaged or was changed by hand"):
        load_dataset(file)


def test_a_file_that_ends_early_is_refused(file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match="is not a complete spectrum data set"):
        load_dataset(file)


def test_a_file_without_a_part_is_refused(file):
    with h5py.File(file, "r+") as opened:
        del opened["norm"]
    with pytest.raises(DatasetError, match=r"is not a complete spectrum data set.*norm"):
        load_dataset(file)


def test_a_site_without_a_spectrum_is_named(mixed, tmp_path):
    mixed.take([0, 1]).save(tmp_path / "two.nc")
    with h5py.File(tmp_path / "two.nc", "r+") as opened:
        opened["site_of_chain"][...] = 1
    with pytest.raises(DatasetError, match="site a of the file has no spectrum"):
        load_dataset(tmp_path / "two.nc")


def test_chains_of_mixed_order_are_refused(file):
    with h5py.File(file, "r+") as opened:
        opened["site_of_chain"][...] = opened["site_of_chain"][...][::-1]
    with pytest.raises(DatasetError, match="must be contiguous"):
        load_dataset(file)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "is not a spectrum data set"),
        (
            {"format": "hyperspy_coreloss spectrum data set", "format_version": 99},
            "Update hyper",
        ),
    ],
)
def test_other_files_are_refused(tmp_path, attributes, message):
    with h5netcdf.File(tmp_path / "other.nc", "w") as other:
        other.attrs.update(attributes)
    with pytest.raises(DatasetError, match=message):
        load_dataset(tmp_path / "other.nc")


def test_an_array_that_is_not_in_the_file_is_refused_unread(file):
    """A file of some kilobytes can state terabytes of zeros."""
    with h5py.File(file, "r+") as opened:
        del opened["bond_length"]
        opened.create_dataset("bond_length", (10**12,), "f8", chunks=(10**6,), compression="gzip")
    with pytest.raises(DatasetError, match=r"'bond_length' has the shape .* takes 0 bytes in the"):
        load_dataset(file)


DEEP = "[" * 60000 + "]" * 60000


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("properties", "[1]"),
        ("properties", DEEP),
        ("convergence", "5"),
        ("convergence", DEEP),
        ("format_version", [1, 2]),
        ("format_version", "x"),
    ],
)
def test_attributes_of_another_kind_are_refused(file, attribute, value):
    with h5py.File(file, "r+") as opened:
        opened.attrs[attribute] = value
    with pytest.raises(DatasetError, match=r"mixed\.nc is not a complete spectrum data set"):
        load_dataset(file)


@pytest.mark.parametrize("version", [-1, 0])
def test_versions_that_never_were_are_refused(file, version):
    with h5py.File(file, "r+") as opened:
        opened.attrs["format_version"] = version
    with pytest.raises(DatasetError, match=f"format version {version}, but .* reads versions 1 to"):
        load_dataset(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("structure_of_site", 99),
        ("calculation_of_site", 99),
        ("details", "5"),
        ("details", DEEP),
    ],
)
def test_contents_of_another_kind_are_refused(file, name, value):
    with h5py.File(file, "r+") as opened:
        opened[name][0] = value
    with pytest.raises(DatasetError, match=r"mixed\.nc is not a complete spectrum data set"):
        load_dataset(file)


def test_a_link_to_itself_is_refused(file):
    with h5py.File(file, "r+") as opened:
        opened["loop"] = h5py.SoftLink("/loop")
    with pytest.raises(DatasetError, match="is not a complete spectrum data set"):
        load_dataset(file)


@pytest.mark.parametrize("name", ["missing.nc", 5000 * "a"])
def test_a_missing_file_is_called_missing(tmp_path, name):
    with pytest.raises(DatasetError, match="There is no data set"):
        load_dataset(tmp_path / name)
