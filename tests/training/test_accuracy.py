"""Accuracy on phases that were not trained on: known truth on made-up sites."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import accuracy, accuracy_tables, accuracy_transfer, network_tries, trial
from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY
from hyperspy_coreloss.spectra import EnergyWindow, Recipe
from hyperspy_coreloss.spectra.microscope import CLEAN, HARSH, TYPICAL
from hyperspy_coreloss.training.accuracy import (
    MEDIAN,
    FoldPredictions,
    accuracy_by_bin,
    accuracy_by_population,
    accuracy_of,
)
from hyperspy_coreloss.training.cross_validation import (
    BASELINES,
    fold_medians,
    interval_factors,
    measure_sites,
    predict_with_baselines,
)
from hyperspy_coreloss.training.measured_training import FamilySettings
from hyperspy_coreloss.training.side_by_side import NetworkSettings
from tests.made_sites import site, structure

PHASES = 12
ENERGY = np.arange(-16.0, 137.0, 0.1)
# The bond length is in the spectrum, the charge is one of the phase alone.
LENGTHS = np.linspace(1.5, 1.8, 72)
CHARGES = np.random.default_rng(0).permutation(np.linspace(-0.9, -0.7, PHASES))
SETTINGS = FamilySettings(
    NetworkSettings(hidden=(32, 32), steps=250, batch_size=64), copies=8, thick_copies=2, folds=4
)


def edge(length, phase):
    """An edge whose second peak moves with the bond length, with a mark of its phase.

    All have the same oscillations far behind the threshold.
    """
    rise = 0.5 * (1 + np.tanh((ENERGY - 1.0) / 0.5))
    peaks = np.exp(-0.5 * ((ENERGY - 4) / 1.5) ** 2)
    peaks += np.exp(-0.5 * ((ENERGY - 8 - 20 * (1.7 - length)) / 2) ** 2)
    peaks += 0.2 * np.exp(-0.5 * ((ENERGY - 16 - 1.5 * phase) / 0.7) ** 2)
    waves = 0.1 * np.exp(-np.maximum(ENERGY, 0) / 60) * np.cos(0.5 * ENERGY)
    return rise * (0.5 + waves + peaks) + 1e-9


@pytest.fixture(scope="module")
def dataset():
    sites = tuple(
        site(
            f"site {number}",
            SampledSpectrum(ENERGY, edge(length, number % PHASES), 0.1),
            structure(f"cell {number}", phase=f"phase {number % PHASES}"),
            labels={
                "bond_length": length,
                "mulliken_charge": CHARGES[number % PHASES],
                "excitation_energy": 538.0,
            },
        )
        for number, length in enumerate(LENGTHS)
    )
    whole = SpectrumDataset(sites, "made up", "CC0")
    kept = [one for one in whole.properties if one.name in sites[0].labels]
    return replace(whole, properties=tuple(kept))


@pytest.fixture(scope="module")
def results(dataset):
    *_, last = accuracy.measure_accuracy(dataset, SETTINGS, (15.0, 40.0))
    return last


def made_up(errors, phases, median_errors=None, width=1.0):
    """Return predictions of a property that is zero everywhere, with these errors."""
    values = np.asarray(errors, dtype=float)[:, None]
    wrong = np.ones_like(values) if median_errors is None else np.asarray(median_errors)[:, None]
    true = np.zeros_like(values)
    kinds = np.full(len(values), "crystal")
    return FoldPredictions(
        true, values, np.full_like(values, width), np.asarray(phases), kinds, {MEDIAN: wrong}
    )


def first_property(dataset):
    return dataset.properties[:1]


def test_what_spectra_tell_is_predicted_on_new_phases(results):
    for window in ("15", "40"):
        assert results[window]["clean"]["all"]["bond_length"]["relative"] < 0.3


def test_no_network_has_seen_the_phase_that_it_predicts(results):
    """The charge follows from the phase, which all but the judged networks can recognise."""
    for conditions in (results["40"], results["means"]["40"]):
        charge = conditions["clean"]["all"]["mulliken_charge"]
        assert charge["relative"] > 0.8


def test_no_baseline_has_seen_the_phase_that_it_predicts(results):
    row = results["40"]["typical"]["all"]["mulliken_charge"]
    assert set(row["baselines"]) == {MEDIAN, *BASELINES}
    assert min(row["baselines"].values()) > 0.8 * row["baselines"][MEDIAN]
    length = results["40"]["typical"]["all"]["bond_length"]
    assert length["baselines"]["kernel_ridge"] < 0.5 * length["baselines"][MEDIAN]


def test_results_have_every_window_condition_and_number(results, dataset):
    for table in (results, results["means"]):
        for window in ("15", "15+energy", "40", "40+energy", "40+dispersion"):
            for condition in ("clean", "typical", "harsh"):
                row = table[window][condition]["all"]["bond_length"]
                assert {
                    "mae",
                    "relative",
                    "standard_error",
                    "r2",
                    "n",
                    "n_phases",
                    "coverage_90",
                    "width_90",
                    "baselines",
                } == set(row)
                assert row["n_phases"] == PHASES
    assert results["15"]["clean"]["all"]["bond_length"]["n"] == 2 * len(dataset)
    assert results["means"]["15"]["clean"]["all"]["bond_length"]["n"] == len(dataset)
    assert results["clean_trained"]["15"]["clean"]["all"]["bond_length"]["relative"] < 0.3


def test_intervals_cover_what_they_promise_on_new_phases(results):
    """Half of the spectra that they are calibrated on are single sites, half are means."""
    for window in ("15", "40"):
        covered = [
            table[window]["typical"]["all"]["bond_length"]["coverage_90"]
            for table in (results, results["means"])
        ]
        assert 0.84 < np.mean(covered) < 0.96


def test_measured_windows_are_not_repeated(results, dataset, monkeypatch):
    monkeypatch.delattr(trial, "train_side_by_side")
    assert not list(accuracy.measure_accuracy(dataset, SETTINGS, (15.0, 40.0), earlier=results))
    other = replace(SETTINGS, copies=1, held_out_copies=1)
    with pytest.raises(NameError, match=r"train_side_by_side"):
        next(accuracy.measure_accuracy(dataset, other, (15.0, 40.0), earlier=results))


def test_relative_errors_are_those_over_the_errors_of_the_median(dataset):
    predictions = made_up([1.0, -2.0, 3.0], [0, 1, 2], [4.0, -4.0, 2.0])
    rows = np.array([True, True, False])
    row = accuracy_of(first_property(dataset), predictions, rows)["bond_length"]
    assert row["mae"] == 1.5
    assert row["relative"] == pytest.approx(1.5 / 4.0)
    assert row["baselines"] == {MEDIAN: 4.0}
    assert row["coverage_90"] == 0.5


def test_standard_errors_count_phases_and_not_spectra(dataset):
    """Ten times the same spectra of each phase tell no more than one of each."""
    errors, phases = [1.0, 2.0, 3.0, 6.0], [0, 1, 2, 3]
    properties = first_property(dataset)
    few, many = (
        accuracy_of(properties, each, np.ones(len(each.values), dtype=bool))["bond_length"]
        for each in (made_up(errors, phases), made_up(errors * 10, phases * 10))
    )
    assert few["standard_error"] == pytest.approx(many["standard_error"])
    assert few["standard_error"] == pytest.approx(np.std(errors, ddof=1) / np.sqrt(4))
    single = accuracy_of(properties, made_up([1.0, 2.0], [0, 0]), np.ones(2, dtype=bool))
    assert single["bond_length"]["standard_error"] is None


def test_populations_are_judged_alone_and_together(dataset):
    predictions = replace(
        made_up([1.0, 2.0, 6.0], [0, 1, 2]), populations=np.array(["crystal", "zeolite", "glass"])
    )
    judged = accuracy_by_population(first_property(dataset), predictions)
    errors = {name: rows["bond_length"]["mae"] for name, rows in judged.items()}
    assert errors == {
        "all": 3.0,
        "crystal": 1.0,
        "zeolite": 2.0,
        "glass": 6.0,
        "crystal+zeolite": 1.5,
    }


def test_missing_labels_are_not_judged(dataset):
    predictions = made_up([1.0, 2.0], [0, 1])
    predictions.targets[1] = np.nan
    everything = np.ones(2, dtype=bool)
    assert accuracy_of(first_property(dataset), predictions, everything)["bond_length"]["n"] == 1
    predictions.targets[0] = np.nan
    assert accuracy_of(first_property(dataset), predictions, everything) == {}


def test_bins_contain_their_lower_edge(dataset):
    predictions = made_up([1.0, 2.0, 3.0], [0, 1, 2])
    bins = accuracy_by_bin(
        first_property(dataset), predictions, np.array([300.0, 1e3, 5e4]), (300.0, 1e3, 1e4, 1e5)
    )
    assert {name: row["bond_length"]["mae"] for name, row in bins.items()} == {
        "300-1000": 1.0,
        "1000-10000": 2.0,
        "10000-100000": 3.0,
    }


def test_intervals_of_a_fold_come_from_the_other_folds():
    scores = np.concatenate([np.full(100, 1.0), np.full(100, 5.0)])[:, None]
    folds = np.repeat([0, 1], 100)
    np.testing.assert_array_equal(interval_factors(scores, folds, 0.9), [[5.0], [1.0]])


def test_medians_of_a_fold_come_from_the_other_folds():
    targets = np.array([[1.0], [3.0], [np.nan], [10.0]])
    np.testing.assert_array_equal(fold_medians(targets, np.array([0, 0, 1, 1])), [[10.0], [2.0]])


def test_baselines_choose_settings_without_the_fold_that_they_predict():
    """Changed labels of a fold do not change the predictions for it."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(80, 3)).astype("f4")
    targets, folds = inputs[:, :2].astype(float), np.arange(80) % 4
    changed = np.where(folds[:, None] == 0, generator.permutation(targets), targets)
    names = ("nearest_neighbours", "ridge")
    first, second = (
        predict_with_baselines((inputs, targets, folds), {"one": (inputs, labels, folds)}, names)[
            "one"
        ]
        for labels in (targets, changed)
    )
    own = folds == 0
    for name in names:
        np.testing.assert_array_equal(first[name][own], second[name][own])
        assert np.abs(first[name] - targets).mean() < 0.5 * np.abs(targets).mean()


def test_sites_are_measured_with_the_errors_of_the_microscope(dataset):
    """Energies are told with errors of the size that is stated, or not at all."""
    sample, recipe = specimen(dataset), Recipe(window=EnergyWindow(stop=15.0))
    measured = measure_sites(sample, [recipe], CLEAN, 3, 0)
    assert measured.readable == 1.0
    assert np.bincount(measured.first).tolist() == [3] * len(dataset)
    silent = measured.read_by(0)[:, -N_AUXILIARY:]
    assert (silent[:, :5] == 0).all()
    assert (silent[:, 6] == 1).all()
    told = measured.read_by(0, energy_error=0.1)[:, -N_AUXILIARY:]
    wrong = told[:, 1] - measured.read_by(0, energy_error=1e-9)[:, -N_AUXILIARY + 1]
    # Energies are read in units of 0.5 eV.
    assert (0.5 * wrong).std() == pytest.approx(0.1, rel=0.2)


def test_means_over_sites_are_of_one_phase(dataset):
    """A harsh microscope mixes phases, one of which networks would have seen."""
    sample, recipe = specimen(dataset), Recipe(window=EnergyWindow(stop=15.0))
    measured = measure_sites(sample, [recipe], accuracy.of_kind(HARSH, "mixed"), 1, 0)
    charge = [spec.name for spec in dataset.properties].index("mulliken_charge")
    of_phase = CHARGES[measured.first % PHASES]
    np.testing.assert_allclose(measured.targets[:, charge], of_phase)
    length = measured.targets[:, 0] - LENGTHS[measured.first]
    assert (np.abs(length) > 1e-6).mean() > 0.9


def test_variants_are_tried_on_the_phases_that_they_name(dataset):
    trial = accuracy.prepare_trial(dataset, SETTINGS, (15.0,))
    half = network_tries.chosen_phases(trial.sample.phases, 0.5)
    assert len(np.unique(trial.sample.phases[half])) == PHASES // 2
    assert network_tries.chosen_phases(trial.sample.phases, 1.0).all()


def test_mixtures_are_of_spectra_of_one_fold_of_which_the_same_is_known(rng):
    read = rng.random((400, 12), dtype=np.float32)
    known = rng.integers(0, 2, (400, 3))
    read[:, -N_AUXILIARY:][:, [0, 3, 6]] = known
    folds = rng.integers(0, 3, 400)
    # A label of a fold and of what is known, and one that tells spectra apart.
    group = 8 * folds + known @ [4, 2, 1]
    targets = np.column_stack([group, read[:, 0]]).astype(float)
    mixed, labels = network_tries.mixed(read, targets, folds, 0.5)
    np.testing.assert_allclose(labels[:, 0], group)
    np.testing.assert_allclose(labels[:, 1], mixed[:, 0], rtol=1e-5)
    changed = (mixed != read).any(axis=1)
    assert 0.35 < changed.mean() < 0.55
    same, _ = network_tries.mixed(read, targets, folds, 0.0)
    np.testing.assert_array_equal(same, read)


def test_components_of_spectra_that_vary_in_few_ways_lose_nothing(rng):
    shapes = rng.random((2, 9), dtype=np.float32)
    spectra = np.hstack(
        [rng.random((500, 2), dtype=np.float32) @ shapes + 1, np.ones((500, N_AUXILIARY))]
    )
    read, given = network_tries.projected(spectra.astype("f4"), spectra[:7].astype("f4"), 2)
    assert read.shape == (500, 2 + N_AUXILIARY)
    np.testing.assert_array_equal(given, read[:7])
    # Two components give all energies back, by a linear law.
    law = np.column_stack([read[:, :2], np.ones(500)])
    _, residual, *_ = np.linalg.lstsq(law, spectra[:, :9], rcond=None)
    assert residual.max() < 1e-6


def test_transfer_corrects_the_energies_of_the_other_theory(dataset, monkeypatch):
    """A theory with energies that are 3 % too large is read like the first when corrected."""
    monkeypatch.setattr(accuracy_transfer, "QUARTZ", "site 30")
    sites = accuracy.prepare_trial(dataset, SETTINGS, (40.0,))
    training = measure_sites(sites.sample, sites.listed, CLEAN, 6, 1)
    spectra = trial.site_spectra(training, training.read_by(0)), training.targets
    networks = accuracy.train_networks(sites, *spectra, *spectra, sites.listed[0].window)
    chosen = dataset.take(range(30, 42))
    stretched = []
    for one in chosen.sites:
        energy = 1.03 * one.spectrum.energy
        spectrum = SampledSpectrum(energy, one.spectrum.intensity_samples, 0.1)
        kept = {name: one.labels[name] for name in ("bond_length", "mulliken_charge")}
        stretched.append(replace(one, spectrum=spectrum, labels=kept))
    other = replace(chosen, sites=tuple(stretched), properties=dataset.properties[:2])
    judged = accuracy_transfer.measure_transfer(sites, other, networks, "40")
    first, raw, corrected = (
        judged[name]["all"]["bond_length"]["mae"]
        for name in ("first_theory", "second_theory", "second_theory_calibrated")
    )
    assert judged["stretch"] == pytest.approx(1.03, abs=0.003)
    assert raw > 2 * first
    assert corrected < 0.5 * (raw + first)
    assert "excitation_energy" not in judged["second_theory"]["all"]


def test_typical_is_measured_as_single_sites_or_means_only():
    assert accuracy.of_kind(TYPICAL, "single").mixed_fraction == 0.0
    assert accuracy.of_kind(CLEAN, "mixed").mixed_fraction == 1.0


def test_tables_show_the_widest_window_first_and_what_is_known(results):
    header, rows = accuracy_tables.windows_table(results, "clean")
    assert header == ["reads to (eV)", "bond length", "Mulliken charge", "excitation energy"]
    assert [row[0] for row in rows] == [
        "40",
        "40, dispersion known to 0.2%",
        "40, energy known to 0.1 eV",
        "15",
        "15, energy known to 0.1 eV",
    ]
    relative = results["15"]["clean"]["all"]["bond_length"]["relative"]
    assert rows[-2][1] == f"{relative:.2f}"
    # Without variance the median has no error.
    assert rows[-2][3] == "–"


def test_errors_are_rounded_as_their_standard_errors():
    row = {"mae": 0.01234, "standard_error": 0.00051, "relative": 0.5}
    found = {"properties": ["bond_length"], "15": {"clean": {"all": {"bond_length": row}}}}
    _, rows = accuracy_tables.errors_table(found, ["15"], ["clean"])
    assert rows == [["15", "clean", "0.0123 ± 0.0005"]]
    row["standard_error"] = 0.061
    _, rows = accuracy_tables.errors_table(found, ["15"], ["clean"])
    assert rows == [["15", "clean", "0.01 ± 0.06"]]


def test_tables_name_every_baseline(results):
    _, rows = accuracy_tables.baselines_table(results, "typical")
    assert [row[:2] for row in rows[:5]] == [
        ["40", "networks"],
        ["40", "nearest neighbours"],
        ["40", "ridge"],
        ["40", "kernel ridge"],
        ["40", "random forest"],
    ]
