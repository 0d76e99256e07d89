"""Sections 2 and 3 of Kiyohara et al. 2019 on a data set of our own, and what the paper left out.

Everything is chosen on development spectra; the test spectra of a split are read once, to measure
the error. Each part returns a JSON-ready dictionary; :func:`run_study` puts them together.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.neighbors import NearestNeighbors
from tqdm.auto import tqdm

from hyperspy_coreloss.dataset.inputs import absolute_window, default_recipe, network_inputs
from hyperspy_coreloss.dataset.splits import phase_disjoint_split, random_site_split
from hyperspy_coreloss.pretrained.inference import predict_arrays
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.training.ensemble import train_ensemble
from hyperspy_coreloss.training.evaluation import evaluate_baselines, evaluate_split, measure_errors
from hyperspy_coreloss.training.model_training import train
from hyperspy_coreloss.training.regressor import NetworkRegressor, TrainingSettings
from hyperspy_coreloss.training.settings_search import search_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.dataset.splits import Split
    from hyperspy_coreloss.spectra.recipe import Recipe

#: Gaussian broadenings in eV that the bank has models for.
BANK = (0.1, 0.2, 0.3, 0.5, 0.8)
#: Ends of the window in eV from the threshold; the paper's first.
WINDOW_STOPS = (15.0, 20.0, 30.0, 40.0)
#: Shares of the development phases, or sites, that learning curves are measured at.
SHARES = (0.25, 0.5, 0.75, 1.0)

# Draws of each share, and networks of each ensemble, of the learning curves.
_DRAWS = 3
_CURVE_NETWORKS = 4
# Worst predictions of a property that are looked at, and training spectra compared with each.
_WORST = 10
_NEIGHBOURS = 3
# Of the spectrum that stands in for the paper's experiment: counts in the highest channel, full
# width of the zero loss and dispersion in eV, and the broadening of the network that reads it.
_NOISY_COUNTS = 2000.0
_NOISY_RESOLUTION = 0.2
_NOISY_STEP = 0.05
_NOISY_SIGMA = 0.1
# Share of spectra that an interval holds.
_LEVEL = 0.9

Json = dict[str, Any]


def run_study(
    dataset: SpectrumDataset,
    *,
    settings: TrainingSettings | None = None,
    commit: str | None = None,
    noisy_phase: str = "quartz",
    n_jobs: int | None = None,
    show_progressbar: bool = True,
) -> Json:
    """Run the whole study.

    Parameters
    ----------
    dataset
        Spectra, labels and phases.
    settings
        What the grid search does not vary; by default all epochs, with a learning rate at which
        they are enough to fit what was seen.
    commit
        Version of the code, for the record.
    noisy_phase
        Phase that is left out of a training at σ = 0.1 eV, to predict it from a noisy spectrum.
    n_jobs
        Processes to run side by side, as in scikit-learn.
    show_progressbar
        Whether to show the progress over the parts.

    Returns
    -------
    dict
        JSON-ready. ``random_site`` and ``phase_disjoint`` hold ``mae``, ``r2``, ``n_test`` and
        ``baselines`` of each property; the other keys are described in the documentation.
    """
    begin = perf_counter()
    base = TrainingSettings(learning_rate=2e-3, patience=None) if settings is None else settings
    recipe = default_recipe(dataset)
    inputs = network_inputs(dataset, recipe)
    splits = (random_site_split(dataset), phase_disjoint_split(dataset))
    study: Json = {
        "commit": commit,
        "dataset_sha256": dataset.sha256,
        "n_spectra": len(dataset),
        "n_structures": len(set(dataset.structures)),
        "n_phases": len(set(dataset.phases)),
        "software": {name: version(name) for name in ("numpy", "scikit-learn", "torch")},
        "splits": {split.name: _members(dataset, split) for split in splits},
        "search": {},
        "predictions": {},
        "worst": {},
    }
    progress = tqdm(
        total=2 * len(splits) + len(BANK) + len(WINDOW_STOPS) + 3, disable=not show_progressbar
    )

    def done(part: str) -> None:
        progress.set_description(part)
        progress.update()

    settings_of: dict[str, TrainingSettings] = {}
    for split in splits:
        known = split.development
        search = search_settings(
            inputs[known], dataset.targets[known], split.groups[known], base, n_jobs=n_jobs
        )
        study["search"][split.name] = search.to_dict()
        settings_of[split.name] = search.best
        done("settings")
        study[split.name], predictions = _tested(dataset, inputs, split, search.best, n_jobs)
        study["predictions"][split.name] = predictions
        study["worst"][split.name] = _worst(dataset, inputs, split, predictions)
        done("test")
    # Those of the honest split serve everything else, also the shipped models.
    honest = splits[-1]
    chosen = settings_of[honest.name]
    study["settings"] = asdict(chosen)
    study["excitation_energy"] = {
        split.name: {
            "without": {name: row["mae"] for name, row in study[split.name].items()},
            "with": _with_excitation_energy(dataset, split, settings_of[split.name], n_jobs),
        }
        for split in splits
    }
    done("excitation energy")
    errors = study["excitation_energy"][honest.name]["without"]
    for part, recipes in (
        ("resolution", {sigma: replace(recipe, sigma=sigma) for sigma in BANK}),
        ("window_stop", {stop: _read_to(recipe, stop) for stop in WINDOW_STOPS}),
    ):
        study[part] = {}
        for value, changed in recipes.items():
            study[part][f"{value:g}"] = (
                errors
                if changed == recipe
                else _errors_at(dataset, changed, honest, chosen, n_jobs)
            )
            done(part)
    study["learning_curves"] = learning_curves(dataset, inputs, honest, chosen, n_jobs)
    done("learning curves")
    study["noisy_spectrum"] = _noisy_spectrum(dataset, recipe, noisy_phase, chosen, n_jobs)
    done("noisy spectrum")
    progress.close()
    study["seconds"] = perf_counter() - begin
    return study


def _members(dataset: SpectrumDataset, split: Split) -> Json:
    return {
        part: {
            "n_spectra": len(rows),
            "phases": sorted({dataset.phases[row] for row in rows}),
        }
        for part, rows in (
            ("train", split.train),
            ("validation", split.validation),
            ("test", split.test),
        )
    }


def _tested(
    dataset: SpectrumDataset,
    inputs: NDArray[np.float32],
    split: Split,
    settings: TrainingSettings,
    n_jobs: int | None,
) -> tuple[Json, Json]:
    """Return the errors on test spectra, and the predictions behind them."""
    targets = dataset.targets
    found = evaluate_split(inputs, targets, split, settings, n_jobs=n_jobs)
    baselines = evaluate_baselines(inputs, targets, split, n_jobs=n_jobs)
    # The paper's own protocol: one network, stopped early on the validation spectra.
    paper = TrainingSettings(hidden=settings.hidden, weight_decay=settings.weight_decay)
    single = NetworkRegressor(paper).fit(
        inputs[split.train],
        targets[split.train],
        validation=(inputs[split.validation], targets[split.validation]),
    )
    baselines["one network"] = single.predict(inputs[split.test])
    errors = measure_errors(dataset.properties, targets[split.test], found.predicted, baselines)
    names = np.array(dataset.names)
    predictions = {
        "training": {
            "sites": names[split.development].tolist(),
            "true": targets[split.development].tolist(),
            "predicted": found.known.tolist(),
        },
        "test": {
            "sites": names[split.test].tolist(),
            "true": targets[split.test].tolist(),
            "predicted": found.predicted.tolist(),
        },
    }
    return errors, predictions


def _worst(
    dataset: SpectrumDataset, inputs: NDArray[np.float32], split: Split, predictions: Json
) -> Json:
    """Return the worst predictions of each property, and the training spectra most like them."""
    test = predictions["test"]
    error = np.abs(np.subtract(test["predicted"], test["true"]))
    worst = np.argsort(-error, axis=0)[:_WORST]
    known = split.development
    neighbours = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(inputs[known])
    distance, nearest = neighbours.kneighbors(inputs[split.test])
    # In units of the area-normalised spectrum (per eV).
    rms = distance / np.sqrt(inputs.shape[1])
    _, appearances = np.unique(worst, return_counts=True)
    return {
        "sites": {
            spec.name: [test["sites"][row] for row in worst[:, column]]
            for column, spec in enumerate(dataset.properties)
        },
        "in_several_properties": {
            str(least): int((appearances >= least).sum())
            for least in range(2, len(dataset.properties) + 1)
        },
        "nearest": {
            test["sites"][row]: {
                "sites": [dataset.names[known[index]] for index in nearest[row]],
                "rms_difference": rms[row].tolist(),
            }
            for row in np.unique(worst).tolist()
        },
    }


def _read_to(recipe: Recipe, stop: float) -> Recipe:
    return replace(recipe, window=replace(recipe.window, stop=stop))


def _errors_at(
    dataset: SpectrumDataset,
    recipe: Recipe,
    split: Split,
    settings: TrainingSettings,
    n_jobs: int | None,
) -> Json:
    """Return the mean absolute errors on test spectra that were prepared by a recipe."""
    inputs, targets = network_inputs(dataset, recipe), dataset.targets
    found = evaluate_split(inputs, targets, split, settings, step=recipe.window.step, n_jobs=n_jobs)
    return _mean_errors(dataset, targets[split.test], found.predicted)


def _mean_errors(
    dataset: SpectrumDataset, true: NDArray[np.float64], predicted: NDArray[np.float64]
) -> dict[str, float]:
    error = np.abs(predicted - true).mean(axis=0).tolist()
    return {spec.name: value for spec, value in zip(dataset.properties, error, strict=True)}


def learning_curves(
    dataset: SpectrumDataset,
    inputs: NDArray[np.float32],
    split: Split,
    settings: TrainingSettings,
    n_jobs: int | None = None,
) -> Json:
    """Return the error on test spectra against the number of phases, and of sites, to learn from.

    Parameters
    ----------
    dataset, inputs, split, settings, n_jobs
        As in :func:`~hyperspy_coreloss.evaluation.evaluate_split`.

    Returns
    -------
    dict
        ``n_networks`` of each ensemble; for ``phases`` and ``sites`` one entry a draw:
        ``n_phases``, ``n_sites`` and the ``mae`` of each property.
    """
    settings = replace(settings, n_networks=_CURVE_NETWORKS)
    known, targets = split.development, dataset.targets
    groups = split.groups[known]
    random = np.random.default_rng(settings.seed)
    curves: Json = {"n_networks": settings.n_networks, "phases": [], "sites": []}
    for share in SHARES:
        for _ in range(_DRAWS if share < 1 else 1):
            phases = np.unique(groups)
            n_phases = max(round(share * len(phases)), 2)
            n_sites = round(share * len(known))
            drawn = {
                "phases": known[np.isin(groups, random.choice(phases, n_phases, replace=False))],
                "sites": np.sort(random.choice(known, n_sites, replace=False)),
            }
            for kind, rows in drawn.items():
                ensemble = train_ensemble(
                    inputs[rows], targets[rows], split.groups[rows], settings, n_jobs=n_jobs
                )
                predicted = ensemble.predict(inputs[split.test])
                curves[kind].append(
                    {
                        "n_phases": len(np.unique(split.groups[rows])),
                        "n_sites": len(rows),
                        "mae": _mean_errors(dataset, targets[split.test], predicted),
                    }
                )
    return curves


def _with_excitation_energy(
    dataset: SpectrumDataset, split: Split, settings: TrainingSettings, n_jobs: int | None
) -> Json:
    """Return the errors with the excitation energy as an input (the paper's Fig. 5)."""
    recipe = replace(default_recipe(dataset), window=absolute_window(dataset))
    return _errors_at(dataset, recipe, split, settings, n_jobs)


def _noisy_spectrum(
    dataset: SpectrumDataset,
    recipe: Recipe,
    phase: str,
    settings: TrainingSettings,
    n_jobs: int | None,
) -> Json | None:
    """Predict a noisy, sharp spectrum of a phase that was not in training (the paper's Fig. 6)."""
    of_phase = np.array(dataset.phases) == phase
    if not of_phase.any():
        return None
    recipe = replace(recipe, sigma=_NOISY_SIGMA)
    model = train(
        dataset.take(np.flatnonzero(~of_phase)),
        settings,
        name=f"without {phase}",
        intended_use="One figure of the study.",
        limits="Not to be used for anything else.",
        recipe=recipe,
        n_jobs=n_jobs,
        show_progressbar=False,
    )
    site = dataset.take(np.flatnonzero(of_phase)[:1])
    energy = np.arange(-10.0, 30.0, _NOISY_STEP)
    exact = site.spectra(energy, sigma=_NOISY_RESOLUTION / FWHM_PER_SIGMA)
    random = np.random.default_rng(settings.seed)
    counts = random.poisson(np.clip(exact, 0, None) * (_NOISY_COUNTS / exact.max()))
    axis = energy + recipe.nominal_onset
    preparation = prepare(recipe, axis, resolution=_NOISY_RESOLUTION, background=None)
    predicted = predict_arrays(counts, preparation, model)
    columns = zip(
        predicted.values[0].tolist(),
        site.targets[0].tolist(),
        model.half_width(_LEVEL).tolist(),
        strict=True,
    )
    return {
        "site": site.names[0],
        "left_out_phase": phase,
        "resolution": _NOISY_RESOLUTION,
        "sigma": _NOISY_SIGMA,
        "level": _LEVEL,
        "energy": axis.tolist(),
        "counts": counts[0].tolist(),
        "threshold": float(predicted.onset[0]),
        "properties": {
            spec.name: {"predicted": value, "true": true, "half_width": half_width}
            for spec, (value, true, half_width) in zip(dataset.properties, columns, strict=True)
        },
    }


def save_study(study: Json, filename: str | Path) -> None:
    """Write a study as JSON."""
    Path(filename).write_text(json.dumps(study, indent=1) + "\n", encoding="utf-8")


def load_settings(filename: str | Path) -> TrainingSettings:
    """Return the settings that a study chose."""
    settings = json.loads(Path(filename).read_text(encoding="utf-8"))["settings"]
    return TrainingSettings(**{**settings, "hidden": tuple(settings["hidden"])})
