"""What periodic images do to the excitation energy of a core-hole cell, and how to remove it.

The core-hole cell holds a localised hole and an electron that is spread over the cell. To the first
order the images of such a cell interact as point charges in a uniform background, screened by the
material; the next order goes with the inverse volume (G. Makov and M. C. Payne, Phys. Rev. B 51
(1995) 4014), and so does the attraction of a spread electron to its hole. The dielectric constant
of silica follows from its density: ``epsilon - 1`` is proportional to it (Drude), as the refractive
indices of quartz, cristobalite, coesite and stishovite tell, with one polarisability for all
silicas. Both constants are fitted to the energies of the same sites in cells of different size
(``benchmarks/simulation_cell_size.py``). The polarisability is larger than the optical one, because
it has to stand for the electron as well, which gathers around the hole where the cell lets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Polarisability of SiO2 in cubic angstrom, from eight silicas with 7 to 13 Å between images.
SILICA_POLARISABILITY = 13.55
#: What goes with the inverse volume, in eV Å³, from the same silicas.
SILICA_CONTACT = -96.8


def dielectric_constant(formula_volume: float, polarisability: float) -> float:
    """Return the dielectric constant of independent dipoles, ``1 + 4 pi polarisability / volume``.

    Parameters
    ----------
    formula_volume
        Volume of one formula unit in cubic angstrom.
    polarisability
        Of one formula unit, in cubic angstrom.
    """
    return 1.0 + 4 * np.pi * polarisability / formula_volume


def image_energy(cell: NDArray[np.floating]) -> float:
    """Return the energy in eV of a unit point charge, its images and a uniform background.

    Parameters
    ----------
    cell
        Lattice vectors in angstrom, one a row, shape (3, 3).
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
    """Return the error of the excitation energy in eV; subtract it to correct.

    Parameters
    ----------
    cell
        Lattice vectors of the supercell in angstrom, one a row, shape (3, 3).
    n_formula_units
        Number of formula units in the supercell.
    polarisability
        Of one formula unit, in cubic angstrom.
    contact
        What goes with the inverse volume of the supercell, in eV Å³.
    """
    volume = float(abs(np.linalg.det(cell)))
    screening = dielectric_constant(volume / n_formula_units, polarisability)
    return image_energy(cell) / screening + contact / volume
