"""Calibration of an energy axis on a known material: the fitted values and how theory agrees."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import CalibrationError
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.read_only import ReadOnlyArrays, read_only
from hyperspy_coreloss.spectra.agreement import Agreement
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from hyperspy_coreloss.spectra.recipe import Recipe

#: Quantities whose uncertainties a calibration tells.
UNCERTAINTIES = ("energy_offset", "dispersion", "resolution", "relative_thickness")

_FORMAT = "hyperspy_coreloss calibration"
_FORMAT_VERSION = 1
_ARRAYS = ("energy", "measured", "fitted", "background")
_NUMBERS = ("position", "dispersion", "nominal_dispersion", "resolution", "relative_thickness")
# Significant digits of the spectra in a file.
_DIGITS = 6
# Largest relative difference of two dispersions that count as equal.
_SAME_DISPERSION = 1e-3
# Range of the threshold in eV, relative to the lowest empty state, and the end of what it needs.
_THRESHOLD_RANGE = (-5.0, 8.0)
_THRESHOLD_NEEDS = 45.0


@dataclass(frozen=True, eq=False)
class ReferenceEdge(ReadOnlyArrays):
    """The computed edge of a material whose properties are known.

    Parameters
    ----------
    material
        Name of the material.
    edge
        Absorbing element and edge, for example ``"O_K"``.
    energy
        Evenly spaced energies in eV, relative to the lowest empty state (of several sites: to the
        mean), shape (energies,). The first ones lie below all states.
    intensity
        Computed spectrum, shape (energies,).
    sigma
        Standard deviation in eV of the Gaussian broadening that the spectrum has.
    excitation_energy
        Computed energy of the lowest empty state in eV.

    Raises
    ------
    CalibrationError
        If the spectrum has no or not enough numbers, or they are not finite.
    """

    material: str
    edge: str
    energy: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: float
    excitation_energy: float

    def __post_init__(self) -> None:
        for name in ("energy", "intensity"):
            object.__setattr__(self, name, read_only(getattr(self, name), dtype=np.float64))
        if not (
            self.energy.ndim == 1
            and self.energy.size > 1
            and self.energy.shape == self.intensity.shape
            and np.isfinite((self.sigma, self.excitation_energy, *self.energy[[0, -1]])).all()
            and self.sigma >= 0
            and np.isfinite(self.intensity).all()
            and self.energy[0] < 0 < self.energy[-1]
            and np.allclose(np.diff(self.energy), self.energy[1] - self.energy[0])
        ):
            msg = (
                "A computed edge needs as many finite intensities as evenly spaced energies, which "
                f"begin below 0 eV, and a broadening of 0 eV or more, but {self.material} has "
                f"{self.energy} eV, {self.intensity} and {self.sigma} eV."
            )
            raise CalibrationError(msg)

    def threshold(self, recipe: Recipe) -> float:
        """Return the threshold of the edge in eV, relative to the lowest empty state.

        Parameters
        ----------
        recipe
            Preprocessing whose broadening and definition of the threshold are used.
        """
        aligned = replace(recipe, window=EnergyWindow())
        near = self.energy < _THRESHOLD_NEEDS
        low, high = np.add(recipe.nominal_onset, _THRESHOLD_RANGE).tolist()
        preparation = prepare(
            aligned,
            self.energy[near] + recipe.nominal_onset,
            resolution=self.sigma * FWHM_PER_SIGMA,
            background=None,
            onset_range=(low, high),
        )
        onset = preprocess(self.intensity[None, near], preparation).onset[0]
        return float(onset) - recipe.nominal_onset


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(ReadOnlyArrays):
    """Energy axis, resolution and thickness from a material whose spectrum is computed.

    :func:`hyperspy_coreloss.calibrate` makes it, ``predict_properties(..., calibration=...)`` uses
    it.

    Parameters
    ----------
    reference
        The computed edge.
    position
        Energy in eV on the axis at which the lowest empty state of the material lies.
    dispersion
        Fitted width of a channel in eV.
    nominal_dispersion
        Width of a channel in eV that the axis states.
    resolution
        Full width at half maximum in eV of the Gaussian by which the measured edge is broader than
        the computed one. Energy drift and what the theory lacks in broadening are part of it.
    relative_thickness
        Thickness of the specimen divided by the inelastic mean free path of silica.
    uncertainties
        Standard uncertainties of ``energy_offset``, ``dispersion``, ``resolution`` and
        ``relative_thickness``: from the covariance of the fit, scaled by its misfit. Residuals
        that last over many channels count once.
    energy
        Energies of the fitted channels in eV, as on the axis, shape (channels,).
    measured, fitted, background
        Measured spectrum, fit and its background, shape (channels,).
    agreement
        Agreement of theory and measurement by energy.

    Raises
    ------
    CalibrationError
        If a number is not finite or of the wrong sign, or the spectra have different lengths.
    """

    reference: ReferenceEdge
    position: float
    dispersion: float
    nominal_dispersion: float
    resolution: float
    relative_thickness: float
    uncertainties: Mapping[str, float]
    energy: NDArray[np.floating]
    measured: NDArray[np.floating]
    fitted: NDArray[np.floating]
    background: NDArray[np.floating]
    agreement: tuple[Agreement, ...]

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, read_only(getattr(self, name), dtype=np.float64))
        object.__setattr__(self, "uncertainties", dict(self.uncertainties))
        numbers = [getattr(self, name) for name in _NUMBERS]
        numbers += [self.uncertainties[name] for name in UNCERTAINTIES]
        shapes = {getattr(self, name).shape for name in _ARRAYS}
        if not (
            np.isfinite(numbers).all()
            and min(numbers[1:]) >= 0
            and min(self.dispersion, self.nominal_dispersion) > 0
            and len(shapes) == 1
            and self.energy.ndim == 1
            and self.energy.size > 1
        ):
            msg = (
                "A calibration needs finite numbers, dispersions above zero and spectra of one "
                f"length, but its numbers are {numbers} and its spectra have the shapes {shapes}. "
                "Make it with hyperspy_coreloss.calibrate."
            )
            raise CalibrationError(msg)

    @property
    def material(self) -> str:
        """Name of the material."""
        return self.reference.material

    @property
    def energy_offset(self) -> float:
        """Energy in eV to add to the axis at the edge to obtain the computed energy."""
        return self.reference.excitation_energy - self.position

    @property
    def dispersion_error(self) -> float:
        """Relative error of the axis: above zero, it is shorter than it should be."""
        return self.dispersion / self.nominal_dispersion - 1.0

    def energies(self, axis: ArrayLike) -> NDArray[np.float64]:
        """Return calibrated energies: the lowest empty state lies at its computed energy.

        Parameters
        ----------
        axis
            Energies on the axis of the measurement in eV, of any shape.
        """
        distance = np.asarray(axis, dtype=np.float64) - self.position
        return self.reference.excitation_energy + (1.0 + self.dispersion_error) * distance

    def check_axis(self, axis: NDArray[np.floating]) -> None:
        """Check that an axis has the dispersion of the reference; it may begin elsewhere.

        Parameters
        ----------
        axis
            Channel energies in eV, ascending or descending, shape (channels,).

        Raises
        ------
        CalibrationError
            If a channel has another width.
        """
        widths = np.abs(np.diff(axis))
        worst = widths[np.argmax(np.abs(widths - self.nominal_dispersion))]
        if abs(worst / self.nominal_dispersion - 1.0) > _SAME_DISPERSION:
            msg = (
                f"The calibration is that of an axis with {self.nominal_dispersion:.6g} eV per "
                f"channel, but this axis has {worst:.6g} eV per channel. Calibrate on a reference "
                "of the same dispersion, measured with the same settings and rebinned alike."
            )
            raise CalibrationError(msg)

    def __repr__(self) -> str:
        def shown(name: str, digits: int, unit: str) -> str:
            value, error = getattr(self, name), self.uncertainties[name]
            return f"{value:.{digits}f} ± {error:.{digits}f}{unit}"

        return (
            f"<Calibration on {self.material}: energy offset {shown('energy_offset', 3, ' eV')}, "
            f"dispersion {shown('dispersion', 5, ' eV')}, resolution "
            f"{shown('resolution', 2, ' eV')}, t/λ {shown('relative_thickness', 2, '')}>"
        )

    def plot(self) -> Figure:
        """Plot measured and fitted spectrum, the residual, and the agreement by energy."""
        from hyperspy_coreloss.spectra.fit_figure import plot_fit

        distance = (1.0 + self.dispersion_error) * (self.energy - self.position)
        return plot_fit(
            self.energy,
            distance,
            (self.measured, self.fitted, self.background),
            self.agreement,
            repr(self)[1:-1].replace(": ", "\n", 1),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of the calibration, JSON-ready."""
        reference = self.reference
        return {
            "format": _FORMAT,
            "format_version": _FORMAT_VERSION,
            "reference": {
                "material": reference.material,
                "edge": reference.edge,
                "energy": [float(value) for value in reference.energy[[0, -1]]],
                "intensity": _rounded(reference.intensity),
                "sigma": reference.sigma,
                "excitation_energy": reference.excitation_energy,
            },
            **{name: getattr(self, name) for name in _NUMBERS},
            "uncertainties": dict(self.uncertainties),
            "energy": [float(value) for value in self.energy[[0, -1]]],
            **{name: _rounded(getattr(self, name)) for name in _ARRAYS[1:]},
            "agreement": [[one.start, one.stop, one.residual, one.noise] for one in self.agreement],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Calibration:
        """Create a calibration from the dictionary of :meth:`to_dict`.

        Raises
        ------
        CalibrationError
            If the dictionary is not that of a complete calibration.
        """
        try:
            if (fields["format"], fields["format_version"]) != (_FORMAT, _FORMAT_VERSION):
                raise ValueError(fields["format"], fields["format_version"])
            reference = dict(fields["reference"])
            reference["energy"] = _even(reference["energy"], len(reference["intensity"]))
            given: dict[str, Any] = {name: float(fields[name]) for name in _NUMBERS}
            given |= {name: fields[name] for name in _ARRAYS[1:]}
            given["energy"] = _even(fields["energy"], len(fields["measured"]))
            given["uncertainties"] = {
                name: float(fields["uncertainties"][name]) for name in UNCERTAINTIES
            }
            given["agreement"] = tuple(Agreement(*numbers) for numbers in fields["agreement"])
            return cls(reference=ReferenceEdge(**reference), **given)
        except CalibrationError:
            raise
        except (
            AttributeError,
            IndexError,
            KeyError,
            OverflowError,
            TypeError,
            ValueError,
        ) as error:
            msg = (
                f"These fields are not those of a complete calibration: reading them failed with "
                f"{error!r}. Use a file written by Calibration.save of this version."
            )
            raise CalibrationError(msg) from error

    def save(self, filename: str | Path) -> None:
        """Write the calibration as a JSON file, which :meth:`load` reads.

        If writing fails, an existing file is unchanged.

        Parameters
        ----------
        filename
            The file, usually ``*.json``. An existing file is replaced.
        """
        with replace_file(filename) as temporary:
            temporary.write_text(json.dumps(self.to_dict()) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, filename: str | Path) -> Calibration:
        """Read a calibration written by :meth:`save`.

        Parameters
        ----------
        filename
            The file.

        Raises
        ------
        CalibrationError
            If the file is not that of a complete calibration.
        """
        try:
            fields = json.loads(Path(filename).read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            msg = (
                f"{Path(filename).name} is not a calibration: reading it failed with {error!r}. "
                "Use a file written by Calibration.save."
            )
            raise CalibrationError(msg) from error
        return cls.from_dict(fields)


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _even(limits: list[float], size: int) -> NDArray[np.float64]:
    first, last = (float(limit) for limit in limits)
    if not math.isfinite(last - first):
        raise ValueError(first, last)
    return np.linspace(first, last, size)
