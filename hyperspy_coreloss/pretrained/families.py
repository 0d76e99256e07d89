"""Which pretrained models there are, and which of a family is right for spectra.

The models of a family differ in the energy resolution of what they read, and in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hyperspy_coreloss.errors import ResolutionError
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.store import Store
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA, can_be_broadened

#: Name of the model that ``predict_properties`` uses unless told otherwise.
DEFAULT = "silica-o-k"

# Between the name of a family and the σ of one of its models.
_MEMBER = "-sigma-"
_SHIPPED = Store(
    "pretrained model", Path(__file__).parents[1] / "data" / "pretrained", PretrainedModel.load
)


@dataclass(frozen=True)
class Family:
    """A model and those that differ from it in resolution only.

    Parameters
    ----------
    named
        The model that was asked for.
    members
        Names of all models of the family; none if one model was asked for by its full name, as a
        file or as itself, and is to be taken as it is.
    store
        Where the members are.
    """

    named: PretrainedModel
    members: tuple[str, ...]
    store: Store[PretrainedModel]

    def sharpest(self, resolution: float | None, dispersion: float) -> PretrainedModel:
        """Return the sharpest model that measured spectra can be broadened to.

        Broadening costs detail, and the model just above the spectra's own resolution costs least.

        Parameters
        ----------
        resolution
            Energy resolution of the spectra, full width at half maximum of the zero loss, in eV;
            if None, the model that the family is named after is returned.
        dispersion
            Largest channel width, in eV.

        Raises
        ------
        ResolutionError
            If the spectra are too coarse for all models of a family.
        """
        if resolution is None or not self.members:
            return self.named
        models = [self.store.load(name) for name in self.members]
        models.sort(key=lambda model: model.recipe.sigma)
        for model in models:
            if can_be_broadened(model.recipe.sigma, resolution, dispersion):
                return model
        broadest, sigma = models[-1].name, models[-1].recipe.sigma
        msg = (
            f"No model of the family {self.named.name!r} is broad enough: the broadest, "
            f"{broadest!r}, reads spectra of σ = {sigma:g} eV, that is a resolution of "
            f"{sigma * FWHM_PER_SIGMA:.2f} eV (FWHM), sampled every {sigma:g} eV or finer, but "
            f"the resolution given is {resolution:.2f} eV with {dispersion:.3g} eV per channel. "
            "Spectra are never sharpened: measure with a better resolution or a finer "
            "dispersion, or train a model of larger σ."
        )
        raise ResolutionError(msg)


def list_pretrained(folder: Path | None = None) -> list[str]:
    """Return the names of the pretrained models that come with the package.

    Models of one family differ in the Gaussian broadening σ of the spectra they read: beside
    ``name`` there may be ``name-sigma-0.3`` and so on, σ in eV.

    Parameters
    ----------
    folder
        Where to look for models; by default in the package.
    """
    return _store(folder).names()


def load_pretrained(
    pretrained: str | Path | PretrainedModel | None = None, folder: Path | None = None
) -> PretrainedModel:
    """Return a pretrained model by its name or from its file.

    Parameters
    ----------
    pretrained
        Name (see :func:`list_pretrained`), path of a ``.safetensors`` file, or a model, which
        is returned as it is. By default the model for oxygen K edges of silica.
    folder
        Where to look for models by name; by default in the package.

    Raises
    ------
    PretrainedNotFoundError
        If there is no such name or file.
    PretrainedFormatError
        If the file cannot be read.

    Examples
    --------
    >>> load_pretrained("silica-o-k").property_names[0]
    'bond_length'
    """
    if isinstance(pretrained, PretrainedModel):
        return pretrained
    return _store(folder).load(DEFAULT if pretrained is None else pretrained)


def find_family(
    pretrained: str | Path | PretrainedModel | None = None, folder: Path | None = None
) -> Family:
    """Return the family of a name, or a single model for anything else.

    Parameters
    ----------
    pretrained, folder
        As for :func:`select_pretrained`.
    """
    store = _store(folder)
    name = DEFAULT if pretrained is None else pretrained
    members: tuple[str, ...] = ()
    if isinstance(name, str) and name in store.names() and _MEMBER not in name:
        members = (name, *(other for other in store.names() if other.startswith(name + _MEMBER)))
    return Family(load_pretrained(pretrained, folder), members, store)


def select_pretrained(
    pretrained: str | Path | PretrainedModel | None = None,
    resolution: float | None = None,
    dispersion: float = 0.0,
    folder: Path | None = None,
) -> PretrainedModel:
    """Return the sharpest model of a family that measured spectra can be broadened to.

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
    return find_family(pretrained, folder).sharpest(resolution, dispersion)


def _store(folder: Path | None) -> Store[PretrainedModel]:
    return _SHIPPED if folder is None else replace(_SHIPPED, folder=folder)
