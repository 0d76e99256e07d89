"""Virtual structures: strained and rattled variants of a crystal, seeded and reproducible.

The paper's conclusion proposes them to fill the gaps between the known crystals (Kiyohara et
al. 2019, J. Phys. Mater. 2, 024003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import StructureError

if TYPE_CHECKING:
    from ase import Atoms

#: Einstein temperature in kelvin. Chosen so that uncorrelated displacements at 300 K spread the
#: Si-O distances by about 0.05 Å, as molecular dynamics does.
EINSTEIN_TEMPERATURE = 800.0

#: Strains beyond this leave the range in which a silicate keeps its bonds.
_LARGEST_STRAIN = 0.1


def strain(atoms: Atoms, magnitude: float, seed: int) -> Atoms:
    """Return a copy under a random homogeneous strain.

    Parameters
    ----------
    atoms
        Periodic structure.
    magnitude
        Largest component of the symmetric strain tensor (0.03 is 3 %); the six components are
        drawn uniformly between plus and minus this.
    seed
        Seed of the draw.

    Raises
    ------
    StructureError
        If the magnitude is not within 0 to 0.1.
    """
    if not 0 <= magnitude <= _LARGEST_STRAIN:
        msg = (
            f"A strain must lie between 0 and {_LARGEST_STRAIN}; found {magnitude}. "
            "Larger ones break bonds; use a smaller one."
        )
        raise StructureError(msg)
    draw = np.random.default_rng([seed, 1]).uniform(-magnitude, magnitude, size=(3, 3))
    tensor = np.triu(draw) + np.triu(draw, 1).T
    strained = atoms.copy()
    strained.set_cell(atoms.cell[:] @ (np.eye(3) + tensor), scale_atoms=True)
    return strained


def rattle(
    atoms: Atoms,
    temperature: float,
    seed: int,
    einstein_temperature: float = EINSTEIN_TEMPERATURE,
) -> Atoms:
    r"""Return a copy with every atom displaced as by heat, each on its own.

    Displacements are normal with the variance of a classical Einstein oscillator,
    :math:`\hbar^2 T / (m k_B \Theta_E^2)` per direction.

    Parameters
    ----------
    atoms
        Periodic structure, usually a supercell.
    temperature
        Temperature in kelvin.
    seed
        Seed of the draw.
    einstein_temperature
        Stiffness in kelvin.

    Raises
    ------
    StructureError
        If a temperature is negative or the Einstein temperature is not positive.
    """
    if temperature < 0 or einstein_temperature <= 0:
        msg = (
            "Rattling needs a temperature of at least 0 K and a positive Einstein temperature; "
            f"found {temperature} K and {einstein_temperature} K."
        )
        raise StructureError(msg)
    from ase.units import _amu, _hbar, _k

    masses = atoms.get_masses() * _amu
    spread = 1e10 * _hbar / einstein_temperature * np.sqrt(temperature / (masses * _k))
    draw = np.random.default_rng([seed, 2]).normal(size=(len(atoms), 3))
    rattled = atoms.copy()
    rattled.positions += spread[:, np.newaxis] * draw
    return rattled
