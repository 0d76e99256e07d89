"""Whether spectra on an energy axis can be read by a recipe, and how.

:func:`survey_axis` finds what an axis has to offer, :func:`prepare` fixes a recipe for it. Axes
that cannot be served are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import EnergyRangeError, SignalError
from hyperspy_coreloss.spectra.broadening import missing_broadening
from hyperspy_coreloss.spectra.energy import EnergyWindow, channel_widths
from hyperspy_coreloss.spectra.onset import (
    BACKGROUND_GAP,
    BACKGROUND_WIDTH,
    PEAK_RANGE,
    POSITION_ERROR,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.recipe import Background, Limits, Recipe

# How far from the tabulated onset an uncalibrated axis may put the edge, in eV.
_SEARCH_REACH = 20.0


@dataclass(frozen=True, slots=True)
class Preparation:
    """A recipe on one energy axis: all that :func:`preprocess` needs besides the spectra.

    Made by :func:`prepare`, which checks that it can work. Small and hashable, so it travels to
    dask workers, which build and keep the operators themselves.

    Parameters
    ----------
    recipe
        What the network was trained with.
    energy
        Ascending channel energies, in eV.
    descending
        Whether the spectra come in falling order of energy.
    binned
        Whether the intensities are counts per channel (not per eV).
    onset_range
        Energies between which the onset is searched, in eV.
    background
        Kind of background to subtract, or None.
    background_range
        Fixed limits of the background fit in eV, or None to follow the edge.
    broadening
        Standard deviation of the Gaussian still missing, in eV.
    energy_offset
        What to add to a threshold on this axis to get the excitation energy, in eV; None if the
        window is counted from the threshold.
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


@dataclass(frozen=True, slots=True)
class AxisSurvey:
    """What an energy axis has to offer to the models of a family: where edges can be read on it.

    Made by :func:`survey_axis`. It does not depend on the broadening of a recipe, so that the
    model can be chosen by it.

    Parameters
    ----------
    energy
        Ascending channel energies, in eV.
    descending
        Whether the spectra come in falling order of energy.
    onset_range
        Energies between which the onset is searched, in eV.
    dispersion
        Largest channel width where edges can lie, in eV.
    background
        Kind of background to subtract, or None.
    background_range
        Fixed limits of the background fit in eV, or None to follow the edge.
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
    """Check that edges can be read on an energy axis, and find where.

    Parameters
    ----------
    recipe
        Edge and window; its broadening does not matter here.
    energy, background, background_range, onset_range
        As in :func:`prepare`.

    Raises
    ------
    EnergyRangeError
        If the axis does not cover the window, or leaves no room for the background.
    SignalError
        If there is no such kind of background.
    """
    if background not in ("power law", None):
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
    """Check that spectra on an energy axis can be read, and fix how.

    Parameters
    ----------
    recipe
        What the network was trained with.
    energy
        Channel energies in eV, rising or falling, evenly spaced or not.
    resolution
        Energy resolution of the spectra (full width at half maximum of the zero loss), in eV.
    binned
        Whether the intensities are counts per channel (not per eV).
    background
        ``"power law"``, or None for spectra without background.
    background_range
        Limits of the background fit in eV; by default up to 30 eV that end 5 eV before the edge
        of each spectrum.
    onset_range
        Energies in eV between which the onset lies; by default 20 eV around the tabulated onset.
    energy_offset
        What to add to the threshold measured on this axis to get the computed excitation energy
        of the same material, in eV. Needed for absolute windows, without meaning for others.

    Raises
    ------
    EnergyRangeError
        If the axis does not cover the window, or leaves no room for the background.
    ResolutionError
        If the dispersion or the resolution is too coarse for the recipe.
    SignalError
        If an option has no meaning, or the energy offset of an absolute window is missing.
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
) -> Preparation:
    """Fix how spectra are read, on an axis that was surveyed for a recipe of the same window.

    Parameters
    ----------
    recipe
        What the network was trained with.
    survey
        From :func:`survey_axis`.
    resolution, binned, energy_offset
        As in :func:`prepare`.

    Raises
    ------
    ResolutionError
        If the dispersion or the resolution is too coarse for the recipe.
    SignalError
        If an option has no meaning, or the energy offset of an absolute window is missing.
    """
    if not (np.isfinite(resolution) and resolution >= 0):
        msg = f"The resolution must be a width in eV, zero or more, but it is {resolution!r}."
        raise SignalError(msg)
    _check_energy_offset(recipe.window, energy_offset)
    return Preparation(
        recipe=recipe,
        energy=survey.energy,
        descending=survey.descending,
        binned=binned,
        onset_range=survey.onset_range,
        background=survey.background,
        background_range=survey.background_range,
        broadening=missing_broadening(recipe.sigma, float(resolution), survey.dispersion),
        energy_offset=None if energy_offset is None else float(energy_offset),
    )


def edge_dispersion(
    recipe: Recipe,
    energy: NDArray[np.floating],
    *,
    background: Background = "power law",
    background_range: Limits | None = None,
    onset_range: Limits | None = None,
) -> float:
    """Return the largest channel width, in eV, where edges can lie.

    It limits, with the resolution, which σ spectra can be broadened to.

    Parameters
    ----------
    recipe, energy, background, background_range, onset_range
        As in :func:`survey_axis`, whose ``dispersion`` it is.
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


def _check_energy_offset(window: EnergyWindow, energy_offset: float | None) -> None:
    if window.origin == "threshold" and energy_offset is not None:
        msg = (
            "This pretrained model counts energies from the threshold of each spectrum, so "
            f"energy_offset has no meaning, but it is {energy_offset!r}. Leave it out."
        )
        raise SignalError(msg)
    if window.origin == "absolute" and energy_offset is None:
        msg = (
            "This pretrained model reads spectra at their excitation energies, so energy_offset is "
            "needed: what to add to a threshold on your axis to get the computed excitation energy "
            "of the same material, in eV. Measure it with a material that is in the data set of "
            "the model, or use a model that counts from the threshold."
        )
        raise SignalError(msg)
    if energy_offset is not None and not np.isfinite(energy_offset):
        msg = f"energy_offset must be a finite energy in eV, but it is {energy_offset!r}."
        raise SignalError(msg)


def _onset_range(
    recipe: Recipe,
    energy: NDArray[np.floating],
    background: Background,
    background_range: Limits | None,
    onset_range: Limits | None,
) -> Limits:
    """Return where onsets can lie, or say what is missing."""
    for name, limits in (("background_range", background_range), ("onset_range", onset_range)):
        if limits is not None and not limits[0] < limits[1]:
            msg = f"{name} needs two rising energies in eV, but it is {limits!r}."
            raise EnergyRangeError(msg)
    start, stop = recipe.window.read_range
    last = energy[-1] - stop
    window_first = first = energy[0] - start
    if background is not None and background_range is None:
        first = energy[0] + BACKGROUND_GAP + BACKGROUND_WIDTH[0]
    elif background is not None and background_range is not None:
        if np.sum((energy >= background_range[0]) & (energy < background_range[1])) < 4:
            msg = (
                f"background_range {background_range[0]:g} to {background_range[1]:g} eV must "
                f"hold at least 4 channels of the spectrum, which covers {_covers(energy)}."
            )
            raise EnergyRangeError(msg)
        first = max(window_first, background_range[1])
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
            f"{' and '.join(sides)}. Measure a wider range, or say with onset_range where the "
            "onset lies on this axis."
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
    return float(max(reach[0], first)), float(min(reach[1], last))


def _covers(energy: NDArray[np.floating]) -> str:
    return f"{energy[0]:.1f} to {energy[-1]:.1f} eV"
