"""The base class of the fine-structure components: a mixture of curves with its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.components.curves import WIDEST, evaluate_curves
from hyperspy_coreloss.components.energy_component import EnergyComponent
from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.energy import single_energy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.components.curves import CurveArgument, SampledCurves

#: Parameters of every fine-structure component, in this order.
COMMON = ("intensity", "onset", "broadening", "lifetime")


class FineStructure(EnergyComponent):
    """Fine structure as a mixture of curves that are shifted and broadened together.

    Parameters
    ----------
    curves
        Curves, at energies counted from the onset.
    properties
        Names of the further parameters, on which the mixture depends.
    intensity, onset, broadening, lifetime
        Initial values of the parameters.

    Raises
    ------
    SignalError
        If an initial value is not a finite number, a width is too large, or a property has the
        name of something that every component has.
    """

    def __init__(
        self,
        curves: SampledCurves,
        properties: Sequence[str],
        *,
        intensity: float,
        onset: float,
        broadening: float,
        lifetime: float,
    ) -> None:
        values = dict(zip(COMMON, (intensity, onset, broadening, lifetime), strict=True))
        _check_values(values)
        _check_names(properties)
        # HyperSpy looks up the gradients when it creates the parameters.
        for position, name in enumerate(properties):
            setattr(self, f"grad_{name}", self._property_gradient(position))
        super().__init__([*COMMON, *properties], ["intensity"])
        self._curves = curves
        self._position = self.onset
        for name, value in values.items():
            parameter = getattr(self, name)
            parameter.value = value
            parameter.free = name == "intensity"
        self.intensity.bmin = 0.0
        for name, widest in WIDEST.items():
            width = getattr(self, name)
            width.bmin, width.bmax = 0.0, widest
            width.ext_force_positive = width.ext_bounded = True
        for energy in (self.onset, self.broadening, self.lifetime):
            energy.units = "eV"

    def function(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the component at the energies `x` in eV, per eV."""
        return self.intensity.value * self.grad_intensity(x)

    def grad_intensity(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the derivative with respect to the intensity."""
        return self._mixture() @ self._basis(x)

    def grad_onset(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the derivative with respect to the onset."""
        return -self.intensity.value * (self._mixture() @ self._basis(x, "energy"))

    def grad_broadening(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the derivative with respect to the standard deviation of the Gaussian."""
        return self.intensity.value * (self._mixture() @ self._basis(x, "broadening"))

    def grad_lifetime(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the derivative with respect to the half width of the Lorentzian."""
        return self.intensity.value * (self._mixture() @ self._basis(x, "lifetime"))

    def function_nd(
        self,
        axis: NDArray[np.floating],
        parameters_values: Sequence[NDArray] | None = None,
    ) -> NDArray[np.float64]:
        """Return the component at all navigation positions.

        Parameters
        ----------
        axis
            Energies in eV, shape (energies,).
        parameters_values
            One array for each parameter, with the navigation shape; by default the values stored in
            the model.

        Returns
        -------
        ndarray
            Shape (navigation, energies).
        """
        if self.model is None or not self.model.axes_manager.navigation_dimension:
            return self.function(axis)
        if parameters_values is None:
            parameters_values = [parameter.map["values"] for parameter in self.parameters]
        values = np.stack(np.broadcast_arrays(*parameters_values), axis=-1)
        rows = values.reshape(-1, values.shape[-1])
        mixtures = rows[:, :1] * self._mixtures(rows[:, len(COMMON) :])
        places, which, counts = np.unique(
            rows[:, 1 : len(COMMON)], axis=0, return_inverse=True, return_counts=True
        )
        groups = np.split(np.argsort(which.ravel(), kind="stable"), np.cumsum(counts)[:-1])
        result = np.empty((len(rows), axis.size))
        for (onset, broadening, lifetime), group in zip(places, groups, strict=True):
            basis = evaluate_curves(self._curves, axis - onset, broadening, lifetime)
            result[group] = mixtures[group] @ basis
        return result.reshape(*values.shape[:-1], axis.size)

    def _basis(
        self, x: NDArray[np.floating], derivative: CurveArgument | None = None
    ) -> NDArray[np.float64]:
        return evaluate_curves(
            self._curves,
            np.asarray(x) - self.onset.value,
            self.broadening.value,
            self.lifetime.value,
            derivative,
        )

    def _mixture(self) -> NDArray[np.float64]:
        """Return the coefficient of each curve at the current properties, shape (curves,)."""
        properties = [[parameter.value for parameter in self.parameters[len(COMMON) :]]]
        return self._mixtures(np.array(properties))[0]

    def _mixtures(self, properties: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the coefficient of each curve, shape (spectra, curves)."""
        raise NotImplementedError

    def _mixture_gradient(self) -> NDArray[np.float64]:
        """Return the derivative with respect to the properties, shape (curves, properties)."""
        raise NotImplementedError

    def _property_gradient(self, position: int) -> Callable[[NDArray], NDArray[np.float64]]:
        def gradient(x: NDArray[np.floating]) -> NDArray[np.float64]:
            change = self._mixture_gradient()[:, position]
            return self.intensity.value * (change @ self._basis(x))

        return gradient


def _check_values(values: Mapping[str, float]) -> None:
    for name, value in values.items():
        widest = WIDEST.get(name, np.inf)
        number = single_energy(value)
        if number is None or (name in WIDEST and abs(number) > widest):
            needed = f"a width of at most {widest:g} eV" if name in WIDEST else "a finite number"
            msg = f"The initial {name} must be {needed}, but it is {value!r}. Correct it."
            raise SignalError(msg)


def _check_names(properties: Sequence[str]) -> None:
    taken = {*COMMON, *dir(FineStructure), *vars(EnergyComponent([]))}
    wrong = [name for name in properties if name in taken or not name.isidentifier()]
    if wrong:
        msg = (
            f"A property that is a parameter needs a name of its own, but {wrong[0]!r} is no name "
            "of a variable, or one that every component has. Rename it and train again."
        )
        raise SignalError(msg)
