"""Selection of sites by name or population, and mean spectra of structures and minerals."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.dataset import excitation_energies
from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

#: Names of minerals, and their structures in the shipped data set, as measured by diffraction.
MINERALS = {
    "alpha-quartz": "COD-Quartz-alpha",
    "beta-quartz": "COD-Quartz-beta",
    "alpha-cristobalite": "COD-Cristobalite",
    "coesite": "COD-Coesite",
    "stishovite": "COD-Stishovite",
}

#: Name of the mean of all sites of the population of glass.
AMORPHOUS_SILICA = "amorphous silica"

# Step in eV that resolves the Lorentzian of the core hole, whose full width is 0.2 eV.
_STEP = 0.05


def find_sites(dataset: SpectrumDataset, name: str) -> SpectrumDataset:
    """Return the site, or all sites of the structure or mineral, with a given name.

    Parameters
    ----------
    dataset
        Computed spectra.
    name
        Name of a site, of a structure, or of a mineral of :data:`MINERALS`, or
        ``"amorphous silica"`` for all sites of the population of glass.

    Raises
    ------
    DatasetError
        If no site has this name, or there is no glass.
    """
    if name == AMORPHOUS_SILICA:
        return _glass(dataset)
    for names, wanted in (
        (dataset.names, name),
        (dataset.structures, name),
        (dataset.structures, MINERALS.get(name)),
    ):
        matches = [position for position, other in enumerate(names) if other == wanted]
        if matches:
            return dataset.take(matches)
    structures = sorted(set(dataset.structures))
    near = get_close_matches(name, [*MINERALS, AMORPHOUS_SILICA, *structures], n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    msg = (
        f"No site, structure or mineral of the data set is called {name!r}. Choose one of the "
        f"{len(structures)} structures in dataset.structures.{hint}"
    )
    raise DatasetError(msg)


def _glass(dataset: SpectrumDataset) -> SpectrumDataset:
    if "glass" not in dataset.populations:
        found = ", ".join(dict.fromkeys(dataset.populations))
        msg = (
            f"{AMORPHOUS_SILICA!r} is the mean of the sites of the population 'glass', but this "
            f"data set has no such sites (it has: {found}). Use a crystal that it has, such as "
            "'alpha-quartz', or a data set with glass."
        )
        raise DatasetError(msg)
    return dataset.of_population("glass")


def typical_sites(dataset: SpectrumDataset) -> SpectrumDataset:
    """Return the most usual site of each population, that whose labels are nearest to the medians.

    Parameters
    ----------
    dataset
        Computed spectra.

    Returns
    -------
    SpectrumDataset
        One site for each population that occurs, in the order of
        :data:`.population.POPULATIONS`.
    """
    targets, populations = dataset.targets, np.array(dataset.populations)
    known = np.isfinite(targets)
    values = np.where(known, targets, 0.0)
    number = np.maximum(known.sum(axis=0), 1)
    mean = values.sum(axis=0) / number
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / number)
    chosen = []
    for name in POPULATIONS:
        rows = np.flatnonzero(populations == name)
        if not len(rows):
            continue
        far = np.zeros(len(rows))
        for column in np.flatnonzero(spread):
            own = targets[rows, column]
            if np.isfinite(own).any():
                apart = np.abs(own - np.median(own[np.isfinite(own)])) / spread[column]
                far += np.where(np.isfinite(apart), apart, 1.0)
        chosen.append(int(rows[far.argmin()]))
    return dataset.take(chosen)


def mean_spectrum(
    dataset: SpectrumDataset, name: str, energy_range: tuple[float, float] = (-5.0, 40.0)
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the mean spectrum of a site, structure or mineral, and its excitation energy.

    Parameters
    ----------
    dataset
        Computed spectra with excitation energies.
    name
        Name of a site, structure or mineral, see :func:`find_sites`. For a structure, the spectra
        of its sites are weighted by their multiplicity in the crystal. Each lies at its own
        excitation energy.
    energy_range
        Range of the spectrum in eV, relative to the mean excitation energy.

    Returns
    -------
    energy : ndarray
        Energies in eV, relative to the mean excitation energy, shape (energies,).
    spectrum : ndarray
        Spectrum with lifetime broadening only, shape (energies,).
    edge : float
        Mean excitation energy in eV.

    Raises
    ------
    DatasetError
        If no site has this name, an excitation energy is missing, or a spectrum does not cover
        `energy_range`.
    """
    sites = find_sites(dataset, name)
    weights = np.array([float(site.details.get("multiplicity", 1)) for site in sites.sites])
    weights /= weights.sum()
    edges = excitation_energies(sites)
    edge = float(weights @ edges)
    low, high = energy_range
    energy = np.arange(low, high + _STEP / 2, _STEP)
    spectra = sites.spectra(energy - (edges - edge)[:, np.newaxis])
    return energy, weights @ spectra, edge
