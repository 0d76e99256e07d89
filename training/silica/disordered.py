"""The tasks of made structures: glasses, suboxides, broken bonds, silanol groups, heated crystals.

Their files say how they were made, and to which population their sites belong. Few sites of many
cells come before many sites of few.
"""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.simulation.atomistic.network import network_of
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.tasks import SimulationTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ase import Atoms

_LICENCE = "CC BY 4.0"


#: Sites of silanol groups in a cell, before those beside them.
_SILANOL_SITES = 2


@dataclass(frozen=True)
class _Portions:
    """Numbers of sites of each cell in the rounds of the plan."""

    sites: tuple[int, ...]
    source: str


_PORTIONS = {
    "glass": _Portions(
        (2, 2, 2, 2, 2), "melted with the potential of Vashishta et al., relaxed with CHGNet"
    ),
    "suboxide": _Portions(
        (2, 2, 2, 1), "glass whose oxygen bridges were replaced by Si-Si bonds, CHGNet"
    ),
    "defect": _Portions(
        (3, 2), "melted with the potential of Vashishta et al., relaxed with CHGNet, broken bonds"
    ),
    "heated": _Portions((1, 1), "molecular dynamics with CHGNet"),
    "silanol": _Portions((_SILANOL_SITES, 2), "silanol groups, relaxed with CHGNet"),
}


def disordered_tasks(folder: str | Path) -> tuple[SimulationTask, ...]:
    """Return the tasks of the made structures in a folder.

    Parameters
    ----------
    folder
        Folder of extended XYZ files whose header names a ``population``; others are left out. The
        header of a heated crystal, or of a cell with silanol groups, names its ``phase``; each
        amorphous cell is a phase of its own, because its sites have neighbourhoods in common.

    Returns
    -------
    tuple of SimulationTask
        Round by round: some sites of every cell, then further ones. In each round the populations
        are mixed, so that the plan can be stopped anywhere.
    """
    rounds: list[list[SimulationTask]] = []
    for path in sorted(Path(folder).glob("*.xyz")):
        atoms = read_structure(path)
        portions = _PORTIONS.get(atoms.info.get("population", ""))
        if portions is None:
            continue
        order = iter(_sites(atoms, path.stem))
        for turn, count in enumerate(portions.sites):
            sites = tuple(itertools.islice(order, count))
            if len(rounds) <= turn:
                rounds.append([])
            if sites:
                rounds[turn].append(_task(path, atoms, sites, portions.source))
    return tuple(task for tasks in rounds for task in sorted(tasks, key=_mixed))


def _task(path: Path, atoms: Atoms, sites: tuple[int, ...], source: str) -> SimulationTask:
    return SimulationTask(
        name=path.stem,
        phase=str(atoms.info.get("phase", path.stem)),
        path=path.name,
        sites=sites,
        multiplicities=(1,) * len(sites),
        source=str(atoms.info.get("source", source)),
        licence=str(atoms.info.get("licence", _LICENCE)),
        population=str(atoms.info["population"]),
    )


def _mixed(task: SimulationTask) -> int:
    """Return a number that mixes the populations in the same way every time."""
    return zlib.crc32(task.name.encode())


def _sites(atoms: Atoms, name: str) -> Iterator[int]:
    """Yield the oxygen atoms of a cell: those at broken bonds first, then in a random order.

    In a cell with silanol groups, two of these come first, then the oxygen atoms beside them.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    oxygen = [int(index) for index in random.permutation(np.flatnonzero(atoms.numbers == 8))]
    network = network_of(atoms)
    wrong = set(network.miscoordinated)
    near = [index for index in oxygen if index in wrong or wrong & set(network.neighbours[index])]
    groups = [i for i in oxygen if "H" in {network.symbols[j] for j in network.neighbours[i]}]
    if groups:
        silicon = {j for i in groups for j in network.neighbours[i] if network.symbols[j] == "Si"}
        beside = [i for i in oxygen if i not in groups and silicon & set(network.neighbours[i])]
        near = [*groups[:_SILANOL_SITES], *beside, *groups[_SILANOL_SITES:]]
    yield from near
    yield from (index for index in oxygen if index not in near)
