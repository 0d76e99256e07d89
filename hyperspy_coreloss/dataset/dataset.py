"""Data sets of computed spectra with labels, for training."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.content import content_sha256
from hyperspy_coreloss.dataset.continued_fraction import DEFAULT_LIFETIME
from hyperspy_coreloss.dataset.hdf5 import FAILURES
from hyperspy_coreloss.dataset.layout import dataset_variables, sites_from_variables
from hyperspy_coreloss.dataset.netcdf import load_variables, save_variables
from hyperspy_coreloss.errors import DatasetError, ResolutionError
from hyperspy_coreloss.properties import EXCITATION_ENERGY, PROPERTIES, PropertySpec
from hyperspy_coreloss.read_only import ReadOnlyArrays, read_only
from hyperspy_coreloss.spectra.broadening import broadening_operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from hyperspy_coreloss.dataset.computed_site import ComputedSite, ComputedStructure

_FORMAT = "hyperspy_coreloss spectrum data set"
_FORMAT_VERSION = 1

# Step in eV of the grid on which spectra are broadened, and the number of standard deviations
# beyond which a Gaussian is negligible.
_FINE = 0.05
_REACH = 5.0


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """Number of spectra, structures and phases of a data set."""

    n_spectra: int
    n_structures: int
    n_phases: int

    def __str__(self) -> str:
        return f"{self.n_spectra} spectra, {self.n_structures} structures, {self.n_phases} phases"


@dataclass(frozen=True, eq=False, repr=False)
class SpectrumDataset(ReadOnlyArrays):
    """Computed spectra of absorbing sites with their structures and labels.

    Parameters
    ----------
    sites
        Sites, each with a spectrum, a structure and labels.
    description
        Description of the calculation of spectra and labels.
    licence
        Licence of the data.
    edge
        Absorbing element and edge, for example ``"O_K"``.
    properties
        Specifications of the labels, in the order of the columns of :attr:`targets`. The default
        is the six properties of Kiyohara et al. 2019, with the definitions given by the sites.
    convergence
        Measured convergence errors of spectra and labels, JSON-ready. Each entry contains a range
        of the supercells' ``volume`` (lowest and highest in cubic angstrom, None if unlimited) and
        the ``changes`` by finer settings
        (:func:`hyperspy_coreloss.simulation.convergence.summarise_convergence`).

    Raises
    ------
    DatasetError
        If there are no sites, two sites have the same name, two different structures have the same
        name, or a label has no property or two definitions. For example, Mulliken charges of two
        programs are not comparable.
    """

    sites: tuple[ComputedSite, ...]
    description: str
    licence: str
    edge: str = "O_K"
    properties: tuple[PropertySpec, ...] = ()
    convergence: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if not self.sites:
            msg = "A data set needs at least one site, but there are no sites."
            raise DatasetError(msg)
        _check_names([site.name for site in self.sites])
        structures: dict[str, ComputedStructure] = {}
        for site in self.sites:
            first = structures.setdefault(site.structure.name, site.structure)
            if first is not site.structure and not first.equals(site.structure):
                msg = (
                    "Structures need unique names, but two different structures have the name "
                    f"{first.name!r}. Rename one of them."
                )
                raise DatasetError(msg)
        if not self.properties:
            object.__setattr__(self, "properties", PROPERTIES)
        defined = tuple(_defined(spec, self.sites) for spec in self.properties)
        object.__setattr__(self, "properties", defined)
        names = {spec.name for spec in self.properties}
        for site in self.sites:
            unknown = sorted(set(site.labels) - names)
            if unknown:
                msg = (
                    f"{site.name} has a label {unknown[0]!r}, but the properties of the data set "
                    f"are {', '.join(sorted(names))}. Rename or remove the label, or add its "
                    "property."
                )
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
        """Labels in the order of ``properties``, shape (sites, properties); NaN if missing."""
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
        """Phase of each site's structure, the group of a phase-disjoint split."""
        return tuple(site.structure.phase for site in self.sites)

    @property
    def populations(self) -> tuple[str, ...]:
        """Population of each site, one of :data:`.population.POPULATIONS`."""
        return tuple(site.population for site in self.sites)

    @property
    def energy_range(self) -> tuple[float, float]:
        """Range that all spectra cover, in eV relative to the lowest empty state."""
        ranges = np.array([site.spectrum.energy_range for site in self.sites])
        return float(ranges[:, 0].max()), float(ranges[:, 1].min())

    @property
    def sigma(self) -> NDArray[np.float64]:
        """Gaussian broadening that each spectrum already has, in eV, shape (sites,)."""
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
            Increasing energies in eV, relative to the lowest empty state, of shape (energies,), or
            (sites, energies) for different energies of each site.
        sigma
            Standard deviation of the Gaussian broadening of the result in eV, or None for spectra
            without additional broadening.
        lifetime
            Half width at half maximum of the Lorentzian lifetime broadening of the core hole in
            eV. It does not apply to sampled spectra.

        Returns
        -------
        ndarray
            Spectra, shape (sites, energies).

        Raises
        ------
        DatasetError
            If a spectrum does not cover the energies.
        ResolutionError
            If the broadening of a spectrum already exceeds `sigma`.
        """
        rows = np.broadcast_to(energy, (len(self), np.shape(energy)[-1]))
        if sigma is None:
            pairs = zip(self.sites, rows, strict=True)
            return np.stack([site.spectrum.intensity(row, lifetime) for site, row in pairs])
        broadened = np.empty(rows.shape)
        # Most spectra are of one kind and share one operator.
        kinds: dict[Any, list[int]] = {}
        for index, site in enumerate(self.sites):
            own = index if np.ndim(energy) > 1 else None
            kinds.setdefault((site.spectrum.sigma, site.spectrum.energy_range, own), []).append(
                index
            )
        for kind in kinds.values():
            fine, operator = _broadening(self.sites[kind[0]], rows[kind[0]], sigma)
            for index in kind:
                broadened[index] = operator @ self.sites[index].spectrum.intensity(fine, lifetime)
        return broadened

    def of_population(self, *names: str) -> SpectrumDataset:
        """Return a data set of the sites of one or more populations.

        Parameters
        ----------
        *names
            Keys of :data:`.population.POPULATIONS`.

        Raises
        ------
        DatasetError
            If the data set has no site of these populations.
        """
        chosen = [index for index, name in enumerate(self.populations) if name in names]
        if not chosen:
            found = dict.fromkeys(self.populations)
            msg = (
                f"Sites of {' or '.join(map(repr, names))} are asked for; the data set has the "
                f"populations {', '.join(found)}. Ask for one of these."
            )
            raise DatasetError(msg)
        return self.take(chosen)

    def take(self, chosen: Sequence[int] | NDArray) -> SpectrumDataset:
        """Return a data set of the sites at the given positions."""
        return replace(self, sites=tuple(self.sites[int(index)] for index in chosen))

    def save(self, filename: str | Path) -> None:
        """Write the data set as a netCDF-4 file, which :func:`load_dataset` reads.

        If writing fails, an existing file is unchanged.

        Parameters
        ----------
        filename
            The file, usually ``*.nc``. An existing file is replaced.
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
        """SHA-256 of the content, which identifies the data set."""
        words = {
            "description": self.description,
            "licence": self.licence,
            "edge": self.edge,
            "properties": [spec.to_dict() for spec in self.properties],
            "convergence": list(self.convergence),
        }
        return content_sha256(words, self.sites)


def load_dataset(filename: str | Path) -> SpectrumDataset:
    """Read a data set written by :meth:`SpectrumDataset.save`.

    Parameters
    ----------
    filename
        The file, usually ``*.nc``.

    Raises
    ------
    DatasetError
        If the file is not a spectrum data set, is incomplete, or its content does not match its
        SHA-256.
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
    except DatasetError:
        raise
    except FAILURES as error:
        msg = f"{path.name} is not a complete spectrum data set: reading it failed with {error!r}."
        raise DatasetError(msg) from error
    if dataset.sha256 != written:
        msg = (
            f"{path.name} is damaged or was changed by hand: its content has the SHA-256 "
            f"{dataset.sha256[:12]}…, but the SHA-256 stored in the file is {written[:12]}…. Use "
            "an intact copy of the file."
        )
        raise DatasetError(msg)
    return dataset


def excitation_energies(dataset: SpectrumDataset) -> NDArray[np.float64]:
    """Return the excitation energy of each site in eV, shape (sites,).

    Raises
    ------
    DatasetError
        If the excitation energy of a site is missing.
    """
    energies = [site.labels.get(EXCITATION_ENERGY.name, np.nan) for site in dataset.sites]
    missing = np.flatnonzero(np.isnan(energies))
    if missing.size:
        msg = (
            f"The excitation energy of {dataset.names[missing[0]]} is missing, but absolute "
            "energies require it. Use energies relative to the threshold (aligned), or leave the "
            "site out."
        )
        raise DatasetError(msg)
    return np.array(energies)


def _broadening(
    site: ComputedSite, energy: NDArray[np.floating], sigma: float
) -> tuple[NDArray[np.float64], csr_array]:
    """Return the energies of a site's spectrum, and the matrix that broadens it from there."""
    spectrum = site.spectrum
    if not sigma >= spectrum.sigma:
        msg = (
            f"{site.name} already has a broadening of σ = {spectrum.sigma:g} eV, so it cannot be "
            f"broadened to σ = {sigma:g} eV. Use a larger sigma."
        )
        raise ResolutionError(msg)
    missing = float(np.sqrt(sigma**2 - spectrum.sigma**2))
    margin = _REACH * missing + _FINE
    first, last = spectrum.energy_range
    fine = np.arange(max(energy[0] - margin, first), min(energy[-1] + margin, last), _FINE)
    return fine, broadening_operator(fine, missing, energy)


def _defined(spec: PropertySpec, sites: Sequence[ComputedSite]) -> PropertySpec:
    """Return the specification with the definition common to all sites that have this label."""
    owners: dict[str | None, str] = {}
    for site in sites:
        if spec.name in site.labels:
            owners.setdefault(site.label_definitions.get(spec.name), site.name)
    if len(owners) > 1:
        (one, first), (other, second) = list(owners.items())[:2]
        msg = (
            f"All sites must have the same definition of the {spec.title}, but {first} has "
            f"{one or spec.definition!r} and {second} has {other or spec.definition!r}. The "
            "values are not comparable; make a separate data set for each definition."
        )
        raise DatasetError(msg)
    definition = next(iter(owners), None)
    return spec if definition is None else replace(spec, definition=definition)


def _check_names(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        msg = f"Sites need unique names, but several have the name {repeated!r}. Rename them."
        raise DatasetError(msg)
