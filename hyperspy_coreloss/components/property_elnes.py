"""The component that has the properties of a site as parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask
import numpy as np
from hyperspy.signals import BaseSignal, Signal1D

from hyperspy_coreloss.components.curves import evaluate_curves, sample_curve
from hyperspy_coreloss.components.fine_structure import COMMON, FineStructure
from hyperspy_coreloss.components.template_signals import find_threshold
from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.properties import parse_unit, property_index
from hyperspy_coreloss.signals.metadata import recipe_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hyperspy_coreloss.components.emulator import SpectrumEmulator
    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal


class PropertyELNES(FineStructure):
    r"""The mean spectrum of sites with given properties, as a component.

    Its parameters are the properties. A model can fit them together with a background, neighbouring
    edges and plural scattering from a low-loss spectrum, and gives their standard errors. The
    spectrum is that of an emulator; its gradients come from automatic differentiation.

    ================ ============== ==============================================================
    Variable          Parameter      Meaning
    ================ ============== ==============================================================
    :math:`I`         intensity      Counts from -5 eV to 40 eV (the range of the emulator)
    :math:`E_0`       onset          Energy of the lowest empty state, in eV; fixed by default. On
                                     a calibrated axis it is the excitation energy.
    :math:`\sigma`    broadening     Gaussian in addition to that of the emulator (0.2 eV),
                                     standard deviation in eV; fixed by default
    :math:`\Gamma`    lifetime       Lorentzian, half width at half maximum in eV; fixed by default
    ..                bond_length,   The properties, in their units. Their bounds are the range of
                      bond_angle,    the training sites and apply to every fit
                      ...
    ================ ============== ==============================================================

    The standard errors of a fit include noise only. Sites with equal properties have different
    spectra, so the errors of the fitted properties are larger: :meth:`half_width` returns intervals
    that include this, and :meth:`discrepancy` the difference between spectra of new phases and
    emulated ones. To predict properties, use ``predict_properties``. Use this component to fit
    other contributions to a spectrum as well, or to see the effect of one property. Fix the
    properties that you know from elsewhere, and start from a prediction (:meth:`start_from`).

    Parameters
    ----------
    emulator
        Name of a shipped emulator, path of an emulator's file, or an emulator from
        :func:`~hyperspy_coreloss.train_emulator`.
    onset, intensity, broadening, lifetime : float
        Initial values of these parameters.
    **properties : float
        Initial values of properties; by default the mean of the training sites.

    Examples
    --------
    >>> from hyperspy_coreloss.components import PropertyELNES
    >>> oxygen = PropertyELNES(onset=537, broadening=0.3, bond_length=1.62)
    >>> oxygen.bond_length.value, oxygen.bond_length.units
    (1.62, 'Å')
    """

    def __init__(
        self,
        emulator: str | Path | SpectrumEmulator | Signal1D = "silica-o-k",
        onset: float = 0.0,
        intensity: float = 1.0,
        broadening: float = 0.2,
        lifetime: float = 0.0,
        **properties: float,
    ) -> None:
        self.emulator = _as_emulator(emulator)
        names = self.emulator.property_names
        super().__init__(
            self.emulator.curves,
            names,
            intensity=intensity,
            onset=onset,
            broadening=broadening,
            lifetime=lifetime,
        )
        self._id_name = "c2523b7a-3271-4b05-91c5-2eaaa54fba86"
        self.name = "PropertyELNES"
        # Stored with the model, so that a restored model gives the same spectrum.
        content = np.frombuffer(self.emulator.to_bytes(), dtype=np.uint8)
        self._whitelist["emulator"] = ("init,sig", Signal1D(content))
        self._gradient: tuple[tuple[float, ...], NDArray[np.float64]] | None = None
        arrays = self.emulator.arrays
        limits = zip(arrays["centre"], arrays["lower"], arrays["upper"], strict=True)
        for spec, (centre, lower, upper) in zip(self.emulator.properties, limits, strict=True):
            parameter = getattr(self, spec.name)
            parameter.value = float(properties.pop(spec.name, centre))
            parameter.bmin, parameter.bmax = float(lower), float(upper)
            parameter.ext_bounded = True
            parameter.units = f"{parse_unit(spec.unit):~P}"
        if properties:
            property_index(next(iter(properties)), names)

    def discrepancy(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the difference between spectra of new phases and the emulated one, per eV.

        It is the root mean square over phases that were left out of the training in turn, at the
        current intensity and onset. It is not broadened, so it is an upper estimate.

        Parameters
        ----------
        x
            Energies in eV, shape (energies,).
        """
        curves = self.emulator.curves
        missed = self.emulator.arrays["discrepancy"]
        at = np.asarray(x) - self.onset.value
        return self.intensity.value * np.interp(at, curves.energy, missed)

    def half_width(self, level: float = 0.9) -> dict[str, float]:
        """Return half widths of intervals around the fitted properties, by name.

        The intervals come from fits to spectra of phases left out of the training, without noise
        and with all properties free (:meth:`~hyperspy_coreloss.SpectrumEmulator.half_width`).

        Parameters
        ----------
        level
            Fraction of true values inside, between 0 and 1.
        """
        widths = self.emulator.half_width(level)
        names = self.emulator.property_names
        return {name: float(width) for name, width in zip(names, widths, strict=True)}

    def start_from(self, prediction: CoreLossPropertySignal) -> None:
        """Set the initial values in every pixel from predicted properties and thresholds.

        Pixels without a prediction keep the current values.

        Parameters
        ----------
        prediction
            Result of ``predict_properties`` for the signal of the model.

        Raises
        ------
        SignalError
            If the component is not in a model, or the prediction has another navigation shape.
        """
        shape = None if self.model is None else self.onset.map.shape
        first = prediction.get_property_map(prediction.property_names[0])
        if shape != first.data.shape:
            msg = (
                "The prediction must have the navigation shape of the model, "
                f"{shape or 'but there is no model yet'}; it has {first.data.shape}. Append the "
                "component to the model first, and predict from the signal of the model."
            )
            raise SignalError(msg)
        maps = {
            name: prediction.get_property_map(name).data
            for name in self.emulator.property_names
            if name in prediction.property_names
        }
        # The threshold lies above the lowest empty state. Their distance is that in the emulated
        # spectrum, preprocessed with the recipe of the prediction.
        recipe = recipe_of(prediction)
        broadening = np.sqrt(max(recipe.sigma**2 - self.emulator.sigma**2, 0.0))
        energy = self.emulator.curves.energy
        # The present properties must not matter: a second start is to be the same as the first.
        mixture = self.emulator.mixture(self.emulator.arrays["centre"][None])[0]
        mean = mixture @ evaluate_curves(self.emulator.curves, energy, broadening)
        behind = find_threshold(sample_curve(energy, mean), recipe.threshold_fraction)
        maps["onset"] = prediction.onset.data - behind
        # Computed together, so that a lazy prediction needs one pass over the spectra.
        for name, predicted in zip(maps, dask.compute(*maps.values()), strict=True):
            parameter = getattr(self, name)
            start = np.where(np.isfinite(predicted), predicted, parameter.value)
            lowest = -np.inf if parameter.bmin is None else parameter.bmin
            highest = np.inf if parameter.bmax is None else parameter.bmax
            parameter.map["values"] = np.clip(start, lowest, highest)
            parameter.map["is_set"] = True
        for name in ("intensity", "broadening", "lifetime"):
            parameter = getattr(self, name)
            parameter.map["values"], parameter.map["is_set"] = parameter.value, True
        self.fetch_stored_values()

    def _mixtures(self, properties: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.emulator.mixture(properties)

    def _mixture_gradient(self) -> NDArray[np.float64]:
        # HyperSpy requests the gradients one by one; one backward pass gives all of them.
        at = tuple(parameter.value for parameter in self.parameters[len(COMMON) :])
        if self._gradient is None or self._gradient[0] != at:
            self._gradient = at, self.emulator.mixture_gradient(np.array(at))
        return self._gradient[1]


def _as_emulator(emulator: str | Path | SpectrumEmulator | BaseSignal) -> SpectrumEmulator:
    # Imported here, so that templates do not import torch.
    from hyperspy_coreloss.components.emulator import SpectrumEmulator, load_emulator

    if isinstance(emulator, BaseSignal):
        content = np.asarray(emulator.data, dtype=np.uint8).tobytes()
        return SpectrumEmulator.from_bytes(content, "The stored emulator")
    return load_emulator(emulator)
