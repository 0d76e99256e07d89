"""What the novelty of spectra notices, and what it takes for granted.

All is measured on phases that the networks, and the sites that spectra are compared with, do not
have: how many spectra of new phases are unfamiliar, of each population; how many of other oxides;
how many of thick specimens and of wrong energy axes, and whether intervals hold for the rest;
what is left of the coverage of intervals if a whole population is missing; what becomes of spectra
that are no oxygen K edge of silica; and how often means over regions lie in their intervals.

    python -m benchmarks.trust hyperspy_coreloss/data/oxygen_k_sites.nc FOREIGN results/trust.json
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from scipy.stats import spearmanr

from benchmarks.strange_spectra import ENERGY, ONSET, STRANGE
from benchmarks.trial import (
    LEVEL,
    SIGMA,
    Networks,
    Trial,
    draw_trial,
    labelled_sites,
    of_kind,
    prepare_trial,
    rounded,
    site_spectra,
    train_networks,
)
from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY
from hyperspy_coreloss.pretrained.families import load_pretrained
from hyperspy_coreloss.pretrained.intervals import half_width_of_mean
from hyperspy_coreloss.pretrained.trust import NOVELTY_LEVEL
from hyperspy_coreloss.spectra.microscope import TYPICAL
from hyperspy_coreloss.spectra.quality import Quality
from hyperspy_coreloss.spectra.spread import LogUniform
from hyperspy_coreloss.training.cross_validation import interval_factors, measure_sites
from hyperspy_coreloss.training.measured_training import FamilySettings
from hyperspy_coreloss.training.region_errors import draw_regions, region_errors
from hyperspy_coreloss.training.side_by_side import NO_FOLD, predict_by_fold, train_side_by_side
from hyperspy_coreloss.training.site_references import references_without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.training.cross_validation import MeasuredSites
    from hyperspy_coreloss.training.measured_draws import Draws

STOPS = (15.0, 40.0, 100.0)
# Counts in the highest 0.1 eV of the edge of the spectra that are compared.
COUNTS = LogUniform(1e3, 1e5)
# Spectra of each site, of each foreign site, and of each kind of strange spectra.
COPIES, FOREIGN_COPIES, STRANGE_COPIES = 4, 40, 100
# Populations without which networks are trained, to see what becomes of their spectra.
REMOVED = ("glass", "silanol", "suboxide", "vacancy", "zeolite")
# What a microscope does to all spectra alike, beyond what is usual.
UNUSUAL = {
    **{f"t/λ of {thick:g}": {"relative_thickness": thick} for thick in (1.5, 2.0, 3.0)},
    **{
        f"dispersion off by {error:+.0%}": {"dispersion_error": error}
        for error in (0.03, -0.03, 0.1, -0.1)
    },
}
# Pixels of regions, and limits of the counts of each pixel.
PIXELS, FEW_COUNTS = (4, 25), (300.0, 3e3)

log = logging.getLogger("trust")


@dataclass(frozen=True)
class Case:
    """Networks of one window, and all that they are tried on."""

    trial: Trial
    number: int
    networks: Networks
    training: Draws
    measured: MeasuredSites

    @property
    def names(self) -> list[str]:
        """Names of the properties."""
        return [spec.name for spec in self.trial.dataset.properties]

    @property
    def read(self) -> NDArray[np.float32]:
        """What the networks read of the measured sites."""
        return self.measured.read_by(self.number)


def unfamiliar(novelty: NDArray[np.floating]) -> float:
    """Return the fraction of spectra that are unfamiliar."""
    return float((novelty < NOVELTY_LEVEL).mean())


def false_alarms(case: Case) -> dict[str, Any]:
    """Return how many spectra of new phases are unfamiliar, and whether widths follow errors."""
    trial, measured = case.trial, case.measured
    spectra = site_spectra(measured, case.read)
    novelty = case.networks.novelty(spectra, trial.folds)
    values, spread = case.networks.predict(spectra, trial.folds)
    error = np.abs(values - measured.targets)
    complete = np.isfinite(error).all(axis=-1)
    populations = np.array(trial.dataset.populations)[measured.first]
    return {
        "false_alarms": unfamiliar(novelty),
        "false_alarms_by_population": {
            str(name): unfamiliar(novelty[populations == name]) for name in np.unique(populations)
        },
        "rank_correlation_of_width_and_error": {
            name: float(spearmanr(spread[complete, column], error[complete, column])[0])
            for column, name in enumerate(case.names)
        },
    }


def foreign_oxides(
    case: Case, foreign: SpectrumDataset, measured: MeasuredSites
) -> dict[str, dict[str, float]]:
    """Return what becomes of the spectra of each foreign site: shares of all that were measured.

    They are compared with the sites of all folds but the first, by the network of this fold.
    """
    read = measured.read_by(case.number)
    nowhere = replace(site_spectra(measured, read), first=np.zeros(len(read), dtype=np.int64))
    novelty = case.networks.novelty(nowhere, np.zeros(1, dtype=np.int64))
    shares = {}
    for number, name in enumerate(foreign.names):
        rows = measured.first == number
        shares[name] = {
            "unfamiliar": float((novelty[rows] < NOVELTY_LEVEL).sum() / FOREIGN_COPIES),
            "unreadable": 1 - float(rows.sum()) / FOREIGN_COPIES,
        }
    return shares


def removed_population(case: Case, population: str) -> dict[str, Any]:
    """Return what networks say of a population that they, and all references, were made without."""
    trial, window = case.trial, case.trial.listed[case.number].window
    removed = np.array(trial.dataset.populations) == population
    folds = np.where(removed, 0, NO_FOLD)
    spectra = case.training.site_spectra(case.number)
    weights = train_side_by_side(
        spectra.read,
        case.training.targets,
        folds[spectra.first],
        trial.settings.networks_of(window),
        auxiliary=N_AUXILIARY,
    )
    sites = labelled_sites(trial, folds)
    without = replace(
        case.networks,
        weights=weights,
        references={0: references_without(0, weights, spectra, window, sites)},
    )
    rows = removed[case.measured.first]
    measured = site_spectra(case.measured, case.read).of(removed)
    values, spread = without.predict(measured, folds)
    targets = case.measured.targets[rows]
    inside = np.abs(values - targets) <= case.networks.factors.mean(axis=0) * spread
    novelty = without.novelty(measured, folds)
    return {
        "n_sites": int(removed.sum()),
        "unfamiliar": unfamiliar(novelty),
        "coverage_90": dict(zip(case.names, inside.mean(axis=0).tolist(), strict=True)),
        "coverage_90_of_familiar": dict(
            zip(case.names, inside[novelty >= NOVELTY_LEVEL].mean(axis=0).tolist(), strict=True)
        ),
    }


def unusual_measurements(case: Case, measured: dict[str, MeasuredSites]) -> dict[str, Any]:
    """Return how many spectra of new phases are noticed, and whether intervals hold for the rest.

    The networks are told neither the thickness nor the error of the dispersion.
    """
    found = {}
    for name, sites in measured.items():
        spectra = site_spectra(sites, sites.read_by(case.number))
        familiar = case.networks.novelty(spectra, case.trial.folds) >= NOVELTY_LEVEL
        values, spread = case.networks.predict(spectra, case.trial.folds)
        half = case.networks.factors[case.trial.folds[sites.first]] * spread
        inside = (np.abs(values - sites.targets) <= half)[familiar]
        inside = inside[np.isfinite(sites.targets[familiar]).all(axis=-1)]
        shares = inside.mean(axis=0) if len(inside) else np.full(len(case.names), np.nan)
        found[name] = {
            "unfamiliar": float(1 - familiar.mean()),
            "coverage_90_of_familiar": dict(zip(case.names, shares.tolist(), strict=True)),
        }
    return found


def strange_spectra(stop: float) -> dict[str, dict[str, float]]:
    """Return the codes of spectra that are no oxygen K edge of silica, by the shipped model."""
    model = load_pretrained(f"silica-o-k-{stop:g}eV-sigma-{SIGMA:g}")
    generator = np.random.default_rng(0)
    codes = {}
    for name, spectra in STRANGE.items():
        predicted = model.predict(
            spectra(STRANGE_COPIES, generator),
            ENERGY,
            resolution=0.5,
            onset_range=(ONSET - 8, ONSET + 12),
        )
        counted = Counter(Quality(code).phrase for code in predicted.quality.tolist())
        codes[name] = {phrase: n / STRANGE_COPIES for phrase, n in counted.most_common()}
    return codes


def region_coverage(case: Case) -> dict[str, dict[str, float]]:
    """Return how often the true means over regions lie in their intervals, by pixels of a region.

    Intervals are those of :func:`~hyperspy_coreloss.signals.region_mean.region_mean`, of errors of
    regions of other folds.
    """
    trial, recipe = case.trial, case.trial.listed[case.number]
    many, *few = trial.seeds[-6:]
    usual = draw_regions(trial.sample, [recipe], TYPICAL, many)
    errors = region_errors(case.networks.weights, usual, 0, trial.folds)
    firsts = [usual.first[usual.region == number][0] for number in np.unique(usual.region)]
    floors = interval_factors(errors, trial.folds[firsts], LEVEL)
    coverage = {}
    for pixels, seed in zip(PIXELS, few, strict=False):
        regions = draw_regions(trial.sample, [recipe], TYPICAL, seed, pixels, FEW_COUNTS)
        folds = trial.folds[regions.first]
        values, _ = predict_by_fold(case.networks.weights, regions.read[0], folds)
        inside = []
        for number in np.unique(regions.region):
            rows = regions.region == number
            if rows.sum() < 2:
                continue
            half = half_width_of_mean(values[rows], floors[folds[rows][0]], LEVEL)
            error = values[rows].mean(axis=0) - regions.targets[rows].mean(axis=0)
            inside.append(np.abs(error) <= half)
        mean = np.mean(inside, axis=0).tolist()
        coverage[str(pixels)] = dict(zip(case.names, mean, strict=True))
    return coverage


def measure_trust(
    dataset: SpectrumDataset, foreign: SpectrumDataset, settings: FamilySettings
) -> Iterator[dict[str, Any]]:
    """Yield the results so far, JSON-ready, after each window."""
    trial = prepare_trial(dataset, settings, STOPS)
    single = of_kind(TYPICAL, "single")
    counted = replace(single, counts=COUNTS)
    training, held_out = draw_trial(trial)
    measured = measure_sites(trial.sample, trial.listed, counted, COPIES, trial.seeds[2])
    others = measure_sites(specimen(foreign), trial.listed, counted, FOREIGN_COPIES, trial.seeds[3])
    unusual = {
        name: measure_sites(
            trial.sample, trial.listed, replace(counted, **effect), 1, trial.seeds[4]
        )
        for name, effect in UNUSUAL.items()
    }
    results: dict[str, Any] = {
        "dataset_sha256": dataset.sha256,
        "foreign_sha256": foreign.sha256,
        "level": NOVELTY_LEVEL,
        "counts": [COUNTS.low, COUNTS.high],
        "windows": {},
    }
    for number, window in enumerate(trial.recipes):
        networks = train_networks(
            trial,
            training.site_spectra(number),
            training.targets,
            held_out.site_spectra(number),
            held_out.targets,
            trial.listed[number].window,
        )
        case = Case(trial, number, networks, training, measured)
        found = false_alarms(case)
        found["foreign"] = foreign_oxides(case, foreign, others)
        found["regions"] = region_coverage(case)
        found["unusual"] = unusual_measurements(case, unusual)
        found["strange"] = strange_spectra(STOPS[number])
        found["removed"] = {}
        for population in REMOVED if number == len(STOPS) - 1 else ():
            found["removed"][population] = removed_population(case, population)
        results["windows"][window] = found
        log.info("measured %s", window)
        yield rounded(results)


@click.command(help=__doc__)
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.argument("foreign", type=click.Path(exists=True, path_type=Path))
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
def main(data: Path, foreign: Path, output: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for results in measure_trust(load_dataset(data), load_dataset(foreign), FamilySettings()):
        with replace_file(output) as path:
            path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
