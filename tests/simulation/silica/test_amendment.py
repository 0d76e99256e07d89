"""Claims about adding tasks to a plan that is being computed."""

from __future__ import annotations

import itertools

import pytest

from hyperspy_coreloss.simulation.tasks import SimulationTask
from training.silica.amendment import amend_plan, cheapest_first


def _task(name: str, n_sites: int, phase: str = "phase") -> SimulationTask:
    sites = tuple(range(n_sites))
    return SimulationTask(name, phase, f"{name}.cif", sites, (1,) * n_sites, "test", "CC0")


EXISTING = tuple(_task(f"old{number}", 3) for number in range(200))
NEW = tuple(_task(f"new{number}", 4) for number in range(15))
FINISHED = frozenset((f"old{number}", site) for number in range(50) for site in range(3))


@pytest.fixture
def amended():
    # The newer plan has the old tasks too, in another order.
    return amend_plan(EXISTING, (*NEW, *EXISTING[::-1]), FINISHED)


def test_existing_tasks_keep_their_order_and_their_sites(amended):
    assert tuple(task for task in amended if task not in NEW) == EXISTING
    assert tuple(task for task in amended if task in NEW) == NEW


def test_new_sites_are_spread_over_the_next_sites_to_be_computed(amended):
    left = [
        task.name for task in amended for site in task.sites if (task.name, site) not in FINISHED
    ]
    places = [number for number, name in enumerate(left) if name.startswith("new")]
    assert len(places) == 60
    assert max(places) < 300
    assert min(places) == 0
    assert 135 < sum(places) / len(places) < 165
    gaps = [after - before for before, after in itertools.pairwise(places)]
    assert max(gaps) < 30


def test_amending_again_changes_nothing(amended):
    assert amend_plan(amended, (*NEW, *EXISTING), FINISHED) == amended


def test_more_new_sites_than_places_come_one_after_another():
    amended = amend_plan(EXISTING, NEW, FINISHED, spread=20)
    start = amended.index(NEW[0])
    assert amended[start : start + len(NEW)] == NEW
    assert start == 50


def test_a_finished_plan_is_continued():
    assert amend_plan(EXISTING[:50], NEW, FINISHED) == (*EXISTING[:50], *NEW)


def test_known_structures_get_no_more_sites():
    assert amend_plan(EXISTING, (_task("old3", 9),)) == EXISTING


def test_unknown_phases_come_before_small_cells():
    tasks = (
        _task("done", 2, "quartz"),
        _task("large", 3, "quartz"),
        _task("begun", 3, "quartz"),
        _task("new", 2, "coesite"),
        _task("more", 2, "coesite"),
        _task("other", 1, "tridymite"),
    )
    sizes = {"large": 72, "begun": 36, "new": 96, "more": 24, "other": 48}
    finished = {("done", 0), ("done", 1), ("begun", 1)}
    ordered = cheapest_first(tasks, finished, lambda task: sizes[task.name])
    names = [task.name for task in ordered]
    assert names == ["done", "new", "other", "more", "begun", "large"]
