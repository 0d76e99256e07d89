"""The options of a prediction, as its result records them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperspy_coreloss.spectra.preparation import Preparation

_NO_BACKGROUND = "none"


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
        Energy resolution that the user gave, in eV, or None.
    broadening
        Standard deviation in eV by which the spectra were broadened; None if it is not known.
    energy_offset
        Energy in eV that was added to the energies of the thresholds, or None.
    """

    edge: str
    background: str | None
    background_range: tuple[float, float] | None
    onset_range: tuple[float, float] | None
    resolution: float | None
    broadening: float | None
    energy_offset: float | None = None

    @classmethod
    def of(cls, preparation: Preparation, resolution: float | None) -> RecordedOptions:
        """Return the options of a preparation, and the resolution that the user gave."""
        return cls(
            edge=preparation.recipe.edge,
            background=preparation.background,
            background_range=preparation.background_range,
            onset_range=preparation.onset_range,
            resolution=resolution,
            broadening=preparation.broadening,
            energy_offset=preparation.energy_offset,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as texts, numbers and lists, which all formats of files preserve."""
        fields: dict[str, Any] = {
            "edge": self.edge,
            "background": self.background or _NO_BACKGROUND,
            "background_range": list(self.background_range or ()),
            "onset_range": list(self.onset_range or ()),
            "resolution": 0.0 if self.resolution is None else self.resolution,
            "resolution_given": self.resolution is not None,
            "broadening_sigma": self.broadening,
        }
        if self.energy_offset is not None:
            fields["energy_offset"] = self.energy_offset
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> RecordedOptions:
        """Create options from the dictionary of :meth:`to_dict`.

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
        )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _limits(values: Any) -> tuple[float, float] | None:
    if values is None or not len(values):
        return None
    low, high = values
    return float(low), float(high)
