"""Settings of the preprocessing for one energy axis.

:func:`survey_axis` determines where edges can be read on an axis. :func:`prepare` combines the
result with a recipe. Both raise an error if an axis does not fulfil the requirements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import EnergyRangeError, SignalError
from hyperspy_coreloss.spectra.broadening import check_resolution, missing_broadening
from hyperspy_coreloss.spectra.certainty import AxisCertainty
from hyperspy_coreloss.spectra.edges import (
    BACKGROUND_GAP,
    BACKGROUND_WIDTH,
    POSITION_ERROR,
)
from hyperspy_coreloss.spectra.energy import EnergyWindow, channel_widths, single_energy
from hyperspy_coreloss.spectra.onset import PEAK_RANGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.recipe import Background, Limits, Recipe

# Largest distance of the edge on an uncalibrated axis from the tabulated onset, in eV.
_SEARCH_REACH = 20.0
# An axis covers a window if the edge may lie so far above the tabulated onset, in eV.
_ROOM = 10.0


@dataclass(frozen=True, slots=True)
class Preparation:
    """Settings of :func:`preprocess` for one energy axis.

    :func:`prepare` checks the settings and creates the instance. It is small and hashable, so that
    it can be sent to dask workers, which compute and cache the operators.

    Parameters
    ----------
    recipe
        Preprocessing that the network is trained with.
    energy
        Ascending channel energies, in eV.
    descending
        Whether the channels of the spectra are in descending order of energy.
    binned
        Whether the intensities are counts per channel (not per eV).
    onset_range
        Energies between which the onset is searched for, in eV.
    background
        Background model to subtract, or None.
    background_range
        Fixed limits of the background fit in eV, or None for limits relative to the edge.
    broadening
        Standard deviation of the Gaussian to convolve the spectra with, in eV.
    energy_offset
        Energy in eV to add to a threshold on this axis to obtain the excitation energy. It is None
        if the window is relative to the threshold and the energy zero is not known.
    certainty
        How well the energies are known.
    """

    recipe: Recipe
    energy: tuple[float, ...]
    descending: bool
    binned: bool
    onset_range: Limits
    background: Background
    background_range: Limits | None
    broadening: float
    energy_offset: float | None
    certainty: AxisCertainty = field(default_factory=AxisCertainty)


@dataclass(frozen=True, slots=True)
class AxisSurvey:
    """The range of an energy axis in which edges can be read, from :func:`survey_axis`.

    It does not depend on the broadening of the recipe, so that it can be computed before a model
    of a suitable broadening is selected.

    Parameters
    ----------
    energy
        Ascending channel energies, in eV.
    descending
        Whether the channels of the spectra are in descending order of energy.
    onset_range
        Energies between which the onset is searched for, in eV.
    dispersion
        Largest channel width in the range where edges can lie, in eV.
    background
        Background model to subtract, or None.
    background_range
        Fixed limits of the background fit in eV, or None for limits relative to the edge.
    """

    energy: tuple[float, ...]
    descending: bool
    onset_range: Limits
    dispersion: float
    background: Background
    background_range: Limits | None


def survey_axis(
    recipe: Recipe,
    energy: NDArray[np.floating],
    *,
    background: Background = "power law",
    background_range: Limits | None = None,
    onset_range: Limits | None = None,
) -> AxisSurvey:
    """Check that edges can be read on an energy axis, and return in which range.

    Parameters
    ----------
    recipe
        Preprocessing whose edge and window are used. Its broadening is not used.
    energy, background, background_range, onset_range
        See :func:`prepare`.

    Raises
    ------
    EnergyRangeError
        If the axis does not cover the window or the pre-edge region of the background fit.
    SignalError
        If `background` is neither ``"power law"`` nor None.
    """
    if not (background is None or (isinstance(background, str) and background == "power law")):
        msg = f"The background must be 'power law' or None, but it is {background!r}."
        raise SignalError(msg)
    descending = bool(energy[0] > energy[-1])
    ascending = energy[::-1] if descending else energy
    onsets = _onset_range(recipe, ascending, background, background_range, onset_range)
    return AxisSurvey(
        energy=tuple(ascending.tolist()),
        descending=descending,
        onset_range=onsets,
        dispersion=_dispersion(ascending, onsets),
        background=background,
        background_range=background_range,
    )


def prepare(
    recipe: Recipe,
    energy: NDArray[np.floating],
    *,
    resolution: float = 0.0,
    binned: bool = True,
    background: Background = "power law",
    background_range: Limits | None = None,
    onset_range: Limits | None = None,
    energy_offset: float | None = None,
) -> Preparation:
    """Check that spectra on an energy axis can be preprocessed, and return the settings.

    Parameters
    ----------
    recipe
        Preprocessing that the network is trained with.
    energy
        Channel energies in eV, ascending or descending, evenly spaced or not.
    resolution
        Energy resolution of the spectra (full width at half maximum of the zero-loss peak), in eV.
    binned
        Whether the intensities are counts per channel (not per eV).
    background
        ``"power law"``, or None for spectra without background.
    background_range
        Limits of the background fit in eV. By default the range ends 5 eV before the edge of each
        spectrum and is up to 30 eV wide.
    onset_range
        Energies in eV between which the onset lies. The default is the tabulated onset ± 20 eV.
    energy_offset
        Energy in eV to add to the threshold measured on this axis to obtain the computed
        excitation energy of the same material. Absolute windows require it; windows relative to
        the threshold do not accept it.

    Raises
    ------
    EnergyRangeError
        If the axis does not cover the window or the pre-edge region of the background fit.
    ResolutionError
        If the dispersion or the resolution is too coarse for the recipe.
    SignalError
        If an option is invalid, or the energy offset of an absolute window is missing.
    """
    survey = survey_axis(
        recipe,
        energy,
        background=background,
        background_range=background_range,
        onset_range=onset_range,
    )
    return prepare_surveyed(
        recipe, survey, resolution=resolution, binned=binned, energy_offset=energy_offset
    )


def prepare_surveyed(
    recipe: Recipe,
    survey: AxisSurvey,
    *,
    resolution: float = 0.0,
    binned: bool = True,
    energy_offset: float | None = None,
    certainty: AxisCertainty | None = None,
) -> Preparation:
    """Return the settings of the preprocessing for an axis that has been surveyed.

    Parameters
    ----------
    recipe
        Preprocessing that the network is trained with.
    survey
        Result of :func:`survey_axis` for a recipe with the same window.
    resolution, binned, energy_offset
        See :func:`prepare`.
    certainty
        How well the energies are known. By default, the energy zero is not known.

    Raises
    ------
    ResolutionError
        If the dispersion or the resolution is too coarse for the recipe.
    SignalError
        If an option is invalid, or the energy offset of an absolute window is missing.
    """
    resolution = check_resolution(resolution)
    certainty = AxisCertainty() if certainty is None else certainty
    _check_energy_offset(recipe.window, energy_offset, certainty)
    return Preparation(
        recipe=recipe,
        energy=survey.energy,
        descending=survey.descending,
        binned=binned,
        onset_range=survey.onset_range,
        background=survey.background,
        background_range=survey.background_range,
        broadening=missing_broadening(recipe.sigma, resolution, survey.dispersion),
        energy_offset=None if energy_offset is None else float(energy_offset),
        certainty=certainty,
    )


def covers_window(
    recipe: Recipe, energy: NDArray[np.floating], onset_range: Limits | None = None
) -> bool:
    """Return whether an axis reaches to the end of a window, wherever the edge may lie.

    Parameters
    ----------
    recipe
        Preprocessing whose edge and window are used.
    energy
        Channel energies in eV, in any order.
    onset_range
        Energies in eV between which the onset lies. By default it lies up to 10 eV above the
        tabulated onset.
    """
    highest = recipe.nominal_onset + _ROOM if onset_range is None else max(onset_range)
    return bool(energy.max() >= highest + recipe.window.read_range[1])


def edge_dispersion(
    recipe: Recipe,
    energy: NDArray[np.floating],
    *,
    background: Background = "power law",
    background_range: Limits | None = None,
    onset_range: Limits | None = None,
) -> float:
    """Return the largest channel width in the range where edges can lie, in eV.

    This width and the energy resolution limit the σ to which spectra can be broadened.

    Parameters
    ----------
    recipe, energy, background, background_range, onset_range
        See :func:`survey_axis`. The result is the ``dispersion`` of its survey.
    """
    return survey_axis(
        recipe,
        energy,
        background=background,
        background_range=background_range,
        onset_range=onset_range,
    ).dispersion


def _dispersion(energy: NDArray[np.floating], onsets: Limits) -> float:
    used = (energy >= onsets[0] - POSITION_ERROR) & (energy <= onsets[1] + PEAK_RANGE)
    return float(channel_widths(energy)[used].max())


def _check_energy_offset(
    window: EnergyWindow, energy_offset: float | None, certainty: AxisCertainty
) -> None:
    relative = window.origin == "threshold"
    if relative and energy_offset is not None and certainty.energy_error is None:
        msg = (
            "This pretrained model reads energies relative to the threshold of each spectrum, so "
            f"energy_offset has no meaning, but it is {energy_offset!r}. Leave it out."
        )
        raise SignalError(msg)
    if window.origin == "absolute" and energy_offset is None:
        msg = (
            "This pretrained model reads spectra at their excitation energies, so energy_offset is "
            "needed: the energy in eV to add to a threshold on your axis to obtain the computed "
            "excitation energy of the same material. Calibrate on a material of the model's data "
            "set instead, hyperspy_coreloss.calibrate(reference, 'alpha-quartz'), and pass "
            "calibration=, or use a model that reads energies relative to the threshold."
        )
        raise SignalError(msg)
    if energy_offset is not None and single_energy(energy_offset) is None:
        msg = f"energy_offset must be a finite energy in eV, but it is {energy_offset!r}."
        raise SignalError(msg)


def _onset_range(
    recipe: Recipe,
    energy: NDArray[np.floating],
    background: Background,
    background_range: Limits | None,
    onset_range: Limits | None,
) -> Limits:
    """Return the range in which onsets can lie, or raise an error if the axis is too short."""
    for name, limits in (("background_range", background_range), ("onset_range", onset_range)):
        if limits is not None and not limits[0] < limits[1]:
            msg = (
                f"{name} needs two rising energies in eV, but it is {limits!r}. Give the lower "
                "energy first."
            )
            raise EnergyRangeError(msg)
    start, stop = recipe.window.read_range
    last = energy[-1] - stop
    window_first = first = energy[0] - start
    fitted = None if background is None else background_range
    if background is not None and fitted is None:
        first = energy[0] + BACKGROUND_GAP + BACKGROUND_WIDTH[0]
    elif fitted is not None and np.sum((energy >= fitted[0]) & (energy < fitted[1])) < 4:
        msg = (
            f"background_range {fitted[0]:g} to {fitted[1]:g} eV must contain at least 4 channels "
            f"of the spectrum, but the spectrum covers {_covers(energy)}. Choose a wider range "
            "within the spectrum."
        )
        raise EnergyRangeError(msg)
    if onset_range is None:
        wanted = (recipe.nominal_onset, recipe.nominal_onset)
        reach = (recipe.nominal_onset - _SEARCH_REACH, recipe.nominal_onset + _SEARCH_REACH)
        where = f"near {recipe.nominal_onset:g} eV"
    else:
        wanted = reach = (float(onset_range[0]), float(onset_range[1]))
        where = f"between {reach[0]:g} and {reach[1]:g} eV"
    low, high = window_first - wanted[1], wanted[0] - last
    if low > 0 or high > 0:
        sides = [
            f"{missing:.1f} eV are missing on the {side} side"
            for missing, side in ((low, "low"), (high, "high"))
            if missing > 0
        ]
        msg = (
            f"The window of {start:g} to {stop:g} eV around an {recipe.edge} onset "
            f"{where} must be covered, but the spectrum covers {_covers(energy)}: "
            f"{' and '.join(sides)}. Measure a wider range, or set onset_range to the range of "
            "the onset on this axis."
        )
        raise EnergyRangeError(msg)
    if first > wanted[1]:
        msg = (
            f"The background of an {recipe.edge} onset {where} needs a pre-edge region from "
            f"{wanted[1] - (first - energy[0]):.1f} eV, but the spectrum covers "
            f"{_covers(energy)}: {first - wanted[1]:.1f} eV are missing on the low side. "
            "Measure from lower energies, give background_range, or pass background=None if the "
            "background is already subtracted."
        )
        raise EnergyRangeError(msg)
    begin, end = max(reach[0], first), min(reach[1], last)
    if fitted is not None:
        begin = max(begin, fitted[1])
        if begin > end:
            msg = (
                "background_range must end before the onset, which is searched for up to "
                f"{end:g} eV, but it ends at {fitted[1]:g} eV. Give a lower end, or "
                "onset_range."
            )
            raise EnergyRangeError(msg)
    return float(begin), float(end)


def _covers(energy: NDArray[np.floating]) -> str:
    return f"{energy[0]:.1f} to {energy[-1]:.1f} eV"
