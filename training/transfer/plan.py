"""The plan of the transfer set: which of the computed sites are computed by another theory.

A fixed number of sites of every kind of structure, in small supercells, from as many phases and
structures as there are. The choice depends on names only, not on spectra or labels.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hyperspy_coreloss.simulation.tasks import SimulationTask

RELAXED, ZEOLITE, THERMAL, STRAINED, VACANCY, MADE = (
    "relaxed crystal",
    "ideal zeolite",
    "thermal frame",
    "strained",
    "vacancy",
    "made",
)

#: Number of sites of each kind, 60 in all. Structures that are made, such as glass, suboxides,
#: silanols and heated crystals, take their places when their sites are computed.
PLACES = {RELAXED: 12, ZEOLITE: 8, THERMAL: 8, STRAINED: 8, VACANCY: 4, MADE: 20}

#: Phases of the relaxed crystals that come first.
NAMED = ("quartz", "cristobalite", "coesite", "stishovite", "tridymite")

#: Sites in larger supercells, in cubic angstrom, are left out, except for relaxed crystals of named
#: phases and for made structures.
LARGEST_VOLUME = 850.0

_SEED = "transfer"


def transfer_plan(
    tasks: Sequence[SimulationTask],
    volumes: Mapping[tuple[str, int], float],
    existing: Sequence[SimulationTask] = (),
) -> tuple[SimulationTask, ...]:
    """Choose the sites of the transfer set.

    Parameters
    ----------
    tasks
        Tasks of the data set.
    volumes
        Volume of the supercell in cubic angstrom of each site that has a record in the data set,
        by structure name and site. Other sites are not chosen: each needs its counterpart.
    existing
        The plan so far. It is kept, and places that are free are filled.

    Returns
    -------
    tuple of SimulationTask
        Tasks of one site each, first the existing ones. The kinds take turns, so that the first
        tasks are a sample of all.
    """
    queues = {}
    for kind, places in PLACES.items():
        kept = [task for task in existing if kind_of(task) == kind]
        free = _candidates(tasks, volumes, kind)
        queues[kind] = _spread(free, kept)[: max(0, places - len(kept))]
    turns = sorted(
        ((number + 0.5) / len(queue), place, task)
        for place, queue in enumerate(queues.values())
        for number, task in enumerate(queue)
    )
    return (*existing, *(task for _, _, task in turns))


def kind_of(task: SimulationTask) -> str:
    """Return the kind of a task's structure, a key of `PLACES`."""
    if re.search(r"-vac\d+$", task.name):
        return VACANCY
    if task.path.endswith(".xyz"):  # in training/structures, also if it has frames
        return MADE
    if task.frame is not None:
        return THERMAL
    if task.seed is not None:
        return STRAINED
    return ZEOLITE if task.path.startswith("zeolites_iza/") else RELAXED


def _candidates(
    tasks: Sequence[SimulationTask], volumes: Mapping[tuple[str, int], float], kind: str
) -> list[SimulationTask]:
    """Return the sites of a kind that may be chosen, one task for each, in a seeded order."""
    single = [
        replace(task, sites=(site,), multiplicities=(multiplicity,))
        for task in tasks
        if kind_of(task) == kind
        for site, multiplicity in zip(task.sites, task.multiplicities, strict=True)
        if (task.name, site) in volumes
        and (volumes[task.name, site] <= LARGEST_VOLUME or kind == MADE or _is_named(task))
    ]
    return sorted(single, key=lambda task: _hash(f"{task.name}_{task.sites[0]}"))


def _is_named(task: SimulationTask) -> bool:
    return kind_of(task) == RELAXED and task.phase in NAMED


def _spread(
    tasks: Sequence[SimulationTask], kept: Sequence[SimulationTask]
) -> list[SimulationTask]:
    """Order sites of one kind: every structure before second sites, and phases by turns."""
    chosen = {(task.name, task.sites) for task in kept}
    structures = Counter(task.name for task in kept)
    phases = Counter((task.phase, 0) for task in kept)
    ranked = []
    for task in tasks:
        if (task.name, task.sites) in chosen:
            continue
        turn = structures[task.name]
        rank = (turn, phases[task.phase, turn], not _is_named(task))
        ranked.append((*rank, _hash(f"{kind_of(task)} {task.phase}"), task))
        structures[task.name] += 1
        phases[task.phase, turn] += 1
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])]


def _hash(name: str) -> int:
    return zlib.crc32(f"{_SEED} {name}".encode())
