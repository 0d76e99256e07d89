from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.dataset.splits import (
    demonstration_phases,
    phase_disjoint_split,
    random_site_split,
    sites_without,
)
from hyperspy_coreloss.errors import DatasetError
from tests.made_sites import site, structure


def dataset_of(phases):
    cells = [structure(f"s{number}", phase) for number, phase in enumerate(phases)]
    sites = tuple(site(f"site {number}", cell=cell) for number, cell in enumerate(cells))
    return SpectrumDataset(sites, "made up", "CC0")


@pytest.fixture(scope="module")
def many():
    return dataset_of([f"framework {number % 60}" for number in range(120)])


def parts(split):
    return split.train, split.validation, split.test


@pytest.mark.parametrize("divide", [random_site_split, phase_disjoint_split])
def test_every_site_is_in_one_part(many, divide):
    split = divide(many)
    assert sorted(np.concatenate(parts(split))) == list(range(120))
    assert sorted([*split.development, *split.test]) == list(range(120))


def test_random_split_is_the_papers(many):
    assert [len(part) for part in parts(random_site_split(many))] == [96, 12, 12]
    assert (random_site_split(many, 1).test != random_site_split(many).test).any()


def test_no_phase_stands_on_two_sides(many):
    phases = np.array(many.phases)
    sides = [set(phases[part]) for part in parts(phase_disjoint_split(many))]
    assert all(sides)
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    groups = phase_disjoint_split(many).groups
    assert len(set(zip(groups, phases, strict=True))) == len(set(phases)) == len(set(groups))


def test_more_data_move_no_phase_to_another_side(many):
    fewer = many.take(np.flatnonzero(np.arange(120) % 60 < 40))

    def test_phases(dataset):
        return {dataset.phases[row] for row in phase_disjoint_split(dataset).test}

    assert test_phases(fewer)
    assert test_phases(fewer) == test_phases(many) & set(fewer.phases)


def test_test_phases_are_those_that_were_fixed_once():
    """Names decide, with SHA-256: whoever changes the rule must change this list."""
    phases = ["AHT", "BCT", "BIK", "PHI", "UEI", "coesite", "quartz", "cristobalite", "MON", "SOD"]
    split = phase_disjoint_split(dataset_of(phases))
    assert [phases[row] for row in split.test] == ["AHT", "BCT", "BIK", "PHI", "UEI", "coesite"]
    assert [phases[row] for row in split.validation] == ["quartz", "MON"]


def test_demonstration_phases_are_those_that_were_fixed_once():
    """Names decide: whoever changes the rule must train the shipped models again."""
    phases = ["RTE", "mp-556588", "MRE", "DFT", "ITW", "NAT", "AEI", "quartz", "AHT", "SOD"]
    assert demonstration_phases(dataset_of(phases)) == ("DFT", "ITW", "MRE", "NAT")


def test_demonstrations_take_no_test_phase_and_cost_the_training_little(sites):
    """The image needs different grains; the training keeps every kind of site and label."""
    kept = demonstration_phases(sites)
    rest = sites.take(sites_without(sites, kept))
    split = phase_disjoint_split(sites)
    tested = {sites.phases[row] for row in (*split.validation, *split.test)}
    assert not tested & set(kept)
    assert not set(rest.phases) & set(kept)
    assert len(kept) >= 4
    assert 30 <= len(sites) - len(rest) < 0.08 * len(sites)
    assert set(rest.populations) == set(sites.populations)
    np.testing.assert_array_equal(np.ptp(rest.targets, axis=0), np.ptp(sites.targets, axis=0))


def test_a_phase_to_withhold_must_be_in_the_data_set(many):
    with pytest.raises(DatasetError, match=r"has no 'quarz'\. Choose from its 60 phases"):
        sites_without(many, ["framework 3", "quarz"])


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_sites_for_a_random_split_are_refused(many, count):
    few = dataclasses.replace(many, sites=many.sites[:count])
    with pytest.raises(DatasetError, match=r"random_site needs sites for .* more sites"):
        random_site_split(few)


def test_three_sites_are_enough_for_a_random_split(many):
    few = dataclasses.replace(many, sites=many.sites[:3])
    assert [len(part) for part in parts(random_site_split(few))] == [1, 1, 1]


def test_a_split_without_test_phases_is_refused(many):
    few = dataclasses.replace(many, sites=many.sites[:2])
    with pytest.raises(DatasetError, match="needs sites for training, validation and test, but"):
        phase_disjoint_split(few)
