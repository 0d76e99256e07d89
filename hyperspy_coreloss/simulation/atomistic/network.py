"""The network of a silica: its bonds, angles, rings and broken bonds, and what is refused.

A made structure is a silica if each atom has its bonds: four for silicon, two for oxygen, no more
Si-Si bonds than the composition asks for, no two tetrahedra that share an edge, no two atoms that
overlap. An amorphous one must not be a crystal, nor repeat another one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.surroundings import BOND_TOLERANCE
from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.structures import ask_spglib, check_structure
from hyperspy_coreloss.simulation.topology import coordination_sequences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms
    from numpy.typing import NDArray

_SILICON, _OXYGEN = 14, 8
_VALENCE = {_SILICON: 4, _OXYGEN: 2}

#: Atomic mass unit per cubic angstrom, in grams per cubic centimetre.
_DENSITY_UNIT = 1.66053907

#: A network counts as crystalline if fewer than this share of its silicon atoms have coordination
#: sequences of their own kind: quartz has one kind, a glass of 20 silicon atoms about twenty.
_SMALLEST_SHARE_OF_KINDS = 0.5

#: Atoms of a crystal lie within this distance in angstrom of where its symmetry wants them.
_SYMMETRY_TOLERANCE = 0.25


@dataclass(frozen=True)
class Network:
    """Bonds of a structure of silicon and oxygen, and other elements.

    Parameters
    ----------
    symbols
        Chemical symbols of the atoms.
    neighbours
        Indices of the bonded atoms of each atom; one bonded through two images appears twice.
    si_o_bonds, si_si_bonds
        Bond lengths in angstrom, each bond once.
    si_o_si_angles, o_si_o_angles
        Angles in degrees.
    edge_sharing
        Pairs of silicon atoms that share two or more oxygen atoms.
    density
        In grams per cubic centimetre.
    """

    symbols: tuple[str, ...]
    neighbours: tuple[tuple[int, ...], ...]
    si_o_bonds: NDArray[np.float64]
    si_si_bonds: NDArray[np.float64]
    si_o_si_angles: NDArray[np.float64]
    o_si_o_angles: NDArray[np.float64]
    edge_sharing: tuple[tuple[int, int], ...]
    density: float

    def coordination(self, symbol: str) -> dict[int, int]:
        """Return how many atoms of an element have how many bonds."""
        counts = Counter(
            len(bonded)
            for own, bonded in zip(self.symbols, self.neighbours, strict=True)
            if own == symbol
        )
        return dict(sorted(counts.items()))

    @property
    def miscoordinated(self) -> tuple[int, ...]:
        """Indices of silicon atoms without four bonds and of oxygen atoms without two."""
        valence = {"Si": _VALENCE[_SILICON], "O": _VALENCE[_OXYGEN]}
        return tuple(
            index
            for index, (own, bonded) in enumerate(zip(self.symbols, self.neighbours, strict=True))
            if own in valence and len(bonded) != valence[own]
        )


def network_of(atoms: Atoms) -> Network:
    """Return the network of a periodic structure.

    Atoms are bonded if closer than 1.243 times the sum of their covalent radii: 2.20 Å for Si-O,
    2.76 Å for Si-Si. Two oxygen atoms never are.
    """
    from ase.data import covalent_radii
    from ase.neighborlist import neighbor_list

    radii = covalent_radii[atoms.numbers] * BOND_TOLERANCE
    first, second, distance, vector, image = neighbor_list("ijdDS", atoms, list(radii))
    kinds = atoms.numbers
    bonded = ~((kinds[first] == _OXYGEN) & (kinds[second] == _OXYGEN))
    first, second, distance, vector, image = (
        array[bonded] for array in (first, second, distance, vector, image)
    )
    is_si_o = (kinds[first] == _SILICON) & (kinds[second] == _OXYGEN)
    is_si_si = (kinds[first] == _SILICON) & (kinds[second] == _SILICON)
    neighbours = [second[first == index] for index in range(len(atoms))]
    vectors = [vector[first == index] for index in range(len(atoms))]
    images = [image[first == index] for index in range(len(atoms))]
    return Network(
        symbols=tuple(atoms.get_chemical_symbols()),
        neighbours=tuple(tuple(int(i) for i in each) for each in neighbours),
        si_o_bonds=distance[is_si_o],
        si_si_bonds=np.sort(distance[is_si_si])[::2],
        si_o_si_angles=_angles(kinds, neighbours, vectors, _OXYGEN, _SILICON),
        o_si_o_angles=_angles(kinds, neighbours, vectors, _SILICON, _OXYGEN),
        edge_sharing=_edge_sharing(kinds, neighbours, images),
        density=float(atoms.get_masses().sum() / atoms.get_volume() * _DENSITY_UNIT),
    )


def check_network(
    atoms: Atoms, *, si_si_bonds: int = 0, most_defects: int = 0, name: str = "the structure"
) -> Network:
    """Return the network of a silica, or raise an error if it is broken.

    Parameters
    ----------
    atoms
        Periodic structure of silicon and oxygen.
    si_si_bonds
        Number of Si-Si bonds that the composition asks for.
    most_defects
        Number of atoms that may lack a bond or have one too many.
    name
        Name of the structure in the error message.

    Raises
    ------
    StructureError
        If atoms overlap, tetrahedra share an edge, too many atoms have a wrong number of bonds, or
        there are more or fewer Si-Si bonds than asked for.
    """
    check_structure(atoms, "O", name)
    network = network_of(atoms)
    if network.edge_sharing:
        one, other = network.edge_sharing[0]
        msg = (
            f"Tetrahedra of {name} must share corners only; found {len(network.edge_sharing)} "
            f"pairs that share an edge, the first at Si{one} and Si{other}. Use another seed, or "
            "quench more slowly."
        )
        raise StructureError(msg)
    wrong = network.miscoordinated
    if len(wrong) > most_defects:
        msg = (
            f"Atoms of {name} must have four bonds (Si) and two (O), with at most {most_defects} "
            f"exceptions; found {len(wrong)}: {_described(network, wrong)}. Use another seed, or "
            "quench more slowly."
        )
        raise StructureError(msg)
    if not wrong and len(network.si_si_bonds) != si_si_bonds:
        msg = (
            f"{name} must have {si_si_bonds} Si-Si bonds; found {len(network.si_si_bonds)}. "
            "Use another seed."
        )
        raise StructureError(msg)
    return network


def refuse_crystal(atoms: Atoms, name: str = "the structure") -> None:
    """Raise an error if the network of an amorphous structure is that of a crystal.

    Parameters
    ----------
    atoms
        Periodic structure whose silicon atoms are linked by oxygen.
    name
        Name of the structure in the error message.

    Raises
    ------
    StructureError
        If many silicon atoms have the same coordination sequence, or the atoms have a symmetry
        within 0.25 Å.
    """
    n_silicon = int((atoms.numbers == _SILICON).sum())
    n_kinds = len(set(coordination_sequences(atoms)))
    if n_kinds < _SMALLEST_SHARE_OF_KINDS * n_silicon:
        msg = (
            f"{name} must be amorphous; its {n_silicon} silicon atoms have only {n_kinds} kinds of "
            "surroundings (coordination sequences), as in a crystal. Use another seed, or quench "
            "faster."
        )
        raise StructureError(msg)
    symmetry = ask_spglib("get_symmetry_dataset", atoms, symprec=_SYMMETRY_TOLERANCE)
    operations = len(symmetry.rotations)
    if operations > 1:
        msg = (
            f"{name} must be amorphous; within {_SYMMETRY_TOLERANCE} Å it has {operations} "
            "symmetry operations, as a crystal. Use another seed, or quench faster."
        )
        raise StructureError(msg)


def refuse_alike(atoms: Atoms, known: Mapping[str, Atoms], name: str) -> None:
    """Raise an error if a structure has the same network as another one.

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
        If all silicon atoms have the coordination sequences of one of `known`; the message names
        it. Two crystal-like networks from different seeds are found like this, also if they are
        strained differently.
    """
    own = _kinds(atoms)
    for other_name, other in known.items():
        if own == _kinds(other):
            msg = (
                f"{name} repeats the network of {other_name}: the coordination sequences of all "
                "silicon atoms are the same. Leave one of the two out."
            )
            raise StructureError(msg)


def same_bonds(atoms: Atoms, reference: Atoms) -> bool:
    """Return whether two sets of positions of the same atoms have the same bonds of oxygen.

    Silicon atoms are not compared with each other: in stishovite they are as close as bonds, and
    thermal motion moves them across any limit.
    """
    networks = (network_of(atoms), network_of(reference))
    first, second = (
        [
            sorted(bonded)
            for symbol, bonded in zip(each.symbols, each.neighbours, strict=True)
            if symbol == "O"
        ]
        for each in networks
    )
    return first == second


def smallest_rings(atoms: Atoms, largest: int = 8) -> dict[int, int]:
    """Return how many rings of each size the network has, counted in silicon atoms.

    Parameters
    ----------
    atoms
        Periodic structure.
    largest
        Largest size that is looked for.

    Notes
    -----
    King's definition (1967, Nature 213, 1112): for each pair of bonds of an atom, the shortest
    closed path through both. A ring is counted once for each such pair.
    """
    import networkx

    whole = atoms.repeat((3, 3, 3))  # so that no path closes through a periodic image
    network = network_of(whole)
    graph = networkx.Graph()
    for index, bonded in enumerate(network.neighbours):
        if network.symbols[index] == "O":
            silicon = [i for i in bonded if network.symbols[i] == "Si"]
            graph.add_edges_from(combinations(sorted(set(silicon)), 2))
        else:
            graph.add_edges_from((index, i) for i in bonded if network.symbols[i] == "Si")
    sizes: Counter[int] = Counter()
    for centre in (int(index) for index in np.flatnonzero(atoms.numbers == _SILICON)):
        around = list(graph[centre]) if centre in graph else []
        rest = graph.copy()
        if centre in rest:
            rest.remove_node(centre)
        for one in around:
            lengths = networkx.single_source_shortest_path_length(rest, one, cutoff=largest - 2)
            for other in around:
                if other > one and other in lengths:
                    sizes[lengths[other] + 2] += 1
    return dict(sorted(sizes.items()))


def _kinds(atoms: Atoms) -> Counter[tuple[int, ...]]:
    """Return the coordination sequences of the silicon atoms, and how often each occurs."""
    return Counter(coordination_sequences(atoms))


def _angles(
    kinds: NDArray[np.int64],
    neighbours: list[NDArray[np.int64]],
    vectors: list[NDArray[np.float64]],
    centre: int,
    end: int,
) -> NDArray[np.float64]:
    angles = []
    for index in np.flatnonzero(kinds == centre):
        ends = vectors[index][kinds[neighbours[index]] == end]
        directions = ends / np.linalg.norm(ends, axis=1, keepdims=True)
        angles += [
            np.degrees(np.arccos(np.clip(one @ other, -1.0, 1.0)))
            for one, other in combinations(directions, 2)
        ]
    return np.array(angles, dtype=float)


def _edge_sharing(
    kinds: NDArray[np.int64],
    neighbours: list[NDArray[np.int64]],
    images: list[NDArray[np.int64]],
) -> tuple[tuple[int, int], ...]:
    shared: Counter[tuple[int, int, tuple[int, ...]]] = Counter()
    for index in np.flatnonzero(kinds == _OXYGEN):
        ends = [
            (int(i), tuple(int(step) for step in image))
            for i, image in zip(neighbours[index], images[index], strict=True)
            if kinds[i] == _SILICON
        ]
        # Two oxygen atoms may link a silicon atom to two images of another: that is no shared edge.
        shared.update(
            (one, other, tuple(b - a for a, b in zip(cell, other_cell, strict=True)))
            for (one, cell), (other, other_cell) in combinations(sorted(ends), 2)
        )
    return tuple(pair[:2] for pair, times in shared.items() if times > 1)


def _described(network: Network, atoms: tuple[int, ...]) -> str:
    words = [f"{network.symbols[i]}{i} has {len(network.neighbours[i])}" for i in atoms[:4]]
    return ", ".join(words) + (", …" if len(atoms) > 4 else "")
