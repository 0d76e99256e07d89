"""Claims about reading plain tables of spectra and labels."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_coreloss.dataset.tables import read_table
from hyperspy_coreloss.errors import CoreLossError, DatasetError
from tests.paths import ROOT

IMPORTING = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
ENERGY = np.array([0.0, 0.5, 1.0, 2.0])
SPECTRA = {"a": [0.0, 1.0, 3.0, 2.0], "b": [0.0, 2.0, 1.0, 1.0]}
LABELS = [
    ["name", "structure", "phase", "bond_length (pm)", "mulliken_charge"],
    ["b", "cell", "quartz", "161.0", ""],
    ["a", "cell", "quartz", "162.5", "-1.2"],
]
SETTINGS = {"sigma": 0.5, "energy_origin": "lowest_empty"}


def write_rows(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def spectra_rows(energy=ENERGY, spectra=SPECTRA, head="energy (eV)"):
    return [[head, *spectra], *zip(energy, *spectra.values(), strict=True)]


@pytest.fixture
def files(tmp_path):
    """Write both files, each with other rows if wanted, and read them."""

    def read(spectra=None, labels=LABELS, **changes):
        first = write_rows(tmp_path / "spectra.csv", spectra or spectra_rows())
        second = write_rows(tmp_path / "labels.csv", labels)
        return read_table(first, second, **SETTINGS | changes)

    return read


def test_a_csv_table_gives_sites_in_the_units_of_their_properties(files):
    first, second = files(licence="CC0-1.0")
    assert (first.name, second.name) == ("a", "b")
    assert first.labels == pytest.approx({"bond_length": 1.625, "mulliken_charge": -1.2})
    assert second.labels == pytest.approx({"bond_length": 1.61})  # an empty cell is not known
    np.testing.assert_array_equal(first.spectrum.energy, ENERGY)
    np.testing.assert_array_equal(first.spectrum.intensity_samples, SPECTRA["a"])
    assert first.spectrum.sigma == 0.5
    assert first.absorber == -1
    structure = first.structure
    assert structure is second.structure
    assert (structure.name, structure.phase, structure.licence) == ("cell", "quartz", "CC0-1.0")


def test_a_row_of_units_says_the_same_as_units_in_the_header(files):
    head = [cell.split(" ")[0] for cell in LABELS[0]]
    units = ["units", "", "", "pm", "elementary_charge"]
    assert files(labels=[head, units, *LABELS[1:]])[0].labels == files()[0].labels
    with pytest.raises(DatasetError, match="two units"):
        files(labels=[LABELS[0], units, *LABELS[1:]])


def test_structure_and_phase_default_to_the_name(files):
    sites = files(labels=[["name", "bond_length"], ["a", "1.6"], ["b", "1.7"]])
    assert [(site.structure.name, site.structure.phase) for site in sites] == [
        ("a", "a"),
        ("b", "b"),
    ]


def test_energies_in_another_unit_become_ev(files):
    rows = spectra_rows(energy=ENERGY / 1000, head="energy [keV]")
    np.testing.assert_allclose(files(rows)[0].spectrum.energy, ENERGY)


def test_absolute_energies_are_counted_from_each_lowest_empty_state(files):
    rows = spectra_rows(energy=ENERGY + 530)
    labels = [["name", "lowest_empty (meV)"], ["a", "530500"], ["b", "531000"]]
    first, second = files(rows, labels, energy_origin="absolute")
    np.testing.assert_allclose(first.spectrum.energy, ENERGY - 0.5)
    np.testing.assert_allclose(second.spectrum.energy, ENERGY - 1.0)
    assert "lowest_empty" not in first.labels


def test_one_number_may_be_the_origin_of_all(files):
    rows = spectra_rows(energy=ENERGY + 530)
    site = files(rows, energy_origin=530.5)[0]
    np.testing.assert_allclose(site.spectrum.energy, ENERGY - 0.5)
    assert site.details["energy_origin"] == 530.5


@pytest.mark.parametrize(
    ("origin", "column", "message"),
    [
        ("absolute", False, "Add the column lowest_empty"),
        ("lowest_empty", True, "remove the column"),
        ("threshold", True, "remove the column"),
        (530.0, True, "remove the column"),
        ("fermi", False, "'fermi'"),
        (float("nan"), False, "not nan"),
    ],
)
def test_an_origin_that_is_not_clear_is_refused(files, origin, column, message):
    labels = [["name", *["lowest_empty"] * column], *[[n, *["1.0"] * column] for n in "ab"]]
    with pytest.raises(DatasetError, match=message):
        files(labels=labels, energy_origin=origin)


def changed(rows, line, column, cell):
    rows = [list(row) for row in rows]
    rows[line][column] = cell
    return rows


@pytest.mark.parametrize(
    ("line", "column", "cell", "message"),
    [
        (0, 0, "channel", "must be 'energy"),
        (0, 0, "energy (pm)", "another dimension"),
        (0, 2, "a", r"'a'\. Rename"),
        (0, 2, " ", "one has no name"),
        (0, 2, "c", r"'b', 'c' \(2 in all\)"),
        (2, 1, "nan", "line 3, column 'a'"),
        (2, 1, "", "line 3, column 'a'"),
        (3, 2, "1,5", "line 4, column 'b'"),
        (3, 2, "1_5", "line 4, column 'b'"),
        (2, 0, "0.0", "from the energy 0 eV to the next"),
        (3, 0, "0.2", r"from the energy 0\.5"),
    ],
)
def test_broken_spectra_are_refused_with_their_place(files, line, column, cell, message):
    with pytest.raises(DatasetError, match=message):
        files(changed(spectra_rows(), line, column, cell))


@pytest.mark.parametrize(
    ("line", "column", "cell", "message"),
    [
        (0, 0, "site", "first column"),
        (0, 3, "bond_lenght (pm)", "Did you mean 'bond_length'"),
        (0, 3, "bond_length (eV)", "another dimension"),
        (0, 3, "bond_length (banana)", "is not a unit"),
        (0, 3, "bond_length (", r"heading 'bond_length \('"),
        (0, 4, "bond_length", "repeated: bond_length"),
        (1, 0, "a", r"'a'\. Rename"),
        (1, 0, "z", r"'b', 'z'"),
        (1, 3, "inf", r"line 2, column 'bond_length'"),
        (1, 2, "cristobalite", "must agree in phase"),
        (1, 3, "16000", r"0\.5 and 5 Å.* line 2, column 'bond_length' of .*labels\.csv is 160 Å"),
        (2, 3, "-160", r"line 3, column 'bond_length' of .* is -1\.6 Å\. Correct .* unit"),
        (1, 3, "1e300", "line 2, column 'bond_length'"),
        (2, 4, "-120", r"between -10 and 10 e, but that in line 3, column 'mulliken_charge'"),
    ],
)
def test_broken_labels_are_refused_with_their_place(files, line, column, cell, message):
    with pytest.raises(DatasetError, match=message):
        files(labels=changed(LABELS, line, column, cell))


@pytest.mark.parametrize(
    ("heading", "number"),
    [("bond_angle (electron)", "1"), ("bond_overlap_population (degree)", "1"),
     ("bond_angle (percent)", "1"), ("mulliken_charge (electron)", "1")],
)  # fmt: skip
def test_units_of_another_kind_are_refused_without_a_dimension_too(files, heading, number):
    with pytest.raises(DatasetError, match="another dimension"):
        files(labels=[["name", heading], ["a", number], ["b", number]])


@pytest.mark.parametrize(
    ("heading", "number", "found"),
    [
        ("bond_angle", "1400", "line 3, .* is 1400 °|line 3, .* is 1400 deg"),
        ("bond_angle (radian)", "140", "line 3, .* is 8021"),
        ("bond_length (m)", "1.6", "line 2, .* is 1e\\+10 Å"),
        ("voronoi_volume", "0", "line 3, .* is 0 Å³"),
        ("excitation_energy", "-530", "line 3, .* is -530 eV"),
    ],
)
def test_labels_that_cannot_be_in_their_unit_are_refused(files, heading, number, found):
    with pytest.raises(DatasetError, match=found):
        files(labels=[["name", heading], ["a", "1"], ["b", number]])


def test_a_spectrum_of_zeros_is_refused_with_its_column(files):
    zeros = SPECTRA | {"b": [0.0] * 4}
    with pytest.raises(DatasetError, match=r"column 'b' of .* zero in all 4 rows, from 0 to 2 eV"):
        files(spectra_rows(spectra=zeros))


def test_angles_may_be_in_radian(files):
    labels = [["name", "bond_angle (radian)"], ["a", "3.14159265359"], ["b", "1"]]
    assert files(labels=labels)[0].labels["bond_angle"] == pytest.approx(180)


def test_rows_of_other_lengths_are_refused(files):
    with pytest.raises(DatasetError, match=r"line 3 \('0\.5'\) has 2"):
        files([*spectra_rows()[:2], [0.5, 1.0]])


def test_remarks_and_empty_lines_are_skipped(files):
    rows = spectra_rows()
    assert files([["# made by hand", "", ""], rows[0], [], *rows[1:]])[0].name == "a"


def test_what_cannot_be_a_table_is_refused(tmp_path, files):
    path = write_rows(tmp_path / "x.csv", spectra_rows())
    with pytest.raises(DatasetError, match="there is none"):
        read_table(tmp_path / "y.csv", path, **SETTINGS)
    with pytest.raises(DatasetError, match="need labels"):
        read_table(path, **SETTINGS)
    with pytest.raises(DatasetError, match=r"must be a \.csv"):
        read_table(path.rename(tmp_path / "x.txt"), **SETTINGS)
    with pytest.raises(DatasetError, match="it is empty"):
        files(labels=[])
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match="UTF-8"):
        read_table(tmp_path / "x.csv", tmp_path / "labels.csv", **SETTINGS)


def test_a_table_without_sites_or_energies_is_refused(files):
    with pytest.raises(DatasetError, match="contains no site"):
        files([["energy"], [0.0], [1.0]], [["name"]])
    with pytest.raises(DatasetError, match="At least two finite"):
        files(spectra_rows()[:2])


@pytest.mark.parametrize("sigma", [-0.1, np.nan, np.inf, "0.5", None, [0.5], 2.0, 1e9])
def test_a_broadening_without_sense_is_refused(files, sigma):
    with pytest.raises(DatasetError, match=r"0 eV or more, and below their range of 2 eV, but it"):
        files(sigma=sigma)


@pytest.mark.parametrize("origin", [None, np.nan, [532.0], "abs", True])
def test_an_origin_without_sense_is_refused(files, origin):
    with pytest.raises(DatasetError, match="energy_origin must be"):
        files(energy_origin=origin)


def test_definitions_are_of_properties(files):
    with pytest.raises(DatasetError, match="definitions by name of a property, not 'mulliken'"):
        files(label_definitions="mulliken")
    with pytest.raises(CoreLossError, match="no property 'mulliken'"):
        files(label_definitions={"mulliken": "CASTEP's"})


@pytest.fixture
def hdf5(tmp_path):
    """Write an HDF5 table, with some data sets replaced or left out, and read it."""

    def read(*, without=(), **changes):
        path = tmp_path / "sites.h5"
        content = {
            "energy": ENERGY,
            "spectra": np.array(list(SPECTRA.values())),
            "names": np.array(list(SPECTRA), dtype=object),
            "labels/bond_length": np.array([162.5, np.nan]),
            "labels/phase": np.array(["quartz", ""], dtype=object),
        }
        with h5py.File(path, "w") as file:
            for name, values in (content | changes).items():
                if name not in without:
                    file[name] = values
            if "labels/bond_length" in file:
                file["labels/bond_length"].attrs["units"] = "pm"
        return read_table(path, **SETTINGS)

    return read


def test_an_hdf5_table_says_the_same(hdf5):
    first, second = hdf5()
    assert first.labels == pytest.approx({"bond_length": 1.625})
    assert second.labels == {}
    assert [site.structure.phase for site in (first, second)] == ["quartz", "b"]
    np.testing.assert_array_equal(second.spectrum.intensity_samples, SPECTRA["b"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"without": ["energy"]}, "'energy'"),
        ({"without": ["names"]}, "'names'"),
        ({"without": ["labels/bond_length", "labels/phase"]}, "a group 'labels'"),
        ({"names": np.array(["a"], dtype=object)}, "1 names"),
        ({"names": np.arange(2)}, "strings 'names'"),
        ({"spectra": np.ones((2, 3))}, r"\(2, 3\)"),
        ({"labels/bond_length": np.ones(3)}, r"bond_length \(3,\)"),
        ({"labels/bond_length": 1.0}, r"bond_length \(\)"),
        ({"labels/bond_length": np.ones((2, 2))}, r"bond_length \(2, 2\)"),
        ({"names": "ab"}, "strings 'names'"),
        ({"labels/bond_length": np.array([1, np.inf])}, "or NaN if missing"),
        ({"labels/colour": np.ones(2)}, "no property 'colour'"),
        ({"spectra": np.full((2, 4), np.nan)}, "'a' is not at 0 eV"),
        ({"spectra": np.zeros((2, 4))}, "column 'a' of sites.h5 is zero in all 4 rows"),
        ({"spectra": np.ones((2, 4), complex)}, "numbers 'spectra'.*complex128"),
        ({"spectra": np.ones((2, 4), bool)}, "numbers 'spectra'.*bool"),
        ({"spectra": h5py.SoftLink("/spectra")}, "numbers 'spectra'"),
        ({"spectra": h5py.ExternalLink("none.h5", "/x")}, "numbers 'spectra'"),
        ({"spectra": h5py.Empty("f8")}, "numbers 'spectra'"),
        (
            {"labels/bond_length": np.array([162.5, 16000.0])},
            r"row 1 \('b'\), column",
        ),
    ],
)
def test_a_broken_hdf5_table_is_refused(hdf5, changes, message):
    with pytest.raises(DatasetError, match=message):
        hdf5(**changes)


def test_an_array_that_is_not_in_the_file_is_refused_unread(tmp_path, hdf5):
    """A file of some kilobytes can state 16 TB of zeros."""
    hdf5()
    with h5py.File(tmp_path / "sites.h5", "r+") as file:
        del file["spectra"]
        file.create_dataset("spectra", (2, 10**12), "f8", chunks=(1, 10**6), compression="gzip")
    with pytest.raises(DatasetError, match=r"'spectra' has the shape .* takes 0 bytes in the file"):
        read_table(tmp_path / "sites.h5", **SETTINGS)


def test_units_that_are_no_text_are_refused(tmp_path, hdf5):
    hdf5()
    for units in (np.bytes_(b"\xff"), 5, ["eV", "keV"]):
        with h5py.File(tmp_path / "sites.h5", "r+") as file:
            file["energy"].attrs["units"] = units
        with pytest.raises(DatasetError, match="is not a unit"):
            read_table(tmp_path / "sites.h5", **SETTINGS)


def test_an_hdf5_table_takes_no_second_file(tmp_path, hdf5):
    hdf5()
    with pytest.raises(DatasetError, match="contains the labels"):
        read_table(tmp_path / "sites.h5", tmp_path / "sites.h5", **SETTINGS)
    (tmp_path / "sites.h5").write_bytes(b"no HDF5")
    with pytest.raises(DatasetError, match="must be an HDF5 file"):
        read_table(tmp_path / "sites.h5", **SETTINGS)


# The csv module of Python 3.10 neither writes nor reads NUL.
UNWRITTEN = "\0" if sys.version_info < (3, 11) else ""
WORDS = st.text(st.characters(codec="utf-8", exclude_characters=UNWRITTEN), max_size=12)
CELLS = st.one_of(WORDS, st.floats().map(str), st.sampled_from(["name", "a", "bond_length", "1"]))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=4),
    st.one_of(WORDS, st.sampled_from(["bond_length (", "energy (", "name"])),
)
def test_wild_tables_are_read_or_refused_never_misread(tmp_path_factory, rows, heading):
    folder = tmp_path_factory.mktemp("wild")
    good = write_rows(folder / "good.csv", LABELS)
    plain = write_rows(folder / "spectra.csv", spectra_rows())
    wild = write_rows(folder / "wild.csv", rows)
    headed = write_rows(folder / "headed.csv", changed(LABELS, 0, 3, f"bond_length ({heading})"))
    for first, second in ((plain, wild), (wild, good), (plain, headed)):
        try:
            sites = read_table(first, second, **SETTINGS)
        except CoreLossError as error:
            assert isinstance(error, DatasetError)
        else:
            assert all(np.isfinite(list(site.labels.values())).all() for site in sites)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20, unique=True).filter(
        lambda energies: np.ptp(energies) > SETTINGS["sigma"]
    ),
    st.integers(0, 2**32 - 1),
)
def test_what_is_written_is_read(tmp_path_factory, energies, seed):
    folder = tmp_path_factory.mktemp("exact")
    energy = np.sort(energies)
    spectrum = np.random.default_rng(seed).normal(size=len(energy))
    rows = spectra_rows(energy.tolist(), {"a": spectrum.tolist()})
    spectra = write_rows(folder / "spectra.csv", rows)
    labels = write_rows(folder / "labels.csv", [["name", "excitation_energy"], ["a", "540.123"]])
    (site,) = read_table(spectra, labels, **SETTINGS)
    np.testing.assert_array_equal(site.spectrum.energy, energy)
    np.testing.assert_array_equal(site.spectrum.intensity_samples, spectrum)
    assert site.labels == {"excitation_energy": 540.123}


def test_the_example_of_the_documentation_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in re.findall(r"```text\n# (\w+\.csv)\n(.*?)```", IMPORTING, re.DOTALL):
        Path(name).write_text(f"# {name}\n{content}", encoding="utf-8")
    (code,) = re.findall(
        r"```python\n(from hyperspy_coreloss\.dataset import read_table.*?)```",
        IMPORTING,
        re.DOTALL,
    )
    variables = {}
    exec(code, variables)
    quartz, stishovite = variables["sites"]
    assert quartz.labels == {"bond_length": 1.613, "bond_angle": 146.7, "mulliken_charge": -1.18}
    assert set(stishovite.labels) == {"bond_length", "bond_angle"}
    assert quartz.structure.phase == "alpha-quartz"
    np.testing.assert_array_equal(stishovite.spectrum.intensity_samples, [0, 0.2, 0.4, 0.3])
