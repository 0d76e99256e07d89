"""Compute reference sites again, and compare the simulator with them.

Usage: ``python benchmarks/simulation_reference.py FOLDER SITE [SITE ...]``
where FOLDER contains site records ``SITE.npz``, for example ``mp-7000_SiO2_3``. Spectra are
compared at the k-points of the reference, from -1 to 15 eV around the threshold, broadened by
0.5 eV. Excitation energies are compared without corrections. The benchmark fails if a site differs
by more than `LIMITS`, or its spectrum has a cosine below `SMALLEST_COSINE`.
"""

from __future__ import annotations

from pathlib import Path

import click
from ase import Atoms

from hyperspy_coreloss.simulation.comparison import aligned_spectrum, cosine, recursion_chains
from hyperspy_coreloss.simulation.engine import (
    absorption_recursion,
    band_edges,
    converge_core_hole,
    converge_ground_state,
)
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.labels import geometry_labels
from hyperspy_coreloss.simulation.populations import calculate_populations
from hyperspy_coreloss.simulation.recursion import recursion_kpoints
from hyperspy_coreloss.simulation.site_record import SiteRecord, load_site_record

SMALLEST_COSINE = 0.998
#: Largest differences, in the units of the properties.
LIMITS = {"excitation_energy": 0.02, "mulliken_charge": 0.01, "bond_overlap_population": 0.01}


def compare(known: SiteRecord, settings: EngineSettings) -> dict[str, float]:
    """Compute one site in the cell of the reference, and return the differences from it."""
    label, site = known.label, known.site
    atoms = Atoms(known.numbers, positions=known.positions, cell=known.cell, pbc=True)
    ground = converge_ground_state(atoms, settings)
    excited = converge_core_hole(atoms, site, settings, ground_state=ground)
    # References have the first one or two of the four k-points.
    points = recursion_kpoints(0.0)[: len(known.alpha)]
    recursion = absorption_recursion(excited, site, settings, points)
    ours = aligned_spectrum(recursion_chains(recursion, *band_edges(excited)))
    theirs = aligned_spectrum(recursion_chains(known, label["homo"], label["lumo"]))
    energy = (excited.get_potential_energy() + excited.get_reference_energy()) - (
        ground.get_potential_energy() + ground.get_reference_energy()
    )
    reference_energy = label["e_xch"] + label["e_ref_xch"] - label["e_gs"] - label["e_ref_gs"]
    populations = calculate_populations(atoms, settings)
    charge, overlap = label["mulliken_charge"], label["bond_overlap_population"]
    return {
        "cosine": cosine(ours, theirs),
        "excitation_energy": energy - reference_energy,
        "mulliken_charge": populations.mulliken_charge(site) - charge,
        "bond_overlap_population": populations.bond_overlap_population(atoms, site) - overlap,
        "voronoi_volume": geometry_labels(atoms, site).voronoi_volume - label["voronoi_volume"],
    }


def too_different(found: dict[str, float]) -> list[str]:
    """Return the names of the quantities that differ too much."""
    missed = [name for name, limit in LIMITS.items() if not abs(found[name]) <= limit]
    return missed if found["cosine"] >= SMALLEST_COSINE else ["cosine", *missed]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("sites", nargs=-1, required=True)
def main(folder: Path, sites: tuple[str, ...]) -> None:
    """Compute SITES again, and compare them with the records in FOLDER."""
    failed = {}
    for name in sites:
        reference = load_site_record(folder / f"{name}.npz")
        differences = compare(reference, EngineSettings())
        click.echo(
            f"{name}: {len(reference.numbers)} atoms, {len(reference.alpha)} k-points, "
            f"cosine {differences['cosine']:.6f}, "
            f"excitation energy {differences['excitation_energy']:+.5f} eV, "
            f"charge {differences['mulliken_charge']:+.5f} e, "
            f"overlap population {differences['bond_overlap_population']:+.5f}, "
            f"Voronoi volume {differences['voronoi_volume']:+.4f} Å³"
        )
        if missed := too_different(differences):
            failed[name] = missed
    if failed:
        raise click.ClickException(
            "; ".join(f"{name} differs in {', '.join(missed)}" for name, missed in failed.items())
        )


if __name__ == "__main__":
    main()
