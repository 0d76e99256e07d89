"""Reading computed sites from folders of CASTEP runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.computed_site import ComputedSite, ComputedStructure
from hyperspy_coreloss.errors import DatasetError, StructureError
from hyperspy_coreloss.simulation.castep.labels import (
    bond_overlap_population,
    matching_atoms,
    mulliken_charge,
    transition_energy,
)
from hyperspy_coreloss.simulation.castep.output import CastepRun, read_castep
from hyperspy_coreloss.simulation.castep.spectra import spectrum_of_run
from hyperspy_coreloss.simulation.labels import geometry_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def read_castep_sites(
    paths: str | Path | Sequence[str | Path],
    *,
    element: str = "O",
    ground_state: str | Path | None = None,
    lowest_empty: float | None = None,
    phases: Mapping[str, str] | None = None,
    source: str = "unknown",
    licence: str = "unknown",
) -> tuple[ComputedSite, ...]:
    """Read K edges computed by CASTEP, with their labels.

    Each ``.castep`` file with a 1s core hole on one atom is a site. Each file without a core hole
    is a ground state; it belongs to the sites of the same structure, whatever the file names. A
    site ``NAME.castep`` needs ``NAME.bands`` beside it, and ``NAME.eels_mat`` or
    ``NAME.elnes_bin``, or else ``NAME_core_edge.dat`` and ``NAME.odo`` of OptaDOS. A label that
    cannot be computed is left out, and ``details["missing_labels"]`` gives the reason.

    Parameters
    ----------
    paths
        Folders, which are searched with their subfolders, or ``.castep`` files.
    element
        Chemical symbol of the absorbing atoms; edges of other elements are left out.
    ground_state
        File of the ground state of all sites; needed if several ground states fit.
    lowest_empty
        Energy of the lowest empty state on the scale of every ``_core_edge.dat`` file, in eV;
        needed without ``.odo`` files.
    phases
        Phase of each structure, by the name of the structure; by default, each structure is a
        phase of its own.
    source, licence
        Origin and licence of the data.

    Returns
    -------
    tuple of ComputedSite
        In the order of the file names.

    Raises
    ------
    DatasetError
        If a file is missing or broken, or a run has not converged.
    """
    files, root = _castep_files(paths)
    runs = _read_all([*files, *([Path(ground_state)] if ground_state else [])])
    grounds = [runs.pop()] if ground_state else [run for run in runs if not run.core_hole_atoms]
    excited = [run for run in runs if _absorbs(run, element)]
    if not excited:
        msg = (
            f"A site needs a .castep file with a 1s core hole on {element}; found {len(runs)} "
            f"other .castep files in {root}. Give the folder of the core-hole calculations."
        )
        raise DatasetError(msg)
    structures: dict[CastepRun, ComputedStructure] = {}
    sites = []
    for run in excited:
        ground, atoms = _ground_state_of(run, grounds)
        reference = next(
            (
                earlier
                for earlier in structures
                if matching_atoms(run.atoms, earlier.atoms) is not None
            ),
            ground or run,
        )
        if reference not in structures:
            name = _name(reference.path, root)
            phase = (phases or {}).get(name, name)
            structures[reference] = _structure(reference, name, phase, source, licence)
        (absorber,) = run.core_hole_atoms
        spectrum, origin = spectrum_of_run(run, absorber, lowest_empty)
        labels, missing = _labels(run, absorber, ground, atoms)
        order = matching_atoms(run.atoms, reference.atoms)
        assert order is not None  # the reference has the same atoms
        sites.append(
            ComputedSite(
                name=_name(run.path, root),
                structure=structures[reference],
                absorber=int(order[absorber]),
                spectrum=spectrum,
                labels=labels,
                details=_details(run, absorber, ground)
                | {"spectrum": origin, "missing_labels": missing},
            )
        )
    return tuple(sites)


def _castep_files(paths: str | Path | Sequence[str | Path]) -> tuple[list[Path], Path]:
    given = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    files: list[Path] = []
    for path in given:
        if not path.exists():
            msg = f"A folder or .castep file was expected at {path}; there is none. Check the path."
            raise DatasetError(msg)
        files += sorted(path.rglob("*.castep")) if path.is_dir() else [path]
    files = list(dict.fromkeys(files))
    if not files:
        names = ", ".join(map(str, given))
        msg = f"No .castep file was found in {names}. Give the folder of the CASTEP runs."
        raise DatasetError(msg)
    tops = [path if path.is_dir() else path.parent for path in given]
    return files, Path(os.path.commonpath([top.absolute() for top in tops]))


def _read_all(files: Sequence[Path]) -> list[CastepRun]:
    runs, refused = [], []
    for file in files:
        try:
            runs.append(read_castep(file))
        except DatasetError as error:
            refused.append(str(error))
    if refused:
        more = f" And {len(refused) - 5} more." if len(refused) > 5 else ""
        raise DatasetError(" ".join(refused[:5]) + more)
    return runs


def _absorbs(run: CastepRun, element: str) -> bool:
    holes = run.core_hole_atoms
    if len(holes) > 1:
        msg = (
            f"A site needs a core hole on one atom; {run.path} has them on {len(holes)} atoms. "
            "Compute each site in a cell of its own."
        )
        raise DatasetError(msg)
    return bool(holes) and run.atoms[holes[0]].symbol == element


def _name(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path.absolute(), root)).with_suffix("").as_posix()


def _ground_state_of(
    run: CastepRun, grounds: Sequence[CastepRun]
) -> tuple[CastepRun | None, NDArray[np.integer] | None]:
    fitting = [
        (ground, atoms)
        for ground in grounds
        if (atoms := matching_atoms(run.atoms, ground.atoms)) is not None
    ]
    alike = [pair for pair in fitting if _settings(pair[0]) == _settings(run)]
    chosen = alike or fitting
    if len(chosen) > 1:
        names = ", ".join(str(ground.path) for ground, _ in chosen)
        msg = (
            f"{run.path} needs one ground state; several have its structure: {names}. Name one as "
            "ground_state."
        )
        raise DatasetError(msg)
    return chosen[0] if chosen else (None, None)


def _settings(run: CastepRun) -> tuple[str, float, str]:
    return run.functional, run.cutoff, run.sampling


def _structure(
    run: CastepRun, name: str, phase: str, source: str, licence: str
) -> ComputedStructure:
    return ComputedStructure(
        name=name,
        phase=phase,
        source=source,
        licence=licence,
        cell=run.atoms.cell[:],
        positions=run.atoms.positions,
        numbers=run.atoms.numbers,
    )


def _labels(
    run: CastepRun,
    absorber: int,
    ground: CastepRun | None,
    atoms: NDArray[np.integer] | None,
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the labels that can be computed, and the reasons why others cannot."""
    labels: dict[str, float] = {}
    missing: dict[str, str] = {}
    try:
        geometry = geometry_labels(run.atoms, absorber)
        labels |= {
            name: getattr(geometry, name)
            for name in ("bond_length", "bond_angle", "voronoi_volume")
        }
    except StructureError as error:
        missing |= dict.fromkeys(("bond_length", "bond_angle", "voronoi_volume"), str(error))
    if np.isnan(labels.get("bond_angle", 0.0)):
        del labels["bond_angle"]
        missing["bond_angle"] = "A bond angle needs two bonds; the atom has one bond only."
    for name in ("bond_overlap_population", "mulliken_charge", "excitation_energy"):
        try:
            labels[name] = _electronic_label(name, run, absorber, ground, atoms)
        except DatasetError as error:
            missing[name] = str(error)
    return labels, missing


def _electronic_label(
    name: str,
    run: CastepRun,
    absorber: int,
    ground: CastepRun | None,
    atoms: NDArray[np.integer] | None,
) -> float:
    if ground is None or atoms is None:
        msg = (
            f"This label needs the ground state of {run.path}; no .castep file without a core hole "
            "has the same structure. Add that of the ground state."
        )
        raise DatasetError(msg)
    site = int(atoms[absorber])
    if name == "mulliken_charge":
        return mulliken_charge(ground, site)
    if name == "bond_overlap_population":
        return bond_overlap_population(ground, site)
    return sum(transition_energy(ground, run, atoms, absorber))


def _details(run: CastepRun, absorber: int, ground: CastepRun | None) -> dict[str, Any]:
    """Return the settings of a run and the definitions of its labels, JSON-ready."""
    species = run.species[run.labels[absorber]]
    populations = f"CASTEP {ground.version if ground else run.version}, pseudo-atomic orbitals"
    return {
        "code": f"CASTEP {run.version}",
        "functional": run.functional,
        "cutoff": run.cutoff,
        "sampling": run.sampling,
        "charge": run.charge,
        "spin_polarised": run.spin_polarised,
        "core_hole": f"1s{species.occupation_1s:g}",
        "pseudopotential": species.pseudopotential,
        "energy_kind": run.energy_kind,
        "ground_state": ground.path.name if ground else None,
        # A network must not be trained on labels of different definitions.
        "label_definitions": {
            "bond_overlap_population": populations,
            "mulliken_charge": populations,
            "excitation_energy": (
                f"CASTEP, {run.functional}; total energies with atomic core correction "
                "(Mizoguchi et al. 2009)"
            ),
        },
    }
