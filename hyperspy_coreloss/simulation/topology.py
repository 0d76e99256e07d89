"""Identifying the framework of a silica by the coordination sequences of its network.

A framework has the same sequences in every source, strained or at any temperature. They therefore
identify the phases by which a data set is split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperspy_coreloss.errors import StructureError

if TYPE_CHECKING:
    from ase import Atoms

#: Distinct coordination sequences of the network-forming atoms of a framework.
Signature = tuple[tuple[int, ...], ...]

_Node = tuple[int, int, int, int]
_Edges = dict[int, list[_Node]]


def framework_signature(
    atoms: Atoms, former: str = "Si", bridge: str = "O", shells: int = 8
) -> Signature:
    """Return the distinct coordination sequences of the network.

    Parameters
    ----------
    atoms
        Periodic structure.
    former, bridge
        Network-forming element, and the element that links two of its atoms.
    shells
        Number of coordination shells, the length of the sequences.

    Returns
    -------
    tuple of tuples of int
        Sorted; for quartz ``((4, 12, 30, 52, ...),)``.

    Raises
    ------
    StructureError
        If there is no atom of the network-forming element.

    Notes
    -----
    Brunner and Laves 1971; the sequences of zeolite frameworks are those of the IZA atlas.
    """
    return tuple(sorted(set(coordination_sequences(atoms, former, bridge, shells))))


def coordination_sequences(
    atoms: Atoms, former: str = "Si", bridge: str = "O", shells: int = 8
) -> tuple[tuple[int, ...], ...]:
    """Return the coordination sequence of each network-forming atom, in the order of the atoms.

    Parameters and errors are those of :func:`framework_signature`.
    """
    edges = _network(atoms, former, bridge)
    if not edges:
        msg = (
            f"A framework needs {former} atoms; found {atoms.get_chemical_formula()}. "
            "Give the network-forming element, or name the phase yourself."
        )
        raise StructureError(msg)
    return tuple(_coordination_sequence(start, edges, shells) for start in edges)


def _network(atoms: Atoms, former: str, bridge: str) -> _Edges:
    from ase.data import atomic_numbers, covalent_radii
    from ase.neighborlist import neighbor_list

    from hyperspy_coreloss.dataset.surroundings import BOND_TOLERANCE

    reach = sum(covalent_radii[atomic_numbers[symbol]] for symbol in (former, bridge))
    first, second, shift = neighbor_list("ijS", atoms, {(former, bridge): reach * BOND_TOLERANCE})
    symbols = atoms.get_chemical_symbols()
    ends: dict[int, list[_Node]] = {}
    edges: _Edges = {index: [] for index, symbol in enumerate(symbols) if symbol == former}
    for i, j, offset in zip(first, second, shift, strict=True):
        if symbols[i] == bridge:
            x, y, z = (int(step) for step in offset)
            ends.setdefault(int(i), []).append((int(j), x, y, z))
    for linked in ends.values():
        for one in linked:
            for other in linked:
                if one != other:
                    x, y, z = (b - a for a, b in zip(one[1:], other[1:], strict=True))
                    edges[one[0]].append((other[0], x, y, z))
    return edges


def _coordination_sequence(start: int, edges: _Edges, shells: int) -> tuple[int, ...]:
    seen: set[_Node] = set()
    front: set[_Node] = {(start, 0, 0, 0)}
    sequence = []
    for _ in range(shells):
        following = {
            (other, x + i, y + j, z + k)
            for atom, x, y, z in front
            for other, i, j, k in edges[atom]
        }
        seen, front = front, following - front - seen
        sequence.append(len(front))
    return tuple(sequence)
