"""Claims about resuming, failing and dying in a campaign, with a simulator that costs nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation import campaign, locks
from hyperspy_coreloss.simulation.campaign import campaign_status, record_path, run_campaign
from hyperspy_coreloss.simulation.site_record import (
    ProjectedDensity,
    SiteRecord,
    load_site_record,
    save_site_record,
)
from hyperspy_coreloss.simulation.tasks import SimulationTask, load_tasks, save_tasks
from tests.killing import KILL, noticed_at_once

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def _record(site: int) -> SiteRecord:
    return SiteRecord(
        alpha=np.full((1, 3, 5), 1.5),
        beta=np.full((1, 3, 5), 0.5),
        norm=np.ones((1, 3)),
        cell=np.eye(3) * 8,
        positions=np.zeros((1, 3)),
        numbers=np.array([8]),
        site=site,
        label={"bond_length": 1.61, "phase": "quartz"},
    )


@dataclass(frozen=True)
class PretendSimulator:
    """Writes down every call; fails or dies where it is told to."""

    journal: str
    fail_sites: tuple[int, ...] = ()
    fail_structures: tuple[str, ...] = ()
    die_sites: tuple[int, ...] = ()
    die_once: bool = True
    pause: float = 0.0

    def prepare(self, task, folder):
        self._note(f"prepare {task.name}")
        if task.name in self.fail_structures:
            msg = f"no ground state of {task.name}"
            raise SimulationError(msg)
        return task.name

    def simulate(self, task, prepared, site):
        assert prepared == task.name
        first = self._note(f"simulate {task.name} {site}")
        time.sleep(self.pause)
        if site in self.fail_sites:
            msg = f"site {site} does not converge"
            raise ValueError(msg)
        if site in self.die_sites and (first or not self.die_once):
            os.kill(os.getpid(), KILL)
        return _record(site)

    def _note(self, text: str) -> bool:
        journal = Path(self.journal)
        before = journal.read_text().splitlines() if journal.exists() else []
        with journal.open("a") as file:
            file.write(text + "\n")
        return text not in before


def _task(name: str, *sites: int) -> SimulationTask:
    return SimulationTask(
        name=name,
        phase="quartz",
        path=f"{name}.cif",
        sites=sites,
        multiplicities=(1,) * len(sites),
        source="nowhere",
        licence="CC0",
    )


TASKS = (_task("one", 0, 1, 2), _task("two", 3, 4))


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "journal.txt"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "campaign"


def _run(folder, journal, tasks=TASKS, **options):
    keywords = {key: options.pop(key) for key in ("workers", "retry_failures") if key in options}
    simulator = PretendSimulator(str(journal), **options)
    return run_campaign(tasks, folder, simulator, progress=False, **keywords)


def _failures(folder):
    return [json.loads(line) for line in (folder / "failures.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_site_is_computed_once(folder, journal, workers):
    status = _run(folder, journal, workers=workers)
    assert (status.total, status.done, status.failed, status.remaining) == (5, 5, 0, 0)
    calls = [line for line in journal.read_text().splitlines() if line.startswith("simulate")]
    assert sorted(calls) == sorted(
        f"simulate {task.name} {site}" for task in TASKS for site in task.sites
    )
    assert not list((folder / "locks").iterdir())
    assert not list((folder / "attempts").iterdir())


def test_a_failing_site_does_not_stop_the_others_and_its_reason_is_kept(folder, journal):
    status = _run(folder, journal, fail_sites=(1,))
    assert (status.done, status.failed) == (4, 1)
    (failure,) = _failures(folder)
    assert (failure["structure"], failure["site"]) == ("one", 1)
    assert failure["error"] == "ValueError"
    assert failure["reason"] == "site 1 does not converge"


def test_a_structure_without_ground_state_fails_as_a_whole(folder, journal):
    status = _run(folder, journal, fail_structures=("one",))
    assert (status.done, status.failed) == (2, 3)
    (failure,) = _failures(folder)
    assert (failure["structure"], failure["site"]) == ("one", None)


def test_a_resumed_campaign_skips_what_is_done_and_what_failed(folder, journal):
    _run(folder, journal, fail_sites=(1,))
    journal.unlink()
    status = _run(folder, journal)
    assert not journal.exists()
    assert (status.done, status.failed) == (4, 1)


def test_failures_are_computed_again_when_asked_to(folder, journal):
    _run(folder, journal, fail_sites=(1,))
    journal.unlink()
    status = _run(folder, journal, retry_failures=True)
    assert journal.read_text().splitlines() == ["prepare one", "simulate one 1"]
    assert (status.done, status.failed) == (5, 0)


@noticed_at_once
def test_a_killed_worker_loses_at_most_its_site(folder, journal):
    status = _run(folder, journal, die_sites=(1,))
    assert status.done == 5
    calls = journal.read_text().splitlines()
    assert calls.count("simulate one 0") == 1  # finished before the kill, kept
    assert calls.count("simulate one 1") == 2


@noticed_at_once
def test_a_site_that_kills_every_worker_is_given_up(folder, journal):
    status = _run(folder, journal, die_sites=(1,), die_once=False)
    assert (status.done, status.failed) == (4, 1)
    (failure,) = _failures(folder)
    assert "3 workers died" in failure["reason"]


@noticed_at_once
def test_a_killed_campaign_resumes_where_it_was(folder, journal):
    context = multiprocessing.get_context("spawn")
    arguments = (TASKS, folder, PretendSimulator(str(journal), pause=0.5))
    process = context.Process(target=run_campaign, args=arguments, kwargs={"progress": False})
    process.start()
    deadline = time.time() + 60
    while not record_path(folder, "one", 0).exists() and time.time() < deadline:
        time.sleep(0.05)
    process.kill()
    process.join()
    _wait_until_free(folder)  # the orphan finishes its site, gives its lock back and ends
    done_before = campaign_status(TASKS, folder).done
    assert 1 <= done_before < 5
    assert _run(folder, journal).done == 5
    calls = journal.read_text().splitlines()
    assert calls.count("simulate one 0") == 1


def _wait_until_free(folder, seconds: float = 30.0) -> None:
    deadline = time.time() + seconds
    while list((folder / "locks").glob("*.lock")) and time.time() < deadline:
        time.sleep(0.1)


def test_workers_that_cannot_start_end_the_campaign(folder, journal, monkeypatch):
    monkeypatch.setattr(campaign, "_work", os._exit)  # wrong arguments: dies at once
    with pytest.raises(SimulationError, match="died in a row"):
        _run(folder, journal)


def test_one_name_for_two_structures_is_refused(folder, journal):
    tasks = (_task("one", 0), replace(_task("one", 1), path="other.cif"))
    with pytest.raises(SimulationError, match="Rename"):
        _run(folder, journal, tasks=tasks)


def test_a_structure_may_come_again_with_more_sites(folder, journal):
    assert _run(folder, journal, tasks=(_task("one", 0), _task("one", 1))).done == 2


def test_no_workers_are_refused(folder, journal):
    with pytest.raises(SimulationError, match="workers=0"):
        _run(folder, journal, workers=0)


def test_a_record_survives_writing_and_reading(tmp_path):
    path = tmp_path / "record.npz"
    save_site_record(_record(3), path)
    read = load_site_record(path)
    assert read.site == 3
    assert read.label == _record(3).label
    assert read.densities == ()
    np.testing.assert_array_equal(read.alpha, _record(3).alpha)
    with np.load(path) as arrays:
        assert set(arrays) == {
            "alpha", "beta", "norm", "cell", "positions", "numbers", "site", "label"
        }  # fmt: skip
    assert [file.name for file in tmp_path.iterdir()] == ["record.npz"]


def test_projected_densities_survive_writing_and_reading(tmp_path):
    path = tmp_path / "record.npz"
    densities = tuple(
        ProjectedDensity(
            atom, core_hole, np.full((2, 3, 5), 1.0 + atom), np.ones((2, 3, 5)), np.ones((2, 3))
        )
        for atom, core_hole in ((3, False), (3, True), (7, False))
    )
    save_site_record(replace(_record(3), densities=densities), path)
    read = load_site_record(path).densities
    assert [(density.atom, density.core_hole) for density in read] == [
        (3, False),
        (3, True),
        (7, False),
    ]
    np.testing.assert_array_equal(read[2].alpha, densities[2].alpha)
    assert read[2].norm.shape == (2, 3)


def test_half_a_record_is_refused(tmp_path):
    path = tmp_path / "record.npz"
    save_site_record(_record(3), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SimulationError, match="resume the campaign"):
        load_site_record(path)


def test_a_failed_write_leaves_the_old_record(tmp_path, monkeypatch):
    path = tmp_path / "record.npz"
    save_site_record(_record(3), path)
    monkeypatch.setattr(
        np, "savez_compressed", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        save_site_record(_record(4), path)
    assert load_site_record(path).site == 3
    assert len(list(tmp_path.iterdir())) == 1


def test_a_lock_is_held_by_one(tmp_path):
    path = tmp_path / "a.lock"
    lock = locks.claim(path)
    assert lock is not None
    assert locks.claim(path) is None
    locks.release(lock)
    assert locks.claim(path) is not None


@noticed_at_once
def test_the_lock_of_a_dead_process_is_recovered(tmp_path):
    path = tmp_path / "a.lock"
    process = multiprocessing.get_context("spawn").Process(target=locks.claim, args=(path,))
    process.start()
    process.join()
    assert path.exists()
    assert locks.claim(path) is not None
    assert json.loads(path.read_text())["pid"] == os.getpid()


@noticed_at_once
def test_the_lock_of_an_earlier_process_of_the_same_number_is_recovered(tmp_path):
    path = tmp_path / "a.lock"
    locks.claim(path)
    holder = json.loads(path.read_text())
    path.write_text(json.dumps({**holder, "born": "1"}))
    assert locks.claim(path) is not None


def test_a_lock_of_another_machine_is_kept_for_an_hour(tmp_path):
    path = tmp_path / "a.lock"
    path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "born": ""}))
    assert locks.claim(path) is None
    os.utime(path, (time.time() - 7200, time.time() - 7200))
    assert locks.claim(path) is not None


def test_tasks_survive_writing_and_reading(tmp_path):
    path = tmp_path / "tasks.json"
    tasks = (*TASKS, replace(TASKS[0], name="three", strain=0.03, temperature=300.0, seed=7))
    save_tasks(tasks, path)
    assert load_tasks(path) == tasks


def test_a_file_that_holds_no_tasks_is_refused(tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text('[{"name": "one"}]')
    with pytest.raises(SimulationError, match="save_tasks"):
        load_tasks(path)
