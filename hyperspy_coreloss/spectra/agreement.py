"""Agreement of a computed spectrum with a measured one, by energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Limits of the ranges in eV, relative to the lowest empty state: the fine structure of the bonds,
#: the first scattering resonances, and the oscillations that tell bond lengths.
RANGES = ((0.0, 15.0), (15.0, 40.0), (40.0, 70.0), (70.0, 100.0))

# A range is left out if less than this fraction of it is measured.
_LEAST_MEASURED = 0.5


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a computed spectrum agrees with a measured one, in a range of energies.

    Parameters
    ----------
    start, stop
        Limits of the range in eV, relative to the lowest empty state.
    residual
        Root mean square of the difference, divided by that of the edge.
    noise
        What counting noise alone would give.
    """

    start: float
    stop: float
    residual: float
    noise: float

    @property
    def difference(self) -> float:
        """The residual without the noise: the error of theory, background or thickness.

        Below a quarter of the noise it means nothing.
        """
        return float(np.sqrt(max(self.residual**2 - self.noise**2, 0.0)))

    def __str__(self) -> str:
        return f"{self.start:g} to {self.stop:g} eV: {self.difference:.1%}"


def agreement(
    distance: NDArray[np.floating],
    measured: NDArray[np.floating],
    fitted: NDArray[np.floating],
    background: NDArray[np.floating],
    variance: NDArray[np.floating],
    limits: tuple[float, float],
) -> Agreement | None:
    """Return the agreement in a range of energies, or None if half of it is not measured.

    Parameters
    ----------
    distance
        Energies of the channels in eV, relative to the lowest empty state, shape (channels,).
    measured, fitted, background
        Intensities of the measurement, and of the fit with and without the edge, shape (channels,).
    variance
        Variance of the counting noise, shape (channels,).
    limits
        Limits of the range in eV.
    """
    start, stop = limits
    inside = (distance >= start) & (distance < stop)
    covered = distance[inside]
    if covered.size < 2 or np.ptp(covered) < _LEAST_MEASURED * (stop - start):
        return None
    edge = np.sqrt(np.mean(np.square(fitted - background)[inside]))
    residual = np.sqrt(np.mean(np.square(measured - fitted)[inside]))
    noise = np.sqrt(np.mean(variance[inside]))
    if not edge > 0:
        return Agreement(start, stop, float("inf"), float("inf"))
    return Agreement(start, stop, float(residual / edge), float(noise / edge))
