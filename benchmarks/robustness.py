"""Errors of the shipped models against what microscopes do, on phases that were not trained on.

Sites are measured as by a good instrument from an ideal specimen, with one effect changed at a
time. Each is predicted by the network that was trained without its phase, and sites of phases that
were withheld from the training by the mean of all networks. Errors, and the share of true values
within the 90 % interval, are those of the spectra that have a prediction; their share is given too.

    python benchmarks/robustness.py hyperspy_coreloss/data/oxygen_k_sites.nc results/robustness.json
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from tqdm import tqdm

from hyperspy_coreloss.dataset.acquisition import acquire, specimen
from hyperspy_coreloss.dataset.condensation import condense
from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.auxiliary import auxiliary_inputs, unknown_conditions
from hyperspy_coreloss.pretrained.families import list_pretrained, load_pretrained
from hyperspy_coreloss.pretrained.intervals import conformal_half_width, is_believable
from hyperspy_coreloss.spectra.microscope import Microscope
from hyperspy_coreloss.spectra.spread import Normal
from hyperspy_coreloss.training.evaluation import error_uncertainty
from hyperspy_coreloss.training.left_out import ALL_TRAINED, left_out_networks, predict_left_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.acquisition import Specimen
    from hyperspy_coreloss.pretrained.model import PretrainedModel

LEVEL = 0.9
SEED = 0
# Acquisitions that the sites are divided into, each with its own energy axis and dispersion.
ACQUISITIONS = 8
# Fewest predictions from which errors are given.
FEWEST = 20
# Resolution of a good instrument in eV; models of sharper spectra need one of twice their σ.
RESOLUTION = 0.5
# Broadening in eV of the models that are measured.
SIGMA = 0.5
# Height of another edge, relative to the oxygen edge.
NEIGHBOUR = 0.2


@dataclass(frozen=True)
class Effect:
    """An effect of a microscope: what it is called, its values, and that of the table."""

    label: str
    values: tuple[float, ...]
    shown: float
    logarithmic: bool = False


EFFECTS = {
    "counts": Effect(
        "electrons in the highest 0.1 eV", (30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5), 300, True
    ),
    "relative_thickness": Effect(
        "relative thickness t/λ", (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5), 0.5
    ),
    "dispersion_error": Effect(
        "relative error of the dispersion",
        (-0.03, -0.02, -0.01, -0.005, 0.0, 0.005, 0.01, 0.02, 0.03),
        0.01,
    ),
    "misalignment": Effect(
        "error of the threshold (eV)", (-0.5, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.5), 0.2
    ),
    "resolution_error": Effect(
        "true / stated resolution - 1", (-0.4, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5, 1.0), 0.5
    ),
    "background_residue": Effect(
        "residue of the background", (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2), 0.1
    ),
    "jump_ratio": Effect("jump ratio", (0.05, 0.1, 0.2, 0.5, 1.0, 2.0), 0.1, True),
    "mixed_sites": Effect("sites in a spectrum", (1, 2, 5, 20), 20, True),
    "gain_pattern": Effect(
        "standard deviation of the gain", (0.0, 0.002, 0.005, 0.01, 0.02), 0.005
    ),
    "gain_step": Effect("step of the gain", (0.0, 0.005, 0.01, 0.02, 0.05), 0.01),
    "neighbour_position": Effect("distance of another edge (eV)", (5, 10, 15, 20, 30, 40, 50), 10),
}


@dataclass(frozen=True)
class Reading:
    """Errors of the predictions of sites, half widths of their intervals, and which have one.

    The first two have the shape (sites, properties); an error is NaN without a label.
    """

    errors: NDArray[np.float64]
    half_width: NDArray[np.float64]
    predicted: NDArray[np.bool_]
    phases: NDArray[np.int64]


def reference(model: PretrainedModel) -> Microscope:
    """Return a good instrument with an ideal specimen."""
    resolution = min(RESOLUTION, 2.0 * model.recipe.sigma)
    return Microscope(resolution=resolution, counts=1e4, jump_ratio=1.0)


def changed(microscope: Microscope, effect: str, value: float) -> Microscope:
    """Return a microscope with one effect changed; a misalignment is one of the window instead."""
    if effect == "misalignment":
        return microscope
    if effect == "mixed_sites":
        return replace(microscope, mixed_fraction=float(value > 1), mixed_sites=max(value, 2.0))
    if effect == "gain_step":
        return replace(microscope, gain_step=Normal(0.0, value))
    if effect == "neighbour_position":
        return replace(microscope, neighbour_position=value, neighbour_height=NEIGHBOUR)
    return replace(microscope, **{effect: value})


def reason_to_skip(model: PretrainedModel) -> str | None:
    """Return why a model is not measured, or None."""
    if model.recipe.window.origin == "absolute":
        return (
            "It reads energies that are not relative to the threshold, and no random energy axis "
            "is calibrated for it."
        )
    if model.recipe.sigma != SIGMA:
        return f"Of each window, the model of σ = {SIGMA:g} eV is measured."
    if model.n_networks == 1 and not model.record.withheld_phases:
        return "It has one network, which was trained on all phases."
    return None


def choose_sites(
    phases: NDArray[np.integer], networks: NDArray[np.integer], number: int
) -> NDArray[np.int64]:
    """Return the positions of random sites in random order, at least one of each phase.

    Sites of phases that all networks were trained on are left out. If there are fewer sites than
    spectra to measure, each is measured several times.
    """
    order = np.random.default_rng(SEED).permutation(np.flatnonzero(networks != ALL_TRAINED))
    first = np.unique(phases[order], return_index=True)[1]
    rest = np.delete(np.arange(len(order)), first)
    chosen = np.concatenate([first, rest[: max(number - len(first), 0)]])
    return np.tile(order[np.sort(chosen)], max(number // len(chosen), 1))


def read(
    model: PretrainedModel,
    networks: NDArray[np.integer],
    sample: Specimen,
    chosen: NDArray[np.integer],
    effect: str = "misalignment",
    value: float = 0.0,
) -> Reading:
    """Measure and predict the chosen sites, with one effect of the microscope changed."""
    microscope, window = changed(reference(model), effect, value), model.recipe.window
    if effect == "misalignment":
        window = replace(window, start=window.start + value, stop=window.stop + value)
    recipe = replace(model.recipe, window=window)
    factor = conformal_half_width(model.scores, LEVEL)
    parts = []
    for number, first in enumerate(np.array_split(chosen, ACQUISITIONS)):
        generator = np.random.default_rng((SEED, number))
        acquired = acquire(sample, first, [recipe], microscope, generator)
        inputs = acquired.inputs[0]
        if model.reads_conditions:
            told = auxiliary_inputs(unknown_conditions(len(inputs)), model.usual_threshold)
            inputs = np.hstack([inputs, told])
        values, spread = predict_left_out(model, inputs, networks[first])
        believable = is_believable(
            values, factor * spread, model.trained_range, model.property_names
        )
        parts.append((values - acquired.targets, factor * spread, acquired.readable & believable))
    errors, half_width, predicted = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Reading(errors, half_width, predicted, sample.phases[chosen])


def summarise(reading: Reading) -> dict[str, Any]:
    """Return the share of sites with a prediction, and errors and coverages by property."""
    rows = reading.predicted & np.isfinite(reading.errors).all(axis=-1)
    errors, phases = np.abs(reading.errors[rows]), reading.phases[rows]
    summary: dict[str, Any] = {"predicted": float(reading.predicted.mean())}
    if len(errors) < FEWEST or len(np.unique(phases)) < 2:
        nothing = [None] * errors.shape[1]
        return summary | dict.fromkeys(("mae", "standard_error", "coverage"), nothing)
    numbers = {
        "mae": errors.mean(axis=0),
        "standard_error": error_uncertainty(errors, phases),
        "coverage": (errors <= reading.half_width[rows]).mean(axis=0),
    }
    return summary | {name: values.tolist() for name, values in numbers.items()}


def measure_effect(
    model: PretrainedModel,
    networks: NDArray[np.integer],
    sample: Specimen,
    chosen: NDArray[np.integer],
    effect: str,
    ideal: dict[str, Any],
) -> dict[str, Any]:
    """Return the summaries at all values of an effect, as a list for each quantity.

    Lists of properties are in the order of the model's. `ideal` is the summary without the effect.
    """
    rows = []
    for value in EFFECTS[effect].values:
        row = summarise(read(model, networks, sample, chosen, effect, value))
        row["relative_error"] = [
            None if error is None else error / of_ideal
            for error, of_ideal in zip(row["mae"], ideal["mae"], strict=True)
        ]
        rows.append(row)
    return {
        name: [_rounded(row[name]) for row in rows]
        for name in ("predicted", "mae", "standard_error", "relative_error", "coverage")
    }


def measure_model(
    model: PretrainedModel,
    networks: NDArray[np.integer],
    sample: Specimen,
    number: int,
) -> dict[str, Any]:
    """Return the reference of a model and its errors for all effects, JSON-ready.

    The error of the mean is that of always predicting the mean label of all sites.
    """
    chosen = choose_sites(sample.phases, networks, number)
    ideal = summarise(read(model, networks, sample, chosen))
    deviations = sample.targets[chosen] - np.nanmean(sample.targets, axis=0)
    return {
        "sha256": model.sha256,
        "n_sites": len(np.unique(chosen)),
        "n_phases": len(np.unique(sample.phases[chosen])),
        "microscope": reference(model).to_dict(),
        "error_of_mean": _rounded(np.nanmean(np.abs(deviations), axis=0).tolist()),
        "reference": {name: _rounded(values) for name, values in ideal.items()},
        "effects": {
            effect: measure_effect(model, networks, sample, chosen, effect, ideal)
            for effect in tqdm(EFFECTS, model.name)
        },
    }


def robustness_table(results: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table: errors at one value of each effect, for each model.

    A cell has the error relative to that without the effect, as the mean over the properties, and
    the share of the spectra that have a prediction.
    """
    rows = []
    for effect, about in results["effects"].items():
        place = about["values"].index(about["shown"])
        cells = []
        for model in results["models"].values():
            measured = model["effects"][effect]
            relative, share = measured["relative_error"][place], measured["predicted"][place]
            mean = "–" if None in relative else f"{np.mean(relative):.2f}"
            cells.append(f"{mean} ({share:.0%})")
        rows.append([f"{about['label']}: {about['shown']:g}", *cells])
    return ["effect", *(f"`{name}`" for name in results["models"])], rows


def _rounded(values: Any) -> Any:
    """Round to five significant digits."""
    if isinstance(values, list):
        return [_rounded(value) for value in values]
    return None if values is None else float(f"{values:.5g}")


@click.command(help=__doc__)
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sites", default=400, show_default=True, help="Number of sites to measure.")
def main(data: Path, output: Path, sites: int) -> None:
    dataset = load_dataset(data)
    models = {name: load_pretrained(name) for name in list_pretrained()}
    reasons = {name: reason_to_skip(model) for name, model in models.items()}
    measured = {name: models[name] for name, reason in reasons.items() if reason is None}
    networks = {name: left_out_networks(model, dataset) for name, model in measured.items()}
    sample = specimen(replace(dataset, sites=condense(tqdm(dataset.sites, "spectra"))))
    results = {
        "dataset_sha256": dataset.sha256,
        "level": LEVEL,
        "properties": [spec.name for spec in dataset.properties],
        "effects": {name: asdict(effect) for name, effect in EFFECTS.items()},
        "skipped": {name: reason for name, reason in reasons.items() if reason is not None},
        "models": {
            name: measure_model(model, networks[name], sample, sites)
            for name, model in measured.items()
        },
    }
    with replace_file(output) as path:
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
