"""The options of a prediction, as its result records them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.calibration import Calibration
    from hyperspy_coreloss.spectra.preparation import Preparation

_NO_BACKGROUND = "none"
# Numbers of a calibration from which energies follow, and others that describe it.
_CALIBRATED = ("position", "energy_offset", "dispersion", "nominal_dispersion")
_DESCRIBED = ("resolution", "relative_thickness")


@dataclass(frozen=True, slots=True)
class RecordedOptions:
    """Options of a prediction.

    Parameters
    ----------
    edge
        Edge of the spectra.
    background
        Background that was subtracted; None if it was subtracted before.
    background_range, onset_range
        Limits of the background fit and of the search for the onset, in eV; None if there are none.
    resolution
        Energy resolution that was given or measured, in eV, or None.
    broadening
        Standard deviation in eV by which the spectra were broadened; None if it is not known.
    energy_offset
        Energy in eV that was added to the energies of the thresholds, or None.
    calibration
        Numbers of the calibration of the energies, or None.
    energy_error
        Standard error of `energy_offset` in eV, or None.
    dispersion_error
        How well the dispersion is known, relative; None if it is not recorded.
    low_loss
        Title of the low-loss spectra, ``"none"`` if there were none, or empty.
    novelty_level
        Novelty below which a spectrum is unfamiliar; None if it is not recorded.
    material
        Material of the calibration; empty if there is none.
    uncertainties
        Standard uncertainties of numbers of the calibration, by name.
    """

    edge: str
    background: str | None
    background_range: tuple[float, float] | None
    onset_range: tuple[float, float] | None
    resolution: float | None
    broadening: float | None
    energy_offset: float | None = None
    calibration: Mapping[str, float] | None = None
    energy_error: float | None = None
    dispersion_error: float | None = None
    low_loss: str = ""
    novelty_level: float | None = None
    material: str = ""
    uncertainties: Mapping[str, float] = field(default_factory=dict)

    def energies(self, axis: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the energies on an axis of spectra in eV, calibrated if they were.

        Parameters
        ----------
        axis
            Energies on the axis of the spectra in eV, shape (channels,).
        """
        if self.calibration is None:
            return axis
        position = self.calibration["position"]
        stretch = self.calibration["dispersion"] / self.calibration["nominal_dispersion"]
        return position + self.calibration["energy_offset"] + stretch * (axis - position)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> RecordedOptions:
        """Create options from the dictionary of :func:`describe_options`.

        Files of some formats, and of early versions, lack empty or later entries.

        Raises
        ------
        TypeError, ValueError
            If an option is not a number.
        """
        background = str(fields.get("background"))
        given = fields.get("resolution_given")
        return cls(
            edge=str(fields.get("edge", "")),
            background=None if background == _NO_BACKGROUND else background,
            background_range=_limits(fields.get("background_range")),
            onset_range=_limits(fields.get("onset_range")),
            resolution=_number(fields.get("resolution")) if given else None,
            broadening=_number(fields.get("broadening_sigma")),
            energy_offset=_number(fields.get("energy_offset")),
            calibration=_calibration(fields.get("Calibration")),
            energy_error=_number(fields.get("energy_error")),
            dispersion_error=_number(fields.get("dispersion_error")),
            low_loss=str(fields.get("low_loss", "")),
            novelty_level=_number(fields.get("novelty_level")),
            material=str((fields.get("Calibration") or {}).get("material", "")),
            uncertainties=_uncertainties(fields.get("Calibration")),
        )


def describe_options(
    preparation: Preparation, resolution: float | None, calibration: Calibration | None
) -> dict[str, Any]:
    """Return the options as texts, numbers and lists, which all formats of files preserve.

    Parameters
    ----------
    preparation
        The preprocessing of the spectra.
    resolution
        Energy resolution that was given or measured, in eV, or None.
    calibration
        The calibration of the energies, or None.
    """
    fields: dict[str, Any] = {
        "edge": preparation.recipe.edge,
        "background": preparation.background or _NO_BACKGROUND,
        "background_range": list(preparation.background_range or ()),
        "onset_range": list(preparation.onset_range),
        "resolution": 0.0 if resolution is None else resolution,
        "resolution_given": resolution is not None,
        "broadening_sigma": preparation.broadening,
        "Recipe": _plain(preparation.recipe.to_dict()),
    }
    fields["dispersion_error"] = preparation.certainty.dispersion_error
    if preparation.energy_offset is not None:
        fields["energy_offset"] = preparation.energy_offset
    if preparation.certainty.energy_error is not None:
        fields["energy_error"] = preparation.certainty.energy_error
    if calibration is not None:
        fields["Calibration"] = {
            "material": calibration.material,
            "energy_offset": calibration.energy_offset,
            "position": calibration.position,
            "dispersion": calibration.dispersion,
            "nominal_dispersion": calibration.nominal_dispersion,
            "resolution": calibration.resolution,
            "relative_thickness": calibration.relative_thickness,
            "Uncertainties": dict(calibration.uncertainties),
        }
    return fields


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Replace tuples by lists, because some file formats do not preserve tuples."""
    return {
        name: _plain(value)
        if isinstance(value, dict)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in fields.items()
    }


def _calibration(fields: Any) -> dict[str, float] | None:
    if not fields:
        return None
    described = [name for name in _DESCRIBED if name in fields]
    return {name: float(fields[name]) for name in (*_CALIBRATED, *described)}


def _uncertainties(fields: Any) -> dict[str, float]:
    stored = (fields or {}).get("Uncertainties") or {}
    return {str(name): float(value) for name, value in stored.items()}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _limits(values: Any) -> tuple[float, float] | None:
    if values is None or not len(values):
        return None
    low, high = values
    return float(low), float(high)
