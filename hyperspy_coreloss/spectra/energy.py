"""Energy axes: the energy window of a model, and the conversion of axes to eV."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pint

from hyperspy_coreloss.errors import EnergyAxisError, EnergyRangeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Energy range around the threshold that Kiyohara et al. 2019 use, in eV.
_AROUND = (-1.0, 15.0)
# To pint, "ev" is nothing and "EV" an exavolt.
_ANY_CASE = {"ev": 1.0, "kev": 1e3}
_LONGEST_UNIT = 40


@dataclass(frozen=True, slots=True)
class EnergyWindow:
    """Evenly spaced energies at which a network reads spectra.

    Parameters
    ----------
    start
        First energy, in eV, relative to `origin`.
    stop
        End of the window, in eV. The last grid point lies one step below it.
    step
        Distance between two grid points, in eV.
    origin
        Zero of the energies. ``"threshold"``: energies are relative to the threshold of each
        spectrum. ``"absolute"``: energies are absolute, and the threshold of each spectrum lies
        at its excitation energy (Kiyohara et al. 2019, figure 5).
    around
        Energy range, relative to the threshold, in which a spectrum is read, in eV. The rest of
        the window is zero. This option applies to absolute windows only; its default is -1 eV to
        15 eV. A window relative to the threshold is read completely.

    Raises
    ------
    EnergyRangeError
        If the window contains no grid point, is shorter than `around`, or has an invalid origin.

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
        finite = np.isfinite([self.start, self.stop, self.step]).all()
        if not (finite and self.step > 0 and self.n_channels > 0):
            msg = (
                "An energy window needs a step above 0 and at least one step between start and "
                f"stop, but it goes from {self.start} to {self.stop} eV in steps of {self.step} "
                "eV. Change start, stop or step."
            )
            raise EnergyRangeError(msg)
        if self.origin not in ("threshold", "absolute"):
            msg = (
                f"The origin of a window must be 'threshold' or 'absolute', but it is "
                f"{self.origin!r}. If it comes from a file, update hyperspy_coreloss."
            )
            raise EnergyRangeError(msg)
        if self.origin == "threshold" and self.around is not None:
            msg = (
                "A window relative to the threshold is read completely, so around must be None, "
                f"but it is {self.around!r}. Set start and stop instead."
            )
            raise EnergyRangeError(msg)
        if not (self.read_range[0] <= 0 < self.read_range[1] or self.origin == "threshold"):
            msg = (
                "The range around must contain the threshold, at 0 eV, but it is "
                f"{self.around!r}. Give two energies in eV, for example (-1.0, 15.0)."
            )
            raise EnergyRangeError(msg)
        if self.n_read > self.n_channels:
            msg = (
                f"The range of {self.read_range[0]:g} to {self.read_range[1]:g} eV around a "
                f"threshold must fit into the window, but the window goes from {self.start:g} to "
                f"{self.stop:g} eV only. Use a longer window or a shorter range."
            )
            raise EnergyRangeError(msg)

    @property
    def read_range(self) -> tuple[float, float]:
        """Energy range, relative to the threshold, in which a spectrum is read, in eV."""
        return (self.start, self.stop) if self.around is None else self.around

    @property
    def n_read(self) -> int:
        """Number of grid points at which a spectrum is read; the other points are zero."""
        low, high = self.read_range
        return round((high - low) / self.step)

    @property
    def n_channels(self) -> int:
        """Number of grid points."""
        return round((self.stop - self.start) / self.step)

    @property
    def grid(self) -> NDArray[np.floating]:
        """Energies of the grid points, in eV, shape (n_channels,)."""
        return self.start + self.step * np.arange(self.n_channels)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dictionary."""
        fields = asdict(self)
        if self.around is None:
            # The files of models that read from the threshold do not contain this field.
            del fields["around"]
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> EnergyWindow:
        """Create a window from the dictionary of :meth:`to_dict`."""
        around = fields.get("around")
        return cls(
            start=float(fields["start"]),
            stop=float(fields["stop"]),
            step=float(fields["step"]),
            origin=fields["origin"],
            around=None if around is None else (float(around[0]), float(around[1])),
        )


def energy_unit_in_ev(units: object) -> float | None:
    """Return a unit of energy in eV, or None if it is not the name of one.

    Parameters
    ----------
    units
        Name of an energy unit that pint knows, for example ``"keV"`` or ``"hartree"``. The case of
        the letters does not matter for eV and keV; for meV and MeV it does.

    Examples
    --------
    >>> energy_unit_in_ev("keV"), energy_unit_in_ev("EV"), energy_unit_in_ev("nm")
    (1000.0, 1.0, None)
    """
    # A name only: pint would also evaluate expressions, such as 9**9**9*eV.
    name = units.strip(" ()[]") if isinstance(units, str) else ""
    if not name.replace("_", "").isalpha() or len(name) > _LONGEST_UNIT:
        return None
    if name.lower() in _ANY_CASE:
        return _ANY_CASE[name.lower()]
    registry = pint.get_application_registry()
    try:
        unit = registry.Unit(name)
        # Otherwise a context of pint could convert lengths to energies, which is not linear.
        if unit.dimensionality != registry.Unit("eV").dimensionality:
            return None
        return float(registry.Quantity(1.0, unit).to("eV").magnitude)
    except (pint.PintError, AttributeError, ValueError, TypeError):
        return None


def axis_in_ev(values: NDArray, units: object, name: str = "signal") -> NDArray[np.floating]:
    """Return the values of an energy axis in eV, without changing their order.

    Parameters
    ----------
    values
        Axis values, shape (channels,), ascending or descending, evenly spaced or not.
    units
        Units of the axis, as for :func:`energy_unit_in_ev`.
    name
        Name of the axis in error messages.

    Raises
    ------
    EnergyAxisError
        If the axis has no energy units, or its values are not finite and strictly monotonic.
    """
    factor = energy_unit_in_ev(units)
    if factor is None:
        named = isinstance(units, str) and units.strip()
        found = repr(units if len(str(units)) <= _LONGEST_UNIT else f"{units!s:.20}…")
        msg = (
            f"The {name} axis needs energy units (eV, meV, keV) but has "
            f"{found if named else 'none'}. Set it with s.axes_manager.signal_axes[0].units = 'eV'."
        )
        raise EnergyAxisError(msg)
    energy = np.asarray(values, dtype=np.float64) * factor
    steps = np.diff(energy)
    if energy.size < 2 or not np.isfinite(energy).all() or not (steps.all() and _one_sign(steps)):
        msg = (
            f"The {name} axis needs at least two finite energies in strictly rising or falling "
            f"order, but its {energy.size} values are not. Calibrate the axis."
        )
        raise EnergyAxisError(msg)
    return energy


def single_energy(value: Any) -> float | None:
    """Return an energy as a float, or None if it is not one finite real number of any type."""
    energy = np.asarray(value)
    if energy.shape or energy.dtype.kind not in "iuf" or not np.isfinite(energy):
        return None
    return float(energy)


def channel_widths(energy: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the width of each channel in eV, shape (channels,)."""
    return np.abs(np.gradient(energy))


def _one_sign(steps: NDArray[np.floating]) -> bool:
    return bool((steps > 0).all() or (steps < 0).all())
