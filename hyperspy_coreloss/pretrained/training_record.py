"""The training record of a pretrained model: its data set, settings, errors and licence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.spectra.microscope import Microscope
from hyperspy_coreloss.spectra.spread import largest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Largest t/λ of spectra that are read by networks that were trained without plural scattering.
_THICKEST = 1.5


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """Origin of a pretrained model: what is needed to repeat the training and to cite the model.

    Parameters
    ----------
    dataset, dataset_sha256
        Description and SHA-256 of the data set that the model was trained on.
    n_spectra, n_structures, n_phases
        Numbers of spectra, structures and phases that the model was trained on.
    split
        How spectra were held out for the metrics and the intervals.
    start_sha256
        SHA-256 of the pretrained model from which training started, or None.
    settings
        Settings of the training, including the random seed.
    metrics
        Errors for each split and each property: ``mae``, ``r2``, ``n_test``, and the mean absolute
        errors of ``baselines``. The metrics of ``left_out_phases`` belong to the `residuals` of the
        model. Those of ``phase_disjoint`` and ``random_site`` belong to an ensemble that was
        trained without the test spectra of the split, but with the withheld phases.
    software
        Versions of the packages with which the model was trained.
    citation, licence
        Citation and licence of the weights.
    withheld_phases
        Phases of the data set that the model was not trained on, such as those of demonstrations.
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
    withheld_phases: Sequence[str] = ()

    @property
    def thickest(self) -> float:
        """Largest relative thickness (t/λ) of the spectra of the training.

        For computed spectra without plural scattering, a limit that was chosen.
        """
        effects = self.settings.get("microscope")
        if effects is None:
            return _THICKEST
        measured = largest(Microscope.from_dict(effects).relative_thickness)
        thicker = self.settings.get("thickest", 0.0) if self.settings.get("thick_copies") else 0.0
        return max(measured, float(thicker))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary, which :meth:`from_dict` takes."""
        record = asdict(self)
        # Left out if empty: records of early versions lack it, and their SHA-256 must not change.
        withheld = list(record.pop("withheld_phases"))
        return {**record, "withheld_phases": withheld} if withheld else record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TrainingRecord:
        """Return the record from which :meth:`to_dict` made a dictionary.

        Parameters
        ----------
        record
            Result of :meth:`to_dict`, also of an early version.

        Raises
        ------
        TypeError
            If an entry is missing or unknown, or the withheld phases are not a list of names.
        """
        withheld = record.get("withheld_phases", [])
        if not (isinstance(withheld, list) and all(isinstance(phase, str) for phase in withheld)):
            msg = f"the withheld phases must be a list of names, but they are {withheld!r:.60}"
            raise TypeError(msg)
        read = cls(**{**record, "withheld_phases": tuple(withheld)})
        if not read.thickest > 0:
            msg = f"the training must hold a thickness above 0, but it has {read.thickest}"
            raise TypeError(msg)
        return read
