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

from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY
from hyperspy_coreloss.spectra.certainty import USUAL_DISPERSION_ERROR
from hyperspy_coreloss.spectra.microscope import CLEAN, MICROSCOPES, TYPICAL
from hyperspy_coreloss.spectra.spread import Normal
from hyperspy_coreloss.training.accuracy import (
    MEDIAN,
    FoldPredictions,
    accuracy_by_bin,
    accuracy_by_population,
)
from hyperspy_coreloss.training.cross_validation import (
    fold_medians,
    interval_factors,
    measure_sites,
    predict_with_baselines,
)
from hyperspy_coreloss.training.measured_draws import draw_spectra
from hyperspy_coreloss.training.measured_training import FamilySettings, phase_folds
from hyperspy_coreloss.training.shipped_family import STOPS, family_recipes
from hyperspy_coreloss.training.side_by_side import (
    input_scales,
    predict_by_fold,
    train_side_by_side,
)
from training.transfer.differences import theory_difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.acquisition import Specimen
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.spectra.microscope import Microscope
    from hyperspy_coreloss.spectra.recipe import Recipe
    from hyperspy_coreloss.training.cross_validation import MeasuredSites
    from hyperspy_coreloss.training.measured_draws import Draws

LEVEL = 0.9
SIGMA = 0.5
# Spectra of each site: single ones, and means over several sites of its phase.
COPIES = {"single": 2, "mixed": 1}
# What is told where it is known: the energy of the threshold in eV, and the dispersion.
ENERGY_ERROR, DISPERSION_ERROR = 0.1, 0.002
# Windows whose predictions are compared with baselines, and spectra of each site to fit these to.
COMPARED, BASELINE_COPIES = ("15", "40", "100"), 2
# Windows of the networks that are trained on ideal measurements with a dispersion known this well.
CLEAN_TRAINED, CLEAN_DISPERSION_ERROR = ("15", "60", "100"), 0.001
# Bins of the counts in the highest 0.1 eV, and of the relative thickness.
COUNTS, THICKNESSES = (3e2, 1e3, 1e4, 1e5), (0.0, 0.25, 0.5, 0.75, 1.0)
# Windows and number of spectra of each site for the second theory, and the site of quartz whose
# spectrum gives the difference of the energy scales.
TRANSFERRED, TRANSFER_COPIES, QUARTZ = ("15", "40", "100"), 8, "mp-10851_3"

log = logging.getLogger("accuracy")


@dataclass(frozen=True)
class Trial:
    """Sites to cross-validate on, with their folds."""

    dataset: SpectrumDataset
    sample: Specimen
    recipes: dict[str, Recipe]
    folds: NDArray[np.int64]
    medians: NDArray[np.float64]
    settings: FamilySettings

    @property
    def listed(self) -> list[Recipe]:
        """Recipes in the order of their numbers."""
        return list(self.recipes.values())

    @property
    def seeds(self) -> list[int]:
        """Seeds of all draws; the first two are those of :func:`train_family`."""
        return np.random.SeedSequence(self.settings.seed).generate_state(16).tolist()


@dataclass(frozen=True)
class Spectra:
    """Spectra to train on and to calibrate intervals with, and measured sites to predict.

    The sites are by kind and by the name of the microscope, with its own errors of the dispersion
    and with a small one.
    """

    training: Draws
    held_out: Draws
    measured: dict[str, dict[str, MeasuredSites]]
    calibrated: dict[str, dict[str, MeasuredSites]]


def prepare_trial(
    dataset: SpectrumDataset, settings: FamilySettings, stops: Sequence[float] = STOPS
) -> Trial:
    """Return the sites of a data set with the folds of :func:`train_family`."""
    named = family_recipes("", sigmas=(SIGMA,), stops=stops).values()
    recipes = {f"{recipe.window.stop:g}": recipe for recipe in named}
    sample = specimen(dataset)
    folds = phase_folds(sample.phases, settings.folds, settings.seed)
    medians = fold_medians(sample.targets, folds)
    return Trial(dataset, sample, recipes, folds, medians, settings)


def of_kind(microscope: Microscope, kind: str) -> Microscope:
    """Return a microscope that measures single sites only, or means over several sites only."""
    mixed = float(kind == "mixed")
    return replace(microscope, mixed_fraction=mixed, mixed_sites=TYPICAL.mixed_sites)


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


def train_networks(
    trial: Trial, inputs: NDArray[np.float32], targets: NDArray, first: NDArray
) -> dict[str, NDArray]:
    """Train a network without each fold of the phases."""
    folds = trial.folds[first]
    return train_side_by_side(
        inputs, targets, folds, trial.settings.networks, auxiliary=N_AUXILIARY
    )


def calibrate_intervals(
    trial: Trial,
    weights: dict[str, NDArray],
    inputs: NDArray[np.float32],
    targets: NDArray,
    first: NDArray,
) -> NDArray[np.float64]:
    """Return the factors of the intervals of each fold, from held-out spectra of the others."""
    folds = trial.folds[first]
    values, spread = predict_by_fold(weights, inputs, folds)
    return interval_factors((values - targets) / spread, folds, LEVEL)


def predict_sites(
    trial: Trial,
    networks: tuple[dict[str, NDArray], NDArray[np.float64]],
    measured: MeasuredSites,
    inputs: NDArray[np.float32],
    baselines: dict[str, NDArray] | None = None,
) -> FoldPredictions:
    """Predict measured sites by weights and factors of intervals that never saw their phases."""
    weights, factors = networks
    folds = trial.folds[measured.first]
    values, spread = predict_by_fold(weights, inputs, folds)
    return FoldPredictions(
        targets=measured.targets,
        values=values,
        half_width=factors[folds] * spread,
        phases=trial.sample.phases[measured.first],
        populations=np.array(trial.dataset.populations)[measured.first],
        baselines={MEDIAN: trial.medians[folds], **(baselines or {})},
    )


def measure_windows(
    trial: Trial, transfer: SpectrumDataset | None, earlier: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield results with the accuracy of one more window, of networks trained as the family is."""
    listed, draws = trial.listed, []
    copies = trial.settings.copies, trial.settings.held_out_copies
    for number, seed in zip(copies, trial.seeds, strict=False):
        draws.append(draw_spectra(trial.sample, listed, TYPICAL, number, seed))
        log.info("drew %d spectra", len(draws[-1].targets))
    spectra = Spectra(
        *draws,
        measure_conditions(trial, listed),
        measure_conditions(trial, listed[-1:], DISPERSION_ERROR),
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
    read = [(each.read_by(number), each.targets, each.first) for each in draws]
    weights = train_networks(trial, *read[0])
    networks = weights, calibrate_intervals(trial, weights, *read[1])
    log.info("trained %s", window)
    measured, results = spectra.measured, {"means": {}}
    tasks = {window: (measured, number, {})}
    if window == list(trial.recipes)[-1]:
        calibrated = spectra.calibrated
        tasks[f"{window}+energy"] = measured, number, {"energy_error": ENERGY_ERROR}
        tasks[f"{window}+dispersion"] = calibrated, 0, {"dispersion_error": DISPERSION_ERROR}
        results |= measure_bins(trial, networks, measured["single"]["typical"], number)
    compared = {}
    if window in COMPARED:
        compared = compare_baselines(trial, read[0], measured["single"], number)
    for name, (conditions, column, told) in tasks.items():
        judged = judge(trial, networks, conditions, column, told, {} if told else compared)
        results[name], results["means"][name] = judged["single"], judged["mixed"]
    if transfer is not None and window in TRANSFERRED:
        results["transfer"] = {window: measure_transfer(trial, transfer, networks, window)}
    return results


def judge(
    trial: Trial,
    networks: tuple[dict[str, NDArray], NDArray[np.float64]],
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
    networks: tuple[dict[str, NDArray], NDArray[np.float64]],
    measured: MeasuredSites,
    recipe: int,
) -> dict[str, Any]:
    """Return the accuracy by dose and by thickness."""
    predictions = predict_sites(trial, networks, measured, measured.read_by(recipe))
    properties = trial.dataset.properties
    return {
        "by_counts": accuracy_by_bin(properties, predictions, measured.counts, COUNTS),
        "by_thickness": accuracy_by_bin(
            properties, predictions, measured.relative_thickness, THICKNESSES
        ),
    }


def compare_baselines(
    trial: Trial,
    training: tuple[NDArray[np.float32], NDArray, NDArray],
    measured: dict[str, MeasuredSites],
    recipe: int,
) -> dict[str, dict[str, NDArray]]:
    """Return what baselines predict for single sites, by condition and name."""
    mean, scale = input_scales(training[0], training[0].shape[1] - N_AUXILIARY)
    inputs, targets, first = (each[: BASELINE_COPIES * len(trial.dataset)] for each in training)
    held_out = {
        condition: (
            (measured[condition].read_by(recipe) - mean) / scale,
            measured[condition].targets,
            trial.folds[measured[condition].first],
        )
        for condition in ("clean", "typical")
    }
    fitted = (inputs - mean) / scale, targets, trial.folds[first]
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
            (each.read_by(number, CLEAN_DISPERSION_ERROR), each.targets, each.first)
            for each in spectra
        ]
        weights = train_networks(trial, *read[0])
        networks = weights, calibrate_intervals(trial, weights, *read[1])
        predictions = predict_sites(trial, networks, spectra[-1], read[-1][0])
        judged = accuracy_by_population(trial.dataset.properties, predictions)
        results[window] = {"clean": judged}
        log.info("measured %s, trained on ideal measurements", window)
        yield results


def measure_transfer(
    trial: Trial,
    transfer: SpectrumDataset,
    networks: tuple[dict[str, NDArray], NDArray[np.float64]],
    window: str,
) -> dict[str, Any]:
    """Return the accuracy on the sites of a second theory, and on the same sites by the first.

    The scale of energies of the second theory is also corrected by what one site of quartz tells.
    """
    places = [trial.dataset.names.index(name) for name in transfer.names]
    usual = trial.dataset.take(places)
    quartz = transfer.names.index(QUARTZ)
    difference = theory_difference(*(each.sites[quartz].spectrum for each in (usual, transfer)))
    scale, recipe = difference.oscillations, trial.recipes[window]
    moved = replace(
        recipe.window,
        start=recipe.window.start + scale.shift,
        stop=recipe.window.stop + scale.shift,
    )
    cases = {
        "first_theory": (usual, recipe),
        "second_theory": (with_energies(transfer, usual, 1.0), recipe),
        "second_theory_calibrated": (
            with_energies(transfer, usual, scale.stretch),
            replace(recipe, window=moved),
        ),
    }
    results: dict[str, Any] = {"shift": scale.shift, "stretch": scale.stretch}
    local = replace(trial, dataset=usual, folds=trial.folds[places])
    for name, (sites, read) in cases.items():
        sample = specimen(sites)
        if name != "first_theory":
            sample = replace(sample, targets=transfer_targets(transfer, usual))
        measured = measure_sites(sample, [read], CLEAN, TRANSFER_COPIES, trial.seeds[-4])
        here = replace(local, sample=sample)
        predictions = predict_sites(here, networks, measured, measured.read_by(0))
        results[name] = accuracy_by_population(usual.properties, predictions)
    return results


def with_energies(
    transfer: SpectrumDataset, usual: SpectrumDataset, stretch: float
) -> SpectrumDataset:
    """Return sites with the excitation energies of the usual theory, and energies divided."""
    sites = []
    for other, site in zip(transfer.sites, usual.sites, strict=True):
        spectrum = other.spectrum
        energy = spectrum.energy / stretch
        # The end of the axis is that of all computed spectra.
        energy[-1] = max(energy[-1], spectrum.energy[-1])
        sampled = SampledSpectrum(energy, spectrum.intensity_samples, spectrum.sigma)
        labels = {**other.labels, "excitation_energy": site.labels["excitation_energy"]}
        sites.append(replace(other, spectrum=sampled, labels=labels))
    return replace(transfer, sites=tuple(sites), properties=usual.properties)


def transfer_targets(transfer: SpectrumDataset, usual: SpectrumDataset) -> NDArray[np.float64]:
    """Return the labels of the second theory in the columns of the first; NaN for others."""
    rows = [
        [site.labels.get(spec.name, np.nan) for spec in usual.properties] for site in transfer.sites
    ]
    return np.array(rows)


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


def rounded(values: Any) -> Any:
    """Round numbers to five significant digits; numbers that are not finite become None."""
    if isinstance(values, dict):
        return {name: rounded(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [rounded(value) for value in values]
    if isinstance(values, float):
        return float(f"{values:.5g}") if np.isfinite(values) else None
    return values


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
