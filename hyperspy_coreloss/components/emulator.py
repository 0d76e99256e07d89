"""Emulators: the mean spectrum of sites as a function of their properties, with derivatives.

An emulator is a Gaussian process on the principal components of computed spectra (Rasmussen and
Williams 2006, Gaussian Processes for Machine Learning, chapter 2; Higdon et al. 2008, J. Am. Stat.
Assoc. 103, 570). Its prediction is smooth; far from all training sites it is the mean of their
spectra. Sites with equal properties have different spectra: an emulator predicts the mean of these.
It also stores how far spectra of phases left out of the training lie from their predictions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hyperspy_coreloss.components.curves import SampledCurves
from hyperspy_coreloss.errors import PretrainedFormatError
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.intervals import conformal_half_width
from hyperspy_coreloss.pretrained.network import one_thread
from hyperspy_coreloss.pretrained.store import Store
from hyperspy_coreloss.pretrained.tensor_file import pack, read_content, seal, unpack
from hyperspy_coreloss.properties import PropertySpec
from hyperspy_coreloss.read_only import read_only
from hyperspy_coreloss.spectra.energy import single_energy

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMAT = 1
_KIND = "emulator"
#: Energy step of emulated spectra, in eV.
STEP = 0.1
# Properties and distances are divided by them.
_POSITIVE = ("scale", "length_scales", "amplitude")
_EACH_PROPERTY = ("centre", "scale", "lower", "upper", "length_scales")


@dataclass(frozen=True, eq=False)
class SpectrumEmulator:
    """The mean spectrum of sites as a function of their properties.

    Parameters
    ----------
    name
        Identifies the emulator.
    edge
        Absorbing element and edge.
    properties
        Properties that the spectrum is a function of, in the order of the columns.
    sigma
        Standard deviation of the Gaussian broadening of the spectra, in eV.
    start
        First energy of the spectra in eV, counted from the lowest empty state. The energy step is
        0.1 eV.
    record
        JSON-ready: SHA-256, size and licence of the data set, and the version of this package.
    arrays
        ``mean`` (energies,) and ``components`` (components, energies): mean and principal
        components of the training spectra, which have unit area;
        ``centre``, ``scale``, ``lower``, ``upper`` (properties,): mean, standard deviation and
        range of the properties of the training sites;
        ``points`` (sites, properties): the training sites, centred and scaled;
        ``length_scales`` (properties,), in units of the scale, ``amplitude`` (1,) and
        ``coefficients`` (sites, components): the Gaussian process;
        ``discrepancy`` (energies,) and ``residuals`` (sites, properties): for phases that were left
        out of the training in turn, the root mean square difference between true and emulated
        spectra, and fitted minus true properties.

    Raises
    ------
    PretrainedFormatError
        If arrays are missing, have inconsistent shapes or another type, or are not finite, or if a
        scale is not above zero.
    """

    name: str
    edge: str
    properties: tuple[PropertySpec, ...]
    sigma: float
    start: float
    record: Mapping[str, Any]
    arrays: Mapping[str, NDArray[np.float64]] = field(repr=False)

    def __post_init__(self) -> None:
        self._check_header()
        arrays = {name: read_only(array) for name, array in self.arrays.items()}
        object.__setattr__(self, "arrays", MappingProxyType(arrays))
        points = self.arrays.get("points", np.empty((0, 0)))
        mean = self.arrays.get("mean", np.empty(0))
        components = len(self.arrays.get("components", ()))
        n_sites, n_properties = len(points), len(self.properties)
        shapes = {
            "mean": (mean.size,),
            "components": (components, mean.size),
            "discrepancy": (mean.size,),
            "points": (n_sites, n_properties),
            "coefficients": (n_sites, components),
            "residuals": (n_sites, n_properties),
            "amplitude": (1,),
            **dict.fromkeys(_EACH_PROPERTY, (n_properties,)),
        }
        for name, array in self.arrays.items():
            positive = name in _POSITIVE
            if array.dtype != np.float64 or (positive and not (array > 0).all()):
                msg = (
                    f"The array {name!r} of the emulator {self.name!r} must be of the type float64"
                    f"{' and above zero' if positive else ''}, but it is of {array.dtype} and its "
                    f"lowest value is {np.min(array)}. Train the emulator again."
                )
                raise PretrainedFormatError(msg)
        actual = {name: np.shape(array) for name, array in self.arrays.items()}
        if actual != shapes or not all(np.isfinite(array).all() for array in self.arrays.values()):
            msg = (
                f"The arrays of the emulator {self.name!r} are incomplete or not finite. They need "
                f"the shapes {shapes}, but have {actual}. Train the emulator again."
            )
            raise PretrainedFormatError(msg)
        if (self.arrays["lower"] > self.arrays["upper"]).any():
            msg = (
                f"The lower limits of the emulator {self.name!r} must be below the upper ones, but "
                f"they are {self.arrays['lower']} and {self.arrays['upper']}. Train the "
                "emulator again."
            )
            raise PretrainedFormatError(msg)

    def _check_header(self) -> None:
        numbers = [single_energy(value) for value in (self.start, self.sigma)]
        if None in numbers or self.sigma < 0 or not isinstance(self.record, Mapping):
            msg = (
                f"The emulator {self.name!r} needs a start and a sigma (zero or more) in eV and a "
                f"record with named entries, but they are {self.start!r}, {self.sigma!r} and "
                f"{self.record!r:.60}. Train the emulator again."
            )
            raise PretrainedFormatError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled as the content of its file, so that the arrays of the copy are read-only too.
        return type(self).from_bytes, (self.to_bytes(), self.name)

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties, in order."""
        return tuple(spec.name for spec in self.properties)

    @cached_property
    def curves(self) -> SampledCurves:
        """Mean spectrum and principal components, in the order of :meth:`mixture`."""
        values = read_only(np.vstack([self.arrays["mean"], self.arrays["components"]]))
        return SampledCurves(self.start, STEP, values)

    @cached_property
    def sites(self) -> NDArray[np.float64]:
        """Properties of the training sites, shape (sites, properties)."""
        return read_only(self.arrays["centre"] + self.arrays["scale"] * self.arrays["points"])

    @cached_property
    def site_spectra(self) -> NDArray[np.float64]:
        """Emulated spectra of the training sites, shape (sites, energies)."""
        return read_only(self.spectra(self.sites))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of :meth:`to_bytes`; the file that :meth:`save` writes states it."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def mixture(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the coefficient of each curve of :attr:`curves` in the spectra of sites.

        Parameters
        ----------
        values
            Properties, shape (sites, properties).

        Returns
        -------
        ndarray
            Shape (sites, 1 + components); the coefficient of the mean spectrum is one.
        """
        with torch.no_grad(), one_thread():
            shares = _shares(_tensors(self), torch.tensor(values, dtype=torch.float64)).numpy()
        return np.hstack([np.ones((len(shares), 1)), shares])

    def mixture_gradient(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the derivative of :meth:`mixture` with respect to the properties.

        It is computed for one site by automatic differentiation.

        Parameters
        ----------
        values
            Properties, shape (properties,).

        Returns
        -------
        ndarray
            Shape (1 + components, properties).
        """
        tensors = _tensors(self)
        n_components = len(self.arrays["components"])
        with one_thread():
            # With one copy of the site for each component, one backward pass gives all derivatives.
            at = torch.tensor(np.tile(values, (n_components, 1)), requires_grad=True)
            own = _shares(tensors, at).diagonal().sum()
            (change,) = torch.autograd.grad(own, at)
        return np.vstack([np.zeros((1, len(values))), change.numpy()])

    def spectra(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return spectra of unit area at the energies of :attr:`curves`, shape (sites, energies).

        Parameters
        ----------
        values
            Properties, shape (sites, properties).
        """
        return self.mixture(np.atleast_2d(values)) @ self.curves.values

    def half_width(self, level: float = 0.9) -> NDArray[np.floating]:
        """Return the half width of the interval around fitted properties.

        The interval holds the true value for at least the fraction `level` of the sites of new
        phases, if these are like the phases of the data set and all properties are fitted to a
        spectrum without noise (split conformal prediction, as for
        :meth:`PretrainedModel.half_width`).

        Parameters
        ----------
        level
            Fraction of sites, between 0 and 1.

        Returns
        -------
        ndarray
            Shape (properties,).

        Raises
        ------
        SignalError
            If `level` is not between 0 and 1.
        """
        return conformal_half_width(self.arrays["residuals"], level)

    def to_bytes(self) -> bytes:
        """Return the content of the file that :meth:`save` writes, without its checksum."""
        header = {
            "format": _FORMAT,
            "name": self.name,
            "edge": self.edge,
            "properties": [spec.to_dict() for spec in self.properties],
            "sigma": self.sigma,
            "start": self.start,
            "record": dict(self.record),
        }
        return pack(header, self.arrays)

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "The file") -> SpectrumEmulator:
        """Rebuild an emulator from :meth:`to_bytes`.

        Raises
        ------
        PretrainedFormatError
            If the content is not a complete emulator, or has a newer format.
        """
        expected = {attribute.name for attribute in fields(cls)} - {"arrays"}
        header, arrays = unpack(content, name, _KIND, _FORMAT, expected)
        try:
            specs = tuple(PropertySpec.from_dict(spec) for spec in header.pop("properties"))
            return cls(properties=specs, arrays=arrays, **header)
        except (AttributeError, TypeError, ValueError) as error:
            msg = f"{name} is not a complete {_KIND}: {error}"
            raise PretrainedFormatError(msg) from error

    def save(self, filename: str | Path) -> None:
        """Write the emulator as one ``.safetensors`` file, whole or not at all.

        Parameters
        ----------
        filename
            The file; an existing one is replaced.
        """
        with replace_file(filename) as path:
            path.write_bytes(seal(self.to_bytes()))

    @classmethod
    def load(cls, filename: str | Path) -> SpectrumEmulator:
        """Read an emulator that :meth:`save` wrote; no code from the file is run.

        The content is compared with the checksum in the file; files of early versions have none.

        Raises
        ------
        PretrainedFormatError
            As from :meth:`from_bytes`.
        """
        path = Path(filename)
        return cls.from_bytes(read_content(path, _KIND), path.name)


_SHIPPED = Store(
    "emulator", Path(__file__).parents[1] / "data" / "emulators", SpectrumEmulator.load
)


def load_emulator(emulator: str | Path | SpectrumEmulator = "silica-o-k") -> SpectrumEmulator:
    """Return a shipped emulator by its name, or an emulator from a file.

    Parameters
    ----------
    emulator
        Name of a shipped emulator, path of a ``.safetensors`` file, or an emulator, which is
        returned unchanged.

    Raises
    ------
    PretrainedNotFoundError
        If there is no shipped emulator and no file of this name.
    PretrainedFormatError
        If the file cannot be read.

    Examples
    --------
    >>> load_emulator().property_names[:2]
    ('bond_length', 'bond_angle')
    """
    if isinstance(emulator, SpectrumEmulator):
        return emulator
    return _SHIPPED.load(emulator)


def _shares(arrays: Mapping[str, torch.Tensor], values: torch.Tensor) -> torch.Tensor:
    """Return the mean of the Gaussian process: coefficients, shape (sites, components)."""
    scaled = (values - arrays["centre"]) / arrays["scale"]
    distance = (scaled[:, None] - arrays["points"]) / arrays["length_scales"]
    kernel = arrays["amplitude"] * torch.exp(-0.5 * (distance**2).sum(-1))
    return kernel @ arrays["coefficients"]


@lru_cache(maxsize=8)
def _tensors(emulator: SpectrumEmulator) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(array) for name, array in emulator.arrays.items()}
