"""Mulliken charges and bond overlap populations from GPAW's LCAO mode.

Both depend on the basis, so its name is stored with every result. Oxygen in quartz has -0.80 e and
0.61 electrons in ``sz(dzp)``, -0.24 e and 0.88 electrons in ``dzp``, and about -1.2 e in CASTEP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours, without_hydrogen
from hyperspy_coreloss.errors import SimulationError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    from hyperspy_coreloss.simulation.engine_settings import EngineSettings


@dataclass(frozen=True)
class Populations:
    """Mulliken analysis of the ground state of one structure.

    Parameters
    ----------
    shared
        Populations in electrons, shape ``(n_atoms, n_atoms)``. Elements ``[i, j]`` and ``[j, i]``
        each hold half of the electrons shared by two atoms; diagonal elements hold those of one.
    valence
        Number of valence electrons of each neutral atom, shape ``(n_atoms,)``.
    basis
        Name of the LCAO basis.
    """

    shared: NDArray[np.float64]
    valence: NDArray[np.float64]
    basis: str

    def mulliken_charge(self, site: int) -> float:
        """Return the Mulliken charge of atom `site` in elementary charges."""
        return float(self.valence[site] - self.shared[site].sum())

    def bond_overlap_population(self, atoms: Atoms, site: int) -> float:
        """Return the overlap population in electrons, averaged over the bonds of atom `site`.

        Bonds to hydrogen are left out, unless there are no others. Each neighbour counts once: in
        the supercells used here, an atom is bonded to only one periodic image of a neighbour.

        Raises
        ------
        SimulationError
            If the atom has no bonded neighbour.
        """
        indices = np.unique(without_hydrogen(bonded_neighbours(atoms, site), atoms).indices)
        if not len(indices):
            msg = (
                f"An overlap population needs bonds; {atoms[site].symbol}{site} has no bonded "
                "neighbour. Choose another site."
            )
            raise SimulationError(msg)
        return float(2.0 * self.shared[site, indices].mean())


def calculate_populations(atoms: Atoms, settings: EngineSettings) -> Populations:
    """Return the Mulliken analysis of the ground state in an LCAO basis at the Gamma point.

    Parameters
    ----------
    atoms
        Supercell.
    settings
        Numerical settings.

    Raises
    ------
    SimulationError
        If GPAW does not converge, or the populations do not sum to the valence electrons.
    """
    from gpaw import GPAW, ConvergenceError, FermiDirac

    calculator = GPAW(
        legacy_gpaw=True,
        mode="lcao",
        basis=settings.population_basis,
        h=settings.population_grid,
        xc=settings.population_functional,
        symmetry="off",
        occupations=FermiDirac(settings.smearing),
        txt=None,
    )
    own = atoms.copy()
    own.calc = calculator
    try:
        own.get_potential_energy()
    except ConvergenceError as error:
        msg = (
            f"The LCAO ground state of {atoms.get_chemical_formula()} must converge; GPAW "
            f"stopped with {error!r}. Check the structure."
        )
        raise SimulationError(msg) from error
    shared = _mulliken_matrix(calculator)
    valence = np.array([setup.Nv for setup in calculator.wfs.setups], dtype=float)
    if abs(shared.sum() - valence.sum()) > 1e-3:
        msg = (
            f"Mulliken populations must sum to the {valence.sum():.0f} valence electrons; found "
            f"{shared.sum():.4f}. Please report this structure as a bug."
        )
        raise SimulationError(msg)
    return Populations(shared, valence, settings.population_basis)


def _mulliken_matrix(calculator: Any) -> NDArray[np.float64]:
    waves = calculator.wfs
    point = waves.kpt_u[0]
    density = (point.C_nM.conj().T * point.f_n) @ point.C_nM
    weighted = (density * point.S_MM.T).real
    starts = list(waves.basis_functions.M_a)
    return np.add.reduceat(np.add.reduceat(weighted, starts, axis=0), starts, axis=1)
