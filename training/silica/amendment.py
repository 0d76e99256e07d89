"""Changing a plan that is being computed: tasks added, tasks in another order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hyperspy_coreloss.simulation.tasks import SimulationTask

#: The new sites are spread over as many of the sites that are left.
SPREAD = 300


def amend_plan(
    existing: Sequence[SimulationTask],
    planned: Sequence[SimulationTask],
    finished: Collection[tuple[str, int]] = frozenset(),
    spread: int = SPREAD,
) -> tuple[SimulationTask, ...]:
    """Put the tasks of a newer plan among those of an existing one that are still to be computed.

    Every existing task stays as it is, in its order; a structure that the existing plan knows
    gets no sites beyond those it has.

    Parameters
    ----------
    existing
        Plan that is being computed.
    planned
        Newer plan; its tasks under names that `existing` lacks are added.
    finished
        Structures and sites that are computed, see :func:`.campaign.finished_sites`.
    spread
        The new sites are placed evenly among the first `spread` sites that are left, themselves
        included.

    Returns
    -------
    tuple of SimulationTask
        The amended plan. Amending it again changes nothing.
    """
    known = {task.name for task in existing}
    new = [task for task in planned if task.name not in known]
    n_new = sum(len(task.sites) for task in new)
    # Old sites between two new ones: what is left of the stretch once the new ones have a place.
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
    """Put the tasks that are left in the order of their cost, after those of unknown phases.

    For the end of a campaign whose machine time will not do for the whole plan: a new phase says
    more than another site of a known one, and a small cell's site as much as a large one's.

    Parameters
    ----------
    tasks
        Plan that is being computed.
    finished
        Structures and sites that are computed, see :func:`.campaign.finished_sites`.
    n_atoms
        Gives the number of atoms of a task's supercell.
    sites_per_phase
        A phase with fewer sites is unknown; its tasks come first, in their order, until it has
        that many.

    Returns
    -------
    tuple of SimulationTask
        The same tasks: those that are finished, of unknown phases, and by number of atoms; tasks
        of one size stay in their order.
    """
    done = [task for task in tasks if all((task.name, site) in finished for site in task.sites)]
    left = [task for task in tasks if task not in done]
    known = Counter(
        task.phase for task in tasks for site in task.sites if (task.name, site) in finished
    )
    first = []
    for task in left:
        if known[task.phase] < sites_per_phase:
            first.append(task)
            known[task.phase] += len(task.sites)
    return (*done, *first, *sorted((task for task in left if task not in first), key=n_atoms))
