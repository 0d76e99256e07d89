"""The netCDF layout of a data set: conversion of its sites to named arrays, and back.

The numbers of atoms, chains, lines and samples differ between sites. They are concatenated, and an
index variable gives the owner of each element (an "indexed ragged array").

========================  ==================================================================
dimension                 variables
========================  ==================================================================
``site``                  ``site`` (names), ``structure_of_site``, ``absorber``,
                          ``calculation_of_site``, ``population``, ``details`` (JSON), one
                          variable per property
``structure``             ``structure`` (names), ``phase``, ``source``, ``licence``, ``cell``
``atom``                  ``structure_of_atom``, ``atomic_number``, ``position``
``chain``, ``step``       ``site_of_chain``, ``quantity``, ``alpha``, ``beta``, ``norm``,
                          ``lowest_empty``, ``gap_middle``
``line``                  ``site_of_line``, ``line_energy``, ``line_strength``
``sample``                ``site_of_sample``, ``sample_energy``, ``sample_intensity``,
                          ``sample_sigma``
``calculation``           ``calculation`` (JSON: settings and versions, shared by many sites)
========================  ==================================================================
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.computed_site import (
    ComputedSite,
    ComputedStructure,
    RecursionChains,
    SampledSpectrum,
    TransitionLines,
)
from hyperspy_coreloss.dataset.netcdf import NamedArray
from hyperspy_coreloss.dataset.population import OTHER
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.computed_site import ComputedSpectrum
    from hyperspy_coreloss.properties import PropertySpec

# Details that many sites have in common.
_SHARED = ("calculation", "label_definitions")

# Name of the quantity of the chains of a site's spectrum.
_ABSORPTION = "absorption"

_MEANING = {
    "site": ("", "name of the site"),
    "structure_of_site": ("", "position of the site's structure"),
    "absorber": ("", "position of the absorbing atom among the atoms of its structure"),
    "calculation_of_site": ("", "position of the site's settings and versions"),
    "population": ("", "kind of structure that the site is counted under"),
    "details": ("", "what else is known of the site, as JSON"),
    "calculation": ("", "settings, versions and definitions, shared by many sites, as JSON"),
    "structure": ("", "name of the structure"),
    "phase": ("", "phase of the structure, the group of an honest split"),
    "source": ("", "where the structure comes from"),
    "licence": ("", "what may be done with the structure"),
    "cell": ("angstrom", "lattice vectors, one a row"),
    "structure_of_atom": ("", "position of the atom's structure"),
    "atomic_number": ("", "atomic number"),
    "position": ("angstrom", "Cartesian position of the atom"),
    "site_of_chain": ("", "position of the chain's site"),
    "quantity": ("", "what the chain stands for: absorption, or a projected density of states"),
    "alpha": ("electron_volt", "diagonal recursion coefficients"),
    "beta": ("electron_volt", "off-diagonal recursion coefficients"),
    "norm": ("", "squared norm of the starting vector, in atomic units"),
    "lowest_empty": ("electron_volt", "energy of the lowest empty state, on the scale of alpha"),
    "gap_middle": ("electron_volt", "energy in the middle of the gap, on the scale of alpha"),
    "site_of_line": ("", "position of the line's site"),
    "line_energy": ("electron_volt", "energy from the lowest empty state"),
    "line_strength": ("", "squared matrix element with the weight of its k-point"),
    "site_of_sample": ("", "position of the sample's site"),
    "sample_energy": ("electron_volt", "energy from the lowest empty state"),
    "sample_intensity": ("", "intensity"),
    "sample_sigma": ("electron_volt", "Gaussian broadening that the sample carries"),
}


def dataset_variables(
    sites: Sequence[ComputedSite], properties: Sequence[PropertySpec]
) -> dict[str, NamedArray]:
    """Return the arrays of a data set by name.

    Parameters
    ----------
    sites
        Sites of the data set.
    properties
        Specifications of their labels.
    """
    structures = list({site.structure.name: site.structure for site in sites}.values())
    number = {structure.name: index for index, structure in enumerate(structures)}
    calculations = list(dict.fromkeys(_calculation(site) for site in sites))
    columns = {
        "site": [site.name for site in sites],
        "structure_of_site": np.array([number[site.structure.name] for site in sites]),
        "absorber": np.array([site.absorber for site in sites]),
        "calculation_of_site": np.array([calculations.index(_calculation(s)) for s in sites]),
        "population": [site.population for site in sites],
        "details": [
            json.dumps({key: value for key, value in site.details.items() if key not in _SHARED})
            for site in sites
        ],
    }
    variables = {name: _described(name, ("site",), values) for name, values in columns.items()}
    for spec in properties:
        values = np.array([site.labels.get(spec.name, np.nan) for site in sites])
        words = {"units": spec.unit, "long_name": spec.title, "comment": spec.definition}
        variables[spec.name] = NamedArray(("site",), values, words)
    variables["calculation"] = _described("calculation", ("calculation",), calculations)
    return variables | _structure_variables(structures) | _spectrum_variables(sites)


def _calculation(site: ComputedSite) -> str:
    return json.dumps({key: site.details[key] for key in _SHARED if key in site.details})


def _structure_variables(structures: Sequence[ComputedStructure]) -> dict[str, NamedArray]:
    words = {"structure": "name", "phase": "phase", "source": "source", "licence": "licence"}
    variables = {
        name: _described(name, ("structure",), [getattr(each, field) for each in structures])
        for name, field in words.items()
    }
    cells = np.array([each.cell for each in structures], dtype=float)
    variables["cell"] = _described("cell", ("structure", "vector", "cartesian"), cells)
    columns = {
        "structure_of_atom": (("atom",), _owners(len(each.numbers) for each in structures)),
        "atomic_number": (("atom",), np.concatenate([each.numbers for each in structures])),
        "position": (
            ("atom", "cartesian"),
            np.concatenate([each.positions for each in structures]).astype(float),
        ),
    }
    return variables | {name: _described(name, *column) for name, column in columns.items()}


def _spectrum_variables(sites: Sequence[ComputedSite]) -> dict[str, NamedArray]:
    variables = _chain_variables(sites)
    lines = [_of_kind(site.spectrum, TransitionLines) for site in sites]
    if any(lines):
        columns: dict[str, Any] = {
            "site_of_line": _owners(len(each.energy) if each else 0 for each in lines),
            "line_energy": np.concatenate([each.energy for each in lines if each]),
            "line_strength": np.concatenate([each.strength for each in lines if each]),
        }
        variables |= {name: _described(name, ("line",), values) for name, values in columns.items()}
    samples = [_of_kind(site.spectrum, SampledSpectrum) for site in sites]
    if any(samples):
        given = [each for each in samples if each]
        columns = {
            "site_of_sample": _owners(len(each.energy) if each else 0 for each in samples),
            "sample_energy": np.concatenate([each.energy for each in given]),
            "sample_intensity": np.concatenate([each.intensity_samples for each in given]),
            "sample_sigma": np.concatenate([np.full(len(s.energy), s.sigma) for s in given]),
        }
        variables |= {
            name: _described(name, ("sample",), values) for name, values in columns.items()
        }
    return variables


def _chain_variables(sites: Sequence[ComputedSite]) -> dict[str, NamedArray]:
    owners, quantities, chain_sets = [], [], []
    for index, site in enumerate(sites):
        own = _of_kind(site.spectrum, RecursionChains)
        chains = {_ABSORPTION: own} if own else {}
        for quantity, chain_set in {**chains, **site.projected_densities}.items():
            owners += [index] * len(chain_set.norm)
            quantities += [quantity] * len(chain_set.norm)
            chain_sets.append(chain_set)
    if not chain_sets:
        return {}
    steps = max(each.alpha.shape[1] for each in chain_sets)
    columns = {
        "site_of_chain": np.array(owners),
        "quantity": quantities,
        "norm": np.concatenate([each.norm for each in chain_sets]),
        "lowest_empty": np.concatenate([np.full(len(c.norm), c.lowest_empty) for c in chain_sets]),
        "gap_middle": np.concatenate([np.full(len(c.norm), c.gap_middle) for c in chain_sets]),
    }
    variables = {name: _described(name, ("chain",), values) for name, values in columns.items()}
    for name in ("alpha", "beta"):
        padded = np.concatenate([_padded(getattr(each, name), steps) for each in chain_sets])
        variables[name] = _described(name, ("chain", "step"), padded)
    return variables


def _padded(coefficients: NDArray, steps: int) -> NDArray:
    """Pad chains with NaN to the given number of steps."""
    missing = steps - coefficients.shape[1]
    return np.pad(coefficients, ((0, 0), (0, missing)), constant_values=np.nan)


def _of_kind(spectrum: ComputedSpectrum, kind: type[Any]) -> Any:
    return spectrum if isinstance(spectrum, kind) else None


def _owners(sizes: Iterable[int]) -> NDArray[np.int64]:
    counts = np.array(list(sizes), dtype=np.int64)
    return np.repeat(np.arange(len(counts)), counts)


def _described(name: str, dimensions: tuple[str, ...], values: Any) -> NamedArray:
    unit, meaning = _MEANING[name]
    return NamedArray(
        dimensions, values, {"long_name": meaning} | ({"units": unit} if unit else {})
    )


def sites_from_variables(
    arrays: Mapping[str, NDArray], properties: Sequence[PropertySpec]
) -> tuple[ComputedSite, ...]:
    """Create sites from the arrays of :func:`dataset_variables`.

    Raises
    ------
    DatasetError
        If the arrays are inconsistent.
    KeyError
        If an array is missing.
    """
    structures = _structures(arrays)
    calculations = [json.loads(text) for text in arrays["calculation"]]
    spectra = _Spectra(arrays)
    # Files from before populations were recorded have none.
    populations = arrays.get("population", [OTHER] * len(arrays["site"]))
    sites = []
    for index, name in enumerate(arrays["site"]):
        shared = calculations[arrays["calculation_of_site"][index]]
        details = json.loads(arrays["details"][index]) | shared
        labels = {spec.name: float(arrays[spec.name][index]) for spec in properties}
        chains = spectra.chains(index)
        site = ComputedSite(
            name=str(name),
            structure=structures[arrays["structure_of_site"][index]],
            absorber=int(arrays["absorber"][index]),
            spectrum=chains.pop(_ABSORPTION) if _ABSORPTION in chains else spectra.other(index),
            labels={key: value for key, value in labels.items() if not np.isnan(value)},
            details=details,
            projected_densities=chains,
            population=str(populations[index]),
        )
        sites.append(site)
    return tuple(sites)


def _structures(arrays: Mapping[str, NDArray]) -> list[ComputedStructure]:
    count = len(arrays["structure"])
    bounds = _bounds(arrays["structure_of_atom"], count)
    return [
        ComputedStructure(
            name=str(arrays["structure"][index]),
            phase=str(arrays["phase"][index]),
            source=str(arrays["source"][index]),
            licence=str(arrays["licence"][index]),
            cell=arrays["cell"][index],
            positions=arrays["position"][bounds[index] : bounds[index + 1]],
            numbers=arrays["atomic_number"][bounds[index] : bounds[index + 1]],
        )
        for index in range(count)
    ]


class _Spectra:
    """The spectra of a file, by site."""

    def __init__(self, arrays: Mapping[str, NDArray]) -> None:
        self._arrays = arrays
        self._bounds = {
            kind: _bounds(arrays[f"site_of_{kind}"], len(arrays["site"]))
            for kind in ("chain", "line", "sample")
            if f"site_of_{kind}" in arrays
        }

    def chains(self, site: int) -> dict[str, RecursionChains]:
        """Return the chains of a site by quantity."""
        elements = self._elements("chain", site)
        if elements is None:
            return {}
        arrays, chains = self._arrays, {}
        quantities = arrays["quantity"][elements]
        for quantity in dict.fromkeys(quantities):
            rows = np.arange(elements.start, elements.stop)[quantities == quantity]
            steps = int(np.isfinite(arrays["alpha"][rows[0]]).sum())
            chains[str(quantity)] = RecursionChains(
                alpha=arrays["alpha"][rows, :steps],
                beta=arrays["beta"][rows, :steps],
                norm=arrays["norm"][rows],
                lowest_empty=float(arrays["lowest_empty"][rows[0]]),
                gap_middle=float(arrays["gap_middle"][rows[0]]),
            )
        return chains

    def other(self, site: int) -> TransitionLines | SampledSpectrum:
        """Return the lines or the samples of a site."""
        arrays, elements = self._arrays, self._elements("line", site)
        if elements is not None:
            return TransitionLines(
                arrays["line_energy"][elements], arrays["line_strength"][elements]
            )
        elements = self._elements("sample", site)
        if elements is None:
            msg = (
                "Each site needs chains, lines or samples, but the site "
                f"{arrays['site'][site]} of the file has no spectrum."
            )
            raise DatasetError(msg)
        return SampledSpectrum(
            arrays["sample_energy"][elements],
            arrays["sample_intensity"][elements],
            float(arrays["sample_sigma"][elements][0]),
        )

    def _elements(self, kind: str, site: int) -> slice | None:
        if kind not in self._bounds:
            return None
        start, stop = self._bounds[kind][site : site + 2]
        return slice(int(start), int(stop)) if stop > start else None


def _bounds(owners: NDArray, count: int) -> NDArray[np.int64]:
    """Return the index of the first element of each owner, and the number of elements."""
    if (np.diff(owners) < 0).any():
        msg = (
            "The elements of each owner must be contiguous and in the order of the owners, but "
            "the index variable of the file decreases."
        )
        raise DatasetError(msg)
    return np.searchsorted(owners, np.arange(count + 1))
