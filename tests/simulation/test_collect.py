from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pymatgen", reason="needs the extra 'simulation'")

from hyperspy_coreloss.dataset.card import render_dataset_card
from hyperspy_coreloss.dataset.dataset import SpectrumDataset, load_dataset
from hyperspy_coreloss.errors import DatasetError, SimulationError
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.simulation.basis_set import basis_set_error
from hyperspy_coreloss.simulation.cell_size import cell_size_error
from hyperspy_coreloss.simulation.collect import collect_sites
from hyperspy_coreloss.simulation.site_record import ProjectedDensity, SiteRecord, save_site_record


def write_site(folder, name, numbers=(14, 8, 8), densities=(), **label):
    known = {
        "structure": name,
        "phase": "quartz",
        "source": "made up",
        "licence": "CC0",
        "absorber": "O",
        "homo": -3.0,
        "lumo": 3.0,
        "lumo_gs": 2.0,
        "bond_length": 1.6,
        "bond_angle": 145.0,
        "voronoi_volume": 20.0,
        "bond_overlap_population": 0.6,
        "mulliken_charge": -0.8,
        "excitation_energy": 543.0,
        "coordination": 2,
        "settings": {"cutoff": 400.0},
        "versions": {"gpaw": "1"},
        "population_basis": "sz(dzp)",
        "potentials_gs": [1.0, 2.0, 3.0],
        "potentials_xch": [1.0, 2.0, 3.25],
    }
    record = SiteRecord(
        alpha=np.arange(120.0).reshape(2, 3, 20),
        beta=np.ones((2, 3, 20)),
        norm=np.ones((2, 3)),
        cell=8.0 * np.eye(3),
        positions=np.arange(9.0).reshape(3, 3),
        numbers=np.array(numbers),
        site=1,
        label={**known, **label},
        densities=densities,
    )
    save_site_record(record, folder / f"{name}_1.npz")


def test_records_become_sites_with_their_labels_and_origin(tmp_path):
    write_site(tmp_path, "b")
    write_site(tmp_path, "a")
    first, second = collect_sites(tmp_path)
    assert (first.name, second.name) == ("a_1", "b_1")
    assert first.structure.licence == "CC0"
    assert first.labels["bond_angle"] == 145.0
    assert first.spectrum.alpha.shape == (6, 20)
    assert first.spectrum.alpha[5, 0] == 100.0
    assert (first.spectrum.lowest_empty, first.spectrum.gap_middle) == (3.0, 0.0)
    assert first.details["calculation"]["versions"] == {"gpaw": "1"}
    assert "potentials_xch" not in first.details


def test_excitation_energies_of_silica_are_corrected_for_cell_and_basis(tmp_path):
    write_site(tmp_path, "silica")
    (site,) = collect_sites(tmp_path)
    of_cell, of_basis = cell_size_error(8.0 * np.eye(3), 1.0), basis_set_error(8.0 * np.eye(3))
    assert of_cell < 0 < of_basis
    assert site.labels["excitation_energy"] == pytest.approx(543.0 - of_cell - of_basis)
    assert site.details["excitation_energy_uncorrected"] == 543.0
    assert site.details["cell_size_error"] == pytest.approx(of_cell)
    assert site.details["basis_set_error"] == pytest.approx(of_basis)


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"numbers": (12, 8, 8)}, set()),
        ({"absorber": "Si"}, set()),
        ({"settings": {"cutoff": 300.0}}, {"cell_size_error"}),
        ({"settings": {"cutoff": 400.0, "functional": "LDA"}}, set()),
    ],
)
def test_a_correction_that_is_not_known_is_not_made(tmp_path, changes, known):
    write_site(tmp_path, "other", **changes)
    (site,) = collect_sites(tmp_path)
    made = {key: site.details[key] for key in site.details if key.endswith("_error")}
    assert set(made) == known
    assert site.labels["excitation_energy"] == pytest.approx(543.0 - sum(made.values()))


def test_a_site_without_an_excitation_energy_has_no_such_label(tmp_path):
    theory = {"cutoff": 400.0, "functional": "LDA", "core_hole": "half 1s, neutral cell"}
    write_site(tmp_path, "half", excitation_energy=None, settings=theory)
    (site,) = collect_sites(tmp_path)
    assert "excitation_energy" not in site.labels
    assert len(site.labels) == 5
    assert not [key for key in site.details if "error" in key or "uncorrected" in key]
    assert site.details["calculation"]["settings"] == theory
    spectra = SpectrumDataset((site,), "other theory", "CC0", "O_K")
    spectra.save(tmp_path / "half.nc")
    again = load_dataset(tmp_path / "half.nc")
    assert np.isnan(again.targets[0, 5])
    assert np.isfinite(again.targets[0, :5]).all()
    assert again.sites[0].details["calculation"]["settings"] == theory
    assert "excitation energy (eV) | 0 |" in render_dataset_card(again, "half")


@pytest.mark.parametrize("words", [{}, {"functional": "PBE", "core_hole": "full 1s, neutral cell"}])
def test_settings_that_do_not_name_the_theory_mean_the_usual_one(tmp_path, words):
    write_site(tmp_path, "old", settings={"cutoff": 400.0, **words})
    (site,) = collect_sites(tmp_path)
    assert {"cell_size_error", "basis_set_error"} <= set(site.details)


def test_silica_with_silanol_groups_is_silica(tmp_path):
    write_site(tmp_path, "silanol", numbers=(14, 8, 1))
    (site,) = collect_sites(tmp_path)
    assert {"cell_size_error", "basis_set_error"} <= set(site.details)
    assert "label_definitions" not in site.details


def test_labels_of_other_oxides_say_that_they_are_defined_otherwise(tmp_path):
    write_site(tmp_path, "magnesia", numbers=(12, 8, 8))
    energy, length = (
        next(
            spec
            for spec in SpectrumDataset(collect_sites(tmp_path), "", "CC0").properties
            if spec.name == name
        )
        for name in ("excitation_energy", "bond_length")
    )
    assert "not corrected" in energy.definition
    assert "Si" not in length.definition


def test_silica_and_other_oxides_are_not_mixed(tmp_path):
    write_site(tmp_path, "silica")
    write_site(tmp_path, "magnesia", numbers=(12, 8, 8))
    with pytest.raises(DatasetError, match="same definition"):
        SpectrumDataset(collect_sites(tmp_path), "", "CC0")


def test_a_label_that_makes_no_sense_is_missing_in_the_data_set(tmp_path):
    labels = {"bond_angle": np.nan, "mulliken_charge": np.nan}
    write_site(tmp_path, "one_bond", numbers=(6, 8, 8), **labels)
    SpectrumDataset(collect_sites(tmp_path), "", "CC0").save(tmp_path / "sites.nc")
    (values,) = load_dataset(tmp_path / "sites.nc").targets
    missing = [spec.name for spec, value in zip(PROPERTIES, values, strict=True) if value != value]
    assert missing == ["bond_angle", "mulliken_charge"]


def test_projected_densities_of_another_folder_are_added(tmp_path):
    for name in ("sites", "densities"):
        (tmp_path / name).mkdir()
    density = ProjectedDensity(1, False, np.ones((2, 3, 30)), np.ones((2, 3, 30)), np.ones((2, 3)))
    write_site(tmp_path / "sites", "a", excitation_energy=542.0)
    write_site(tmp_path / "densities", "a", densities=(density,))
    write_site(tmp_path / "densities", "b", densities=(density, replace(density, core_hole=True)))
    first, second = collect_sites(tmp_path / "sites", tmp_path / "densities")
    assert first.details["excitation_energy_uncorrected"] == 542.0
    assert first.details["potential_shift"] == 0.125  # of the two other atoms
    assert first.projected_densities["p of O 1, ground state"].lowest_empty == 2.0
    assert second.projected_densities["p of O 1, core hole"].lowest_empty == 3.0
    assert second.projected_densities["p of O 1, core hole"].alpha.shape == (6, 30)


def test_records_of_one_site_in_two_cells_are_refused(tmp_path):
    for name, phase in (("one", "quartz"), ("two", "coesite")):
        (tmp_path / name).mkdir()
        write_site(tmp_path / name, "a", phase=phase)
    with pytest.raises(DatasetError, match="records of the site a_1 must have the same supercell"):
        collect_sites(tmp_path / "one", tmp_path / "two")


def test_sites_of_one_structure_in_two_cells_are_refused(tmp_path):
    write_site(tmp_path, "a")
    write_site(tmp_path, "b", structure="a", phase="coesite")
    with pytest.raises(DatasetError, match="the record b_1 has a different one"):
        collect_sites(tmp_path)


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no computed site"):
        collect_sites(tmp_path)


def test_half_a_record_is_refused(tmp_path):
    write_site(tmp_path, "a")
    content = (tmp_path / "a_1.npz").read_bytes()
    (tmp_path / "a_1.npz").write_bytes(content[:200])
    with pytest.raises(SimulationError, match="must be a complete site record"):
        collect_sites(tmp_path)


def test_the_population_is_that_of_the_record_or_of_the_list(tmp_path):
    write_site(tmp_path, "new", population="glass")
    write_site(tmp_path, "old")
    write_site(tmp_path, "older")
    sites = collect_sites(tmp_path, populations={"new": "crystal", "old": "strained"})
    assert [site.population for site in sites] == ["glass", "strained", "other"]
    assert "population" not in sites[0].details
