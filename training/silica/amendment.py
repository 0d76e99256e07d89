"""Changing the plan of a running campaign: adding tasks, and changing their order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hyperspy_coreloss.simulation.tasks import SimulationTask

#: New sites are distributed among this many of the next sites to be computed.
SPREAD = 300


def amend_plan(
    existing: Sequence[SimulationTask],
    planned: Sequence[SimulationTask],
    finished: Collection[tuple[str, int]] = frozenset(),
    spread: int = SPREAD,
) -> tuple[SimulationTask, ...]:
    """Insert the tasks of a newer plan among the unfinished tasks of an existing one.

    Existing tasks keep their sites and their order. Structures of the existing plan get no further
    sites.

    Parameters
    ----------
    existing
        Plan that is being computed.
    planned
        Newer plan. Its tasks whose names are not in `existing` are added.
    finished
        Structure names and sites that are computed, from :func:`.campaign.finished_sites`.
    spread
        New sites are distributed evenly among the first `spread` unfinished sites, new ones
        included.

    Returns
    -------
    tuple of SimulationTask
        The amended plan. Amending it again changes nothing.
    """
    names = {task.name for task in existing}
    new = [task for task in planned if task.name not in names]
    n_new = sum(len(task.sites) for task in new)
    # Number of unfinished existing sites for each new one.
    share = max(0.0, (spread - n_new) / n_new) if n_new else 0.0
    amended: list[SimulationTask] = []
    old_left = placed = 0
    for task in existing:
        open_sites = sum((task.name, site) not in finished for site in task.sites)
        while open_sites and new and placed * share <= old_left:
            placed += len(new[0].sites)
            amended.append(new.pop(0))
        old_left += open_sites
        amended.append(task)
    return (*amended, *new)


def cheapest_first(
    tasks: Sequence[SimulationTask],
    finished: Collection[tuple[str, int]],
    n_atoms: Callable[[SimulationTask], int],
    sites_per_phase: int = 2,
) -> tuple[SimulationTask, ...]:
    """Order the unfinished tasks by cost, after tasks of phases that have few sites.

    This is for the end of a campaign that lacks the machine time for the whole plan. A new phase
    adds more information than another site of a phase that has some, and a site in a small cell
    adds as much as one in a large cell.

    Parameters
    ----------
    tasks
        Plan that is being computed.
    finished
        Structure names and sites that are computed, from :func:`.campaign.finished_sites`.
    n_atoms
        Function that returns the number of atoms in the supercell of a task.
    sites_per_phase
        Tasks of phases with fewer sites come first, in the order of the plan, until each phase has
        this many.

    Returns
    -------
    tuple of SimulationTask
        The same tasks: first the finished ones, then those of phases with few sites, then the
        others by number of atoms. Tasks of the same size keep their order.
    """
    done = [task for task in tasks if all((task.name, site) in finished for site in task.sites)]
    left = [task for task in tasks if task not in done]
    n_sites = Counter(
        task.phase for task in tasks for site in task.sites if (task.name, site) in finished
    )
    first = []
    for task in left:
        if n_sites[task.phase] < sites_per_phase:
            first.append(task)
            n_sites[task.phase] += len(task.sites)
    return (*done, *first, *sorted((task for task in left if task not in first), key=n_atoms))
