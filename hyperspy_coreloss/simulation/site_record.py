"""The record of one computed site: recursion coefficients, structure and labels in one ``.npz``."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_KEYS = ("alpha", "beta", "norm", "cell", "positions", "numbers", "site", "label")

# Only in records with projected densities. The arrays of all atoms and states are stacked.
_DENSITY_KEYS = ("atom", "core_hole", "alpha", "beta", "norm")


@dataclass(frozen=True)
class ProjectedDensity:
    """Recursion coefficients of the p-projected density of states of one atom.

    Parameters
    ----------
    atom
        Index of the atom in the supercell.
    core_hole
        Whether the density is of the core-hole cell; if not, it is of the ground state.
    alpha, beta
        Coefficients in eV, shape ``(k-points, 3, steps)``; the rows are the p functions y, z, x.
    norm
        Squared norm of the starting vectors, shape ``(k-points, 3)``.
    """

    atom: int
    core_hole: bool
    alpha: NDArray[np.floating]
    beta: NDArray[np.floating]
    norm: NDArray[np.floating]


@dataclass(frozen=True)
class SiteRecord:
    """Spectrum, structure and labels of one site.

    Parameters
    ----------
    alpha, beta
        Recursion coefficients in eV, shape ``(k-points, 3, steps)``.
    norm
        Squared norm of the starting vectors, shape ``(k-points, 3)``.
    cell, positions
        Lattice vectors and atoms of the supercell in angstrom, shapes ``(3, 3)`` and
        ``(n_atoms, 3)``.
    numbers
        Atomic numbers, shape ``(n_atoms,)``.
    site
        Index of the absorbing atom.
    label
        JSON-ready: labels, energies in eV, settings, versions of the programs, and origin.
    densities
        Projected densities of states; empty if none were requested.
    """

    alpha: NDArray[np.floating]
    beta: NDArray[np.floating]
    norm: NDArray[np.floating]
    cell: NDArray[np.float64]
    positions: NDArray[np.float64]
    numbers: NDArray[np.integer]
    site: int
    label: dict[str, Any]
    densities: tuple[ProjectedDensity, ...] = ()


def save_site_record(record: SiteRecord, path: str | Path) -> None:
    """Write `record` to a file, completely or not at all.

    Coefficients are stored in single precision.

    Parameters
    ----------
    record
        Record of one site.
    path
        The ``.npz`` file to write; an existing one is replaced.
    """
    save_arrays(
        path,
        alpha=np.asarray(record.alpha, dtype=np.float32),
        beta=np.asarray(record.beta, dtype=np.float32),
        norm=np.asarray(record.norm, dtype=np.float32),
        cell=np.asarray(record.cell, dtype=float),
        positions=np.asarray(record.positions, dtype=float),
        numbers=np.asarray(record.numbers, dtype=np.int64),
        site=np.array(record.site, dtype=np.int64),
        label=np.array(json.dumps(record.label)),
        **_stack(record.densities),
    )


def load_site_record(path: str | Path) -> SiteRecord:
    """Read a record written by :func:`save_site_record`.

    Parameters
    ----------
    path
        The ``.npz`` file.

    Raises
    ------
    SimulationError
        If the file is not a complete record.
    """
    try:
        # If the file is not an archive, np.load leaves it open unless it is given an open file.
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            fields = {key: arrays[key] for key in _KEYS}
            densities = _unstack(arrays)
        label = json.loads(str(fields["label"]))
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        msg = (
            f"{path} must be a complete site record; reading it failed with {error!r}. "
            "Delete it and resume the campaign."
        )
        raise SimulationError(msg) from error
    return SiteRecord(
        **{**fields, "site": int(fields["site"]), "label": label}, densities=densities
    )


read_site_record = load_site_record  # the name that earlier documentation used


def _stack(densities: tuple[ProjectedDensity, ...]) -> dict[str, NDArray]:
    if not densities:
        return {}
    return {
        f"density_{key}": np.stack(
            [np.asarray(getattr(density, key), dtype=kind) for density in densities]
        )
        for key, kind in zip(
            _DENSITY_KEYS, (np.int64, bool, np.float32, np.float32, np.float32), strict=True
        )
    }


def _unstack(arrays: Mapping[str, NDArray]) -> tuple[ProjectedDensity, ...]:
    if "density_atom" not in arrays:
        return ()
    columns = [arrays[f"density_{key}"] for key in _DENSITY_KEYS]
    return tuple(
        ProjectedDensity(int(atom), bool(core_hole), alpha, beta, norm)
        for atom, core_hole, alpha, beta, norm in zip(*columns, strict=True)
    )


def save_arrays(path: str | Path, **arrays: Any) -> None:
    """Write an ``.npz`` file completely or not at all, so that no reader sees half of it."""
    with replace_file(path) as new, new.open("wb") as file:
        np.savez_compressed(file, **arrays)
