"""Error of the excitation energy due to the finite core-hole cell, and its correction.

The core-hole cell contains a localised hole and an electron that is spread over the cell. To first
order, the periodic images of the hole interact as point charges in a uniform background, screened
by the material. The next order is proportional to the inverse volume (G. Makov and M. C. Payne,
Phys. Rev. B 51 (1995) 4014), and so is the attraction of the spread electron to the hole.

The dielectric constant of silica follows from its density: ``epsilon - 1`` is proportional to the
density (Drude). The refractive indices of quartz, cristobalite, coesite and stishovite show this,
with one polarisability for all silicas. The polarisability and the factor of the inverse volume are
fitted to the energies of the same sites in cells of different size
(``benchmarks/simulation_cell_size.py``). The fitted polarisability is larger than the optical one,
because it also accounts for the electron, which gathers around the hole where the cell allows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Polarisability of SiO2 in Å³, fitted to eight silicas with 7 to 13 Å between periodic images.
SILICA_POLARISABILITY = 13.55
#: Factor of the inverse volume in eV Å³, fitted to the same silicas.
SILICA_CONTACT = -96.8


def dielectric_constant(formula_volume: float, polarisability: float) -> float:
    """Return the dielectric constant of independent dipoles, ``1 + 4 pi polarisability / volume``.

    Parameters
    ----------
    formula_volume
        Volume of one formula unit in cubic angstrom.
    polarisability
        Polarisability of one formula unit in cubic angstrom.
    """
    return 1.0 + 4 * np.pi * polarisability / formula_volume


def image_energy(cell: NDArray[np.floating]) -> float:
    """Return the energy in eV per cell of unit point charges in a uniform background.

    Parameters
    ----------
    cell
        Lattice vectors in angstrom, one per row, shape (3, 3).
    """
    from pymatgen.analysis.ewald import EwaldSummation
    from pymatgen.core import Structure

    charge = Structure(cell, ["H+"], [[0.0, 0.0, 0.0]])
    return float(EwaldSummation(charge, acc_factor=12).total_energy)


def cell_size_error(
    cell: NDArray[np.floating],
    n_formula_units: float,
    polarisability: float = SILICA_POLARISABILITY,
    contact: float = SILICA_CONTACT,
) -> float:
    """Return the error of the excitation energy in eV; subtract it from the energy to correct.

    Parameters
    ----------
    cell
        Lattice vectors of the supercell in angstrom, one per row, shape (3, 3).
    n_formula_units
        Number of formula units in the supercell.
    polarisability
        Polarisability of one formula unit in cubic angstrom.
    contact
        Factor of the inverse volume of the supercell in eV Å³.
    """
    volume = float(abs(np.linalg.det(cell)))
    screening = dielectric_constant(volume / n_formula_units, polarisability)
    return image_energy(cell) / screening + contact / volume
