"""Compositions of silica and its suboxides, written as formulas such as SiO2 or SiO1.5."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hyperspy_coreloss.errors import StructureError

_FORMULA = re.compile(r"Si(?P<silicon>\d+(?:\.\d+)?)?O(?P<oxygen>\d+(?:\.\d+)?)?")


@dataclass(frozen=True)
class Composition:
    """A cell of silicon oxide.

    Parameters
    ----------
    n_silicon, n_oxygen
        Numbers of atoms.
    """

    n_silicon: int
    n_oxygen: int

    @property
    def n_si_si_bonds(self) -> int:
        """Number of Si-Si bonds of a network in which every atom has its bonds.

        Each oxygen atom that SiO2 has more is a bridge that an Si-Si bond replaces.
        """
        return 2 * self.n_silicon - self.n_oxygen

    @property
    def formula(self) -> str:
        """Formula of one silicon atom, for example ``"SiO1.5"``."""
        return f"SiO{self.n_oxygen / self.n_silicon:.3g}"


def parse_composition(formula: str, n_atoms: int) -> Composition:
    """Return the cell of about `n_atoms` atoms that is closest to a formula.

    Parameters
    ----------
    formula
        Between SiO and SiO2, for example ``"SiO2"``, ``"SiO1.5"`` or ``"Si2O3"``.
    n_atoms
        Number of atoms; the cell has as near to this as whole atoms allow.

    Raises
    ------
    StructureError
        If the formula cannot be read, is outside SiO to SiO2, or the cell is too small.

    Examples
    --------
    >>> parse_composition("SiO2", 60)
    Composition(n_silicon=20, n_oxygen=40)
    >>> parse_composition("Si2O3", 60).n_si_si_bonds
    12
    """
    match = _FORMULA.fullmatch(formula)
    ratio = (
        float(match["oxygen"] or 1) / float(match["silicon"] or 1)
        if match and float(match["silicon"] or 1)
        else 0.0
    )
    if not 1.0 <= ratio <= 2.0:
        msg = (
            "A composition must be written as SiO2, SiO1.5 or Si2O3, with one to two oxygen atoms "
            f"for each silicon atom; {formula!r} was given. Change the formula."
        )
        raise StructureError(msg)
    n_silicon = round(n_atoms / (1 + ratio))
    if n_silicon < 8:
        msg = (
            "An amorphous cell needs at least 8 silicon atoms, or it is a crystal; "
            f"{n_atoms} atoms of {formula} have {n_silicon}. Ask for more atoms."
        )
        raise StructureError(msg)
    return Composition(n_silicon, round(ratio * n_silicon))
