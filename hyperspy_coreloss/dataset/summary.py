"""What a data set holds, as numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.properties import PropertySpec


def summarise(dataset: SpectrumDataset) -> dict[str, Any]:
    """Return size, identity and label ranges of a data set as a JSON-ready dictionary.

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
        "licence": dataset.licence,
        "description": dataset.description,
        "labels": {
            spec.name: _summarise_label(spec, values)
            for spec, values in zip(dataset.properties, dataset.targets.T, strict=True)
        },
        "licences_of_structures": _count([part.licence for part in structures.values()]),
        "coordination": _count([site.details.get("coordination") for site in dataset.sites]),
        "convergence": list(dataset.convergence),
    }


def _summarise_label(spec: PropertySpec, values: NDArray[np.float64]) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    summary: dict[str, Any] = {"unit": spec.unit, "n_known": int(known.size)}
    if known.size:
        summary |= {
            "minimum": float(known.min()),
            "mean": float(known.mean()),
            "maximum": float(known.max()),
        }
    return summary


def _count(values: Sequence[Any]) -> dict[str, int]:
    return {str(value): values.count(value) for value in sorted(set(values), key=str)}
