"""Energy axes: the window a pretrained model reads, and axes in any unit as eV."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pint

from hyperspy_coreloss.errors import EnergyAxisError, EnergyRangeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# What the paper reads around a threshold, in eV.
_AROUND = (-1.0, 15.0)


@dataclass(frozen=True, slots=True)
class EnergyWindow:
    """Even grid of energies on which spectra are compared.

    Parameters
    ----------
    start
        First energy, in eV, counted from `origin`.
    stop
        End of the window, in eV; the grid stops one step before it.
    step
        Distance between two grid points, in eV.
    origin
        What the energies are counted from: ``"threshold"``, each spectrum's own threshold, which
        so lies at 0 eV; or ``"absolute"``, nothing: the threshold lies at the excitation energy
        (Kiyohara et al. 2019, figure 5).
    around
        Limits in eV, counted from the threshold, of the part of a spectrum that is read; the rest
        of the window is zero. For absolute windows only, by default -1 eV to 15 eV; a window
        counted from the threshold is read as a whole.

    Raises
    ------
    EnergyRangeError
        If the window holds no grid point, is too short for what is read around a threshold, or
        its origin is not known.

    Examples
    --------
    >>> EnergyWindow().n_channels
    160
    >>> EnergyWindow().grid[[0, -1]]
    array([-1. , 14.9])
    >>> absolute = EnergyWindow(539.0, 560.0, origin="absolute")
    >>> absolute.n_channels, absolute.n_read
    (210, 160)
    """

    start: float = -1.0
    stop: float = 15.0
    step: float = 0.1
    origin: Literal["threshold", "absolute"] = "threshold"
    around: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.origin == "absolute" and self.around is None:
            object.__setattr__(self, "around", _AROUND)
        if not (self.step > 0 and self.n_channels > 0):
            msg = (
                "An energy window needs a step above 0 and at least one step between start and "
                f"stop, but it goes from {self.start} to {self.stop} eV in steps of {self.step}."
            )
            raise EnergyRangeError(msg)
        if self.origin not in ("threshold", "absolute"):
            msg = (
                f"The origin of a window must be 'threshold' or 'absolute', but it is "
                f"{self.origin!r}. Update hyperspy_coreloss."
            )
            raise EnergyRangeError(msg)
        if self.origin == "threshold" and self.around is not None:
            msg = (
                "A window counted from the threshold is read as a whole, so around must be None, "
                f"but it is {self.around!r}. Give start and stop instead."
            )
            raise EnergyRangeError(msg)
        if not (self.read_range[0] <= 0 < self.read_range[1] or self.origin == "threshold"):
            msg = f"around must hold the threshold, at 0 eV, but it is {self.around!r}."
            raise EnergyRangeError(msg)
        if self.n_read > self.n_channels:
            msg = (
                f"{self.read_range[0]:g} to {self.read_range[1]:g} eV around a threshold must fit "
                f"into the window, but it goes from {self.start:g} to {self.stop:g} eV only."
            )
            raise EnergyRangeError(msg)

    @property
    def read_range(self) -> tuple[float, float]:
        """Limits in eV, counted from the threshold, of the part of a spectrum that is read."""
        return (self.start, self.stop) if self.around is None else self.around

    @property
    def n_read(self) -> int:
        """Number of grid points at which a spectrum is read; the others are zero."""
        low, high = self.read_range
        return round((high - low) / self.step)

    @property
    def n_channels(self) -> int:
        """Number of grid points."""
        return round((self.stop - self.start) / self.step)

    @property
    def grid(self) -> NDArray[np.floating]:
        """The energies, in eV, shape (n_channels,)."""
        return self.start + self.step * np.arange(self.n_channels)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dictionary."""
        fields = asdict(self)
        if self.around is None:
            # So that models that are read from the threshold keep their file to the bit.
            del fields["around"]
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> EnergyWindow:
        """Rebuild a window from :meth:`to_dict`."""
        around = fields.get("around")
        return cls(
            start=float(fields["start"]),
            stop=float(fields["stop"]),
            step=float(fields["step"]),
            origin=fields["origin"],
            around=None if around is None else (float(around[0]), float(around[1])),
        )


def axis_in_ev(values: NDArray, units: object, name: str = "signal") -> NDArray[np.floating]:
    """Return the values of an energy axis in eV, in their own order.

    Parameters
    ----------
    values
        Axis values, shape (channels,), ascending or descending, evenly spaced or not.
    units
        Units of the axis; anything pint reads as an energy, for example ``"keV"``.
    name
        Name of the axis, for the error messages.

    Raises
    ------
    EnergyAxisError
        If there are no units, they are not those of an energy, or the values are not
        finite and strictly monotonic.
    """
    remedy = "Set it with s.axes_manager.signal_axes[0].units = 'eV'."
    if not isinstance(units, str) or not units.strip():
        msg = f"The {name} axis needs energy units (eV, meV, keV) but has none. {remedy}"
        raise EnergyAxisError(msg)
    registry = pint.get_application_registry()
    try:
        factor = float(registry.Quantity(1.0, units).to("eV").magnitude)
    except (pint.PintError, AttributeError, ValueError, TypeError) as error:
        msg = f"The {name} axis needs energy units (eV, meV, keV) but has {units!r}. {remedy}"
        raise EnergyAxisError(msg) from error
    energy = np.asarray(values, dtype=np.float64) * factor
    steps = np.diff(energy)
    if energy.size < 2 or not np.isfinite(energy).all() or not (steps.all() and _one_sign(steps)):
        msg = (
            f"The {name} axis needs at least two finite energies in strictly rising or falling "
            f"order; it has {energy.size} values that are not. Calibrate the axis."
        )
        raise EnergyAxisError(msg)
    return energy


def channel_widths(energy: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the width of each channel in eV, shape (channels,)."""
    return np.abs(np.gradient(energy))


def _one_sign(steps: NDArray[np.floating]) -> bool:
    return bool((steps > 0).all() or (steps < 0).all())
