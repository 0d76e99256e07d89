"""The six properties of Kiyohara et al. 2019: name, symbol, unit, definition, source."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pint

from hyperspy_coreloss.errors import UnknownPropertyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_PROPER_NAMES = {"mulliken": "Mulliken", "voronoi": "Voronoi"}

_POWER = r"(?:[^\W\d]\w*|[°%])(?:(?:\*\*|\^)-?\d)?"
_UNIT = re.compile(rf"\s*(?:1\s*/\s*)?{_POWER}(?:\s*[*/]\s*{_POWER}|\s+{_POWER})*\s*|\s*1?\s*")
_LONGEST_UNIT = 60
# Numbers that are short with any unit.
_FEWEST, _MOST = 0.1, 1000


@dataclass(frozen=True, slots=True)
class PropertySpec:
    """Name, unit and definition of a predicted property.

    Parameters
    ----------
    name
        Identifier of the property, as passed to ``get_property_map``.
    symbol
        Short symbol for tables, for example ``"d"``.
    unit
        Unit, as in :func:`parse_unit`.
    definition
        How the property is calculated, in one sentence.
    source
        Publication that defines the property.

    Raises
    ------
    ValueError
        If the unit is not written as one.
    """

    name: str
    symbol: str
    unit: str
    definition: str
    source: str

    def __post_init__(self) -> None:
        _check_unit(self.unit)

    @property
    def title(self) -> str:
        """Name with spaces, for example ``"Voronoi volume"``."""
        return " ".join(_PROPER_NAMES.get(word, word) for word in self.name.split("_"))

    @property
    def label(self) -> str:
        """Axis label with name and unit, for example ``"bond length (Å)"``."""
        unit = f"{parse_unit(self.unit):~P}".replace("deg", "°")
        return f"{self.title} ({unit})"

    def to_dict(self) -> dict[str, str]:
        """Return the fields as a JSON-ready dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> PropertySpec:
        """Create a specification from the dictionary of :meth:`to_dict`."""
        return cls(**{name: str(value) for name, value in fields.items()})


def parse_unit(unit: str) -> pint.Unit:
    """Return a unit of pint's application registry, which HyperSpy also uses.

    Parameters
    ----------
    unit
        Names of units, with exponents of one digit, multiplied or divided.

    Raises
    ------
    ValueError
        If it is anything else; pint would also evaluate ``9**9**9``.
    pint.UndefinedUnitError
        If pint knows no unit of that name.

    Examples
    --------
    >>> f"{parse_unit('angstrom**3'):~P}"
    'Å³'
    """
    _check_unit(unit)
    registry = pint.get_application_registry()
    try:
        return registry.Unit(unit)
    except pint.UndefinedUnitError:
        registry.define("electron = count")  # pint does not define a number of electrons.
        return registry.Unit(unit)


def quantity_text(value: float, unit: str) -> str:
    """Return a number with its unit; of a length, with the prefix that makes it short.

    Parameters
    ----------
    value
        Number.
    unit
        Any text. What pint takes for a length of many or few units, gets another prefix.

    Examples
    --------
    >>> quantity_text(2000.0, "nm"), quantity_text(20.0, "Å"), quantity_text(5.0, "channels")
    ('2 µm', '20 Å', '5 channels')
    """
    try:
        length = pint.get_application_registry().Quantity(value, parse_unit(unit))
    except (ValueError, pint.UndefinedUnitError):
        return f"{value:g} {unit}"
    if not length.is_compatible_with("meter"):
        return f"{value:g} {unit}"
    if not _FEWEST <= value < _MOST:
        length = length.to("meter").to_compact()
    # Versions of pint differ in the letter of micro; HyperSpy writes the micro sign.
    return f"{length:.6g~P}".replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")


def _check_unit(unit: str) -> None:
    if len(unit) > _LONGEST_UNIT or not _UNIT.fullmatch(unit):
        shown = unit if len(unit) <= _LONGEST_UNIT else f"{unit[:20]}…"
        msg = f"A unit such as 'angstrom**3' is needed, but it is {shown!r}. Correct it."
        raise ValueError(msg)


_PAPER = "Kiyohara et al. 2019, J. Phys. Mater. 2, 024003, section 3"

BOND_LENGTH = PropertySpec(
    "bond_length",
    "d",
    "angstrom",
    "Mean distance from the absorbing atom to its bonded neighbours (O to Si within 2.2 Å), "
    "hydrogen left out: in Si-OH, the length of Si-O.",
    _PAPER,
)
BOND_ANGLE = PropertySpec(
    "bond_angle",
    "θ",
    "degree",
    "Mean angle between the bonds of the absorbing atom (Si-O-Si; in Si-OH, Si-O-H).",
    _PAPER,
)
VORONOI_VOLUME = PropertySpec(
    "voronoi_volume",
    "V",
    "angstrom**3",
    "Volume of the absorbing atom's unweighted Voronoi cell.",
    _PAPER,
)
BOND_OVERLAP_POPULATION = PropertySpec(
    "bond_overlap_population",
    "BOP",
    "electron",
    "Mulliken overlap population of the absorbing atom's bonds, averaged over the bonds, hydrogen "
    "left out, from GPAW's LCAO mode in the sz(dzp) basis; the number depends on the basis.",
    _PAPER,
)
MULLIKEN_CHARGE = PropertySpec(
    "mulliken_charge",
    "q",
    "elementary_charge",
    "Mulliken charge of the absorbing atom in the ground state, from GPAW's LCAO mode in the "
    "sz(dzp) basis; the number depends on the basis (CASTEP gives about -1.2 e for silica, "
    "this basis about -0.8 e).",
    _PAPER,
)
EXCITATION_ENERGY = PropertySpec(
    "excitation_energy",
    "E",
    "electron_volt",
    "Total-energy difference between the neutral core-hole cell and the ground state (PBE), "
    "corrected for the finite cell and basis.",
    _PAPER,
)

#: The six properties of Kiyohara et al. 2019, in the order of all arrays and tables.
PROPERTIES: tuple[PropertySpec, ...] = (
    BOND_LENGTH,
    BOND_ANGLE,
    VORONOI_VOLUME,
    BOND_OVERLAP_POPULATION,
    MULLIKEN_CHARGE,
    EXCITATION_ENERGY,
)

# Values beyond these are of another unit or of another quantity, in the units of the properties.
_POSSIBLE = {
    "bond_length": (0.5, 5.0),
    "bond_angle": (1.0, 180.0),
    "voronoi_volume": (0.1, 1000.0),
    "bond_overlap_population": (-5.0, 5.0),
    "mulliken_charge": (-10.0, 10.0),
    "excitation_energy": (1.0, 2e5),
}


def possible_range(name: str) -> tuple[float, float]:
    """Return the lowest and highest possible value of a property, in its unit.

    Parameters
    ----------
    name
        Name of the property. Those other than the six of :data:`PROPERTIES` have no limits.

    Examples
    --------
    >>> possible_range("bond_angle")
    (1.0, 180.0)
    """
    return _POSSIBLE.get(name, (-math.inf, math.inf))


def property_index(name: str, names: Sequence[str]) -> int:
    """Return the position of `name` in `names`.

    Raises
    ------
    UnknownPropertyError
        If `names` does not contain `name`. The message lists `names` and suggests the most
        similar one.
    """
    if name in names:
        return list(names).index(name)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    msg = f"There is no property {name!r}. Available properties: {', '.join(names)}.{hint}"
    raise UnknownPropertyError(msg)
