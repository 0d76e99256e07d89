"""Adding tasks to a plan that is being computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

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
