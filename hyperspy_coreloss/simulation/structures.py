"""Crystal structures for the simulator: checks, absorbing sites and supercells."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.closed_shells import check_closed_shells

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ase import Atoms
    from numpy.typing import NDArray

#: Smallest distance in angstrom between periodic images of the core hole, as in the paper.
SMALLEST_IMAGE_DISTANCE = 8.0

#: Atoms overlap if closer than this fraction of the sum of their covalent radii.
_OVERLAP_SHARE = 0.6


@dataclass(frozen=True)
class AbsorbingSite:
    """One symmetry-inequivalent absorbing atom.

    Parameters
    ----------
    index
        Index of the atom in the structure.
    multiplicity
        Number of equivalent atoms in the structure, itself included.
    equivalents
        Indices of all equivalent atoms.
    """

    index: int
    multiplicity: int
    equivalents: tuple[int, ...]


def check_structure(atoms: Atoms, absorber: str, name: str = "the structure") -> None:
    """Raise an error if a structure cannot be computed.

    Parameters
    ----------
    atoms
        Periodic structure.
    absorber
        Chemical symbol of the absorbing element.
    name
        Name of the structure in the error message.

    Raises
    ------
    StructureError
        If the cell is not periodic in three dimensions, a position is not finite, atoms
        overlap, there is no atom of the absorbing element, or an element has an open d or f
        shell (:func:`.check_closed_shells`).
    """
    check_cell(atoms, name)
    if absorber not in atoms.get_chemical_symbols():
        msg = (
            f"{name} must contain the absorbing element {absorber}; found "
            f"{atoms.get_chemical_formula()}. Choose another edge or structure."
        )
        raise StructureError(msg)
    overlap = _closest_overlap(atoms)
    if overlap is not None:
        first, second, distance, needed = overlap
        msg = (
            f"Atoms of {name} must not overlap; found {atoms[first].symbol}{first} and "
            f"{atoms[second].symbol}{second} {distance:.2f} Å apart, less than {needed:.2f} Å. "
            "Remove the duplicate atom from the structure."
        )
        raise StructureError(msg)
    check_closed_shells(atoms, name)


def check_cell(atoms: Atoms, name: str = "the structure") -> None:
    """Raise an error if `atoms` are not a crystal.

    Raises
    ------
    StructureError
        If the cell is not periodic in three dimensions, or a position is not finite.
    """
    if len(atoms) == 0 or atoms.cell.rank < 3 or not np.all(atoms.pbc):
        msg = (
            f"{name} must be a crystal, periodic in three dimensions; found {len(atoms)} atoms, "
            f"{atoms.cell.rank} independent cell vectors and the periodicity {atoms.pbc.tolist()}. "
            "Give it a three-dimensional cell."
        )
        raise StructureError(msg)
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell[:]).all()):
        msg = (
            f"Positions and cell of {name} must be finite; found NaN or infinity. Repair the file."
        )
        raise StructureError(msg)


def refuse_duplicate(atoms: Atoms, known: Mapping[str, Atoms], name: str) -> None:
    """Raise an error if a structure equals another one within 0.01 Å.

    Parameters
    ----------
    atoms
        Periodic structure.
    known
        Structures to compare with, by name.
    name
        Name of `atoms` in the error message.

    Raises
    ------
    StructureError
        If one of `known` equals `atoms`; the message names it.
    """
    for other_name, other in known.items():
        if are_duplicates(atoms, other):
            msg = (
                f"{name} repeats {other_name}: they have the same composition and volume, and the "
                "same interatomic distances within 0.01 Å. Leave one of the two out."
            )
            raise StructureError(msg)


def are_duplicates(first: Atoms, second: Atoms, tolerance: float = 0.01) -> bool:
    """Return whether two structures are the same crystal, whatever cells describe it.

    The comparison uses the composition, the volume per atom, and the distances of each atom to its
    16 nearest neighbours. Mirror images count as the same, because they have the same spectra.

    Parameters
    ----------
    first, second
        Periodic structures.
    tolerance
        Distances count as equal if they differ by less than this, in angstrom.
    """
    if first.symbols.formula.reduce()[0] != second.symbols.formula.reduce()[0]:
        return False
    volumes = [atoms.get_volume() / len(atoms) for atoms in (first, second)]
    if abs(volumes[0] - volumes[1]) > 0.01 * volumes[0]:
        return False
    rows = [_distance_rows(atoms) for atoms in (first, second)]
    gaps = np.abs(rows[0][:, np.newaxis, :] - rows[1][np.newaxis, :, :]).max(axis=-1)
    return bool(max(gaps.min(axis=0).max(), gaps.min(axis=1).max()) < tolerance)


def primitive_structure(atoms: Atoms, tolerance: float = 1e-2) -> Atoms:
    """Return the primitive cell of a structure, without idealising positions.

    Parameters
    ----------
    atoms
        Periodic structure.
    tolerance
        Symmetry tolerance in angstrom.

    Raises
    ------
    StructureError
        If the symmetry search fails.
    """
    from ase import Atoms

    cell, positions, numbers = ask_spglib(
        "standardize_cell", atoms, to_primitive=True, no_idealize=True, symprec=tolerance
    )
    return Atoms(numbers, scaled_positions=positions, cell=cell, pbc=True)


def absorbing_sites(
    atoms: Atoms, absorber: str, tolerance: float = 1e-2
) -> tuple[AbsorbingSite, ...]:
    """Return the symmetry-inequivalent atoms of the absorbing element.

    Parameters
    ----------
    atoms
        Periodic structure.
    absorber
        Chemical symbol.
    tolerance
        Symmetry tolerance in angstrom.

    Returns
    -------
    tuple of AbsorbingSite
        In the order of their first atoms.

    Raises
    ------
    StructureError
        If :func:`check_structure` refuses the structure, or the symmetry search fails.
    """
    check_structure(atoms, absorber)
    data = ask_spglib("get_symmetry_dataset", atoms, symprec=tolerance)
    orbits: dict[int, list[int]] = {}
    for index, orbit in enumerate(data.equivalent_atoms):
        if atoms[index].symbol == absorber:
            orbits.setdefault(int(orbit), []).append(index)
    return tuple(AbsorbingSite(orbit[0], len(orbit), tuple(orbit)) for orbit in orbits.values())


def image_distance(cell: NDArray[np.float64]) -> float:
    """Return the shortest distance in angstrom between an atom and its periodic images."""
    from ase.geometry import minkowski_reduce

    reduced, _ = minkowski_reduce(np.asarray(cell, dtype=float))
    steps = np.array([step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)])
    return float(np.linalg.norm(steps @ reduced, axis=1).min())


def build_supercell(
    atoms: Atoms, smallest: float = SMALLEST_IMAGE_DISTANCE, *, diagonal: bool = False
) -> Atoms:
    """Return the smallest supercell whose periodic images lie at least `smallest` apart.

    Parameters
    ----------
    atoms
        Primitive cell, or any cell.
    smallest
        Smallest image distance in angstrom.
    diagonal
        Allow only integer repetitions along the three cell vectors. By default all superlattices
        are tried, which leads to about half as many atoms. Among those of the smallest size, the
        one with the largest image distance is taken.

    Returns
    -------
    ase.Atoms
        Supercell; its first ``len(atoms)`` atoms are those of `atoms`, in order.
    """
    from ase.build import make_supercell

    for size in itertools.count(1):
        widest: NDArray[np.int64] | None = None
        reach = smallest - 1e-6
        for matrix in _superlattices(size, diagonal=diagonal):
            distance = image_distance(matrix @ atoms.cell[:])
            if distance >= reach:
                # A later one must have a distance larger by more than rounding errors.
                widest, reach = matrix, distance + 1e-6
        if widest is not None:
            return make_supercell(atoms, _compact(widest, atoms.cell[:]))
    raise AssertionError  # pragma: no cover - the count has no end


def _superlattices(size: int, *, diagonal: bool) -> Iterator[NDArray[np.int64]]:
    """Yield the Hermite normal forms of determinant `size`: every superlattice once."""
    for a in range(1, size + 1):
        for b in range(1, size // a + 1):
            if size % (a * b):
                continue
            c = size // (a * b)
            if diagonal:
                yield np.diag([a, b, c])
                continue
            for p, q, r in itertools.product(range(b), range(c), range(c)):
                yield np.array([[a, p, q], [0, b, r], [0, 0, c]])


def _compact(matrix: NDArray[np.int64], cell: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the same superlattice with its shortest vectors, right-handed."""
    from ase.geometry import minkowski_reduce

    _, operation = minkowski_reduce(matrix @ cell)
    compact = operation @ matrix
    return compact if np.linalg.det(compact @ cell) > 0 else -compact


def _closest_overlap(atoms: Atoms) -> tuple[int, int, float, float] | None:
    from ase.data import covalent_radii
    from ase.neighborlist import neighbor_list

    radii = covalent_radii[atoms.numbers] * _OVERLAP_SHARE
    first, second, distance = neighbor_list("ijd", atoms, list(radii))
    if not len(distance):
        return None
    worst = int(np.argmin(distance))
    i, j = int(first[worst]), int(second[worst])
    return i, j, float(distance[worst]), float(radii[i] + radii[j])


def _distance_rows(atoms: Atoms, nearest: int = 16) -> NDArray[np.float64]:
    """Return atomic number and nearest distances of each atom.

    The atomic number counts as a length, so that atoms of different elements never match.
    """
    from ase.neighborlist import neighbor_list

    cutoff = 2.0 * (nearest * atoms.get_volume() / len(atoms)) ** (1 / 3)
    first, distance = neighbor_list("id", atoms, cutoff)
    rows = np.full((len(atoms), nearest + 1), cutoff)
    rows[:, 0] = atoms.numbers
    for index in range(len(atoms)):
        near = np.sort(distance[first == index])[:nearest]
        rows[index, 1 : 1 + len(near)] = near
    return rows


def ask_spglib(question: str, atoms: Atoms, **options: Any) -> Any:
    """Return the answer of a function of spglib, on whose failure versions of it differ.

    Parameters
    ----------
    question
        Name of the function.
    atoms
        Periodic structure.
    **options
        Further arguments.

    Raises
    ------
    StructureError
        If spglib fails.
    """
    import spglib

    crystal = (atoms.cell[:], atoms.get_scaled_positions(), atoms.numbers)
    failure: Exception | None = None
    answer = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            answer = getattr(spglib, question)(crystal, **options)
        except getattr(spglib, "SpglibError", RuntimeError) as error:
            failure = error
    if answer is None:
        msg = (
            f"The symmetry of {atoms.get_chemical_formula()} must be determined; spglib failed. "
            "Check the structure for overlapping atoms, or use another symmetry tolerance."
        )
        raise StructureError(msg) from failure
    return answer
