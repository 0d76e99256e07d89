"""The continuum step of an edge as a component: an arctangent or an error function."""

from __future__ import annotations

from typing import Any, Literal

from hyperspy.components1d import Expression

from hyperspy_coreloss.components.energy_component import EnergyComponent
from hyperspy_coreloss.errors import SignalError


class EdgeStep(EnergyComponent, Expression):
    r"""The continuum step of an edge.

    .. math::

        f(E) = I \left[ \tfrac12 + \tfrac1\pi \arctan\frac{E - E_0}{w} \right]
        \quad \text{or} \quad
        f(E) = \tfrac{I}{2} \left[ 1 + \mathrm{erf}\frac{E - E_0}{\sqrt2 w} \right]

    ============== ============= ==============================================================
    Variable        Parameter     Meaning
    ============== ============= ==============================================================
    :math:`I`       intensity     Height in counts per eV far above the onset; linear
    :math:`E_0`     onset         Energy at which half the height is reached, in eV
    :math:`w`       width         Broadening in eV: half width at half maximum of the Lorentzian
                                  (arctan) or standard deviation of the Gaussian (erf); at least
                                  0.0001
    ============== ============= ==============================================================

    The arctangent describes broadening by a lifetime, the error function broadening by the energy
    resolution of the spectrometer.

    Parameters
    ----------
    shape : {"arctan", "erf"}
        Arctangent or error function.
    intensity, onset, width : float
        Initial values of the parameters. For a linear fit, fix onset and width
        (``m.set_parameters_not_free(only_nonlinear=True)``).
    module
        Library that evaluates the expression; see
        :class:`hyperspy.api.model.components1D.Expression`.

    Examples
    --------
    >>> import numpy as np
    >>> from hyperspy_coreloss.components import EdgeStep
    >>> step = EdgeStep("erf", intensity=100, onset=535, width=0.5)
    >>> float(step.function(np.array([535.0]))[0])
    50.0
    """

    def __init__(
        self,
        shape: Literal["arctan", "erf"] = "arctan",
        intensity: float = 1.0,
        onset: float = 0.0,
        width: float = 1.0,
        module: str = "scipy",
        **kwargs: Any,
    ) -> None:
        if shape not in _STEPS:
            msg = f"The shape of a step must be one of {', '.join(_STEPS)}, not {shape!r}."
            raise SignalError(msg)
        super().__init__(
            expression=_STEPS[shape],
            name="EdgeStep",
            position="onset",
            module=module,
            autodoc=False,
            intensity=intensity,
            onset=onset,
            width=width,
            **kwargs,
        )
        self._id_name = "83d88a39-1f22-4189-bf39-cd2c0c5929c0"
        self._whitelist["shape"] = ("init", shape)
        # At a width of zero, the value at the onset would be 0 / 0.
        self.width.bmin = _NARROWEST
        self.width.ext_force_positive = self.width.ext_bounded = True
        self.width.value = width
        for energy in (self.onset, self.width):
            energy.units = "eV"
        self.isbackground = False
        self.convolved = True


# Far below the channel width of any spectrometer, in eV.
_NARROWEST = 1e-4

_STEPS = {
    "arctan": "intensity * (1 / 2 + atan((x - onset) / width) / pi)",
    "erf": "intensity / 2 * (1 + erf((x - onset) / (sqrt(2) * width)))",
}
