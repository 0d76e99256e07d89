"""Quantities that are drawn at random: the probability distributions of a microscope's effects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hyperspy_coreloss.errors import SignalError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every value between two limits is equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_limits(self, self.low, self.high)

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Return random values, shape (size,)."""
        return generator.uniform(self.low, self.high, size)


@dataclass(frozen=True, slots=True)
class LogUniform:
    """Every order of magnitude between two positive limits is equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_limits(self, self.low, self.high)
        if not self.low > 0:
            msg = f"LogUniform needs limits above zero, but the lower one is {self.low!r}."
            raise SignalError(msg)

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Return random values, shape (size,)."""
        return np.exp(generator.uniform(math.log(self.low), math.log(self.high), size))


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal distribution."""

    mean: float
    standard_deviation: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and 0 <= self.standard_deviation < math.inf):
            msg = (
                "Normal needs a finite mean and a standard deviation of zero or more, but they are "
                f"{self.mean!r} and {self.standard_deviation!r}."
            )
            raise SignalError(msg)

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Return random values, shape (size,)."""
        return generator.normal(self.mean, self.standard_deviation, size)


#: A number is a quantity that is the same in every draw.
Spread: TypeAlias = float | Uniform | LogUniform | Normal


def draw(spread: Spread, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Return random values of a quantity.

    Parameters
    ----------
    spread
        A distribution, or a number that each value has. A number takes nothing from the generator.
    generator
        Random generator.
    size
        How many values.

    Returns
    -------
    ndarray
        Shape (size,).
    """
    if isinstance(spread, Uniform | LogUniform | Normal):
        return spread.draw(generator, size)
    return np.full(size, float(spread))


def smallest(spread: Spread) -> float:
    """Return the smallest value that can be drawn; minus infinity for a normal distribution."""
    if isinstance(spread, Normal):
        return spread.mean if spread.standard_deviation == 0 else -math.inf
    return float(spread.low if isinstance(spread, Uniform | LogUniform) else spread)


def largest(spread: Spread) -> float:
    """Return the largest value that can be drawn; infinity for a normal distribution."""
    if isinstance(spread, Normal):
        return spread.mean if spread.standard_deviation == 0 else math.inf
    return float(spread.high if isinstance(spread, Uniform | LogUniform) else spread)


def _check_limits(spread: Any, low: float, high: float) -> None:
    if not -math.inf < low <= high < math.inf:
        msg = (
            f"{type(spread).__name__} needs two finite limits, the lower one first, but they are "
            f"{low!r} and {high!r}."
        )
        raise SignalError(msg)
