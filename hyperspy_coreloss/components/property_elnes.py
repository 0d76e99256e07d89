"""The component whose parameters are the properties of a site."""

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

    Its parameters are the properties: fitted beside a background, neighbouring edges and the
    plural scattering of a low-loss spectrum, they come with standard errors. The spectrum is that
    of an emulator, with gradients by automatic differentiation.

    ================ ============== ==============================================================
    Variable          Parameter      Meaning
    ================ ============== ==============================================================
    :math:`I`         intensity      Counts from -5 eV to 40 eV (the range of the emulator)
    :math:`E_0`       onset          Energy of the lowest empty state, in eV; fixed at first. On a
                                     calibrated axis it is the excitation energy.
    :math:`\sigma`    broadening     Gaussian on top of the emulator's own (standard deviation
                                     0.2 eV), in eV; fixed at first
    :math:`\Gamma`    lifetime       Lorentzian, half width at half maximum in eV; fixed at first
    ..                bond_length,   The properties, in their units; their bounds are the range of
                      bond_angle,    the training sites, and hold in every fit
                      ...
    ================ ============== ==============================================================

    The standard errors that a fit gives know about noise only. Sites of equal properties have
    different spectra, so the truth is further away than they say: :meth:`half_width` tells how far,
    and :meth:`discrepancy` what emulated spectra miss. To predict, use ``predict_properties``; a
    fit is for spectra where other things are fitted too, and for asking what a change of one
    property would do. Fix what you know, and start from a prediction (:meth:`start_from`).

    Parameters
    ----------
    emulator
        Name of a shipped emulator, path of the file of one, or one from
        :func:`~hyperspy_coreloss.train_emulator`.
    onset, intensity, broadening, lifetime : float
        First values of these parameters.
    **properties : float
        First values of properties; by default the mean of the training sites.

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
        # A model that is restored later, elsewhere, must give the same spectrum.
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
        """Return how far spectra of new phases are from the emulated one, per eV.

        The root mean square over phases that were left out of the emulator in turn, at the present
        intensity and onset; not broadened, so rather too large than too small.

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

        They tell how far fits are from the truth on phases that the emulator does not know,
        without noise, with all properties free
        (:meth:`~hyperspy_coreloss.SpectrumEmulator.half_width`).

        Parameters
        ----------
        level
            Share of true values inside, between 0 and 1.
        """
        widths = self.emulator.half_width(level)
        names = self.emulator.property_names
        return {name: float(width) for name, width in zip(names, widths, strict=True)}

    def start_from(self, prediction: CoreLossPropertySignal) -> None:
        """Start the fit of every pixel from predicted properties and their thresholds.

        Pixels without a prediction keep the present values.

        Parameters
        ----------
        prediction
            From ``predict_properties``, of the signal that the model is of.

        Raises
        ------
        SignalError
            If the component is in no model, or the prediction is of another navigation shape.
        """
        shape = None if self.model is None else self.onset.map.shape
        first = prediction.get_property_map(prediction.property_names[0])
        if shape != first.data.shape:
            msg = (
                f"A start needs the prediction for the signal of the model, shape {shape}; this "
                f"one has {first.data.shape}. Append the component to the model first."
            )
            raise SignalError(msg)
        maps = {
            name: prediction.get_property_map(name).data
            for name in self.emulator.property_names
            if name in prediction.property_names
        }
        # A threshold lies behind the lowest empty state, as far as it does in the mean spectrum
        # that is read as the spectra of the prediction were.
        recipe = recipe_of(prediction)
        broadening = np.sqrt(max(recipe.sigma**2 - self.emulator.sigma**2, 0.0))
        energy = self.emulator.curves.energy
        # The present properties must not matter: a second start is to be the same as the first.
        mixture = self.emulator.mixture(self.emulator.arrays["centre"][None])[0]
        mean = mixture @ evaluate_curves(self.emulator.curves, energy, broadening)
        behind = find_threshold(sample_curve(energy, mean), recipe.threshold_fraction)
        maps["onset"] = prediction.onset.data - behind
        # At once: of a lazy prediction all come from one pass over the spectra.
        for name, known in zip(maps, dask.compute(*maps.values()), strict=True):
            parameter = getattr(self, name)
            start = np.where(np.isfinite(known), known, parameter.value)
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
        # HyperSpy asks for the gradients one by one, and one pass gives them all.
        at = tuple(parameter.value for parameter in self.parameters[len(COMMON) :])
        if self._gradient is None or self._gradient[0] != at:
            self._gradient = at, self.emulator.mixture_gradient(np.array(at))
        return self._gradient[1]


def _as_emulator(emulator: str | Path | SpectrumEmulator | BaseSignal) -> SpectrumEmulator:
    # Here and not at the top: a template needs no torch.
    from hyperspy_coreloss.components.emulator import SpectrumEmulator, load_emulator

    if isinstance(emulator, BaseSignal):
        content = np.asarray(emulator.data, dtype=np.uint8).tobytes()
        return SpectrumEmulator.from_bytes(content, "The stored emulator")
    return load_emulator(emulator)
