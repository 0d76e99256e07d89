"""Names of the pretrained models, and selection of one from a family.

The models of a family differ in the windows that they read, and in the energy resolution of the
spectra that they accept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING

from hyperspy_coreloss.errors import ResolutionError, SignalError
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.store import Store
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA, can_be_broadened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hyperspy_coreloss.spectra.recipe import Recipe

#: Name of the family that ``predict_properties`` uses by default.
DEFAULT = "silica-o-k"

# What the names of models add to the name of their family: the end of the window, and σ.
_OF_WINDOW, _OF_SIGMA = r"(-\d+eV)?", r"(-sigma-[\d.]+)?"
_SHIPPED = Store(
    "pretrained model", Path(__file__).parents[1] / "data" / "pretrained", PretrainedModel.load
)


@dataclass(frozen=True)
class Family:
    """Models that differ only in the windows that they read and in energy resolution.

    Parameters
    ----------
    name
        Name of the family, or of the only model.
    members
        Its models, at least one.
    chosen
        Whether a single model was requested, by its full name, by its file or as an object. It is
        used for all spectra, or an error is raised.
    """

    name: str
    members: tuple[PretrainedModel, ...]
    chosen: bool = False

    @property
    def usual(self) -> PretrainedModel:
        """The model for spectra of which nothing is known.

        It is the model that has the name of the family, or else that of the middle σ among those
        with the widest window.
        """
        named = [model for model in self.members if model.name == self.name]
        if named:
            return named[0]
        by_sigma = sorted(_widest(self.members), key=lambda model: model.recipe.sigma)
        return by_sigma[len(by_sigma) // 2]

    def readable(self, fits: Callable[[Recipe], bool]) -> Family:
        """Return the models with the widest window that fits; if none does, the narrowest.

        Parameters
        ----------
        fits
            Whether the window of a recipe can be read.
        """
        if self.chosen:
            return self
        fitting = [model for model in self.members if fits(model.recipe)]
        narrowest = min(model.recipe.window.read_range[1] for model in self.members)
        fitting = fitting or [
            model for model in self.members if model.recipe.window.read_range[1] == narrowest
        ]
        return replace(self, members=_widest(fitting))

    def sharpest(self, resolution: float | None, dispersion: float) -> PretrainedModel:
        """Return the model with the smallest σ to which the spectra can be broadened.

        This model requires the least broadening, so the spectra lose the least detail.

        Parameters
        ----------
        resolution
            Energy resolution of the spectra in eV: the full width at half maximum of the zero-loss
            peak. If None, :attr:`usual` is returned.
        dispersion
            Largest channel width, in eV.

        Raises
        ------
        ResolutionError
            If the resolution or the dispersion is too coarse for all models of the family.
        """
        if resolution is None or self.chosen:
            return self.usual
        models = sorted(_widest(self.members), key=lambda model: model.recipe.sigma)
        for model in models:
            if can_be_broadened(model.recipe.sigma, resolution, dispersion):
                return model
        broadest, sigma = models[-1].name, models[-1].recipe.sigma
        msg = (
            f"No model of the family {self.name!r} has a large enough broadening σ: the "
            f"broadest, {broadest!r}, reads spectra of σ = {sigma:g} eV, that is a resolution of "
            f"{sigma * FWHM_PER_SIGMA:.2f} eV (FWHM), sampled every {sigma:g} eV or finer, but "
            f"the resolution given is {resolution:.2f} eV with {dispersion:.3g} eV per channel. "
            "Spectra are never sharpened: measure with a better resolution or a finer "
            "dispersion, or train a model of larger σ."
        )
        raise ResolutionError(msg)


def _widest(models: Sequence[PretrainedModel]) -> tuple[PretrainedModel, ...]:
    """Return the models with the widest window of several."""
    stop = max(model.recipe.window.read_range[1] for model in models)
    return tuple(model for model in models if model.recipe.window.read_range[1] == stop)


def list_pretrained(folder: Path | None = None) -> list[str]:
    """Return the names of the pretrained models that come with the package.

    The models of a family differ in the end of the window that they read and in the Gaussian
    broadening σ of the spectra that they accept. Their names state both in eV after the name of the
    family, for example ``silica-o-k-100eV-sigma-0.5``.

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
        Name of a model (see :func:`list_pretrained`), path of a ``.safetensors`` file, or a model,
        which is returned unchanged. Of a family, such as ``silica-o-k`` or ``silica-o-k-40eV``, the
        model with the widest window and the middle σ is returned. The default is the family for
        oxygen K edges of silica.
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
    >>> load_pretrained("silica-o-k").name
    'silica-o-k-100eV-sigma-0.5'
    """
    return find_family(pretrained, folder).usual


def find_family(
    pretrained: str | Path | PretrainedModel | None = None, folder: Path | None = None
) -> Family:
    """Return the family of that name, or a single model.

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
    if isinstance(pretrained, PretrainedModel):
        return Family(pretrained.name, (pretrained,), chosen=True)
    store = _store(folder)
    name = DEFAULT if pretrained is None else pretrained
    window = "" if isinstance(name, str) and re.search(r"-\d+eV$", name) else _OF_WINDOW
    of_family = re.compile(re.escape(str(name)) + window + _OF_SIGMA)
    names = [one for one in store.names() if isinstance(name, str) and of_family.fullmatch(one)]
    if not names or "-sigma-" in str(name):
        model = store.load(name)
        return Family(model.name, (model,), chosen=True)
    return Family(str(name), tuple(store.load(one) for one in names))


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
        Name of a family, which does not contain ``-sigma-``; of several windows, the widest is
        taken. The default is the family for oxygen K edges of silica. A model given by its full
        name, by its file or as an object is returned whatever the resolution.
    resolution
        Energy resolution of the spectra in eV: the full width at half maximum of the zero-loss
        peak. If None, the model of the middle σ is returned.
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
    >>> select_pretrained("silica-o-k-40eV", resolution=0.5, dispersion=0.1).name
    'silica-o-k-40eV-sigma-0.3'
    """
    return find_family(pretrained, folder).sharpest(resolution, dispersion)


def _store(folder: Path | None) -> Store[PretrainedModel]:
    return _SHIPPED if folder is None else replace(_SHIPPED, folder=folder)
