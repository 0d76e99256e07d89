"""Making many structures: by seed, resumable, with the reasons of those that are refused."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hyperspy_coreloss.errors import SimulationError, StructureError
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.simulation.atomistic.glass import make_glass
from hyperspy_coreloss.simulation.atomistic.heat import heat_crystal
from hyperspy_coreloss.simulation.atomistic.network import refuse_alike
from hyperspy_coreloss.simulation.structure_files import read_structure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ase import Atoms

    from hyperspy_coreloss.simulation.atomistic.glass import GlassSettings
    from hyperspy_coreloss.simulation.atomistic.learned_potential import MolecularDynamics

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
    from joblib import Parallel, delayed
    from tqdm import tqdm

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = {seed: _glass_name(settings, seed) for seed in seeds}
    paths = {name: folder / f"{name}.xyz" for name in names.values()}
    refused = _read_refused(folder)
    missing = [
        seed for seed, name in names.items() if name not in refused and not paths[name].exists()
    ]
    results = Parallel(n_jobs=workers, return_as="generator_unordered")(
        delayed(_try_glass)(settings, seed, names[seed]) for seed in missing
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


def _try_glass(settings: GlassSettings, seed: int, name: str) -> tuple[str, Atoms | str]:
    try:
        return name, make_glass(settings, seed, name)
    except (StructureError, SimulationError) as error:
        return name, str(error)


def _save_new(atoms: Atoms, path: Path) -> str:
    """Save a cell unless its network is that of another in the folder; then return the reason."""
    others = {each.stem: read_structure(each) for each in sorted(path.parent.glob("glass-*.xyz"))}
    try:
        refuse_alike(atoms, others, path.stem)
    except StructureError as error:
        return str(error)
    save_structure(atoms, path)
    return ""


def _read_refused(folder: Path) -> dict[str, str]:
    return {
        path.stem: path.read_text(encoding="utf-8").strip()
        for path in sorted((folder / REFUSED_FOLDER).glob("*.txt"))
    }
