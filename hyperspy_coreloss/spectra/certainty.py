"""How well the energies of a measurement are known."""

from __future__ import annotations

from dataclasses import dataclass

#: Relative standard error of the dispersion of an instrument that nobody has calibrated.
USUAL_DISPERSION_ERROR = 0.01


@dataclass(frozen=True, slots=True)
class AxisCertainty:
    """How well the energies of a measurement are known.

    Parameters
    ----------
    energy_error
        Standard error in eV of the threshold on the scale of the computed energies; None if the
        energy zero is not known.
    dispersion_error
        Relative standard error of the dispersion.
    resolution_known
        Whether the energy resolution is known. If it is not, spectra are broadened as if the
        measurement had not broadened them.
    """

    energy_error: float | None = None
    dispersion_error: float = USUAL_DISPERSION_ERROR
    resolution_known: bool = True
