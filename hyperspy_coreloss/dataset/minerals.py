"""Spectra of known sites and materials, by name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.dataset import excitation_energies
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

#: Structures of the shipped data set that minerals are known by: as measured by diffraction.
MINERALS = {
    "alpha-quartz": "COD-Quartz-alpha",
    "beta-quartz": "COD-Quartz-beta",
    "alpha-cristobalite": "COD-Cristobalite",
    "coesite": "COD-Coesite",
    "stishovite": "COD-Stishovite",
}

# Fine enough for the Lorentzian of the core hole, 0.2 eV wide.
_STEP = 0.05


def find_sites(dataset: SpectrumDataset, name: str) -> SpectrumDataset:
    """Return the site, or the sites of the structure, of a name.

    Parameters
    ----------
    dataset
        Computed spectra.
    name
        Of a site, of a structure, or a mineral of :data:`MINERALS`.

    Raises
    ------
    DatasetError
        If there is none.
    """
    for known, wanted in (
        (dataset.names, name),
        (dataset.structures, name),
        (dataset.structures, MINERALS.get(name)),
    ):
        found = [position for position, other in enumerate(known) if other == wanted]
        if found:
            return dataset.take(found)
    structures = sorted(set(dataset.structures))
    near = get_close_matches(name, [*MINERALS, *structures], n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    msg = (
        f"There is no site and no structure {name!r} among the {len(structures)} structures of the "
        f"data set (dataset.structures).{hint}"
    )
    raise DatasetError(msg)


def mean_spectrum(
    dataset: SpectrumDataset, name: str, energy_range: tuple[float, float] = (-5.0, 40.0)
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the spectrum of a site or structure, and its excitation energy.

    Parameters
    ----------
    dataset
        Computed spectra, with excitation energies.
    name
        As for :func:`find_sites`. Of a structure, the mean of the sites that the data set holds,
        each as often as it occurs in the crystal and at its own excitation energy.
    energy_range
        In eV from the excitation energy.

    Returns
    -------
    energy : ndarray
        In eV from the excitation energy, shape (energies,).
    spectrum : ndarray
        With the lifetime broadening only, shape (energies,).
    edge : float
        Mean excitation energy in eV.

    Raises
    ------
    DatasetError
        If there is no such site, the excitation energy is not known, or the spectrum at an energy.
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
