"""The computed sites that a model compares spectra with, from the spectra that it is trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.pretrained.network import last_layer
from hyperspy_coreloss.pretrained.quantised import quantise
from hyperspy_coreloss.pretrained.references import SPACES, References, Space
from hyperspy_coreloss.pretrained.trust import distances, near, widening
from hyperspy_coreloss.training.side_by_side import input_scales

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.energy import EnergyWindow

# Spectra are compared up to this many eV above the threshold: farther on, they differ by how far
# away neighbours are, and by the thickness and the calibration, more than by the material.
_NEAR = 40.0
# Coordinates in which spectra are compared: more hold noise. Like the range, chosen by how many
# spectra of the foreign oxides were noticed at the same level; 24 to 32 differ little up to 25 eV.
_COORDINATES = 24
# Smallest variance of a coordinate, relative to the largest: smaller ones are those of rounding.
_SMALLEST = 1e-4


@dataclass(frozen=True, slots=True)
class SiteSpectra:
    """Measured spectra of sites, as a network reads them.

    Parameters
    ----------
    read
        Network inputs, shape (spectra, inputs), the auxiliary ones last.
    first
        First site of each spectrum, shape (spectra,).
    mixed
        Whether each spectrum is a mean over several sites, shape (spectra,).
    thick
        Whether each spectrum is of a thicker specimen than the microscope measures, shape
        (spectra,). Such spectra are no references.
    """

    read: NDArray[np.float32]
    first: NDArray[np.integer]
    mixed: NDArray[np.bool_]
    thick: NDArray[np.bool_]

    def of(self, chosen: NDArray[np.bool_]) -> SiteSpectra:
        """Return the spectra of the chosen sites, shape (sites,)."""
        return self._kept(chosen[self.first])

    def usual(self) -> SiteSpectra:
        """Return the spectra of specimens as the microscope measures them."""
        return self._kept(~self.thick)

    def _kept(self, rows: NDArray[np.bool_]) -> SiteSpectra:
        return SiteSpectra(self.read[rows], self.first[rows], self.mixed[rows], self.thick[rows])


@dataclass(frozen=True, slots=True)
class LabelledSites:
    """Sites of a training.

    Parameters
    ----------
    targets
        Labels, shape (sites, properties). Sites without all of them are no references.
    folds
        Fold of each site, shape (sites,).
    positions
        Position of each site in the data set, shape (sites,).
    populations
        Population of each site, from :func:`.population_codes`, shape (sites,).
    """

    targets: NDArray[np.floating]
    folds: NDArray[np.integer]
    positions: NDArray[np.integer]
    populations: NDArray[np.uint8]


def site_references(
    weights: Mapping[str, NDArray],
    training: SiteSpectra,
    held_out: SiteSpectra,
    window: EnergyWindow,
    sites: LabelledSites,
) -> tuple[References, NDArray[np.float32]]:
    """Return the sites to compare spectra with, and by how much held-out intervals are wider.

    Parameters
    ----------
    weights
        Networks of :func:`~hyperspy_coreloss.training.side_by_side.train_side_by_side`: one without
        each fold, and one on all sites, which the references are for.
    training, held_out
        Spectra that the networks are trained on, and others of the same sites.
    window
        Window of the spectra.
    sites
        The sites. Held-out spectra are compared with those of other folds, by the network of their
        fold, like spectra of new phases.

    Returns
    -------
    references : References
        All sites that have spectra.
    wider : ndarray
        Factors from :func:`~hyperspy_coreloss.pretrained.trust.widening`, shape (held-out spectra,
        1).
    """
    references = references_by_fold(weights, training, window, sites)
    found = distances_by_fold(references, weights, held_out, window, sites.folds)
    everything = references_without(
        len(weights["input_mean"]) - 1, weights, training, window, sites
    )
    calibrated = {
        space: replace(getattr(everything, space), distances=_sorted(found[space]))
        for space in SPACES
    }
    wider = widening(found["spectrum"] / np.median(found["spectrum"]))
    return replace(everything, **calibrated), wider


def _sorted(found: NDArray[np.float32]) -> NDArray[np.float16]:
    return np.sort(np.minimum(found, np.finfo(np.float16).max)).astype(np.float16)


def references_by_fold(
    weights: Mapping[str, NDArray],
    training: SiteSpectra,
    window: EnergyWindow,
    sites: LabelledSites,
) -> dict[int, References]:
    """Return for each fold the sites of the others, by the network that was trained without it.

    Parameters
    ----------
    weights, training, window, sites
        As for :func:`site_references`.
    """
    return {
        int(fold): references_without(int(fold), weights, training, window, sites)
        for fold in np.unique(sites.folds)
    }


def distances_by_fold(
    references: Mapping[int, References],
    weights: Mapping[str, NDArray],
    measured: SiteSpectra,
    window: EnergyWindow,
    folds: NDArray[np.integer],
) -> dict[str, NDArray[np.float32]]:
    """Return the distance of each spectrum to the nearest site of another fold, by space.

    Parameters
    ----------
    references
        From :func:`references_by_fold`.
    weights, window
        As for :func:`site_references`.
    measured
        Spectra of the sites.
    folds
        Fold of each site, shape (sites,).
    """
    own = folds[measured.first]
    found = {space: np.empty(len(own), dtype=np.float32) for space in SPACES}
    for fold in np.unique(own):
        rows, known, read = own == fold, references[int(fold)], measured.read[own == fold]
        spectra = near(known.spectrum, read[:, : window.n_channels])
        found["spectrum"][rows] = distances(known.spectrum, spectra, 1)[0][:, 0]
        layer = _layer(int(fold), weights, read)
        found["layer"][rows] = distances(known.layer, layer, 1)[0][:, 0]
    return found


def references_without(
    fold: int,
    weights: Mapping[str, NDArray],
    training: SiteSpectra,
    window: EnergyWindow,
    sites: LabelledSites,
) -> References:
    """Return the sites of other folds, without distances of spectra of new phases.

    Parameters
    ----------
    fold
        Number of the fold, and of the network that was trained without it.
    weights, training, window, sites
        As for :func:`site_references`.
    """
    chosen = np.isfinite(sites.targets).all(axis=-1) & (sites.folds != fold)
    spectra = training.usual().of(chosen)
    rows, site_of = np.unique(spectra.first[~spectra.mixed], return_inverse=True)
    stop = min(window.stop, _NEAR)
    channels = min(round((stop - window.start) / window.step), window.n_channels)
    first = spectra.read[:, :channels]
    vectors = {
        "spectrum": first / first.sum(axis=-1, keepdims=True),
        "layer": _layer(fold, weights, spectra.read),
    }
    spread = sites.targets[rows].std(axis=0)
    spread[spread == 0] = 1.0
    return References(
        **{name: _space(each, ~spectra.mixed, site_of) for name, each in vectors.items()},
        labels=((sites.targets[rows] - sites.targets[rows].mean(axis=0)) / spread).astype("f2"),
        label_scale=spread.astype(np.float32),
        sites=sites.positions[rows].astype(np.int32),
        populations=sites.populations[rows],
        region_errors=np.zeros((1, sites.targets.shape[1]), dtype=np.float32),  # not measured yet
    )


def _layer(
    network: int, weights: Mapping[str, NDArray], read: NDArray[np.float32]
) -> NDArray[np.float32]:
    one = {name: array[network : network + 1] for name, array in weights.items()}
    return last_layer(one, read)[0]


def _space(
    vectors: NDArray[np.float32], single: NDArray[np.bool_], site_of: NDArray[np.integer]
) -> Space:
    """Return the coordinates of sites: means over the vectors of spectra of single sites."""
    length = vectors.shape[1]
    centre, scale = input_scales(vectors, length)
    differences = (vectors - centre) / scale
    variances, directions = np.linalg.eigh(np.cov(differences, rowvar=False).reshape(length, -1))
    # Some nodes of a layer may be silent.
    kept = variances > _SMALLEST * variances[-1]
    kept[: max(length - _COORDINATES, 0)] = False
    basis = (directions[:, kept] / np.sqrt(variances[kept])).astype(np.float32)
    total = np.zeros((site_of.max() + 1, basis.shape[1]))
    np.add.at(total, site_of, (differences @ basis)[single])
    coordinates, steps = quantise(total / np.bincount(site_of)[:, None], axis=0)
    return Space(
        centre=centre,
        basis=(basis / scale[:, None]).astype(np.float32),
        coordinates=coordinates,
        steps=steps,
        distances=np.ones(1, dtype=np.float16),  # until they are compared with new phases
    )
