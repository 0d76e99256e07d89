"""Preprocessing of spectra, the same for computed and for measured spectra."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.energy import EnergyWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

Background: TypeAlias = Literal["power law"] | None
Limits: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Parameters of the preprocessing, the same for computed and for measured spectra.

    Parameters
    ----------
    window
        Energies at which the network reads spectra.
    edge
        Edge that the network is trained on, in HyperSpy's notation.
    nominal_onset
        Tabulated onset of the edge in eV (as in ``exspy.utils.eels``). The edge is searched for
        around this energy.
    sigma
        Standard deviation of the Gaussian broadening of the network inputs, in eV.
    threshold_fraction
        Intensity at the threshold, as a fraction of the highest intensity of the following 10 eV.

    Raises
    ------
    SignalError
        If a number is not finite, `sigma` is below zero, or `threshold_fraction` is not between
        0 and 1.
    """

    window: EnergyWindow = field(default_factory=EnergyWindow)
    edge: str = "O_K"
    nominal_onset: float = 532.0
    sigma: float = 0.5
    threshold_fraction: float = 0.3

    def __post_init__(self) -> None:
        if not (
            math.isfinite(self.nominal_onset)
            and math.isfinite(self.sigma)
            and self.sigma >= 0
            and 0 < self.threshold_fraction < 1
        ):
            msg = (
                "A recipe needs a finite nominal_onset, a sigma of 0 eV or more and a "
                f"threshold_fraction between 0 and 1, but they are {self.nominal_onset} eV, "
                f"{self.sigma} eV and {self.threshold_fraction}. Correct them."
            )
            raise SignalError(msg)

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
        """Create a recipe from the dictionary of :meth:`to_dict`."""
        return cls(
            window=EnergyWindow.from_dict(fields["window"]),
            edge=str(fields["edge"]),
            nominal_onset=float(fields["nominal_onset"]),
            sigma=float(fields["sigma"]),
            threshold_fraction=float(fields["threshold_fraction"]),
        )
