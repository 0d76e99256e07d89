"""Computed spectra with their labels: what networks are trained on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.continued_fraction import spectrum_from_recursion
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.voronoi import voronoi_volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ARRAYS = ("alpha", "beta", "norm", "site", "lowest_empty", "gap_middle", "targets")
_TEXTS = ("names", "structures", "phases", "sources")
_REMARKS = ("description", "licence")

# Two enantiomorphs of one structure.
_SAME_PHASE = {"mp-6930": "alpha-quartz", "mp-7000": "alpha-quartz"}


@dataclass(frozen=True, eq=False)
class SpectrumDataset:
    """Spectra of absorbing sites, as recursion coefficients, with labels and groups.

    Parameters
    ----------
    alpha, beta
        Recursion coefficients in eV, shape (chains, steps); a chain is one polarisation at one
        k-point.
    norm
        Squared norm of the seed of each chain, shape (chains,).
    site
        Site that each chain belongs to, shape (chains,).
    lowest_empty
        Energy of the lowest empty state of each site's cell in eV, shape (sites,).
    gap_middle
        Energy in the middle of the gap in eV, shape (sites,); the states below it are occupied.
    targets
        The six properties, in the order of ``PROPERTIES``, shape (sites, 6).
    names, structures, phases, sources
        Of each site. Structures of one phase never stand on both sides of an honest split.
    description
        How the spectra and labels were computed.
    licence
        Licence of the data.
    """

    alpha: NDArray[np.float32]
    beta: NDArray[np.float32]
    norm: NDArray[np.float32]
    site: NDArray[np.int64]
    lowest_empty: NDArray[np.floating]
    gap_middle: NDArray[np.floating]
    targets: NDArray[np.floating]
    names: tuple[str, ...]
    structures: tuple[str, ...]
    phases: tuple[str, ...]
    sources: tuple[str, ...]
    description: str
    licence: str

    def __post_init__(self) -> None:
        sites, chains = len(self.names), len(self.norm)
        shapes = {
            "alpha": (chains, self.alpha.shape[-1]),
            "beta": (chains, self.alpha.shape[-1]),
            "site": (chains,),
            "lowest_empty": (sites,),
            "gap_middle": (sites,),
            "targets": (sites, len(PROPERTIES)),
        }
        for name, shape in shapes.items():
            found = getattr(self, name).shape
            if found != shape:
                msg = f"{name} of a data set of {sites} sites needs the shape {shape}, not {found}."
                raise DatasetError(msg)
        for name in _TEXTS:
            if len(getattr(self, name)) != sites:
                msg = f"A data set of {sites} sites needs as many {name}."
                raise DatasetError(msg)
        if set(np.unique(self.site)) != set(range(sites)):
            msg = f"Each of the {sites} sites needs recursion chains, numbered from 0."
            raise DatasetError(msg)
        if not np.isfinite(self.targets).all():
            bad = [self.names[i] for i in np.flatnonzero(~np.isfinite(self.targets).all(axis=1))]
            msg = f"All labels must be finite; drop or repair {', '.join(bad[:5])}."
            raise DatasetError(msg)

    def __len__(self) -> int:
        return len(self.names)

    def spectra(
        self,
        energy: NDArray[np.floating],
        sites: Sequence[int] | None = None,
        lifetime: float = 0.1,
    ) -> NDArray[np.floating]:
        """Return the spectra, averaged over polarisations and k-points.

        Parameters
        ----------
        energy
            Energies in eV counted from the lowest empty state, shape (energies,).
        sites
            Indices of the wanted sites; by default all.
        lifetime
            Half width at half maximum of the core hole's Lorentzian, in eV; the only broadening.

        Returns
        -------
        ndarray
            Shape (sites, energies).
        """
        wanted = range(len(self)) if sites is None else sites
        spectra = np.empty((len(wanted), len(energy)))
        for row, site in enumerate(wanted):
            chains = self.site == site
            absolute = energy + self.lowest_empty[site]
            chain_spectra = spectrum_from_recursion(
                self.alpha[chains], self.beta[chains], self.norm[chains], absolute, lifetime
            )
            # The recursion also sees the occupied states, which no electron can be lifted to.
            empty = absolute >= self.gap_middle[site]
            spectra[row] = np.where(empty, chain_spectra.mean(axis=0), 0.0)
        return spectra

    def sha256(self) -> str:
        """Return the SHA-256 of the content, the identity of the data set."""
        digest = hashlib.sha256()
        for name in _ARRAYS:
            array = np.ascontiguousarray(getattr(self, name))
            digest.update(f"{name}{array.dtype}{array.shape}".encode())
            digest.update(array.tobytes())
        texts = {name: getattr(self, name) for name in (*_TEXTS, *_REMARKS)}
        digest.update(json.dumps(texts, sort_keys=True).encode())
        return digest.hexdigest()

    def save(self, filename: str | Path) -> None:
        """Write the data set as one compressed ``.npz`` without pickles."""
        parts: dict[str, Any] = {name: getattr(self, name) for name in _ARRAYS}
        parts |= {name: np.array(getattr(self, name)) for name in (*_TEXTS, *_REMARKS)}
        np.savez_compressed(filename, **parts)

    @classmethod
    def load(cls, filename: str | Path) -> SpectrumDataset:
        """Read what :meth:`save` wrote.

        Raises
        ------
        DatasetError
            If parts are missing or do not fit together.
        """
        with np.load(filename, allow_pickle=False) as file:
            missing = {*_ARRAYS, *_TEXTS, *_REMARKS} - set(file.files)
            if missing:
                msg = f"{Path(filename).name} is no spectrum data set: {sorted(missing)} missing."
                raise DatasetError(msg)
            parts: dict[str, Any] = {name: file[name] for name in _ARRAYS}
            parts |= {name: tuple(file[name].tolist()) for name in _TEXTS}
            parts |= {name: str(file[name]) for name in _REMARKS}
            return cls(**parts)


def collect_sites(folder: str | Path, description: str, licence: str) -> SpectrumDataset:
    """Gather a folder of computed sites (one ``.npz`` a site) into a data set.

    Parameters
    ----------
    folder
        Folder of files with ``alpha``, ``beta`` of shape (k-points, 3, steps), ``norm`` of shape
        (k-points, 3), ``cell``, ``positions``, ``site`` and a JSON ``label``.
    description, licence
        Of the data set.

    Raises
    ------
    DatasetError
        If the folder holds no site.
    """
    files = sorted(Path(folder).glob("*.npz"))
    if not files:
        msg = f"There is no site (.npz) in {folder}."
        raise DatasetError(msg)
    labels, chains = [], []
    for index, file in enumerate(files):
        with np.load(file, allow_pickle=False) as site:
            steps = site["alpha"].shape[-1]
            label = json.loads(str(site["label"]))
            # Not the label's: older sites have volumes that are too large in open frameworks.
            label["voronoi_volume"] = voronoi_volume(
                site["cell"], site["positions"], int(site["site"])
            )
            flat = (site["alpha"].reshape(-1, steps), site["beta"].reshape(-1, steps))
            chains.append((*flat, site["norm"].ravel(), np.full(site["norm"].size, index)))
        labels.append(label)
    alpha, beta, norm, site_index = (
        np.concatenate([chain[part] for chain in chains]) for part in range(4)
    )
    return SpectrumDataset(
        alpha=alpha,
        beta=beta,
        norm=norm,
        site=site_index,
        lowest_empty=np.array([label["lumo"] for label in labels]),
        gap_middle=np.array([(label["lumo"] + label["homo"]) / 2 for label in labels]),
        targets=np.array([_targets(label) for label in labels]),
        names=tuple(file.stem for file in files),
        structures=tuple(_structure(label) for label in labels),
        phases=tuple(label.get("phase") or phase_of(_structure(label)) for label in labels),
        sources=tuple(label["source"] for label in labels),
        description=description,
        licence=licence,
    )


def summarise(dataset: SpectrumDataset) -> dict[str, Any]:
    """Return size, identity and label ranges of a data set as a JSON-ready dictionary."""
    return {
        "n_spectra": len(dataset),
        "n_structures": len(set(dataset.structures)),
        "n_phases": len(set(dataset.phases)),
        "sha256": dataset.sha256(),
        "licence": dataset.licence,
        "description": dataset.description,
        "labels": {
            spec.name: {
                "unit": spec.unit,
                "minimum": float(values.min()),
                "mean": float(values.mean()),
                "maximum": float(values.max()),
            }
            for spec, values in zip(PROPERTIES, dataset.targets.T, strict=True)
        },
    }


def phase_of(structure: str) -> str:
    """Return the phase a structure belongs to: a framework is one phase, whatever its source.

    Examples
    --------
    >>> phase_of("IZA-SOD") == phase_of("MD-sod-19") == "SOD"
    True
    >>> phase_of("mp-7000_SiO2")
    'alpha-quartz'
    """
    source, _, rest = structure.partition("-")
    if source in ("IZA", "MD"):
        return rest.partition("-")[0].upper()
    material = structure.partition("_")[0]
    return _SAME_PHASE.get(material, material)


def _structure(label: dict[str, Any]) -> str:
    # The first sites that were computed call it their name.
    return str(label["structure"] if "structure" in label else label["name"])


def _targets(label: dict[str, Any]) -> list[float]:
    excitation = label["e_xch"] + label["e_ref_xch"] - label["e_gs"] - label["e_ref_gs"]
    values = {**label, "excitation_energy": excitation}
    return [float(values.get(spec.name, np.nan)) for spec in PROPERTIES]
