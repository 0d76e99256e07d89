"""Which structures, phases and geometries the first sites of a plan cover."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.simulation.labels import geometry_labels
from hyperspy_coreloss.simulation.tasks import build_structure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hyperspy_coreloss.simulation.labels import GeometryLabels
    from hyperspy_coreloss.simulation.tasks import SimulationTask

#: Number of spectra in the paper (Kiyohara et al. 2019, section 2).
PAPER_SITES = 1171

_BOND_LENGTH_BINS = np.linspace(1.55, 1.75, 11)
_BOND_ANGLE_BINS = np.linspace(120.0, 180.0, 13)


@dataclass(frozen=True)
class PlanCoverage:
    """Numbers of the first sites of a plan, by several criteria.

    Parameters
    ----------
    sites, structures, phases
        Numbers of sites, of structures and of phases.
    coordination
        Number of sites by the number of bonded neighbours.
    composition
        Number of sites by the number of oxygen atoms per silicon atom.
    bond_length
        Number of two-coordinated sites by mean bond length, in bins of 0.02 Å from 1.55 to
        1.75 Å. The keys are the lower ends of the bins, and "outside" for other lengths.
    bond_angle
        The same by bond angle, in bins of 5 degrees from 120 to 180 degrees.
    """

    sites: int
    structures: int
    phases: int
    coordination: dict[str, int]
    composition: dict[str, int]
    bond_length: dict[str, int]
    bond_angle: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready dictionary."""
        return asdict(self)


def plan_coverage(
    tasks: Sequence[SimulationTask],
    structures: str | Path | Sequence[str | Path],
    first: int = PAPER_SITES,
) -> PlanCoverage:
    """Count the `first` sites of a plan by structure, phase and geometry.

    Parameters
    ----------
    tasks
        Tasks of the plan, in its order.
    structures
        Folder or folders of the structure files, as in :func:`.build_structure`.
    first
        Number of sites.

    Raises
    ------
    StructureError
        If a structure cannot be built.
    """
    counted = tuple(islice(_sites(tasks, structures), first))
    labels = [label for _, label, _ in counted]
    bridging = [label for label in labels if label.coordination == 2]
    return PlanCoverage(
        sites=len(counted),
        structures=len({task.name for task, _, _ in counted}),
        phases=len({task.phase for task, _, _ in counted}),
        coordination=_count(str(label.coordination) for label in labels),
        composition=_count(ratio for _, _, ratio in counted),
        bond_length=_histogram([label.bond_length for label in bridging], _BOND_LENGTH_BINS),
        bond_angle=_histogram([label.bond_angle for label in bridging], _BOND_ANGLE_BINS),
    )


def _sites(
    tasks: Sequence[SimulationTask], structures: str | Path | Sequence[str | Path]
) -> Iterator[tuple[SimulationTask, GeometryLabels, str]]:
    """Yield task, labels, and oxygen atoms per silicon atom of each site."""
    for task in tasks:
        atoms = build_structure(task, structures)
        ratio = np.sum(atoms.numbers == 8) / np.sum(atoms.numbers == 14)
        for site in task.sites:
            yield task, geometry_labels(atoms, site), f"{ratio:.3f}"


def _count(values: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _histogram(values: Sequence[float], edges: np.ndarray) -> dict[str, int]:
    counts, _ = np.histogram(values, edges)
    named = {f"{edge:g}": int(count) for edge, count in zip(edges, counts, strict=False)}
    return named | {"outside": len(values) - int(counts.sum())}
