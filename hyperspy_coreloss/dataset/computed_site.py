"""One computed spectrum with its structure and labels, whichever program computed it.

Spectra come in three kinds, the exact ones first: recursion coefficients, lines (energies and
strengths of transitions), and samples that somebody else has broadened already. All count their
energies from the lowest empty state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.continued_fraction import DEFAULT_LIFETIME, spectrum_from_recursion
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.read_only import ReadOnlyArrays, read_only

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Energies per pass over the lines; keeps the work in memory of a few megabytes.
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class RecursionChains(ReadOnlyArrays):
    """A spectrum as Haydock recursion coefficients: exact for any broadening.

    Parameters
    ----------
    alpha, beta
        Coefficients in eV, shape (chains, steps); a chain is one polarisation at one k-point.
    norm
        Squared norm of the seed of each chain, shape (chains,).
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
        # Single precision, as they are computed in.
        _convert(self, np.float32, "alpha", "beta", "norm")
        if self.alpha.ndim != 2 or self.beta.shape != self.alpha.shape:
            found = f"{self.alpha.shape} and {self.beta.shape}"
            msg = f"alpha and beta need one shape (chains, steps), not {found}."
            raise DatasetError(msg)
        if self.norm.shape != self.alpha.shape[:1] or not len(self.norm):
            msg = (
                f"norm needs the shape {self.alpha.shape[:1]} of the chains, not {self.norm.shape}."
            )
            raise DatasetError(msg)
        if not self.gap_middle <= self.lowest_empty:
            msg = (
                f"The middle of the gap, {self.gap_middle} eV, must not lie above the lowest empty "
                f"state, {self.lowest_empty} eV; check the occupations of the calculation."
            )
            raise DatasetError(msg)

    sigma = 0.0
    energy_range = (-np.inf, np.inf)

    def intensity(
        self, energy: NDArray[np.floating], lifetime: float = DEFAULT_LIFETIME
    ) -> NDArray[np.float64]:
        """Return the spectrum at `energy`, the mean over polarisations and k-points."""
        absolute = np.asarray(energy, dtype=float) + self.lowest_empty
        chains = spectrum_from_recursion(self.alpha, self.beta, self.norm, absolute, lifetime)
        # The recursion also sees the occupied states, which no electron can be lifted to.
        return np.where(absolute >= self.gap_middle, chains.mean(axis=0), 0.0)


@dataclass(frozen=True, eq=False)
class TransitionLines(ReadOnlyArrays):
    """A spectrum as transitions: exact for any broadening.

    Parameters
    ----------
    energy
        Energies of the final states in eV from the lowest empty state, shape (lines,).
    strength
        Squared matrix elements with k-point weights, averaged over polarisations, shape (lines,).
    """

    energy: NDArray[np.floating]
    strength: NDArray[np.floating]

    def __post_init__(self) -> None:
        _convert(self, np.float64, "energy", "strength")
        _check_pairs(self.energy, self.strength, "Lines")

    sigma = 0.0

    @property
    def energy_range(self) -> tuple[float, float]:
        """Lowest energy (none) and the energy in eV up to which states were computed."""
        return -np.inf, float(self.energy.max())

    def intensity(
        self, energy: NDArray[np.floating], lifetime: float = DEFAULT_LIFETIME
    ) -> NDArray[np.float64]:
        """Return the spectrum at `energy`: a Lorentzian for every line."""
        _check_within(energy, self.energy_range)
        wanted = np.asarray(energy, dtype=float)
        spectrum = np.empty(wanted.shape)
        for start in range(0, wanted.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            distance = wanted[part, np.newaxis] - self.energy
            spectrum[part] = (lifetime / np.pi / (distance**2 + lifetime**2)) @ self.strength
        return spectrum


@dataclass(frozen=True, eq=False)
class SampledSpectrum(ReadOnlyArrays):
    """A spectrum that is known on a grid only, with the broadening it has.

    Parameters
    ----------
    energy
        Increasing energies in eV from the lowest empty state, shape (samples,).
    intensity_samples
        Intensities, shape (samples,).
    sigma
        Standard deviation of the Gaussian broadening that the samples carry, in eV.
    """

    energy: NDArray[np.floating]
    intensity_samples: NDArray[np.floating]
    sigma: float

    def __post_init__(self) -> None:
        _convert(self, np.float64, "energy", "intensity_samples")
        _check_pairs(self.energy, self.intensity_samples, "Samples")
        if len(self.energy) < 2 or not (np.diff(self.energy) > 0).all():
            msg = "The energies of a sampled spectrum must increase, and be two or more."
            raise DatasetError(msg)
        if not (np.isfinite(self.sigma) and self.sigma >= 0):
            msg = f"The broadening of a sampled spectrum must be 0 eV or more, not {self.sigma} eV."
            raise DatasetError(msg)

    @property
    def energy_range(self) -> tuple[float, float]:
        """First and last energy in eV."""
        return float(self.energy[0]), float(self.energy[-1])

    def intensity(
        self, energy: NDArray[np.floating], lifetime: float = DEFAULT_LIFETIME
    ) -> NDArray[np.float64]:
        """Return the spectrum at `energy`; the lifetime is that of the samples."""
        del lifetime
        _check_within(energy, self.energy_range)
        return np.interp(energy, self.energy, self.intensity_samples)


ComputedSpectrum = RecursionChains | TransitionLines | SampledSpectrum


@dataclass(frozen=True, eq=False)
class ComputedStructure(ReadOnlyArrays):
    """The periodic cell that sites were computed in, and where it comes from.

    Parameters
    ----------
    name
        Identifies the structure.
    phase
        Group of an honest split: structures of one phase never stand on both sides of it.
    source, licence
        Where the structure comes from, and what may be done with it.
    cell
        Lattice vectors in angstrom, one a row, shape (3, 3); NaN where the structure is not known.
    positions
        Of the atoms, in angstrom, shape (atoms, 3).
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
            msg = f"{self.name}: cell, positions and numbers do not fit together: {shapes}."
            raise DatasetError(msg)

    def equals(self, other: ComputedStructure) -> bool:
        """Tell whether the two are the same in every respect."""
        words = ("name", "phase", "source", "licence")
        arrays = ("cell", "positions", "numbers")
        return all(getattr(self, word) == getattr(other, word) for word in words) and all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True)
            for name in arrays
        )


@dataclass(frozen=True, eq=False)
class ComputedSite:
    """A spectrum, the atom it belongs to, and what is known of that atom.

    Parameters
    ----------
    name
        Identifies the site.
    structure
        Its cell.
    absorber
        Index of the absorbing atom in the structure; -1 where the structure is not known.
    spectrum
        The spectrum.
    labels
        Properties by name, in the units of their specifications; those that are missing are not
        known.
    details
        JSON-ready: settings, versions of the codes, energies. ``label_definitions`` tells, by the
        name of the property, how a label was obtained, if not as the package's own simulator does.
    projected_densities
        Densities of states projected on the p states of an atom, by a name that tells the atom
        and the calculation; empty where they were not computed.
    """

    name: str
    structure: ComputedStructure
    absorber: int
    spectrum: ComputedSpectrum
    labels: Mapping[str, float]
    details: Mapping[str, Any] = field(default_factory=dict)
    projected_densities: Mapping[str, RecursionChains] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {key: float(value) for key, value in self.labels.items() if not np.isnan(value)}
        object.__setattr__(self, "labels", known)
        atoms = len(self.structure.numbers)
        if not (0 <= self.absorber < atoms or (self.absorber == -1 and not atoms)):
            msg = f"{self.name}: atom {self.absorber} absorbs, but the cell has {atoms} atoms."
            raise DatasetError(msg)

    @property
    def label_definitions(self) -> Mapping[str, str]:
        """How labels were obtained, where that is not how the package's simulator does it."""
        return self.details.get("label_definitions", {})


def _convert(part: Any, kind: type, *names: str) -> None:
    """Give the arrays of a frozen dataclass one type, as a file gives them back, and fix them."""
    for name in names:
        object.__setattr__(part, name, read_only(getattr(part, name), dtype=kind))


def _check_pairs(energy: NDArray, values: NDArray, what: str) -> None:
    if energy.ndim != 1 or energy.shape != values.shape or not energy.size:
        msg = f"{what} need as many intensities as energies, not {values.shape} and {energy.shape}."
        raise DatasetError(msg)
    if not (np.isfinite(energy).all() and np.isfinite(values).all()):
        msg = f"{what} of a spectrum must be finite; found NaN or infinity."
        raise DatasetError(msg)


def _check_within(energy: NDArray[np.floating], known: tuple[float, float]) -> None:
    if np.size(energy) and not (known[0] <= np.min(energy) and np.max(energy) <= known[1]):
        msg = (
            f"The spectrum is known from {known[0]:.2f} to {known[1]:.2f} eV, and was asked for "
            f"from {np.min(energy):.2f} to {np.max(energy):.2f} eV. Ask for less, or compute more "
            "states."
        )
        raise DatasetError(msg)
