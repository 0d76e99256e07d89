"""Tasks of a campaign: each is one structure with the sites to compute."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.dataset.population import OTHER, POPULATIONS
from hyperspy_coreloss.errors import SimulationError, StructureError
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.simulation.structure_files import read_frame, read_structure
from hyperspy_coreloss.simulation.structures import (
    SMALLEST_IMAGE_DISTANCE,
    absorbing_sites,
    build_supercell,
    check_structure,
    primitive_structure,
    refuse_duplicate,
)
from hyperspy_coreloss.simulation.virtual_structures import rattle, strain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ase import Atoms


@dataclass(frozen=True)
class SimulationTask:
    """The sites to compute in one structure.

    Parameters
    ----------
    name
        Name of the structure, in data sets and at the start of file names.
    phase
        Framework or polymorph; data sets are split by phase.
    path
        Structure file, absolute or relative to a folder of structures.
    sites
        Indices of the absorbing atoms in the supercell.
    multiplicities
        Number of equivalent atoms in the primitive cell for each of `sites`.
    source, licence
        Origin and licence of the structure.
    absorber
        Chemical symbol of the absorbing element.
    frame
        Number of the frame in a molecular-dynamics file; None for other files.
    strain
        Largest component of the random strain; see :func:`.virtual_structures.strain`.
    temperature
        Temperature of the rattling in kelvin; see :func:`.virtual_structures.rattle`.
    seed
        Seed of strain and rattling; None if the structure is neither strained nor rattled.
    population
        Kind of structure that the sites are counted under, one of
        :data:`.population.POPULATIONS`.
    """

    name: str
    phase: str
    path: str
    sites: tuple[int, ...]
    multiplicities: tuple[int, ...]
    source: str
    licence: str
    absorber: str = "O"
    frame: int | None = None
    strain: float = 0.0
    temperature: float = 0.0
    seed: int | None = None
    population: str = OTHER

    def __post_init__(self) -> None:
        if self.population not in POPULATIONS:
            msg = (
                f"The population of {self.name} must be one of {', '.join(POPULATIONS)}; found "
                f"{self.population!r}."
            )
            raise SimulationError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dictionary."""
        fields = asdict(self)
        return fields | {key: list(fields[key]) for key in ("sites", "multiplicities")}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SimulationTask:
        """Rebuild a task from :meth:`to_dict`."""
        tuples = {key: tuple(int(i) for i in fields[key]) for key in ("sites", "multiplicities")}
        return cls(**{**fields, **tuples})


def tasks_from_files(
    paths: Iterable[str | Path],
    absorber: str,
    *,
    source: str = "file",
    licence: str = "unknown",
    population: str = OTHER,
) -> tuple[tuple[SimulationTask, ...], dict[str, str]]:
    """Return a task for each structure file, with all its inequivalent sites.

    Parameters
    ----------
    paths
        Structure files. The file name without suffix is the name of structure and phase.
    absorber
        Chemical symbol of the absorbing element.
    source, licence
        Origin and licence of the structures, written into every record.
    population
        Kind of structure, written into every record.

    Returns
    -------
    tasks
        One for each usable file.
    refused
        Reasons why the other files are unusable, by path: unreadable, without absorber, duplicate.
    """
    tasks: list[SimulationTask] = []
    refused: dict[str, str] = {}
    accepted: dict[str, Atoms] = {}
    for path in map(Path, paths):
        try:
            atoms = primitive_structure(read_structure(path))
            sites = absorbing_sites(atoms, absorber)
            refuse_duplicate(atoms, accepted, path.name)
            if path.stem in {Path(name).stem for name in accepted}:
                msg = f"Structures need different names; two are called {path.stem}. Rename one."
                raise StructureError(msg)
        except (StructureError, FileNotFoundError) as error:
            refused[str(path)] = str(error)
            continue
        accepted[path.name] = atoms
        task = SimulationTask(
            name=path.stem,
            phase=path.stem,
            path=str(path.resolve()),
            sites=tuple(site.index for site in sites),
            multiplicities=tuple(site.multiplicity for site in sites),
            source=source,
            licence=licence,
            absorber=absorber,
            population=population,
        )
        tasks.append(task)
    return tuple(tasks), refused


def build_structure(
    task: SimulationTask,
    structures: str | Path | Sequence[str | Path] = ".",
    smallest_image_distance: float = SMALLEST_IMAGE_DISTANCE,
) -> Atoms:
    """Build the supercell of a task; the result is the same every time.

    The steps are: primitive cell, strain, smallest supercell, rattling. A molecular-dynamics frame
    is not reduced to its primitive cell.

    Parameters
    ----------
    task
        Task whose supercell is built.
    structures
        Folder that the path of the task is relative to, or several folders; the first that
        contains the file is used.
    smallest_image_distance
        Smallest distance between periodic images in angstrom.

    Raises
    ------
    StructureError
        If the structure cannot be read, or :func:`.check_structure` refuses it.
    FileNotFoundError
        If no folder contains the file.
    """
    path = _find(task.path, structures)
    if task.frame is not None:
        atoms = read_frame(path, task.frame)
    else:
        atoms = primitive_structure(read_structure(path))
    if task.seed is not None:
        atoms = strain(atoms, task.strain, task.seed)
    atoms = build_supercell(atoms, smallest_image_distance)
    if task.seed is not None:
        atoms = rattle(atoms, task.temperature, task.seed)
    check_structure(atoms, task.absorber, task.name)
    return atoms


def _find(path: str, structures: str | Path | Sequence[str | Path]) -> Path:
    folders = [structures] if isinstance(structures, str | Path) else structures
    for folder in folders:
        if (Path(folder) / path).is_file():
            return Path(folder) / path
    msg = (
        f"The structure file {path} was expected in {' or '.join(map(str, folders))}; it is not "
        "there. Give the folder that contains it."
    )
    raise FileNotFoundError(msg)


def save_tasks(tasks: Iterable[SimulationTask], path: str | Path) -> None:
    """Write tasks to a JSON file, completely or not at all."""
    text = json.dumps([task.to_dict() for task in tasks], indent=1)
    with replace_file(path) as new:
        new.write_text(text + "\n", encoding="utf-8")


def load_tasks(path: str | Path) -> tuple[SimulationTask, ...]:
    """Read tasks written by :func:`save_tasks`.

    Raises
    ------
    SimulationError
        If the file is not a list of tasks.
    """
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
        return tuple(SimulationTask.from_dict(entry) for entry in entries)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = (
            f"{path} must hold a list of simulation tasks; reading it failed with {error!r}. "
            "Write it with save_tasks()."
        )
        raise SimulationError(msg) from error
