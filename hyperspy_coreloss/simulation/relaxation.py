"""Relaxation of the atoms in a fixed cell, with forces from GPAW."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.engine import plane_wave_calculator
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.structures import check_cell

if TYPE_CHECKING:
    from ase import Atoms

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class RelaxationSettings:
    """Convergence criteria of a relaxation, and settings of its force calculations.

    Parameters
    ----------
    largest_force
        Largest force on an atom at the end, in eV/Å. A force of about 0.4 eV/Å stretches an Si-O
        bond by 0.01 Å; thermal motion at 300 K stretches it several times as much.
    most_steps
        Largest number of steps.
    longest_step
        Largest displacement of an atom in one step, in angstrom.
    stiffness
        Force constant in eV/Å² of the springs between neighbours that precondition the search.
        It affects only the number of steps. The default is ASE's estimate for quartz.
    engine
        Settings of the ground state, which is computed with plane waves: in a fixed cell they
        cause no Pulay forces, and the crystals of the Materials Project are already relaxed.
    """

    largest_force: float = 0.25
    most_steps: int = 60
    longest_step: float = 0.15
    stiffness: float = 8.0
    engine: EngineSettings = field(
        default_factory=lambda: EngineSettings(
            cutoff=340.0, density_convergence=5e-4, eigenstate_convergence=2e-5
        )
    )


def relax(atoms: Atoms, settings: RelaxationSettings | None = None) -> Atoms:
    """Return a copy of `atoms` with relaxed positions, in the same cell.

    Parameters
    ----------
    atoms
        Periodic structure in a cell that is large enough for a single k-point (Gamma).
    settings
        Default: :class:`RelaxationSettings`.

    Raises
    ------
    StructureError
        If the cell is not periodic in three dimensions, or a position is not finite.
    SimulationError
        If a force still exceeds the limit after the last step, or GPAW does not converge.
    """
    from ase.optimize.precon import Exp, PreconLBFGS
    from gpaw import ConvergenceError

    settings = settings or RelaxationSettings()
    check_cell(atoms)
    own = atoms.copy()
    own.calc = plane_wave_calculator(settings.engine)
    # Preconditioned with springs between neighbours, the search takes about half as many steps as
    # plain BFGS.
    search = PreconLBFGS(
        own,
        precon=Exp(mu=settings.stiffness),
        use_armijo=False,  # a line search would cost further force calculations
        logfile=None,
        maxstep=settings.longest_step,
    )
    search.attach(lambda: _LOGGER.info("step %d: %.2f eV/Å", search.nsteps, _largest_force(own)))
    try:
        search.run(fmax=settings.largest_force, steps=settings.most_steps)
        left = _largest_force(own)
    except ConvergenceError as error:
        msg = (
            f"The ground state of {atoms.get_chemical_formula()} must converge to compute its "
            f"forces; GPAW stopped with {error!r}. Start from a structure without broken bonds."
        )
        raise SimulationError(msg) from error
    if not left <= settings.largest_force:
        msg = (
            f"The forces on {atoms.get_chemical_formula()} must fall to {settings.largest_force} "
            f"eV/Å within {settings.most_steps} steps; the largest is still {left:.2f} eV/Å. "
            "Start from a structure closer to equilibrium, or allow more steps."
        )
        raise SimulationError(msg)
    own.calc = None
    return own


def _largest_force(atoms: Atoms) -> float:
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())
