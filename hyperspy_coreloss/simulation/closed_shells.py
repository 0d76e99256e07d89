"""Which crystals the engine can compute: those with closed shells and a band gap.

All calculations are spin-paired, and the excited electron is at the bottom of the conduction band.
Crystals with unpaired d or f electrons (NiO, Fe2O3) and metals are therefore refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperspy_coreloss.errors import StructureError

if TYPE_CHECKING:
    from ase import Atoms

#: Smallest gap in eV of the ground state at Gamma. In the cells used here, neighbouring states of a
#: metal are closer; with PBE, the oxides of tin and zinc have gaps of 0.6 to 0.8 eV.
SMALLEST_GAP = 0.3

# Formal charges of lanthanides and actinides with an empty or full f shell.
_CLOSED_F = {"Ce": 4, "Yb": 2, "Lu": 3, "Th": 4, "Pa": 5, "U": 6}


def closed_shell_charge(symbol: str) -> int | None:
    """Return the formal charge at which a d or f element has empty or full d and f shells.

    Parameters
    ----------
    symbol
        Chemical symbol of a lanthanide, an actinide, or an element of the groups 3 to 11.

    Returns
    -------
    int or None
        None if there are no oxides with closed shells: for most lanthanides, and for the groups
        of iron, cobalt and nickel.

    Examples
    --------
    >>> [closed_shell_charge(symbol) for symbol in ("Ti", "Cu", "La", "Ni", "Gd")]
    [4, 1, 3, None, None]
    """
    from pymatgen.core import Element

    if symbol in _CLOSED_F:
        return _CLOSED_F[symbol]
    element = Element(symbol)
    if element.block == "f" and symbol not in ("La", "Ac"):
        return None
    if element.group <= 7:
        return int(element.group)  # the d shell is empty
    return 1 if element.group == 11 else None  # the d shell is full


def check_closed_shells(atoms: Atoms, name: str = "the structure") -> None:
    """Raise an error if a crystal has d or f elements with open shells.

    Formal charges decide: with oxygen at -2, hydrogen at +1 and every d and f element at its
    :func:`closed_shell_charge`, the charges of the other elements must balance. TiO2 and Cu2O pass;
    NiO, CuO and oxygen-poor TiO2 do not. Zinc, cadmium and mercury always pass. Ions whose open d
    shell is paired by the crystal field (cobalt in LiCoO2, palladium in PdO) are refused as well,
    because charges do not show it.

    Parameters
    ----------
    atoms
        Periodic structure.
    name
        Name of the structure in the error message.

    Raises
    ------
    StructureError
        If no charges balance with closed shells.
    """
    from pymatgen.core import Composition, Element

    elements = {symbol: Element(symbol) for symbol in dict.fromkeys(atoms.get_chemical_symbols())}
    charges = {
        symbol: closed_shell_charge(symbol)
        for symbol, element in elements.items()
        if element.block in "df" and element.group != 12
    }
    if not charges:
        return
    formula = Composition(atoms.get_chemical_formula()).reduced_formula
    if None not in charges.values() and len(elements) > 1:
        allowed = {"O": [-2], "H": [1]} | {symbol: [charge] for symbol, charge in charges.items()}
        known = {symbol: states for symbol, states in allowed.items() if symbol in elements}
        if Composition(formula).oxi_state_guesses(oxi_states_override=known):
            return
    closed = ", ".join(
        f"{symbol} never" if charge is None else f"{symbol} at the charge {charge:+d}"
        for symbol, charge in charges.items()
    )
    msg = (
        f"{name} must have closed d and f shells, because all calculations are spin-paired; found "
        f"{formula}, whose charges do not balance with closed shells ({closed}). Choose a "
        "structure without unpaired electrons."
    )
    raise StructureError(msg)


def check_gap(homo: float, lumo: float, electrons: float, name: str = "the structure") -> None:
    """Raise an error if a ground state is that of a metal, or has an unpaired electron.

    Parameters
    ----------
    homo, lumo
        Energies of the highest occupied and the lowest empty state in eV.
    electrons
        Number of valence electrons of the cell.
    name
        Name of the structure in the error message.

    Raises
    ------
    StructureError
        If the number of electrons is odd, or the gap is below `SMALLEST_GAP`.
    """
    if round(electrons) % 2:
        msg = (
            f"{name} must have an even number of valence electrons, because all calculations are "
            f"spin-paired; found {electrons:.0f}. Choose a structure without unpaired electrons."
        )
        raise StructureError(msg)
    if lumo - homo < SMALLEST_GAP:
        msg = (
            f"{name} must be an insulator, because the excited electron is at the bottom of the "
            f"conduction band; found a gap of {lumo - homo:.2f} eV, less than {SMALLEST_GAP} eV. "
            "Choose a structure with a band gap."
        )
        raise StructureError(msg)
