"""Means of properties over a region, with the intervals by which a mean may be reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.intervals import conformal_half_width, half_width_of_mean
from hyperspy_coreloss.signals.axes import needed_axis
from hyperspy_coreloss.signals.held_out_errors import region_errors_of
from hyperspy_coreloss.signals.metadata import get_map, title_of
from hyperspy_coreloss.signals.navigation_mask import excluded_spectra
from hyperspy_coreloss.signals.positions import items_along, property_positions
from hyperspy_coreloss.signals.summary import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperspy.signals import BaseSignal


@dataclass(frozen=True, slots=True)
class RegionMean:
    """Means of properties over a region, which print as a table.

    Parameters
    ----------
    title
        Title of the result.
    level
        Coverage of the intervals.
    n_pixels, n_predicted
        Number of pixels of the region, and of those with a prediction, which the means are over.
    means
        Mean of each property by name; NaN without a prediction.
    half_widths
        Half width of the interval of each mean by name.
    labels
        Name and unit of each property by name.
    """

    title: str
    level: float
    n_pixels: int
    n_predicted: int
    means: Mapping[str, float]
    half_widths: Mapping[str, float]
    labels: Mapping[str, str]

    def __str__(self) -> str:
        width = max(len(label) for label in self.labels.values())
        lines = [self.title, f"mean over {self.n_predicted} of {self.n_pixels} pixels"]
        lines.append(f"{'':{width}}  mean and half width of the {self.level:.0%} interval")
        lines += [
            f"{label:{width}}  {rounded(self.means[name], self.half_widths[name])}"
            for name, label in self.labels.items()
        ]
        return "\n".join(lines)

    __repr__ = __str__


def region_mean(result: BaseSignal, navigation_mask: object, level: float) -> RegionMean:
    """Return the means over the pixels of a result in memory that a mask does not exclude.

    Parameters
    ----------
    result
        Result whose pixels are single spectra.
    navigation_mask
        True excludes a pixel, as for :func:`~hyperspy_coreloss.predict_properties`.
    level
        Coverage of the intervals, between 0 and 1.

    Raises
    ------
    SignalError
        If spectra were combined before, the model has no errors of regions, the mask has another
        shape, or `level` is not between 0 and 1.
    """
    errors = region_errors_of(result)
    if errors is None or get_map(result, "quality") is None:
        msg = (
            "The mean over a region needs a result whose pixels are single spectra, and a model "
            "with errors of regions, but this signal has none: spectra were combined, as by mean "
            "or rebin, or the model is of an early version. Take the region from the signal that "
            "predict_properties returned, by a model of this version."
        )
        raise SignalError(msg)
    values = np.moveaxis(np.asarray(result.data), needed_axis(result).index_in_array, -1)
    excluded = excluded_spectra(result, navigation_mask)
    kept = np.ones(values.shape[:-1], dtype=bool) if excluded is None else ~excluded
    region = values[kept].astype(np.float64)
    predicted = region[np.isfinite(region).all(axis=-1)]
    floor = conformal_half_width(errors, level)[property_positions(result)]
    means = widths = np.full(len(floor), np.nan)
    if len(predicted):
        means, widths = predicted.mean(axis=0), half_width_of_mean(predicted, floor, level)
    names = items_along(result, "names")
    return RegionMean(
        title=title_of(result),
        level=level,
        n_pixels=len(region),
        n_predicted=len(predicted),
        means=dict(zip(names, means.tolist(), strict=True)),
        half_widths=dict(zip(names, widths.tolist(), strict=True)),
        labels=dict(zip(names, items_along(result, "labels"), strict=True)),
    )
