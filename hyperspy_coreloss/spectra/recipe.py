"""What is done to spectra before the network sees them, for theory and experiment alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from hyperspy_coreloss.spectra.energy import EnergyWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

Background: TypeAlias = Literal["power law"] | None
Limits: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything done to a spectrum before the network sees it, for theory and experiment alike.

    Parameters
    ----------
    window
        Energies the network reads.
    edge
        Edge the network was trained on, in HyperSpy's notation.
    nominal_onset
        Tabulated onset of the edge in eV (the one of ``exspy.utils.eels``): where to look.
    sigma
        Standard deviation of the Gaussian that the spectra are broadened with, in eV.
    threshold_fraction
        Fraction of the main peak's height at which the threshold lies.
    """

    window: EnergyWindow = field(default_factory=EnergyWindow)
    edge: str = "O_K"
    nominal_onset: float = 532.0
    sigma: float = 0.5
    threshold_fraction: float = 0.3

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dictionary."""
        return {
            "window": self.window.to_dict(),
            "edge": self.edge,
            "nominal_onset": self.nominal_onset,
            "sigma": self.sigma,
            "threshold_fraction": self.threshold_fraction,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from :meth:`to_dict`."""
        return cls(
            window=EnergyWindow.from_dict(fields["window"]),
            edge=str(fields["edge"]),
            nominal_onset=float(fields["nominal_onset"]),
            sigma=float(fields["sigma"]),
            threshold_fraction=float(fields["threshold_fraction"]),
        )
