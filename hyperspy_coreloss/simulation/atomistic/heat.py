"""Crystals at a temperature: frames of molecular dynamics, checked for broken bonds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hyperspy_coreloss.errors import StructureError
from hyperspy_coreloss.simulation.atomistic.learned_potential import (
    MolecularDynamics,
    potential_versions,
    thermal_frames,
)
from hyperspy_coreloss.simulation.atomistic.network import same_bonds
from hyperspy_coreloss.simulation.structures import (
    SMALLEST_IMAGE_DISTANCE,
    build_supercell,
    check_structure,
    primitive_structure,
)

if TYPE_CHECKING:
    from ase import Atoms


def heat_crystal(
    crystal: Atoms,
    n_frames: int,
    seed: int,
    conditions: MolecularDynamics | None = None,
    name: str = "the crystal",
    smallest_image_distance: float = SMALLEST_IMAGE_DISTANCE,
    *,
    progress: bool = False,
) -> tuple[Atoms, ...]:
    """Return frames of a crystal at a temperature.

    Parameters
    ----------
    crystal
        Crystal at or near equilibrium. Its cell is kept.
    n_frames
        Number of frames.
    seed
        Seed of velocities and thermostat.
    conditions
        Temperature and times; default: 300 K. With hydrogen, the time step is at most 0.5 fs.
    name
        Name of the crystal in error messages.
    smallest_image_distance
        Smallest distance between periodic images in the supercell, in angstrom.
    progress
        Show a progress bar over the frames.

    Returns
    -------
    tuple of ase.Atoms
        Supercells; ``info`` says how each was made.

    Raises
    ------
    StructureError
        If the crystal cannot be used, or a frame has other bonds than the crystal: the potential
        does not know this crystal, or it melts.
    SimulationError
        If molecular dynamics fails.
    ModuleNotFoundError
        If ``chgnet`` is not installed.
    """
    conditions = conditions or MolecularDynamics()
    if "H" in crystal.get_chemical_symbols():
        conditions = replace(conditions, time_step=min(conditions.time_step, 0.5))
    check_structure(crystal, "O", name)
    cell = build_supercell(primitive_structure(crystal), smallest_image_distance)
    frames = thermal_frames(cell, n_frames, seed, conditions, progress=progress)
    for number, frame in enumerate(frames):
        if not same_bonds(frame, cell):
            msg = (
                f"Each frame of {name} must keep the bonds of the crystal; frame {number} at "
                f"{conditions.temperature:.0f} K has others. Use a lower temperature, or another "
                "structure."
            )
            raise StructureError(msg)
        frame.info = {
            "population": "heated",
            "temperature": conditions.temperature,
            "seed": seed,
            "frame": number,
            **potential_versions(),
        }
    return frames
