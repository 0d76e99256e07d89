"""The netCDF layout of a data set: how its sites lie in named arrays, and back.

Sites, atoms and recursion chains differ in number, so they lie one after another, and an index
variable says whom each belongs to (an "indexed ragged array").

========================  ==================================================================
dimension                 variables
========================  ==================================================================
``site``                  ``site`` (names), ``structure_of_site``, ``absorber``,
                          ``calculation_of_site``, ``details`` (JSON) and one variable a property
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
from hyperspy_coreloss.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.computed_site import ComputedSpectrum
    from hyperspy_coreloss.properties import PropertySpec

# Details that many sites have in common.
_SHARED = ("calculation", "label_definitions")

# What the chains of a site's own spectrum stand for.
_ABSORPTION = "absorption"

_MEANING = {
    "site": ("", "name of the site"),
    "structure_of_site": ("", "position of the site's structure"),
    "absorber": ("", "position of the absorbing atom among the atoms of its structure"),
    "calculation_of_site": ("", "position of the site's settings and versions"),
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
    """Return the arrays of a data set by their names.

    Parameters
    ----------
    sites
        Sites of the data set.
    properties
        What their labels mean.
    """
    structures = list({site.structure.name: site.structure for site in sites}.values())
    number = {structure.name: index for index, structure in enumerate(structures)}
    calculations = list(dict.fromkeys(_calculation(site) for site in sites))
    columns = {
        "site": [site.name for site in sites],
        "structure_of_site": np.array([number[site.structure.name] for site in sites]),
        "absorber": np.array([site.absorber for site in sites]),
        "calculation_of_site": np.array([calculations.index(_calculation(s)) for s in sites]),
        "details": [
            json.dumps({key: value for key, value in site.details.items() if key not in _SHARED})
            for site in sites
        ],
    }
    found = {name: _described(name, ("site",), values) for name, values in columns.items()}
    for spec in properties:
        values = np.array([site.labels.get(spec.name, np.nan) for site in sites])
        words = {"units": spec.unit, "long_name": spec.title, "comment": spec.definition}
        found[spec.name] = NamedArray(("site",), values, words)
    found["calculation"] = _described("calculation", ("calculation",), calculations)
    return found | _structure_variables(structures) | _spectrum_variables(sites)


def _calculation(site: ComputedSite) -> str:
    return json.dumps({key: site.details[key] for key in _SHARED if key in site.details})


def _structure_variables(structures: Sequence[ComputedStructure]) -> dict[str, NamedArray]:
    words = {"structure": "name", "phase": "phase", "source": "source", "licence": "licence"}
    found = {
        name: _described(name, ("structure",), [getattr(part, field) for part in structures])
        for name, field in words.items()
    }
    cells = np.array([part.cell for part in structures], dtype=float)
    found["cell"] = _described("cell", ("structure", "vector", "cartesian"), cells)
    columns = {
        "structure_of_atom": (("atom",), _owners(len(part.numbers) for part in structures)),
        "atomic_number": (("atom",), np.concatenate([part.numbers for part in structures])),
        "position": (
            ("atom", "cartesian"),
            np.concatenate([part.positions for part in structures]).astype(float),
        ),
    }
    return found | {name: _described(name, *column) for name, column in columns.items()}


def _spectrum_variables(sites: Sequence[ComputedSite]) -> dict[str, NamedArray]:
    found = _chain_variables(sites)
    lines = [_of_kind(site.spectrum, TransitionLines) for site in sites]
    if any(lines):
        columns: dict[str, Any] = {
            "site_of_line": _owners(len(part.energy) if part else 0 for part in lines),
            "line_energy": np.concatenate([part.energy for part in lines if part]),
            "line_strength": np.concatenate([part.strength for part in lines if part]),
        }
        found |= {name: _described(name, ("line",), values) for name, values in columns.items()}
    samples = [_of_kind(site.spectrum, SampledSpectrum) for site in sites]
    if any(samples):
        given = [part for part in samples if part]
        columns = {
            "site_of_sample": _owners(len(part.energy) if part else 0 for part in samples),
            "sample_energy": np.concatenate([part.energy for part in given]),
            "sample_intensity": np.concatenate([part.intensity_samples for part in given]),
            "sample_sigma": np.concatenate([np.full(len(p.energy), p.sigma) for p in given]),
        }
        found |= {name: _described(name, ("sample",), values) for name, values in columns.items()}
    return found


def _chain_variables(sites: Sequence[ComputedSite]) -> dict[str, NamedArray]:
    owners, quantities, parts = [], [], []
    for index, site in enumerate(sites):
        own = _of_kind(site.spectrum, RecursionChains)
        chains = {_ABSORPTION: own} if own else {}
        for quantity, part in {**chains, **site.projected_densities}.items():
            owners += [index] * len(part.norm)
            quantities += [quantity] * len(part.norm)
            parts.append(part)
    if not parts:
        return {}
    steps = max(part.alpha.shape[1] for part in parts)
    columns = {
        "site_of_chain": np.array(owners),
        "quantity": quantities,
        "norm": np.concatenate([part.norm for part in parts]),
        "lowest_empty": np.concatenate([np.full(len(p.norm), p.lowest_empty) for p in parts]),
        "gap_middle": np.concatenate([np.full(len(p.norm), p.gap_middle) for p in parts]),
    }
    found = {name: _described(name, ("chain",), values) for name, values in columns.items()}
    for name in ("alpha", "beta"):
        padded = np.concatenate([_padded(getattr(part, name), steps) for part in parts])
        found[name] = _described(name, ("chain", "step"), padded)
    return found


def _padded(coefficients: NDArray, steps: int) -> NDArray:
    """Fill shorter chains up with NaN."""
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
    """Rebuild the sites of :func:`dataset_variables`.

    Raises
    ------
    DatasetError
        If the arrays do not fit together.
    KeyError
        If one is missing.
    """
    structures = _structures(arrays)
    calculations = [json.loads(text) for text in arrays["calculation"]]
    spectra = _Spectra(arrays)
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
        """Chains of a site by the quantity they stand for."""
        part = self._part("chain", site)
        if part is None:
            return {}
        arrays, found = self._arrays, {}
        quantities = arrays["quantity"][part]
        for quantity in dict.fromkeys(quantities):
            rows = np.arange(part.start, part.stop)[quantities == quantity]
            steps = int(np.isfinite(arrays["alpha"][rows[0]]).sum())
            found[str(quantity)] = RecursionChains(
                alpha=arrays["alpha"][rows, :steps],
                beta=arrays["beta"][rows, :steps],
                norm=arrays["norm"][rows],
                lowest_empty=float(arrays["lowest_empty"][rows[0]]),
                gap_middle=float(arrays["gap_middle"][rows[0]]),
            )
        return found

    def other(self, site: int) -> TransitionLines | SampledSpectrum:
        """Lines or samples of a site."""
        arrays, part = self._arrays, self._part("line", site)
        if part is not None:
            return TransitionLines(arrays["line_energy"][part], arrays["line_strength"][part])
        part = self._part("sample", site)
        if part is None:
            msg = f"The site {arrays['site'][site]} of the file has no spectrum."
            raise DatasetError(msg)
        return SampledSpectrum(
            arrays["sample_energy"][part],
            arrays["sample_intensity"][part],
            float(arrays["sample_sigma"][part][0]),
        )

    def _part(self, kind: str, site: int) -> slice | None:
        if kind not in self._bounds:
            return None
        start, stop = self._bounds[kind][site : site + 2]
        return slice(int(start), int(stop)) if stop > start else None


def _bounds(owners: NDArray, count: int) -> NDArray[np.int64]:
    """First element of each owner, and the end; owners lie one after another."""
    if (np.diff(owners) < 0).any():
        msg = "The elements of one owner must lie together, in the owners' order."
        raise DatasetError(msg)
    return np.searchsorted(owners, np.arange(count + 1))
