"""The forward direction: from the properties of a site to its spectrum, with derivatives.

An emulator is a Gaussian process on the principal components of computed spectra (Rasmussen and
Williams 2006, Gaussian Processes for Machine Learning, chapter 2; Higdon et al. 2008, J. Am. Stat.
Assoc. 103, 570). Its mean is smooth, and far from all it was trained on it is the mean spectrum.
Sites of equal properties have different spectra: an emulator gives their mean, and tells how far
from it spectra of new phases are.
"""

from __future__ import annotations

import hashlib
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
from hyperspy_coreloss.pretrained.tensor_file import pack, unpack
from hyperspy_coreloss.properties import PropertySpec
from hyperspy_coreloss.read_only import read_only

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_FORMAT = 1
_KIND = "emulator"
#: Distance of two energies of emulated spectra, in eV.
STEP = 0.1
_EACH_PROPERTY = ("centre", "scale", "lower", "upper", "length_scales")


@dataclass(frozen=True, eq=False)
class SpectrumEmulator:
    """A spectrum as a function of properties.

    Parameters
    ----------
    name
        Identifies the emulator.
    edge
        Absorbing element and edge.
    properties
        What the spectrum is a function of, in order.
    sigma
        Standard deviation of the Gaussian broadening of the spectra, in eV.
    start
        First energy of the spectra in eV from the lowest empty state; they go on in steps of
        0.1 eV.
    record
        JSON-ready: data set, its size and SHA-256, versions.
    arrays
        ``mean`` (energies,) and ``components`` (components, energies): spectra of unit area;
        ``centre``, ``scale``, ``lower``, ``upper`` (properties,): mean, spread and range of the
        training sites; ``length_scales`` (properties,) in units of the scale; ``points`` (sites,
        properties): the sites; ``amplitude`` (1,) and ``coefficients`` (sites, components);
        ``discrepancy`` (energies,): root mean square difference from spectra of phases that were
        left out in turn; ``residuals`` (sites, properties): fitted minus true properties of these.

    Raises
    ------
    PretrainedFormatError
        If arrays are missing, do not fit together or are not finite.
    """

    name: str
    edge: str
    properties: tuple[PropertySpec, ...]
    sigma: float
    start: float
    record: Mapping[str, Any]
    arrays: Mapping[str, NDArray[np.float64]] = field(repr=False)

    def __post_init__(self) -> None:
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
        found = {name: np.shape(array) for name, array in self.arrays.items()}
        if found != shapes or not all(np.isfinite(array).all() for array in self.arrays.values()):
            msg = f"The arrays of the emulator {self.name!r} are incomplete or not finite: {found}."
            raise PretrainedFormatError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        # As the file, so that the arrays are read-only on the other side too.
        return type(self).from_bytes, (self.to_bytes(), self.name)

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties, in order."""
        return tuple(spec.name for spec in self.properties)

    @cached_property
    def curves(self) -> SampledCurves:
        """Mean spectrum and principal components, which :meth:`mixture` tells the shares of."""
        values = read_only(np.vstack([self.arrays["mean"], self.arrays["components"]]))
        return SampledCurves(self.start, STEP, values)

    @cached_property
    def sites(self) -> NDArray[np.float64]:
        """Properties of the sites it was trained on, shape (sites, properties)."""
        return read_only(self.arrays["centre"] + self.arrays["scale"] * self.arrays["points"])

    @cached_property
    def site_spectra(self) -> NDArray[np.float64]:
        """What :meth:`spectra` says of :attr:`sites`, shape (sites, energies)."""
        return read_only(self.spectra(self.sites))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file that :meth:`save` writes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def mixture(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the share of each curve in the spectra of sites.

        Parameters
        ----------
        values
            Properties, shape (sites, properties).

        Returns
        -------
        ndarray
            Shape (sites, 1 + components); the share of the mean spectrum is one.
        """
        with torch.no_grad(), one_thread():
            shares = _shares(_tensors(self), torch.tensor(values, dtype=torch.float64)).numpy()
        return np.hstack([np.ones((len(shares), 1)), shares])

    def mixture_gradient(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the derivative of :meth:`mixture` by the properties of one site.

        By automatic differentiation.

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
            # One copy of the site for each component gives all derivatives in a single pass back.
            at = torch.tensor(np.tile(values, (n_components, 1)), requires_grad=True)
            own = _shares(tensors, at).diagonal().sum()
            (change,) = torch.autograd.grad(own, at)
        return np.vstack([np.zeros((1, len(values))), change.numpy()])

    def spectra(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return spectra of unit area on the energies of :attr:`curves`, shape (sites, energies).

        Parameters
        ----------
        values
            Properties, shape (sites, properties).
        """
        return self.mixture(np.atleast_2d(values)) @ self.curves.values

    def half_width(self, level: float = 0.9) -> NDArray[np.floating]:
        """Return the half width of the interval around fitted properties.

        Of sites of new phases that are like those of the data set, a share of at least `level` has
        its true value inside, if all properties are fitted to a spectrum without noise (split
        conformal prediction, as for :meth:`PretrainedModel.half_width`).

        Parameters
        ----------
        level
            Share of sites, between 0 and 1.

        Returns
        -------
        ndarray
            Shape (properties,).
        """
        return conformal_half_width(self.arrays["residuals"], level)

    def to_bytes(self) -> bytes:
        """Return the content of the file that :meth:`save` writes."""
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
            If the content is no complete emulator, or of a newer format.
        """
        expected = {part.name for part in fields(cls)} - {"arrays"}
        header, arrays = unpack(content, name, _KIND, _FORMAT, expected)
        specs = tuple(PropertySpec.from_dict(spec) for spec in header.pop("properties"))
        return cls(properties=specs, arrays=arrays, **header)

    def save(self, filename: str | Path) -> None:
        """Write the emulator as one ``.safetensors`` file, whole or not at all.

        Parameters
        ----------
        filename
            The file; an existing one is replaced.
        """
        with replace_file(filename) as path:
            path.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, filename: str | Path) -> SpectrumEmulator:
        """Read an emulator that :meth:`save` wrote; no code from the file is run.

        Raises
        ------
        PretrainedFormatError
            As from :meth:`from_bytes`.
        """
        return cls.from_bytes(Path(filename).read_bytes(), Path(filename).name)


_SHIPPED = Store(
    "emulator", Path(__file__).parents[1] / "data" / "emulators", SpectrumEmulator.load
)


def load_emulator(emulator: str | Path | SpectrumEmulator = "silica-o-k") -> SpectrumEmulator:
    """Return an emulator by the name of a shipped one, or from its file.

    Parameters
    ----------
    emulator
        Name, path of a ``.safetensors`` file, or an emulator, which is returned as it is.

    Raises
    ------
    PretrainedNotFoundError
        If there is no such name or file.
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
    """Return the mean of the process: shares of the components, shape (sites, components)."""
    scaled = (values - arrays["centre"]) / arrays["scale"]
    distance = (scaled[:, None] - arrays["points"]) / arrays["length_scales"]
    kernel = arrays["amplitude"] * torch.exp(-0.5 * (distance**2).sum(-1))
    return kernel @ arrays["coefficients"]


@lru_cache(maxsize=8)
def _tensors(emulator: SpectrumEmulator) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(array) for name, array in emulator.arrays.items()}
