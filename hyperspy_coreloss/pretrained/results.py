"""What is said of each spectrum: every number, its type and where it goes, declared once."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sized

    from numpy.typing import DTypeLike, NDArray

_DECLARED = "hyperspy_coreloss"


@dataclass(frozen=True, slots=True)
class ResultField:
    """One number, or one for each property, of every spectrum.

    Parameters
    ----------
    name
        Field of :class:`Prediction`; also the name of the map on a signal of properties, and of
        its place in the metadata.
    dtype
        Of the array.
    unreadable
        What stands where a spectrum cannot be read; None to keep what was worked out.
    label
        Name and unit of the map in plots; empty for what is not a map.
    meaning
        What the map says, in one sentence.
    """

    name: str
    dtype: DTypeLike
    unreadable: float | None
    label: str
    meaning: str


def _declared(
    dtype: DTypeLike, unreadable: float | None, label: str = "", meaning: str = ""
) -> dict[str, Any]:
    return {_DECLARED: (dtype, unreadable, label, meaning)}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a pretrained model says about spectra.

    Arrays in memory, or of dask before they are computed; those of dask share one graph, so
    compute them together. A further map of results is a further line here, and a value for it in
    :func:`~hyperspy_coreloss.pretrained.inference.predict_batch`.

    Parameters
    ----------
    values
        Properties, shape (..., properties), float32; NaN where the quality is not good.
    onset
        Threshold in eV, shape (...), float32; NaN where the quality is not good.
    quality
        :class:`~hyperspy_coreloss.spectra.quality.Quality` codes, shape (...), uint8.
    """

    values: NDArray[np.float32] = field(metadata=_declared(np.float32, np.nan))
    quality: NDArray[np.uint8] = field(
        metadata=_declared(
            np.uint8, None, "quality", "codes of :class:`~hyperspy_coreloss.Quality`; 0 is good."
        )
    )
    onset: NDArray[np.float32] = field(
        metadata=_declared(np.float32, np.nan, "onset (eV)", "threshold of each spectrum, in eV.")
    )


class Reader(Protocol):
    """What a pass over spectra needs of a pretrained model."""

    @property
    def weights(self) -> Mapping[str, NDArray]:
        """Weights and scales of the networks."""

    @property
    def properties(self) -> Sized:
        """What the networks predict."""

    def __hash__(self) -> int: ...


#: All numbers of a spectrum.
RESULT_FIELDS: tuple[ResultField, ...] = tuple(
    ResultField(one.name, *one.metadata[_DECLARED]) for one in fields(Prediction)
)
#: Those that become maps beside the maps of the properties.
MAP_FIELDS: tuple[ResultField, ...] = tuple(one for one in RESULT_FIELDS if one.label)


def result_dtype(n_properties: int) -> np.dtype:
    """Return the type of one spectrum's results: a named field each.

    Parameters
    ----------
    n_properties
        Number of properties, the length of the field ``values``.
    """
    return np.dtype(
        [
            (one.name, one.dtype) if one.label else (one.name, one.dtype, (n_properties,))
            for one in RESULT_FIELDS
        ]
    )


def blank_unreadable(results: NDArray) -> None:
    """Remove, in place, what was worked out of spectra whose quality is not good.

    Parameters
    ----------
    results
        Of :func:`result_dtype`, any shape.
    """
    unreadable = results["quality"] != Quality.GOOD
    for one in RESULT_FIELDS:
        if one.unreadable is not None:
            results[one.name][unreadable] = one.unreadable


def as_prediction(results: Any) -> Prediction:
    """Return the fields of an array of :func:`result_dtype`, in memory or of dask, by name."""
    named: Mapping[str, Any] = {one.name: results[one.name] for one in RESULT_FIELDS}
    return Prediction(**named)
