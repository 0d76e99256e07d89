"""Compute reference sites again and compare: spectra, energies, populations.

Usage: python benchmarks/simulation_reference.py FOLDER SITE [SITE ...]
where FOLDER holds site records ``SITE.npz``, for example ``mp-7000_SiO2_3``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from ase import Atoms

from hyperspy_coreloss.continued_fraction import absorption_spectrum
from hyperspy_coreloss.simulation.engine import (
    EngineSettings,
    calculate_core_hole,
    converge_ground_state,
    excitation_energy,
    ground_state_of,
)
from hyperspy_coreloss.simulation.labels import geometry_labels
from hyperspy_coreloss.simulation.populations import calculate_populations
from hyperspy_coreloss.simulation.site_record import SiteRecord, read_site_record


def window(alpha, beta, norm, homo: float, lumo: float) -> np.ndarray:
    """Spectrum from -1 to 15 eV around its threshold: 10 % of the maximum, sigma 0.5 eV."""
    energy = lumo + np.arange(-3.0, 20.0, 0.02)
    edges = {"homo": homo, "lumo": lumo, "sigma": 0.5}
    spectrum = absorption_spectrum(alpha, beta, norm, energy, **edges)
    onset = energy[np.argmax(spectrum > 0.1 * spectrum.max())]
    return np.interp(onset + np.arange(-1.0, 15.0, 0.1), energy, spectrum)


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Cosine similarity."""
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def compare(name: str, known: SiteRecord, settings: EngineSettings) -> None:
    """Compute one site in the reference's own cell and print the differences."""
    label = known.label
    atoms = Atoms(known.numbers, positions=known.positions, cell=known.cell, pbc=True)
    calculator = converge_ground_state(atoms, settings)
    ground = ground_state_of(calculator)
    populations = calculate_populations(atoms, settings)
    state = calculate_core_hole(atoms, known.site, settings, ground_state=calculator)
    # The reference has the first one or two of our k-points.
    points = slice(0, len(known.alpha))
    recursion = state.recursion
    full = window(recursion.alpha, recursion.beta, recursion.norm, state.homo, state.lumo)
    parts = (part[points] for part in (recursion.alpha, recursion.beta, recursion.norm))
    ours = window(*parts, state.homo, state.lumo)
    theirs = window(known.alpha, known.beta, known.norm, label["homo"], label["lumo"])
    excitation = label["e_xch"] + label["e_ref_xch"] - label["e_gs"] - label["e_ref_gs"]
    overlap = populations.bond_overlap_population(atoms, known.site)
    volume = geometry_labels(atoms, known.site).voronoi_volume
    print(
        f"{name}: {len(atoms)} atoms, cosine {cosine(ours, theirs):.6f} "
        f"at the same {len(known.alpha)} k-points, {cosine(full, theirs):.4f} at all, "
        f"excitation energy {excitation_energy(ground, state) - excitation:+.5f} eV, "
        f"charge {populations.mulliken_charge(known.site) - label['mulliken_charge']:+.5f} e, "
        f"overlap population {overlap - label['bond_overlap_population']:+.5f}, "
        f"Voronoi volume {volume - label['voronoi_volume']:+.4f} Å³",
        flush=True,
    )


if __name__ == "__main__":
    for site_name in sys.argv[2:]:
        record = read_site_record(Path(sys.argv[1]) / f"{site_name}.npz")
        compare(site_name, record, EngineSettings())
