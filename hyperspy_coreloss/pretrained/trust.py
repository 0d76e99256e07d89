"""Comparison of measured spectra with those of computed sites: is there any like this one?

A network answers for any spectrum, also for that of a material that it never saw. So each spectrum
is compared with those of all computed sites, as the same microscopes measure them. If none is as
near as those of other phases usually are, the spectrum is unfamiliar. If sites of different
properties are near, it is ambiguous.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.references import SPACES
from hyperspy_coreloss.spectra.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.references import References, Space

#: Level below which a spectrum is unfamiliar: the fraction of spectra of new phases, measured as in
#: the training, that are called so.
NOVELTY_LEVEL = 0.01
#: Number of nearest sites whose labels are compared.
NEAREST = 8
# Distance, in medians of those of new phases, beyond which intervals are not wider.
_FARTHEST = 100.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """How spectra compare with computed sites.

    Parameters
    ----------
    novelty
        Fraction of spectra of new phases that are as far from all sites as this one or farther (a
        p-value: small for unfamiliar spectra), shape (spectra,), float32.
    distance
        Distance of the spectrum to that of the nearest site, divided by the median of such
        distances, shape (spectra,), float32.
    ambiguity
        Standard deviation of the labels of the nearest sites in their units, shape (spectra,
        properties), float32.
    nearest
        Rows of the nearest sites among the references, the nearest first, shape (spectra, sites).
    population
        Kind of structure of the nearest site, as its place in :data:`.population.POPULATIONS`,
        shape (spectra,), uint8.
    """

    novelty: NDArray[np.float32]
    distance: NDArray[np.float32]
    ambiguity: NDArray[np.float32]
    nearest: NDArray[np.int64]
    population: NDArray[np.uint8]


def compare(
    references: References,
    spectra: NDArray[np.float32],
    layer: NDArray[np.float32],
    nearest: int = NEAREST,
) -> Comparison:
    """Compare spectra, as a network reads them, with computed sites.

    Spectra are compared by themselves, and by what the network makes of them. The smaller of the
    two fractions counts, twice because there are two.

    Parameters
    ----------
    references
        The sites.
    spectra
        Area-normalised spectra on the window, shape (spectra, window channels).
    layer
        Values of the last hidden layer of the network, shape (spectra, nodes).
    nearest
        Number of nearest sites to compare the labels of.
    """
    found, rows = distances(references.spectrum, near(references.spectrum, spectra), nearest)
    of_layer, _ = distances(references.layer, layer, 1)
    distance = found[:, 0]
    kept = _kept(references)
    spread = kept.labels[rows].std(axis=1)
    return Comparison(
        novelty=novelty([distance, of_layer[:, 0]], kept.held_out).astype(np.float32),
        distance=distance / kept.usual_distance,
        ambiguity=spread * references.label_scale,
        nearest=rows,
        population=references.populations[rows[:, 0]],
    )


class _Kept(NamedTuple):
    """Numbers of references in single precision, in which they are compared."""

    labels: NDArray[np.float32]
    held_out: list[NDArray[np.float32]]
    usual_distance: np.float32


@lru_cache(maxsize=16)
def _kept(references: References) -> _Kept:
    return _Kept(
        labels=references.labels.astype(np.float32),
        held_out=[getattr(references, space).distances.astype(np.float32) for space in SPACES],
        usual_distance=np.float32(np.median(references.spectrum.distances)),
    )


def near(space: Space, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return spectra on the first channels of their window, normalised to unit sum.

    Parameters
    ----------
    space
        Space of spectra, which tells how many channels.
    spectra
        Shape (spectra, window channels). Those of unreadable spectra are zero, and stay so.
    """
    first = spectra[:, : len(space.centre)]
    total = first.sum(axis=-1, keepdims=True)
    normalised: NDArray[np.float32] = np.divide(first, total, out=first.copy(), where=total > 0)
    return normalised


def distances(
    space: Space, vectors: NDArray[np.float32], nearest: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the distances to the nearest sites and their rows, each of shape (spectra, nearest).

    Parameters
    ----------
    space
        The sites, and the coordinates in which distances are measured.
    vectors
        What is compared of each spectrum, shape (spectra, length).
    nearest
        Number of nearest sites, the nearest first.
    """
    import torch

    from hyperspy_coreloss.pretrained.network import one_thread

    sites = _tensors(space)
    with torch.inference_mode(), one_thread():
        place = (torch.from_numpy(vectors) - sites["centre"]) @ sites["basis"]
        squares = torch.addmm(sites["square"], place, sites["coordinates"], alpha=-2.0)
        if nearest == 1:
            rows = squares.numpy().argmin(axis=1)[:, None]
            least = np.take_along_axis(squares.numpy(), rows, axis=1)
        else:
            least, rows = smallest(squares.numpy(), min(nearest, squares.shape[1]))
        least += place.square().sum(dim=1, keepdim=True).numpy()
    return np.sqrt(np.maximum(least, 0.0, out=least), out=least), rows


@compiled
def smallest(
    values: NDArray[np.float32], number: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the smallest values of each row and their columns, the smallest first.

    Parameters
    ----------
    values
        Shape (rows, columns).
    number
        How many values of each row.

    Returns
    -------
    values, columns : ndarray
        Shape (rows, number).
    """
    least = np.full((len(values), number), np.inf, dtype=values.dtype)
    columns = np.zeros((len(values), number), dtype=np.int64)
    for i in range(len(values)):
        row, found, places = values[i], least[i], columns[i]
        for column in range(len(row)):
            value = row[column]
            if value < found[-1]:
                j = number - 1
                while j > 0 and value < found[j - 1]:
                    found[j], places[j] = found[j - 1], places[j - 1]
                    j -= 1
                found[j], places[j] = value, column
    return least, columns


@lru_cache(maxsize=16)
def _tensors(space: Space) -> dict[str, torch.Tensor]:
    import torch

    coordinates = torch.tensor(space.coordinates * space.steps)
    return {
        "centre": torch.tensor(space.centre),
        "basis": torch.tensor(space.basis),
        "square": coordinates.square().sum(dim=1),
        "coordinates": coordinates.T.contiguous(),
    }


def novelty(
    found: Sequence[NDArray[np.floating]], held_out: Sequence[NDArray[np.floating]]
) -> NDArray[np.float64]:
    """Return the p-value of distances to the nearest site, from those of held-out spectra.

    Parameters
    ----------
    found
        Distances in each space, shape (spectra,).
    held_out
        Distances of held-out spectra in the same spaces, ascending.

    Returns
    -------
    ndarray
        Shape (spectra,), never zero: the smallest fraction of held-out spectra that are as far or
        farther, times the number of spaces.
    """
    fractions = []
    for distance, others in zip(found, held_out, strict=True):
        # In the precision of the distances; nothing is copied if it is theirs already.
        known = np.asarray(others, dtype=np.float32)
        farther = len(known) - np.searchsorted(known, distance)
        fractions.append((1 + farther) / (1 + len(others)))
    value: NDArray[np.float64] = np.minimum(len(fractions) * np.min(fractions, axis=0), 1.0)
    return value


def widening(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return by how much the intervals of spectra are wider that lie far from all sites.

    Errors grow with the distance to the nearest site, more slowly than in proportion.

    Parameters
    ----------
    distance
        Distance to the nearest site, divided by the median of such distances, shape (spectra,).

    Returns
    -------
    ndarray
        Factors from 1 to 10, shape (spectra, 1).
    """
    return np.sqrt(np.clip(distance, np.float32(1.0), np.float32(_FARTHEST)))[:, None]


def check_novelty_level(level: object) -> float:
    """Return a level of novelty as a number.

    Raises
    ------
    SignalError
        If it is not a number from 0 to below 1.
    """
    given = np.asarray(level)
    if given.shape or given.dtype.kind not in "iuf" or not 0 <= given < 1:
        msg = (
            "novelty_level must be a fraction from 0 to below 1, but it is "
            f"{level!r}. With 0.01, one in a hundred spectra of new phases of the trained kinds is "
            "called unfamiliar; with 0, none."
        )
        raise SignalError(msg)
    return float(given)
