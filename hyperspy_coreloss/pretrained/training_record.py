"""The training record of a pretrained model: its data set, settings, errors and licence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.spectra.microscope import Microscope
from hyperspy_coreloss.spectra.spread import largest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Largest t/λ of spectra that are read by networks that were trained without plural scattering.
_THICKEST = 1.5
# Entries that records of early versions lack.
_MAY_LACK = ("withheld_phases", "population_errors")


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
        errors of ``baselines``. The metrics of ``left_out_phases`` belong to the `scores` of the
        model. Those of ``phase_disjoint`` and ``random_site`` belong to an ensemble that was
        trained without the test spectra of the split, but with the withheld phases.
    software
        Versions of the packages with which the model was trained.
    citation, licence
        Citation and licence of the weights.
    withheld_phases
        Phases of the data set that the model was not trained on, such as those of demonstrations.
    population_errors
        Mean absolute errors on the held-out spectra of the model by population and property; empty
        for models of which they were not measured.
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
    population_errors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

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
        record["withheld_phases"] = list(record["withheld_phases"])
        # Left out if empty: records of early versions lack them, and their SHA-256 must not change.
        return {name: value for name, value in record.items() if value or name not in _MAY_LACK}

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
            If an entry is missing or unknown, the withheld phases are not a list of names, or the
            errors of populations are not numbers.
        """
        withheld = record.get("withheld_phases", [])
        if not (isinstance(withheld, list) and all(isinstance(phase, str) for phase in withheld)):
            msg = f"the withheld phases must be a list of names, but they are {withheld!r:.60}"
            raise TypeError(msg)
        _check_population_errors(record.get("population_errors", {}))
        read = cls(**{**record, "withheld_phases": tuple(withheld)})
        if not read.thickest > 0:
            msg = f"the training must hold a thickness above 0, but it has {read.thickest}"
            raise TypeError(msg)
        return read


def _check_population_errors(errors: Any) -> None:
    tables = [errors, *errors.values()] if isinstance(errors, dict) else [errors]
    numbers = [one for table in tables[1:] if isinstance(table, dict) for one in table.values()]
    if not (
        all(isinstance(table, dict) for table in tables)
        and all(isinstance(one, float) and 0 <= one < math.inf for one in numbers)
    ):
        msg = f"the errors of populations must be numbers by property, but they are {errors!r:.60}"
        raise TypeError(msg)
