"""The computed sites of a training, which spectra are compared with, as arrays of a model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from hyperspy_coreloss.read_only import read_only

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

#: Beginning of the names of the arrays in the file of a model.
PREFIX = "references."
#: Names of the two spaces of :class:`References`.
SPACES = ("spectrum", "layer")
_OF_SITES = ("labels", "label_scale", "sites", "populations", "region_errors")


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Coordinates in which spectra are compared with computed sites.

    Parameters
    ----------
    centre
        Mean of the vectors of the training, shape (length,).
    basis
        Matrix that gives the coordinates of a difference from `centre`, shape (length,
        coordinates). The vectors of the training have uncorrelated coordinates of unit variance.
    coordinates
        Mean coordinates of the spectra of each site in steps, shape (sites, coordinates).
    steps
        Step of each coordinate, shape (coordinates,).
    distances
        Distance of each held-out spectrum to the nearest site, none of which is of its phase,
        ascending, shape (spectra,).
    """

    centre: NDArray[np.float32]
    basis: NDArray[np.float32]
    coordinates: NDArray[np.int8]
    steps: NDArray[np.float32]
    distances: NDArray[np.float16]

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, read_only(getattr(self, field.name)))


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Computed sites of a training, which spectra are compared with.

    Parameters
    ----------
    spectrum
        Space of spectra on the first channels of the window, where phases differ most, normalised
        to unit area.
    layer
        Space of the last hidden layer of the network: of what it makes of a spectrum.
    labels
        Labels of each site: deviations from their mean in standard deviations, shape (sites,
        properties).
    label_scale
        Standard deviation of the labels in their units, shape (properties,).
    sites
        Position of each site in the data set, shape (sites,).
    populations
        Population of each site, as its place in :data:`.population.POPULATIONS`, shape (sites,).
    region_errors
        Errors of means over regions of one phase each, with many counts, predicted by networks that
        never saw the phase, shape (regions, properties): what averaging does not take away.
    """

    spectrum: Space
    layer: Space
    labels: NDArray[np.float16]
    label_scale: NDArray[np.float32]
    sites: NDArray[np.int32]
    populations: NDArray[np.uint8]
    region_errors: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in _OF_SITES:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def to_arrays(self) -> dict[str, NDArray]:
        """Return the arrays by the names that they have in the file of a model."""
        spaces = {
            f"{PREFIX}{space}.{field.name}": getattr(getattr(self, space), field.name)
            for space in SPACES
            for field in fields(Space)
        }
        return spaces | {PREFIX + name: getattr(self, name) for name in _OF_SITES}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> References | None:
        """Return the references among the arrays of a model, or None if it has none.

        Raises
        ------
        KeyError
            If some of their arrays are missing.
        """
        if not any(name.startswith(PREFIX) for name in arrays):
            return None
        spectrum, layer = (
            Space(*(arrays[f"{PREFIX}{space}.{field.name}"] for field in fields(Space)))
            for space in SPACES
        )
        return cls(spectrum, layer, *(arrays[PREFIX + name] for name in _OF_SITES))
