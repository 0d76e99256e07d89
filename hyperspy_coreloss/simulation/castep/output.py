"""The CASTEP output file ``.castep``: structure, energies, populations, atomic calculations.

ASE reads the structure, the total energies and the Mulliken charges. This module reads what ASE
does not: atomic calculations, overlap populations, pseudopotentials, and whether the run has
converged.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from ase import Atoms
    from numpy.typing import NDArray

_NUMBER = r"([-+]?\d+\.?\d*(?:[Ee][-+]?\d+)?)"
_UNCONVERGED = "system has not reached the groundstate"


@dataclass(frozen=True)
class BondPopulation:
    """One line of the table of overlap populations.

    Parameters
    ----------
    first, second
        Species label and number within the species of each of the two atoms.
    population
        Overlap population in electrons.
    length
        Bond length in angstrom.
    """

    first: tuple[str, int]
    second: tuple[str, int]
    population: float
    length: float


@dataclass(frozen=True)
class AtomicCalculations:
    """Energies of a free atom of one species, and its pseudopotential.

    Parameters
    ----------
    all_electron, valence
        Energies of the all-electron atom and of the pseudo-atom in eV; None if the run did not
        compute them.
    occupation_1s
        Number of electrons in the 1s shell: 2, or fewer with a core hole.
    pseudopotential
        Name of its file, or the string from which it was generated.
    """

    all_electron: float | None
    valence: float | None
    occupation_1s: float
    pseudopotential: str


@dataclass(frozen=True, eq=False)
class CastepRun:
    """The last calculation in a ``.castep`` file.

    Parameters
    ----------
    path
        The ``.castep`` file.
    version, functional
        Version of CASTEP, and CASTEP's name of the functional.
    cutoff
        Plane-wave cutoff in eV.
    charge
        Net charge of the cell in elementary charges.
    spin_polarised
        Whether the calculation is spin-polarised.
    sampling
        Description of the k-points of the self-consistent calculation in the file.
    atoms
        Last structure, with the atoms in CASTEP's order.
    labels
        Species label of each atom, for example ``"O:exc"``.
    energy
        Total energy of the last structure in eV, extrapolated to zero smearing.
    energy_kind
        CASTEP's name of that energy.
    species
        Atomic calculations by species label.
    mulliken_charges
        Mulliken charges in elementary charges, shape (atoms,); None if they were not printed.
    bonds
        Overlap populations; empty if they were not printed.
    """

    path: Path
    version: str
    functional: str
    cutoff: float
    charge: float
    spin_polarised: bool
    sampling: str
    atoms: Atoms
    labels: tuple[str, ...]
    energy: float
    energy_kind: str
    species: Mapping[str, AtomicCalculations]
    mulliken_charges: NDArray[np.float64] | None
    bonds: tuple[BondPopulation, ...]

    @property
    def core_hole_atoms(self) -> tuple[int, ...]:
        """Indices of the atoms that lack a 1s electron."""
        return tuple(
            index
            for index, label in enumerate(self.labels)
            if self.species[label].occupation_1s < 2
        )

    def species_number(self, index: int) -> int:
        """Return the number of an atom's species in CASTEP's order, from 1."""
        return list(dict.fromkeys(self.labels)).index(self.labels[index]) + 1

    def number_in_species(self, index: int) -> int:
        """Return the number of an atom within its species, from 1."""
        return self.labels[: index + 1].count(self.labels[index])


def read_castep(path: str | Path) -> CastepRun:
    """Read the last calculation in a ``.castep`` file.

    Parameters
    ----------
    path
        The ``.castep`` file. For a geometry optimisation, the last structure and its energy are
        read.

    Raises
    ------
    DatasetError
        If the calculation did not end, its last self-consistency cycle did not converge, or a
        needed entry is missing.
    """
    path = Path(path)
    text = _last_run(path)
    atoms, results = _read_with_ase(path, text)
    energy, kind = _energy(results, path)
    labels = tuple(str(label) for label in atoms.arrays.get("castep_custom_species", atoms.symbols))
    charges = results.get("charges")
    if charges is not None and len(charges) != len(atoms):
        msg = (
            f"{path} must give a Mulliken charge for each of its {len(atoms)} atoms; found "
            f"{len(charges)}. Repair the file or run the calculation again."
        )
        raise DatasetError(msg)
    return CastepRun(
        path=path,
        version=_find(r"CASTEP version\s+([\w.]+)", text) or "unknown",
        functional=_needed(r"using functional\s*:\s*(\S.*?)\s*$", text, "functional", path),
        cutoff=float(
            _needed(rf"plane wave basis set cut-off\s*:\s*{_NUMBER}", text, "cutoff", path)
        ),
        charge=float(_needed(rf"net charge of system\s*:\s*{_NUMBER}", text, "net charge", path)),
        spin_polarised="treating system as spin-polarized" in text,
        sampling=_sampling(text),
        atoms=atoms,
        labels=labels,
        energy=energy,
        energy_kind=kind,
        species={label: _atomic_calculations(label, text) for label in dict.fromkeys(labels)},
        mulliken_charges=charges,
        bonds=_bonds(text),
    )


def _last_run(path: Path) -> str:
    """Return the text of the last run in the file; CASTEP appends runs to one another."""
    if not path.is_file():
        msg = f"A CASTEP output file was expected at {path}; there is none. Check the path."
        raise DatasetError(msg)
    text = path.read_text(encoding="utf-8", errors="replace")
    start = text.rfind("CASTEP version")
    if start < 0:
        msg = f"{path} must be a CASTEP output file, but names no CASTEP version. Check the path."
        raise DatasetError(msg)
    last = text[text.rfind("\n", 0, start) + 1 :]
    # Only the last structure matters: an optimisation may recover from a cycle that failed.
    if _UNCONVERGED in "".join(last.split("Final energy")[-2:]):
        msg = (
            f"The last self-consistency cycle in {path} must converge; CASTEP wrote "
            f"'{_UNCONVERGED}'. Run it again with more cycles."
        )
        raise DatasetError(msg)
    if "Finalisation time" not in last:
        msg = (
            f"The calculation in {path} must have ended; the file has no 'Finalisation time'. Run "
            "it again."
        )
        raise DatasetError(msg)
    return last


def _read_with_ase(path: Path, text: str) -> tuple[Atoms, dict[str, Any]]:
    from ase.io import ParseError
    from ase.io.castep import read_castep_castep

    file = StringIO(text)
    file.name = str(path)  # ASE's error messages contain it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ASE repeats every line with "warn" in it
            atoms = read_castep_castep(file)
    except (ParseError, LookupError, ValueError, TypeError, AttributeError, NameError) as error:
        msg = (
            f"{path} must be readable for ASE; ASE stopped with {type(error).__name__}: {error}. "
            "Check that the file is complete, or update ASE."
        )
        raise DatasetError(msg) from error
    return atoms, atoms.calc.results


def _energy(results: Mapping[str, Any], path: Path) -> tuple[float, str]:
    """Return the total energy extrapolated to zero smearing, and CASTEP's name of it.

    Corrections for basis set and dispersion are not included. They are the same with and without a
    core hole, and are not always printed.
    """
    for key, kind in (
        ("energy_zero_without_dispersion_correction", "NB est. 0K energy (E-0.5TS)"),
        ("energy_without_dispersion_correction", "Final energy, E"),
    ):
        if key in results:
            return float(results[key]), kind
    msg = f"{path} must give a final energy; found none. Run the calculation again."
    raise DatasetError(msg)


def _atomic_calculations(label: str, text: str) -> AtomicCalculations:
    name = re.escape(label)
    converged = r"\s+Converged in\s+\d+ iterations to "
    all_electron = re.search(
        rf"^\s*Atomic calculation performed for {name}: +(.*)$"
        rf"{converged}an ae energy of\s+{_NUMBER} eV",
        text,
        re.MULTILINE,
    )
    valence = _find(
        rf"^\s*Pseudo atomic calculation performed for {name} .*$"
        rf"{converged}a total energy of\s+{_NUMBER} eV",
        text,
    )
    files = _find(r"Files used for pseudopotentials:\n((?:.*\S.*\n)*)", text) or ""
    potential = _find(rf"^\s*{name}\s+(\S+)\s*$", files) or "unknown"
    configuration = all_electron.group(1) if all_electron else potential.partition("{")[2]
    occupation = _find(rf"\b1s{_NUMBER}", configuration)
    return AtomicCalculations(
        all_electron=float(all_electron.group(2)) if all_electron else None,
        valence=float(valence) if valence else None,
        occupation_1s=float(occupation) if occupation else 2.0,
        pseudopotential=potential,
    )


def _bonds(text: str) -> tuple[BondPopulation, ...]:
    tables = re.split(r"^\s*Bond\s+Population.*Length.*$", text, flags=re.MULTILINE)
    if len(tables) == 1:
        return ()
    atom = r"(\S+)\s+(\d+)"
    # With spin, the population is followed by its spin.
    line = rf"^\s*{atom}\s+--\s+{atom}\s+{_NUMBER}\s+(?:{_NUMBER}\s+)?{_NUMBER}\s*$"
    return tuple(
        BondPopulation(
            (match[1], int(match[2])), (match[3], int(match[4])), float(match[5]), float(match[7])
        )
        for match in re.finditer(line, tables[-1], re.MULTILINE)
    )


def _sampling(text: str) -> str:
    grid = _find(r"MP grid size for SCF calculation is\s+(\d+\s+\d+\s+\d+)", text)
    offset = _find(r"with an offset of\s+(\S+\s+\S+\s+\S+)", text)
    if grid:
        return " ".join(grid.split()) + " offset " + " ".join((offset or "unknown").split())
    return (_find(r"Number of kpoints used\s*=\s*(\d+)", text) or "unknown number of") + " k-points"


def _find(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.MULTILINE)
    return match.group(1) if match else None


def _needed(pattern: str, text: str, what: str, path: Path) -> str:
    value = _find(pattern, text)
    if value is None:
        msg = f"{path} must state the {what}; it does not. Use CASTEP's default output verbosity."
        raise DatasetError(msg)
    return value
