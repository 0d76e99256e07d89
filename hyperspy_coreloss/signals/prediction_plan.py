"""What the options of a prediction mean for a signal: the model, the preprocessing and the mask.

Options are checked here and nowhere else, so that those of a prediction, and those that a user is
still choosing with the mouse, are read in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.dataset.reference import reference_edge
from hyperspy_coreloss.dataset.shipped import oxygen_k_sites
from hyperspy_coreloss.errors import CalibrationError, SignalError
from hyperspy_coreloss.pretrained.families import find_family
from hyperspy_coreloss.pretrained.trust import NOVELTY_LEVEL, check_novelty_level
from hyperspy_coreloss.signals.low_loss import low_loss_spectra, median_resolution
from hyperspy_coreloss.signals.metadata import elements_of
from hyperspy_coreloss.signals.navigation_mask import excluded_spectra
from hyperspy_coreloss.signals.other_edges import edges_in_window, major_edges
from hyperspy_coreloss.signals.spectrum_axis import channel_energies, limits_in_ev
from hyperspy_coreloss.spectra.broadening import check_resolution
from hyperspy_coreloss.spectra.calibration import Calibration
from hyperspy_coreloss.spectra.certainty import AxisCertainty
from hyperspy_coreloss.spectra.energy import single_energy
from hyperspy_coreloss.spectra.preparation import covers_window, prepare_surveyed, survey_axis

if TYPE_CHECKING:
    from pathlib import Path

    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.inference import LowLossSpectra
    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.spectra.preparation import Preparation
    from hyperspy_coreloss.spectra.recipe import Background, Recipe

#: Standard error in eV of an energy offset of which nothing else is said.
USUAL_ENERGY_ERROR = 0.3
# The material on which energy offsets are determined.
_USUAL_REFERENCE = "alpha-quartz"


@dataclass(frozen=True, slots=True)
class PredictionPlan:
    """What is done to each spectrum of a signal.

    Parameters
    ----------
    model
        The pretrained model.
    preparation
        Preprocessing of the spectra.
    resolution
        Energy resolution of the spectra in eV, given or measured, or None.
    low_loss
        Low-loss spectra of the pixels, or None.
    excluded
        True for each spectrum to leave out, in the order of the array of the signal, or None.
    novelty_level
        Novelty below which a spectrum is unfamiliar.
    """

    model: PretrainedModel
    preparation: Preparation
    resolution: float | None
    low_loss: LowLossSpectra | None
    excluded: NDArray | None
    novelty_level: float


def plan_prediction(
    signal: BaseSignal,
    pretrained: str | Path | PretrainedModel | None = None,
    *,
    resolution: float | None = None,
    low_loss: BaseSignal | None = None,
    background: Background = "power law",
    background_range: tuple[float, float] | None = None,
    onset_range: tuple[float, float] | None = None,
    energy_offset: float | None = None,
    energy_error: float = USUAL_ENERGY_ERROR,
    calibration: Calibration | None = None,
    navigation_mask: NDArray | BaseSignal | None = None,
    novelty_level: float = NOVELTY_LEVEL,
) -> PredictionPlan:
    """Check the options of a prediction, and return what follows from them.

    No spectra are read, but for up to 256 low-loss spectra if `resolution` is None.

    Parameters
    ----------
    signal
        Core-loss spectra.
    pretrained, resolution, low_loss, background, background_range, onset_range
        As for :func:`~hyperspy_coreloss.predict_properties`.
    energy_offset, energy_error, calibration, navigation_mask, novelty_level
        As for :func:`~hyperspy_coreloss.predict_properties`.

    Raises
    ------
    CoreLossError
        As :func:`~hyperspy_coreloss.predict_properties` does.
    """
    _check_calibration(calibration, energy_offset)
    energy = channel_energies(signal, calibration)
    low = None if low_loss is None else low_loss_spectra(low_loss, signal)
    if resolution is not None:
        resolution = check_resolution(resolution)
    elif low is not None:
        resolution = median_resolution(low)
    level = check_novelty_level(novelty_level)
    ranges: dict[str, Any] = {
        "background": background,
        "background_range": limits_in_ev(signal, background_range, "background_range", calibration),
        "onset_range": limits_in_ev(signal, onset_range, "onset_range", calibration),
    }
    family = find_family(pretrained)
    others = major_edges(elements_of(signal), family.usual.recipe.edge)
    family = family.readable(
        lambda recipe: (
            covers_window(_searched(recipe, calibration), energy, ranges["onset_range"])
            and not edges_in_window(others, recipe)
        )
    )
    if calibration is not None and resolution is None:
        resolution = calibration.resolution
    survey = survey_axis(_searched(family.usual.recipe, calibration), energy, **ranges)
    model = family.sharpest(resolution, survey.dispersion)
    added, certainty = _energy_scale(model, calibration, energy_offset, energy_error)
    preparation = prepare_surveyed(
        model.recipe,
        survey,
        resolution=0.0 if resolution is None else resolution,
        binned=signal.axes_manager.signal_axes[0].is_binned,
        energy_offset=added,
        certainty=replace(certainty, resolution_known=resolution is not None),
    )
    if low is not None:
        low = replace(low, sets_zero=calibration is None)
    excluded = excluded_spectra(signal, navigation_mask)
    return PredictionPlan(model, preparation, resolution, low, excluded, level)


def _check_calibration(calibration: Any, energy_offset: float | None) -> None:
    if calibration is None:
        return
    if not isinstance(calibration, Calibration):
        msg = (
            "calibration must be a Calibration, from hyperspy_coreloss.calibrate or "
            f"Calibration.load, but it is {calibration!r}."
        )
        raise CalibrationError(msg)
    if energy_offset is not None:
        msg = (
            f"The calibration has an energy offset of {calibration.energy_offset:.3f} eV, so "
            f"energy_offset must not be given too, but it is {energy_offset!r}. Leave one out."
        )
        raise SignalError(msg)


def _searched(recipe: Recipe, calibration: Calibration | None) -> Recipe:
    """Return the recipe that searches for the onset near the computed energy of the reference."""
    if calibration is None:
        return recipe
    if calibration.reference.edge != recipe.edge:
        msg = (
            f"The model reads {recipe.edge} edges, but the calibration is that of an "
            f"{calibration.reference.edge} edge. Calibrate on a reference with the same edge."
        )
        raise CalibrationError(msg)
    return replace(recipe, nominal_onset=calibration.reference.excitation_energy)


def _energy_scale(
    model: PretrainedModel,
    calibration: Calibration | None,
    energy_offset: float | None,
    energy_error: float,
) -> tuple[float | None, AxisCertainty]:
    """Return what the preprocessing adds to a threshold, and how well the energies are known."""
    recipe, absolute = model.recipe, model.recipe.window.origin == "absolute"
    if calibration is not None:
        # Models with an absolute window read the threshold, not the lowest empty state, at the
        # excitation energy.
        added = -calibration.reference.threshold(recipe) if absolute else 0.0
        errors = calibration.uncertainties
        return added, AxisCertainty(
            energy_error=errors["energy_offset"],
            dispersion_error=errors["dispersion"] / calibration.dispersion,
        )
    if energy_offset is None or absolute or not model.reads_conditions:
        return energy_offset, AxisCertainty()
    if not (single_energy(energy_error) or 0.0) > 0:
        msg = f"energy_error must be an energy in eV above 0, but it is {energy_error!r}."
        raise SignalError(msg)
    if single_energy(energy_offset) is None:
        msg = f"energy_offset must be a finite energy in eV, but it is {energy_offset!r}."
        raise SignalError(msg)
    threshold = reference_edge(oxygen_k_sites(), _USUAL_REFERENCE).threshold(recipe)
    return energy_offset + threshold, AxisCertainty(energy_error=float(energy_error))
