"""The simulator that a campaign runs: it computes the site records of a task."""

from __future__ import annotations

import json
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hyperspy_coreloss.dataset.surroundings import bonded_neighbours
from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.closed_shells import check_gap
from hyperspy_coreloss.simulation.core_hole import CORE_HOLES
from hyperspy_coreloss.simulation.engine import (
    GroundState,
    code_versions,
    converge_core_hole,
    converge_ground_state,
    core_hole_state_of,
    excitation_energy,
    ground_state_of,
    projected_density_recursion,
)
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.labels import geometry_labels
from hyperspy_coreloss.simulation.populations import Populations, calculate_populations
from hyperspy_coreloss.simulation.site_record import ProjectedDensity, SiteRecord, save_arrays
from hyperspy_coreloss.simulation.structures import SMALLEST_IMAGE_DISTANCE, image_distance
from hyperspy_coreloss.simulation.tasks import SimulationTask, build_structure

if TYPE_CHECKING:
    from ase import Atoms

    from hyperspy_coreloss.simulation.engine import CoreHoleState


@dataclass(frozen=True)
class PreparedStructure:
    """A supercell and its ground state, shared by all sites of a task.

    Parameters
    ----------
    atoms
        Supercell.
    ground
        Plane-wave ground state.
    populations
        Mulliken analysis of the ground state.
    calculator
        GPAW calculator of the ground state, whose wave functions are the initial guess of the
        core-hole cells. None if the ground state was read from disk, without wave functions.
    """

    atoms: Atoms
    ground: GroundState
    populations: Populations
    calculator: Any = None


@dataclass(frozen=True)
class SiteSimulator:
    """Computes sites with GPAW, and saves ground states for resumed tasks.

    Parameters
    ----------
    structures_folder
        Folder that the paths of the tasks are relative to, or several folders; the first that
        contains the file is used.
    settings
        Numerical settings.
    setup_folder
        Folder of the PAW data sets with a core hole; default: the user's cache folder.
    smallest_image_distance
        Smallest distance between periodic images of the core hole in angstrom.
    projected_density
        Atoms whose p-projected density of states is computed as well, in the ground state and in
        the core-hole cell: ``"none"``, the absorbing atom (``"site"``), or the absorbing atom and
        its bonded neighbours (``"neighbours"``). Each atom takes as long as two spectra.
    """

    structures_folder: str | tuple[str, ...] = "."
    settings: EngineSettings = field(default_factory=EngineSettings)
    setup_folder: str | None = None
    smallest_image_distance: float = SMALLEST_IMAGE_DISTANCE
    projected_density: Literal["none", "site", "neighbours"] = "none"

    def __post_init__(self) -> None:
        choices = ("none", "site", "neighbours")
        if self.projected_density not in choices:
            msg = f"projected_density must be one of {choices}; found {self.projected_density!r}."
            raise SimulationError(msg)

    def prepare(self, task: SimulationTask, folder: Path) -> PreparedStructure:
        """Build the supercell of `task` and compute its ground state, or read it from `folder`.

        A saved ground state has no wave functions; it is computed again for projected densities.

        Raises
        ------
        StructureError
            If the structure cannot be built, or is no insulator (:func:`.check_gap`).
        SimulationError
            If GPAW does not converge.
        """
        atoms = build_structure(task, self.structures_folder, self.smallest_image_distance)
        path = folder / f"{task.name}.npz"
        saved = _load_ground_state(path, atoms, self.settings)
        if saved is not None and self.projected_density == "none":
            return PreparedStructure(atoms, *saved)
        calculator = converge_ground_state(atoms, self.settings)
        if saved is not None:
            return PreparedStructure(atoms, *saved, calculator)
        ground = ground_state_of(calculator)
        check_gap(ground.homo, ground.lumo, calculator.wfs.nvalence, task.name)
        populations = calculate_populations(atoms, self.settings)
        _save_ground_state(path, atoms, self.settings, ground, populations)
        return PreparedStructure(atoms, ground, populations, calculator)

    def simulate(self, task: SimulationTask, prepared: PreparedStructure, site: int) -> SiteRecord:
        """Compute the record of one site: core-hole cell, recursion and labels.

        Raises
        ------
        SimulationError
            If `site` is not an absorbing atom of `task`, or a calculation fails.
        """
        atoms = prepared.atoms
        if not 0 <= site < len(atoms) or atoms[site].symbol != task.absorber:
            msg = (
                f"Site {site} of {task.name} must be one of the {task.absorber} atoms of its "
                f"supercell {atoms.get_chemical_formula()}; it is not. Make the task again, with "
                "sites from absorbing_sites()."
            )
            raise SimulationError(msg)
        started = time.process_time()
        folder = None if self.setup_folder is None else Path(self.setup_folder)
        calculator = converge_core_hole(atoms, site, self.settings, folder, prepared.calculator)
        state = core_hole_state_of(calculator, site, self.settings)
        densities = self._densities(prepared, calculator, site)
        label = _labels(task, prepared, site, state)
        # Only total energies of a full hole give it; that of half a hole is no excited state's.
        full = CORE_HOLES[self.settings.core_hole].electrons == 1
        label["excitation_energy"] = excitation_energy(prepared.ground, state) if full else None
        label["settings"] = self.settings.to_dict() | {
            "kpoints": state.recursion.kpoints.tolist(),
            "core_hole": CORE_HOLES[self.settings.core_hole].description,
        }
        label["cpu_s"] = time.process_time() - started
        return SiteRecord(
            alpha=state.recursion.alpha,
            beta=state.recursion.beta,
            norm=state.recursion.norm,
            cell=atoms.cell[:],
            positions=atoms.positions,
            numbers=atoms.numbers,
            site=site,
            label=label,
            densities=densities,
        )

    def _densities(
        self, prepared: PreparedStructure, core_hole: Any, site: int
    ) -> tuple[ProjectedDensity, ...]:
        """Return the projected densities of the chosen atoms in both states, absorber first."""
        if self.projected_density == "none":
            return ()
        atoms = [site]
        if self.projected_density == "neighbours":
            atoms += sorted({int(i) for i in bonded_neighbours(prepared.atoms, site).indices})
        densities = []
        for atom in atoms:
            states = (prepared.calculator, core_hole)
            for calculator in states[: 1 if self.settings.core_hole == "none" else 2]:
                recursion = projected_density_recursion(calculator, atom, self.settings)
                densities.append(
                    ProjectedDensity(
                        atom,
                        calculator is core_hole,
                        recursion.alpha,
                        recursion.beta,
                        recursion.norm,
                    )
                )
        return tuple(densities)


def _labels(
    task: SimulationTask, prepared: PreparedStructure, site: int, state: CoreHoleState
) -> dict[str, Any]:
    """Return the labels (named as in :mod:`hyperspy_coreloss.properties`), energies and origin."""
    atoms, ground, populations = prepared.atoms, prepared.ground, prepared.populations
    return {
        **geometry_labels(atoms, site).to_dict(),
        "mulliken_charge": populations.mulliken_charge(site),
        "bond_overlap_population": populations.bond_overlap_population(atoms, site),
        **_energies(ground, state),
        "structure": task.name,
        "phase": task.phase,
        "population": task.population,
        "source": task.source,
        "licence": task.licence,
        "file": Path(task.path).name,
        "frame": task.frame,
        "strain": task.strain,
        "temperature": task.temperature,
        "seed": task.seed,
        "absorber": task.absorber,
        "edge": f"{task.absorber}_K",
        "site": int(site),
        "multiplicity": _multiplicity(task, site),
        "formula": atoms.get_chemical_formula(),
        "n_atoms": len(atoms),
        "volume": float(atoms.get_volume()),
        "image_distance": image_distance(atoms.cell[:]),
        "population_basis": populations.basis,
        "iterations": state.iterations,
        "versions": code_versions(),
    }


def _energies(ground: GroundState, state: CoreHoleState) -> dict[str, Any]:
    """Return the energies in eV that a cell-size correction of the excitation energy needs."""
    return {
        "e_gs": ground.energy,
        "e_ref_gs": ground.reference_energy,
        "homo_gs": ground.homo,
        "lumo_gs": ground.lumo,
        "e_xch": state.energy,
        "e_ref_xch": state.reference_energy,
        "homo": state.homo,
        "lumo": state.lumo,
        "potentials_gs": np.round(ground.atomic_potentials, 5).tolist(),
        "potentials_xch": np.round(state.atomic_potentials, 5).tolist(),
    }


def _multiplicity(task: SimulationTask, site: int) -> int:
    return dict(zip(task.sites, task.multiplicities, strict=True)).get(site, 1)


def _save_ground_state(
    path: Path,
    atoms: Atoms,
    settings: EngineSettings,
    ground: GroundState,
    populations: Populations,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_arrays(
        path,
        cell=atoms.cell[:],
        positions=atoms.positions,
        energies=np.array([ground.energy, ground.reference_energy, ground.homo, ground.lumo]),
        atomic_potentials=ground.atomic_potentials,
        shared=populations.shared,
        valence=populations.valence,
        basis=np.array(populations.basis),
        settings=np.array(json.dumps(_of_ground_state(settings.to_dict()))),
    )


def _load_ground_state(
    path: Path, atoms: Atoms, settings: EngineSettings
) -> tuple[GroundState, Populations] | None:
    """Return the ground state saved for this supercell and these settings, or None."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            same = saved["positions"].shape == atoms.positions.shape and (
                np.allclose(saved["cell"], atoms.cell[:], atol=1e-8)
                and np.allclose(saved["positions"], atoms.positions, atol=1e-8)
            )
            earlier = _of_ground_state(json.loads(str(saved["settings"])))
            if not same or earlier != _of_ground_state(settings.to_dict()):
                return None
            energy, reference, homo, lumo = (float(value) for value in saved["energies"])
            ground = GroundState(energy, reference, homo, lumo, saved["atomic_potentials"])
            return ground, Populations(saved["shared"], saved["valence"], str(saved["basis"]))
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _of_ground_state(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that a ground state depends on; it may be older than some of them."""
    # Populations were once computed with the functional of the spectra.
    own = {"population_functional": settings["functional"]} | settings
    return {key: value for key, value in own.items() if key != "core_hole"}
