"""Core-loss spectra that OptaDOS has broadened: ``_core_edge.dat`` and its ``.odo``.

The layouts are those that OptaDOS writes (``core.f90``, ``dos_utils.f90``, ``parameters.f90``;
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
        Of the atom: symbol, number within its species, species label (empty without one).
    edge
        Name of the edge, for example ``"K1"``.
    energy, intensity
        On the energy scale of the file, in eV; shape (samples,). Spins are added.
    sigma
        Standard deviation of the instrumental Gaussian in eV, 0 where the file names none.
    lifetime
        Lines of the file's header that tell the Lorentzian broadening.
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
    """What must be known of a run of OptaDOS to read the energies of its spectra.

    Parameters
    ----------
    shifted_to_fermi
        Whether the Fermi energy was subtracted from the energies.
    fermi
        The Fermi energy that OptaDOS used, in eV; None where it did not print one.
    chemical_shift
        Energy in eV that the lowest empty state was moved to, or None.
    smearing
        Standard deviation of the Gaussian of a fixed-width density of states in eV; 0 with
        adaptive or linear broadening, whose width follows the bands and stands for finer k-points.
    broadening
        ``"fixed"``, ``"adaptive"`` or ``"linear"``.
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
            The same on CASTEP's scale, from the ``.bands`` file.
        """
        if self.chemical_shift is not None:
            return self.chemical_shift
        if not self.shifted_to_fermi:
            return of_bands
        if self.fermi is None:
            msg = (
                "OptaDOS subtracted its Fermi energy but did not print it. Run OptaDOS again, or "
                "state lowest_empty."
            )
            raise DatasetError(msg)
        return of_bands - self.fermi


def read_core_edges(path: str | Path) -> tuple[OptadosEdge, ...]:
    """Read all edges of a ``_core_edge.dat`` file; the broadened column where there is one.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    DatasetError
        If the file is not whole.
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
                msg = f"Line {number} of {path} must hold numbers; found {words!r}."
                raise DatasetError(msg) from error
    if not blocks:
        msg = f"{path} must name at least one edge ('# O 1 K1'); found none. Check the path."
        raise DatasetError(msg)
    sigma = _gaussian_sigma(remarks)
    lifetime = tuple(remark for remark in remarks if remark.startswith("Lorentzian"))
    return tuple(_edge(match, rows, sigma, lifetime, path) for match, rows in blocks)


def read_optados_settings(output: str | Path) -> OptadosSettings:
    """Read an ``.odo`` file, and the ``.odi`` beside it for a chemical shift.

    Parameters
    ----------
    output
        The ``.odo`` file.

    Raises
    ------
    DatasetError
        If the file does not tell whether the energies were shifted.
    """
    output = Path(output)
    text = output.read_text(encoding="utf-8", errors="replace")
    shifted = re.search(r"Shift energy scale so fermi_energy=0\s*:\s*(True|False)", text)
    if not shifted:
        msg = (
            f"{output} must tell whether energies were shifted to the Fermi energy; it does not. "
            "Give the whole .odo file of the core-loss run, or state lowest_empty."
        )
        raise DatasetError(msg)
    fermi = _FERMI.findall(text)
    kinds = re.findall(r"(Fixed|Adaptive) Width Smearing|(Linear) Extrapolation", text)
    # OptaDOS uses the most elaborate of the methods that are switched on.
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
    """Put an edge on the scale of computed sites: energies from the lowest empty state.

    Parameters
    ----------
    edge
        Edge of :func:`read_core_edges`.
    lowest_empty
        Energy of the lowest empty state on the scale of the file, in eV.
    smearing
        Standard deviation of the Gaussian of the density of states in eV; added in quadrature.
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
    # Energy, then one or three (up, down, sum) columns, then as many that are broadened.
    if len(columns) != 1 or not columns <= {2, 3, 4, 7}:
        msg = (
            f"Each edge in {path} needs rows of 2, 3, 4 or 7 columns; {match[0]!r} has rows of "
            f"{', '.join(str(count) for count in sorted(columns)) or 'none'}. Run OptaDOS again."
        )
        raise DatasetError(msg)
    table = np.array(rows)
    count = columns.pop()
    # The sum is not read: with several orbitals, OptaDOS adds the spins into it repeatedly.
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
    """Read a number that Fortran has written, also without the E of a three-digit exponent."""
    return float(re.sub(r"(?<=\d)([-+]\d{3})$", r"E\1", word.replace("D", "E").replace("d", "E")))
