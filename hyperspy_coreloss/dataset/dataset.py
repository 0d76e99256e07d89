"""Computed spectra with their labels: what networks are trained on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.continued_fraction import DEFAULT_LIFETIME
from hyperspy_coreloss.dataset.layout import dataset_variables, sites_from_variables
from hyperspy_coreloss.dataset.netcdf import load_variables, save_variables
from hyperspy_coreloss.errors import DatasetError, ResolutionError
from hyperspy_coreloss.properties import EXCITATION_ENERGY, PROPERTIES, PropertySpec
from hyperspy_coreloss.read_only import ReadOnlyArrays, read_only
from hyperspy_coreloss.spectra.broadening import broadening_operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.computed_site import ComputedSite, ComputedStructure

_FORMAT = "hyperspy_coreloss spectrum data set"
_FORMAT_VERSION = 1

# Step in eV of the grid that spectra are broadened on, and the standard deviations after which a
# Gaussian has ended.
_FINE = 0.05
_REACH = 5.0

# Parts of a site that are dataclasses themselves.
_NESTED = ("structure", "spectrum", "projected_densities")


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """How many spectra a data set has, of how many structures and phases."""

    n_spectra: int
    n_structures: int
    n_phases: int

    def __str__(self) -> str:
        return f"{self.n_spectra} spectra, {self.n_structures} structures, {self.n_phases} phases"


@dataclass(frozen=True, eq=False, repr=False)
class SpectrumDataset(ReadOnlyArrays):
    """Spectra of absorbing sites with labels, structures and groups.

    Parameters
    ----------
    sites
        The spectra, each with its structure and labels.
    description
        How spectra and labels were computed.
    licence
        Licence of the data.
    edge
        Absorbing element and edge, for example ``"O_K"``.
    properties
        What the labels mean, in the order of the columns of :attr:`targets`; by default the six
        of the paper, with the definitions that the sites tell.
    convergence
        How far spectra and labels are from converged ones, as measured: JSON-ready, one entry for
        each range of the supercells' ``volume`` (lowest and highest in cubic angstrom, None where
        open), with the ``changes`` by finer settings
        (:func:`hyperspy_coreloss.simulation.convergence.summarise_convergence`).

    Raises
    ------
    DatasetError
        If there are no sites, two have one name, one structure's name stands for two, or one
        property was obtained in two ways: Mulliken charges of two programs do not compare.
    """

    sites: tuple[ComputedSite, ...]
    description: str
    licence: str
    edge: str = "O_K"
    properties: tuple[PropertySpec, ...] = ()
    convergence: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if not self.sites:
            msg = "A data set needs sites; there are none."
            raise DatasetError(msg)
        _check_names([site.name for site in self.sites])
        known: dict[str, ComputedStructure] = {}
        for site in self.sites:
            first = known.setdefault(site.structure.name, site.structure)
            if first is not site.structure and not first.equals(site.structure):
                msg = f"Two structures have the name {first.name!r}; rename one."
                raise DatasetError(msg)
        if not self.properties:
            object.__setattr__(self, "properties", PROPERTIES)
        defined = tuple(_defined(spec, self.sites) for spec in self.properties)
        object.__setattr__(self, "properties", defined)
        names = {spec.name for spec in self.properties}
        for site in self.sites:
            unknown = sorted(set(site.labels) - names)
            if unknown:
                msg = f"{site.name} has a label {unknown[0]!r}; known here: {sorted(names)}."
                raise DatasetError(msg)

    def __len__(self) -> int:
        return len(self.sites)

    def __repr__(self) -> str:
        return f"<SpectrumDataset, {self.edge}: {self.counts}>"

    @property
    def counts(self) -> DatasetCounts:
        """Numbers of spectra, structures and phases."""
        return DatasetCounts(len(self), len(set(self.structures)), len(set(self.phases)))

    @cached_property
    def targets(self) -> NDArray[np.float64]:
        """Labels in the order of ``properties``, shape (sites, properties); NaN if not known."""
        return read_only(
            [
                [site.labels.get(spec.name, np.nan) for spec in self.properties]
                for site in self.sites
            ]
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each site."""
        return tuple(site.name for site in self.sites)

    @property
    def structures(self) -> tuple[str, ...]:
        """Name of each site's structure."""
        return tuple(site.structure.name for site in self.sites)

    @property
    def phases(self) -> tuple[str, ...]:
        """Phase of each site, the group of an honest split."""
        return tuple(site.structure.phase for site in self.sites)

    @property
    def energy_range(self) -> tuple[float, float]:
        """Energies in eV from the lowest empty state over which all spectra are known."""
        ranges = np.array([site.spectrum.energy_range for site in self.sites])
        return float(ranges[:, 0].max()), float(ranges[:, 1].min())

    @property
    def sigma(self) -> NDArray[np.float64]:
        """Gaussian broadening in eV that each spectrum carries already, shape (sites,)."""
        return np.array([site.spectrum.sigma for site in self.sites])

    def spectra(
        self,
        energy: NDArray[np.floating],
        sigma: float | None = None,
        lifetime: float = DEFAULT_LIFETIME,
    ) -> NDArray[np.float64]:
        """Return the spectra, averaged over polarisations and k-points.

        Parameters
        ----------
        energy
            Increasing energies in eV counted from the lowest empty state, shape (energies,), or
            (sites, energies) if each site has its own.
        sigma
            Standard deviation of the Gaussian broadening in eV; None for the spectra as they are.
        lifetime
            Half width at half maximum of the core hole's Lorentzian in eV, for spectra that are
            not known as samples.

        Returns
        -------
        ndarray
            Shape (sites, energies).

        Raises
        ------
        DatasetError
            If a spectrum is not known at an energy.
        ResolutionError
            If a spectrum is broader than `sigma` already.
        """
        rows = np.broadcast_to(energy, (len(self), np.shape(energy)[-1]))
        return np.stack(
            [
                site.spectrum.intensity(row, lifetime)
                if sigma is None
                else _broadened(site, row, sigma, lifetime)
                for site, row in zip(self.sites, rows, strict=True)
            ]
        )

    def take(self, chosen: Sequence[int] | NDArray) -> SpectrumDataset:
        """Return the data set of some of the sites, by their positions."""
        return replace(self, sites=tuple(self.sites[int(index)] for index in chosen))

    def save(self, filename: str | Path) -> None:
        """Write the data set as netCDF-4, whole or not at all; see :func:`load_dataset`.

        Parameters
        ----------
        filename
            The file, usually ``*.nc``; an existing one is replaced.
        """
        attributes = {
            "format": _FORMAT,
            "format_version": _FORMAT_VERSION,
            "title": f"{self.edge} spectra of {len(self)} sites",
            "summary": self.description,
            "license": self.licence,
            "edge": self.edge,
            "properties": json.dumps([spec.to_dict() for spec in self.properties]),
            "convergence": json.dumps(list(self.convergence)),
            "sha256": self.sha256,
        }
        save_variables(filename, dataset_variables(self.sites, self.properties), attributes)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the content, the identity of the data set."""
        digest = hashlib.sha256()
        words = {
            "description": self.description,
            "licence": self.licence,
            "edge": self.edge,
            "properties": [spec.to_dict() for spec in self.properties],
            "convergence": list(self.convergence),
        }
        digest.update(_json(words))
        for site in self.sites:
            for part in (site, site.structure, site.spectrum, *site.projected_densities.values()):
                _update(digest, part)
        return digest.hexdigest()


def load_dataset(filename: str | Path) -> SpectrumDataset:
    """Read a data set that :meth:`SpectrumDataset.save` wrote.

    Parameters
    ----------
    filename
        The file, usually ``*.nc``.

    Raises
    ------
    DatasetError
        If the file is no such data set, is incomplete, or its content is not what was written.
    """
    path = Path(filename)
    arrays, attributes = load_variables(path, _FORMAT, _FORMAT_VERSION)
    try:
        properties = tuple(
            PropertySpec.from_dict(fields) for fields in json.loads(attributes["properties"])
        )
        dataset = SpectrumDataset(
            sites=sites_from_variables(arrays, properties),
            description=str(attributes["summary"]),
            licence=str(attributes["license"]),
            edge=str(attributes["edge"]),
            properties=properties,
            convergence=tuple(json.loads(attributes["convergence"])),
        )
        written = str(attributes["sha256"])
    except (KeyError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        msg = f"{path.name} is no complete spectrum data set; reading it failed with {error!r}."
        raise DatasetError(msg) from error
    if dataset.sha256 != written:
        msg = (
            f"{path.name} is damaged or was changed by hand: its content has the SHA-256 "
            f"{dataset.sha256[:12]}…, its record says {written[:12]}…."
        )
        raise DatasetError(msg)
    return dataset


def excitation_energies(dataset: SpectrumDataset) -> NDArray[np.float64]:
    """Return the excitation energy of each site in eV, shape (sites,).

    Raises
    ------
    DatasetError
        If one is not known.
    """
    energies = [site.labels.get(EXCITATION_ENERGY.name, np.nan) for site in dataset.sites]
    unknown = np.flatnonzero(np.isnan(energies))
    if unknown.size:
        msg = (
            f"The excitation energy of {dataset.names[unknown[0]]} is not known, and it says where "
            "the edge lies. Count energies from the threshold (aligned), or leave the site out."
        )
        raise DatasetError(msg)
    return np.array(energies)


def _broadened(
    site: ComputedSite, energy: NDArray[np.floating], sigma: float, lifetime: float
) -> NDArray[np.float64]:
    known = site.spectrum
    if not sigma >= known.sigma:
        msg = (
            f"{site.name} is broadened to {known.sigma:g} eV already, so it cannot be had at "
            f"{sigma:g} eV. Ask for a larger sigma."
        )
        raise ResolutionError(msg)
    missing = float(np.sqrt(sigma**2 - known.sigma**2))
    margin = _REACH * missing + _FINE
    first, last = known.energy_range
    fine = np.arange(max(energy[0] - margin, first), min(energy[-1] + margin, last), _FINE)
    return broadening_operator(fine, missing, energy) @ known.intensity(fine, lifetime)


def _defined(spec: PropertySpec, sites: Sequence[ComputedSite]) -> PropertySpec:
    """Return the specification with the definition that all sites with this label share."""
    owners: dict[str | None, str] = {}
    for site in sites:
        if spec.name in site.labels:
            owners.setdefault(site.label_definitions.get(spec.name), site.name)
    if len(owners) > 1:
        (one, first), (other, second) = list(owners.items())[:2]
        msg = (
            f"The {spec.title} of {first} and that of {second} were obtained in two ways and do "
            f"not compare: {one or spec.definition!r}, and {other or spec.definition!r}. Make a "
            "data set of each."
        )
        raise DatasetError(msg)
    definition = next(iter(owners), None)
    return spec if definition is None else replace(spec, definition=definition)


def _check_names(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        msg = f"Sites need names of their own; {repeated!r} stands for several."
        raise DatasetError(msg)


def _update(digest: Any, part: Any) -> None:
    """Add the arrays of a dataclass, then the words and numbers that it holds."""
    words: dict[str, Any] = {"kind": type(part).__name__}
    for name, value in vars(part).items():
        if isinstance(value, np.ndarray):
            array = np.ascontiguousarray(value)
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        elif name not in _NESTED:
            words[name] = value
    digest.update(_json(words))


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
