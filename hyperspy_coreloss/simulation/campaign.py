"""A campaign: many sites, computed by several worker processes, stopped and resumed at will.

The folder of a campaign contains::

    <structure>_<site>.npz    record of one finished site, written completely or not at all
    ground/<structure>.npz    ground states, for resumed and later tasks
    locks/<structure>.lock    held by the worker that computes the structure
    attempts/<unit>           one byte for each attempt that has not ended
    failures.jsonl            one line for each failure: site, error, time

These files are the complete state of a campaign. To resume it, run it again. To stop it, terminate
the supervising process: each worker finishes its site and exits.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.locks import Lock, claim, release
from hyperspy_coreloss.simulation.site_record import save_site_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.process import BaseProcess

    from tqdm import tqdm

    from hyperspy_coreloss.simulation.site_record import SiteRecord
    from hyperspy_coreloss.simulation.tasks import SimulationTask

_LOGGER = logging.getLogger(__name__)

#: A site or ground state is given up after this many workers died while computing it.
_MOST_ATTEMPTS = 3

_POLL_SECONDS = 1.0


class Simulator(Protocol):
    """Interface of an object that computes sites. It is pickled to send it to the workers."""

    def prepare(self, task: SimulationTask, folder: Path) -> Any:
        """Compute what all sites of a task share; it may be saved in `folder`."""

    def simulate(self, task: SimulationTask, prepared: Any, site: int) -> SiteRecord:
        """Compute the record of one site."""


@dataclass(frozen=True)
class CampaignStatus:
    """Progress of a campaign.

    Parameters
    ----------
    total, done, failed
        Numbers of all sites, of finished sites and of failed sites.
    """

    total: int
    done: int
    failed: int

    @property
    def remaining(self) -> int:
        """Number of sites that are neither finished nor failed."""
        return self.total - self.done - self.failed


def run_campaign(
    tasks: Sequence[SimulationTask],
    folder: str | Path,
    simulator: Simulator,
    *,
    workers: int = 1,
    retry_failures: bool = False,
    progress: bool = True,
) -> CampaignStatus:
    """Compute all unfinished sites of `tasks`; call it again to resume.

    Several campaigns may run in the same folder at the same time, on one or several machines.

    Parameters
    ----------
    tasks
        Tasks in the order of computation.
    folder
        Folder of the results; the module's docstring lists its files.
    simulator
        Usually a :class:`.SiteSimulator`.
    workers
        Number of processes; set ``OMP_NUM_THREADS=1`` for more than one.
    retry_failures
        Compute sites again that failed before.
    progress
        Show a progress bar with the remaining time.

    Returns
    -------
    CampaignStatus
        Numbers of sites at the end.

    Raises
    ------
    SimulationError
        If `workers` is below one, two tasks of the same name have different structures, or
        workers repeatedly die without a result.
    """
    if workers < 1:
        msg = f"A campaign needs at least one worker; found workers={workers}. Use workers=1."
        raise SimulationError(msg)
    _check_names(tasks)
    folder = Path(folder)
    for subfolder in ("ground", "locks", "attempts"):
        (folder / subfolder).mkdir(parents=True, exist_ok=True)
    for marker in (folder / "attempts").iterdir():
        marker.unlink(missing_ok=True)  # attempts of a stopped run are not deaths
    if retry_failures:
        _forget_failures(folder)
    _supervise(tuple(tasks), folder, simulator, workers, progress=progress)
    return campaign_status(tasks, folder)


def campaign_status(tasks: Sequence[SimulationTask], folder: str | Path) -> CampaignStatus:
    """Return the numbers of all, finished and failed sites of a campaign.

    Parameters
    ----------
    tasks
        Tasks of the campaign.
    folder
        Folder of the results.
    """
    folder = Path(folder)
    failed = _read_failures(folder)
    units = {(task.name, site) for task in tasks for site in task.sites}
    done = finished_sites(tasks, folder)
    lost = {unit for unit in units - done if unit in failed or (unit[0], None) in failed}
    return CampaignStatus(len(units), len(done), len(lost))


def finished_sites(
    tasks: Sequence[SimulationTask], folder: str | Path
) -> frozenset[tuple[str, int]]:
    """Return structure name and index of each site of `tasks` that has a record in `folder`."""
    return frozenset(
        (task.name, site)
        for task in tasks
        for site in task.sites
        if record_path(Path(folder), task.name, site).exists()
    )


def record_path(folder: Path, name: str, site: int) -> Path:
    """Return the path of the record of one site."""
    return folder / f"{name}_{site}.npz"


def _supervise(
    tasks: tuple[SimulationTask, ...],
    folder: Path,
    simulator: Simulator,
    workers: int,
    *,
    progress: bool,
) -> None:
    """Replace workers that die, until all of them have exited with no work left."""
    # A new interpreter for each worker: threads of numerical libraries do not survive a fork.
    context = multiprocessing.get_context("spawn")

    def start() -> BaseProcess:
        worker = context.Process(target=_work, args=(tasks, folder, simulator, os.getpid()))
        worker.start()
        return worker

    status, deaths = campaign_status(tasks, folder), 0
    running = [start() for _ in range(workers)]
    bar = _progress_bar(status, show=progress)
    try:
        while running:
            time.sleep(_POLL_SECONDS)
            for worker in [process for process in running if not process.is_alive()]:
                running.remove(worker)
                if worker.exitcode != 0:
                    deaths += 1
                    _check_deaths(deaths, workers, worker.exitcode)
                    running.append(start())
            before, status = status, campaign_status(tasks, folder)
            if status != before:
                deaths = 0
                bar.set_postfix(failed=status.failed, refresh=False)
                bar.update(status.done + status.failed - bar.n)
    finally:
        bar.close()
        for worker in running:
            worker.terminate()
            worker.join()


def _progress_bar(status: CampaignStatus, *, show: bool) -> tqdm:
    from tqdm import tqdm

    return tqdm(
        total=status.total,
        initial=status.done + status.failed,
        unit="site",
        smoothing=0,  # the mean rate: sites take minutes, and their times differ widely
        disable=not show,
    )


def _check_deaths(deaths: int, workers: int, exit_code: int | None) -> None:
    _LOGGER.warning("a worker died with exit code %s", exit_code)
    # A site in which workers die is given up after a few deaths, which counts as progress.
    if deaths > (_MOST_ATTEMPTS + 1) * workers:
        msg = (
            f"Workers must be able to compute sites; {deaths} died in a row without a result, the "
            f"last with exit code {exit_code}. Look for the cause in the output above, or compute "
            "one site without workers."
        )
        raise SimulationError(msg)


def _work(
    tasks: Sequence[SimulationTask], folder: Path, simulator: Simulator, supervisor: int
) -> None:
    """Run one worker: compute each task that is neither finished nor locked by another."""
    for task in tasks:
        if not _pending(task, folder):
            continue
        lock = claim(folder / "locks" / f"{task.name}.lock")
        if lock is None:
            continue
        try:
            _compute_task(task, folder, simulator, lock, supervisor)
        finally:
            release(lock)
        if os.getppid() != supervisor:
            return


def _compute_task(
    task: SimulationTask, folder: Path, simulator: Simulator, lock: Lock, supervisor: int
) -> None:
    pending = _pending(task, folder)  # checked again: another worker may have just finished it
    if not pending:
        return
    with _Attempt(folder, task.name, None) as attempt:
        prepared = simulator.prepare(task, folder / "ground")
    if not attempt.succeeded:
        return
    for site in pending:
        with _Attempt(folder, task.name, site):
            lock.touch()
            record = simulator.simulate(task, prepared, site)
            save_site_record(record, record_path(folder, task.name, site))
        if os.getppid() != supervisor:  # without its supervisor, a worker stops here
            return


class _Attempt:
    """Context of one computation: records its failure, and counts deaths of its worker."""

    def __init__(self, folder: Path, name: str, site: int | None) -> None:
        self._folder, self._name, self._site = folder, name, site
        self._marker = folder / "attempts" / f"{name}_{'ground' if site is None else site}"
        self.succeeded = False

    def __enter__(self) -> _Attempt:
        with self._marker.open("ab") as marker:
            marker.write(b".")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> bool:
        if error is not None and not isinstance(error, Exception):
            return False
        if error is not None:
            _write_failure(self._folder, self._name, self._site, error)
        self.succeeded = error is None
        self._marker.unlink(missing_ok=True)
        return True


def _pending(task: SimulationTask, folder: Path) -> tuple[int, ...]:
    """Return the sites of `task` to compute; give up those in which several workers died."""
    failed = _read_failures(folder)
    if (task.name, None) in failed or _given_up(folder, task.name, None):
        return ()
    return tuple(
        site
        for site in task.sites
        if not record_path(folder, task.name, site).exists()
        and (task.name, site) not in failed
        and not _given_up(folder, task.name, site)
    )


def _given_up(folder: Path, name: str, site: int | None) -> bool:
    marker = folder / "attempts" / f"{name}_{'ground' if site is None else site}"
    if not marker.exists() or marker.stat().st_size < _MOST_ATTEMPTS:
        return False
    if (name, site) not in _read_failures(folder):
        msg = (
            f"{_MOST_ATTEMPTS} workers died in it without an error. Check that the memory "
            "suffices, and run the campaign again with retry_failures (--retry)."
        )
        _write_failure(folder, name, site, SimulationError(msg))
    return True


def _write_failure(folder: Path, name: str, site: int | None, error: BaseException) -> None:
    line = {
        "structure": name,
        "site": site,
        "error": type(error).__name__,
        "reason": str(error),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "traceback": traceback.format_exception(error)[-4:],
    }
    with (folder / "failures.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")  # one write, so that workers do not mix lines


def _read_failures(folder: Path) -> set[tuple[str, int | None]]:
    log = folder / "failures.jsonl"
    if not log.exists():
        return set()
    failed = set()
    for text in log.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # an incomplete last line after a crash
        failed.add((line["structure"], line["site"]))
    return failed


def _forget_failures(folder: Path) -> None:
    log = folder / "failures.jsonl"
    if log.exists():
        log.replace(folder / f"failures_before_{time.strftime('%Y%m%dT%H%M%S')}.jsonl")


def _check_names(tasks: Sequence[SimulationTask]) -> None:
    identities: dict[str, tuple[Any, ...]] = {}
    for task in tasks:
        identity = (task.path, task.frame, task.strain, task.temperature, task.seed)
        if identities.setdefault(task.name, identity) != identity:
            msg = (
                f"Tasks of the same name must have the same structure; {task.name!r} is the name "
                f"of {identities[task.name]} and of {identity}. Rename one of them."
            )
            raise SimulationError(msg)
