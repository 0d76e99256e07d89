"""Claims about populations: every site has one, files keep it, tables are by it."""

from __future__ import annotations

import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_coreloss.dataset.card import render_dataset_card
from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.dataset.layout import dataset_variables, sites_from_variables
from hyperspy_coreloss.dataset.plotting import plot_dataset
from hyperspy_coreloss.dataset.population import OTHER, POPULATIONS
from hyperspy_coreloss.dataset.summary import summarise
from hyperspy_coreloss.errors import DatasetError
from tests.made_sites import site


@pytest.fixture
def counted(mixed):
    """The mixed data set with three populations; one site keeps none."""
    names = ("glass", "glass", "crystal", OTHER, "silanol")
    pairs = zip(mixed.sites, names, strict=True)
    sites = [dataclasses.replace(each, population=name) for each, name in pairs]
    return dataclasses.replace(mixed, sites=tuple(sites))


def test_a_site_has_a_known_population_or_is_refused():
    assert site().population == OTHER
    for name in POPULATIONS:
        assert site(population=name).population == name
    with pytest.raises(DatasetError, match=r"must be one of crystal, zeolite.*found 'Glass'"):
        site(population="Glass")


def test_files_keep_populations(counted, tmp_path):
    counted.save(tmp_path / "sites.nc")
    read = load_dataset(tmp_path / "sites.nc")
    assert read.populations == ("glass", "glass", "crystal", OTHER, "silanol")
    assert read.sha256 == counted.sha256


def test_files_without_populations_are_read_and_keep_their_identity(mixed, counted):
    variables = dataset_variables(mixed.sites, mixed.properties)
    arrays = {name: np.asarray(each.values) for name, each in variables.items()}
    del arrays["population"]
    read = dataclasses.replace(mixed, sites=sites_from_variables(arrays, mixed.properties))
    assert set(read.populations) == {OTHER}
    assert read.sha256 == mixed.sha256 != counted.sha256


def test_sites_are_chosen_by_population(counted):
    assert counted.of_population("silanol", "glass").names == ("a", "b", "e")
    with pytest.raises(DatasetError, match=r"'heated' or 'defect' are asked for; .*crystal"):
        counted.of_population("heated", "defect")


def test_the_summary_counts_and_averages_each_population_in_their_order(counted):
    populations = summarise(counted)["populations"]
    assert list(populations) == ["crystal", "glass", "silanol", OTHER]
    glass = populations["glass"]
    assert (glass["n_spectra"], glass["n_structures"], glass["n_phases"]) == (2, 1, 1)
    assert glass["labels"]["bond_length"]["mean"] == pytest.approx(1.6)
    assert glass["labels"]["bond_length"]["standard_deviation"] == pytest.approx(0.0)
    assert populations["crystal"]["labels"]["bond_length"]["n_known"] == 0


def test_the_card_has_a_row_for_each_population(counted):
    card = render_dataset_card(counted, "made up")
    rows = [line for line in card.splitlines() if line.startswith("| glass: ")]
    assert len(rows) == 1
    assert rows[0].startswith("| glass: amorphous SiO2 without broken bonds | 2 | 1 | 1 | 1.6 ± 0")


def test_the_figure_names_each_population_and_its_number_of_sites(counted):
    figure = plot_dataset(counted)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["crystal (1)", "glass (2)", "silanol (1)", "other (1)"]
    drawn = [text.get_text().strip() for text in figure.axes[-1].texts]
    assert drawn == ["crystal", "glass", "silanol", "other"]
    plt.close(figure)
