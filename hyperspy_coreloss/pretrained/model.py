"""Pretrained models: weights, recipe, properties, held-out errors and training record in one file.

Loading a file never runs code from it (see :mod:`hyperspy_coreloss.pretrained.tensor_file`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import PretrainedFormatError, SignalError
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.arrays import check_arrays, check_texts
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY, usual_threshold
from hyperspy_coreloss.pretrained.inference import predict_arrays
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.pretrained.references import PREFIX, References
from hyperspy_coreloss.pretrained.tensor_file import pack, read_content, seal, unpack
from hyperspy_coreloss.pretrained.training_record import TrainingRecord
from hyperspy_coreloss.pretrained.trust import NOVELTY_LEVEL, check_novelty_level
from hyperspy_coreloss.properties import PropertySpec
from hyperspy_coreloss.read_only import read_only
from hyperspy_coreloss.spectra.energy import axis_in_ev
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from hyperspy_coreloss.pretrained.results import Prediction
    from hyperspy_coreloss.spectra.recipe import Background, Limits

_FORMAT = 3
# Names of the arrays that are not weights, and of the optional one among them.
_ARRAYS, _LABELS = ("scores", "usual_spread", "history", "label_range"), "label_range"
# Entry of the header of networks that read what is known of a measurement.
_CONDITIONS = "reads_conditions"
# Standard deviations within which labels of an unknown range lie.
_SPREADS = 5.0


@dataclass(frozen=True, eq=False)
class PretrainedModel:
    """A trained ensemble of networks, with its preprocessing, its errors and its origin.

    Parameters
    ----------
    name, version
        Name and version for people; programs identify a model by its ``sha256``.
    recipe
        Preprocessing of a spectrum before it is given to the networks.
    properties
        Specification of each output, in order.
    hidden
        Number of nodes of each hidden layer.
    weights
        Arrays ``layer.N.weight`` and ``layer.N.bias``, and the scales ``input_mean``,
        ``input_scale``, ``target_mean`` and ``target_scale``; with ``layer.N.step``, weights are
        multiples of these steps. The first axis of each array counts the networks, and the
        prediction is the mean over the networks.
    scores
        Errors on held-out spectra: predicted minus true values, divided by the spread that the
        networks predict for each, shape (spectra, properties). The half width of an interval is a
        quantile of their absolute values, times the spread of the spectrum. Networks that predict
        no spread have spreads of 1.
    usual_spread
        Median of these spreads, in the units of the properties, shape (properties,).
    history
        Mean absolute errors of each network on training spectra and on held-out spectra after each
        epoch, in standard deviations, shape (networks, epochs, 2). They are NaN after the epoch at
        which the training of the network stopped.
    record
        Origin of the model.
    intended_use, limits
        Intended use and limits, as text; neither may be empty.
    reads_conditions
        Whether the networks read what is known of a measurement beside the spectrum, as
        :func:`.auxiliary_inputs`.
    label_range
        Lowest and highest label of each property in the training, shape (2, properties). None for
        models of early versions, whose labels are taken to lie within five standard deviations of
        their mean.
    references
        Computed sites to compare spectra with; without any, all spectra are familiar.

    Raises
    ------
    PretrainedFormatError
        If an array is missing, has the wrong shape or type, contains a value that is not finite, or
        is not an array of the model, if a scale is not above zero, if two properties have one name,
        or if the name, the version, the intended use or the limits are not text or empty.
    """

    name: str
    version: str
    recipe: Recipe
    properties: tuple[PropertySpec, ...]
    hidden: tuple[int, ...]
    weights: Mapping[str, NDArray]
    scores: NDArray[np.floating]
    usual_spread: NDArray[np.floating]
    history: NDArray[np.floating]
    record: TrainingRecord
    intended_use: str
    limits: str
    label_range: NDArray[np.floating] | None = None
    reads_conditions: bool = False
    references: References | None = None

    def __post_init__(self) -> None:
        weights = {name: read_only(array) for name, array in self.weights.items()}
        object.__setattr__(self, "weights", MappingProxyType(weights))
        for name in _ARRAYS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, read_only(getattr(self, name)))
        inputs = self.recipe.window.n_channels + N_AUXILIARY * bool(self.reads_conditions)
        nodes = (inputs, *self.hidden, len(self.properties))
        check_arrays(self.name, self._arrays(), nodes)
        texts = ("name", "version", "intended_use", "limits")
        check_texts({text: getattr(self, text) for text in texts}, self.property_names)

    @property
    def n_networks(self) -> int:
        """Number of networks; the prediction is their mean."""
        return len(self.history)

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties, in the order of the outputs."""
        return tuple(spec.name for spec in self.properties)

    @cached_property
    def trained_range(self) -> NDArray[np.float64]:
        """Lowest and highest label of the training of each property, shape (2, properties)."""
        if self.label_range is not None:
            return read_only(self.label_range, dtype=np.float64)
        mean, spread = (self.weights[f"target_{name}"][0] for name in ("mean", "scale"))
        return read_only(np.stack([mean - _SPREADS * spread, mean + _SPREADS * spread]))

    @cached_property
    def usual_threshold(self) -> float:
        """Energy in eV that the networks read as zero, see :func:`.auxiliary_inputs`."""
        ranges = dict(zip(self.property_names, self.trained_range.T, strict=True))
        return usual_threshold(ranges.get("excitation_energy", self.recipe.nominal_onset))

    @cached_property
    def interval_scale(self) -> NDArray[np.floating]:
        """Half width of the 90 % interval in units of the spread, shape (properties,)."""
        return conformal_half_width(self.scores, 0.9)

    @cached_property
    def thickest(self) -> float:
        """Largest relative thickness (t/λ) of the spectra of the training."""
        return self.record.thickest

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of :meth:`to_bytes`; the file that :meth:`save` writes states it."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PretrainedModel) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __dask_tokenize__(self) -> str:
        return self.sha256

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled as the content of the file, so that the arrays are read-only in the copy too.
        return type(self).from_bytes, (self.to_bytes(), self.name)

    def _arrays(self) -> dict[str, NDArray]:
        others = {name: getattr(self, name) for name in _ARRAYS}
        others = {name: array for name, array in others.items() if array is not None}
        arrays = {**self.weights, **others}
        return arrays if self.references is None else arrays | self.references.to_arrays()

    def to_bytes(self) -> bytes:
        """Return the content of the file that :meth:`save` writes, without its checksum."""
        header = {
            "format": _FORMAT,
            "name": self.name,
            "version": self.version,
            "recipe": self.recipe.to_dict(),
            "properties": [spec.to_dict() for spec in self.properties],
            "hidden": list(self.hidden),
            "record": self.record.to_dict(),
            "intended_use": self.intended_use,
            "limits": self.limits,
        }
        if self.reads_conditions:  # models that read spectra only have no such entry
            header["reads_conditions"] = True
        return pack(header, self._arrays())

    def save(self, filename: str | Path) -> None:
        """Write the model to a ``.safetensors`` file; a failed write leaves no incomplete file.

        The entry ``sha256`` of the file's metadata is the :attr:`sha256` of the model.

        Parameters
        ----------
        filename
            Path of the file; an existing file is replaced.
        """
        with replace_file(filename) as path:
            path.write_bytes(seal(self.to_bytes()))

    @classmethod
    def load(cls, filename: str | Path) -> PretrainedModel:
        """Read a model from a file that :meth:`save` wrote; no code from the file is run.

        The content is compared with the checksum in the file. Files of early versions have no
        checksum, and are read without this comparison.

        Parameters
        ----------
        filename
            Path of the file.

        Raises
        ------
        PretrainedFormatError
            If the file is damaged or incomplete, or its format is not supported.
        """
        path = Path(filename)
        return cls.from_bytes(read_content(path, "pretrained model"), path.name)

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "The file") -> PretrainedModel:
        """Return the model whose content :meth:`to_bytes` returned.

        Parameters
        ----------
        content
            Content of the file, with or without its checksum.
        name
            Name of the file, for error messages.

        Raises
        ------
        PretrainedFormatError
            If the content is damaged or incomplete, or its format is not supported.
        """
        expected = {field.name for field in fields(cls)} - {"weights", "references", *_ARRAYS}
        header, tensors = unpack(
            content, name, "pretrained model", _FORMAT, expected - {_CONDITIONS}, {_CONDITIONS}
        )
        try:
            label_range = tensors.pop(_LABELS, None)
            held_out = {n: tensors.pop(n) for n in _ARRAYS if n != _LABELS}
            references = References.from_arrays(tensors)
            return cls(
                name=header["name"],
                version=header["version"],
                recipe=Recipe.from_dict(header["recipe"]),
                properties=tuple(PropertySpec.from_dict(spec) for spec in header["properties"]),
                hidden=tuple(int(nodes) for nodes in header["hidden"]),
                weights={n: t for n, t in tensors.items() if not n.startswith(PREFIX)},
                **held_out,
                record=TrainingRecord.from_dict(header["record"]),
                intended_use=header["intended_use"],
                limits=header["limits"],
                label_range=label_range,
                reads_conditions=header.get(_CONDITIONS, False),
                references=references,
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            msg = f"{name} is not a complete pretrained model: {error}"
            raise PretrainedFormatError(msg) from error

    def predict(
        self,
        spectra: ArrayLike,
        energy: ArrayLike,
        *,
        resolution: float,
        binned: bool = True,
        background: Background = "power law",
        background_range: Limits | None = None,
        onset_range: Limits | None = None,
        energy_offset: float | None = None,
        novelty_level: float = NOVELTY_LEVEL,
    ) -> Prediction:
        """Predict properties from spectra in plain arrays, without HyperSpy.

        Parameters
        ----------
        spectra
            Intensities of any real dtype, shape (..., channels).
        energy
            Channel energies in eV, shape (channels,), ascending or descending; the spacing may be
            uneven.
        resolution
            Energy resolution of the spectra in eV: the full width at half maximum of the zero-loss
            peak; 0 for spectra without instrumental broadening.
        binned
            Whether the intensities are counts per channel. If False, they are counts per eV.
        background, background_range, onset_range, energy_offset, novelty_level
            As for :func:`~hyperspy_coreloss.predict_properties`, with ranges in eV.

        Returns
        -------
        Prediction
            ``values`` has the shape (..., properties); ``onset`` and ``quality`` have the shape
            (...). Values are NaN where the quality is not 0.

        Raises
        ------
        SignalError
            If the spectra are not real, do not have one channel for each energy, or an option is
            not valid for this model.
        EnergyAxisError
            If the energies are not finite, or neither ascending nor descending.
        EnergyRangeError
            If the spectra do not cover the energy window of the model or the range of the
            background fit.
        ResolutionError
            If the dispersion or the resolution is too coarse for this model.

        Examples
        --------
        >>> import hyperspy_coreloss as hc
        >>> s, truth = hc.data.silica_spectrum_image((8, 6))
        >>> energy = s.axes_manager.signal_axes[0].axis
        >>> hc.load_pretrained().predict(s.data, energy, resolution=0.5).values.shape
        (6, 8, 6)
        """
        axis = axis_in_ev(np.asarray(energy), "eV", "energy")
        intensities = np.asanyarray(spectra)  # a masked array keeps its mask
        if intensities.shape[-1:] != axis.shape or intensities.dtype.kind not in "iuf":
            msg = (
                f"Real spectra of the shape (..., {axis.size}) are needed, one channel for each "
                f"energy, but they have the shape {intensities.shape} and the type "
                f"{intensities.dtype}."
            )
            raise SignalError(msg)
        preparation = prepare(
            self.recipe,
            axis,
            resolution=resolution,
            binned=binned,
            background=background,
            background_range=background_range,
            onset_range=onset_range,
            energy_offset=energy_offset,
        )
        level = check_novelty_level(novelty_level)
        return predict_arrays(intensities, preparation, self, level)

    def half_width(self, level: float = 0.9) -> NDArray[np.floating]:
        """Return the half width of the prediction interval of each property of a usual spectrum.

        The half width is the split-conformal quantile of the absolute errors on held-out spectra.
        For spectra similar to these, the interval contains the true value with a probability of at
        least `level`. Where the networks predict the spread of each spectrum, the half width is
        that of the median spread.

        Parameters
        ----------
        level
            Coverage: the probability that the interval contains the true value, between 0 and 1.

        Returns
        -------
        ndarray
            Half widths in the units of the properties, shape (properties,). They are infinite if
            there are too few held-out spectra for the level.

        Raises
        ------
        SignalError
            If `level` is not between 0 and 1.
        """
        return conformal_half_width(self.scores, level) * self.usual_spread
