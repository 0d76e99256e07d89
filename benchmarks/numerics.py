"""What finer numerics change in computed spectra up to 100 eV, and in what is predicted from them.

A few sites of every population were computed again with a cutoff of 700 eV instead of 400 eV, and
at 700 eV with a harder PAW data set of the absorber (``python -m training.numerics.compute``).
Their spectra are aligned at the threshold and compared range by range. Then the shipped models
predict from both: a change of a prediction says what the numerics of the data set mean for users.

    python -m benchmarks.numerics results/numerics.json
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.families import load_pretrained
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.simulation.comparison import cosine, recursion_chains
from hyperspy_coreloss.simulation.site_record import SiteRecord, load_site_record
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from training.numerics.compute import FINER, population_of
from training.transfer.differences import broadened, theory_difference, threshold_of

if TYPE_CHECKING:
    from hyperspy_coreloss.dataset.computed_site import RecursionChains

TRAINING = Path(__file__).parents[1] / "training"
SIGMA = 0.5
#: Limits in eV above the threshold of the ranges in which spectra are compared.
LIMITS = (-1.0, 15.0, 40.0, 60.0, 80.0, 100.0)
#: Models by what they read to, in eV.
MODELS = {stop: f"silica-o-k-{stop}eV-sigma-{SIGMA}" for stop in ("15", "40", "100")}

# Energies in eV from the lowest empty state, and where the lowest empty state is put on an axis.
_ENERGY = np.arange(-8.0, 119.0, 0.1)
_NOMINAL = 530.0
# The spectra are sampled, so that the width of a channel, which models add, is taken off.
_RESOLUTION = FWHM_PER_SIGMA * float(np.sqrt(SIGMA**2 - np.diff(_ENERGY)[0] ** 2 / 12.0))


def compare(usual: SiteRecord, finer: SiteRecord) -> dict[str, Any]:
    """Return what finer numerics change in a spectrum, and in the predictions from it.

    Of each range, the cosine similarity, and the relative change of its share in the whole; of the
    oscillations behind the edge, by what factor their energies are stretched.
    """
    ranges = [np.arange(start, stop, 0.1) for start, stop in pairwise(LIMITS)]
    parts = []
    for record in (usual, finer):
        spectrum = spectrum_of(record)
        threshold = threshold_of(spectrum, _ENERGY)
        parts.append([np.interp(threshold + energy, _ENERGY, spectrum) for energy in ranges])
    totals = [sum(part.sum() for part in each) for each in parts]
    return {
        "cosines": [round(cosine(*each), 6) for each in zip(*parts, strict=True)],
        "weight_changes": [
            round(float(better.sum() / totals[1] / (first.sum() / totals[0]) - 1.0), 5)
            for first, better in zip(*parts, strict=True)
        ],
        "stretch": round(
            theory_difference(*map(chains_of, (usual, finer))).oscillations.stretch, 5
        ),
        "predictions": {
            stop: _prediction_changes(name, usual, finer) for stop, name in MODELS.items()
        },
    }


def spectrum_of(record: SiteRecord) -> np.ndarray:
    """Return the spectrum of a record at the resolution of the models."""
    return broadened(chains_of(record), _ENERGY, SIGMA)


def chains_of(record: SiteRecord) -> RecursionChains:
    """Return the spectrum of a record, from its lowest empty state."""
    return recursion_chains(record, record.label["homo"], record.label["lumo"])


def _prediction_changes(name: str, *records: SiteRecord) -> dict[str, float]:
    """Return how much the prediction of each property changes, in its unit."""
    model = load_pretrained(name)
    predicted = model.predict(
        [spectrum_of(record) for record in records],
        _NOMINAL + _ENERGY,
        resolution=_RESOLUTION,
        background=None,
        onset_range=(_NOMINAL - 5.0, _NOMINAL + 10.0),
        novelty_level=0.0,
    )
    change = predicted.values[1] - predicted.values[0]
    return {spec.name: round(float(change[column]), 6) for column, spec in enumerate(PROPERTIES)}


@click.command()
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sites", default=TRAINING / "sites", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--finer",
    default=TRAINING / "numerics" / "sites",
    type=click.Path(exists=True, path_type=Path),
)
def main(output: Path, sites: Path, finer: Path) -> None:
    """Compare all records of the finer numerics, and write OUTPUT."""
    rows = []
    for parameter, settings in FINER.items():
        for path in sorted((finer / parameter).glob("*.npz")):
            usual = load_site_record(sites / path.name)
            rows.append(
                {
                    "site": path.stem,
                    "population": population_of(usual),
                    "parameter": parameter,
                    "settings": settings.to_dict(),
                    **compare(usual, load_site_record(path)),
                }
            )
            click.echo(f"{path.stem} {parameter}: {rows[-1]['cosines']}")
    results = {"limits": LIMITS, "sigma": SIGMA, "models": MODELS, "sites": rows}
    with replace_file(output) as new:
        new.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
