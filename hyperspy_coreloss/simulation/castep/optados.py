"""Core-loss spectra broadened by OptaDOS: ``_core_edge.dat`` and ``.odo`` files.

The layouts follow the source of OptaDOS (``core.f90``, ``dos_utils.f90``, ``parameters.f90``;
A. J. Morris et al., Comput. Phys. Commun. 185 (2014) 1477).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))
_EDGE = re.compile(r"^([A-Z][a-z]?)\s+(\d+)\s+([K-P]\d[\d,]*)\s*(\S*)$")
_FERMI = re.compile(
    r"(?:Fermi energy from DOS|Fermi energy assuming insulator|Fermi energy from user"
    r"|Set fermi energy from file)\s*:\s*(-?\d+\.\d+)\s*eV",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class OptadosEdge:
    """One edge of one atom in a ``_core_edge.dat`` file.

    Parameters
    ----------
    element, ion, label
        Chemical symbol of the atom, its number within the species, and the species label (empty
        if there is none).
    edge
        Name of the edge, for example ``"K1"``.
    energy, intensity
        Energies in eV on the scale of the file, and intensities summed over spins; shape
        (samples,).
    sigma
        Standard deviation of the instrumental Gaussian in eV; 0 if the file gives none.
    lifetime
        Header lines of the file that describe the Lorentzian broadening.
    """

    element: str
    ion: int
    label: str
    edge: str
    energy: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: float
    lifetime: tuple[str, ...]


@dataclass(frozen=True)
class OptadosSettings:
    """Settings of an OptaDOS run that define the energy scale and broadening of its spectra.

    Parameters
    ----------
    shifted_to_fermi
        Whether the Fermi energy was subtracted from the energies.
    fermi
        Fermi energy that OptaDOS used, in eV; None if it was not printed.
    chemical_shift
        Energy in eV to which the lowest empty state was shifted, or None.
    smearing
        Standard deviation in eV of the Gaussian of a fixed-width density of states. It is 0 for
        adaptive and linear broadening, whose width follows the bands and replaces finer k-points.
    broadening
        ``"fixed"``, ``"adaptive"`` or ``"linear"``; ``"unknown"`` if the file names none.
    """

    shifted_to_fermi: bool
    fermi: float | None
    chemical_shift: float | None
    smearing: float
    broadening: str

    def lowest_empty(self, of_bands: float) -> float:
        """Return the energy of the lowest empty state on the scale of the spectra, in eV.

        Parameters
        ----------
        of_bands
            Energy of the lowest empty state on CASTEP's scale in eV, from the ``.bands`` file.

        Raises
        ------
        DatasetError
            If the Fermi energy that was subtracted is not in the ``.odo`` file.
        """
        if self.chemical_shift is not None:
            return self.chemical_shift
        if not self.shifted_to_fermi:
            return of_bands
        if self.fermi is None:
            msg = (
                "The .odo file must contain the Fermi energy that OptaDOS subtracted; it does not. "
                "Run OptaDOS again, or state lowest_empty."
            )
            raise DatasetError(msg)
        return of_bands - self.fermi


def read_core_edges(path: str | Path) -> tuple[OptadosEdge, ...]:
    """Read all edges of a ``_core_edge.dat`` file, broadened if the file has broadened columns.

    Parameters
    ----------
    path
        The ``_core_edge.dat`` file.

    Raises
    ------
    DatasetError
        If the file is incomplete or contains no edge.
    """
    path = Path(path)
    remarks: list[str] = []
    blocks: list[tuple[re.Match[str], list[list[float]]]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.strip()
        if words.startswith("#"):
            words = words.lstrip("#").strip()
            if match := _EDGE.match(words):
                blocks.append((match, []))
            else:
                remarks.append(words)
        elif words and blocks:
            try:
                blocks[-1][1].append([_fortran_float(word) for word in words.split()])
            except ValueError as error:
                msg = (
                    f"Line {number} of {path} must hold numbers; found {words!r}. Run OptaDOS "
                    "again."
                )
                raise DatasetError(msg) from error
    if not blocks:
        msg = f"{path} must name at least one edge ('# O 1 K1'); found none. Check the path."
        raise DatasetError(msg)
    sigma = _gaussian_sigma(remarks)
    lifetime = tuple(remark for remark in remarks if remark.startswith("Lorentzian"))
    return tuple(_edge(match, rows, sigma, lifetime, path) for match, rows in blocks)


def read_optados_settings(output: str | Path) -> OptadosSettings:
    """Read the settings in an ``.odo`` file, and a chemical shift in the ``.odi`` file beside it.

    Parameters
    ----------
    output
        The ``.odo`` file.

    Raises
    ------
    DatasetError
        If the file does not state whether the energies were shifted.
    """
    output = Path(output)
    text = output.read_text(encoding="utf-8", errors="replace")
    shifted = re.search(r"Shift energy scale so fermi_energy=0\s*:\s*(True|False)", text)
    if not shifted:
        msg = (
            f"{output} must state whether energies were shifted to the Fermi energy; it does not. "
            "Give the complete .odo file of the core-loss run, or state lowest_empty."
        )
        raise DatasetError(msg)
    fermi = _FERMI.findall(text)
    kinds = re.findall(r"(Fixed|Adaptive) Width Smearing|(Linear) Extrapolation", text)
    # OptaDOS uses the most elaborate of the methods that are enabled.
    names = [(one or other).lower() for one, other in kinds]
    broadening = next((n for n in ("linear", "adaptive", "fixed") if n in names), "unknown")
    width = re.search(r"Smearing Width\s*:\s*(\d+\.\d+)", text)
    return OptadosSettings(
        shifted_to_fermi=shifted.group(1) == "True",
        fermi=float(fermi[-1]) if fermi else None,
        chemical_shift=_chemical_shift(output.with_suffix(".odi")),
        smearing=float(width.group(1)) if width and broadening == "fixed" else 0.0,
        broadening=broadening,
    )


def sampled_spectrum(
    edge: OptadosEdge, lowest_empty: float, smearing: float = 0.0
) -> SampledSpectrum:
    """Return an edge with energies counted from the lowest empty state.

    Parameters
    ----------
    edge
        Edge of :func:`read_core_edges`.
    lowest_empty
        Energy of the lowest empty state on the scale of the file, in eV.
    smearing
        Standard deviation in eV of the Gaussian of the density of states. It is added in
        quadrature to that of the edge.
    """
    sigma = math.hypot(edge.sigma, smearing)
    return SampledSpectrum(edge.energy - lowest_empty, edge.intensity, sigma)


def _edge(
    match: re.Match[str],
    rows: list[list[float]],
    sigma: float,
    lifetime: tuple[str, ...],
    path: Path,
) -> OptadosEdge:
    columns = {len(row) for row in rows}
    # Energy, one or three (up, down, sum) columns, and perhaps as many broadened ones.
    if len(columns) != 1 or not columns <= {2, 3, 4, 7}:
        msg = (
            f"Each edge in {path} needs rows of 2, 3, 4 or 7 columns; {match[0]!r} has rows of "
            f"{', '.join(str(count) for count in sorted(columns)) or 'none'}. Run OptaDOS again."
        )
        raise DatasetError(msg)
    table = np.array(rows)
    count = columns.pop()
    # The sum is not read: with several orbitals, OptaDOS adds the spins to it repeatedly.
    intensity = {2: [1], 3: [2], 4: [1, 2], 7: [4, 5]}[count]
    return OptadosEdge(
        element=match[1],
        ion=int(match[2]),
        label=match[4].rpartition(":")[2],
        edge=match[3],
        energy=table[:, 0],
        intensity=table[:, intensity].sum(axis=1),
        sigma=sigma if count in (3, 7) else 0.0,
        lifetime=lifetime,
    )


def _gaussian_sigma(remarks: list[str]) -> float:
    for remark in remarks:
        if match := re.match(r"Gaussian broadening: FWHM\s+(\S+)", remark):
            return _fortran_float(match[1]) / _FWHM_PER_SIGMA
    return 0.0


def _chemical_shift(path: Path) -> float | None:
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    match = re.search(
        r"^\s*core_chemical_shift\s*[:=\s]\s*(\S+)", text, re.IGNORECASE | re.MULTILINE
    )
    return _fortran_float(match[1]) if match else None


def _fortran_float(word: str) -> float:
    """Read a number written by Fortran, which omits the E before a three-digit exponent."""
    return float(re.sub(r"(?<=\d)([-+]\d{3})$", r"E\1", word.replace("D", "E").replace("d", "E")))
