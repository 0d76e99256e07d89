"""Families of models trained on measured-like spectra: known truth, intervals of each spectrum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.dataset.splits import sites_without
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY, usual_threshold
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.network import forward
from hyperspy_coreloss.spectra import EnergyWindow, Recipe
from hyperspy_coreloss.spectra.measurement import measure
from hyperspy_coreloss.spectra.microscope import CLEAN, TYPICAL, Microscope
from hyperspy_coreloss.training.measured_draws import draw_spectra, draw_training
from hyperspy_coreloss.training.measured_training import FamilySettings, train_family
from hyperspy_coreloss.training.region_errors import draw_regions, region_errors
from hyperspy_coreloss.training.side_by_side import NetworkSettings, train_side_by_side
from tests.made_sites import site, structure

RECIPES = {
    "short": Recipe(window=EnergyWindow(stop=15.0)),
    "long": Recipe(window=EnergyWindow(stop=40.0, step=0.2), sigma=0.8),
}
SETTINGS = FamilySettings(
    NetworkSettings(hidden=(32, 32), steps=300, batch_size=64), copies=12, thick_copies=3, folds=4
)
TEXTS = {"intended_use": "A test.", "limits": "All.", "show_progressbar": False}
ENERGY = np.arange(-16.0, 137.0, 0.1)
LENGTHS = np.linspace(1.5, 1.8, 48)


def edge(length):
    """An edge whose second peak moves with the bond length, by 40 eV for each angstrom."""
    rise = 0.5 * (1 + np.tanh((ENERGY - 1.0) / 0.5))
    peaks = np.exp(-0.5 * ((ENERGY - 4) / 1.5) ** 2)
    peaks += np.exp(-0.5 * ((ENERGY - 12 - 40 * (1.6 - length)) / 2) ** 2)
    return rise * (0.5 + peaks) + 1e-9


@pytest.fixture(scope="module")
def dataset():
    sites = tuple(
        site(
            f"site {number}",
            SampledSpectrum(ENERGY, edge(length), 0.1),
            structure(f"cell {number}", phase=f"phase {number % 8}"),
            labels={"bond_length": length, "excitation_energy": 537.25 + (7 * number % 48) / 32},
        )
        for number, length in enumerate(LENGTHS)
    )
    whole = SpectrumDataset(sites, "made up", "CC0")
    kept = [one for one in whole.properties if one.name in ("bond_length", "excitation_energy")]
    return replace(whole, properties=tuple(kept))


@pytest.fixture(scope="module")
def family(dataset):
    return train_family(dataset, RECIPES, TYPICAL, SETTINGS, **TEXTS)


def test_a_family_learns_what_its_spectra_tell(family):
    for model in family:
        spread = LENGTHS.std()
        assert model.usual_spread[0] < 0.3 * spread
        assert model.record.metrics["left_out_phases"]["bond_length"]["mae"] < 0.3 * spread
        assert model.n_networks == 1
        assert model.reads_conditions


def test_all_models_of_a_family_have_their_recipes(family):
    assert {model.name: model.recipe for model in family} == RECIPES


def test_a_family_predicts_measured_spectra(dataset, family):
    sample = specimen(dataset)
    axis = 480.0 + 0.1 * np.arange(1200)
    sites = np.arange(len(dataset))[:, None]
    microscope = Microscope(resolution=0.5, counts=1e4, jump_ratio=1.0)
    measured = measure(
        sample.edges, sites, sample.lowest_empty[sites], axis, microscope, np.random.default_rng(1)
    )
    for model in family:
        predicted = model.predict(measured.intensities, axis, resolution=0.5)
        # The longest and the shortest may be predicted beyond all labels, by more than they may.
        good = predicted.quality == 0
        assert good[2:-2].all()
        error = np.abs(predicted.values[:, 0] - LENGTHS)[good]
        assert error.mean() < 0.3 * LENGTHS.std()
        width = predicted.spread[good, 0] * np.quantile(np.abs(model.scores[:, 0]), 0.9)
        assert (error < width).mean() > 0.8


def test_distances_are_those_of_the_held_out_spectra(family):
    for model in family:
        for space in (model.references.spectrum, model.references.layer):
            assert (np.diff(space.distances) >= 0).all()
            assert len(space.distances) > 0.9 * 2 * len(LENGTHS)


def test_references_are_the_sites_of_the_training(dataset, family):
    for model in family:
        # Of a few sites, no spectrum of the site alone was drawn.
        sites = model.references.sites
        assert set(sites) <= set(range(len(dataset)))
        assert len(sites) > 0.9 * len(dataset)
        labels = model.references.labels * model.references.label_scale
        lengths = LENGTHS[sites] - LENGTHS[sites].mean()
        np.testing.assert_allclose(labels[:, 0], lengths, atol=2e-4)


def test_the_nearest_sites_have_nearly_the_bond_length_of_a_spectrum(dataset, family):
    sample = specimen(dataset)
    axis = 480.0 + 0.1 * np.arange(1200)
    microscope = Microscope(resolution=0.5, counts=1e5, jump_ratio=1.0)
    rows = np.arange(len(dataset))[:, None]
    measured = measure(
        sample.edges, rows, sample.lowest_empty[rows], axis, microscope, np.random.default_rng(3)
    )
    predicted = family[0].predict(measured.intensities, axis, resolution=0.5)
    good = predicted.quality == 0
    # Eight neighbours on a line of 48 sites.
    usual = (LENGTHS[1] - LENGTHS[0]) * np.std(np.arange(8))
    assert np.median(predicted.ambiguity[good, 0]) == pytest.approx(usual, rel=0.2)


def test_errors_of_regions_are_those_of_the_means_of_their_spectra(dataset):
    """Each region is of one phase, and measured by a microscope that does not change in it."""
    sample, folds = specimen(dataset), np.arange(len(dataset)) % 8 % 4
    regions = draw_regions(sample, [RECIPES["short"]], TYPICAL, 3, pixels=9)
    draws = draw_spectra(sample, [RECIPES["short"]], TYPICAL, 2, 0)
    weights = train_side_by_side(
        draws.read_by(0),
        draws.targets,
        folds[draws.first],
        replace(SETTINGS.networks, steps=30),
        auxiliary=N_AUXILIARY,
    )
    errors = region_errors(weights, regions, 0, folds)
    assert errors.shape == (2 * 8, 2)
    networks = forward(weights, regions.read[0])
    for number, error in enumerate(errors):
        rows = np.flatnonzero(regions.region == number)
        (phase,) = np.unique(sample.phases[regions.first[rows]])
        single = networks[phase % 4, rows] - regions.targets[rows]
        np.testing.assert_allclose(error, single.mean(axis=0), atol=1e-3)


def test_a_model_with_spreads_survives_its_file(family, tmp_path):
    family[1].save(tmp_path / "long.safetensors")
    again = PretrainedModel.load(tmp_path / "long.safetensors")
    assert again == family[1]
    assert again.reads_conditions
    np.testing.assert_array_equal(again.scores, family[1].scores)
    np.testing.assert_array_equal(again.usual_spread, family[1].usual_spread)
    for name, array in family[1].references.to_arrays().items():
        np.testing.assert_array_equal(again.references.to_arrays()[name], array)


def test_results_have_intervals_of_each_pixel(image, family):
    signal = image[0]
    result = signal.predict_properties(family[0], resolution=0.5, show_progressbar=False)
    lower, upper = result.get_interval_map("bond_length")
    widths = (upper - lower).data
    good = np.isfinite(widths)
    assert good.any()
    assert np.unique(widths[good]).size > 1
    lazy = signal.as_lazy().predict_properties(family[0], resolution=0.5)
    lazy.compute(show_progressbar=False)
    for one, other in zip(lazy.get_interval_map("bond_length"), (lower, upper), strict=True):
        np.testing.assert_array_equal(one.data, other.data)
    mean = result.mean("x")
    low, high = mean.get_interval_map("bond_length")
    np.testing.assert_allclose((high - low).data, np.mean(widths, axis=1), rtol=1e-4)


def test_the_same_seed_gives_the_same_models(dataset):
    quick = replace(SETTINGS, networks=replace(SETTINGS.networks, steps=10), copies=2)
    first, second = (train_family(dataset, RECIPES, TYPICAL, quick, **TEXTS)[0] for _ in range(2))
    assert first == second


def test_networks_are_also_trained_on_thick_specimens(dataset):
    sample, recipes = specimen(dataset), list(RECIPES.values())[:1]
    usual, both, never = (
        draw_training(sample, recipes, TYPICAL, (2, thicker), (0, 1), thickest)
        for thicker, thickest in ((0, 3.0), (4, 3.0), (4, 1.0))
    )
    assert not usual.thick.any()
    np.testing.assert_array_equal(never.read_by(0), usual.read_by(0))
    assert both.thick.sum() == pytest.approx(4 * len(dataset), rel=0.1)
    np.testing.assert_array_equal(both.read_by(0)[~both.thick], usual.read_by(0))
    told = both.auxiliary[0][:, 4]
    assert told[~both.thick].max() < 1.1
    assert 1.0 < np.median(told[both.thick & (told > 0)]) < 3.0


def test_thick_specimens_are_no_references(dataset):
    draws = draw_training(specimen(dataset), [RECIPES["short"]], TYPICAL, (2, 4), (0, 1), 3.0)
    usual = draws.site_spectra(0).usual()
    np.testing.assert_array_equal(usual.first, draws.first[~draws.thick])
    np.testing.assert_array_equal(usual.read, draws.read_by(0)[~draws.thick])
    assert not usual.thick.any()


def test_a_model_states_the_thickest_specimens_of_its_training(family):
    for model in family:
        assert model.thickest == SETTINGS.thickest


def test_networks_are_told_errors_of_the_size_that_was_drawn(dataset):
    sample = specimen(dataset)
    draws = draw_spectra(sample, [RECIPES["short"]], TYPICAL, 8, 0)
    auxiliary = draws.auxiliary[0]
    known, energy, error = (auxiliary[:, column] for column in range(3))
    assert (known > 0).mean() == pytest.approx(0.5, abs=0.1)
    # Energies are shrunk by how far they are known.
    told = usual_threshold(sample.lowest_empty) + 0.5 * energy / np.where(known > 0, known, 1)
    true = draws.targets[:, 1]
    # The threshold lies 1 to 2 eV behind the lowest empty state.
    sharp, rough = ((known > 0) & condition for condition in (error < -0.2, error > 0.5))
    assert (told - true)[sharp].std() < (told - true)[rough].std()
    assert np.abs((told - true)[sharp] - 1.0).mean() < 0.6


def test_a_known_energy_gives_the_excitation_energy(dataset):
    """The energies of the sites differ by 1.5 eV, and an energy that is known is told to 0.1 eV."""
    sample = specimen(dataset)
    draws = draw_spectra(sample, [RECIPES["short"]], TYPICAL, 12, 0)
    read = draws.read_by(0)
    # Nothing but the energy tells the sites apart.
    read[:, : RECIPES["short"].window.n_channels] = 0.0
    weights = train_side_by_side(
        read, draws.targets, draws.first % 4, SETTINGS.networks, auxiliary=N_AUXILIARY
    )
    error = np.abs(forward(weights, read)[-1, :, 1] - draws.targets[:, 1])
    known = read[:, -N_AUXILIARY] > 0
    assert error[known].mean() < 0.6 * error[~known].mean()


def test_a_model_counts_energies_as_its_training_does(dataset, family):
    for model in family:
        assert model.usual_threshold == usual_threshold(specimen(dataset).lowest_empty)


def test_the_shipped_model_has_learnt_its_training_sites(sites, pretrained):
    trained = sites.take(sites_without(sites, pretrained.record.withheld_phases))
    drawn = draw_spectra(specimen(trained), [pretrained.recipe], CLEAN, 1, 5)
    predicted = forward(pretrained.weights, drawn.read_by(0))[0]
    error = np.nanmean(np.abs(predicted - drawn.targets), axis=0)
    of_the_mean = np.nanmean(np.abs(drawn.targets - np.nanmean(drawn.targets, axis=0)), axis=0)
    # The Voronoi volume is hardly in the spectrum.
    hardest = {"voronoi_volume": 0.55}
    limits = [hardest.get(name, 0.5) for name in pretrained.property_names]
    assert (error < limits * of_the_mean).all()
    metrics = pretrained.record.metrics["left_out_phases"]
    assert (error < [metrics[name]["mae"] for name in pretrained.property_names]).all()


def test_errors_are_recorded_by_population(dataset, family):
    for model in family:
        (population,) = set(dataset.populations)
        errors = model.record.population_errors
        mean = [model.record.metrics["left_out_phases"][n]["mae"] for n in model.property_names]
        assert list(errors) == [population]
        np.testing.assert_allclose([errors[population][n] for n in model.property_names], mean)
        assert (model.references.populations == list(POPULATIONS).index(population)).all()


def test_withheld_phases_are_recorded_and_not_trained_on(dataset):
    quick = replace(SETTINGS, networks=replace(SETTINGS.networks, steps=2), copies=1)
    (model, _) = train_family(
        dataset, RECIPES, TYPICAL, quick, withheld_phases=("phase 3",), **TEXTS
    )
    assert model.record.withheld_phases == ("phase 3",)
    assert (model.record.n_phases, model.record.n_spectra) == (7, 42)


def test_more_folds_than_phases_are_refused(dataset):
    with pytest.raises(DatasetError, match=r"each of its 10 folds, but there are 8 phases"):
        train_family(dataset, RECIPES, TYPICAL, replace(SETTINGS, folds=10), **TEXTS)
