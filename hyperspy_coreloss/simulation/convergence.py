"""Convergence of computed sites: what finer numerics change, by the volume of the supercell.

The measurements are JSON lines, one for each structure and parameter, written by
``benchmarks/simulation_convergence.py``. Their cosines compare spectra that are aligned where they
first rise through 10 % of their highest intensity (:mod:`.comparison`); networks align at 30 %.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Volumes in cubic angstrom that separate the size classes of supercells.
CLASS_LIMITS = (500.0, 800.0, 1200.0)

#: Cosine similarities of spectra at the usual and at the sharpest resolution
#: (:mod:`hyperspy_coreloss.simulation.comparison`).
COSINES = ("cosine", "cosine_sharp")

#: Changes of the labels under a finer choice of the parameter, in the units of the properties.
CHANGES = (
    "excitation_energy_change",
    "corrected_excitation_energy_change",
    "mulliken_charge_change",
    "bond_overlap_population_change",
)

_KEYS = {"structure", "n_atoms", "volume", "parameter", "used", "better", *COSINES, *CHANGES}


def size_class(volume: float) -> int:
    """Return the size class of a supercell, counted from 0.

    Parameters
    ----------
    volume
        Volume of the supercell in cubic angstrom.

    Examples
    --------
    >>> size_class(441.0), size_class(500.0), size_class(1221.0)
    (0, 1, 3)
    """
    return sum(volume >= limit for limit in CLASS_LIMITS)


def read_measurements(path: str | Path) -> list[dict[str, Any]]:
    """Read measured changes, one JSON object per line; return none if the file does not exist.

    Raises
    ------
    SimulationError
        If a line is not a measurement.
    """
    path = Path(path)
    if not path.exists():
        return []
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
            missing = _KEYS - set(line)
        except (ValueError, TypeError) as error:
            msg = f"Line {number} of {path} must be a JSON object; found {error}. Remove the line."
            raise SimulationError(msg) from error
        if missing:
            msg = (
                f"Line {number} of {path} must be a measurement; it lacks "
                f"{', '.join(sorted(missing))}. Remove the line and measure again."
            )
            raise SimulationError(msg)
        lines.append(line)
    return lines


def summarise_convergence(path: str | Path) -> list[dict[str, Any]]:
    """Summarise measured changes for each size class of supercells.

    Parameters
    ----------
    path
        Output file of ``benchmarks/simulation_convergence.py``.

    Returns
    -------
    list of dict
        JSON-ready, one entry for each size class with measurements, the smallest first. An entry
        has the limits of the ``volume`` in cubic angstrom (None where there is no limit), the
        names of the ``structures``, and a list of ``changes``. Each change has the ``parameter``,
        the value ``used`` and the ``better`` value, the smallest of each of `COSINES`, and the
        value of largest magnitude of each of `CHANGES`; None where a quantity does not depend on
        the parameter.

    Raises
    ------
    SimulationError
        If a line is not a measurement.
    """
    lines = read_measurements(path)
    limits = (None, *CLASS_LIMITS, None)
    return [
        {
            "volume": [limits[number], limits[number + 1]],
            "structures": list(dict.fromkeys(line["structure"] for line in members)),
            "changes": _worst_changes(members),
        }
        for number in range(len(CLASS_LIMITS) + 1)
        if (members := [line for line in lines if size_class(line["volume"]) == number])
    ]


def _worst_changes(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    worst = []
    for parameter in dict.fromkeys(line["parameter"] for line in lines):
        same = [line for line in lines if line["parameter"] == parameter]
        worst.append(
            {
                "parameter": parameter,
                "used": _distinct(line["used"] for line in same),
                "better": _distinct(line["better"] for line in same),
                **{name: _smallest(line[name] for line in same) for name in COSINES},
                **{name: _largest(line[name] for line in same) for name in CHANGES},
            }
        )
    return worst


def _distinct(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))


def _smallest(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), key=abs, default=None)
