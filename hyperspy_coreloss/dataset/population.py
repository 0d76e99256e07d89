"""Populations: the kinds of structure that the sites of a data set are counted under.

The error of a prediction depends on the kind of structure as much as on the model, so tables are
given by population. Phases, not populations, are the groups of a split.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Population of sites that are not silica, or of which no population is known.
OTHER = "other"

#: Code of spectra that are compared with no site.
NO_POPULATION = 255

#: Meaning of each population, in the order of tables and figures.
POPULATIONS = MappingProxyType(
    {
        "crystal": "crystals, relaxed or measured",
        "zeolite": "idealised zeolite frameworks",
        "heated": "crystals and zeolites at a temperature, frames of molecular dynamics",
        "strained": "crystals and zeolites strained and rattled at random",
        "vacancy": "crystals with oxygen vacancies, relaxed",
        "glass": "amorphous SiO2 without broken bonds",
        "suboxide": "amorphous SiOx with Si-Si bonds",
        "silanol": "crystals, zeolites and glass with Si-OH groups",
        "defect": "amorphous SiO2 with broken bonds",
        OTHER: "other oxides, or unknown",
    }
)


def population_codes(names: Sequence[str]) -> NDArray[np.uint8]:
    """Return the place of each population in :data:`POPULATIONS`.

    Parameters
    ----------
    names
        Names of populations, for example those of the sites of a data set.
    """
    codes = {name: number for number, name in enumerate(POPULATIONS)}
    return np.array([codes[name] for name in names], dtype=np.uint8)
