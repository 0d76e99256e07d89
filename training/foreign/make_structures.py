"""Write the crystal structures of the oxides, and where they come from, into ``structures/``.

Usage: ``python -m training.foreign.make_structures MATMINER [--output FOLDER]``

MATMINER is the folder ``matminer/datasets`` of the source archive of matminer 0.4.0, which contains
entries of the Materials Project. Existing files are replaced.
"""

from __future__ import annotations

import ast
from pathlib import Path

import click
import pandas as pd
from ase import Atoms
from ase.io import write
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from hyperspy_coreloss.simulation.structures import primitive_structure
from training.foreign.oxides import OXIDES, Measured

#: Files of matminer 0.4.0, in the order of the search, and the column with the structure.
FILES = (
    ("dielectric_constant.csv", "poscar"),
    ("elastic_tensor.csv", "poscar"),
    ("piezoelectric_tensor.csv", "poscar"),
    ("flla_2015.csv", "structure"),
)

_HEAD = """# Origin of the crystal structures

Written by `python -m training.foreign.make_structures` from the list in `oxides.py`. Each file is a
primitive cell. Entries of the Materials Project are relaxed with PBE, under the licence CC BY 4.0
(cite Jain et al. 2013). The others are measured: cells and positions are the numbers printed in the
cited papers, found through the American Mineralogist Crystal Structure Database.

| file | formula | source | licence |
|---|---|---|---|
"""


@click.command()
@click.argument("matminer", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output", default=Path(__file__).parent / "structures", type=click.Path(path_type=Path)
)
def main(matminer: Path, output: Path) -> None:
    """Write all structures."""
    wanted = {oxide.origin for oxide in OXIDES if isinstance(oxide.origin, str)}
    entries = materials_project_entries(matminer, wanted)
    output.mkdir(parents=True, exist_ok=True)
    lines = []
    for oxide in OXIDES:
        if isinstance(oxide.origin, Measured):
            atoms = measured_structure(oxide.origin)
        else:
            atoms = entries[oxide.origin]
        write(output / f"{oxide.name}.cif", primitive_structure(atoms))
        lines.append(f"| {oxide.name}.cif | {oxide.formula} | {oxide.source} | {oxide.licence} |\n")
    (output / "ORIGIN.md").write_text(_HEAD + "".join(lines), encoding="utf-8")


def measured_structure(measured: Measured) -> Atoms:
    """Return all atoms of the cell of a measured structure."""
    elements, positions = zip(*((row[0], row[1:]) for row in measured.positions), strict=True)
    structure = Structure.from_spacegroup(
        measured.space_group, Lattice.from_parameters(*measured.cell), elements, positions
    )
    return _atoms(structure)


def materials_project_entries(folder: Path, wanted: set[str]) -> dict[str, Atoms]:
    """Return the wanted entries of the Materials Project from the files of matminer 0.4.0."""
    found: dict[str, Atoms] = {}
    for name, column in FILES:
        table = pd.read_csv(folder / name, comment="#")
        for _, row in table[table.material_id.isin(wanted - set(found))].iterrows():
            if column == "poscar":
                structure = Structure.from_str(row[column], fmt="poscar")
            else:
                structure = Structure.from_dict(ast.literal_eval(row[column]))
            found[row.material_id] = _atoms(structure)
    missing = sorted(wanted - set(found))
    if missing:
        msg = f"{folder} must contain {', '.join(missing)}. Give the datasets of matminer 0.4.0."
        raise click.ClickException(msg)
    return found


def _atoms(structure: Structure) -> Atoms:
    # Without the tags and calculator that the adaptor adds.
    full = AseAtomsAdaptor.get_atoms(structure)
    return Atoms(full.symbols, positions=full.positions, cell=full.cell, pbc=True)


if __name__ == "__main__":
    main()
