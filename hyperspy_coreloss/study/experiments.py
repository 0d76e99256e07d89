"""The experiments of the study: those of Kiyohara et al. 2019, and several in addition.

All choices are made on development spectra; the test spectra of a split only measure errors. Each
module of this room has one experiment and returns a JSON-ready dictionary; :func:`run_study` runs
them all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from hyperspy_coreloss.dataset.inputs import default_recipe, network_inputs
from hyperspy_coreloss.dataset.splits import complete_sites, phase_disjoint_split, random_site_split
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.provenance import software_versions
from hyperspy_coreloss.study.excitation_energy import errors_with_excitation_energy
from hyperspy_coreloss.study.held_out import recipe_errors, split_errors, worst_predictions
from hyperspy_coreloss.study.learning_curves import learning_curves
from hyperspy_coreloss.study.noisy_spectrum import predict_noisy_spectrum
from hyperspy_coreloss.training.ensemble import (
    N_NETWORKS,
    settings_from_record,
    settings_record,
)
from hyperspy_coreloss.training.regressor import TrainingSettings
from hyperspy_coreloss.training.settings_search import search_settings

if TYPE_CHECKING:
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.dataset.splits import Split
    from hyperspy_coreloss.spectra.recipe import Recipe

#: Gaussian broadenings σ in eV at which errors are measured and models are shipped.
BANK = (0.1, 0.2, 0.3, 0.5, 0.8)
#: Ends of the window in eV from the threshold; the first is that of the paper.
WINDOW_STOPS = (15.0, 20.0, 30.0, 40.0)

Json = dict[str, Any]


def run_study(
    dataset: SpectrumDataset,
    *,
    settings: TrainingSettings | None = None,
    commit: str | None = None,
    n_networks: int = N_NETWORKS,
    noisy_phase: str = "quartz",
    n_jobs: int | None = None,
    show_progressbar: bool = True,
) -> Json:
    """Run the whole study.

    Parameters
    ----------
    dataset
        Spectra, labels and phases. Sites that lack a label are left out.
    settings
        Settings that the grid search does not vary; by default a learning rate of 2e-3, without
        early stopping.
    n_networks
        Number of networks of each ensemble, except those of the learning curves.
    commit
        Commit of the code, to be recorded.
    noisy_phase
        Phase left out of the training of one ensemble at σ = 0.1 eV, which then predicts it from a
        noisy spectrum.
    n_jobs
        Number of parallel processes, as in scikit-learn.
    show_progressbar
        Whether to show a progress bar over the experiments.

    Returns
    -------
    dict
        JSON-ready results. ``random_site`` and ``phase_disjoint`` hold ``mae``, ``r2``, ``n_test``
        and ``baselines`` of each property; the documentation describes the other keys.
    """
    begin = perf_counter()
    base = TrainingSettings(learning_rate=2e-3, patience=None) if settings is None else settings
    sha256, dataset = dataset.sha256, dataset.take(complete_sites(dataset))
    recipe = default_recipe(dataset)
    inputs, step = network_inputs(dataset, recipe), recipe.window.step
    networks: Any = {"n_networks": n_networks, "n_jobs": n_jobs}
    splits = (random_site_split(dataset), phase_disjoint_split(dataset))
    study: Json = {
        "commit": commit,
        "dataset_sha256": sha256,
        **asdict(dataset.counts),
        "software": software_versions("numpy", "scikit-learn", "torch"),
        "splits": {split.name: _members(dataset, split) for split in splits},
        "search": {},
        "predictions": {},
        "worst": {},
    }
    progress = tqdm(
        total=2 * len(splits) + len(BANK) + len(WINDOW_STOPS) + 3, disable=not show_progressbar
    )

    def done(experiment: str) -> None:
        progress.set_description(experiment)
        progress.update()

    settings_of: dict[str, TrainingSettings] = {}
    for split in splits:
        development = split.development
        search = search_settings(
            inputs[development],
            dataset.targets[development],
            split.groups[development],
            base,
            step=step,
            n_jobs=n_jobs,
        )
        study["search"][split.name] = search.to_dict()
        settings_of[split.name] = search.best
        done("settings")
        study[split.name], predictions = split_errors(
            dataset, inputs, split, search.best, step=step, **networks
        )
        study["predictions"][split.name] = predictions
        study["worst"][split.name] = worst_predictions(dataset, inputs, split, predictions)
        done("test")
    # The settings chosen on the phase-disjoint split serve all further experiments, and the shipped
    # models.
    by_phase = splits[-1]
    chosen = settings_of[by_phase.name]
    study["settings"] = settings_record(chosen, n_networks)
    study["excitation_energy"] = {
        split.name: {
            "without": {name: row["mae"] for name, row in study[split.name].items()},
            "with": errors_with_excitation_energy(
                dataset, split, settings_of[split.name], **networks
            ),
        }
        for split in splits
    }
    done("excitation energy")
    errors = study["excitation_energy"][by_phase.name]["without"]
    for key, recipes in (
        ("resolution", {sigma: replace(recipe, sigma=sigma) for sigma in BANK}),
        ("window_stop", {stop: _read_to(recipe, stop) for stop in WINDOW_STOPS}),
    ):
        study[key] = {}
        for value, changed in recipes.items():
            study[key][f"{value:g}"] = (
                errors
                if changed == recipe
                else recipe_errors(dataset, changed, by_phase, chosen, **networks)
            )
            done(key)
    study["learning_curves"] = learning_curves(
        dataset, inputs, by_phase, chosen, step=step, n_jobs=n_jobs
    )
    done("learning curves")
    study["noisy_spectrum"] = predict_noisy_spectrum(
        dataset, recipe, noisy_phase, chosen, **networks
    )
    done("noisy spectrum")
    progress.close()
    study["seconds"] = perf_counter() - begin
    return study


def _members(dataset: SpectrumDataset, split: Split) -> Json:
    return {
        subset: {
            "n_spectra": len(rows),
            "phases": sorted({dataset.phases[row] for row in rows}),
        }
        for subset, rows in (
            ("train", split.train),
            ("validation", split.validation),
            ("test", split.test),
        )
    }


def _read_to(recipe: Recipe, stop: float) -> Recipe:
    return replace(recipe, window=replace(recipe.window, stop=stop))


def save_study(study: Json, filename: str | Path) -> None:
    """Write a study as JSON, whole or not at all.

    Parameters
    ----------
    study
        Result of :func:`run_study`.
    filename
        The file; an existing one is replaced.
    """
    with replace_file(filename) as path:
        path.write_text(json.dumps(study, indent=1) + "\n", encoding="utf-8")


def load_settings(filename: str | Path) -> tuple[TrainingSettings, int]:
    """Return the settings that a study chose for each network, and the number of networks."""
    return settings_from_record(json.loads(Path(filename).read_text(encoding="utf-8"))["settings"])
