"""Tables and summaries of the report, from the numbers of the study."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.dataset.splits import HEADLINE, PHASE_DISJOINT, RANDOM_SITE
from hyperspy_coreloss.pages.tables import Cell, Table
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.training.evaluation import error_uncertainty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

Json = dict[str, Any]

#: Targets for the mean absolute errors on new phases, in the unit of the property; that of the
#: Voronoi volume is a fraction of its mean over the data set.
TARGETS = {
    "bond_length": 0.005,
    "bond_angle": 3.0,
    "voronoi_volume": 0.03,
    "bond_overlap_population": 0.005,
    "mulliken_charge": 0.01,
    "excitation_energy": 0.10,
}
_SHARES = ("voronoi_volume",)

#: Titles of the splits, in the order of the report.
SPLITS = {PHASE_DISJOINT: "New phases", RANDOM_SITE: "New sites"}

#: Name of the paper's protocol among the baselines of the study.
ONE_NETWORK = "one network"
#: Name of the ensemble of networks.
ENSEMBLE = "ensemble"

# Names of methods in the comparison of fits and networks; fits of one property are not listed.
_FIT_NAMES = {"networks": "networks", "all five": "fitted with the other four"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Comparison of the errors on test spectra with baselines and targets, in words.

    Parameters
    ----------
    n_test
        Number of test spectra.
    beaten
        Properties for which a baseline is as good or better, with its name and the errors of both.
    one_network_better
        Properties for which the single network of the paper is better than the ensemble.
    reached, missed
        Properties whose target is met or not, each with its error divided by the target.
    """

    n_test: int
    beaten: tuple[str, ...]
    one_network_better: tuple[str, ...]
    reached: tuple[str, ...]
    missed: tuple[str, ...]


def target_errors(dataset: SpectrumDataset) -> dict[str, float]:
    """Return the targets for the errors, by the name of the property, in its unit."""
    return {
        spec.name: TARGETS[spec.name] * (np.nanmean(values) if spec.name in _SHARES else 1.0)
        for spec, values in zip(dataset.properties, dataset.targets.T, strict=True)
        if spec.name in TARGETS
    }


def mean_errors(study: Json, split: str) -> dict[str, float]:
    """Return the errors of predicting the mean of the training spectra, by property."""
    return {name: row["baselines"]["mean"] for name, row in study[split].items()}


def relative_errors(errors: Json) -> dict[str, list[float]]:
    """Return the error of each property over that of predicting the mean, by model.

    The ensemble comes first, then the paper's network, then the baselines.
    """
    rows = list(errors.values())
    names = sorted(rows[0]["baselines"], key=lambda name: name != ONE_NETWORK)
    by_model = {name: [row["baselines"][name] for row in rows] for name in names}
    by_model = {ENSEMBLE: [row["mae"] for row in rows], **by_model}
    mean = by_model["mean"]
    return {name: np.divide(values, mean).tolist() for name, values in by_model.items()}


def error_table(errors: Json, dataset: SpectrumDataset, test: Json | None = None) -> Table:
    """Return mean absolute errors of the ensemble and all baselines, one row for each property.

    Parameters
    ----------
    errors
        Errors of one split.
    dataset
        The data set of the study.
    test
        Predictions for the test spectra, to add a column with the standard error of the ensemble's
        mean absolute error.
    """
    targets = target_errors(dataset)
    models = list(relative_errors(errors))[1:]
    standard_errors = None if test is None else _standard_errors(test, dataset)
    rows = []
    for column, spec in enumerate(dataset.properties):
        row = errors[spec.name]
        ensemble, *others = _best_bold([row["mae"], *(row["baselines"][m] for m in models)])
        target = f"{targets[spec.name]:.3g}" if spec.name in targets else "–"
        error = () if standard_errors is None else (Cell(f"{standard_errors[column]:.2g}"),)
        cells = Cell(spec.label), Cell(target), ensemble, *error, Cell(f"{row['r2']:.2f}")
        rows.append((*cells, *others))
    heading = () if standard_errors is None else ("± by phase",)
    return Table(("property", "target", ENSEMBLE, *heading, "R²", *models), tuple(rows))


def _standard_errors(test: Json, dataset: SpectrumDataset) -> list[float]:
    phase_of = dict(zip(dataset.names, dataset.phases, strict=True))
    groups = np.unique([phase_of[site] for site in test["sites"]], return_inverse=True)[1]
    errors = np.abs(np.array(test["predicted"]) - np.array(test["true"]))
    return error_uncertainty(errors, groups).tolist()


def verdict(errors: Json, dataset: SpectrumDataset) -> Verdict:
    """Return for which properties a baseline is as good as the ensemble, and a target is met."""
    targets = target_errors(dataset)
    beaten: list[str] = []
    alone: list[str] = []
    reached: list[str] = []
    missed: list[str] = []
    for spec in dataset.properties:
        row = errors[spec.name]
        error, baselines = row["mae"], dict(row["baselines"])
        if baselines.pop(ONE_NETWORK, np.inf) < error:
            alone.append(spec.title)
        best = min(baselines, key=lambda name: baselines[name])
        if baselines[best] <= error:
            beaten.append(
                f"{spec.title} ({best}: {_rounded(baselines[best])} against {_rounded(error)})"
            )
        if spec.name in targets:
            factor = error / targets[spec.name]
            (reached if factor <= 1 else missed).append(f"{spec.title} {factor:.1f}")
    return Verdict(row["n_test"], tuple(beaten), tuple(alone), tuple(reached), tuple(missed))


def search_table(study: Json) -> Table:
    """Return the candidates of the grid search, with their errors in cross-validation."""
    searches = {split: study["search"][split]["candidates"] for split in SPLITS}
    rows = []
    for candidates in zip(*searches.values(), strict=True):
        hidden = ", ".join(str(nodes) for nodes in candidates[0]["hidden"])
        errors = (
            Cell(
                f"{row['error']:.3f} ± {row['spread']:.3f} ({row['training_error']:.3f})",
                _is_best(row, study["search"][split]),
            )
            for split, row in zip(searches, candidates, strict=True)
        )
        regularisation = (Cell(f"{candidates[0][name]:g}") for name in ("dropout", "weight_decay"))
        rows.append((Cell(hidden), *regularisation, *errors))
    return Table(("hidden layers", "dropout", "weight decay", *SPLITS.values()), tuple(rows))


def _is_best(row: Json, search: Json) -> bool:
    return all(row[name] == search["best"][name] for name in ("hidden", "dropout", "weight_decay"))


def close_candidates(study: Json) -> tuple[int, int]:
    """Return the numbers of candidates close to the chosen one, and of all candidates.

    Close is within one standard deviation of its error in the search on the split by phase. Neither
    number includes the chosen one.
    """
    search = study["search"][HEADLINE]
    rows = search["candidates"]
    chosen = next(row for row in rows if _is_best(row, search))
    close = sum(abs(row["error"] - chosen["error"]) <= chosen["spread"] for row in rows)
    return close - 1, len(rows) - 1


def neighbour_table(study: Json, dataset: SpectrumDataset, site: str) -> Table:
    """Return true and predicted values of a site and its neighbours (the paper's Table 1)."""
    nearest = study["worst"][HEADLINE]["nearest"][site]
    values_of = {
        name: values
        for subset in study["predictions"][HEADLINE].values()
        for name, *values in zip(subset["sites"], subset["true"], subset["predicted"], strict=True)
    }
    columns = [site, *nearest["sites"]]
    differences = (Cell(f"{value:.4f}") for value in nearest["rms_difference"])
    rows = [(Cell("difference of the spectra, rms (1/eV)"), Cell(""), Cell("–"), *differences)]
    for index, (spec, digits) in enumerate(zip(dataset.properties, _digits(dataset), strict=True)):
        for row, word in enumerate(("true", "predicted")):
            values = (Cell(f"{values_of[name][row][index]:.{digits}f}") for name in columns)
            rows.append((Cell("" if row else spec.label), Cell(word), *values))
    ranks = (f"neighbour {rank}" for rank in range(1, len(columns)))
    return Table(("", "", "this site", *ranks), tuple(rows))


def several_table(study: Json) -> Table:
    """Return how many test spectra are among the worst predictions of several properties."""
    counts = {split: study["worst"][split]["in_several_properties"] for split in SPLITS}
    rows = tuple(
        (Cell(f"{least} or more"), *(Cell(str(counts[split][least])) for split in SPLITS))
        for least in counts[HEADLINE]
    )
    return Table(("properties", *SPLITS.values()), rows)


def excitation_table(study: Json, dataset: SpectrumDataset) -> Table:
    """Return the errors without and with the excitation energy as an input, for both splits."""
    rows = []
    for spec in dataset.properties:
        cells = [Cell(spec.label)]
        for split in SPLITS:
            errors = study["excitation_energy"][split]
            without, given = errors["without"][spec.name], errors["with"][spec.name]
            cells += _best_bold([without, given])
            cells.append(Cell(f"{100 * (given / without - 1):+.1f} %"))
        rows.append(tuple(cells))
    header = (
        f"{title.lower()}, {word}"
        for title in SPLITS.values()
        for word in ("without", "with", "change")
    )
    return Table(("property", *header), tuple(rows))


def noisy_table(noisy: Json, dataset: SpectrumDataset) -> Table:
    """Return true values and predictions from the noisy spectrum."""
    rows = []
    for spec, digits in zip(dataset.properties, _digits(dataset), strict=True):
        row = noisy["properties"][spec.name]
        predicted = f"{row['predicted']:.{digits}f} ± {row['half_width']:.{digits}f}"
        inside = abs(row["predicted"] - row["true"]) <= row["half_width"]
        cells = (f"{row['true']:.{digits}f}", predicted, "yes" if inside else "no")
        rows.append((Cell(spec.label), *(Cell(cell) for cell in cells)))
    return Table(("property", "true", "predicted", "true value in the interval"), tuple(rows))


def resolution_header(sigma: str) -> str:
    """Return the column heading for a broadening."""
    return f"σ {sigma} eV (FWHM {float(sigma) * FWHM_PER_SIGMA:.2f} eV)"


def window_header(stop: str) -> str:
    """Return the column heading for the end of a window."""
    return f"to {stop} eV"


def series_table(
    errors: Mapping[str, Mapping[str, float]],
    header: Callable[[str], str],
    dataset: SpectrumDataset,
) -> Table:
    """Return the errors at several values of a setting, one row for each property.

    Parameters
    ----------
    errors
        Mean absolute errors by value of the setting and by property.
    header
        Function that returns the column heading for a value.
    dataset
        The data set of the study.
    """
    rows = tuple(
        (Cell(spec.label), *_best_bold([row[spec.name] for row in errors.values()]))
        for spec in dataset.properties
    )
    return Table(("property", *(header(value) for value in errors)), rows)


def curve_table(draws: Sequence[Json], size: str, dataset: SpectrumDataset) -> Table:
    """Return the errors averaged over draws of equal size, one row for each property.

    Parameters
    ----------
    draws
        One of the learning curves of the study.
    size
        Measure of the size: ``"n_phases"`` or ``"n_sites"``.
    dataset
        The data set of the study.
    """
    by_size: dict[int, list[Mapping[str, float]]] = {}
    for draw in sorted(draws, key=lambda draw: draw[size]):
        by_size.setdefault(draw[size], []).append(draw["mae"])
    rows = tuple(
        (
            Cell(spec.label),
            *_best_bold([fmean(mae[spec.name] for mae in same) for same in by_size.values()]),
        )
        for spec in dataset.properties
    )
    unit = size.removeprefix("n_")
    return Table(("property", *(f"{number} {unit}" for number in by_size)), rows)


def _best_bold(errors: Sequence[float]) -> list[Cell]:
    """Return errors as cells; those that equal the lowest after rounding are the best."""
    best = _rounded(min(errors))
    return [Cell(text, text == best) for text in map(_rounded, errors)]


def _rounded(error: float) -> str:
    return f"{error:#.3g}".rstrip(".")


def _digits(dataset: SpectrumDataset) -> list[int]:
    """Return the decimals of each property: two significant digits of its standard deviation."""
    spread = np.nanstd(dataset.targets, axis=0)
    return [max(1 - floor(log10(width)), 0) if width > 0 else 3 for width in spread.tolist()]


def tries_table(tries: Json, dataset: SpectrumDataset) -> Table:
    """Return the relative errors of variants tried beyond the grid search, best first.

    Parameters
    ----------
    tries
        Results of ``benchmarks/network_tries.py``.
    dataset
        Data set of these results.
    """
    ranked = sorted(tries["tries"].items(), key=lambda item: item[1]["mean_relative_error"])
    columns = [
        _best_bold([row["relative_error"][spec.name] for _, row in ranked])
        for spec in dataset.properties
    ]
    average = _best_bold([row["mean_relative_error"] for _, row in ranked])
    rows = tuple(
        (Cell(name), *cells) for (name, _), *cells in zip(ranked, *columns, average, strict=True)
    )
    return Table(("", *(spec.title for spec in dataset.properties), "all"), rows)


def fits_table(split: Json, dataset: SpectrumDataset) -> Table:
    """Return the errors of fitted properties and of networks on the same spectra.

    Parameters
    ----------
    split
        One of the ``splits`` in the results of ``benchmarks/emulator_fits.py``.
    dataset
        Data set of these results.
    """
    titles = {spec.name: spec.title for spec in dataset.properties}
    shares = "true value within the 90 % interval", "within the standard error"
    header = ["", "relative error", *shares, "time relative to networks"]
    quickest = split["networks"]["milliseconds"]
    rows = []
    for method, results in split.items():
        for name, entry in results["properties"].items():
            what = f"{titles[name]}: " + _FIT_NAMES.get(method, "fitted alone")
            errors = entry.get("within_standard_error")
            rows.append(
                (
                    Cell(what),
                    Cell(f"{entry['relative_mae']:.2f}"),
                    Cell(f"{entry['within_interval']:.0%}"),
                    Cell("" if errors is None else f"{errors:.0%}"),
                    Cell(f"{results['milliseconds'] / quickest:.0f}"),
                )
            )
    order = list(titles.values())
    rows.sort(key=lambda row: order.index(row[0].text.partition(":")[0]))
    return Table(tuple(header), tuple(rows))
