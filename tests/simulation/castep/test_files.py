"""Claims about reading CASTEP's and OptaDOS's files of eigenvalues, elements and spectra."""

from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.simulation.castep.files import read_bands, read_core_matrix_elements
from hyperspy_coreloss.simulation.castep.optados import (
    read_core_edges,
    read_optados_settings,
    sampled_spectrum,
)
from hyperspy_coreloss.simulation.castep.spectra import transition_lines
from tests.simulation.castep.castep_writer import (
    core_edge_text,
    matrix_bytes,
    optados_output,
    write_bands,
)

# One spin, two k-points, 4 electrons: two bands occupied, three empty.
ENERGIES = [[[-8.0, -2.0, 4.0, 6.0, 9.0], [-7.5, -2.5, 3.0, 6.5, 8.0]]]
WEIGHTS = [0.25, 0.75]
ORBITALS = [(1, 1, 1, 1), (3, 1, 1, 1)]


def random_elements(rng, points=2, spins=1, orbitals=2, bands=5):
    parts = rng.normal(size=(2, points, spins, orbitals, bands, 3))
    return parts[0] + 1j * parts[1]


@pytest.fixture
def bands(tmp_path):
    write_bands(tmp_path / "a.bands", ENERGIES, WEIGHTS, [4])
    return read_bands(tmp_path / "a.bands")


def read_matrix(folder, elements, **settings):
    path = folder / "a.eels_mat"
    path.write_bytes(matrix_bytes(ORBITALS, elements, **settings))
    return read_core_matrix_elements(path)


def test_bands_give_their_energies_in_ev(bands):
    np.testing.assert_allclose(bands.energies, ENERGIES, atol=2e-7)
    np.testing.assert_allclose(bands.weights, WEIGHTS)
    assert bands.occupied == (2,)
    assert bands.lowest_empty == pytest.approx(3.0, abs=1e-6)
    np.testing.assert_allclose(bands.fermi, [2.7211386], atol=1e-6)


def test_a_half_filled_level_counts_as_empty(tmp_path):
    write_bands(tmp_path / "a.bands", ENERGIES, WEIGHTS, [5])
    assert read_bands(tmp_path / "a.bands").occupied == (2,)


@pytest.mark.parametrize(
    ("electrons", "occupied"), [([2, 2], (2, 2)), ([3, 2], (2, 2)), ([3, 1], (3, 1))]
)
def test_spins_are_counted_apart_but_for_the_lifted_electron(tmp_path, electrons, occupied):
    levels = [-9.0, -8.0, -7.0, 3.0] if occupied == (3, 1) else [-9.0, -8.0, 2.0, 3.0]
    other = [-9.0, 2.0, 3.0, 4.0] if occupied == (3, 1) else levels
    write_bands(tmp_path / "a.bands", [[levels], [other]], [1.0], electrons)
    assert read_bands(tmp_path / "a.bands").occupied == occupied


def test_a_metal_is_refused(tmp_path):
    write_bands(tmp_path / "a.bands", [[[0.0, 1.0, 2.0], [0.0, 2.5, 3.0]]], WEIGHTS, [4])
    metal = read_bands(tmp_path / "a.bands")
    with pytest.raises(DatasetError, match=r"Metals cannot be read"):
        _ = metal.lowest_empty


def test_bands_without_empty_states_are_refused(tmp_path):
    write_bands(tmp_path / "a.bands", [[[0.0, 1.0]]], [1.0], [4])
    occupied = read_bands(tmp_path / "a.bands")
    with pytest.raises(DatasetError, match="Compute more bands"):
        _ = occupied.lowest_empty


@pytest.mark.parametrize("kept", [0, 5, 12, 20])
def test_bands_cut_short_are_refused(tmp_path, kept):
    path = tmp_path / "a.bands"
    write_bands(path, ENERGIES, WEIGHTS, [4])
    path.write_text("\n".join(path.read_text().splitlines()[:kept]))
    with pytest.raises(DatasetError, match="ends too early"):
        read_bands(path)


def test_a_band_path_is_refused(tmp_path):
    write_bands(tmp_path / "a.bands", ENERGIES, [0.5, 0.75], [4])
    with pytest.raises(DatasetError, match="sum to 1"):
        read_bands(tmp_path / "a.bands")


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("order", [">", "<"])
def test_matrix_elements_are_read_as_written(tmp_path, rng, legacy, order):
    elements = random_elements(rng, spins=2)
    found = read_matrix(tmp_path, elements, legacy=legacy, order=order)
    np.testing.assert_array_equal(found.elements, elements)
    assert found.species.tolist() == [1, 3]
    assert found.shell.tolist() == [1, 1]


def test_a_spin_with_fewer_bands_has_no_transitions_there(tmp_path, rng):
    elements = random_elements(rng, spins=2)
    found = read_matrix(tmp_path, elements, legacy=False, band_counts=[5, 3])
    np.testing.assert_array_equal(found.elements[:, 1, :, :3], elements[:, 1, :, :3])
    assert not found.elements[:, 1, :, 3:].any()


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("cut", [0, 3, 30, 60, -8, -1])
def test_truncated_matrix_elements_are_refused(tmp_path, rng, legacy, cut):
    path = tmp_path / "a.eels_mat"
    path.write_bytes(matrix_bytes(ORBITALS, random_elements(rng), legacy=legacy)[:cut])
    with pytest.raises(DatasetError, match=r"a\.eels_mat"):
        read_core_matrix_elements(path)


@pytest.mark.parametrize("legacy", [True, False])
def test_bytes_too_many_are_refused(tmp_path, rng, legacy):
    path = tmp_path / "a.eels_mat"
    path.write_bytes(matrix_bytes(ORBITALS, random_elements(rng), legacy=legacy) + bytes(8))
    with pytest.raises(DatasetError, match="complete records"):
        read_core_matrix_elements(path)


def test_text_is_not_taken_for_matrix_elements(tmp_path):
    (tmp_path / "a.eels_mat").write_text("1 2 3 4")
    with pytest.raises(DatasetError, match="binary"):
        read_core_matrix_elements(tmp_path / "a.eels_mat")


def test_lines_are_the_weighted_mean_over_directions(tmp_path, rng, bands):
    elements = random_elements(rng)
    lines = transition_lines(bands, read_matrix(tmp_path, elements), species=3, ion=1)
    # The second k-point has states up to 8 eV: above, the first one alone would mislead.
    squares = (np.abs(elements[:, 0, 1]) ** 2).mean(axis=-1) * np.array(WEIGHTS)[:, None]
    expected = {1.0: squares[0, 2], 3.0: squares[0, 3], 0.0: squares[1, 2], 3.5: squares[1, 3],
                5.0: squares[1, 4]}  # fmt: skip
    found = dict(zip(np.round(lines.energy, 5).tolist(), lines.strength, strict=True))
    assert found == pytest.approx(expected)


def test_two_equal_spins_give_the_spectrum_of_one(tmp_path, rng):
    elements = random_elements(rng)
    write_bands(tmp_path / "one.bands", ENERGIES, WEIGHTS, [4])
    write_bands(tmp_path / "two.bands", ENERGIES * 2, WEIGHTS, [2, 2])
    energy = np.linspace(-1, 4, 30)
    spectra = [
        transition_lines(read_bands(tmp_path / name), read_matrix(tmp_path, values), 1, 1)
        for name, values in (("one.bands", elements), ("two.bands", elements.repeat(2, axis=1)))
    ]
    np.testing.assert_allclose(spectra[0].intensity(energy), spectra[1].intensity(energy))


def test_eigenvalues_of_another_calculation_are_refused(tmp_path, rng, bands):
    matrix = read_matrix(tmp_path, random_elements(rng, bands=6))
    with pytest.raises(DatasetError, match="6 bands and 1 spins, 2 k-points, 5 bands"):
        transition_lines(bands, matrix, 1, 1)


def test_an_atom_without_core_orbital_is_refused(tmp_path, rng, bands):
    matrix = read_matrix(tmp_path, random_elements(rng))
    with pytest.raises(DatasetError, match=r"found 0.*\(1, 1\), \(3, 1\)"):
        transition_lines(bands, matrix, species=3, ion=2)


TABLE = np.column_stack([np.arange(4.0), [0, 0, 1, 2], [0, 0.5, 1, 1.5]])


def test_the_broadened_column_is_read_with_its_width(tmp_path):
    path = tmp_path / "a_core_edge.dat"
    path.write_text(core_edge_text({" O 2    K1": TABLE, " O 1    K1     O:exc": TABLE * 2}, 0.6))
    first, second = read_core_edges(path)
    assert (first.element, first.ion, first.edge, first.label) == ("O", 2, "K1", "")
    assert (second.ion, second.label) == (1, "exc")
    np.testing.assert_allclose(second.intensity, TABLE[:, 2] * 2)
    spectrum = sampled_spectrum(first, lowest_empty=2.0, smearing=0.3)
    assert spectrum.sigma == pytest.approx(np.hypot(0.6 / 2.354820, 0.3), abs=1e-6)
    np.testing.assert_allclose(spectrum.energy, TABLE[:, 0] - 2)


def test_spins_are_added_and_the_sum_column_is_not_trusted(tmp_path):
    path = tmp_path / "a_core_edge.dat"
    energy, up, down = np.arange(3.0), np.array([0, 1, 2]), np.array([0, 3, 1])
    table = np.column_stack([energy, up, down, 9 + up, up / 2, down / 2, 9 + up])
    path.write_text(core_edge_text({" O 1    K1": table}, 1.0))
    np.testing.assert_allclose(read_core_edges(path)[0].intensity, (up + down) / 2)
    path.write_text(core_edge_text({" O 1    K1": table[:, :4]}))
    edge = read_core_edges(path)[0]
    np.testing.assert_allclose(edge.intensity, up + down)
    assert edge.sigma == 0


def test_a_fortran_exponent_of_three_digits_is_read(tmp_path):
    path = tmp_path / "a_core_edge.dat"
    path.write_text(" # O 1    K1\n 0.0 0.1234-123\n 1.0 1.5E-101\n")
    assert read_core_edges(path)[0].intensity.tolist() == [0.1234e-123, 1.5e-101]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" #\n 0.0 1.0\n", "at least one edge"),
        (" # O 1    K1\n 0.0 word\n", "Line 2"),
        (" # O 1    K1\n 0.0 1.0\n 1.0\n", "rows of 1, 2"),
        (" # O 1    K1\n", "rows of none"),
    ],
)
def test_broken_core_edges_are_refused(tmp_path, text, message):
    path = tmp_path / "a_core_edge.dat"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_core_edges(path)


@pytest.mark.parametrize(("shifted", "lowest"), [(True, 0.5), (False, 3.0)])
def test_optados_tells_where_it_counts_from(tmp_path, shifted, lowest):
    (tmp_path / "a.odo").write_text(optados_output(shifted, fermi=2.5))
    settings = read_optados_settings(tmp_path / "a.odo")
    assert settings.lowest_empty(3.0) == pytest.approx(lowest)
    assert (settings.broadening, settings.smearing) == ("adaptive", 0.0)


def test_a_chemical_shift_puts_the_lowest_empty_state_where_it_says(tmp_path):
    (tmp_path / "a.odo").write_text(optados_output(False, fermi=2.5, broadening="fixed"))
    (tmp_path / "a.odi").write_text("TASK : core\ncore_chemical_shift : 541.5\n")
    settings = read_optados_settings(tmp_path / "a.odo")
    assert settings.lowest_empty(3.0) == 541.5
    assert (settings.broadening, settings.smearing) == ("fixed", 0.3)


def test_an_odo_file_that_does_not_tell_is_refused(tmp_path):
    (tmp_path / "a.odo").write_text("OptaDOS: Execution started\n")
    with pytest.raises(DatasetError, match="state lowest_empty"):
        read_optados_settings(tmp_path / "a.odo")
