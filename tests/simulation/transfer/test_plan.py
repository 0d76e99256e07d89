"""Claims about the choice of the sites of the transfer set."""

from __future__ import annotations

from collections import Counter

import pytest

from hyperspy_coreloss.simulation.tasks import SimulationTask, load_tasks
from tests.paths import ROOT
from training.transfer.plan import (
    LARGEST_VOLUME,
    MADE,
    NAMED,
    PLACES,
    RELAXED,
    VACANCY,
    kind_of,
    transfer_plan,
)


def _crystal(number: int) -> tuple[str, str]:
    return f"phase{number}", f"materials_project/mp-{number}_SiO2.cif"


def _task(name: str, phase: str, path: str, n_sites: int = 3, **other) -> SimulationTask:
    sites = tuple(range(n_sites))
    return SimulationTask(name, phase, path, sites, (1,) * n_sites, "test", "CC0", **other)


TASKS = (
    *(_task(f"mp-{n}", *_crystal(n)) for n in range(20)),
    *(_task(f"COD-{name}", name, f"polymorphs/SiO2-{name}.cif") for name in NAMED),
    *(_task(f"IZA-Z{n}", f"Z{n}", f"zeolites_iza/Z{n}.cif") for n in range(20)),
    *(_task(f"MD-z{n % 7}-{n}", f"Z{n % 7}", f"si_zeo22/z{n % 7}.npz", frame=n) for n in range(40)),
    *(_task(f"mp-{n}-v0", *_crystal(n), seed=n) for n in range(20)),
    *(_task(f"mp-{n}-vac1", f"phase{n}", f"mp-{n}-vac1.xyz") for n in range(6)),
)
LATER = (
    *(_task(f"glass-{n}", "glass", f"glass-{n}.xyz", 9) for n in range(6)),
    *(_task(f"suboxide-{n}", f"SiO-{n}", f"suboxide-{n}.xyz", 4) for n in range(3)),
    _task("quartz-hot", "quartz", "quartz-hot.xyz"),
)
FIRST = {kind: places for kind, places in PLACES.items() if kind != MADE}


def _volumes(tasks, volume: float = 600.0) -> dict[tuple[str, int], float]:
    return {(task.name, site): volume for task in tasks for site in task.sites}


def _names(plan) -> list[tuple[str, int]]:
    return [(task.name, *task.sites) for task in plan]


@pytest.fixture(scope="module")
def plan():
    return transfer_plan(TASKS, _volumes(TASKS))


def test_every_kind_has_its_places(plan):
    assert Counter(kind_of(task) for task in plan) == FIRST
    assert sum(FIRST.values()) == 40
    assert sum(PLACES.values()) == 60


def test_sites_are_spread_over_structures_and_phases(plan):
    assert all(len(task.sites) == len(task.multiplicities) == 1 for task in plan)
    assert len({task.name for task in plan}) == len(plan)
    for kind in FIRST:
        phases = [task.phase for task in plan if kind_of(task) == kind]
        assert max(Counter(phases).values()) - min(Counter(phases).values()) <= 1


def test_named_phases_are_among_the_relaxed_crystals(plan):
    assert set(NAMED) <= {task.phase for task in plan if kind_of(task) == RELAXED}


def test_the_first_tasks_are_a_sample_of_all_kinds(plan):
    assert {kind_of(task) for task in plan[:10]} == set(FIRST)


def test_the_choice_does_not_depend_on_the_order_of_the_tasks(plan):
    assert transfer_plan(TASKS[::-1], _volumes(TASKS)) == plan


def test_only_sites_of_the_data_set_are_chosen():
    known = {unit: 600.0 for unit in _volumes(TASKS) if unit[1] == 2}
    assert {site for _, site in _names(transfer_plan(TASKS, known))} == {2}


def test_large_supercells_are_left_out_except_for_named_phases():
    large = transfer_plan(TASKS, _volumes(TASKS, LARGEST_VOLUME + 1.0))
    assert {task.phase for task in large} == set(NAMED)


def test_made_structures_take_the_free_places_when_they_are_computed(plan):
    tasks = (*TASKS, *LATER)
    later = transfer_plan(tasks, _volumes(tasks, 600.0) | _volumes(LATER, 2000.0), plan)
    assert later[:40] == plan
    added = later[40:]
    assert len(later) == 60
    assert {kind_of(task) for task in added} == {MADE}
    assert len(set(_names(added))) == 20
    # All ten structures, before second sites of any.
    assert {task.name for task in added[:10]} == {task.name for task in LATER}
    assert {task.name for task in added[10:]} == {task.name for task in LATER}


def test_making_the_plan_again_changes_nothing(plan):
    tasks = (*TASKS, *LATER)
    some = _volumes(tasks[:-4])
    half = transfer_plan(tasks, some, plan)
    full = transfer_plan(tasks, _volumes(tasks), half)
    assert full[: len(half)] == half
    assert len(full) == 60
    assert transfer_plan(tasks, _volumes(tasks), full) == full


def test_made_structures_are_the_files_beside_those_with_vacancies():
    assert kind_of(_task("mp-1-vac2", "quartz", "mp-1-vac2.xyz")) == VACANCY
    for other in ({}, {"frame": 3}, {"seed": 5}):
        assert kind_of(_task("quartz-hot", "quartz", "quartz-hot.xyz", **other)) == MADE


def test_the_committed_plan_has_all_kinds_of_the_data_set():
    plan = load_tasks(ROOT / "training" / "transfer" / "sites" / "tasks.json")
    counts = Counter(kind_of(task) for task in plan)
    assert all(counts[kind] == places for kind, places in FIRST.items())
    assert set(NAMED) <= {task.phase for task in plan if kind_of(task) == RELAXED}
