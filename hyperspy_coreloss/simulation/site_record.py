"""The result of one site: recursion coefficients, structure and labels in one ``.npz``."""

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

# Only in records with projected densities: those of all atoms and states, stacked.
_DENSITY_KEYS = ("atom", "core_hole", "alpha", "beta", "norm")


@dataclass(frozen=True)
class ProjectedDensity:
    """Recursion coefficients of the p-projected density of states of one atom.

    Parameters
    ----------
    atom
        Index of the atom in the supercell.
    core_hole
        Whether of the core-hole cell; if not, of the ground state.
    alpha, beta
        Coefficients in eV, shape ``(k-points, 3, steps)``; the rows belong to y, z and x.
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
    """One site's spectrum, structure and labels.

    Parameters
    ----------
    alpha, beta
        Recursion coefficients in eV, shape ``(k-points, 3, steps)``.
    norm
        Squared norm of the starting vectors, shape ``(k-points, 3)``.
    cell, positions
        Supercell in angstrom, shapes ``(3, 3)`` and ``(n_atoms, 3)``.
    numbers
        Atomic numbers, shape ``(n_atoms,)``.
    site
        Index of the absorbing atom.
    label
        JSON-ready labels, energies in eV, settings, versions and origin.
    densities
        Projected densities of states, if they were asked for.
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
    """Write `record` whole or not at all.

    Coefficients are kept in single precision, as they are computed.
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
    """Read a record of :func:`save_site_record`.

    Raises
    ------
    SimulationError
        If the file is no complete record.
    """
    try:
        # NumPy leaves a file that is no archive open, unless the file is ours.
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
    """Write an ``.npz`` whole or not at all, so that a reader never sees half of it."""
    with replace_file(path) as new, new.open("wb") as file:
        np.savez_compressed(file, **arrays)
