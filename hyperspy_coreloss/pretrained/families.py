"""Names of the pretrained models, and selection of one from a family by energy resolution.

The models of a family differ only in the energy resolution of the spectra that they accept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Number
from pathlib import Path

from hyperspy_coreloss.errors import ResolutionError, SignalError
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.store import Store
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA, can_be_broadened

#: Name of the family that ``predict_properties`` uses by default.
DEFAULT = "silica-o-k"

# Separates the name of a family from the broadening σ in the name of one of its models.
_MEMBER = "-sigma-"
_SHIPPED = Store(
    "pretrained model", Path(__file__).parents[1] / "data" / "pretrained", PretrainedModel.load
)


@dataclass(frozen=True)
class Family:
    """A model and the models that differ from it only in energy resolution.

    Parameters
    ----------
    named
        The model that was requested; for a family, the model that has the family's name.
    members
        Names of all models of the family. Empty if a single model was requested by its full name,
        by its file or as an object.
    store
        Folder from which the members are loaded.
    """

    named: PretrainedModel
    members: tuple[str, ...]
    store: Store[PretrainedModel]

    def sharpest(self, resolution: float | None, dispersion: float) -> PretrainedModel:
        """Return the model with the smallest σ to which the spectra can be broadened.

        This model requires the least broadening, so the spectra lose the least detail.

        Parameters
        ----------
        resolution
            Energy resolution of the spectra in eV: the full width at half maximum of the zero-loss
            peak. If None, the model that has the family's name is returned.
        dispersion
            Largest channel width, in eV.

        Raises
        ------
        ResolutionError
            If the resolution or the dispersion is too coarse for all models of the family.
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
            f"No model of the family {self.named.name!r} has a large enough broadening σ: the "
            f"broadest, {broadest!r}, reads spectra of σ = {sigma:g} eV, that is a resolution of "
            f"{sigma * FWHM_PER_SIGMA:.2f} eV (FWHM), sampled every {sigma:g} eV or finer, but "
            f"the resolution given is {resolution:.2f} eV with {dispersion:.3g} eV per channel. "
            "Spectra are never sharpened: measure with a better resolution or a finer "
            "dispersion, or train a model of larger σ."
        )
        raise ResolutionError(msg)


def list_pretrained(folder: Path | None = None) -> list[str]:
    """Return the names of the pretrained models that come with the package.

    The models of a family differ in the Gaussian broadening σ of the spectra that they accept. The
    name of the family is also the name of one model; the names of the others end in σ in eV, for
    example ``silica-o-k-sigma-0.3``.

    Parameters
    ----------
    folder
        Folder of the model files. The default is the folder in the package.
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
        is returned unchanged. The default is the model for oxygen K edges of silica.
    folder
        Folder of the models that can be given by name. The default is the folder in the package.

    Raises
    ------
    PretrainedNotFoundError
        If no model has this name, and no file has this path.
    PretrainedFormatError
        If the file is not a complete model, or its format is not supported.

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
    """Return the family of that name, or a family without members for a single model.

    Parameters
    ----------
    pretrained, folder
        As for :func:`select_pretrained`.
    """
    if isinstance(pretrained, Number):
        msg = (
            "The pretrained model is given by its name, its file or as an object, but "
            f"{pretrained!r} was given. If it is the energy resolution, write "
            f"resolution={pretrained!r}."
        )
        raise SignalError(msg)
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
    """Return the model of a family with the smallest σ to which the spectra can be broadened.

    Parameters
    ----------
    pretrained
        Name of a family, which does not contain ``-sigma-``. The default is the family for oxygen K
        edges of silica. A model given by its full name, by its file or as an object is returned
        whatever the resolution.
    resolution
        Energy resolution of the spectra in eV: the full width at half maximum of the zero-loss
        peak. If None, the model that has the family's name is returned.
    dispersion
        Largest channel width, in eV.
    folder
        Folder of the models that can be given by name. The default is the folder in the package.

    Raises
    ------
    PretrainedNotFoundError
        If no model has this name, and no file has this path.
    PretrainedFormatError
        If a file is not a complete model, or its format is not supported.
    ResolutionError
        If the resolution or the dispersion is too coarse for all models of the family.

    Examples
    --------
    >>> select_pretrained("silica-o-k").name
    'silica-o-k'
    """
    return find_family(pretrained, folder).sharpest(resolution, dispersion)


def _store(folder: Path | None) -> Store[PretrainedModel]:
    return _SHIPPED if folder is None else replace(_SHIPPED, folder=folder)
