"""The spectrum of one atom, from the files beside a ``.castep`` file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.computed_site import SampledSpectrum, TransitionLines
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.simulation.castep.files import (
    BandEnergies,
    CoreMatrixElements,
    read_bands,
    read_core_matrix_elements,
)
from hyperspy_coreloss.simulation.castep.optados import (
    OptadosEdge,
    read_core_edges,
    read_optados_settings,
    sampled_spectrum,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hyperspy_coreloss.simulation.castep.output import CastepRun

_MATRIX_SUFFIXES = (".eels_mat", ".elnes_bin")
_S_CHANNEL = 1


def spectrum_of_run(
    run: CastepRun, absorber: int, lowest_empty: float | None = None
) -> tuple[TransitionLines | SampledSpectrum, dict[str, Any]]:
    """Read the K edge of one atom from the files beside a ``.castep`` file.

    Matrix elements are preferred to the spectrum of OptaDOS, because they can be broadened exactly
    by any width.

    Parameters
    ----------
    run
        Core-hole calculation.
    absorber
        Index of the absorbing atom.
    lowest_empty
        Energy of the lowest empty state on the scale of the ``_core_edge.dat`` file, in eV; needed
        without the ``.odo`` file of OptaDOS.

    Returns
    -------
    spectrum : TransitionLines or SampledSpectrum
        With energies from the lowest empty state.
    origin : dict
        Files and broadening of the spectrum, JSON-ready.

    Raises
    ------
    DatasetError
        If a file is missing, or files do not belong together.
    """
    matrices = [run.path.with_suffix(suffix) for suffix in _MATRIX_SUFFIXES]
    bands = run.path.with_suffix(".bands")
    edges = run.path.with_name(f"{run.path.stem}_core_edge.dat")
    matrix = next((path for path in matrices if path.is_file()), None)
    if matrix and bands.is_file():
        lines = transition_lines(
            read_bands(bands),
            read_core_matrix_elements(matrix),
            run.species_number(absorber),
            run.number_in_species(absorber),
        )
        return lines, {"files": [matrix.name, bands.name]}
    if edges.is_file():
        return _optados_spectrum(run, absorber, edges, lowest_empty)
    wanted = (
        f"{bands.name} beside {matrix.name}"
        if matrix
        else f"{matrices[0].name} or {matrices[1].name} with {bands.name}, or {edges.name}"
    )
    msg = (
        f"The spectrum of {run.path} needs {wanted}; {run.path.parent} lacks them. Copy the "
        "files there."
    )
    raise DatasetError(msg)


def _optados_spectrum(
    run: CastepRun, absorber: int, path: Path, lowest_empty: float | None
) -> tuple[SampledSpectrum, dict[str, Any]]:
    edge = _edge_of(run, absorber, read_core_edges(path), path)
    origin: dict[str, Any] = {"files": [path.name], "lifetime": list(edge.lifetime)}
    output, bands = run.path.with_suffix(".odo"), run.path.with_suffix(".bands")
    smearing = 0.0
    if output.is_file():
        settings = read_optados_settings(output)
        smearing = settings.smearing
        origin["broadening"] = settings.broadening
        if lowest_empty is None and (settings.chemical_shift is not None or bands.is_file()):
            of_bands = read_bands(bands).lowest_empty if bands.is_file() else np.nan
            lowest_empty = settings.lowest_empty(of_bands)
    if lowest_empty is None:
        missing = [file.name for file in (output, bands) if not file.is_file()]
        msg = (
            f"The energies of {path} may count from the Fermi energy, from CASTEP's zero or from a "
            f"chemical shift. To decide, {' and '.join(missing)} is needed in {path.parent}; there "
            "is none. Add it, or state lowest_empty."
        )
        raise DatasetError(msg)
    origin["lowest_empty_in_file"] = lowest_empty
    return sampled_spectrum(edge, lowest_empty, smearing), origin


def _edge_of(
    run: CastepRun, absorber: int, edges: Sequence[OptadosEdge], path: Path
) -> OptadosEdge:
    symbol, _, label = run.labels[absorber].partition(":")
    wanted = (symbol, run.number_in_species(absorber), label, "K1")
    for edge in edges:
        if (edge.element, edge.ion, edge.label, edge.edge) == wanted:
            return edge
    names = ", ".join(f"{edge.element} {edge.ion} {edge.edge} {edge.label}" for edge in edges[:10])
    msg = (
        f"{path} must hold the K edge of {run.labels[absorber]} {wanted[1]}, the atom with the "
        f"core hole; found {names}. Compute that edge."
    )
    raise DatasetError(msg)


def transition_lines(
    bands: BandEnergies, matrix: CoreMatrixElements, species: int, ion: int
) -> TransitionLines:
    """Return the transitions from the 1s shell of one atom to the empty states.

    Strengths are squared matrix elements in bohr squared, averaged over the three directions and
    the spins, times the weight of the k-point. Lines above the highest energy at which every
    k-point still has states are left out.

    Parameters
    ----------
    bands
        Eigenvalues. Their k-points must be in the order of the matrix elements, as CASTEP writes
        them.
    matrix
        Matrix elements.
    species, ion
        Number of the species of the atom, and number of the atom within it, both from 1.

    Raises
    ------
    DatasetError
        If the shapes of the two differ, or there is no 1s orbital of that atom.
    """
    n_points, n_spins, _, n_bands, _ = matrix.elements.shape
    expected = bands.energies.shape
    if (n_spins, n_points, n_bands) != expected:
        msg = (
            "Matrix elements and eigenvalues must be of one calculation; found "
            f"{n_spins} spins, {n_points} k-points, {n_bands} bands and "
            f"{expected[0]} spins, {expected[1]} k-points, {expected[2]} bands. Copy both files "
            "from the same run."
        )
        raise DatasetError(msg)
    here = (matrix.species == species) & (matrix.ion == ion)
    orbital = np.flatnonzero(here & (matrix.shell == 1) & (matrix.channel == _S_CHANNEL))
    if len(orbital) != 1:
        atoms = sorted(set(zip(matrix.species.tolist(), matrix.ion.tolist(), strict=True)))
        msg = (
            f"The matrix elements must hold one 1s orbital of atom {ion} of species {species}; "
            f"found {len(orbital)}. The file has orbitals of (species, atom) {atoms[:10]}."
        )
        raise DatasetError(msg)
    lowest = bands.lowest_empty
    squares = (np.abs(matrix.elements[:, :, orbital[0]]) ** 2).mean(axis=-1)
    strength = np.swapaxes(squares, 0, 1) * bands.weights[:, np.newaxis] / n_spins
    band = np.arange(n_bands)[np.newaxis, np.newaxis]
    ceiling = np.nanmax(bands.energies, axis=2).min()
    empty = band >= np.array(bands.occupied)[:, np.newaxis, np.newaxis]
    with np.errstate(invalid="ignore"):
        kept = empty & (bands.energies <= ceiling)
    return TransitionLines(bands.energies[kept] - lowest, strength[kept])
