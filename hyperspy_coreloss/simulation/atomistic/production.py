"""Making many structures: by seed, resumable, with the reasons of those that are refused."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hyperspy_coreloss.errors import SimulationError, StructureError
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.simulation.atomistic.glass import make_glass
from hyperspy_coreloss.simulation.atomistic.heat import heat_crystal
from hyperspy_coreloss.simulation.atomistic.network import refuse_alike
from hyperspy_coreloss.simulation.atomistic.silanol import make_silanol
from hyperspy_coreloss.simulation.structure_files import read_structure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ase import Atoms

    from hyperspy_coreloss.simulation.atomistic.glass import GlassSettings
    from hyperspy_coreloss.simulation.atomistic.learned_potential import MolecularDynamics
    from hyperspy_coreloss.simulation.atomistic.silanol import SilanolKind

_LOGGER = logging.getLogger(__name__)

#: Subfolder with a file for each structure that was refused; the file says why. Several processes
#: may write to it at the same time.
REFUSED_FOLDER = "refused"


@dataclass(frozen=True)
class MadeStructures:
    """Outcome of making structures.

    Parameters
    ----------
    accepted
        Files of the structures that were made, in order.
    refused
        Reasons why others were refused, by name.
    """

    accepted: tuple[Path, ...]
    refused: dict[str, str]


def make_glasses(
    settings: GlassSettings,
    seeds: Iterable[int],
    folder: str | Path,
    *,
    workers: int = 1,
    progress: bool = True,
) -> MadeStructures:
    """Make one amorphous cell of each seed, and save those that are accepted.

    To resume, call it again: cells that are in the folder, or were refused, are not made again.

    Parameters
    ----------
    settings
        Composition, density and conditions of all cells.
    seeds
        One for each cell.
    folder
        Folder for the cells, ``glass-<formula>-<density>-<atoms>-<seed>.xyz``. Cells of other
        settings may be there too: one that repeats the network of another is refused.
    workers
        Number of processes.
    progress
        Show a progress bar.

    Returns
    -------
    MadeStructures
        Of these settings and seeds.
    """
    names = {seed: _glass_name(settings, seed) for seed in seeds}
    return _make_missing(names, partial(make_glass, settings), Path(folder), workers, progress)


def make_silanols(
    path: str | Path,
    kind: SilanolKind,
    seeds: Iterable[int],
    folder: str | Path,
    *,
    origin: Mapping[str, str] | None = None,
    name: str | None = None,
    workers: int = 1,
    progress: bool = True,
) -> MadeStructures:
    """Add silanol groups to the silica of a file, once for each seed, and save what is accepted.

    To resume, call it again, as with :func:`make_glasses`.

    Parameters
    ----------
    path
        File of a crystal, zeolite or glass.
    kind
        Kind of groups; see :func:`.silanol.make_silanol`.
    seeds
        One for each cell.
    folder
        Folder for the cells, ``silanol-<file>-<kind>-<seed>.xyz``.
    origin
        The ``phase``, ``source`` and ``licence`` of the silica, if other than in the header of its
        file. Without either, the phase is the name of the file, and the licence unknown.
    name
        Name of the silica in the names of the cells; default: that of the file.
    workers
        Number of processes.
    progress
        Show a progress bar.

    Returns
    -------
    MadeStructures
        Of this silica, kind and seeds.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    StructureError
        If the file cannot be read.
    """
    path = Path(path)
    parent = read_structure(path)
    known = {"phase": path.stem, "source": path.name, "licence": "unknown"}
    known |= {key: str(parent.info[key]) for key in known if key in parent.info}
    known |= dict(origin or {})
    known["source"] += f"; silanol groups ({kind}), relaxed with CHGNet"
    names = {seed: f"silanol-{name or path.stem}-{kind}-{seed}" for seed in seeds}
    make = partial(_make_silanol, parent, kind, known)
    return _make_missing(names, make, Path(folder), workers, progress)


def make_heated(
    path: str | Path,
    conditions: MolecularDynamics,
    n_frames: int,
    seed: int,
    folder: str | Path,
    *,
    progress: bool = True,
) -> MadeStructures:
    """Heat the crystal of a file and save the frames.

    Parameters
    ----------
    path
        File of the crystal.
    conditions
        Temperature and times.
    n_frames
        Number of frames.
    seed
        Seed of velocities and thermostat.
    folder
        Folder for the frames, ``<file>-<temperature>K-<seed>-<frame>.xyz``. Frames that are there
        are kept.
    progress
        Show a progress bar over the frames.

    Raises
    ------
    StructureError
        If the crystal cannot be read or heated.
    SimulationError
        If molecular dynamics fails.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{Path(path).stem}-{conditions.temperature:.0f}K-{seed}"
    paths = [folder / f"{stem}-{number}.xyz" for number in range(n_frames)]
    if not all(each.exists() for each in paths):
        frames = heat_crystal(
            read_structure(path), n_frames, seed, conditions, stem, progress=progress
        )
        for each, frame in zip(paths, frames, strict=True):
            save_structure(frame, each)
    return MadeStructures(tuple(paths), {})


def save_structure(atoms: Atoms, path: Path) -> None:
    """Write a structure as extended XYZ, with how it was made, completely or not at all."""
    from ase.io import write

    with replace_file(path) as new:
        write(new, atoms, format="extxyz", columns=["symbols", "positions"])


def _glass_name(settings: GlassSettings, seed: int) -> str:
    composition = settings.composition
    n_atoms = composition.n_silicon + composition.n_oxygen
    volume = "p" if settings.relaxation.cell == "fixed volume" else ""
    return f"glass-{composition.formula}-{settings.density:g}{volume}-{n_atoms}-{seed}"


def _make_silanol(
    parent: Atoms, kind: SilanolKind, origin: Mapping[str, str], seed: int, name: str
) -> Atoms:
    made = make_silanol(parent, kind, seed, name)
    made.info |= origin
    return made


def _make_missing(
    names: Mapping[int, str],
    make: Callable[[int, str], Atoms],
    folder: Path,
    workers: int,
    progress: bool,
) -> MadeStructures:
    """Make the cells of these seeds and names that are neither in the folder nor refused."""
    from joblib import Parallel, delayed
    from tqdm import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.xyz" for name in names.values()}
    refused = _read_refused(folder)
    missing = {
        seed: name
        for seed, name in names.items()
        if name not in refused and not paths[name].exists()
    }
    results = Parallel(n_jobs=workers, return_as="generator_unordered")(
        delayed(_try)(make, seed, name) for seed, name in missing.items()
    )
    for name, outcome in tqdm(results, total=len(missing), disable=not progress, unit="cell"):
        reason = outcome if isinstance(outcome, str) else _save_new(outcome, paths[name])
        if reason:
            _LOGGER.info("refused: %s", reason)
            refused[name] = reason
            (folder / REFUSED_FOLDER).mkdir(exist_ok=True)
            with replace_file(folder / REFUSED_FOLDER / f"{name}.txt") as new:
                new.write_text(reason + "\n", encoding="utf-8")
    return MadeStructures(
        tuple(path for path in paths.values() if path.exists()),
        {name: refused[name] for name in names.values() if name in refused},
    )


def _try(make: Callable[[int, str], Atoms], seed: int, name: str) -> tuple[str, Atoms | str]:
    try:
        return name, make(seed, name)
    except (StructureError, SimulationError) as error:
        return name, str(error)


def _save_new(atoms: Atoms, path: Path) -> str:
    """Save a cell unless it is a glass with the network of another; then return the reason."""
    others = sorted(path.parent.glob("glass-*.xyz")) if path.stem.startswith("glass-") else []
    try:
        refuse_alike(atoms, {each.stem: read_structure(each) for each in others}, path.stem)
    except StructureError as error:
        return str(error)
    save_structure(atoms, path)
    return ""


def _read_refused(folder: Path) -> dict[str, str]:
    return {
        path.stem: path.read_text(encoding="utf-8").strip()
        for path in sorted((folder / REFUSED_FOLDER).glob("*.txt"))
    }
