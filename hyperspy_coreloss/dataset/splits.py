"""Dividing a data set into training, validation and test spectra.

The honest split keeps every phase on one side. Its test phases follow from their names alone, so
that they are the same for ever: they were fixed before any network saw the data, more data move no
phase from one side to the other, and nothing was chosen by looking at them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import train_test_split

from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

#: Ways of testing: on phases that were not trained on, on sites that were not trained on, and each
#: phase by the one network of an ensemble that was trained without it.
PHASE_DISJOINT, RANDOM_SITE, LEFT_OUT = "phase_disjoint", "random_site", "left_out_phases"
#: The one that is quoted wherever there is room for one number.
HEADLINE = PHASE_DISJOINT

#: Share of the sites (random split) or phases (honest split) in the test, and in the validation.
TEST_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of the sites that are trained on, validated on and tested on.

    Parameters
    ----------
    name
        :data:`RANDOM_SITE` or :data:`PHASE_DISJOINT`.
    train, validation, test
        Positions in the data set, each shape (n,); every site is in one of them.
    groups
        What stays together, also when the development sites are divided further: a number for
        each site, shape (sites,).
    """

    name: str
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def development(self) -> NDArray[np.int64]:
        """Positions of all sites that may be looked at: those of training and validation."""
        return np.sort(np.concatenate([self.train, self.validation]))


def random_site_split(dataset: SpectrumDataset, seed: int = 0) -> Split:
    """Split by site, as the paper does: a tenth for the test, and as many for validation.

    Sites of one structure come to stand on both sides, so the errors are too small for new
    materials (Kiyohara et al. 2019, section 2.2).

    Parameters
    ----------
    dataset
        Spectra with labels.
    seed
        Seed of the shuffle.
    """
    sites = np.arange(len(dataset))
    rest, test = train_test_split(sites, test_size=TEST_SHARE, random_state=seed)
    train, validation = train_test_split(rest, test_size=len(test), random_state=seed)
    return _checked(RANDOM_SITE, (train, validation, test), sites)


def phase_disjoint_split(dataset: SpectrumDataset) -> Split:
    """Split by phase: each phase is in the training, the validation or the test.

    Parameters
    ----------
    dataset
        Spectra with labels and phases.
    """
    place = np.array([_place(phase) for phase in dataset.phases])
    test, validation = place < TEST_SHARE, (place >= TEST_SHARE) & (place < 2 * TEST_SHARE)
    parts = [np.flatnonzero(part) for part in (~(test | validation), validation, test)]
    return _checked(PHASE_DISJOINT, parts, phase_numbers(dataset))


def phase_numbers(dataset: SpectrumDataset) -> NDArray[np.int64]:
    """Return a number for the phase of each site, shape (sites,)."""
    return np.unique(dataset.phases, return_inverse=True)[1]


def _place(phase: str) -> float:
    """Number from 0 to 1 that depends on nothing but the name."""
    return int.from_bytes(hashlib.sha256(phase.encode()).digest()[:8], "big") / 2**64


def _checked(name: str, parts: Sequence[NDArray[np.int64]], groups: NDArray[np.int64]) -> Split:
    if not all(len(part) for part in parts):
        counts = ", ".join(str(len(part)) for part in parts)
        msg = (
            f"The split {name} needs sites for training, validation and test, but has {counts}. "
            "Use a data set of more sites and phases."
        )
        raise DatasetError(msg)
    train, validation, test = (np.sort(part) for part in parts)
    return Split(name, train, validation, test, groups)
