"""Accuracy of the family of models on phases that were not trained on, by cross-validation.

For each window, networks are trained as those that are shipped, each without one fold of all
phases. Sites are measured by the named microscopes, and predicted by the network that never saw
their phase, with intervals calibrated on the other folds. Baselines read the same inputs. Windows
that OUTPUT already has for the same data set and settings are not repeated.

    python -m benchmarks.accuracy hyperspy_coreloss/data/oxygen_k_sites.nc results/accuracy.json
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from benchmarks.accuracy_transfer import TRANSFERRED, measure_transfer
from benchmarks.trial import (
    LEVEL,
    SIGMA,
    Networks,
    Trial,
    draw_trial,
    of_kind,
    predict_sites,
    prepare_trial,
    rounded,
    site_spectra,
    train_networks,
)
from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY
from hyperspy_coreloss.spectra.certainty import USUAL_DISPERSION_ERROR
from hyperspy_coreloss.spectra.microscope import CLEAN, MICROSCOPES, TYPICAL
from hyperspy_coreloss.spectra.spread import Normal, Uniform
from hyperspy_coreloss.training.accuracy import (
    accuracy_by_bin,
    accuracy_by_population,
)
from hyperspy_coreloss.training.cross_validation import (
    measure_sites,
    predict_with_baselines,
)
from hyperspy_coreloss.training.measured_training import FamilySettings
from hyperspy_coreloss.training.shipped_family import STOPS
from hyperspy_coreloss.training.side_by_side import (
    input_scales,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.spectra.recipe import Recipe
    from hyperspy_coreloss.training.cross_validation import MeasuredSites
    from hyperspy_coreloss.training.measured_draws import Draws
    from hyperspy_coreloss.training.site_references import SiteSpectra

# Spectra of each site: single ones, and means over several sites of its phase.
COPIES = {"single": 2, "mixed": 1}
# What is told where it is known: the energy of the threshold in eV, and the dispersion.
ENERGY_ERROR, DISPERSION_ERROR = 0.1, 0.002
# Windows whose predictions are compared with baselines, and spectra of each site to fit these to.
COMPARED, BASELINE_COPIES = ("15", "40", "100"), 2
# Windows of the networks that are trained on ideal measurements with a dispersion known this well.
CLEAN_TRAINED, CLEAN_DISPERSION_ERROR = ("15", "60", "100"), 0.001
# Bins of the counts in the highest 0.1 eV, and of the relative thickness: as the typical microscope
# measures specimens, and of thicker ones.
COUNTS = (3e2, 1e3, 1e4, 1e5)
THICKNESSES, THICK = (0.0, 0.25, 0.5, 0.75, 1.0), (1.0, 1.5, 2.0, 3.0)

log = logging.getLogger("accuracy")


@dataclass(frozen=True)
class Spectra:
    """Spectra to train on and to calibrate intervals with, and measured sites to predict.

    The sites are by kind and by the name of the microscope, with its own errors of the dispersion
    and with a small one; thick ones are single sites of the typical microscope. The last two are
    read by the widest window only.
    """

    training: Draws
    held_out: Draws
    measured: dict[str, dict[str, MeasuredSites]]
    calibrated: dict[str, dict[str, MeasuredSites]]
    thick: MeasuredSites


def measure_conditions(
    trial: Trial, recipes: list[Recipe], dispersion_error: float | None = None
) -> dict[str, dict[str, MeasuredSites]]:
    """Return spectra of all sites by kind (single, mixed) and by the name of the microscope.

    A `dispersion_error` replaces that of the microscope.
    """
    measured: dict[str, dict[str, MeasuredSites]] = {kind: {} for kind in COPIES}
    seeds = iter(trial.seeds[2:])
    for condition, microscope in MICROSCOPES.items():
        if dispersion_error is not None:
            microscope = replace(microscope, dispersion_error=Normal(0.0, dispersion_error))
        for kind, copies in COPIES.items():
            drawn = of_kind(microscope, kind)
            measured[kind][condition] = measure_sites(
                trial.sample, recipes, drawn, copies, next(seeds)
            )
    return measured


def measure_windows(
    trial: Trial, transfer: SpectrumDataset | None, earlier: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield results with the accuracy of one more window, of networks trained as the family is."""
    listed, draws = trial.listed, draw_trial(trial)
    log.info("drew %d spectra", sum(len(each.targets) for each in draws))
    thick = replace(of_kind(TYPICAL, "single"), relative_thickness=Uniform(THICK[0], THICK[-1]))
    spectra = Spectra(
        *draws,
        measure_conditions(trial, listed),
        measure_conditions(trial, listed[-1:], DISPERSION_ERROR),
        measure_sites(trial.sample, listed[-1:], thick, COPIES["single"], trial.seeds[9]),
    )
    results = {"means": {}, "transfer": {}} | earlier
    results["readable"] = {
        kind: {condition: each.readable for condition, each in by_condition.items()}
        for kind, by_condition in spectra.measured.items()
    }
    for window in ordered(trial):
        if window not in results:
            merge(results, measure_window(trial, spectra, window, transfer))
            log.info("measured %s", window)
            yield results


def ordered(trial: Trial) -> list[str]:
    """Return the windows, those first that are compared with most."""
    return sorted(trial.recipes, key=lambda name: (name not in COMPARED, -float(name)))


def merge(results: dict[str, Any], more: dict[str, Any]) -> None:
    """Add results, also to dictionaries that both have."""
    for name, value in more.items():
        results[name] = results[name] | value if name in results else value


def measure_window(
    trial: Trial, spectra: Spectra, window: str, transfer: SpectrumDataset | None
) -> dict[str, Any]:
    """Return the accuracy of the networks of one window."""
    number = list(trial.recipes).index(window)
    draws = spectra.training, spectra.held_out
    read = [(each.site_spectra(number), each.targets) for each in draws]
    networks = train_networks(trial, *read[0], *read[1], trial.listed[number].window)
    log.info("trained %s", window)
    measured, results = spectra.measured, {"means": {}}
    tasks = {window: (measured, number, {})}
    tasks[f"{window}+energy"] = measured, number, {"energy_error": ENERGY_ERROR}
    if window == list(trial.recipes)[-1]:
        calibrated = spectra.calibrated
        tasks[f"{window}+dispersion"] = calibrated, 0, {"dispersion_error": DISPERSION_ERROR}
        results |= measure_bins(trial, networks, spectra, number)
    compared = {}
    if window in COMPARED:
        compared = compare_baselines(trial, *read[0], measured["single"], number)
    for name, (conditions, column, told) in tasks.items():
        judged = judge(trial, networks, conditions, column, told, {} if told else compared)
        results[name], results["means"][name] = judged["single"], judged["mixed"]
    if transfer is not None and window in TRANSFERRED:
        results["transfer"] = {window: measure_transfer(trial, transfer, networks, window)}
    return results


def judge(
    trial: Trial,
    networks: Networks,
    measured: dict[str, dict[str, MeasuredSites]],
    recipe: int,
    told: dict[str, float],
    baselines: dict[str, dict[str, NDArray]],
) -> dict[str, dict[str, Any]]:
    """Return the accuracy by kind of spectra, condition, population and property."""
    return {
        kind: {
            condition: accuracy_by_population(
                trial.dataset.properties,
                predict_sites(
                    trial,
                    networks,
                    spectra,
                    spectra.read_by(recipe, **told),
                    baselines.get(condition) if kind == "single" else None,
                ),
            )
            for condition, spectra in by_condition.items()
        }
        for kind, by_condition in measured.items()
    }


def measure_bins(
    trial: Trial,
    networks: Networks,
    spectra: Spectra,
    recipe: int,
) -> dict[str, Any]:
    """Return the accuracy by dose and by thickness."""
    properties = trial.dataset.properties
    usual, thick = spectra.measured["single"]["typical"], spectra.thick
    predictions = predict_sites(trial, networks, usual, usual.read_by(recipe))
    of_thick = predict_sites(trial, networks, thick, thick.read_by(0))
    return {
        "by_counts": accuracy_by_bin(properties, predictions, usual.counts, COUNTS),
        "by_thickness": accuracy_by_bin(
            properties, predictions, usual.relative_thickness, THICKNESSES
        )
        | accuracy_by_bin(properties, of_thick, thick.relative_thickness, THICK),
    }


def compare_baselines(
    trial: Trial,
    training: SiteSpectra,
    targets: NDArray[np.float64],
    measured: dict[str, MeasuredSites],
    recipe: int,
) -> dict[str, dict[str, NDArray]]:
    """Return what baselines predict for single sites, by condition and name."""
    mean, scale = input_scales(training.read, training.read.shape[1] - N_AUXILIARY)
    rows = slice(BASELINE_COPIES * len(trial.dataset))
    held_out = {
        condition: (
            (measured[condition].read_by(recipe) - mean) / scale,
            measured[condition].targets,
            trial.folds[measured[condition].first],
        )
        for condition in ("clean", "typical")
    }
    fitted = (training.read[rows] - mean) / scale, targets[rows], trial.folds[training.first[rows]]
    predicted = predict_with_baselines(fitted, held_out)
    log.info("fitted baselines")
    return predicted


def measure_clean(trial: Trial, earlier: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the accuracy of networks trained on ideal measurements, on such, by window."""
    results = dict(earlier)
    missing = [name for name in CLEAN_TRAINED if name in trial.recipes and name not in results]
    recipes = [trial.recipes[name] for name in missing]
    copies = trial.settings.copies, trial.settings.held_out_copies, COPIES["single"]
    seeds = trial.seeds[-len(copies) :]
    spectra = [
        measure_sites(trial.sample, recipes, CLEAN, number, seed)
        for number, seed in zip(copies, seeds, strict=True)
        if missing
    ]
    for number, window in enumerate(missing):
        read = [
            (site_spectra(each, each.read_by(number, CLEAN_DISPERSION_ERROR)), each.targets)
            for each in spectra
        ]
        networks = train_networks(trial, *read[0], *read[1], recipes[number].window)
        predictions = predict_sites(trial, networks, spectra[-1], read[-1][0].read)
        judged = accuracy_by_population(trial.dataset.properties, predictions)
        results[window] = {"clean": judged}
        log.info("measured %s, trained on ideal measurements", window)
        yield results


def measure_accuracy(
    dataset: SpectrumDataset,
    settings: FamilySettings,
    stops: Sequence[float] = STOPS,
    transfer: SpectrumDataset | None = None,
    earlier: dict[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the results so far, JSON-ready, after each window.

    Windows that `earlier` results for the same data set and settings have are not repeated.
    """
    trial = prepare_trial(dataset, settings, stops)
    about = rounded(describe(trial))
    earlier = {} if earlier is None else earlier
    if any(earlier.get(name) != value for name, value in about.items()):
        earlier = {}
    results = about | earlier
    if any(window not in results for window in trial.recipes):
        for measured in measure_windows(trial, transfer, results):
            results = measured
            yield rounded(results)
    for clean in measure_clean(trial, results.get("clean_trained", {})):
        yield rounded(results | {"clean_trained": clean})


def describe(trial: Trial) -> dict[str, Any]:
    """Return what was measured, and how."""
    described = asdict(trial.settings)
    described["networks"]["hidden"] = list(trial.settings.networks.hidden)
    return {
        "dataset_sha256": trial.dataset.sha256,
        "n_sites": len(trial.dataset),
        "n_phases": len(np.unique(trial.sample.phases)),
        "level": LEVEL,
        "sigma": SIGMA,
        "settings": described,
        "microscopes": {name: each.to_dict() for name, each in MICROSCOPES.items()},
        "told": {
            "dispersion_error": USUAL_DISPERSION_ERROR,
            "energy_error": ENERGY_ERROR,
            "known_dispersion_error": DISPERSION_ERROR,
        },
        "properties": [spec.name for spec in trial.dataset.properties],
        "windows": list(trial.recipes),
    }


@click.command(help=__doc__)
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--transfer",
    type=click.Path(exists=True, path_type=Path),
    help="Sites of the data set by a second theory.",
)
def main(data: Path, output: Path, transfer: Path | None) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    second = None if transfer is None else load_dataset(transfer)
    earlier = json.loads(output.read_text(encoding="utf-8")) if output.exists() else None
    for results in measure_accuracy(
        load_dataset(data), FamilySettings(), transfer=second, earlier=earlier
    ):
        with replace_file(output) as path:
            path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
