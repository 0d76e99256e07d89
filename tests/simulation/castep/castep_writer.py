"""Write small CASTEP and OptaDOS files, in the documented layout and of known content.

The numbers are made up. The layout of the text follows CASTEP 20; the binary files follow what
OptaDOS reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

HARTREE = 27.211386245981


@dataclass
class Run:
    """A CASTEP calculation to write; the numbers of its defaults are those of a ground state."""

    atoms: Any
    labels: list[str]
    energies: tuple[float, ...] = (-1000.0,)
    entropy: float | None = 0.04
    charge: float = 0.0
    spin: bool = False
    functional: str = "Perdew Burke Ernzerhof"
    cutoff: float = 500.0
    grid: str = "2  2  2"
    version: str = "20.1"
    all_electron: dict[str, float] = field(default_factory=dict)
    valence: dict[str, float] = field(default_factory=dict)
    holes: dict[str, str] = field(default_factory=dict)
    charges: list[float] | None = None
    bonds: list[tuple[str, int, str, int, float, float]] = field(default_factory=list)
    unconverged: bool = False
    ended: bool = True

    def text(self):
        parts = [self._banner(), self._atomic(), self._parameters()]
        for step, energy in enumerate(self.energies):
            if step:
                parts.append(f" BFGS: improving iteration {step} with line minimization\n")
            parts += [self._cell(), self._scf(energy, step == len(self.energies) - 1)]
        parts += [self._pseudo(), self._populations(), self._end()]
        return "".join(parts)

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text(), encoding="utf-8")
        return path

    def _species(self):
        return list(dict.fromkeys(self.labels))

    def _banner(self):
        return (
            " +-------------------------------------------------+\n"
            f" | Welcome to Academic Release CASTEP version {self.version:<5}|\n"
            " | Ab Initio Total Energy Program                  |\n"
            " +-------------------------------------------------+\n \n"
            " Run started: Wed, 16 Nov 2022 12:56:34 +0000\n \n"
        )

    def _shells(self, label, all_electron):
        core = self.holes.get(label, "1s2")
        outer = {"O": "2s2 2p4", "Si": "3s2 3p2"}[label.split(":")[0]]
        inner = {"O": core, "Si": f"{core} 2s2 2p6"}[label.split(":")[0]]
        return f"{inner} {outer}" if all_electron else outer

    def _atomic(self):
        return (
            "".join(
                f" Atomic calculation performed for {label}: {self._shells(label, True)}\n \n"
                f" Converged in 65 iterations to an ae energy of {energy:.3f} eV\n \n"
                "   ============================================================\n"
                for label, energy in self.all_electron.items()
            )
            + self._pseudo()
        )

    def _pseudo(self):
        return "".join(
            f" Pseudo atomic calculation performed for {label} {self._shells(label, False)}\n \n"
            f" Converged in 14 iterations to a total energy of {energy:.4f} eV\n \n"
            for label, energy in self.valence.items()
        )

    def _parameters(self):
        polarised = "spin-polarized" if self.spin else "non-spin-polarized"
        return (
            f" {'*' * 36} Title {'*' * 36}\n \n\n"
            f" {'*' * 29} General Parameters {'*' * 30}\n  \n"
            " output verbosity                               : normal  (1)\n"
            " type of calculation                            : single point energy\n"
            " *********************** Exchange-Correlation Parameters ***********************\n  \n"
            f" using functional                               : {self.functional}\n"
            " DFT+D: Semi-empirical dispersion correction    : off\n\n"
            f" plane wave basis set cut-off                   :   {self.cutoff:.4f}   eV\n"
            " finite basis set correction                    : none\n\n"
            " number of  electrons                           :  58.00    \n"
            f" net charge of system                           : {self.charge:+.3f}    \n"
            f" treating system as {polarised}\n"
            " *******************************************************************************\n  \n"
        )

    def _cell(self):
        reciprocal = 2 * np.pi * self.atoms.cell.reciprocal()[:]
        vectors = "".join(
            " " + "".join(f"{x:14.7f}" for x in real) + "     "
            + "".join(f"{x:12.9f} " for x in inverse) + "\n"
            for real, inverse in zip(self.atoms.cell[:], reciprocal, strict=True)
        )  # fmt: skip
        border = "            " + "x" * 60 + "\n"
        counts = dict.fromkeys(self.labels, 0)
        rows = ""
        for label, place in zip(self.labels, self.atoms.get_scaled_positions(), strict=True):
            counts[label] += 1
            numbers = "   ".join(f"{x:.6f}" for x in place)
            rows += f"            x  {label:<8}{counts[label]:>6}         {numbers}   x \n"
        potentials = "".join(
            f"                                    {label} 2|1.1|14|16|18|20:21(qc=7)"
            + (f"{{{self.holes[label]}}}" if label in self.holes else "") + "\n"
            for label in self._species()
        )  # fmt: skip
        return (
            "                                      Unit Cell\n"
            "        Real Lattice(A)                      Reciprocal Lattice(1/A)\n"
            f"{vectors} \n"
            "                                     Cell Contents\n"
            f"                         Total number of ions in cell =   {len(self.atoms)}\n"
            f"                      Total number of species in cell =    {len(counts)}\n"
            "                        Max number of any one species =    4\n \n"
            f"{border}            x  Element    Atom        Fractional coordinates of atoms  x\n"
            "            x            Number           u          v          w      x\n"
            f"            x{'-' * 58}x\n{rows}{border} \n"
            f"                          Files used for pseudopotentials:\n{potentials} \n"
            f"                       MP grid size for SCF calculation is  {self.grid}\n"
            "                            with an offset of   0.000  0.000  0.000\n"
            "                       Number of kpoints used =             4\n \n"
        )

    def _scf(self, energy, last):
        if self.unconverged and last:
            return (
                " *Warning* max. SCF cycles performed but system has not reached the groundstate.\n"
                f"Current energy, E             =  {energy:.8f}     eV\n \n"
            )
        if self.entropy is None:
            return f"Final energy, E             =  {energy:.8f}     eV\n \n"
        return (
            f"Final energy, E             =  {energy + self.entropy / 2:.8f}     eV\n"
            f"Final free energy (E-TS)    =  {energy - self.entropy / 2:.8f}     eV\n"
            "(energies not corrected for finite basis set)\n \n"
            f"NB est. 0K energy (E-0.5TS)      =  {energy:.8f}     eV\n \n"
        )

    def _populations(self):
        if self.charges is None:
            return ""
        counts = dict.fromkeys(self.labels, 0)
        rows = ""
        for label, charge in zip(self.labels, self.charges, strict=True):
            counts[label] += 1
            shells = "     1.00   2.00   0.00   0.00   3.00    "
            rows += f"  {label:<8}{counts[label]:>9}{shells}{charge:5.2f}\n"
        bonds = "".join(
            f"          {one:>5} {i} -- {other:<5} {j}"
            f"                  {population:5.2f}        {length:.5f}\n"
            for one, i, other, j, population, length in self.bonds
        )
        return (
            "     Atomic Populations (Mulliken)\n     -----------------------------\n"
            "Species          Ion     s      p      d      f     Total  Charge (e)\n"
            f"{'=' * 69}\n{rows}{'=' * 69}\n \n"
            "                 Bond                   Population      Length (A)\n"
            f"{'=' * 70}\n{bonds}{'=' * 70}\n \n"
        )

    def _end(self):
        if not self.ended:
            return ""
        return (
            "Initialisation time =     17.28 s\nCalculation time    =      9.66 s\n"
            "Finalisation time   =      0.03 s\nTotal time          =     26.97 s\n"
        )


def write_bands(path, energies, weights, electrons):
    """Write energies (spins, k-points, bands) in eV; rows of one spin may be shorter."""
    spins = len(energies)
    plural = ("Fermi energies" if spins == 2 else "Fermi energy") + " (in atomic units)"
    lines = [
        f"Number of k-points {len(weights):5d}",
        f"Number of spin components {spins}",
        "Number of electrons " + " ".join(f"{count:9.4g}" for count in electrons),
        "Number of eigenvalues " + " ".join(f"{len(spin[0]):6d}" for spin in energies),
        f"{plural} " + " ".join(f"{0.1:12.6f}" for _ in energies),
        "Unit cell vectors",
        *["    9.000000    0.000000    0.000000"] * 3,
    ]
    for index, weight in enumerate(weights):
        lines.append(f"K-point {index + 1:5d}  0.25000000  0.25000000  0.25000000 {weight:12.8f}")
        for number, spin in enumerate(energies):
            lines.append(f"Spin component {number + 1}")
            lines += [f"{value / HARTREE:14.8f}" for value in spin[index]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def record(*arrays, order=">"):
    """Return one Fortran sequential record."""
    data = b"".join(np.asarray(array).tobytes() for array in arrays)
    marker = np.array(len(data), dtype=f"{order}u4").tobytes()
    return marker + data + marker


def matrix_bytes(orbitals, elements, legacy=True, order=">", band_counts=None):
    """Return the bytes of an ``.eels_mat`` (or, not `legacy`, an ``.elnes_bin``) file.

    `orbitals` are (species, ion, shell, channel); `elements` are (k-points, spins, orbitals,
    bands, 3).
    """
    points, spins, count, bands, _ = elements.shape
    integer = f"{order}i4"
    parts = []
    if not legacy:
        parts.append(record(np.array(1.0, dtype=f"{order}f8"), order=order))
        parts.append(record(b"a test".ljust(80), order=order))
    for number in (count, bands, points, spins):
        parts.append(record(np.array(number, dtype=integer), order=order))
    parts += [record(np.array(column, dtype=integer), order=order) for column in zip(*orbitals)]  # noqa: B905
    values = elements.astype(f"{order}c16")
    for point in range(points):
        for spin in range(spins):
            here = values[point, spin]
            if legacy:
                rows = here.reshape(count * bands, 3)
                parts += [record(row, order=order) for row in rows]
            else:
                limit = (band_counts or [bands] * spins)[spin]
                parts.append(record(here[:, :limit].ravel(order="F"), order=order))
    return b"".join(parts)


def core_edge_text(edges, fwhm=None):
    """Return a ``_core_edge.dat`` file; `edges` maps headers to tables of columns."""
    lines = [" #" + "*" * 45, " #            Core loss function               ", " #"]
    if fwhm is not None:
        lines.append(f" # Gaussian broadening: FWHM   {fwhm:.16f}")
        lines.append(" # Lorentzian broadening included")
    lines.append(" #")
    for header, table in edges.items():
        lines.append(f" # {header}")
        lines += ["   " + "   ".join(f"{value:.13E}" for value in row) for row in table]
        lines.append(" ")
    return "\n".join(lines) + "\n"


def optados_output(shifted, fermi, broadening="adaptive", width=0.3):
    """Return the lines of an ``.odo`` file that matter."""
    method = broadening.capitalize()
    smearing = (
        f" |  {method} Width Smearing                   :  True                         |\n"
        f" |  Smearing Width                            : {width:10.5f}                    |\n"
    )
    return (
        f"{smearing}"
        f" |  Shift energy scale so fermi_energy=0      :  {shifted!s:<29}|\n"
        " |  Fermi energy                              : -990.00000                    |\n"
        f" |         Fermi energy (Adaptive broadening) : {fermi + 1:8.4f} eV            <- EfA |\n"
        f" |                      Fermi energy from DOS : {fermi:8.4f} eV            <- EfD |\n"
    )
