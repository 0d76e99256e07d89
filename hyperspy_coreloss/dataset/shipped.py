"""The data sets shipped with the package."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hyperspy_coreloss.dataset.dataset import load_dataset

if TYPE_CHECKING:
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

_FOLDER = Path(__file__).parents[1] / "data"


@lru_cache(maxsize=1)
def oxygen_k_sites() -> SpectrumDataset:
    """Return the computed oxygen K sites of silica: those that the shipped models are trained on.

    They also include the :func:`~hyperspy_coreloss.dataset.demonstration_phases`, which the
    training leaves out.

    Examples
    --------
    >>> sites = oxygen_k_sites()
    >>> sites.edge, sites.properties[0].name
    ('O_K', 'bond_length')
    """
    return load_dataset(_FOLDER / "oxygen_k_sites.nc")


@lru_cache(maxsize=1)
def oxygen_k_foreign() -> SpectrumDataset:
    """Return computed oxygen K sites of oxides that are not silica.

    No model is trained on them. They serve to try out whether other materials are noticed.

    Examples
    --------
    >>> "periclase_1" in oxygen_k_foreign().names
    True
    """
    return load_dataset(_FOLDER / "oxygen_k_foreign.nc")
