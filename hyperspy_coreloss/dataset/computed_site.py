"""A computed spectrum with its structure and labels, from any program.

There are three kinds of spectra: recursion coefficients, transition lines (energies and
strengths), and samples that are broadened already. The first two can be evaluated with any
broadening. All energies are relative to the lowest empty state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.continued_fraction import DEFAULT_LIFETIME, spectrum_from_recursion
from hyperspy_coreloss.dataset.population import OTHER, POPULATIONS
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.read_only import ReadOnlyArrays, read_only

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Lengths in Å that differ by less are equal.
_SAME_LENGTH = 1e-6
# Number of energies per pass over the lines; limits the memory to a few megabytes.
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class RecursionChains(ReadOnlyArrays):
    """A spectrum as Haydock recursion coefficients, which can be evaluated with any broadening.

    Parameters
    ----------
    alpha, beta
        Coefficients in eV, shape (chains, steps). Each chain belongs to one polarisation at one
        k-point.
    norm
        Squared norm of the starting vector of each chain, shape (chains,).
    lowest_empty
        Energy of the lowest empty state in eV, on the scale of `alpha`.
    gap_middle
        Energy in the middle of the gap in eV, on the scale of `alpha`; states below it are
        occupied.
    """

    alpha: NDArray[np.floating]
    beta: NDArray[np.floating]
    norm: NDArray[np.floating]
    lowest_empty: float
    gap_middle: float

    def __post_init__(self) -> None:
        # The coefficients are computed in single precision.
        _convert(self, np.float32, "alpha", "beta", "norm")
        if self.alpha.ndim != 2 or self.beta.shape != self.alpha.shape:
            msg = (
                "alpha and beta must have the same shape (chains, steps), but their shapes are "
                f"{self.alpha.shape} and {self.beta.shape}."
            )
            raise DatasetError(msg)
        if self.norm.shape != self.alpha.shape[:1] or not len(self.norm):
            msg = (
                "norm needs one value for each chain, and at least one chain, but alpha has "
                f"{len(self.alpha)} chains and norm has the shape {self.norm.shape}."
            )
            raise DatasetError(msg)
        if not self.gap_middle <= self.lowest_empty:
            msg = (
                f"The middle of the gap, {self.gap_middle} eV, must not lie above the lowest empty "
                f"state, {self.lowest_empty} eV. Check the occupations of the calculation."
            )
            raise DatasetError(msg)

    sigma = 0.0
    energy_range = (-np.inf, np.inf)

    def intensity(
        self, energy: NDArray[np.floating], lifetime: float = DEFAULT_LIFETIME
    ) -> NDArray[np.float64]:
        """Return the spectrum at `energy`, averaged over polarisations and k-points."""
        absolute = np.asarray(energy, dtype=float) + self.lowest_empty
        chains = spectrum_from_recursion(self.alpha, self.beta, self.norm, absolute, lifetime)
        # The recursion includes occupied states, to which no electron can be excited.
        return np.where(absolute >= self.gap_middle, chains.mean(axis=0), 0.0)


@dataclass(frozen=True, eq=False)
class TransitionLines(ReadOnlyArrays):
    """A spectrum as transition lines, which can be evaluated with any broadening.

    Parameters
    ----------
    energy
        Energies of the final states in eV, relative to the lowest empty state, shape (lines,).
    strength
        Squared matrix elements times k-point weights, averaged over polarisations, shape (lines,).
    """

    energy: NDArray[np.floating]
    strength: NDArray[np.floating]

    def __post_init__(self) -> None:
        _convert(self, np.float64, "energy", "strength")
        _check_pairs(self.energy, self.strength, "Lines")

    sigma = 0.0

    @property
    def energy_range(self) -> tuple[float, float]:
        """Range in eV without a lower limit, up to the energy of the highest computed state."""
        return -np.inf, float(self.energy.max())

    def intensity(
        self, energy: NDArray[np.floating], lifetime: float = DEFAULT_LIFETIME
    ) -> NDArray[np.float64]:
        """Return the spectrum at `energy`, the sum of one Lorentzian per line."""
        _check_within(energy, self.energy_range)
        wanted = np.asarray(energy, dtype=float)
        spectrum = np.empty(wanted.shape)
        for start in range(0, wanted.size, _CHUNK):
            chunk = slice(start, start + _CHUNK)
            distance = wanted[chunk, np.newaxis] - self.energy
            spectrum[chunk] = (lifetime / np.pi / (distance**2 + lifetime**2)) @ self.strength
        return spectrum


@dataclass(frozen=True, eq=False)
class SampledSpectrum(ReadOnlyArrays):
    """A broadened spectrum sampled on an energy grid.

    Parameters
    ----------
    energy
        Increasing energies in eV, relative to the lowest empty state, shape (samples,).
    intensity_samples
        Intensities, shape (samples,).
    sigma
        Standard deviation of the Gaussian broadening of the samples, in eV.
    """

    energy: NDArray[np.floating]
    intensity_samples: NDArray[np.floating]
    sigma: float

    def __post_init__(self) -> None:
        _convert(self, np.float64, "energy", "intensity_samples")
        _check_pairs(self.energy, self.intensity_samples, "Samples")
        if len(self.energy) < 2 or not (np.diff(self.energy) > 0).all():
            msg = (
                "A sampled spectrum needs at least two energies, which must increase, but its "
                f"{len(self.energy)} energies do not. Sort them and drop repeated ones."
            )
            raise DatasetError(msg)
        if not (np.isfinite(self.sigma) and self.sigma >= 0):
            msg = f"The broadening of a sampled spectrum must be 0 eV or more, not {self.sigma} eV."
            raise DatasetError(msg)

    @property
    def energy_range(self) -> tuple[float, float]:
        """First and last energy of the samples in eV."""
        return float(self.energy[0]), float(self.energy[-1])

    def intensity(
        self, energy: NDArray[np.floating], lifetime: float = DEFAULT_LIFETIME
    ) -> NDArray[np.float64]:
        """Return the samples interpolated linearly at `energy`; `lifetime` is not used."""
        del lifetime
        _check_within(energy, self.energy_range)
        return np.interp(energy, self.energy, self.intensity_samples)


ComputedSpectrum = RecursionChains | TransitionLines | SampledSpectrum


@dataclass(frozen=True, eq=False)
class ComputedStructure(ReadOnlyArrays):
    """The periodic cell of one or more sites, with its source and licence.

    Parameters
    ----------
    name
        Unique name of the structure.
    phase
        Phase of the structure. A phase-disjoint split keeps all structures of a phase together.
    source, licence
        Origin of the structure, and the licence under which it may be used.
    cell
        Lattice vectors in angstrom, one per row, shape (3, 3). They are NaN if the structure is
        unknown.
    positions
        Positions of the atoms in angstrom, shape (atoms, 3).
    numbers
        Atomic numbers, shape (atoms,).
    """

    name: str
    phase: str
    source: str = "unknown"
    licence: str = "unknown"
    cell: NDArray[np.floating] = field(default_factory=lambda: np.full((3, 3), np.nan))
    positions: NDArray[np.floating] = field(default_factory=lambda: np.empty((0, 3)))
    numbers: NDArray[np.integer] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        _convert(self, np.float64, "cell", "positions")
        _convert(self, np.int64, "numbers")
        shapes = self.cell.shape, self.positions.shape, self.numbers.shape
        if shapes != ((3, 3), (len(self.numbers), 3), (len(self.numbers),)):
            msg = (
                f"{self.name}: cell, positions and numbers must have the shapes (3, 3), (atoms, 3) "
                f"and (atoms,), but their shapes are {shapes[0]}, {shapes[1]} and {shapes[2]}."
            )
            raise DatasetError(msg)

    def equals(self, other: ComputedStructure) -> bool:
        """Return whether all fields of the two structures are equal.

        Positions and cells are compared to 1e-6 Å: those of the same structure, computed on two
        processors, may differ in their last bits.
        """
        words = ("name", "phase", "source", "licence")
        lengths = ("cell", "positions")
        return (
            all(getattr(self, word) == getattr(other, word) for word in words)
            and np.array_equal(self.numbers, other.numbers)
            and all(_same_lengths(getattr(self, name), getattr(other, name)) for name in lengths)
        )


@dataclass(frozen=True, eq=False)
class ComputedSite:
    """The computed spectrum and the properties of one absorbing atom.

    Parameters
    ----------
    name
        Unique name of the site.
    structure
        Cell that contains the absorbing atom.
    absorber
        Index of the absorbing atom in the structure, or -1 if the structure is unknown.
    spectrum
        Computed spectrum of the site.
    labels
        Values of the properties by name, in the units of their specifications. Properties without
        a value are left out.
    details
        Settings, versions of the codes and energies, as a JSON-ready dictionary. Its entry
        ``label_definitions`` maps names of properties to their definitions, for labels that are
        not calculated as in the simulator of this package.
    projected_densities
        Densities of states projected on the p states of an atom. The keys name the atom and the
        calculation. The mapping is empty if no densities were computed.
    population
        Kind of structure that the site is counted under, one of
        :data:`.population.POPULATIONS`.
    """

    name: str
    structure: ComputedStructure
    absorber: int
    spectrum: ComputedSpectrum
    labels: Mapping[str, float]
    details: Mapping[str, Any] = field(default_factory=dict)
    projected_densities: Mapping[str, RecursionChains] = field(default_factory=dict)
    population: str = OTHER

    def __post_init__(self) -> None:
        if self.population not in POPULATIONS:
            msg = (
                f"{self.name}: the population must be one of {', '.join(POPULATIONS)}; found "
                f"{self.population!r}."
            )
            raise DatasetError(msg)
        labels = {key: float(value) for key, value in self.labels.items() if not np.isnan(value)}
        object.__setattr__(self, "labels", labels)
        atoms = len(self.structure.numbers)
        if not (0 <= self.absorber < atoms or (self.absorber == -1 and not atoms)):
            msg = (
                f"{self.name}: atom {self.absorber} absorbs, but the cell has {atoms} atoms. "
                "absorber must be the index of an atom, or -1 for a cell without atoms."
            )
            raise DatasetError(msg)

    @property
    def label_definitions(self) -> Mapping[str, str]:
        """Definitions of the labels that are not calculated as in this package's simulator."""
        return self.details.get("label_definitions", {})


def _same_lengths(first: NDArray[np.floating], second: NDArray[np.floating]) -> bool:
    return first.shape == second.shape and np.allclose(
        first, second, rtol=0, atol=_SAME_LENGTH, equal_nan=True
    )


def _convert(instance: Any, dtype: type, *names: str) -> None:
    """Replace arrays of a frozen dataclass by read-only copies of the data type that files use."""
    for name in names:
        object.__setattr__(instance, name, read_only(getattr(instance, name), dtype=dtype))


def _check_pairs(energy: NDArray, values: NDArray, what: str) -> None:
    if energy.ndim != 1 or energy.shape != values.shape or not energy.size:
        msg = (
            f"{what} need as many intensities as energies, in two arrays of one dimension, but "
            f"their shapes are {values.shape} and {energy.shape}."
        )
        raise DatasetError(msg)
    if not (np.isfinite(energy).all() and np.isfinite(values).all()):
        msg = f"{what} of a spectrum must be finite, but they contain NaN or infinity."
        raise DatasetError(msg)


def _check_within(energy: NDArray[np.floating], limits: tuple[float, float]) -> None:
    if np.size(energy) and not (limits[0] <= np.min(energy) and np.max(energy) <= limits[1]):
        msg = (
            f"The spectrum is computed from {limits[0]:.2f} to {limits[1]:.2f} eV, but energies "
            f"from {np.min(energy):.2f} to {np.max(energy):.2f} eV are requested. Request a "
            "smaller range, or compute more states."
        )
        raise DatasetError(msg)
