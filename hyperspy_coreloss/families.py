"""Families of pretrained models, which differ in the energy resolution of what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperspy_coreloss.broadening import FWHM_PER_SIGMA, missing_broadening
from hyperspy_coreloss.errors import ResolutionError
from hyperspy_coreloss.pretrained import DEFAULT, list_pretrained, load_pretrained

if TYPE_CHECKING:
    from pathlib import Path

    from hyperspy_coreloss.pretrained import PretrainedModel

# Between the name of a family and the σ of one of its models.
_MEMBER = "-sigma-"


def select_pretrained(
    pretrained: str | Path | PretrainedModel | None = None,
    resolution: float | None = None,
    dispersion: float = 0.0,
    folder: Path | None = None,
) -> PretrainedModel:
    """Return the sharpest model of a family that measured spectra can be broadened to.

    Broadening costs detail, and the model just above the spectra's own resolution costs least.

    Parameters
    ----------
    pretrained
        Name of a family, which is that of its model without ``-sigma-``; by default the one for
        oxygen K edges of silica. The full name of another model, a file, or a model is taken as
        it is, whatever the resolution.
    resolution
        Energy resolution of the spectra, full width at half maximum of the zero loss, in eV; if
        None, the model that the family is named after is returned.
    dispersion
        Largest channel width, in eV.
    folder
        Where to look for models by name; by default in the package.

    Raises
    ------
    PretrainedNotFoundError
        If there is no such name or file.
    PretrainedFormatError
        If a file cannot be read.
    ResolutionError
        If the spectra are too coarse for all models of the family.

    Examples
    --------
    >>> select_pretrained("silica-o-k").name
    'silica-o-k'
    """
    first = load_pretrained(pretrained, folder)
    name = DEFAULT if pretrained is None else pretrained
    known = list_pretrained(folder)
    if resolution is None or name not in known or _MEMBER in str(name):
        return first
    members = [other for other in known if other.startswith(f"{name}{_MEMBER}")]
    family = [first, *(load_pretrained(member, folder) for member in members)]
    family.sort(key=lambda model: model.recipe.sigma)
    for model in family:
        if _can_be_reached(model.recipe.sigma, resolution, dispersion):
            return model
    broadest, sigma = family[-1].name, family[-1].recipe.sigma
    msg = (
        f"No model of the family {name!r} is broad enough: the broadest, {broadest!r}, reads "
        f"spectra of σ = {sigma:g} eV, that is a resolution of {sigma * FWHM_PER_SIGMA:.2f} eV "
        f"(FWHM), sampled every {sigma:g} eV or finer, but the resolution given is "
        f"{resolution:.2f} eV with {dispersion:.3g} eV per channel. Spectra are never sharpened: "
        "measure with a better resolution or a finer dispersion, or train a model of larger σ."
    )
    raise ResolutionError(msg)


def _can_be_reached(sigma: float, resolution: float, dispersion: float) -> bool:
    try:
        missing_broadening(sigma, resolution, dispersion)
    except ResolutionError:
        return False
    return True
