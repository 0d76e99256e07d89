"""Results of a prediction: the fields per spectrum, their types and their maps."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hyperspy_coreloss.dataset.population import NO_POPULATION
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import DTypeLike, NDArray

    from hyperspy_coreloss.pretrained.references import References

_DECLARED = "hyperspy_coreloss"
# Codes of spectra that were read, but have no numbers.
_READ = (Quality.UNFAMILIAR, Quality.OUTSIDE_LABELS)


@dataclass(frozen=True, slots=True)
class ResultField:
    """A field of the results: one value per spectrum, or one value per spectrum and property.

    Parameters
    ----------
    name
        Name of the field of :class:`Prediction`. It is also the name of the map of a signal of
        properties, and of the entry in the metadata.
    dtype
        Type of the values.
    unreadable
        Value for spectra whose quality is not good; None to keep the computed value.
    label
        Name and unit of the map in plots; empty for the values.
    meaning
        Meaning of the values of the map; the docstring of the map is "Map of the ..." with it.
    of_low_loss
        Whether the field comes from low-loss spectra, and is missing without them.
    per_property
        Whether there is a value for each property of a spectrum.
    of_read
        Whether spectra keep their value that were read but have no numbers: unfamiliar ones, and
        those outside the labels.
    """

    name: str
    dtype: DTypeLike
    unreadable: float | None
    label: str
    meaning: str
    of_low_loss: bool
    per_property: bool
    of_read: bool


def _declared(
    dtype: DTypeLike,
    unreadable: float | None,
    label: str = "",
    meaning: str = "",
    of_low_loss: bool = False,
    per_property: bool = False,
    of_read: bool = False,
) -> dict[str, Any]:
    declared = dtype, unreadable, label, meaning, of_low_loss, per_property, of_read
    return {_DECLARED: declared}


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predicted properties of spectra, with the quality and the threshold of each spectrum.

    The fields are arrays in memory, or dask arrays that are not computed yet. Dask arrays share one
    graph, so compute them together. To add a map of results, add a field here and its value in
    :func:`~hyperspy_coreloss.pretrained.inference.predict_batch`.

    Parameters
    ----------
    values
        Properties, shape (..., properties), float32; NaN where the quality is not good.
    spread
        How far each value may be off: the mean absolute error of such spectra, of the same shape,
        float32. It is 1 for models whose intervals are the same for all spectra.
    novelty
        Fraction of spectra of new phases, measured as in the training, that are as unlike all
        computed sites as this one or more: a p-value, shape (...), float32. It is 1 for models
        without sites to compare with, and NaN where the quality is none of good, ``UNFAMILIAR``
        and ``OUTSIDE_LABELS``.
    population
        Kind of structure of the computed site whose spectrum is nearest, as its place in
        :data:`~hyperspy_coreloss.dataset.population.POPULATIONS`, shape (...), uint8; 255 where
        `novelty` is NaN, or for models without sites to compare with.
    ambiguity
        Standard deviation of the labels of the computed sites whose spectra are nearest, in the
        units of the properties, of the shape of the values, float32. It is 0 for models without
        sites to compare with.
    onset
        Threshold of each spectrum in eV, shape (...), float32; NaN like `novelty`.
    quality
        :class:`~hyperspy_coreloss.spectra.quality.Quality` codes, shape (...), uint8.
    spikes
        Number of spikes and dead channels that were replaced, shape (...), uint16.
    background_error
        Standard error of the extrapolated background at the end of the window of the model, due to
        the noise before the edge, divided by the height of the edge; shape (...), float32. NaN
        where the quality is not good, or if no background was subtracted.
    zero_loss, resolution
        Energy of the zero loss on the axis and its full width at half maximum, both in eV, shape
        (...), float32. NaN where the low-loss spectrum has no zero loss; None without low-loss
        spectra.
    relative_thickness
        Thickness divided by the inelastic mean free path (t/λ), shape (...), float32. It is NaN and
        None like `zero_loss`.
    """

    values: NDArray[np.float32] = field(metadata=_declared(np.float32, np.nan, per_property=True))
    spread: NDArray[np.float32] = field(
        metadata=_declared(
            np.float32, np.nan, "spread", "error that such spectra have.", per_property=True
        )
    )
    quality: NDArray[np.uint8] = field(
        metadata=_declared(
            np.uint8, None, "quality", "codes of :class:`~hyperspy_coreloss.Quality`; 0 is good."
        )
    )
    novelty: NDArray[np.float32] = field(
        metadata=_declared(
            np.float32,
            np.nan,
            "novelty (p-value)",
            "fraction of spectra of new phases as unlike all computed sites; small if unfamiliar.",
            of_read=True,
        )
    )
    population: NDArray[np.uint8] = field(
        metadata=_declared(
            np.uint8,
            NO_POPULATION,
            "population",
            "kind of structure of the nearest computed site, by its place in the populations.",
            of_read=True,
        )
    )
    ambiguity: NDArray[np.float32] = field(
        metadata=_declared(
            np.float32,
            np.nan,
            "ambiguity",
            "spread of the labels of the nearest computed sites.",
            per_property=True,
        )
    )
    onset: NDArray[np.float32] = field(
        metadata=_declared(
            np.float32,
            np.nan,
            "onset (eV)",
            "threshold of each spectrum, in eV.",
            of_read=True,
        )
    )
    spikes: NDArray[np.uint16] = field(
        metadata=_declared(
            np.uint16,
            None,
            "replaced channels",
            "number of spikes and dead channels that were replaced.",
        )
    )
    background_error: NDArray[np.float32] = field(
        metadata=_declared(
            np.float32,
            np.nan,
            "background error",
            "standard error of the background at the end of the window, per height of the edge.",
        )
    )
    zero_loss: NDArray[np.float32] | None = field(
        metadata=_declared(
            np.float32, None, "zero loss (eV)", "energy of each zero loss on its axis, in eV.", True
        ),
    )
    resolution: NDArray[np.float32] | None = field(
        metadata=_declared(
            np.float32, None, "resolution (eV)", "full width of each zero loss, in eV.", True
        ),
    )
    relative_thickness: NDArray[np.float32] | None = field(
        metadata=_declared(
            np.float32,
            None,
            "relative thickness",
            "thickness divided by the inelastic mean free path.",
            True,
        ),
    )


class Reader(Protocol):
    """Attributes of a pretrained model that are needed to predict from spectra."""

    @property
    def weights(self) -> Mapping[str, NDArray]:
        """Weights and scales of the networks."""

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties that the networks predict."""

    @property
    def reads_conditions(self) -> bool:
        """Whether the networks read what is known beside the spectrum."""

    @property
    def trained_range(self) -> NDArray[np.float64]:
        """Lowest and highest label of the training of each property."""

    @property
    def interval_scale(self) -> NDArray[np.floating]:
        """Half width of the 90 % interval of each property in units of the spread."""

    @property
    def usual_threshold(self) -> float:
        """Energy in eV that the networks read as zero."""

    @property
    def thickest(self) -> float:
        """Largest relative thickness of the spectra of the training."""

    @property
    def references(self) -> References | None:
        """Computed sites to compare spectra with."""

    def __hash__(self) -> int: ...


#: All fields of the results.
RESULT_FIELDS: tuple[ResultField, ...] = tuple(
    ResultField(one.name, *one.metadata[_DECLARED]) for one in fields(Prediction)
)
#: Fields that become maps in addition to the maps of the properties.
MAP_FIELDS: tuple[ResultField, ...] = tuple(one for one in RESULT_FIELDS if one.label)


def result_dtype(n_properties: int, low_loss: bool = False) -> np.dtype:
    """Return the structured data type of the results of one spectrum.

    Parameters
    ----------
    n_properties
        Number of properties, which is the length of the fields with a value for each of them.
    low_loss
        Whether there are low-loss spectra, and the fields that come from them.
    """
    return np.dtype(
        [
            (one.name, one.dtype, (n_properties,)) if one.per_property else (one.name, one.dtype)
            for one in RESULT_FIELDS
            if low_loss or not one.of_low_loss
        ]
    )


def blank_unreadable(results: NDArray) -> None:
    """Replace, in place, the results of spectra whose quality is not good.

    Parameters
    ----------
    results
        Array of any shape with the type from :func:`result_dtype`.
    """
    unreadable = results["quality"] != Quality.GOOD
    lost = unreadable & ~np.isin(results["quality"], _READ)
    for one in RESULT_FIELDS:
        if one.unreadable is not None:
            results[one.name][lost if one.of_read else unreadable] = one.unreadable


def as_prediction(results: Any) -> Prediction:
    """Convert an array of type :func:`result_dtype`, in memory or of dask, to a prediction."""
    named: Mapping[str, Any] = {
        one.name: None
        if one.of_low_loss and one.name not in results.dtype.names
        else results[one.name]
        for one in RESULT_FIELDS
    }
    return Prediction(**named)
