"""GPAW calculations of one supercell: the ground state, and one neutral cell per core hole.

The core-hole cell is neutral (``charge=-1`` with a PAW data set that lacks one 1s electron): the
excited electron is at the bottom of the conduction band. One self-consistent calculation gives both
the spectrum and the excitation energy. The settings may ask for half a core hole or none instead
(:mod:`.core_hole`); these give spectra only.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.provenance import software_versions
from hyperspy_coreloss.simulation.core_hole import (
    CORE_HOLES,
    check_functional,
    ensure_core_hole_setup,
)
from hyperspy_coreloss.simulation.engine_settings import PRECISIONS, EngineSettings
from hyperspy_coreloss.simulation.recursion import (
    PlaneWaveHamiltonian,
    Recursion,
    dipole_amplitudes,
    haydock_recursion,
    projector_amplitudes,
    recursion_kpoints,
)
from hyperspy_coreloss.simulation.warm_start import start_from

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms
    from numpy.typing import NDArray

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class GroundState:
    """Ground state of one supercell.

    Parameters
    ----------
    energy, reference_energy
        Total energy relative to GPAW's reference atoms, and the energy of these atoms, in eV.
        Their sum is the absolute total energy.
    homo, lumo
        Energies of the highest occupied and the lowest empty state at Gamma in eV.
    atomic_potentials
        Electrostatic potential around each atom in eV, shape ``(n_atoms,)``.
    """

    energy: float
    reference_energy: float
    homo: float
    lumo: float
    atomic_potentials: NDArray[np.float64]


@dataclass(frozen=True)
class CoreHoleState:
    """Neutral core-hole cell of one site.

    Parameters
    ----------
    energy, reference_energy, homo, lumo, atomic_potentials
        As in :class:`GroundState`; the excited electron occupies the LUMO.
    iterations
        Number of self-consistency steps.
    recursion
        Recursion coefficients of the absorption spectrum.
    """

    energy: float
    reference_energy: float
    homo: float
    lumo: float
    atomic_potentials: NDArray[np.float64]
    iterations: int
    recursion: Recursion = field(repr=False)


def excitation_energy(ground: GroundState, core_hole: CoreHoleState) -> float:
    """Return the total-energy difference in eV between the core-hole cell and the ground state.

    It is not corrected for the finite cell (:func:`.cell_size_error`) and the finite plane-wave
    basis (:func:`.basis_set_error`), on which it depends. Only with a full core hole is it the
    excitation energy: the total energy of half a hole is that of no state.
    """
    return core_hole.energy + core_hole.reference_energy - ground.energy - ground.reference_energy


def code_versions() -> dict[str, str]:
    """Return the versions of the packages on which a result depends."""
    return software_versions("gpaw", "gpaw-data", "ase", "spglib", "numpy", "hyperspy-coreloss")


def converge_ground_state(atoms: Atoms, settings: EngineSettings) -> Any:
    """Converge the ground state of `atoms` at the Gamma point; return the GPAW calculator.

    Raises
    ------
    SimulationError
        If GPAW has no data sets for the functional, or does not converge.
    """
    check_functional(settings.functional, atoms.symbols)
    calculator = plane_wave_calculator(settings)
    _converge(atoms, calculator, "The ground state")
    return calculator


def ground_state_of(calculator: Any) -> GroundState:
    """Return the energies and potentials of a converged ground state.

    Parameters
    ----------
    calculator
        Calculator of :func:`converge_ground_state`.
    """
    homo, lumo = band_edges(calculator)
    return GroundState(
        energy=float(calculator.get_potential_energy()),
        reference_energy=float(calculator.get_reference_energy()),
        homo=homo,
        lumo=lumo,
        atomic_potentials=np.array(calculator.get_atomic_electrostatic_potentials()),
    )


def converge_core_hole(
    atoms: Atoms,
    site: int,
    settings: EngineSettings,
    setup_folder: Path | None = None,
    ground_state: Any = None,
) -> Any:
    """Converge the neutral cell with the core hole of `settings` at `site`; return the calculator.

    Parameters
    ----------
    atoms
        Supercell.
    site
        Index of the absorbing atom.
    settings
        Numerical settings.
    setup_folder
        Folder of the PAW data sets with a core hole; default: the user's cache folder.
    ground_state
        Calculator of :func:`converge_ground_state`. Starting from its wave functions halves the
        time.

    Raises
    ------
    SimulationError
        If there is no such atom, its core-hole data set cannot be generated, GPAW has no data sets
        for the functional, or it does not converge.
    """
    if not 0 <= site < len(atoms):
        msg = (
            f"The absorbing atom must be one of the {len(atoms)} atoms of the cell, 0 to "
            f"{len(atoms) - 1}; found {site}. Choose a site from absorbing_sites()."
        )
        raise SimulationError(msg)
    check_functional(settings.functional, atoms.symbols)
    hole = CORE_HOLES[settings.core_hole]
    ensure_core_hole_setup(
        atoms[site].symbol, settings.functional, setup_folder, settings.core_hole
    )
    calculator = plane_wave_calculator(
        settings, setups={site: hole.setup_name}, charge=-hole.electrons
    )
    _converge(atoms, calculator, f"The core-hole cell of site {site}", ground_state)
    return calculator


def calculate_core_hole(
    atoms: Atoms,
    site: int,
    settings: EngineSettings,
    setup_folder: Path | None = None,
    ground_state: Any = None,
) -> CoreHoleState:
    """Converge the neutral core-hole cell of `site`, and run the recursion on it.

    Parameters
    ----------
    atoms, site, settings, setup_folder, ground_state
        As in :func:`converge_core_hole`.

    Raises
    ------
    SimulationError
        If GPAW does not converge or the recursion breaks down.
    """
    calculator = converge_core_hole(atoms, site, settings, setup_folder, ground_state)
    return core_hole_state_of(calculator, site, settings)


def core_hole_state_of(calculator: Any, site: int, settings: EngineSettings) -> CoreHoleState:
    """Run the recursion on a converged core-hole cell; return it with the energies of the cell.

    Parameters
    ----------
    calculator
        Calculator of :func:`converge_core_hole`.
    site, settings
        As in :func:`converge_core_hole`.

    Raises
    ------
    SimulationError
        If the recursion breaks down.
    """
    homo, lumo = band_edges(calculator)
    return CoreHoleState(
        energy=float(calculator.get_potential_energy()),
        reference_energy=float(calculator.get_reference_energy()),
        homo=homo,
        lumo=lumo,
        atomic_potentials=np.array(calculator.get_atomic_electrostatic_potentials()),
        iterations=int(calculator.get_number_of_iterations()),
        recursion=absorption_recursion(calculator, site, settings),
    )


def absorption_recursion(
    calculator: Any,
    site: int,
    settings: EngineSettings,
    kpoints: NDArray[np.float64] | None = None,
) -> Recursion:
    """Return the recursion coefficients of the absorption spectrum of `site`.

    Parameters
    ----------
    calculator
        Calculator of :func:`converge_core_hole`.
    site
        Index of the absorbing atom.
    settings
        Numerical settings.
    kpoints
        Fractional k-points, shape ``(k-points, 3)``; default :func:`.recursion_kpoints`.
    """
    return _recursion(calculator, site, dipole_amplitudes(calculator, site), settings, kpoints)


def projected_density_recursion(
    calculator: Any,
    site: int,
    settings: EngineSettings,
    kpoints: NDArray[np.float64] | None = None,
) -> Recursion:
    """Return the recursion coefficients of the p-projected density of states of `site`.

    The calculator may be of the ground state or of the core-hole cell (Kiyohara et al. 2019,
    figure 4). :func:`.spectrum_from_recursion` evaluates the coefficients. The three rows belong
    to the p functions y, z and x.

    Parameters
    ----------
    calculator
        Calculator of :func:`converge_ground_state` or :func:`converge_core_hole`.
    site, settings, kpoints
        As in :func:`absorption_recursion`.
    """
    return _recursion(calculator, site, projector_amplitudes(calculator, site), settings, kpoints)


def _recursion(
    calculator: Any,
    site: int,
    amplitudes: NDArray[np.float64],
    settings: EngineSettings,
    kpoints: NDArray[np.float64] | None,
) -> Recursion:
    if kpoints is None:
        kpoints = recursion_kpoints(calculator.atoms.get_volume())
    coefficients = []
    for kpoint in kpoints:
        hamiltonian = PlaneWaveHamiltonian.from_calculator(
            calculator, kpoint, settings.cutoff, precision=PRECISIONS[settings.precision]
        )
        coefficients.append(haydock_recursion(hamiltonian, site, amplitudes, settings.steps))
    alpha, beta, norm = (np.stack(arrays) for arrays in zip(*coefficients, strict=True))
    return Recursion(alpha, beta, norm, np.asarray(kpoints, dtype=float))


def plane_wave_calculator(settings: EngineSettings, **special: Any) -> Any:
    """Return a new GPAW calculator at Gamma; `special` options override those of `settings`."""
    from gpaw import GPAW, FermiDirac

    options = {
        "legacy_gpaw": True,  # needed for core-hole data sets, and for the Hamiltonian
        "mode": {"name": "pw", "ecut": settings.cutoff},
        "basis": "sz(dzp)",
        "xc": settings.functional,
        "symmetry": "off",
        "nbands": -settings.empty_bands,
        "occupations": FermiDirac(settings.smearing),
        "convergence": {
            "density": settings.density_convergence,
            "eigenstates": settings.eigenstate_convergence,
            "energy": settings.energy_convergence,
            "bands": "occupied",
        },
        "txt": None,
    }
    return GPAW(**{**options, **special})


def _converge(atoms: Atoms, calculator: Any, what: str, start: Any = None) -> None:
    from gpaw import ConvergenceError

    own = atoms.copy()
    own.calc = calculator
    if start is not None:
        start_from(calculator, start, own)
    try:
        energy = float(own.get_potential_energy())
    except ConvergenceError as error:
        msg = (
            f"{what} of {atoms.get_chemical_formula()} must converge; GPAW stopped with "
            f"{error!r}. Check the structure, or use looser criteria in EngineSettings."
        )
        raise SimulationError(msg) from error
    if not np.isfinite(energy):
        msg = (
            f"{what} of {atoms.get_chemical_formula()} must have a finite energy; found "
            f"{energy} eV. Check the structure for overlapping atoms."
        )
        raise SimulationError(msg)


def band_edges(calculator: Any) -> tuple[float, float]:
    """Return the energies of the highest filled band and of the next at Gamma, in eV.

    The core-hole cell has an odd number of electrons; the band of the single, excited electron
    counts as the LUMO, also if only half an electron is in it.
    """
    eigenvalues = calculator.get_eigenvalues()
    filled = round(2 * calculator.wfs.nvalence) // 4
    return float(eigenvalues[filled - 1]), float(eigenvalues[filled])
