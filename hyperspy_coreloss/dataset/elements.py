"""Covalent radii, symbols and colours of the elements, from ASE."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def covalent_radii(numbers: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return covalent radii in angstrom (Cordero et al. 2008, Dalton Trans. 2832).

    Parameters
    ----------
    numbers
        Atomic numbers, shape (atoms,).
    """
    from ase.data import covalent_radii as radii

    return radii[numbers]


def element_symbols(numbers: NDArray[np.integer]) -> list[str]:
    """Return the chemical symbol of each atomic number.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (atoms,).
    """
    from ase.data import chemical_symbols

    return [chemical_symbols[number] for number in numbers]


def element_colours(numbers: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the usual colours of the elements, those of Jmol: red oxygen, white hydrogen.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (atoms,).

    Returns
    -------
    ndarray
        Red, green and blue from 0 to 1, shape (atoms, 3).
    """
    from ase.data.colors import jmol_colors

    return jmol_colors[numbers]
