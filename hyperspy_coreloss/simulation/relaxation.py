"""Relaxing the atoms of a cell that stays as it is, with forces from GPAW."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.engine import EngineSettings, plane_wave_calculator
from hyperspy_coreloss.simulation.structures import check_cell

if TYPE_CHECKING:
    from ase import Atoms

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class RelaxationSettings:
    """When the atoms are at rest, and with what the forces are computed.

    Parameters
    ----------
    largest_force
        No atom is left under a larger force than this, in eV/Å. An Si-O bond is stretched by
        0.01 Å under some 0.4 eV/Å, and by heat at 300 K several times as much.
    most_steps
        Steps after which to give up.
    longest_step
        Longest way of an atom in one step, in angstrom.
    stiffness
        Of the springs between near neighbours with which the search begins, in eV/Å². It
        changes the number of steps only; this is what ASE estimates in quartz.
    engine
        Settings of the ground state. Plane waves, because a fixed cell leaves no Pulay force in
        them and the crystals of the Materials Project are at rest already.
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
    """Return a copy with its atoms at rest, in the same cell.

    Parameters
    ----------
    atoms
        Periodic structure, large enough for one k-point (Gamma).
    settings
        Default: :class:`RelaxationSettings`.

    Raises
    ------
    StructureError
        If `atoms` is no crystal.
    SimulationError
        If the forces do not fall below the limit in time, or GPAW does not converge.
    """
    from ase.optimize.precon import Exp, PreconLBFGS
    from gpaw import ConvergenceError

    settings = settings or RelaxationSettings()
    check_cell(atoms)
    own = atoms.copy()
    own.calc = plane_wave_calculator(settings.engine)
    # Springs between neighbours as the first guess of the force constants spare about half of the
    # steps that plain BFGS takes.
    search = PreconLBFGS(
        own,
        precon=Exp(mu=settings.stiffness),
        use_armijo=False,  # it would cost further calculations
        logfile=None,
        maxstep=settings.longest_step,
    )
    search.attach(lambda: _LOGGER.info("step %d: %.2f eV/Å", search.nsteps, _largest_force(own)))
    try:
        search.run(fmax=settings.largest_force, steps=settings.most_steps)
        left = _largest_force(own)
    except ConvergenceError as error:
        msg = (
            f"The forces on {atoms.get_chemical_formula()} need a converged ground state; GPAW "
            f"stopped with {error!r}. Start from a structure without broken bonds."
        )
        raise SimulationError(msg) from error
    if not left <= settings.largest_force:
        msg = (
            f"{atoms.get_chemical_formula()} must come to rest within {settings.most_steps} "
            f"steps, no force above {settings.largest_force} eV/Å; found {left:.2f} eV/Å left. "
            "Start closer to the end, or allow more steps."
        )
        raise SimulationError(msg)
    own.calc = None
    return own


def _largest_force(atoms: Atoms) -> float:
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())
