"""Splits of a data set into training, validation and test spectra.

The phase-disjoint split keeps all sites of a phase in the same subset. The subset of a phase
depends only on the hash of its name. It is therefore independent of the results of any network,
and adding data does not move a phase to another subset. The same holds for the phases that are kept
for demonstrations.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import train_test_split

from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

#: Kinds of tests: phases excluded from training; sites excluded from training; and each phase
#: predicted by the network of an ensemble that was trained without it.
PHASE_DISJOINT, RANDOM_SITE, LEFT_OUT = "phase_disjoint", "random_site", "left_out_phases"
#: Test that is reported if only one number is given.
HEADLINE = PHASE_DISJOINT

#: Fraction of the sites (random split) or phases (phase-disjoint split) in the test, and the same
#: fraction in the validation.
TEST_SHARE = 0.1
# Training, validation and test.
_SUBSETS = 3

# Places of the demonstration phases, a twentieth of all phases. None of them is a test or
# validation phase, and none has the highest or lowest label of the shipped data set. Their errors
# played no role in this choice.
_DEMONSTRATION = (0.26, 0.31)


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of the training, validation and test sites.

    Parameters
    ----------
    name
        :data:`RANDOM_SITE` or :data:`PHASE_DISJOINT`.
    train, validation, test
        Positions in the data set, each of shape (n,). Every site is in exactly one of them.
    groups
        Group number of each site, shape (sites,). Further splits of the development sites keep
        each group together.
    """

    name: str
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def development(self) -> NDArray[np.int64]:
        """Positions of the training and validation sites."""
        return np.sort(np.concatenate([self.train, self.validation]))


def random_site_split(dataset: SpectrumDataset, seed: int = 0) -> Split:
    """Split by site: a tenth of the sites for the test, and as many for validation.

    This is the split of Kiyohara et al. 2019, section 2.2. Sites of the same structure are in the
    training and in the test, so the test errors underestimate the errors for new materials.

    Parameters
    ----------
    dataset
        Spectra with labels.
    seed
        Seed of the shuffle.

    Raises
    ------
    DatasetError
        If there are fewer than three sites.
    """
    sites = np.arange(len(dataset))
    if len(sites) < _SUBSETS:
        return _checked(RANDOM_SITE, np.array_split(sites, _SUBSETS), sites)
    rest, test = train_test_split(sites, test_size=TEST_SHARE, random_state=seed)
    train, validation = train_test_split(rest, test_size=len(test), random_state=seed)
    return _checked(RANDOM_SITE, (train, validation, test), sites)


def phase_disjoint_split(dataset: SpectrumDataset) -> Split:
    """Split by phase: all sites of a phase are in the training, the validation or the test.

    Parameters
    ----------
    dataset
        Spectra with labels and phases.

    Raises
    ------
    DatasetError
        If no phase falls into the training, the validation or the test.
    """
    place = np.array([_place(phase) for phase in dataset.phases])
    test, validation = place < TEST_SHARE, (place >= TEST_SHARE) & (place < 2 * TEST_SHARE)
    subsets = [np.flatnonzero(subset) for subset in (~(test | validation), validation, test)]
    return _checked(PHASE_DISJOINT, subsets, phase_numbers(dataset))


def demonstration_phases(dataset: SpectrumDataset) -> tuple[str, ...]:
    """Return the phases of a data set that are kept for demonstrations, in alphabetical order.

    A model that is shown to others is trained without them, so that what it predicts for them is
    what it predicts for a new material. They are development phases of the phase-disjoint split: a
    study chooses settings with them.

    Parameters
    ----------
    dataset
        Spectra with labels and phases.
    """
    low, high = _DEMONSTRATION
    return tuple(sorted(p for p in set(dataset.phases) if low <= _place(p) < high))


def complete_sites(dataset: SpectrumDataset) -> NDArray[np.int64]:
    """Return the positions of the sites that have all labels, shape (sites,).

    Oxygen with one neighbour, for example, has no bond angle.

    Parameters
    ----------
    dataset
        Spectra with labels.
    """
    return np.flatnonzero(np.isfinite(dataset.targets).all(axis=-1))


def sites_without(dataset: SpectrumDataset, withheld_phases: Collection[str]) -> NDArray[np.int64]:
    """Return the positions of the sites of all other phases, shape (sites,).

    Parameters
    ----------
    dataset
        Spectra with labels and phases.
    withheld_phases
        Names of the phases to leave out.

    Raises
    ------
    DatasetError
        If the data set has no phase of such a name.
    """
    unknown = sorted(set(withheld_phases) - set(dataset.phases))
    if unknown:
        msg = (
            f"The phases to withhold must be phases of the data set, but it has no {unknown[0]!r}. "
            f"Choose from its {dataset.counts.n_phases} phases: dataset.phases."
        )
        raise DatasetError(msg)
    return np.flatnonzero(~np.isin(dataset.phases, list(withheld_phases)))


def phase_numbers(dataset: SpectrumDataset) -> NDArray[np.int64]:
    """Return a number for the phase of each site, shape (sites,)."""
    return np.unique(dataset.phases, return_inverse=True)[1]


def _place(phase: str) -> float:
    """Return a number from 0 to 1 that depends only on the name."""
    return int.from_bytes(hashlib.sha256(phase.encode()).digest()[:8], "big") / 2**64


def _checked(name: str, subsets: Sequence[NDArray[np.int64]], groups: NDArray[np.int64]) -> Split:
    if not all(len(subset) for subset in subsets):
        counts = ", ".join(str(len(subset)) for subset in subsets)
        msg = (
            f"The split {name} needs sites for training, validation and test, but it has {counts} "
            "sites. Use a data set of more sites and phases."
        )
        raise DatasetError(msg)
    train, validation, test = (np.sort(subset) for subset in subsets)
    return Split(name, train, validation, test, groups)
