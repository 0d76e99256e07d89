"""The plan for silica: which sites of which structures are computed, in which order.

Small cells of many frameworks come first, with a few sites of each; further sites of the same
structures come later. Most sites are from molecular-dynamics frames and virtual structures: the
sites of an ideal crystal are nearly alike, while a disordered cell has dozens of different ones.
Oxygen-poor structures, and further variants of crystals whose oxygen has three neighbours, are
added because the sources contain too few of them.
"""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.structure_files import read_frame, read_structure
from hyperspy_coreloss.simulation.structures import (
    SMALLEST_IMAGE_DISTANCE,
    absorbing_sites,
    build_supercell,
    check_structure,
    image_distance,
    primitive_structure,
    refuse_duplicate,
)
from hyperspy_coreloss.simulation.tasks import SimulationTask, build_structure
from hyperspy_coreloss.simulation.topology import Signature, framework_signature

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ase import Atoms

_LOGGER = logging.getLogger(__name__)

#: Supercells with more atoms than this are left out, because they need a larger machine.
LARGEST_CELL = 72

#: Larger limits for dense cells, in atoms and cubic angstrom: the cost depends on the volume, and
#: 72 atoms of stishovite have that of 36 atoms of a zeolite.
_LARGEST_DENSE_CELL = 96
_LARGEST_DENSE_VOLUME = 800.0

#: Virtual structures are made from dense crystals, and from supercells of at most this many atoms.
_LARGEST_VIRTUAL_CELL = 54

#: Entries of the Materials Project with a wrong geometry: silicon with two bonds; oxygen 2.02 Å
#: from its silicon; tetrahedra opened to 152 and 141 degrees, 2.0 and 1.1 eV per SiO2 above quartz.
BAD_ENTRIES = frozenset({"mp-640917", "mp-557194", "mp-554397", "mp-553881"})

#: Strain, and temperature in kelvin, of the virtual variants of every crystal, in this order.
VARIANTS = ((0.03, 300.0), (0.05, 600.0), (0.02, 900.0), (0.06, 300.0), (0.04, 900.0))

#: Further variants of crystals whose oxygen has three silicon neighbours: there are only two.
DENSE_VARIANTS = ((0.05, 300.0), (0.03, 900.0), (0.06, 600.0), (0.02, 300.0))

#: Frames of each framework, in this order: those at the hot and cold ends of the files first.
FRAMES = (19, 4, 14, 9, 17, 1, 12, 6, 16, 2, 11, 7, 18, 3, 13, 8)

_SITES_PER_FRAME = 4
_SITES_PER_VARIANT = 3
_SITES_PER_DENSE_VARIANT = 4
_SITES_AT_VACANCIES = 4
_SITES_BESIDE_VACANCIES = 1
_FIRST_SITES = 2
_MOST_SITES = 8

#: Names of frameworks by coordination sequences, if there is no polymorph file to compare with.
_NAMED_PHASES: dict[Signature, str] = {((4, 12, 25, 44, 67, 96, 130, 170),): "tridymite"}

_POLYMORPHS = {
    "SiO2-Coesite": "coesite",
    "SiO2-Cristobalite": "cristobalite",
    "SiO2-Quartz-alpha": "quartz",
    "SiO2-Quartz-beta": "quartz",
    "SiO2-Stishovite": "stishovite",
}

_MATERIALS_PROJECT = (
    "Materials Project {} (Jain et al. 2013, APL Mater. 1, 011002), from matminer 0.4.0",
    "CC BY 4.0",
)
_POLYMORPH = ("Crystallography Open Database, {}", "public domain")
_IZA = (
    "IZA Database of Zeolite Structures, {} (Baerlocher and McCusker)",
    "public domain, origin to be cited",
)
_MOLECULAR_DYNAMICS = ("Si-ZEO22, {} (tysours/Si-ZEO22)", "CC0")


@dataclass(frozen=True)
class _Crystal:
    """An ideal crystal and what its tasks share; `task` has all inequivalent sites."""

    task: SimulationTask
    n_atoms: int
    makes_variants: bool
    is_dense: bool


@dataclass(frozen=True)
class _RankedTask:
    """A task with its rank in the order: by round, then by size."""

    round: int
    n_atoms: int
    task: SimulationTask


def silica_plan(
    structures_folder: str | Path, oxygen_poor_folder: str | Path | None = None
) -> tuple[SimulationTask, ...]:
    """Return the tasks of the O-K data set of silicon oxides, in their order.

    Parameters
    ----------
    structures_folder
        Folder with ``materials_project``, ``polymorphs``, ``zeolites_iza`` and ``si_zeo22``.
    oxygen_poor_folder
        Folder of relaxed structures with oxygen vacancies, ``<parent>-vac<vacancies>.xyz``. The
        parent is a crystal of the plan; the structure belongs to its phase. Paths of these tasks
        are relative to this folder.

    Returns
    -------
    tuple of SimulationTask
        The first tasks have few sites of every small structure; a later task may have further
        sites of the same structure. Unusable files are left out, and logged with the reason.

    Raises
    ------
    StructureError
        If the folder contains no usable crystal.
    """
    folder = Path(structures_folder)
    phases = _PhaseNames(folder)
    crystals = tuple(_ideal_crystals(folder, phases))
    if not crystals:
        msg = (
            f"A plan needs crystals of silica; found no usable one in {folder}. Give a folder "
            "with the subfolders materials_project, polymorphs, zeolites_iza and si_zeo22."
        )
        raise StructureError(msg)
    ranked = [
        *(task for crystal in crystals for task in _ideal_tasks(crystal)),
        *(task for crystal in crystals for task in _virtual_tasks(crystal, folder)),
        *_frame_tasks(folder, phases),
        *_oxygen_poor_tasks(oxygen_poor_folder, crystals),
    ]
    ranked.sort(key=lambda entry: (entry.round, entry.n_atoms, entry.task.name))
    return tuple(entry.task for entry in ranked)


class _PhaseNames:
    """Names of phases by coordination sequences: each framework is one phase.

    Frameworks with the same sequences (LTA and RHO, for example) count as one phase. A split then
    keeps them together, which is better than having equal frameworks on both sides.
    """

    def __init__(self, folder: Path) -> None:
        self._names = dict(_NAMED_PHASES)
        self._codes: dict[str, str] = {}
        codes: dict[Signature, list[str]] = {}
        for stem, name in _POLYMORPHS.items():
            atoms = _read_small(folder / "polymorphs" / f"{stem}.cif")
            if atoms is not None:
                self._names.setdefault(framework_signature(atoms), name)
        for path in sorted((folder / "zeolites_iza").glob("*.cif")):
            atoms = _read_small(path)
            if atoms is not None:
                codes.setdefault(framework_signature(atoms), []).append(path.stem)
        for signature, members in codes.items():
            name = self._names.setdefault(signature, "+".join(members))
            self._codes.update(dict.fromkeys(members, name))

    def of_crystal(self, atoms: Atoms, fallback: str) -> str:
        """Return the phase of a crystal; the first with new sequences names them by `fallback`."""
        return self._names.setdefault(framework_signature(atoms), fallback)

    def of_framework(self, code: str) -> str:
        """Return the phase of an IZA framework code."""
        return self._codes.get(code, code)


def _read_small(path: Path) -> Atoms | None:
    """Return the primitive cell, or None if it is unusable (logged) or too large."""
    try:
        atoms = primitive_structure(read_structure(path))
        check_structure(atoms, "O", path.name)
    except (StructureError, FileNotFoundError) as error:
        _LOGGER.warning("%s is left out: %s", path.name, error)
        return None
    return atoms if len(atoms) <= LARGEST_CELL else None


def _ideal_crystals(folder: Path, phases: _PhaseNames) -> Iterator[_Crystal]:
    accepted: dict[str, Atoms] = {}
    for path, origin in _crystal_files(folder):
        name = structure_name(path)
        atoms = None if name in BAD_ENTRIES else _read_small(path)
        if atoms is None or set(atoms.get_chemical_symbols()) != {"Si", "O"}:
            continue
        if atoms.symbols.count("O") > 2 * atoms.symbols.count("Si"):
            _LOGGER.warning("%s is left out: its framework is interrupted, and has no H", path.name)
            continue
        supercell = build_supercell(atoms)
        if not _fits(supercell, LARGEST_CELL):
            continue
        try:
            refuse_duplicate(atoms, accepted, name)
        except StructureError as error:
            _LOGGER.warning("%s is left out: %s", path.name, error)
            continue
        accepted[name] = atoms
        sites = absorbing_sites(atoms, "O")
        task = SimulationTask(
            name=name,
            phase=phases.of_crystal(atoms, name),
            path=str(path.relative_to(folder)),
            sites=tuple(site.index for site in sites),
            multiplicities=tuple(site.multiplicity for site in sites),
            source=origin[0].format(path.stem.removesuffix("_SiO2")),
            licence=origin[1],
        )
        yield _Crystal(
            task,
            len(supercell),
            makes_variants=_fits(supercell, _LARGEST_VIRTUAL_CELL),
            is_dense=all(len(bonded_neighbours(atoms, site.index).indices) == 3 for site in sites),
        )


def _fits(supercell: Atoms, most: int) -> bool:
    dense = len(supercell) <= _LARGEST_DENSE_CELL and (
        supercell.get_volume() <= _LARGEST_DENSE_VOLUME
    )
    return len(supercell) <= most or dense


def _crystal_files(folder: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    sources = (
        ("materials_project", "*_SiO2.cif", _MATERIALS_PROJECT),
        ("polymorphs", "*.cif", _POLYMORPH),
        ("zeolites_iza", "*.cif", _IZA),
    )
    for subfolder, pattern, origin in sources:
        for path in sorted((folder / subfolder).glob(pattern)):
            yield path, origin


def structure_name(path: Path) -> str:
    """Return the name of a crystal in the plan, from its file."""
    if path.parent.name == "zeolites_iza":
        return f"IZA-{path.stem}"
    if path.parent.name == "polymorphs":
        return path.stem.replace("SiO2", "COD")
    return path.stem.removesuffix("_SiO2")


def _ideal_tasks(crystal: _Crystal) -> Iterator[_RankedTask]:
    task, most = crystal.task, min(len(crystal.task.sites), _MOST_SITES)
    first_round = 1 if task.name.startswith("IZA-") else 0
    for turn, some in ((first_round, slice(0, _FIRST_SITES)), (4, slice(_FIRST_SITES, most))):
        if task.sites[some]:
            chosen = replace(task, sites=task.sites[some], multiplicities=task.multiplicities[some])
            yield _RankedTask(turn, crystal.n_atoms, chosen)


def _virtual_tasks(crystal: _Crystal, folder: Path) -> Iterator[_RankedTask]:
    if not crystal.makes_variants:
        return
    variants = [(turn, _SITES_PER_VARIANT, *variant) for turn, variant in enumerate(VARIANTS)]
    if crystal.is_dense:
        more = enumerate(DENSE_VARIANTS)
        variants += [(turn, _SITES_PER_DENSE_VARIANT, *variant) for turn, variant in more]
    for number, (turn, count, strain, temperature) in enumerate(variants):
        name = f"{crystal.task.name}-v{number}"
        draft = replace(
            crystal.task,
            name=name,
            strain=strain,
            temperature=temperature,
            seed=zlib.crc32(name.encode()),
            source=f"{crystal.task.source}; strained and rattled",
        )
        try:
            atoms = build_structure(draft, folder)
        except StructureError as error:
            _LOGGER.warning("%s is left out: %s", name, error)
            continue
        if not _fits(atoms, LARGEST_CELL):
            continue
        sites = _spread(atoms, count, number)
        task = replace(draft, sites=sites, multiplicities=(1,) * len(sites))
        yield _RankedTask(turn, len(atoms), task)


def _frame_tasks(folder: Path, phases: _PhaseNames) -> Iterator[_RankedTask]:
    for path in sorted((folder / "si_zeo22").glob("*.npz")):
        code = path.stem.upper()
        for turn, frame in enumerate(FRAMES):
            atoms = read_frame(path, frame)
            close = image_distance(atoms.cell[:]) < SMALLEST_IMAGE_DISTANCE
            if close or len(atoms) > LARGEST_CELL:
                continue
            # The largest cells cost most: four of their frames are enough.
            if len(atoms) > 60 and turn >= 4:
                continue
            check_structure(atoms, "O", path.name)
            sites = _spread(atoms, _SITES_PER_FRAME, turn)
            task = SimulationTask(
                name=f"MD-{path.stem}-{frame}",
                phase=phases.of_framework(code),
                path=str(path.relative_to(folder)),
                sites=sites,
                multiplicities=(1,) * len(sites),
                source=_MOLECULAR_DYNAMICS[0].format(f"{path.stem} frame {frame}"),
                licence=_MOLECULAR_DYNAMICS[1],
                frame=frame,
            )
            yield _RankedTask(turn, len(atoms), task)


def _oxygen_poor_tasks(
    folder: str | Path | None, crystals: Sequence[_Crystal]
) -> Iterator[_RankedTask]:
    parents = {crystal.task.name: crystal.task for crystal in crystals}
    for path in sorted(Path(folder).glob("*.xyz")) if folder is not None else ():
        parent = parents.get(path.stem.rpartition("-vac")[0])
        if parent is None:
            _LOGGER.warning("%s is left out: the plan does not have its parent crystal", path.name)
            continue
        draft = replace(
            parent,
            name=path.stem,
            path=path.name,
            source=f"{parent.source}; oxygen atoms removed, relaxed with PBE",
        )
        atoms = build_structure(draft, path.parent)
        sites = _sites_at_vacancies(atoms)
        task = replace(draft, sites=sites, multiplicities=(1,) * len(sites))
        yield _RankedTask(0, len(atoms), task)


def _sites_at_vacancies(atoms: Atoms) -> tuple[int, ...]:
    """Return oxygen bonded to silicon at a vacancy, and the oxygen farthest from the vacancies."""
    oxygen = np.flatnonzero(atoms.numbers == 8)
    bonded = {
        int(i): np.intersect1d(bonded_neighbours(atoms, int(i)).indices, oxygen)
        for i in np.flatnonzero(atoms.numbers == 14)
    }
    poor = [i for i, ends in bonded.items() if len(ends) < 4]
    near = sorted({int(j) for i in poor for j in bonded[i]})
    distances = [atoms.get_distances(j, poor, mic=True).min() for j in oxygen]
    far = oxygen[np.argsort(distances)[-_SITES_BESIDE_VACANCIES:]]
    stride = max(1, len(near) // _SITES_AT_VACANCIES)
    return (*near[::stride][:_SITES_AT_VACANCIES], *(int(j) for j in far))


def _spread(atoms: Atoms, count: int, turn: int) -> tuple[int, ...]:
    """Return `count` oxygen atoms spread over the cell, different ones for each turn."""
    oxygen: Sequence[int] = [atom.index for atom in atoms if atom.symbol == "O"]
    stride = max(1, len(oxygen) // count)
    return tuple(oxygen[(turn + i * stride) % len(oxygen)] for i in range(min(count, len(oxygen))))
