"""Network inputs from computed spectra, and the default recipe and absolute window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.dataset import excitation_energies
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import Inputs, preprocess
from hyperspy_coreloss.spectra.quality import Quality
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

# Axis of the computed spectra, in eV relative to the lowest empty state: first energy, distance of
# the last energy from the end of the window, and step; and the range of the threshold.
_AXIS = (-15.0, 25.0, 0.05)
_THRESHOLD_RANGE = (-5.0, 8.0)

# Margin of an absolute window around the excitation energies of a data set, in eV.
_WINDOW_MARGIN = 1.0


def network_inputs(dataset: SpectrumDataset, recipe: Recipe) -> NDArray[np.float32]:
    """Preprocess computed spectra in the same way as measured spectra without background.

    In an absolute window, the threshold of each spectrum lies at the excitation energy of its
    site.

    Parameters
    ----------
    dataset
        Computed spectra.
    recipe
        Parameters of the preprocessing.

    Returns
    -------
    ndarray
        Preprocessed spectra, shape (sites, window channels).

    Raises
    ------
    DatasetError
        If a spectrum has no threshold in the expected range, does not fit into an absolute window,
        or lacks the excitation energy that an absolute window requires.
    """
    return _preprocessed(dataset, recipe).spectra


def site_thresholds(dataset: SpectrumDataset, recipe: Recipe) -> NDArray[np.float64]:
    """Return the threshold of each computed spectrum, relative to its lowest empty state.

    Parameters
    ----------
    dataset, recipe
        See :func:`network_inputs`, which raises the same errors.

    Returns
    -------
    ndarray
        Thresholds in eV, shape (sites,).
    """
    onset = _preprocessed(dataset, recipe).onset.astype(np.float64)
    return onset - recipe.nominal_onset


def _preprocessed(dataset: SpectrumDataset, recipe: Recipe) -> Inputs:
    """Return the network inputs of computed spectra.

    The lowest empty state of each site is placed at the nominal onset.
    """
    absolute = recipe.window.origin == "absolute"
    excitation = excitation_energies(dataset) if absolute else None
    first, last = dataset.energy_range
    stop = min(recipe.window.read_range[1] + _AXIS[1], last)
    energy = np.arange(max(_AXIS[0], first), stop, _AXIS[2])
    low, high = np.add(recipe.nominal_onset, _THRESHOLD_RANGE).tolist()
    inputs = Inputs(
        np.empty((len(dataset), recipe.window.n_channels), dtype=np.float32),
        np.empty(len(dataset), dtype=np.float32),
        np.empty(len(dataset), dtype=np.uint8),
        np.zeros(len(dataset), dtype=np.uint16),
        np.full(len(dataset), np.nan, dtype=np.float32),
    )
    # Samples are broadened already; the remaining broadening is the difference in quadrature.
    for sigma in np.unique(dataset.sigma):
        rows = np.flatnonzero(dataset.sigma == sigma)
        preparation = prepare(
            recipe,
            energy + recipe.nominal_onset,
            resolution=float(sigma) * FWHM_PER_SIGMA,
            background=None,
            onset_range=(low, high),
            # The value is not used: each computed spectrum has its own excitation energy.
            energy_offset=0.0 if absolute else None,
        )
        prepared = preprocess(
            dataset.take(rows).spectra(energy),
            preparation,
            None if excitation is None else excitation[rows],
        )
        inputs.spectra[rows] = prepared.spectra
        inputs.onset[rows] = prepared.onset
        inputs.quality[rows] = prepared.quality
    bad = np.flatnonzero(inputs.quality != Quality.GOOD)
    if bad.size:
        reason = Quality(int(inputs.quality[bad[0]])).reason
        msg = (
            f"{bad.size} of {len(dataset)} spectra cannot be read. The first one is "
            f"{dataset.names[bad[0]]}: {reason}. Correct these spectra or leave them out."
        )
        raise DatasetError(msg)
    return inputs


def default_recipe(dataset: SpectrumDataset) -> Recipe:
    """Return the recipe of Kiyohara et al. 2019 for the edge of a data set.

    Parameters
    ----------
    dataset
        Computed spectra of one edge.

    Raises
    ------
    DatasetError
        If eXSpy does not tabulate the edge.
    """
    from exspy.material import elements  # This import takes seconds.

    element, _, shell = dataset.edge.partition("_")
    try:
        shells = elements[element].Atomic_properties.Binding_energies
        onset = float(shells[shell].onset_energy_eV)
    except (AttributeError, KeyError, TypeError) as error:
        msg = (
            f"The onset of the edge {dataset.edge!r} is not tabulated in eXSpy. Pass recipe= with "
            "its nominal_onset."
        )
        raise DatasetError(msg) from error
    return Recipe(edge=dataset.edge, nominal_onset=onset)


def absolute_window(
    dataset: SpectrumDataset, around: tuple[float, float] = EnergyWindow().read_range
) -> EnergyWindow:
    """Return the window in which the spectra of a data set lie at their excitation energies.

    The window contains the range `around` all excitation energies of the data set, and a margin of
    1 eV on either side. Each spectrum is read in the range `around` its threshold; the rest of the
    window is zero (Kiyohara et al. 2019, figure 5).

    Parameters
    ----------
    dataset
        Computed spectra with excitation energies.
    around
        Energy range in which a spectrum is read, in eV relative to its threshold. The default is
        that of Kiyohara et al. 2019, -1 eV to 15 eV.

    Raises
    ------
    DatasetError
        If an excitation energy is missing.

    Examples
    --------
    >>> from hyperspy_coreloss.data import oxygen_k_sites
    >>> from hyperspy_coreloss.spectra.recipe import Recipe
    >>> window = absolute_window(oxygen_k_sites())
    >>> Recipe(window=window).window.origin
    'absolute'
    """
    energies = excitation_energies(dataset)
    step, (low, high) = EnergyWindow().step, around
    first = np.floor((energies.min() + low - _WINDOW_MARGIN) / step)
    last = np.ceil((energies.max() + high + _WINDOW_MARGIN) / step)
    # Multiples of 0.1 have no exact binary form.
    start, stop = (round(float(edge * step), 6) for edge in (first, last))
    return EnergyWindow(start, stop, step, origin="absolute", around=around)
