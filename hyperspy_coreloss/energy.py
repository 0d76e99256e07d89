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
        What the energies are counted from; so far each spectrum's own threshold only.

    Raises
    ------
    EnergyRangeError
        If the window holds no grid point, or its origin is not known.

    Examples
    --------
    >>> EnergyWindow().n_channels
    160
    >>> EnergyWindow().grid[[0, -1]]
    array([-1. , 14.9])
    """

    start: float = -1.0
    stop: float = 15.0
    step: float = 0.1
    origin: Literal["threshold"] = "threshold"

    def __post_init__(self) -> None:
        if not (self.step > 0 and self.n_channels > 0):
            msg = (
                "An energy window needs a step above 0 and at least one step between start and "
                f"stop, but it goes from {self.start} to {self.stop} eV in steps of {self.step}."
            )
            raise EnergyRangeError(msg)
        if self.origin != "threshold":
            msg = (
                f"Energies can be counted from the threshold only, not from {self.origin!r}. "
                "Update hyperspy_coreloss."
            )
            raise EnergyRangeError(msg)

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
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> EnergyWindow:
        """Rebuild a window from :meth:`to_dict`."""
        return cls(
            start=float(fields["start"]),
            stop=float(fields["stop"]),
            step=float(fields["step"]),
            origin=fields["origin"],
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
