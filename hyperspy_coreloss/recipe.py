"""What is done to spectra before the network sees them, and whether it can be done.

A :class:`Recipe` belongs to a pretrained model; :func:`prepare` fixes it for one energy axis and
refuses axes that it cannot serve.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from hyperspy_coreloss.broadening import missing_broadening
from hyperspy_coreloss.energy import EnergyWindow, channel_widths
from hyperspy_coreloss.errors import EnergyRangeError, SignalError
from hyperspy_coreloss.onset import BACKGROUND_GAP, BACKGROUND_WIDTH, PEAK_RANGE, POSITION_ERROR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Background: TypeAlias = Literal["power law"] | None
Limits: TypeAlias = tuple[float, float]

# How far from the tabulated onset an uncalibrated axis may put the edge, in eV.
_SEARCH_REACH = 20.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything done to a spectrum before the network sees it, for theory and experiment alike.

    Parameters
    ----------
    window
        Energies the network reads.
    edge
        Edge the network was trained on, in HyperSpy's notation.
    nominal_onset
        Tabulated onset of the edge in eV (the one of ``exspy.utils.eels``): where to look.
    sigma
        Standard deviation of the Gaussian that the spectra are broadened with, in eV.
    threshold_fraction
        Fraction of the main peak's height at which the threshold lies.
    """

    window: EnergyWindow = field(default_factory=EnergyWindow)
    edge: str = "O_K"
    nominal_onset: float = 532.0
    sigma: float = 0.5
    threshold_fraction: float = 0.3

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dictionary."""
        return {
            "window": self.window.to_dict(),
            "edge": self.edge,
            "nominal_onset": self.nominal_onset,
            "sigma": self.sigma,
            "threshold_fraction": self.threshold_fraction,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from :meth:`to_dict`."""
        return cls(
            window=EnergyWindow.from_dict(fields["window"]),
            edge=str(fields["edge"]),
            nominal_onset=float(fields["nominal_onset"]),
            sigma=float(fields["sigma"]),
            threshold_fraction=float(fields["threshold_fraction"]),
        )


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
    if background not in ("power law", None):
        msg = f"The background must be 'power law' or None, but it is {background!r}."
        raise SignalError(msg)
    if not (np.isfinite(resolution) and resolution >= 0):
        msg = f"The resolution must be a width in eV, zero or more, but it is {resolution!r}."
        raise SignalError(msg)
    _check_energy_offset(recipe.window, energy_offset)
    descending = bool(energy[0] > energy[-1])
    ascending = energy[::-1] if descending else energy
    onsets = _onset_range(recipe, ascending, background, background_range, onset_range)
    dispersion = _dispersion(ascending, onsets)
    return Preparation(
        recipe=recipe,
        energy=tuple(ascending.tolist()),
        descending=descending,
        binned=binned,
        onset_range=onsets,
        background=background,
        background_range=background_range,
        broadening=missing_broadening(recipe.sigma, float(resolution), dispersion),
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

    It limits, with the resolution, which σ spectra can be broadened to; the σ of the recipe does
    not matter here.

    Parameters
    ----------
    recipe, energy, background, background_range, onset_range
        As in :func:`prepare`.

    Raises
    ------
    EnergyRangeError
        If the axis does not cover the window, or leaves no room for the background.
    """
    ascending = np.sort(energy)
    onsets = _onset_range(recipe, ascending, background, background_range, onset_range)
    return _dispersion(ascending, onsets)


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
