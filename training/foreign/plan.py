"""The plan for oxides that are not silica: which sites of which structures are computed."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import (
    absorbing_sites,
    build_supercell,
    primitive_structure,
)
from hyperspy_coreloss.simulation.tasks import SimulationTask
from training.foreign.oxides import OXIDES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from training.foreign.oxides import Oxide

STRUCTURES = Path(__file__).parent / "structures"

_FIRST_SITES = 2
_MOST_SITES = 4

#: Strain, and temperature in kelvin, of the variant of a crystal with one inequivalent site.
VARIANT = (0.02, 300.0)
_SITES_PER_VARIANT = 2


def foreign_plan(
    folder: str | Path = STRUCTURES, oxides: Iterable[Oxide] = OXIDES
) -> tuple[SimulationTask, ...]:
    """Return the tasks of the oxides that are not silica, in their order.

    Two inequivalent sites of each crystal come first, then up to two more. A crystal in which all
    oxygen is equivalent has a strained and rattled variant, with two sites. In each round, small
    cells come first.

    Parameters
    ----------
    folder
        Folder of the structures, which the paths of the tasks are relative to.
    oxides
        The oxides.
    """
    ranked = [entry for oxide in oxides for entry in _tasks(oxide, Path(folder))]
    ranked.sort(key=lambda entry: (*entry[:2], entry[2].name))
    return tuple(task for _, _, task in ranked)


def _tasks(oxide: Oxide, folder: Path) -> Iterator[tuple[int, int, SimulationTask]]:
    """Yield the tasks of one oxide with their round and the size of their cell."""
    path = f"{oxide.name}.cif"
    atoms = primitive_structure(read_structure(folder / path))
    supercell = build_supercell(atoms)
    sites = absorbing_sites(atoms, "O")
    task = SimulationTask(
        name=oxide.name,
        phase=oxide.name,
        path=path,
        sites=(),
        multiplicities=(),
        source=oxide.source,
        licence=oxide.licence,
    )
    rounds = (sites[:_FIRST_SITES], sites[_FIRST_SITES:_MOST_SITES])
    for turn, some in enumerate(rounds):
        if some:
            chosen = replace(
                task,
                sites=tuple(site.index for site in some),
                multiplicities=tuple(site.multiplicity for site in some),
            )
            yield turn, len(supercell), chosen
    if len(sites) == 1:
        oxygen = [atom.index for atom in supercell if atom.symbol == "O"]
        name = f"{oxide.name}-v0"
        variant = replace(
            task,
            name=name,
            sites=tuple(oxygen[:: max(1, len(oxygen) // 2)][:_SITES_PER_VARIANT]),
            multiplicities=(1,) * _SITES_PER_VARIANT,
            source=f"{oxide.source}; strained and rattled",
            strain=VARIANT[0],
            temperature=VARIANT[1],
            seed=zlib.crc32(name.encode()),
        )
        yield len(rounds), len(supercell), variant
