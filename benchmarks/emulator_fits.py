"""Errors of properties fitted with PropertyELNES, compared with networks on the same spectra.

A quarter of the development phases (or of their sites) is held out at a time; the test phases are
not read. Emulators for several choices of properties, and networks, are trained on the rest. The
held-out spectra get a power-law background and counting noise. The networks predict their
properties, and a HyperSpy model of a power law and a PropertyELNES is fitted to them, starting from
these predictions. Errors are relative to those of always predicting the median. The results also
hold the fractions of true values within the standard error of the fit and within the 90 % interval.

    python benchmarks/emulator_fits.py DATASET results/emulator.json
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from time import perf_counter

import click
import numpy as np
from hyperspy.components1d import PowerLaw
from joblib import Parallel, delayed
from sklearn.model_selection import GroupKFold, KFold

from hyperspy_coreloss import EnergyWindow, Recipe, TrainingSettings, load_dataset, train
from hyperspy_coreloss.components import PropertyELNES
from hyperspy_coreloss.components.emulator_training import train_emulator
from hyperspy_coreloss.dataset.splits import complete_sites, phase_disjoint_split
from hyperspy_coreloss.signals.computed_spectra import dataset_to_signal
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA

SIGMA = 0.4
DISPERSION = 0.1
PEAK_COUNTS = 1e4
FIVE = ("bond_length", "bond_angle", "voronoi_volume", "bond_overlap_population", "mulliken_charge")
CHOICES = {"all five": FIVE, "bond_length": FIVE[:1], "mulliken_charge": FIVE[4:]}
LEVEL = 0.9
NETWORKS = TrainingSettings(dropout=0.2, weight_decay=1e-4)
WORDS = {"intended_use": "A benchmark.", "limits": "Trained on a subset of the data."}


def measured(sites):
    """Return a signal of noisy spectra on backgrounds as high as the edge."""
    s = dataset_to_signal(sites, SIGMA, offset=483.0, dispersion=DISPERSION, size=1100)
    energy = s.axes_manager.signal_axes[0].axis
    edge = s.data / s.data.max(axis=1, keepdims=True)
    expected = PEAK_COUNTS * (edge + (energy / 540.0) ** -3)
    s.data = np.random.default_rng(0).poisson(expected).astype(np.float64)
    return s


def fit(s, emulator, prediction):
    """Return the fitted component."""
    s.estimate_poissonian_noise_variance()
    m = s.create_model(auto_background=False, auto_add_edges=False)
    background = PowerLaw()
    broadening = float(np.sqrt(SIGMA**2 - emulator.sigma**2))
    counts = PEAK_COUNTS / emulator.curves.values[0].max()
    oxygen = PropertyELNES(emulator, broadening=broadening, intensity=counts)
    m.extend([background, oxygen])
    # The exponent is that of the summed spectrum, because that of one spectrum is too uncertain.
    together = s.sum("site").create_model(auto_background=False, auto_add_edges=False)
    common = PowerLaw()
    together.append(common)
    common.estimate_parameters(together.signal, 490.0, 535.0)
    background.r.value, background.A.value = common.r.value, common.A.value / len(s.data)
    background.r.free = False
    background.r.map["values"], background.r.map["is_set"] = background.r.value, True
    oxygen.start_from(prediction)
    oxygen.onset.free = True
    m.set_signal_range(490.0, 580.0)
    m.multifit(
        optimizer="trf",
        bounded=True,
        grad="analytical",
        x_scale="jac",
        max_nfev=100,
        show_progressbar=False,
    )
    return oxygen


def read_fold(sites, rest, held):
    """Return the median of the training sites, and the results of each method on the held-out ones.

    Results are values, standard errors and interval widths, each of shape (sites, properties), and
    the seconds for one spectrum.
    """
    warnings.simplefilter("ignore")  # of fits that end at a bound
    training, s = sites.take(rest), measured(sites.take(held))
    recipe = Recipe(window=EnergyWindow(stop=40.0))
    options = {"n_networks": 4, "name": "rest", "show_progressbar": False, **WORDS}
    model = train(training, NETWORKS, recipe=recipe, **options)
    start = perf_counter()
    prediction = s.predict_properties(
        model,
        resolution=SIGMA * FWHM_PER_SIGMA,
        onset_range=(538.0, 549.0),
        show_progressbar=False,
    )
    if not np.isfinite(prediction.data).all():
        msg = f"{np.isnan(prediction.data[:, 0]).sum()} of {len(held)} spectra have no prediction."
        raise RuntimeError(msg)
    seconds = (perf_counter() - start) / len(held)
    values, errors, widths = np.full((3, len(held), len(FIVE)), np.nan)
    values[:], widths[:] = prediction.data[:, : len(FIVE)], model.half_width(LEVEL)[: len(FIVE)]
    results = {"networks": (values, errors, widths, seconds)}
    for choice, properties in CHOICES.items():
        emulator = train_emulator(training, properties, name="rest")
        values, errors, widths = np.full((3, len(held), len(FIVE)), np.nan)
        start = perf_counter()
        oxygen = fit(s, emulator, prediction)
        seconds = (perf_counter() - start) / len(held)
        for name, width in zip(properties, emulator.half_width(LEVEL), strict=True):
            column, parameter = FIVE.index(name), getattr(oxygen, name)
            values[:, column] = parameter.map["values"]
            errors[:, column] = parameter.map["std"]
            widths[:, column] = width
        results[choice] = (values, errors, widths, seconds)
    return np.median(training.targets[:, : len(FIVE)], axis=0), results


def read_held_out(sites, folds):
    """Return the results and medians of :func:`read_fold` for all sites."""
    medians = np.empty((len(sites), len(FIVE)))
    results = {name: (*np.empty((3, *medians.shape)), []) for name in ["networks", *CHOICES]}
    reads = Parallel(n_jobs=-1)(delayed(read_fold)(sites, *fold) for fold in folds)
    for (_, held), (median, by_method) in zip(folds, reads, strict=True):
        medians[held] = median
        for name, (*arrays, seconds) in by_method.items():
            for everything, array in zip(results[name], arrays, strict=False):
                everything[held] = array
            results[name][3].append(seconds)
        click.echo(f"{len(held)} spectra of {len(sites)}")
    return results, medians


def summarise(results, truth, median):
    """Return errors relative to the median, coverages and milliseconds of each method."""
    rows = {}
    for name, (values, errors, widths, seconds) in results.items():
        missed = np.abs(values - truth)
        row = {"milliseconds": 1e3 * float(np.median(seconds)), "properties": {}}
        for column, prop in enumerate(FIVE):
            rows_read = np.isfinite(missed[:, column])
            if not rows_read.any():
                continue
            own = missed[rows_read, column]
            reference = np.abs(median - truth)[rows_read, column].mean()
            entry = {
                "relative_mae": float(own.mean() / reference),
                "within_interval": float(np.mean(own <= widths[rows_read, column])),
            }
            if name != "networks":
                entry["within_standard_error"] = float(np.mean(own <= errors[rows_read, column]))
            row["properties"][prop] = entry
        rows[name] = row
    return rows


@click.command(help=__doc__)
@click.argument("dataset", type=click.Path(exists=True))
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
def main(dataset, output):
    everything = load_dataset(dataset)
    complete = everything.take(complete_sites(everything))
    split = phase_disjoint_split(complete)
    sites, groups = complete.take(split.development), split.groups[split.development]
    report = {"dataset_sha256": everything.sha256, "n_spectra": len(sites), "splits": {}}
    for name, folds in (
        ("new phases", GroupKFold(4).split(groups, groups=groups)),
        ("new sites", KFold(4, shuffle=True, random_state=0).split(groups)),
    ):
        results, median = read_held_out(sites, list(folds))
        truth = sites.targets[:, : len(FIVE)]
        report["splits"][name] = summarise(results, truth, median)
        output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
