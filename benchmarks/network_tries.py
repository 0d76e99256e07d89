"""Errors on new phases of variants of the network, its input and its training.

Every variant is trained and tested on the development phases only, with a quarter of them held out
in turn; the test phases are not read. Errors are relative to those of always predicting the mean.
Variants that OUTPUT already has for the same data set are not repeated.

    python benchmarks/network_tries.py hyperspy_coreloss/data/oxygen_k_sites.nc results/tries.json
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import click
import numpy as np
from joblib import Parallel, delayed
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupKFold

from hyperspy_coreloss.dataset.dataset import excitation_energies, load_dataset
from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.dataset.splits import phase_disjoint_split
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.recipe import Recipe
from hyperspy_coreloss.training.baselines import fit_baselines
from hyperspy_coreloss.training.ensemble import train_ensemble
from hyperspy_coreloss.training.regressor import NetworkRegressor, TrainingSettings

PAPER = TrainingSettings(patience=None)
# All windows are read in the same steps; ensembles are half as large as the shipped ones.
STEP = Recipe().window.step
HOW = {"step": STEP, "n_networks": 4}
SMALL = replace(PAPER, hidden=(64, 64, 64), dropout=0.2)
N_FOLDS = 4


def ensemble(settings):
    """Return a method that trains an ensemble with these settings."""

    def fit_predict(inputs, targets, groups, new):
        return train_ensemble(inputs, targets, groups, settings, **HOW).predict(new)

    return fit_predict


def one_network(settings):
    """Return a method that trains a single network on all spectra."""

    def fit_predict(inputs, targets, _groups, new):
        return NetworkRegressor(settings, step=STEP).fit(inputs, targets).predict(new)

    return fit_predict


def one_head_each(settings):
    """Return a method that trains an ensemble for each property."""

    def fit_predict(inputs, targets, groups, new):
        columns = [
            train_ensemble(inputs, targets[:, [c]], groups, settings, **HOW).predict(new)
            for c in range(targets.shape[1])
        ]
        return np.hstack(columns)

    return fit_predict


def with_features(change, settings):
    """Return a method that trains an ensemble on changed inputs."""

    def fit_predict(inputs, targets, groups, new):
        scale = inputs.std()
        learnt = change(inputs)
        # Energy shifts have no meaning for other features than spectra.
        still = replace(settings, jitter=0.0, noise=settings.noise / scale)
        trained = train_ensemble(learnt(inputs), targets, groups, still, **HOW)
        return trained.predict(learnt(new))

    return fit_predict


def derivative(inputs):
    """Return spectra and their derivatives, each with unit spread."""
    spread, slope_spread = inputs.std(), np.gradient(inputs, axis=1).std()
    return lambda x: np.hstack([x / spread, np.gradient(x, axis=1) / slope_spread]).astype("f4")


def cumulative(inputs):
    """Return cumulative spectra."""
    spread = np.cumsum(inputs, axis=1).std(axis=0).mean()
    return lambda x: (np.cumsum(x, axis=1) / spread).astype("f4")


def components(inputs):
    """Return the first principal components, each with unit spread."""
    pca = PCA(20, whiten=True).fit(inputs)
    return lambda x: pca.transform(x).astype("f4")


def with_excitation_energy(inputs, dataset, rows):
    """Return spectra with their excitation energies as one more channel."""
    energy = excitation_energies(dataset.take(rows))
    scaled = 10 * (energy - energy.mean()) / energy.std() * inputs.std(axis=0).mean()
    return np.column_stack([inputs, scaled]).astype("f4")


PAPERS = "the paper's network"
TRIES = {
    PAPERS: one_network(PAPER),
    "ensemble of the paper's": ensemble(PAPER),
    "ensemble, early stopping": ensemble(replace(PAPER, patience=100)),
    "ensemble, three small layers": ensemble(SMALL),
    "three small layers, early stopping": ensemble(replace(SMALL, patience=100)),
    "ensemble, less dropout": ensemble(replace(PAPER, dropout=0.2)),
    "ensemble, no dropout": ensemble(replace(PAPER, dropout=0.0)),
    "ensemble, more weight decay": ensemble(replace(SMALL, weight_decay=5e-3)),
    "ensemble, wide layers": ensemble(replace(PAPER, hidden=(320, 320))),
    "ensemble, mixup": ensemble(replace(SMALL, mixup=0.4)),
    "ensemble, no noise, no shifts": ensemble(replace(SMALL, noise=0.0, jitter=0.0)),
    "ensemble, more noise and shifts": ensemble(replace(SMALL, noise=0.03, jitter=0.2)),
    "one network a property": one_head_each(SMALL),
    "with derivatives": with_features(derivative, SMALL),
    "cumulative spectra": with_features(cumulative, SMALL),
    "20 principal components": with_features(components, SMALL),
}
# Ends of the window in eV from the threshold, by an ensemble of the paper's networks.
WIDER = (20.0, 30.0, 40.0)


def try_all(tries, inputs_of, targets, groups, fold):
    """Return the predictions for one fold, and their seconds, of each variant and baseline."""
    rest, new = fold
    results = {}
    for name, fit_predict in tries.items():
        start, x = perf_counter(), inputs_of[name]
        predicted = fit_predict(x[rest], targets[rest], groups[rest], x[new])
        results[name] = predicted, perf_counter() - start
    x = inputs_of[PAPERS]
    for name, model in fit_baselines(x[rest], targets[rest], groups[rest]).items():
        results[name] = model.predict(x[new]).reshape(targets[new].shape), None
    return results


def earlier_rows(output, dataset_sha256):
    """Return the results of an earlier run on the same data set."""
    if not output.exists():
        return {}
    earlier = json.loads(output.read_text())
    return earlier["tries"] if earlier["dataset_sha256"] == dataset_sha256 else {}


@click.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
def main(data: Path, output: Path) -> None:
    """Test all variants on DATA and write the errors to OUTPUT."""
    dataset = load_dataset(data)
    split = phase_disjoint_split(dataset)
    inputs = network_inputs(dataset.take(split.development), Recipe())
    targets, groups = dataset.targets[split.development], split.groups[split.development]
    folds = list(GroupKFold(N_FOLDS).split(inputs, targets, groups))
    inputs_of = dict.fromkeys(TRIES, inputs)
    tries = dict(TRIES)
    for stop in WIDER:
        name = f"window to {stop:g} eV"
        tries[name] = ensemble(PAPER)
        inputs_of[name] = network_inputs(
            dataset.take(split.development), Recipe(window=EnergyWindow(stop=stop))
        )
    name = "excitation energy as input"
    tries[name] = ensemble(PAPER)
    inputs_of[name] = with_excitation_energy(inputs, dataset, split.development)

    rows = earlier_rows(output, dataset.sha256)
    tries = {name: fit_predict for name, fit_predict in tries.items() if name not in rows}
    by_fold = Parallel(n_jobs=-1)(
        delayed(try_all)(tries, inputs_of, targets, groups, fold) for fold in folds
    )
    held_out = {name: np.empty_like(targets) for name in by_fold[0]}
    for (_, new), predictions in zip(folds, by_fold, strict=True):
        for name, (predicted, _) in predictions.items():
            held_out[name][new] = predicted

    mean = np.abs(held_out["mean"] - targets).mean(axis=0)
    for name, predicted in held_out.items():
        ratio = np.abs(predicted - targets).mean(axis=0) / mean
        rows[name] = {
            "relative_error": dict(
                zip([spec.name for spec in dataset.properties], ratio.tolist(), strict=True)
            ),
            "mean_relative_error": float(ratio.mean()),
            "seconds": sum(one[name][1] for one in by_fold) if name in tries else None,
        }
        shown = " ".join(f"{value:6.3f}" for value in ratio)
        click.echo(f"{name:36s} {shown}   mean {ratio.mean():.3f}")
    report = {
        "dataset_sha256": dataset.sha256,
        "n_spectra": len(targets),
        "n_phases": len(np.unique(groups)),
        "tries": rows,
    }
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
