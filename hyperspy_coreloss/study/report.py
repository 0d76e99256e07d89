"""The report of the study: one HTML page with its tables and figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.inputs import default_recipe, network_inputs
from hyperspy_coreloss.dataset.plotting import plot_projected_densities
from hyperspy_coreloss.dataset.splits import HEADLINE, TEST_SHARE, complete_sites
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pages.pictures import embed
from hyperspy_coreloss.pages.templates import page_environment
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.study.figures import (
    plot_against,
    plot_learning_curves,
    plot_neighbours,
    plot_noisy_spectrum,
    plot_parity,
    plot_relative_errors,
)
from hyperspy_coreloss.study.tables import (
    SPLITS,
    close_candidates,
    curve_table,
    error_table,
    excitation_table,
    mean_errors,
    neighbour_table,
    noisy_table,
    relative_errors,
    resolution_header,
    search_table,
    series_table,
    several_table,
    target_errors,
    verdict,
    window_header,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.spectra.recipe import Recipe

Json = dict[str, Any]

# Number of test sites shown among those with the worst predictions.
_WORST_SHOWN = 3


def render_report(study: Json, dataset: SpectrumDataset) -> str:
    """Return the study as one HTML page with embedded figures.

    Parameters
    ----------
    study
        Result of :func:`hyperspy_coreloss.study.run_study`, also as read from its JSON file.
    dataset
        Data set of the study: the source of spectra, densities of states and units.

    Raises
    ------
    DatasetError
        If the study was run on another data set.
    """
    if study["dataset_sha256"] != dataset.sha256:
        msg = (
            f"The report needs the data set of its study, SHA-256 {study['dataset_sha256'][:12]}…, "
            f"but was given {dataset.sha256[:12]}…. Load that one, or run the study on this one."
        )
        raise DatasetError(msg)
    dataset = dataset.take(complete_sites(dataset))
    close, others = close_candidates(study)
    return (
        page_environment("study")
        .get_template("study.html.jinja")
        .render(
            study=study,
            dataset=dataset,
            test_share=TEST_SHARE,
            splits={split: _test(study, dataset, split) for split in SPLITS},
            headline=HEADLINE,
            relative_errors=_relative_errors(study, dataset),
            search={"table": search_table(study), "close": close, "others": others},
            worst=_worst(study, dataset),
            several=several_table(study),
            densities=_densities(dataset),
            excitation=_excitation(study, dataset),
            noisy=_noisy(study, dataset),
            resolution=_series(
                study, dataset, "resolution", "Gaussian broadening σ (eV)", resolution_header
            ),
            window=_series(
                study,
                dataset,
                "window_stop",
                "end of the window (eV from the threshold)",
                window_header,
            ),
            curves=_learning_curves(study, dataset),
        )
    )


def _test(study: Json, dataset: SpectrumDataset, split: str) -> Json:
    errors, predictions = study[split], study["predictions"][split]
    training, test = (
        (np.array(predictions[subset]["true"]), np.array(predictions[subset]["predicted"]))
        for subset in ("training", "test")
    )
    return {
        "title": SPLITS[split],
        "members": study["splits"][split],
        "table": error_table(errors, dataset, predictions["test"]),
        "verdict": verdict(errors, dataset),
        "parity": embed(plot_parity(dataset.properties, training, test, errors)),
    }


def _relative_errors(study: Json, dataset: SpectrumDataset) -> str:
    errors: dict[str, dict[str, list[float]]] = {}
    aims: dict[str, list[float]] = {}
    targets = target_errors(dataset)
    for split, title in SPLITS.items():
        by_model = relative_errors(study[split])
        errors[title] = {model: by_model[model] for model in by_model if model != "mean"}
        mean = mean_errors(study, split)
        aims[title] = [targets.get(name, np.nan) / mean[name] for name in mean]
    return embed(plot_relative_errors(errors, _titles(dataset), aims))


def _worst(study: Json, dataset: SpectrumDataset) -> Json:
    """Return the sites that are among the worst of most properties, with their neighbours."""
    worst = study["worst"][HEADLINE]
    times = Counter(site for sites in worst["sites"].values() for site in sites)
    shown = [site for site, _ in times.most_common(_WORST_SHOWN)]
    nearest = {site: worst["nearest"][site]["sites"] for site in shown}
    recipe = default_recipe(dataset)
    spectra = _spectra(dataset, [name for site in shown for name in (site, *nearest[site])], recipe)
    figure = plot_neighbours(
        recipe.window.grid,
        {site: spectra[site] for site in shown},
        [{name: spectra[name] for name in nearest[site]} for site in shown],
    )
    phases = dict(zip(dataset.names, dataset.phases, strict=True))
    cases = [
        {
            "site": site,
            "phase": phases[site],
            "times": times[site],
            "nearest": [(name, phases[name]) for name in nearest[site]],
            "table": neighbour_table(study, dataset, site),
        }
        for site in shown
    ]
    return {
        "figure": embed(figure),
        "cases": cases,
        "listed": len(next(iter(worst["sites"].values()))),
    }


def _densities(dataset: SpectrumDataset) -> Json | None:
    """Return the projected densities of the site for which they cover the most atoms."""
    site = max(dataset.sites, key=lambda site: len(site.projected_densities))
    if not site.projected_densities:
        return None
    return {
        "figure": embed(plot_projected_densities(site)),
        "site": site.name,
        "phase": site.structure.phase,
    }


def _excitation(study: Json, dataset: SpectrumDataset) -> Json:
    words = {"without": "spectrum alone", "with": "with excitation energy"}
    errors = {
        title: {
            words[inputs]: _relative(study, split, study["excitation_energy"][split][inputs])
            for inputs in words
        }
        for split, title in SPLITS.items()
    }
    figure = plot_relative_errors(errors, _titles(dataset))
    return {
        "figure": embed(figure),
        "table": excitation_table(study, dataset),
    }


def _noisy(study: Json, dataset: SpectrumDataset) -> Json | None:
    noisy = study["noisy_spectrum"]
    if noisy is None:
        return None
    recipe = replace(default_recipe(dataset), sigma=noisy["sigma"])
    energy, counts = np.array(noisy["energy"]), np.array(noisy["counts"])
    preparation = prepare(recipe, energy, resolution=noisy["resolution"], background=None)
    read = preprocess(counts[np.newaxis], preparation).spectra[0]
    (exact,) = _spectra(dataset, [noisy["site"]], recipe).values()
    figure = plot_noisy_spectrum(
        (energy, counts), noisy["threshold"], recipe.window.grid, read, exact
    )
    subsets = study["splits"][HEADLINE]
    searched = {*subsets["train"]["phases"], *subsets["validation"]["phases"]}
    return {
        "figure": embed(figure),
        "table": noisy_table(noisy, dataset),
        "most_counts": int(counts.max()),
        "in_search": noisy["left_out_phase"] in searched,
    }


def _series(
    study: Json, dataset: SpectrumDataset, key: str, label: str, header: Callable[[str], str]
) -> Json:
    """Return the errors at several values of one setting of the preprocessing."""
    errors = study[key]
    relative = [_relative(study, HEADLINE, row) for row in errors.values()]
    by_title = dict(zip(_titles(dataset), zip(*relative, strict=True), strict=True))
    figure = plot_against([float(value) for value in errors], by_title, label)
    return {"figure": embed(figure), "table": series_table(errors, header, dataset)}


def _learning_curves(study: Json, dataset: SpectrumDataset) -> Json:
    curves, tables = {}, {}
    for kind, label in (("phases", "training phases"), ("sites", "training sites")):
        draws = study["learning_curves"][kind]
        relative = [_relative(study, HEADLINE, draw["mae"]) for draw in draws]
        by_title = dict(zip(_titles(dataset), zip(*relative, strict=True), strict=True))
        curves[label] = ([draw[f"n_{kind}"] for draw in draws], by_title)
        tables[kind] = curve_table(draws, f"n_{kind}", dataset)
    return {"figure": embed(plot_learning_curves(curves)), "tables": tables}


def _relative(study: Json, split: str, errors: dict[str, float]) -> list[float]:
    mean = mean_errors(study, split)
    return [errors[name] / mean[name] for name in mean]


def _titles(dataset: SpectrumDataset) -> list[str]:
    return [spec.title for spec in dataset.properties]


def _spectra(
    dataset: SpectrumDataset, names: Sequence[str], recipe: Recipe
) -> dict[str, NDArray[np.float32]]:
    """Return the network inputs of sites, by name."""
    wanted = list(dict.fromkeys(names))
    sites = dataset.take(np.array([dataset.names.index(name) for name in wanted]))
    return dict(zip(wanted, network_inputs(sites, recipe), strict=True))
