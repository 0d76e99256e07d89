"""Errors on new phases of variants of the networks of the family, and of their training.

Each variant reads to 100 eV above the threshold, and is trained on spectra as the typical
microscope measures them, once without each fold of all phases. Errors are those of single sites,
measured by that microscope and predicted by the network that never saw their phase, relative to
those of the median of the other phases. Variants that OUTPUT already has for the same data set are
not repeated.

    python -m benchmarks.network_tries hyperspy_coreloss/data/oxygen_k_sites.nc results/tries.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from benchmarks.trial import draw_trial, of_kind, prepare_trial
from hyperspy_coreloss.dataset.dataset import load_dataset
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.auxiliary import N_AUXILIARY
from hyperspy_coreloss.spectra.microscope import TYPICAL
from hyperspy_coreloss.training.cross_validation import (
    measure_sites,
    predict_with_baselines,
)
from hyperspy_coreloss.training.measured_draws import INTENSITY_ERROR
from hyperspy_coreloss.training.measured_training import FamilySettings
from hyperspy_coreloss.training.side_by_side import (
    NetworkSettings,
    input_scales,
    predict_by_fold,
    train_side_by_side,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.trial import Trial
    from hyperspy_coreloss.training.cross_validation import MeasuredSites
    from hyperspy_coreloss.training.measured_draws import Draws

STOP = 100.0
# Spectra of each site: of the network as it is shipped, and of simpler models.
COPIES, TESTED, FITTED = 48, 2, 2
NETWORK = NetworkSettings()
KERNEL_RIDGE = "kernel ridge, the same inputs"


@dataclass(frozen=True)
class Variant:
    """Settings of the networks, and what they are trained on.

    Parameters
    ----------
    networks
        Settings of the networks.
    copies
        Spectra of each site.
    thick
        Whether to train on thicker specimens too.
    phases
        Share of the phases to train on.
    averaged
        Number of networks whose mean is the prediction.
    components
        Number of principal components of the spectra to read; 0 to read the spectra.
    mixtures
        Share of the spectra that are replaced by a mixture with one of another phase.
    intensity_error
        Slow errors of the intensity.
    """

    networks: NetworkSettings = field(default_factory=NetworkSettings)
    copies: int = COPIES
    thick: bool = True
    phases: float = 1.0
    averaged: int = 1
    components: int = 0
    mixtures: float = 0.0
    intensity_error: float = INTENSITY_ERROR


VARIANTS = {
    "the shipped networks": Variant(),
    **{
        "hidden layers " + ", ".join(map(str, hidden)): Variant(replace(NETWORK, hidden=hidden))
        for hidden in ((64, 64, 64), (256, 256), (256, 256, 256))
    },
    **{f"dropout {rate:g}": Variant(replace(NETWORK, dropout=rate)) for rate in (0.1, 0.2)},
    **{
        f"weight decay {decay:g}": Variant(replace(NETWORK, weight_decay=decay))
        for decay in (0.1, 2.0)
    },
    **{f"{steps} steps": Variant(replace(NETWORK, steps=steps)) for steps in (1000, 4000)},
    **{f"{copies} spectra of each site": Variant(copies=copies) for copies in (12, 24)},
    **{
        f"weight of spreads {weight:g}": Variant(replace(NETWORK, spread_weight=weight))
        for weight in (0.0, 1.0)
    },
    **{
        f"learning rate {rate:g}": Variant(replace(NETWORK, learning_rate=rate))
        for rate in (1e-3, 4e-3)
    },
    "batches of 1024 spectra": Variant(replace(NETWORK, batch_size=1024)),
    "the mean of four networks": Variant(averaged=4),
    **{f"{number} principal components": Variant(components=number) for number in (24, 96)},
    "half of the spectra mixtures of two phases": Variant(mixtures=0.5),
    "no thick specimens": Variant(thick=False),
    "no slow errors of the intensity": Variant(intensity_error=0.0),
    "half of the phases": Variant(phases=0.5),
    "a quarter of the phases": Variant(phases=0.25),
}


def errors_of(variant: Variant, trial: Trial, training: Draws, tested: MeasuredSites) -> NDArray:
    """Return the mean absolute errors of a variant, shape (properties,)."""
    sites = len(trial.dataset)
    rows = np.arange(len(training.first)) < variant.copies * sites
    rows |= training.thick & variant.thick
    rows &= chosen_phases(trial.sample.phases, variant.phases)[training.first]
    read, targets = training.read_by(0)[rows], training.targets[rows]
    folds = trial.folds[training.first[rows]]
    if variant.mixtures:
        read, targets = mixed(read, targets, folds, variant.mixtures)
    given = tested.read_by(0)
    if variant.components:
        read, given = projected(read, given, variant.components)
    predicted = []
    for seed in range(variant.averaged):
        settings = replace(variant.networks, seed=variant.networks.seed + seed)
        weights = train_side_by_side(read, targets, folds, settings, auxiliary=N_AUXILIARY)
        predicted.append(predict_by_fold(weights, given, trial.folds[tested.first])[0])
    return np.nanmean(np.abs(np.mean(predicted, axis=0) - tested.targets), axis=0)


def mixed(
    read: NDArray[np.float32],
    targets: NDArray[np.float64],
    folds: NDArray[np.integer],
    share: float,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return inputs and labels, a share of which are mixtures of two, of one fold each."""
    generator = np.random.default_rng(0)
    partner = np.arange(len(read))
    # Of both, the same is known beside the spectrum.
    known = read[:, -N_AUXILIARY:][:, [0, 3, 6]] > 0
    for group in np.unique(np.column_stack([folds, known]), axis=0):
        alike = np.flatnonzero((folds == group[0]) & (known == group[1:]).all(axis=1))
        partner[alike] = generator.permutation(alike)
    mixture = generator.random((len(read), 1)) < share
    first = np.where(mixture, generator.random((len(read), 1)), 1.0).astype(np.float32)
    return (
        first * read + (1 - first) * read[partner],
        first * targets + (1 - first) * targets[partner],
    )


def projected(
    read: NDArray[np.float32], given: NDArray[np.float32], components: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return inputs with principal components of training spectra in place of the spectra."""
    energies = read.shape[1] - N_AUXILIARY
    mean, scale = (each[:energies] for each in input_scales(read, energies))
    some = np.random.default_rng(0).permutation(len(read))[:20_000]
    variances, directions = np.linalg.eigh(
        np.cov((read[some, :energies] - mean) / scale, rowvar=False)
    )
    basis = (directions / variances**0.25)[:, -components:]

    def components_of(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        places = ((inputs[:, :energies] - mean) / scale) @ basis
        return np.hstack([places, inputs[:, energies:]]).astype(np.float32)

    return components_of(read), components_of(given)


def chosen_phases(phases: NDArray[np.integer], share: float) -> NDArray[np.bool_]:
    """Return which sites belong to a random share of the phases, shape (sites,)."""
    order = np.random.default_rng(0).permutation(np.unique(phases))
    return np.isin(phases, order[: round(share * len(order))])


def errors_of_kernel_ridge(trial: Trial, training: Draws, tested: MeasuredSites) -> NDArray:
    """Return the mean absolute errors of kernel ridge on the same inputs, shape (properties,)."""
    rows = slice(FITTED * len(trial.dataset))
    read = training.read_by(0)
    mean, scale = input_scales(read, read.shape[1] - N_AUXILIARY)
    predicted = predict_with_baselines(
        ((read[rows] - mean) / scale, training.targets[rows], trial.folds[training.first[rows]]),
        {
            "typical": (
                (tested.read_by(0) - mean) / scale,
                tested.targets,
                trial.folds[tested.first],
            )
        },
        names=("kernel_ridge",),
    )
    return np.nanmean(np.abs(predicted["typical"]["kernel_ridge"] - tested.targets), axis=0)


def earlier_rows(output: Path, dataset_sha256: str) -> dict[str, Any]:
    """Return the results of an earlier run on the same data set, of variants that are tried."""
    if not output.exists():
        return {}
    earlier = json.loads(output.read_text(encoding="utf-8"))
    if earlier["dataset_sha256"] != dataset_sha256:
        return {}
    tried = (*VARIANTS, KERNEL_RIDGE)
    return {name: row for name, row in earlier["tries"].items() if name in tried}


@click.command(help=__doc__)
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
def main(data: Path, output: Path) -> None:
    dataset = load_dataset(data)
    trial = prepare_trial(dataset, FamilySettings(), (STOP,))
    training, _ = draw_trial(trial)
    drawn = {INTENSITY_ERROR: training}
    single = of_kind(TYPICAL, "single")
    tested = measure_sites(trial.sample, trial.listed, single, TESTED, trial.seeds[2])
    median = np.nanmean(np.abs(trial.medians[trial.folds[tested.first]] - tested.targets), axis=0)
    rows = earlier_rows(output, dataset.sha256)
    for name in (*VARIANTS, KERNEL_RIDGE):
        if name in rows:
            continue
        start = perf_counter()
        if name == KERNEL_RIDGE:
            errors = errors_of_kernel_ridge(trial, training, tested)
        else:
            error = VARIANTS[name].intensity_error
            if error not in drawn:
                drawn[error] = draw_trial(trial, error)[0]
            errors = errors_of(VARIANTS[name], trial, drawn[error], tested)
        ratio = errors / median
        names = [spec.name for spec in dataset.properties]
        rows[name] = {
            "relative_error": dict(zip(names, ratio.tolist(), strict=True)),
            "mean_relative_error": float(ratio.mean()),
            "seconds": perf_counter() - start,
        }
        shown = " ".join(f"{value:6.3f}" for value in ratio)
        click.echo(f"{name:36s} {shown}   mean {ratio.mean():.3f}")
        report = {
            "dataset_sha256": dataset.sha256,
            "n_spectra": len(dataset),
            "n_phases": len(set(dataset.phases)),
            "tries": rows,
        }
        with replace_file(output) as path:
            path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
