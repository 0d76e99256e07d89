"""What better numerics change in computed sites, summarised by the size of their supercells.

The measurements are lines of JSON, one for each structure and parameter, written by
``benchmarks/simulation_convergence.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Upper limits in cubic angstrom of the supercells' volumes in each class but the last.
CLASS_LIMITS = (500.0, 800.0, 1200.0)

#: How alike spectra are, at the usual and at the sharpest resolution
#: (:mod:`hyperspy_coreloss.simulation.comparison`).
COSINES = ("cosine", "cosine_sharp")

#: What a better choice of the parameter changes, in the units of the properties.
CHANGES = (
    "excitation_energy_change",
    "corrected_excitation_energy_change",
    "mulliken_charge_change",
    "bond_overlap_population_change",
)

_KEYS = {"structure", "n_atoms", "volume", "parameter", "used", "better", *COSINES, *CHANGES}


def size_class(volume: float) -> int:
    """Return the number, from 0, of the size class of a supercell.

    Parameters
    ----------
    volume
        In cubic angstrom.

    Examples
    --------
    >>> size_class(441.0), size_class(500.0), size_class(1221.0)
    (0, 1, 3)
    """
    return sum(volume >= limit for limit in CLASS_LIMITS)


def read_measurements(path: str | Path) -> list[dict[str, Any]]:
    """Read measured changes, one JSON object a line; none where there is no file.

    Raises
    ------
    SimulationError
        If a line is no measurement.
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
            msg = f"Line {number} of {path} must be a JSON object: {error}. Remove the line."
            raise SimulationError(msg) from error
        if missing:
            msg = (
                f"Line {number} of {path} must be a measurement; it lacks "
                f"{', '.join(sorted(missing))}. Measure it again."
            )
            raise SimulationError(msg)
        lines.append(line)
    return lines


def summarise_convergence(path: str | Path) -> list[dict[str, Any]]:
    """Summarise measured changes for each size class of supercells.

    Parameters
    ----------
    path
        File of ``benchmarks/simulation_convergence.py``.

    Returns
    -------
    list of dict
        JSON-ready, one for each class that was measured, the smallest first: ``volume`` (limits
        in cubic angstrom, None where open), ``structures``, and ``changes``, a list with the
        ``parameter``, what was ``used`` and what is ``better``, the smallest of each of `COSINES`
        and, of each quantity of `CHANGES`, the change of largest magnitude; None where the
        parameter does not enter.

    Raises
    ------
    SimulationError
        If a line is no measurement.
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
