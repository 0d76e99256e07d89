"""The oxides that are not silica: where each crystal structure comes from.

Most are entries of the Materials Project, relaxed with PBE. The others are measured; their cells
and positions are those printed in the cited papers.
"""

from __future__ import annotations

from dataclasses import dataclass

MATERIALS_PROJECT = (
    "Materials Project {} (Jain et al. 2013, APL Mater. 1, 011002), from matminer 0.4.0",
    "CC BY 4.0",
)
PUBLISHED = "published measurement, to be cited"


@dataclass(frozen=True)
class Measured:
    """A crystal structure as printed in a paper.

    Parameters
    ----------
    space_group
        Hermann-Mauguin symbol in the setting of the paper.
    cell
        Lengths a, b, c in angstrom and angles alpha, beta, gamma in degrees.
    positions
        Element and fractional coordinates of each inequivalent atom.
    reference
        The paper.
    """

    space_group: str
    cell: tuple[float, float, float, float, float, float]
    positions: tuple[tuple[str, float, float, float], ...]
    reference: str


@dataclass(frozen=True)
class Oxide:
    """One oxide.

    Parameters
    ----------
    name
        Name of the structure and of its file. It is also its phase.
    formula
        Formula as written in tables.
    origin
        Identifier of the Materials Project, or the measured structure.
    """

    name: str
    formula: str
    origin: str | Measured

    @property
    def source(self) -> str:
        """Where the structure is from."""
        if isinstance(self.origin, Measured):
            return self.origin.reference
        return MATERIALS_PROJECT[0].format(self.origin)

    @property
    def licence(self) -> str:
        """Licence under which the structure may be used."""
        return PUBLISHED if isinstance(self.origin, Measured) else MATERIALS_PROJECT[1]


_RUTILE = Measured(
    "P4_2/mnm",
    (4.5937, 4.5937, 2.9587, 90, 90, 90),
    (("Ti", 0, 0, 0), ("O", 0.30478, 0.30478, 0)),
    "Howard, Sabine and Dickson 1991, Acta Crystallogr. B 47, 462",
)
_CALCITE = Measured(
    "R-3c",
    (4.991, 4.991, 17.062, 90, 90, 120),
    (("Ca", 0, 0, 0), ("C", 0, 0, 0.25), ("O", 0.2573, 0, 0.25)),
    "Maslen, Streltsov and Streltsova 1993, Acta Crystallogr. B 49, 636",
)
_FORSTERITE = Measured(
    "Pbnm",
    (4.752, 10.193, 5.977, 90, 90, 90),
    (
        ("Si", 0.4262, 0.094, 0.25),
        ("Mg", 0, 0, 0),
        ("Mg", 0.9915, 0.2774, 0.25),
        ("O", 0.7657, 0.0913, 0.25),
        ("O", 0.2215, 0.4474, 0.25),
        ("O", 0.2777, 0.1628, 0.0331),
    ),
    "Hazen 1976, Am. Mineral. 61, 1280 (23 °C)",
)
_SILLIMANITE = Measured(
    "Pbnm",
    (7.4883, 7.6808, 5.7774, 90, 90, 90),
    (
        ("Al", 0, 0, 0),
        ("Al", 0.1417, 0.3449, 0.25),
        ("Si", 0.1533, 0.3402, 0.75),
        ("O", 0.3605, 0.4094, 0.75),
        ("O", 0.3569, 0.4341, 0.25),
        ("O", 0.4763, 0.0015, 0.75),
        ("O", 0.1252, 0.223, 0.5145),
    ),
    "Winter and Ghose 1979, Am. Mineral. 64, 573 (25 °C)",
)
_PSEUDOWOLLASTONITE = Measured(
    "C2/c",
    (11.8322, 6.8624, 10.5297, 90, 111.245, 90),
    (
        ("Ca", 0.087, 0.2403, 0.4989),
        ("Ca", 0.25, 0.25, 0),
        ("Si", 0.1278, 0.453, 0.2445),
        ("Si", 0, 0.84, 0.25),
        ("O", 0.1275, 0.4045, 0.0965),
        ("O", 0.229, 0.3991, 0.3863),
        ("O", 0.1109, 0.6929, 0.2478),
        ("O", 0.0497, 0.9436, 0.3939),
        ("O", 0, 0.3592, 0.25),
    ),
    "Yang and Prewitt 1999, Am. Mineral. 84, 1902",
)
_KALSILITE = Measured(
    "P31c",
    (5.157, 5.157, 8.706, 90, 90, 120),
    (
        ("K", 0, 0, 0.25),
        ("Al", 1 / 3, 2 / 3, 0.0594),
        ("Si", 1 / 3, 2 / 3, 0.4416),
        ("O", 0.616, 0.011, 0),
        ("O", 1 / 3, 2 / 3, 0.26),
    ),
    "Cellai, Bonazzi and Carpenter 1997, Am. Mineral. 82, 276",
)

OXIDES = (
    Oxide("periclase", "MgO", "mp-1265"),
    Oxide("lime", "CaO", "mp-2605"),
    Oxide("bromellite", "BeO", "mp-2542"),
    Oxide("zincite", "ZnO", "mp-2133"),
    Oxide("lithia", "Li2O", "mp-1960"),
    Oxide("corundum", "Al2O3", "mp-1143"),
    Oxide("rutile", "TiO2", _RUTILE),
    Oxide("anatase", "TiO2", "mp-390"),
    Oxide("cassiterite", "SnO2", "mp-856"),
    Oxide("germania-quartz", "GeO2", "mp-223"),
    Oxide("baddeleyite", "ZrO2", "mp-2858"),
    Oxide("yttria", "Y2O3", "mp-2652"),
    Oxide("strontium-titanate", "SrTiO3", "mp-5229"),
    Oxide("boria", "B2O3", "mp-306"),
    Oxide("aluminium-phosphate", "AlPO4", "mp-4051"),
    Oxide("calcite", "CaCO3", _CALCITE),
    Oxide("boehmite", "AlOOH", "mp-625056"),
    Oxide("ice-XI", "H2O", "mp-697111"),
    Oxide("sodium-metasilicate", "Na2SiO3", "mp-4533"),
    Oxide("clinoenstatite", "MgSiO3", "mp-4321"),
    Oxide("forsterite", "Mg2SiO4", _FORSTERITE),
    Oxide("pseudowollastonite", "CaSiO3", _PSEUDOWOLLASTONITE),
    Oxide("sillimanite", "Al2SiO5", _SILLIMANITE),
    Oxide("kalsilite", "KAlSiO4", _KALSILITE),
)
