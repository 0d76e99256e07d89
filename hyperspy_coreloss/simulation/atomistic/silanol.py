"""Silanol groups (Si-OH) in crystals, zeolites and glass: added, relaxed and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.atomistic.learned_potential import (
    ForceRelaxation,
    potential_versions,
    relax_with_learned_potential,
)
from hyperspy_coreloss.simulation.atomistic.network import network_of, same_bonds
from hyperspy_coreloss.simulation.structures import (
    SMALLEST_IMAGE_DISTANCE,
    build_supercell,
    check_structure,
    primitive_structure,
)

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    from hyperspy_coreloss.simulation.atomistic.network import Network

#: Kind of silanol groups. In a ``"nest"`` (hydrogarnet defect), four hydrogen atoms replace a
#: silicon atom. A ``"bridge"`` Si-O-Si that is hydrolysed becomes two groups that face each other.
SilanolKind = Literal["nest", "bridge"]

#: Number of groups that each kind adds.
_GROUPS = {"nest": 4, "bridge": 2}

#: Smallest and largest O-H bond length in angstrom. With CHGNet, free groups have 0.97 Å, and those
#: with a hydrogen bond of 1.6 Å have 1.00 Å.
SHORTEST_OH, LONGEST_OH = 0.93, 1.05

# The bonded neighbours, in the order of the alphabet, that an atom of each element may have.
_BONDS = {"Si": ("OOOO",), "O": ("SiSi", "HSi"), "H": ("O",)}

#: Supercells have at least this many atoms, so that most of their silicon has no silanol group.
_SMALLEST_CELL = 36

# Lengths in angstrom and angles in degrees of the start; relaxation changes them.
_OH, _SI_OH, _SI_O_H_ANGLE, _TILT, _PUSH = 0.97, 1.63, 118.0, 50.0, 0.5

#: Of this many orientations that are drawn, the one with most room is taken.
_ORIENTATIONS = 12


def make_silanol(
    parent: Atoms,
    kind: SilanolKind,
    seed: int,
    name: str = "the silica",
    relaxation: ForceRelaxation | None = None,
) -> Atoms:
    """Add silanol groups to a silica, relax it, and check it.

    Parameters
    ----------
    parent
        Crystal, zeolite or glass in which every silicon atom has four bonds and every oxygen atom
        two.
    kind
        ``"nest"``: four hydrogen atoms replace a silicon atom. ``"bridge"``: water is added to a
        bridge Si-O-Si, which becomes two groups Si-OH.
    seed
        Seed of the choice of silicon atom or bridge, and of the orientation of the groups.
    name
        Name of the cell in error messages.
    relaxation
        Default: a fixed cell. It stays that of the parent, as around groups that are far apart; a
        free cell would take the strain of a group in every cell.

    Returns
    -------
    ase.Atoms
        Relaxed supercell; ``info`` says how it was made.

    Raises
    ------
    StructureError
        If the parent is no such silica, or the relaxed cell has other bonds than those it was made
        with: use another seed, or the other kind.
    SimulationError
        If the relaxation does not converge.
    ModuleNotFoundError
        If ``chgnet`` is not installed.
    """
    cell = silanol_cell(parent, name)
    start = add_silanols(cell, kind, seed)
    relaxed = relax_with_learned_potential(start, relaxation or ForceRelaxation(cell="fixed"))
    relaxed.wrap()
    check_silanols(relaxed, _GROUPS[kind], name)
    if not same_bonds(relaxed, start):
        msg = (
            f"{name} must keep the bonds that it was made with; relaxation has changed some. Use "
            "another seed, or the other kind of groups."
        )
        raise StructureError(msg)
    relaxed.info = {
        "population": "silanol",
        "groups": kind,
        "seed": seed,
        **{key: value for key, value in potential_versions().items() if key != "lammps"},
    }
    return relaxed


def silanol_cell(parent: Atoms, name: str = "the silica") -> Atoms:
    """Return the supercell of a silica to which silanol groups are added.

    It is the smallest one whose periodic images are 8 Å apart and which has 36 atoms.

    Parameters
    ----------
    parent
        Silica of any cell.
    name
        Name of the silica in error messages.

    Raises
    ------
    StructureError
        If the silica does not consist of SiO4 tetrahedra that share corners.
    """
    check_structure(parent, "O", name)
    _checked_network(
        parent,
        {"Si": ("OOOO",), "O": ("SiSi",)},
        f"{name} must consist of SiO4 tetrahedra and Si-O-Si bridges before groups are added",
    )
    primitive = primitive_structure(parent)
    smallest = SMALLEST_IMAGE_DISTANCE
    cell = build_supercell(primitive, smallest)
    while len(cell) < _SMALLEST_CELL:
        smallest += 0.25
        cell = build_supercell(primitive, smallest)
    return cell


def add_silanols(atoms: Atoms, kind: SilanolKind, seed: int) -> Atoms:
    """Return a copy with silanol groups, not relaxed.

    Parameters
    ----------
    atoms
        Supercell of a silica.
    kind, seed
        As in :func:`make_silanol`.

    Raises
    ------
    StructureError
        If the kind is unknown, or no silicon atom or bridge can be used: the cell is too small.
    """
    if kind not in get_args(SilanolKind):
        msg = f"The groups must be one of {', '.join(get_args(SilanolKind))}; found {kind!r}."
        raise StructureError(msg)
    random = np.random.default_rng([seed, 7])
    add = _add_nest if kind == "nest" else _hydrolyse_bridge
    element = 14 if kind == "nest" else 8
    n_neighbours = 4 if kind == "nest" else 2
    for site in random.permutation(np.flatnonzero(atoms.numbers == element)):
        neighbours = bonded_neighbours(atoms, int(site)).indices
        if len(neighbours) == len(set(neighbours)) == n_neighbours:
            return add(atoms, int(site), random)
    msg = (
        f"Silanol groups need an atom of {atoms.get_chemical_formula()} whose {n_neighbours} "
        "neighbours are different atoms; found none. Use a larger cell."
    )
    raise StructureError(msg)


def check_silanols(atoms: Atoms, n_groups: int, name: str = "the structure") -> Network:
    """Return the network of a silica with silanol groups, or raise an error if it is another.

    Parameters
    ----------
    atoms
        Periodic structure of silicon, oxygen and hydrogen.
    n_groups
        Number of silanol groups.
    name
        Name of the structure in error messages.

    Raises
    ------
    StructureError
        If atoms overlap, silicon has other neighbours than four oxygen atoms, oxygen is neither a
        bridge nor a silanol group (as in water), tetrahedra share an edge, an O-H bond is not 0.93
        to 1.05 Å long, there are more or fewer groups, or a part has come off.
    """
    check_structure(atoms, "O", name)
    network = _checked_network(
        atoms, _BONDS, f"{name} must consist of SiO4 tetrahedra, Si-O-Si bridges and Si-OH groups"
    )
    hydrogen = [int(index) for index in np.flatnonzero(atoms.numbers == 1)]
    if len(hydrogen) != n_groups:
        msg = f"{name} must have {n_groups} Si-OH groups; found {len(hydrogen)}. Make it again."
        raise StructureError(msg)
    for index in hydrogen:
        length = float(bonded_neighbours(atoms, index).distances[0])
        if not SHORTEST_OH <= length <= LONGEST_OH:
            msg = (
                f"O-H bonds of {name} must be {SHORTEST_OH} to {LONGEST_OH} Å long; H{index} is "
                f"{length:.3f} Å from its oxygen. Use another seed, or allow more steps."
            )
            raise StructureError(msg)
    _refuse_parts(network, name)
    return network


def _checked_network(atoms: Atoms, bonds: dict[str, tuple[str, ...]], need: str) -> Network:
    """Return the network, or raise an error that begins with the need if it has other bonds."""
    network = network_of(atoms)
    for index, (symbol, around) in enumerate(zip(network.symbols, network.neighbours, strict=True)):
        found = sorted(network.symbols[other] for other in around)
        if "".join(found) not in bonds.get(symbol, ()):
            msg = (
                f"{need}; {symbol}{index} is bonded to {', '.join(found) or 'nothing'}. Use "
                "another seed, or another silica."
            )
            raise StructureError(msg)
    if network.edge_sharing:
        one, other = network.edge_sharing[0]
        msg = (
            f"{need}; the tetrahedra of Si{one} and Si{other} share an edge. Use another seed, or "
            "another silica."
        )
        raise StructureError(msg)
    return network


def _refuse_parts(network: Network, name: str) -> None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = [(i, j) for i, around in enumerate(network.neighbours) for j in around]
    first, second = np.transpose(pairs)
    size = len(network.symbols)
    graph = coo_array((np.ones(len(pairs)), (first, second)), shape=(size, size))
    parts, membership = connected_components(graph, directed=False)
    if parts > 1:
        smallest = int(np.bincount(membership).min())
        msg = (
            f"All atoms of {name} must be linked by bonds; found {parts} parts, the smallest of "
            f"{smallest} atoms. Use another seed."
        )
        raise StructureError(msg)


def _add_nest(atoms: Atoms, site: int, random: np.random.Generator) -> Atoms:
    """Replace a silicon atom by a hydrogen atom at each of its four oxygen atoms."""
    made = atoms.copy()
    oxygen = [int(index) for index in bonded_neighbours(atoms, site).indices]
    del made[site]
    for index in oxygen:
        _add_hydrogen(made, index - (index > site), random)
    return made


def _hydrolyse_bridge(atoms: Atoms, site: int, random: np.random.Generator) -> Atoms:
    """Replace a bridging oxygen atom by two silanol groups, side by side between the silicon."""
    made = atoms.copy()
    ends = bonded_neighbours(atoms, site)
    axis = _unit(ends.vectors[1] - ends.vectors[0])
    for end, way in zip(ends.indices, (-axis, axis), strict=True):
        made.positions[end] += _PUSH * way
        followers = bonded_neighbours(atoms, int(end)).indices
        made.positions[[index for index in followers if index != site]] += 0.5 * _PUSH * way
    one, other = (
        atoms.positions[site] + vector + _PUSH * way
        for vector, way in zip(ends.vectors, (-axis, axis), strict=True)
    )
    tilt = np.radians(_TILT)
    bonds = _SI_OH * (np.cos(tilt) * axis + np.sin(tilt) * _around(axis, random))
    rest = made[[index for index in range(len(made)) if index not in (site, *ends.indices)]]
    room = np.minimum(_room(one + bonds, rest), _room(other - bonds, rest))
    bond = bonds[int(room.argmax())]
    made.positions[site] = one + bond
    made.append("O")
    made.positions[-1] = other - bond
    for index in (site, len(made) - 1):
        _add_hydrogen(made, index, random)
    return made


def _add_hydrogen(atoms: Atoms, oxygen: int, random: np.random.Generator) -> None:
    """Add a hydrogen atom to an oxygen atom that is bonded to one silicon atom."""
    neighbours = bonded_neighbours(atoms, oxygen)
    silicon = atoms.numbers[neighbours.indices] == 14
    axis = _unit(neighbours.vectors[silicon][0])
    angle = np.radians(_SI_O_H_ANGLE)
    bonds = _OH * (np.cos(angle) * axis + np.sin(angle) * _around(axis, random))
    places = atoms.positions[oxygen] + bonds
    rest = atoms[[index for index in range(len(atoms)) if index != oxygen]]
    best = places[int(_room(places, rest).argmax())]
    atoms.append("H")
    atoms.positions[-1] = best


def _around(axis: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Draw unit vectors perpendicular to an axis, shape ``(12, 3)``."""
    drawn = random.normal(size=(_ORIENTATIONS, 3))
    across = drawn - (drawn @ axis)[:, np.newaxis] * axis
    return across / np.linalg.norm(across, axis=1, keepdims=True)


def _room(places: NDArray[np.float64], atoms: Atoms) -> NDArray[np.float64]:
    """Return the distance of each place to the nearest atom in angstrom."""
    from ase.geometry import get_distances

    _, distances = get_distances(places, atoms.positions, cell=atoms.cell, pbc=True)
    return distances.min(axis=1)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)
