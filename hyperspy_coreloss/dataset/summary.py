"""Numerical summary of a data set."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.population import POPULATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.properties import PropertySpec


def summarise(dataset: SpectrumDataset) -> dict[str, Any]:
    """Return the size, SHA-256 and label ranges of a data set as a JSON-ready dictionary.

    Parameters
    ----------
    dataset
        The data set.
    """
    structures = {site.structure.name: site.structure for site in dataset.sites}
    return {
        **asdict(dataset.counts),
        "sha256": dataset.sha256,
        "edge": dataset.edge,
        "populations": summarise_populations(dataset),
        "licence": dataset.licence,
        "description": dataset.description,
        "labels": {
            spec.name: _summarise_label(spec, values)
            for spec, values in zip(dataset.properties, dataset.targets.T, strict=True)
        },
        "licences_of_structures": _count([each.licence for each in structures.values()]),
        "coordination": _count([site.details.get("coordination") for site in dataset.sites]),
        "convergence": list(dataset.convergence),
    }


def summarise_populations(dataset: SpectrumDataset) -> dict[str, dict[str, Any]]:
    """Return numbers of sites, structures and phases, and labels, of each population that occurs.

    Parameters
    ----------
    dataset
        The data set.

    Returns
    -------
    dict
        By population, in the order of :data:`.population.POPULATIONS`; the values are JSON-ready.
    """
    summary = {}
    for name in POPULATIONS:
        if name not in dataset.populations:
            continue
        part = dataset.of_population(name)
        summary[name] = {
            **asdict(part.counts),
            "labels": {
                spec.name: _summarise_label(spec, values)
                for spec, values in zip(part.properties, part.targets.T, strict=True)
            },
        }
    return summary


def _summarise_label(spec: PropertySpec, values: NDArray[np.float64]) -> dict[str, Any]:
    labels = values[np.isfinite(values)]
    summary: dict[str, Any] = {"unit": spec.unit, "n_known": int(labels.size)}
    if labels.size:
        summary |= {
            "minimum": float(labels.min()),
            "mean": float(labels.mean()),
            "maximum": float(labels.max()),
            "standard_deviation": float(labels.std()),
        }
    return summary


def _count(values: Sequence[Any]) -> dict[str, int]:
    return {str(value): values.count(value) for value in sorted(set(values), key=str)}
