"""Summaries of results: how many spectra have a prediction, and why the others have none."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hyperspy_coreloss.signals.options import RecordedOptions

#: A child of HyperSpy's logger, so that ``hs.set_log_level`` and its format apply.
LOGGER = logging.getLogger("hyperspy.coreloss")
# Fraction of the spectra without a prediction above which a user should know.
_MANY = 0.05


@dataclass(frozen=True, slots=True)
class PropertySummary:
    """Summary of a result, which prints as a text.

    Parameters
    ----------
    title
        Title of the result.
    model
        Name and version of the pretrained model; empty if there is none.
    resolution
        Energy resolution of the spectra in eV, or None if it was not given.
    counts
        Number of spectra by :class:`~hyperspy_coreloss.Quality` code, without zeros.
    medians
        Label, median and half width of the 90 % interval of each property. The median is NaN if no
        spectrum has a prediction, and the half width if there are no intervals.
    relative_thickness
        Median of the thickness divided by the inelastic mean free path, or None if it is not known.
    populations
        Number of predicted spectra by the kind of structure of the computed site whose spectrum is
        nearest, the most frequent first; empty if they are not known.
    errors
        Mean absolute error of each property on new phases of the most frequent of these kinds, as a
        typical microscope measures them; empty if they are not known.
    """

    title: str
    model: str
    resolution: float | None
    counts: Mapping[Quality, int]
    medians: tuple[tuple[str, float, float], ...]
    relative_thickness: float | None = None
    populations: Mapping[str, int] = field(default_factory=dict)
    errors: tuple[float, ...] = ()

    @property
    def line(self) -> str:
        """Counts in one line, such as ``"35 spectra: 34 predicted, 1 empty"``."""
        return counts_line(self.counts)

    def __str__(self) -> str:
        given = "not given, taken as 0" if self.resolution is None else f"{self.resolution:.3g}"
        lines = [self.title, self.line]
        if self.model:
            lines.append(f"model {self.model}; resolution of the spectra in eV: {given}")
        if self.relative_thickness is not None:
            lines.append(f"median relative thickness (t/λ): {self.relative_thickness:.2f}")
        if self.populations:
            total = sum(self.populations.values())
            shares = (f"{name} {n / total:.0%}" for name, n in self.populations.items())
            lines.append(f"most like the computed spectra of: {', '.join(shares)}")
        width = max((len(label) for label, *_ in self.medians), default=0)
        heads, columns = ["median and half width of the 90 % interval"], []
        columns.append([rounded(*rest) for _, *rest in self.medians])
        if self.errors:
            heads.append(f"error on new phases of {next(iter(self.populations))}")
            columns.append([f"{error:.2g}" for error in self.errors])
        lines.append("  ".join([" " * width, *heads]))
        for (label, *_), *cells in zip(self.medians, *columns, strict=True):
            padded = (cell.ljust(len(head)) for cell, head in zip(cells, heads, strict=True))
            lines.append("  ".join([label.ljust(width), *padded]).rstrip())
        return "\n".join(lines)

    __repr__ = __str__


def count_codes(quality: NDArray) -> dict[Quality, int]:
    """Return the number of spectra by quality code, without zeros, the predicted ones first.

    Parameters
    ----------
    quality
        Quality map, of any shape.

    Raises
    ------
    SignalError
        If a number is none of the codes, in a damaged file or in one of a later version.
    """
    codes, numbers = np.unique(quality, return_counts=True)
    unknown = [code for code in codes.tolist() if code not in set(Quality)]
    if unknown:
        msg = (
            f"The codes of a quality map go from 0 to {max(Quality)}, but this one has "
            f"{unknown[0]:g}. Load an undamaged file, or use the version of hyperspy_coreloss that "
            "wrote it."
        )
        raise SignalError(msg)
    counts = dict(zip(codes.tolist(), numbers.tolist(), strict=True))
    return {code: counts[code] for code in Quality if code in counts}


def counts_line(counts: Mapping[Quality, int]) -> str:
    """Return counts in one line; the most frequent reason is named first."""
    total, good = sum(counts.values()), counts.get(Quality.GOOD, 0)
    reasons = Counter({code: n for code, n in counts.items() if code is not Quality.GOOD})
    parts = [f"{good} predicted", *(f"{n} {code.phrase}" for code, n in reasons.most_common())]
    return f"{total} spectr{'um' if total == 1 else 'a'}: {', '.join(parts)}"


def report(counts: Mapping[Quality, int], options: RecordedOptions | None) -> None:
    """Tell the user in one line if spectra have no prediction, and what to do if none has one.

    Parameters
    ----------
    counts
        From :func:`count_codes`. Excluded spectra need no prediction.
    options
        Options of the prediction, which its result recorded.
    """
    refused: dict[Quality, int] = {
        code: n for code, n in counts.items() if code not in (Quality.GOOD, Quality.MASKED)
    }
    line = counts_line(counts)
    if counts.get(Quality.GOOD) or not counts:
        wanted = sum(refused.values()) + counts.get(Quality.GOOD, 0)
        many = sum(refused.values()) > _MANY * wanted
        LOGGER.log(logging.WARNING if many else logging.INFO, "%s", line)
        return
    code = max(refused, key=lambda one: refused[one]) if refused else Quality.MASKED
    msg = f"No spectrum has a prediction. {line}. {remedy(code, options)}"
    warnings.warn(msg, stacklevel=5)


def remedy(code: Quality, options: RecordedOptions | None) -> str:
    """Return the most likely remedy if spectra are refused for one reason.

    Parameters
    ----------
    code
        The reason; any code but that of spectra with a prediction.
    options
        Options of the prediction, which its result recorded.
    """
    searched = "The onset was searched in another range"
    if options is not None and options.onset_range is not None:
        low, high = options.onset_range
        searched = f"The onset was searched from {low:g} to {high:g} eV"
    background = (
        "if the spectra still have their background, leave out background=None"
        if options is not None and options.background is None
        else "if the background is subtracted already, pass background=None"
    )
    remedies = {
        Quality.MASKED: "In navigation_mask, True excludes a spectrum: pass its inverse, ~mask.",
        Quality.NOT_FINITE: "Crop the channels without a value, or replace them.",
        Quality.EMPTY: "All channels are zero: check how the file was loaded and cropped.",
        Quality.NEGATIVE: f"The background before the edge is negative: {background}.",
        Quality.SATURATED: (
            "The maximum is a plateau or the largest integer: crop a zero loss or another strong "
            "edge, or measure with a shorter exposure."
        ),
        Quality.NO_ONSET: (
            f"{searched}: if the edge lies elsewhere, pass onset_range=; {background}."
        ),
        Quality.WINDOW_NOT_COVERED: (
            f"{searched}, too close to an end of the axis or to channels without data: restrict "
            "onset_range= to the edge, pass background_range= limits without such channels, or "
            "crop less."
        ),
        Quality.EXCITATION_ENERGY_OUTSIDE: (
            "Check energy_offset=, or use a model that counts energies from the threshold."
        ),
        Quality.OUTLIERS: (
            "Check resolution=, since features too narrow for it count as spikes, and correct the "
            f"spectra for dead channels; {background}."
        ),
        Quality.OUTSIDE_LABELS: (
            "The spectra are unlike those of the training: check that the material is one the "
            f"model is for, and its resolution; {background}."
        ),
        Quality.NO_ZERO_LOSS: (
            "Check low_loss=: hyperspy_coreloss.measure_resolution(low_loss.inav[0, 0]) names the "
            "reason for one spectrum."
        ),
        Quality.TOO_THICK: "Measure where the specimen is thinner.",
        Quality.OTHER_EDGE: (
            "Pass background_range= limits without other edges, or use a model with a narrower "
            "window."
        ),
        Quality.UNFAMILIAR: (
            "The material may be none that the model knows: compare the spectra with those of the "
            f"data set, and check the resolution; {background}. With novelty_level=0, unfamiliar "
            "spectra have predictions too, which nothing supports."
        ),
    }
    return remedies[code]


def rounded(middle: float, width: float) -> str:
    """Return a median with the half width of an interval, which gives the digits."""
    if not np.isfinite(middle):
        return "no prediction"
    if not (np.isfinite(width) and width > 0):
        return f"{middle:.4g}"
    decimals = max(0, 1 - int(np.floor(np.log10(width))))
    return f"{middle:.{decimals}f} ± {width:.{decimals}f}"
