"""Reading crystal structures from files and from the Materials Project."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.structures import check_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

#: Symmetry-equivalent positions in a CIF that differ by less than this fraction of the cell are one
#: atom. IZA files round to four digits: pymatgen's default leaves duplicate atoms in 17 frameworks.
_CIF_SITE_TOLERANCE = 1e-2

_MATERIAL = re.compile(r"(mp|mvc)-\d+")

_READER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)


def read_structure(path: str | Path) -> Atoms:
    """Read a crystal structure from a file that pymatgen or ASE can read.

    Parameters
    ----------
    path
        CIF (read by pymatgen), POSCAR, or any other format that ASE reads.

    Returns
    -------
    ase.Atoms
        Periodic structure as given in the file; lengths in angstrom.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    StructureError
        If the file cannot be read, or the structure is not periodic or has partial occupancies.
    """
    path = Path(path)
    if not path.is_file():
        msg = f"A structure file was expected at {path}; there is none. Check the path."
        raise FileNotFoundError(msg)
    reader = _read_cif if path.suffix.lower() == ".cif" else _read_with_ase
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the checks below report what matters
            atoms = reader(path)
    except StructureError:
        raise
    except _READER_ERRORS as error:
        msg = (
            f"{path.name} must be a readable crystal structure; the reader stopped with "
            f"{type(error).__name__}: {error}. Repair the file or export it again."
        )
        raise StructureError(msg) from error
    check_cell(atoms, path.name)
    return atoms


def read_frame(path: str | Path, frame: int) -> Atoms:
    """Read one molecular-dynamics frame of a framework of the Si-ZEO22 data set.

    Parameters
    ----------
    path
        ``.npz`` with ``positions`` (frames, n, 3) and ``cells`` (frames, 3, 3) in angstrom and
        ``symbols`` (n,).
    frame
        Number of the frame in the file, from 0.

    Raises
    ------
    StructureError
        If the file lacks an array or has no such frame.
    """
    from ase import Atoms

    with np.load(path, allow_pickle=False) as arrays:
        missing = {"positions", "cells", "symbols"} - set(arrays)
        if missing:
            msg = (
                f"{Path(path).name} must hold positions, cells and symbols; it lacks "
                f"{', '.join(sorted(missing))}. Give a file of molecular-dynamics frames."
            )
            raise StructureError(msg)
        count = len(arrays["positions"])
        if not 0 <= frame < count:
            msg = (
                f"A frame of {Path(path).name} must be one of 0 to {count - 1}; found {frame}. "
                "Choose another frame."
            )
            raise StructureError(msg)
        return Atoms(
            [str(symbol) for symbol in arrays["symbols"]],
            positions=arrays["positions"][frame].astype(float),
            cell=arrays["cells"][frame].astype(float),
            pbc=True,
        )


def structure_files(names: Sequence[str], download_folder: str | Path) -> list[Path]:
    """Return structure files: those named, those in folders, and Materials Project entries.

    Parameters
    ----------
    names
        Files, folders, or identifiers of the Materials Project such as ``"mp-7000"``. An
        identifier is downloaded unless a file or folder has that name.
    download_folder
        Folder in which downloaded structures are saved as CIF. A structure that is already there
        is not downloaded again.

    Raises
    ------
    FileNotFoundError
        If a file or folder does not exist.
    StructureError
        If an entry cannot be downloaded.
    """
    files: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            files += sorted(entry for entry in path.iterdir() if entry.is_file())
        elif path.exists() or not _MATERIAL.fullmatch(name):
            if not path.exists():
                msg = (
                    "A structure must be a file, a folder or an identifier such as mp-7000; there "
                    f"is no {name}. Check the path."
                )
                raise FileNotFoundError(msg)
            files.append(path)
        else:
            files.append(_downloaded(name, Path(download_folder)))
    return files


def fetch_materials_project(material_id: str) -> Atoms:
    """Download a structure from the Materials Project.

    Parameters
    ----------
    material_id
        Identifier, for example ``"mp-7000"``.

    Raises
    ------
    StructureError
        If no key is set in ``MP_API_KEY``, ``mp-api`` is not installed, there is no such entry,
        or the service cannot be reached.
    """
    if not os.environ.get("MP_API_KEY"):
        msg = (
            f"Fetching {material_id} needs a Materials Project key in the environment variable "
            "MP_API_KEY; it is not set. Get a key at materialsproject.org/api, or give a file."
        )
        raise StructureError(msg)
    try:
        from mp_api.client import MPRester, MPRestError
    except ImportError as error:
        msg = f"Fetching {material_id} needs the package mp-api. Install it: pip install mp-api."
        raise StructureError(msg) from error
    try:
        with MPRester() as client:
            structure = client.get_structure_by_material_id(material_id)
    except (MPRestError, OSError, ValueError) as error:
        msg = (
            f"{material_id} could not be fetched from the Materials Project: {error}. Check the "
            "connection and the key, or give a file."
        )
        raise StructureError(msg) from error
    if structure is None:
        msg = f"The Materials Project has no structure {material_id}. Check the identifier."
        raise StructureError(msg)
    return _to_atoms(structure, material_id)


def _downloaded(material_id: str, folder: Path) -> Path:
    path = folder / f"{material_id}.cif"
    if not path.exists():
        atoms = fetch_materials_project(material_id)
        folder.mkdir(parents=True, exist_ok=True)
        atoms.write(path)
    return path


def _read_cif(path: Path) -> Atoms:
    from pymatgen.io.cif import CifParser

    parser = CifParser(path, site_tolerance=_CIF_SITE_TOLERANCE)
    structures = parser.parse_structures(primitive=False)
    return _to_atoms(structures[0], path.name)


def _to_atoms(structure: Any, name: str) -> Atoms:
    from ase import Atoms

    if not structure.is_ordered:
        partial = [site for site in structure if not site.is_ordered]
        msg = (
            f"{name} must have fully occupied sites; found {len(partial)} partially occupied, "
            f"the first {partial[0].species_string}. Build an ordered cell."
        )
        raise StructureError(msg)
    return Atoms(
        [site.specie.symbol for site in structure],
        scaled_positions=structure.frac_coords,
        cell=structure.lattice.matrix,
        pbc=True,
    )


def _read_with_ase(path: Path) -> Atoms:
    from ase.io import read
    from ase.io.formats import UnknownFileTypeError

    try:
        return read(path)
    except UnknownFileTypeError as error:
        msg = (
            f"{path.name} must have a format that ASE reads; ASE does not recognise the format. "
            "Save the structure as CIF or POSCAR."
        )
        raise StructureError(msg) from error
