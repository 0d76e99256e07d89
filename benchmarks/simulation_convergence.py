"""Measure what k-points, cutoff, steps and cell size do to one site's spectrum and energy.

Usage: python benchmarks/simulation_convergence.py STRUCTURE [IMAGE_DISTANCE ...]
computes the first oxygen of STRUCTURE in a supercell of each image distance (default: 8 Å).
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace

import numpy as np
from simulation_reference import cosine, window

from hyperspy_coreloss.simulation.engine import (
    EngineSettings,
    absorption_recursion,
    band_edges,
    calculate_core_hole,
    converge_core_hole,
    converge_ground_state,
    excitation_energy,
    ground_state_of,
)
from hyperspy_coreloss.simulation.recursion import recursion_kpoints
from hyperspy_coreloss.simulation.structure_files import read_structure
from hyperspy_coreloss.simulation.structures import (
    absorbing_sites,
    build_supercell,
    primitive_structure,
)


def three_grid() -> tuple[np.ndarray, np.ndarray]:
    """Points of the 3 x 3 x 3 grid around Gamma up to time reversal, and their weights."""
    weights: dict[tuple[int, ...], int] = {}
    for point in itertools.product(range(3), repeat=3):
        partner = tuple(-x % 3 for x in point)
        key = min(point, partner)
        weights[key] = weights.get(key, 0) + 1
    return np.array(list(weights)) / 3, np.array(list(weights.values()), dtype=float)


def measure(path: str, distance: float, settings: EngineSettings) -> None:
    """Print the cosines against the densest choice for one supercell."""
    crystal = primitive_structure(read_structure(path))
    site = absorbing_sites(crystal, "O")[0].index
    atoms = build_supercell(crystal, distance)
    start = converge_ground_state(atoms, settings)
    state = calculate_core_hole(atoms, site, settings, ground_state=start)
    energy = excitation_energy(ground_state_of(start), state)
    print(f"{len(atoms)} atoms, {atoms.get_volume():.1f} Å³, excitation energy {energy:.4f} eV")
    _measure_points(atoms, site, settings, start)
    finer = replace(settings, cutoff=1.3 * settings.cutoff)
    other = calculate_core_hole(atoms, site, finer)
    print(f"  cutoff {finer.cutoff:.0f} eV: {cosine(_spectrum(state), _spectrum(other)):.5f}")


def _measure_points(atoms, site: int, settings: EngineSettings, start) -> None:
    calculator = converge_core_hole(atoms, site, settings, ground_state=start)
    edges = band_edges(calculator)
    points, weights = three_grid()
    dense = absorption_recursion(calculator, site, settings, points)
    norm = dense.norm * weights[:, np.newaxis]
    best = window(dense.alpha, dense.beta, norm, *edges)
    four = absorption_recursion(calculator, site, settings, recursion_kpoints(0.0))
    for name, chosen in {"one": [0], "two": [0, 2], "four": [0, 1, 2, 3]}.items():
        parts = (part[chosen] for part in (four.alpha, four.beta, four.norm))
        print(f"  {name} k-points against 3 x 3 x 3: {cosine(window(*parts, *edges), best):.5f}")
    full = window(four.alpha, four.beta, four.norm, *edges)
    for steps in (150, 200):
        fewer = (four.alpha[..., :steps], four.beta[..., :steps], four.norm)
        print(f"  {steps} steps against 250: {cosine(window(*fewer, *edges), full):.5f}")


def _spectrum(state) -> np.ndarray:
    parts = state.recursion
    return window(parts.alpha, parts.beta, parts.norm, state.homo, state.lumo)


if __name__ == "__main__":
    for image_distance in map(float, sys.argv[2:] or ["8"]):
        measure(sys.argv[1], image_distance, EngineSettings())
