"""The base class of all components: only models with an energy axis in eV take them."""

from __future__ import annotations

from typing import Any

from hyperspy.component import Component

from hyperspy_coreloss.errors import EnergyAxisError
from hyperspy_coreloss.spectra.energy import energy_unit_in_ev


class EnergyComponent(Component):
    """A component whose parameters are in eV.

    HyperSpy gives a component the values of the axis without their units, and multiplies it by the
    channel width with its sign. On an axis in keV, or a falling one, a fit would give nonsense.
    """

    @property
    def _axes_manager(self) -> Any:
        return Component._axes_manager.fget(self)

    @_axes_manager.setter
    def _axes_manager(self, axes_manager: Any) -> None:
        # A model sets it before anything else, so a refused component leaves nothing behind.
        if axes_manager is not None:
            _check_axis(axes_manager.signal_axes[0])
        Component._axes_manager.fset(self, axes_manager)


def _check_axis(axis: Any) -> None:
    units = axis.units.strip() if isinstance(axis.units, str) else ""
    if units and energy_unit_in_ev(units) != 1.0:
        msg = (
            f"This component needs an energy axis in eV, but the axis is in {units[:20]!r}. Use "
            "s.axes_manager.signal_axes[0].convert_to_units('eV') before s.create_model()."
        )
        raise EnergyAxisError(msg)
    if axis.axis[-1] < axis.axis[0]:
        msg = (
            "This component needs rising energies, but the axis falls from "
            f"{axis.axis[0]:.6g} to {axis.axis[-1]:.6g} eV. Make the model of s.isig[::-1]."
        )
        raise EnergyAxisError(msg)
