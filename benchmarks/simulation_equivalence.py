"""Check that symmetry-equivalent sites of one crystal get the same spectrum and labels.

Usage: ``python benchmarks/simulation_equivalence.py STRUCTURE [--most N]``
computes the atoms equivalent to the first oxygen, in the supercell that data sets use. Their
surroundings are rotated against each other, while supercell, grid and k-points are the same, so
their differences are errors of the numerics. The benchmark fails if they exceed the limits of
``simulation_reference.py``.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from simulation_reference import LIMITS, SMALLEST_COSINE

from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.simulation.comparison import aligned_spectrum, cosine, recursion_chains
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import absorbing_sites, primitive_structure
from hyperspy_coreloss.simulation.tasks import tasks_from_files

if TYPE_CHECKING:
    from hyperspy_coreloss.simulation.site_record import SiteRecord


def compute(structure: Path, most: int | None) -> list[SiteRecord]:
    """Compute up to `most` equivalent oxygen sites, spread over all of them."""
    (task,), _ = tasks_from_files([structure], "O")
    sites = absorbing_sites(primitive_structure(read_structure(structure)), "O")[0].equivalents
    sites = sites[:: max(1, len(sites) // (most or len(sites)))][:most]
    simulator = SiteSimulator()
    with tempfile.TemporaryDirectory() as folder:
        prepared = simulator.prepare(task, Path(folder))
    return [simulator.simulate(task, prepared, site) for site in sites]


@click.command()
@click.argument("structure", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--most", type=click.IntRange(min=2), help="Largest number of sites; default: all.")
def main(structure: Path, most: int | None) -> None:
    """Print the largest differences between equivalent sites of STRUCTURE."""
    records = compute(structure, most)
    spectra = [
        aligned_spectrum(recursion_chains(record, record.label["homo"], record.label["lumo"]))
        for record in records
    ]
    worst = min((cosine(*pair) for pair in itertools.combinations(spectra, 2)), default=1.0)
    sites = ", ".join(str(record.site) for record in records)
    click.echo(f"{structure.stem}: {len(records[0].numbers)} atoms, sites {sites}")
    click.echo(f"  worst cosine {worst:.6f}")
    missed = [] if worst >= SMALLEST_COSINE else ["spectrum"]
    for spec in PROPERTIES:
        values = [record.label[spec.name] for record in records]
        apart = max(values) - min(values)
        click.echo(f"  {spec.name}: at most {apart:.2g} {spec.unit} apart")
        if apart > LIMITS.get(spec.name, 0.001):
            missed.append(spec.name)
    if missed:
        message = f"Equivalent sites must agree; they differ too much in {', '.join(missed)}."
        raise click.ClickException(message)


if __name__ == "__main__":
    main()
