"""What is known of a measurement beside the spectrum, as inputs of a network.

A network reads the energy of the threshold if the axis is calibrated, the thickness if there is a
low-loss spectrum, whether the resolution is known, and how well the dispersion is. Each comes with
its uncertainty, or is switched off: one network serves all users.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.certainty import USUAL_DISPERSION_ERROR, AxisCertainty

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: Number of auxiliary inputs.
N_AUXILIARY = 7
#: Name of the array with the weights of the direct connection from the auxiliary inputs, which are
#: the last ones, to the outputs of a network.
DIRECT = "direct.weight"
#: Ranges of the standard errors that networks are trained on: of the energy in eV, and of the
#: dispersion.
ENERGY_ERRORS, DISPERSION_ERRORS = (0.05, 0.5), (0.001, 0.03)
# Energies are read as distances from a usual threshold, in units of how far thresholds of one edge
# lie apart: otherwise their differences are lost beside the step from an energy that is not known.
# Thresholds lie about 2 eV above the lowest empty state, whose energy is the excitation energy.
_ENERGY_SCALE, _ABOVE = 0.5, 2.0
# Error in eV with which an energy tells as much as the spectrum: larger errors shrink the energies
# that are read, so that a network need not learn how much of them to believe.
_HALF_BELIEVED = 0.3
# The standard errors at which logarithms are zero.
_REFERENCE_ERROR = 0.1


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is known of the measurement of each spectrum.

    Parameters
    ----------
    energy
        Energy of the threshold on a calibrated axis in eV, shape (spectra,); NaN if it is not
        known.
    energy_error
        Standard error of this energy in eV, a number or shape (spectra,).
    relative_thickness
        Thickness divided by the inelastic mean free path, shape (spectra,); NaN if it is not known.
    dispersion_error
        Relative standard error of the dispersion, a number or shape (spectra,).
    resolution_known
        Whether the energy resolution is known. If it is not, the spectra have been broadened as if
        the measurement had not broadened them.
    """

    energy: NDArray[np.floating]
    energy_error: ArrayLike
    relative_thickness: NDArray[np.floating]
    dispersion_error: ArrayLike = USUAL_DISPERSION_ERROR
    resolution_known: bool = True


def unknown_conditions(spectra: int) -> Conditions:
    """Return the conditions of spectra of which nothing is known but the spectra.

    Parameters
    ----------
    spectra
        Number of spectra.
    """
    unknown = np.full(spectra, np.nan)
    return Conditions(unknown, _REFERENCE_ERROR, unknown)


def measured_conditions(
    certainty: AxisCertainty,
    threshold: NDArray[np.floating],
    relative_thickness: NDArray[np.floating],
) -> Conditions:
    """Return the conditions of spectra on one energy axis.

    Parameters
    ----------
    certainty
        How well the energies are known.
    threshold
        Energy of the threshold of each spectrum on the scale of the computed energies in eV, shape
        (spectra,). It is not used if the energy zero is not known.
    relative_thickness
        Thickness divided by the inelastic mean free path, shape (spectra,); NaN if it is not known.
    """
    error = certainty.energy_error
    return Conditions(
        energy=np.full(len(threshold), np.nan) if error is None else threshold,
        energy_error=_REFERENCE_ERROR if error is None else error,
        relative_thickness=relative_thickness,
        dispersion_error=certainty.dispersion_error,
        resolution_known=certainty.resolution_known,
    )


def usual_threshold(excitation_energies: NDArray[np.floating]) -> float:
    """Return the energy in eV from which networks count the energies of thresholds.

    Parameters
    ----------
    excitation_energies
        Those of the training, or the lowest and the highest of them, in eV, shape (sites,).
    """
    lowest, highest = np.min(excitation_energies), np.max(excitation_energies)
    return float((lowest + highest) / 2) + _ABOVE


def auxiliary_inputs(conditions: Conditions, usual: float) -> NDArray[np.float32]:
    """Return the inputs of a network that tell what is known beside the spectrum.

    Standard errors beyond the ranges that networks are trained on are taken as the nearest end of
    the range. The larger the error of an energy, the more it is read like one that is not known.

    Parameters
    ----------
    conditions
        What is known of each spectrum.
    usual
        Energy in eV that is read as zero, from :func:`usual_threshold`.

    Returns
    -------
    ndarray
        Shape (spectra, :data:`N_AUXILIARY`): how far the energy is known, from 0 for not to 1 for
        exactly; the energy, shrunk by this factor; its error; whether the thickness is known, the
        thickness; the error of the dispersion; whether the resolution is known.
    """
    known_energy = np.isfinite(conditions.energy)
    known_thickness = np.isfinite(conditions.relative_thickness)
    inputs = np.zeros((len(known_energy), N_AUXILIARY), dtype=np.float32)
    energy = (np.asarray(conditions.energy) - usual) / _ENERGY_SCALE
    error = _logarithm(conditions.energy_error, ENERGY_ERRORS, _REFERENCE_ERROR)
    at_least = np.maximum(conditions.energy_error, ENERGY_ERRORS[0])
    shrinkage = 1.0 / (1.0 + np.square(at_least / _HALF_BELIEVED))
    inputs[:, 0] = np.where(known_energy, shrinkage, 0.0)
    inputs[:, 1] = np.where(known_energy, shrinkage * energy, 0.0)
    inputs[:, 2] = np.where(known_energy, error, 0.0)
    inputs[:, 3] = known_thickness
    inputs[:, 4] = np.where(known_thickness, conditions.relative_thickness, 0.0)
    inputs[:, 5] = _logarithm(
        conditions.dispersion_error, DISPERSION_ERRORS, USUAL_DISPERSION_ERROR
    )
    inputs[:, 6] = conditions.resolution_known
    return inputs


def _logarithm(
    error: ArrayLike, limits: tuple[float, float], reference: float
) -> NDArray[np.float64]:
    values = np.asarray(error, dtype=np.float64)
    if not (values >= 0).all():
        msg = f"A standard error must be zero or more, but it is {error!r}."
        raise SignalError(msg)
    return np.log10(np.clip(values, *limits) / reference)
