"""CASTEP's files of eigenvalues and of core-level matrix elements.

``.bands`` is a text file; ``.eels_mat`` (older) and ``.elnes_bin`` (newer) are Fortran records. The
layouts are taken from the routines ``elec_read_band_energy`` and ``elec_read_elnes_mat`` of OptaDOS
(``electronic.f90``; A. J. Morris et al., Comput. Phys. Commun. 185 (2014) 1477).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from scipy.constants import physical_constants

from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_HARTREE = physical_constants["Hartree energy in eV"][0]

# Electron numbers are rounded; with smearing, that of a spin channel may be just below an integer.
_ELECTRON_TOLERANCE = 1e-2


@dataclass(frozen=True, eq=False)
class BandEnergies:
    """Contents of a ``.bands`` file.

    Parameters
    ----------
    energies
        Eigenvalues in eV, shape (spins, k-points, bands); NaN where a spin has fewer bands.
    weights
        Weights of the k-points, shape (k-points,), in the order of the file.
    electrons
        Number of electrons of each spin, or of both together without spin polarisation; shape
        (spins,).
    fermi
        Fermi energy of each spin in eV, shape (spins,).
    """

    energies: NDArray[np.float64]
    weights: NDArray[np.float64]
    electrons: NDArray[np.float64]
    fermi: NDArray[np.float64]

    @property
    def occupied(self) -> tuple[int, ...]:
        """Number of fully occupied bands of each spin.

        A half-filled level counts as empty: it holds the electron excited from the core, and the
        spectrum includes the transition to it. If one of two spins has one electron more than the
        other, that electron is the excited one.
        """
        total = self.electrons.sum()
        if len(self.electrons) == 1:
            return (int(np.floor((total + _ELECTRON_TOLERANCE) / 2)),)
        if abs(self.electrons[0] - self.electrons[1]) <= 1 + _ELECTRON_TOLERANCE:
            return (int(np.floor((total + _ELECTRON_TOLERANCE) / 2)),) * 2
        return tuple(int(np.floor(count + _ELECTRON_TOLERANCE)) for count in self.electrons)

    @property
    def lowest_empty(self) -> float:
        """Energy of the lowest empty state in eV.

        Raises
        ------
        DatasetError
            If there is no empty state, or the bands overlap: in a metal, counting electrons does
            not separate empty from occupied states.
        """
        lowest = np.inf
        highest = -np.inf
        for energies, occupied in zip(self.energies, self.occupied, strict=True):
            if occupied >= energies.shape[1] or np.isnan(energies[:, occupied]).any():
                msg = (
                    f"A spectrum needs empty states; {occupied} bands are occupied and "
                    f"{np.isfinite(energies).all(axis=0).sum()} were computed. Compute more bands."
                )
                raise DatasetError(msg)
            lowest = min(lowest, float(energies[:, occupied].min()))
            if occupied:
                highest = max(highest, float(energies[:, occupied - 1].max()))
        if highest > lowest:
            msg = (
                "The highest occupied state must lie below the lowest empty one; found "
                f"{highest:.3f} and {lowest:.3f} eV. Metals cannot be read; for an insulator, "
                "check the number of electrons "
                f"({', '.join(f'{count:g}' for count in self.electrons)})."
            )
            raise DatasetError(msg)
        return lowest


@dataclass(frozen=True, eq=False)
class CoreMatrixElements:
    """Dipole matrix elements between core orbitals and bands.

    Parameters
    ----------
    species, ion
        Number of the species in CASTEP's order, and number of the ion within the species, of each
        core orbital; both from 1, shape (orbitals,).
    shell
        Principal quantum number of each orbital, shape (orbitals,).
    channel
        Angular-momentum channel of each orbital: 1 for s, 2 to 4 for p; shape (orbitals,).
    elements
        Matrix elements in bohr, shape (k-points, spins, orbitals, bands, 3).
    """

    species: NDArray[np.integer]
    ion: NDArray[np.integer]
    shell: NDArray[np.integer]
    channel: NDArray[np.integer]
    elements: NDArray[np.complex128]


def read_bands(path: str | Path) -> BandEnergies:
    """Read a ``.bands`` file.

    Parameters
    ----------
    path
        The ``.bands`` file, in atomic units.

    Raises
    ------
    DatasetError
        If the file is incomplete, or the k-point weights do not sum to one.
    """
    path = Path(path)
    lines = iter(path.read_text(encoding="utf-8", errors="replace").splitlines())
    try:
        points, spins = int(_last(lines)), int(_last(lines))
        electrons = np.array(next(lines).split()[-spins:], dtype=float)
        counts = [int(word) for word in next(lines).split()[-spins:]]
        fermi = np.array(next(lines).split()[-spins:], dtype=float)
        for _ in range(4):
            next(lines)  # the unit cell
        weights = np.empty(points)
        energies = np.full((spins, points, max(counts)), np.nan)
        for point in range(points):
            weights[point] = float(_last(lines, "K-point"))
            for spin, count in enumerate(counts):
                _last(lines, "Spin component")
                energies[spin, point, :count] = [float(next(lines)) for _ in range(count)]
    except (StopIteration, ValueError, IndexError) as error:
        reason = "it ends too early" if isinstance(error, StopIteration) else str(error)
        msg = f"{path} must be a complete CASTEP .bands file; {reason}. Copy or compute it again."
        raise DatasetError(msg) from error
    if abs(weights.sum() - 1) > 1e-3:
        msg = (
            f"The k-point weights in {path} must sum to 1, but sum to {weights.sum():.4f}. "
            "Give the .bands file of the core-level calculation, not one of a band structure."
        )
        raise DatasetError(msg)
    return BandEnergies(energies * _HARTREE, weights, electrons, fermi * _HARTREE)


def _last(lines: Iterator[str], start: str = "Number of") -> str:
    """Return the last word of the next line, which must begin with `start`."""
    line = next(lines)
    if not line.strip().startswith(start):
        msg = f"a line must begin with {start!r}; found {line.strip()!r}"
        raise ValueError(msg)
    return line.split()[-1]


def read_core_matrix_elements(path: str | Path) -> CoreMatrixElements:
    """Read core-level matrix elements from an ``.eels_mat`` or ``.elnes_bin`` file.

    Both are Fortran sequential files of either byte order (CASTEP writes big-endian). The older
    format has a record of three numbers for every k-point, spin, orbital and band. The newer format
    begins with a version and a comment, and has a record for every k-point and spin.

    Parameters
    ----------
    path
        The ``.eels_mat`` or ``.elnes_bin`` file.

    Raises
    ------
    DatasetError
        If the file is incomplete.
    """
    from scipy.io import FortranEOFError, FortranFile, FortranFormattingError

    path = Path(path)
    with path.open("rb") as file:
        order, legacy = _byte_order(file, path)
        records = FortranFile(file, "r", header_dtype=f"{order}u4")
        try:
            if not legacy:
                records.read_record(f"{order}f8")
                records.read_record("u1")
            sizes = [int(records.read_record(f"{order}i4")[0]) for _ in range(4)]
            orbitals = [records.read_record(f"{order}i4") for _ in range(4)]
        except (FortranEOFError, FortranFormattingError, ValueError, IndexError) as error:
            msg = f"{path} must have a complete header; it has none. Copy it again in binary mode."
            raise DatasetError(msg) from error
        n_orbitals, n_bands, n_points, n_spins = sizes
        if min(sizes) < 1 or any(len(column) != n_orbitals for column in orbitals):
            msg = (
                f"The header of {path} must list {n_orbitals} core orbitals, and at least one "
                "band, k-point and spin; found the numbers of orbitals, bands, k-points and spins "
                f"{sizes}. Copy it again (in binary mode)."
            )
            raise DatasetError(msg)
        rest = file.read()
    shape = (n_points, n_spins, n_orbitals, n_bands, 3)
    read = _legacy_elements if legacy else _elements
    species, ion, shell, channel = orbitals
    return CoreMatrixElements(species, ion, shell, channel, read(rest, shape, order, path))


def _byte_order(file: BinaryIO, path: Path) -> tuple[str, bool]:
    """Return the byte order, and whether the format is the older one.

    Both follow from the length of the first record: 4 bytes (a count) or 8 bytes (a version).
    """
    head = file.read(4)
    file.seek(0)
    for order, name in ((">", "big"), ("<", "little")):
        length = int.from_bytes(head, name)  # type: ignore[arg-type]
        if len(head) == 4 and length in (4, 8):
            return order, length == 4
    msg = (
        f"{path} must begin with a Fortran record of 4 bytes (.eels_mat) or 8 bytes (.elnes_bin); "
        f"found the marker {head.hex()!r}. Give the binary file, not one converted to text."
    )
    raise DatasetError(msg)


def _legacy_elements(
    data: bytes, shape: tuple[int, ...], order: str, path: Path
) -> NDArray[np.complex128]:
    record = np.dtype(
        [("head", f"{order}u4"), ("numbers", f"{order}c16", 3), ("tail", f"{order}u4")]
    )
    needed = int(np.prod(shape[:-1]))
    if len(data) != needed * record.itemsize:
        _refuse_length(path, needed, len(data) / record.itemsize, shape)
    records = np.frombuffer(data, dtype=record)
    if (records["head"] != 48).any() or (records["tail"] != 48).any():
        msg = (
            f"Each record of {path} must hold 3 complex numbers; some do not. Copy it again (in "
            "binary mode)."
        )
        raise DatasetError(msg)
    return records["numbers"].astype(np.complex128).reshape(shape)


def _elements(
    data: bytes, shape: tuple[int, ...], order: str, path: Path
) -> NDArray[np.complex128]:
    n_points, n_spins, n_orbitals, n_bands, _ = shape
    # Bands that only the other spin has stay zero: no transition leads to them.
    elements = np.zeros(shape, dtype=np.complex128)
    start = 0
    for index in range(n_points * n_spins):
        length = int.from_bytes(data[start : start + 4], "big" if order == ">" else "little")
        numbers, left = divmod(length, 16)
        bands = numbers // (3 * n_orbitals)
        whole = 0 < bands <= n_bands and not left and bands * 3 * n_orbitals == numbers
        if not whole or start + length + 8 > len(data):
            _refuse_length(path, n_points * n_spins, index, shape)
        values = np.frombuffer(data, dtype=f"{order}c16", count=numbers, offset=start + 4)
        block = values.reshape((n_orbitals, bands, 3), order="F")
        elements[index // n_spins, index % n_spins, :, :bands] = block
        start += length + 8
    if start != len(data):
        _refuse_length(path, n_points * n_spins, n_points * n_spins + 1, shape)
    return elements


def _refuse_length(path: Path, needed: int, n_records: float, shape: tuple[int, ...]) -> None:
    n_points, n_spins, n_orbitals, n_bands, _ = shape
    msg = (
        f"{path} must hold {needed} complete records ({n_points} k-points, {n_spins} spins, "
        f"{n_orbitals} core orbitals, {n_bands} bands); found {n_records:g}. Copy it again (in "
        "binary mode), or compute it again."
    )
    raise DatasetError(msg)
