"""The family of models that the package ships: what each of them reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Ends of the windows in eV above the threshold; the first is that of the paper.
STOPS = (15.0, 25.0, 40.0, 60.0, 80.0, 100.0)
#: Gaussian broadenings σ in eV, for what microscopes resolve.
SIGMAS = (0.3, 0.5, 0.8)
# Steps in eV of windows to 25 eV, which are those of the paper, and of wider ones: oscillations far
# above the threshold are slow.
_STEP, _COARSE_STEP, _LAST_FINE = 0.1, 0.2, 25.0


def family_recipes(
    family: str,
    recipe: Recipe | None = None,
    sigmas: Sequence[float] = SIGMAS,
    stops: Sequence[float] = STOPS,
) -> dict[str, Recipe]:
    """Return the name and the preprocessing of each model of a family.

    Parameters
    ----------
    family
        Name of the family, for example ``"silica-o-k"``. A model that reads to 40 eV spectra of
        σ = 0.5 eV is then ``"silica-o-k-40eV-sigma-0.5"``.
    recipe
        What the models have in common; its window and its broadening are not used.
    sigmas
        Gaussian broadenings in eV.
    stops
        Ends of the windows in eV above the threshold.
    """
    common = Recipe() if recipe is None else recipe
    return {
        f"{family}-{stop:g}eV-sigma-{sigma:g}": replace(common, window=_window(stop), sigma=sigma)
        for stop in stops
        for sigma in sigmas
    }


def _window(stop: float) -> EnergyWindow:
    return EnergyWindow(stop=stop, step=_STEP if stop <= _LAST_FINE else _COARSE_STEP)
