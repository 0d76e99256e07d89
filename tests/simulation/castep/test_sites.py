"""Claims about computed sites from the folders of a CASTEP user."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hyperspy_coreloss.cli import main
from hyperspy_coreloss.dataset.computed_site import SampledSpectrum, TransitionLines
from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.simulation.castep.labels import bond_overlap_population, matching_atoms
from hyperspy_coreloss.simulation.castep.output import read_castep
from hyperspy_coreloss.simulation.castep.sites import read_castep_sites
from hyperspy_coreloss.simulation.labels import geometry_labels
from tests.paths import ROOT
from tests.simulation.castep.castep_writer import (
    Run,
    core_edge_text,
    matrix_bytes,
    optados_output,
    write_bands,
)

ABSORBER = 3  # in the crystal: the first oxygen atom
VALENCE = {"O": -430.0, "Si": -105.0, "O:exc": -562.0}
ALL_ELECTRON = {"O": -2041.0, "Si": -7900.0, "O:exc": -1486.0}
# Total energies -1000 and -1010 eV; the free atom's core gains 687 eV.
EXCITATION = (-1010 + 1000) + (-1486 + 562) - (-2041 + 430)


def populations(atoms):
    """Return charges, and a population of 0.5 + index / 100 for the bonds of each atom pair."""
    labels = [str(symbol) for symbol in atoms.symbols]
    numbers = [labels[: i + 1].count(label) for i, label in enumerate(labels)]
    bonds = []
    for first in range(len(atoms)):
        near = bonded_neighbours(atoms, first)
        for second, length in zip(near.indices.tolist(), near.distances.tolist(), strict=True):
            if first < second:
                ends = labels[first], numbers[first], labels[second], numbers[second]
                bonds.append((*ends, 0.5 + (first + second) / 100, length))
    return [round(-1.2 + i / 100, 2) for i in range(len(atoms))], bonds


def ground_run(atoms, **changes):
    charges, bonds = populations(atoms)
    known = {"all_electron": ALL_ELECTRON, "valence": VALENCE}
    energies = {key: {k: v[k] for k in ("O", "Si")} for key, v in known.items()}
    labels = [str(symbol) for symbol in atoms.symbols]
    return Run(atoms, labels, **energies | {"charges": charges, "bonds": bonds} | changes)


def excited_run(atoms, absorber=ABSORBER, **changes):
    """The core-hole run in CASTEP's order: species by atomic number, labelled ones last."""
    oxygen = [i for i in range(len(atoms)) if atoms[i].symbol == "O" and i != absorber]
    silicon = [i for i in range(len(atoms)) if atoms[i].symbol == "Si"]
    order = [*oxygen, *silicon, absorber]
    labels = ["O"] * len(oxygen) + ["Si"] * len(silicon) + ["O:exc"]
    known = {
        "energies": (-1010.0,),
        "holes": {"O:exc": "1s1"},
        "all_electron": ALL_ELECTRON,
        "valence": VALENCE,
    }
    return Run(atoms[order], labels, **known | changes)


def write_spectrum(path, rng, orbitals=((3, 1, 1, 1),)):
    levels = np.sort(rng.uniform(-9, -1, (2, 4)), axis=1), np.sort(rng.uniform(3, 20, (2, 6)))
    write_bands(path.with_suffix(".bands"), [np.hstack(levels)], [0.25, 0.75], [9])
    elements = rng.normal(size=(2, 1, len(orbitals), 10, 3)) + 0j
    path.with_suffix(".eels_mat").write_bytes(matrix_bytes(orbitals, elements))
    return elements


@pytest.fixture
def folder(tmp_path, quartz, rng):
    """One site in the layout of two folders, the same name in both."""
    ground_run(quartz).write(tmp_path / "ground" / "quartz.castep")
    excited_run(quartz).write(tmp_path / "excited" / "quartz.castep")
    write_spectrum(tmp_path / "excited" / "quartz.castep", rng)
    return tmp_path


def test_a_folder_of_runs_becomes_a_data_set(folder, tmp_path):
    words = ["--description", "made up", "--phase", "ground/quartz=quartz"]
    arguments = ["dataset", "import-castep", str(folder), "-o", str(tmp_path / "castep.nc"), *words]
    finished = CliRunner().invoke(main, arguments)
    assert finished.output.startswith("1 sites of 1 phases"), finished.output
    dataset = load_dataset(tmp_path / "castep.nc")
    assert dataset.phases == ("quartz",)
    assert "CASTEP" in dataset.properties[4].definition
    assert dataset.targets[0, 5] == pytest.approx(EXCITATION)


def only_site(folder, **settings):
    (site,) = read_castep_sites(folder, **settings)
    return site


def test_a_site_has_all_six_labels(folder, quartz):
    site = only_site(folder)
    geometry = geometry_labels(quartz, ABSORBER)
    assert site.labels["bond_length"] == pytest.approx(geometry.bond_length, abs=1e-5)
    assert site.labels["bond_angle"] == pytest.approx(geometry.bond_angle, abs=1e-3)
    assert site.labels["voronoi_volume"] == pytest.approx(geometry.voronoi_volume, abs=1e-3)
    assert site.labels["mulliken_charge"] == pytest.approx(-1.17)
    near = bonded_neighbours(quartz, ABSORBER).indices
    expected = np.mean([0.5 + (ABSORBER + other) / 100 for other in near])
    assert site.labels["bond_overlap_population"] == pytest.approx(expected, abs=0.011)
    assert site.labels["excitation_energy"] == pytest.approx(EXCITATION, abs=1e-6)
    assert site.details["missing_labels"] == {}


def test_the_excitation_energy_agrees_with_that_of_optados(folder, quartz):
    # The energies of OptaDOS's example examples/Mizoguchi (Ge K), and its miz_chemical_shift.
    valence, all_electron = {"O": -8131.2255}, {"O": -57112.123}
    ground = ground_run(
        quartz, energies=(-106903.51336456,), valence=valence, all_electron=all_electron
    )
    ground.write(folder / "ground" / "quartz.castep")
    excited = excited_run(
        quartz,
        energies=(-107922.1297773,),
        valence=valence | {"O:exc": -9136.4247},
        all_electron={"O:exc": -45958.577},
    )
    excited.write(folder / "excited" / "quartz.castep")
    assert only_site(folder).labels["excitation_energy"] == pytest.approx(11140.13, abs=0.005)


def test_a_site_is_json_ready_and_tells_its_definitions(folder):
    site = only_site(folder, source="own work", licence="CC0-1.0")
    assert json.loads(json.dumps(site.details)) == site.details
    assert "CASTEP 20.1" in site.details["label_definitions"]["mulliken_charge"]
    assert site.details["core_hole"] == "1s1"
    assert site.details["energy_kind"] == "NB est. 0K energy (E-0.5TS)"
    assert (site.structure.source, site.structure.licence) == ("own work", "CC0-1.0")


def test_the_example_of_the_documentation_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    Path("silica").mkdir()
    for name in ("ground", "excited"):
        Path(name).rename(Path("silica", name))
    page = ROOT / "docs" / "importing.md"
    pattern = r"```python\n(from hyperspy_coreloss.simulation.*?)```"
    (code,) = re.findall(pattern, page.read_text(encoding="utf-8"), re.DOTALL)
    variables = {}
    exec(code, variables)
    (site,) = variables["sites"]
    assert site.structure.phase == "alpha-quartz"
    assert site.structure.licence == "CC-BY-4.0"


def test_the_absorber_is_found_in_the_order_of_the_ground_state(folder, quartz):
    site = only_site(folder)
    assert site.absorber == ABSORBER
    np.testing.assert_allclose(site.structure.positions, quartz.positions, atol=1e-4)
    assert (site.name, site.structure.name) == ("excited/quartz", "ground/quartz")


def test_sites_of_one_structure_share_it_whatever_their_files_are_called(tmp_path, quartz, rng):
    ground_run(quartz).write(tmp_path / "a.castep")
    for absorber in (3, 4):
        path = excited_run(quartz, absorber).write(tmp_path / f"a_exc{absorber}.castep")
        write_spectrum(path, rng)
    sites = read_castep_sites(tmp_path, phases={"a": "alpha-quartz"})
    assert [site.name for site in sites] == ["a_exc3", "a_exc4"]
    assert [site.absorber for site in sites] == [3, 4]
    assert sites[0].structure is sites[1].structure
    assert sites[0].structure.phase == "alpha-quartz"


def test_the_spectrum_is_that_of_the_excited_atom(folder, rng):
    path = folder / "excited" / "quartz.castep"
    orbitals = [(1, ion, 1, 1) for ion in range(1, 6)] + [(3, 1, 1, 1)]
    elements = write_spectrum(path, rng, orbitals)
    site = only_site(folder)
    assert isinstance(site.spectrum, TransitionLines)
    squares = (np.abs(elements[:, 0, 5, 4:]) ** 2).mean(axis=-1) * [[0.25], [0.75]]
    assert set(np.round(site.spectrum.strength, 9)) <= set(np.round(squares.ravel(), 9))
    assert site.spectrum.energy.min() == pytest.approx(0, abs=1e-6)


def test_an_optados_spectrum_counts_from_the_lowest_empty_state(folder):
    stem = folder / "excited" / "quartz"
    stem.with_suffix(".eels_mat").unlink()
    write_bands(stem.with_suffix(".bands"), [[[-5.0, 3.0]]], [1.0], [2])
    table = np.column_stack([np.arange(0, 9.0), np.arange(9.0)])
    edges = {" O 1    K1": table * 9, " O 1    K1     O:exc": table}
    stem.with_name("quartz_core_edge.dat").write_text(core_edge_text(edges))
    with pytest.raises(DatasetError, match=r"quartz\.odo is needed"):
        read_castep_sites(folder)
    assert only_site(folder, lowest_empty=4.0).spectrum.energy[0] == -4
    stem.with_suffix(".odo").write_text(optados_output(True, 1.0, "fixed", 0.2))
    site = only_site(folder)
    assert isinstance(site.spectrum, SampledSpectrum)
    assert site.spectrum.energy[0] == pytest.approx(-2.0, abs=1e-6)
    assert site.spectrum.sigma == pytest.approx(0.2)
    assert site.details["spectrum"]["lowest_empty_in_file"] == pytest.approx(2.0, abs=1e-6)


def test_an_optados_file_of_another_atom_is_refused(folder):
    stem = folder / "excited" / "quartz"
    stem.with_suffix(".eels_mat").unlink()
    table = np.column_stack([np.arange(0, 9.0), np.arange(9.0)])
    edges = {" O 1    K1": table}
    stem.with_name("quartz_core_edge.dat").write_text(core_edge_text(edges))
    with pytest.raises(DatasetError, match="K edge of O:exc 1"):
        read_castep_sites(folder)


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ("quartz.eels_mat", r"quartz\.eels_mat or quartz\.elnes_bin with quartz\.bands"),
        ("quartz.bands", r"quartz\.bands beside quartz\.eels_mat"),
        ("quartz.castep", r"1s core hole on O; found 1"),
    ],
)
def test_an_error_names_the_missing_file_and_where_it_was_sought(folder, removed, message):
    (folder / "excited" / removed).unlink()
    with pytest.raises(DatasetError, match=message) as caught:
        read_castep_sites(folder)
    assert str(folder) in str(caught.value)


def test_no_path_and_no_run_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="there is none"):
        read_castep_sites(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"No \.castep file"):
        read_castep_sites(tmp_path)


def missing(folder):
    site = only_site(folder)
    assert not set(site.labels) & set(site.details["missing_labels"])
    return site.details["missing_labels"]


ELECTRONIC = {"bond_overlap_population", "mulliken_charge", "excitation_energy"}


def test_without_ground_state_its_labels_are_missing(folder, quartz):
    (folder / "ground" / "quartz.castep").unlink()
    assert set(missing(folder)) == ELECTRONIC
    # A ground state of another structure is no substitute.
    quartz.positions[0] += 0.1
    ground_run(quartz).write(folder / "ground" / "quartz.castep")
    assert set(missing(folder)) == ELECTRONIC


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"charge": 1.0}, "neutral cells"),
        ({"cutoff": 600.0}, "agree in cutoff"),
        ({"functional": "PBE for solids (2008)"}, "agree in functional"),
        ({"grid": "3  2  2"}, "agree in sampling"),
        ({"all_electron": {"Si": -7900.0}}, "all-electron energy of a free O atom"),
        ({"valence": {"O": -430.0, "Si": -106.0}}, "same pseudopotential"),
    ],
)
def test_ground_states_that_cannot_be_subtracted_give_no_excitation_energy(
    folder, quartz, changes, reason
):
    ground_run(quartz, **changes).write(folder / "ground" / "quartz.castep")
    reasons = missing(folder)
    assert set(reasons) == {"excitation_energy"}
    assert reason in reasons["excitation_energy"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"charge": 1.0}, "charge +1 e"), ({"holes": {"O:exc": "1s1.50"}}, "has 1s1.5")],
)
def test_a_charged_cell_or_half_a_hole_gives_no_excitation_energy(folder, quartz, changes, reason):
    excited_run(quartz, **changes).write(folder / "excited" / "quartz.castep")
    assert reason in missing(folder)["excitation_energy"]


def test_bonds_beyond_the_table_give_no_overlap_population(folder, quartz):
    run = ground_run(quartz)
    run.bonds = run.bonds[:3]
    run.write(folder / "ground" / "quartz.castep")
    assert "POPN_BOND_CUTOFF" in missing(folder)["bond_overlap_population"]
    ground_run(quartz, charges=None).write(folder / "ground" / "quartz.castep")
    assert set(missing(folder)) == {"bond_overlap_population", "mulliken_charge"}


def test_a_population_over_several_images_is_shared_among_their_bonds(tmp_path):
    from ase import Atoms

    # A chain: each silicon atom is bonded to its oxygen atom on both sides.
    chain = Atoms("OSi", positions=[[0, 0, 0], [1.6, 0, 0]], cell=[3.2, 9, 9], pbc=True)
    run = Run(chain, ["O", "Si"], charges=[-1, 1], bonds=[("O", 1, "Si", 1, 1.2, 1.6)])
    read = read_castep(run.write(tmp_path / "chain.castep"))
    assert bond_overlap_population(read, 0) == pytest.approx(0.6)


def test_a_population_of_a_label_cut_short_is_found(tmp_path, quartz):
    run = ground_run(quartz)
    run.labels[ABSORBER] = "O:exc"
    near = bonded_neighbours(quartz, ABSORBER)
    run.bonds = [
        ("O:ex", 1, "Si", int(index) + 1, 0.6, length)
        for index, length in zip(near.indices, near.distances, strict=True)
    ]
    read = read_castep(run.write(tmp_path / "a.castep"))
    assert bond_overlap_population(read, ABSORBER) == pytest.approx(0.6)


def test_two_ground_states_must_be_told_apart(folder, quartz):
    other = ground_run(quartz, cutoff=700.0).write(folder / "fine" / "quartz.castep")
    assert "excitation_energy" in only_site(folder).labels  # one has the site's own settings
    ground_run(quartz).write(other)
    with pytest.raises(DatasetError, match="Name one as ground_state"):
        read_castep_sites(folder)
    chosen = folder / "ground" / "quartz.castep"
    assert only_site(folder / "excited", ground_state=chosen).labels.keys() >= ELECTRONIC


def test_an_optimisation_gives_its_last_energy_and_structure(tmp_path, quartz):
    path = ground_run(quartz, energies=(-990.0, -995.0, -1000.0)).write(tmp_path / "a.castep")
    assert read_castep(path).energy == pytest.approx(-1000)


def test_the_last_of_appended_runs_counts(tmp_path, quartz):
    path = tmp_path / "a.castep"
    first, second = ground_run(quartz, energies=(-7.0,), version="8.0"), ground_run(quartz)
    path.write_text(first.text() + second.text())
    run = read_castep(path)
    assert (run.energy, run.version) == (pytest.approx(-1000), "20.1")


def test_a_plain_species_is_not_taken_for_its_labelled_sibling(tmp_path, quartz):
    run = excited_run(quartz, all_electron={"O:exc": -1486.0})
    species = read_castep(run.write(tmp_path / "a.castep")).species
    assert species["O"].all_electron is None
    assert (species["O"].occupation_1s, species["O:exc"].occupation_1s) == (2, 1)


def test_a_run_without_smearing_gives_its_final_energy(tmp_path, quartz):
    run = read_castep(ground_run(quartz, entropy=None).write(tmp_path / "a.castep"))
    assert (run.energy, run.energy_kind) == (pytest.approx(-1000), "Final energy, E")


@pytest.mark.parametrize("energies", [(-1000.0,), (-990.0, -1000.0)])
def test_an_unconverged_run_is_refused_with_its_reason(folder, quartz, energies):
    run = excited_run(quartz, energies=energies, unconverged=True)
    run.write(folder / "excited" / "quartz.castep")
    with pytest.raises(DatasetError, match=r"must converge; CASTEP wrote .*groundstate"):
        read_castep_sites(folder)


def test_runs_cut_short_are_refused_together(folder, quartz):
    for name in ("ground", "excited"):
        ground_run(quartz, ended=False).write(folder / name / "quartz.castep")
    with pytest.raises(DatasetError, match=r"ground/quartz.*excited/quartz|excited.*ground"):
        read_castep_sites(folder)


def test_core_holes_on_two_atoms_are_refused(folder, quartz):
    run = excited_run(quartz)
    run.holes["O"] = "1s1"
    run.write(folder / "excited" / "quartz.castep")
    with pytest.raises(DatasetError, match="one atom"):
        read_castep_sites(folder)


def test_the_text_of_something_else_is_refused(tmp_path):
    (tmp_path / "a.castep").write_text("GPAW\n")
    with pytest.raises(DatasetError, match="names no CASTEP version"):
        read_castep(tmp_path / "a.castep")


def test_a_run_is_told_as_ase_cannot_read_it(tmp_path, quartz):
    text = ground_run(quartz).text().replace("Fractional coordinates", "Positions")
    (tmp_path / "a.castep").write_text(text)
    with pytest.raises(DatasetError, match="readable for ASE"):
        read_castep(tmp_path / "a.castep")


def test_atoms_are_matched_across_cells_edges_and_orders(quartz):
    order = np.array([3, 1, 2, 0, 8, 7, 6, 5, 4])
    moved = quartz[order]
    moved.positions += quartz.cell[0] - 2 * quartz.cell[2]
    np.testing.assert_array_equal(matching_atoms(moved, quartz), order)
    moved.positions[0, 0] += 0.05
    assert matching_atoms(moved, quartz) is None
