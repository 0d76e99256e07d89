"""Settings of the GPAW calculations: numerics and theory."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.core_hole import CORE_HOLES

#: Complex types of the recursion's vectors, by the name of their precision.
PRECISIONS = {"single": np.complex64, "double": np.complex128}


@dataclass(frozen=True)
class EngineSettings:
    """Numerical settings of all calculations; they are stored with each result.

    Parameters
    ----------
    cutoff
        Plane-wave cutoff in eV. A cutoff of 300 eV visibly distorts the main peak of O-K. Spectra
        at 400 and 520 eV have a cosine of at least 0.9990. The excitation energy is 1.21 to
        1.23 eV higher at 400 than at 520 eV (``benchmarks/simulation_convergence.py``);
        :func:`.basis_set_error` corrects it.
    functional
        Exchange-correlation functional of the ground state, the core-hole cell and its PAW data
        set: an LDA or a GGA for which GPAW has PAW data sets (PBE, LDA, RPBE, revPBE).
    smearing
        Width of the Fermi-Dirac occupations in eV.
    steps
        Recursion steps. Spectra of 250 and 500 steps have a cosine of at least 0.99999
        (``benchmarks/simulation_convergence.py``).
    precision
        Precision of the recursion's vectors, "single" or "double". Single precision takes half
        the time; its vectors lose orthogonality sooner, which acts like a smaller number of steps.
    empty_bands
        Number of bands above the occupied ones in the self-consistent calculations.
    density_convergence, eigenstate_convergence, energy_convergence
        GPAW's convergence criteria in electrons, eV**2 and eV, each per valence electron.
    population_basis
        LCAO basis of the Mulliken analysis; the populations depend on it.
    population_grid
        Grid spacing of the LCAO calculation in angstrom.
    population_functional
        Functional of the LCAO calculation. It does not follow `functional`, so that populations
        are the same labels whatever the theory of the spectra.
    core_hole
        Theory of the core hole: ``"full"``, ``"half"`` (Slater's transition state) or ``"none"``
        (the ground state), each in a neutral cell (:mod:`.core_hole`). ``"full-harder"`` is the
        full core hole in a harder PAW data set, to test the usual one. The excitation energy is
        known for the full hole only.
    """

    cutoff: float = 400.0
    functional: str = "PBE"
    smearing: float = 0.05
    steps: int = 250
    precision: str = "single"
    empty_bands: int = 8
    density_convergence: float = 2e-3
    eigenstate_convergence: float = 1e-4
    energy_convergence: float = 1e-3
    population_basis: str = "sz(dzp)"
    population_grid: float = 0.2
    population_functional: str = "PBE"
    core_hole: str = "full"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            msg = (
                f"The precision of the recursion must be {' or '.join(PRECISIONS)}; "
                f"{self.precision!r} was given."
            )
            raise SimulationError(msg)
        if self.core_hole not in CORE_HOLES:
            msg = f"The core hole must be {', '.join(CORE_HOLES)}; {self.core_hole!r} was given."
            raise SimulationError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dictionary."""
        return asdict(self)
