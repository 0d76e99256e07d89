"""Pretrained models: weights, recipe, properties, trust data and record in one file.

Loading one never runs code from it (:mod:`hyperspy_coreloss.tensor_file`).
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import PretrainedFormatError, PretrainedNotFoundError
from hyperspy_coreloss.properties import PropertySpec
from hyperspy_coreloss.recipe import Recipe
from hyperspy_coreloss.tensor_file import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: Name of the model that ``predict_properties`` uses unless told otherwise.
DEFAULT = "silica-o-k"

#: Name of the errors on phases that the networks of an ensemble were trained without.
LEFT_OUT = "left_out_phases"

_FORMAT = 2
_FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """Where a pretrained model comes from, enough to repeat it and to cite it.

    Parameters
    ----------
    dataset, dataset_sha256
        What it was trained on.
    n_spectra, n_structures, n_phases
        Size of that data set.
    split
        How spectra were held out for the metrics and the intervals.
    start_sha256
        Pretrained model that training started from, or None.
    settings
        Settings of the training, with its seed.
    metrics
        For each way of testing and each property: ``mae``, ``r2``, ``n_test``, and the mean
        absolute errors of ``baselines``. ``left_out_phases`` are those of `residuals`;
        ``phase_disjoint`` and ``random_site`` those of an ensemble that was trained without the
        test spectra of these splits.
    software
        Versions of the packages that made it.
    citation, licence
        Of the weights.
    """

    dataset: str
    dataset_sha256: str
    n_spectra: int
    n_structures: int
    n_phases: int
    split: str
    start_sha256: str | None
    settings: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]
    software: Mapping[str, str]
    citation: str
    licence: str


@dataclass(frozen=True, eq=False)
class PretrainedModel:
    """A trained network with all that is needed to use and to judge it.

    Parameters
    ----------
    name, version
        Identity for people; ``sha256`` is the one for programs.
    recipe
        What is done to a spectrum before the network sees it.
    properties
        What the outputs mean, in order.
    hidden
        Nodes of each hidden layer.
    weights
        Arrays: ``layer.N.weight`` and ``layer.N.bias``, and the scales ``input_mean``,
        ``input_scale``, ``target_mean``, ``target_scale``; each with the networks whose mean is
        the prediction along its first axis.
    residuals
        Prediction minus truth of held-out spectra, shape (spectra, properties).
    history
        Mean absolute error of each network on training and held-out spectra after each epoch, in
        standard deviations, shape (networks, epochs, 2); NaN after it stopped.
    record
        Where the model comes from.
    intended_use, limits
        In words; neither may be empty.
    """

    name: str
    version: str
    recipe: Recipe
    properties: tuple[PropertySpec, ...]
    hidden: tuple[int, ...]
    weights: Mapping[str, NDArray]
    residuals: NDArray[np.floating]
    history: NDArray[np.floating]
    record: TrainingRecord
    intended_use: str
    limits: str

    def __post_init__(self) -> None:
        arrays = {**self.weights, "residuals": self.residuals, "history": self.history}
        for name, shape in self._shapes().items():
            array = arrays.get(name)
            found = None if array is None else array.shape
            if array is None or found != shape:
                msg = (
                    f"Pretrained model {self.name!r}: {name} needs the shape {shape}, not {found}."
                )
                raise PretrainedFormatError(msg)
            if name != "history" and not np.isfinite(array).all():
                msg = f"Pretrained model {self.name!r}: {name} must be finite."
                raise PretrainedFormatError(msg)
        unknown = set(self.weights) - set(self._shapes())
        if unknown:
            msg = (
                f"Pretrained model {self.name!r} has unknown arrays: {', '.join(sorted(unknown))}."
            )
            raise PretrainedFormatError(msg)
        if not (self.intended_use.strip() and self.limits.strip()):
            msg = f"Pretrained model {self.name!r} must state its intended use and its limits."
            raise PretrainedFormatError(msg)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        nodes = (self.recipe.window.n_channels, *self.hidden, len(self.properties))
        networks = self.n_networks
        shapes: dict[str, tuple[int, ...]] = {
            "input_mean": (networks, nodes[0]),
            "input_scale": (networks, nodes[0]),
            "target_mean": (networks, nodes[-1]),
            "target_scale": (networks, nodes[-1]),
            "residuals": (len(self.residuals), nodes[-1]),
            "history": (networks, *self.history.shape[1:2], 2),
        }
        for position, (inputs, outputs) in enumerate(pairwise(nodes)):
            shapes[f"layer.{position}.weight"] = (networks, outputs, inputs)
            shapes[f"layer.{position}.bias"] = (networks, outputs)
        return shapes

    @property
    def n_networks(self) -> int:
        """Number of networks whose mean is the prediction."""
        return len(self.history)

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties, in the order of the outputs."""
        return tuple(spec.name for spec in self.properties)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file that :meth:`save` writes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PretrainedModel) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __dask_tokenize__(self) -> str:
        return self.sha256

    def to_bytes(self) -> bytes:
        """Return the content of the file that :meth:`save` writes."""
        header = {
            "format": _FORMAT,
            "name": self.name,
            "version": self.version,
            "recipe": self.recipe.to_dict(),
            "properties": [spec.to_dict() for spec in self.properties],
            "hidden": list(self.hidden),
            "record": asdict(self.record),
            "intended_use": self.intended_use,
            "limits": self.limits,
        }
        tensors = {**self.weights, "residuals": self.residuals, "history": self.history}
        return pack(header, tensors)

    def save(self, filename: str | Path) -> None:
        """Write the model as one ``.safetensors`` file."""
        Path(filename).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, filename: str | Path) -> PretrainedModel:
        """Read a model that :meth:`save` wrote; no code from the file is run.

        Raises
        ------
        PretrainedFormatError
            If the file is damaged, incomplete, or of a newer format.
        """
        name, content = Path(filename).name, Path(filename).read_bytes()
        arrays = {"weights", "residuals", "history"}
        expected = {field.name for field in fields(cls)} - arrays
        header, tensors = unpack(content, name, "pretrained model", _FORMAT, expected)
        try:
            residuals, history = tensors.pop("residuals"), tensors.pop("history")
            return cls(
                name=header["name"],
                version=header["version"],
                recipe=Recipe.from_dict(header["recipe"]),
                properties=tuple(PropertySpec.from_dict(spec) for spec in header["properties"]),
                hidden=tuple(int(nodes) for nodes in header["hidden"]),
                weights=tensors,
                residuals=residuals,
                history=history,
                record=TrainingRecord(**header["record"]),
                intended_use=header["intended_use"],
                limits=header["limits"],
            )
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{name} is not a complete pretrained model: {error}"
            raise PretrainedFormatError(msg) from error

    def half_width(self, level: float = 0.9) -> NDArray[np.floating]:
        """Return the half width of the prediction interval of each property.

        The split-conformal quantile of the absolute errors on held-out spectra: of spectra
        like those, a share of at least `level` has its true value inside.

        Parameters
        ----------
        level
            Share of spectra, between 0 and 1.

        Returns
        -------
        ndarray
            Shape (properties,); infinite where the held-out spectra are too few for the level.
        """
        return conformal_half_width(self.residuals, level)


def conformal_half_width(residuals: NDArray[np.floating], level: float) -> NDArray[np.floating]:
    """Return the split-conformal half width at a level, see :meth:`PretrainedModel.half_width`.

    Parameters
    ----------
    residuals
        Errors on held-out spectra, shape (spectra, properties).
    level
        Share of spectra, between 0 and 1.
    """
    if not 0 < level < 1:
        msg = f"The level of an interval must lie between 0 and 1, but it is {level!r}."
        raise ValueError(msg)
    sorted_errors = np.sort(np.abs(residuals), axis=0)
    rank = int(np.ceil((len(residuals) + 1) * level))
    if rank > len(residuals):
        return np.full(sorted_errors.shape[1], np.inf)
    return sorted_errors[rank - 1]


def list_pretrained(folder: Path | None = None) -> list[str]:
    """Return the names of the pretrained models that come with the package.

    Models of one family differ in the Gaussian broadening σ of the spectra they read: beside
    ``name`` there may be ``name-sigma-0.3`` and so on, σ in eV.

    Parameters
    ----------
    folder
        Where to look for models; by default in the package.
    """
    return sorted(path.stem for path in (folder or _FOLDER).glob("*.safetensors"))


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
    name = DEFAULT if pretrained is None else pretrained
    known = list_pretrained(folder)
    if name in known:
        path = (folder or _FOLDER) / f"{name}.safetensors"
        return _shipped(path) if folder is None else PretrainedModel.load(path)
    if Path(name).is_file():
        return PretrainedModel.load(name)
    msg = (
        f"There is no pretrained model {str(name)!r}; known are "
        f"{', '.join(known) or 'none'}, and any path of a .safetensors file works."
    )
    raise PretrainedNotFoundError(msg)


@lru_cache(maxsize=16)
def _shipped(path: Path) -> PretrainedModel:
    return PretrainedModel.load(path)
