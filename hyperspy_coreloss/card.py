"""The cards of models and data sets, rendered from their records: the two cannot disagree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hyperspy_coreloss.dataset import summarise
from hyperspy_coreloss.pretrained import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hyperspy_coreloss.dataset import SpectrumDataset
    from hyperspy_coreloss.energy import EnergyWindow
    from hyperspy_coreloss.pretrained import PretrainedModel


_SPLITS = {
    "phase_disjoint": "New phases: {n_test} spectra of the test phases, predicted by networks that "
    "were trained without them. This is what to expect of a new material.",
    LEFT_OUT: "Left-out phases: {n_test} spectra, each predicted by the one network of this model "
    "that was trained without its phase.",
    "random_site": "New sites: {n_test} spectra drawn at random, predicted by networks that were "
    "trained without them but on other sites of the same crystals. Comparable with the paper, too "
    "good for a new material.",
}

# In the source of a structure: an identifier, a citation, how it was changed.
_SINGLE_FILE = re.compile(r"[,;(].*| mp-\d+.*", re.DOTALL)


def render_card(pretrained: PretrainedModel) -> str:
    """Return the card as Markdown: use, limits, data, errors, definitions."""
    record, recipe, window = pretrained.record, pretrained.recipe, pretrained.recipe.window
    lines = [
        f"# {pretrained.name} {pretrained.version}",
        "",
        f"**Use.** {pretrained.intended_use}",
        "",
        f"**Limits.** {pretrained.limits}",
        "",
        "## Input",
        "",
        f"{recipe.edge} spectra on {window.n_channels} points, {_window_in_words(window)} in steps "
        f"of {window.step:g} eV, Gaussian broadening σ = {recipe.sigma:g} eV, threshold at "
        f"{recipe.threshold_fraction:.0%} of the main peak, area normalised.",
        "",
        "## Training",
        "",
        f"{record.n_spectra} spectra of {record.n_structures} structures, "
        f"{record.n_phases} phases. {record.dataset}",
        "",
        f"{pretrained.n_networks} networks, whose mean is the prediction. Hidden layers: "
        f"{', '.join(str(nodes) for nodes in pretrained.hidden)} nodes. "
        f"Settings: {', '.join(f'{name} {value}' for name, value in record.settings.items())}.",
        "",
        *([f"Started from the model `{record.start_sha256}`.", ""] if record.start_sha256 else []),
        "## Errors",
        "",
        *_errors(pretrained),
    ]
    lines += ["", "## Definitions", ""]
    lines += [
        f"- **{spec.title}** ({spec.unit}): {spec.definition} {spec.source}."
        for spec in pretrained.properties
    ]
    versions = ", ".join(f"{name} {version}" for name, version in record.software.items())
    lines += [
        "",
        "## Provenance",
        "",
        f"- Cite: {record.citation}",
        f"- Licence of the weights: {record.licence}",
        f"- Data set SHA-256: `{record.dataset_sha256}`",
        f"- Model SHA-256: `{pretrained.sha256}`",
        f"- Made with {versions}.",
        "",
    ]
    return "\n".join(lines)


def _errors(pretrained: PretrainedModel) -> list[str]:
    """Return a table for each way of testing, the most honest first."""
    lines: list[str] = []
    for split, explanation in _SPLITS.items():
        metrics = pretrained.record.metrics.get(split)
        if metrics is None:
            continue
        names = list(next(iter(metrics.values()))["baselines"])
        header = [
            "property",
            "mean absolute error",
            "R²",
            *(f"{name} (baseline)" for name in names),
        ]
        rows = []
        for spec in pretrained.properties:
            row = metrics[spec.name]
            errors = [f"{row['baselines'][name]:.3g}" for name in names]
            rows.append([spec.label, f"{row['mae']:.3g}", f"{row['r2']:.2f}", *errors])
        if split == LEFT_OUT:
            header += ["90 % interval", "on training spectra"]
            half_widths = pretrained.half_width(0.9)
            for spec, cells, half_width in zip(
                pretrained.properties, rows, half_widths, strict=True
            ):
                cells += [f"± {half_width:.3g}", f"{metrics[spec.name]['mae_training']:.3g}"]
        n_test = next(iter(metrics.values()))["n_test"]
        lines += [f"**{explanation.format(n_test=n_test)}**", "", *_table(header, rows), ""]
        lines += [*_worse_than_baselines(pretrained, split), ""]
    return lines[:-1]


def _worse_than_baselines(pretrained: PretrainedModel, split: str) -> list[str]:
    """Say for which properties a baseline does better, and which."""
    metrics = pretrained.record.metrics[split]
    worse = []
    for spec in pretrained.properties:
        row = metrics[spec.name]
        best = min(row["baselines"], key=row["baselines"].get)
        if row["mae"] >= row["baselines"][best]:
            worse.append(f"{spec.title} ({best} {row['baselines'][best]:.3g})")
    if not worse:
        return ["Better than every baseline for every property."]
    return [f"No better than a baseline: {', '.join(worse)}."]


def _window_in_words(window: EnergyWindow) -> str:
    limits = f"{window.start:g} to {window.stop:g} eV"
    if window.origin == "threshold":
        return f"{limits} from the threshold"
    low, high = window.read_range
    return (
        f"excitation energies of {limits} (read from {low:g} to {high:g} eV around the threshold, "
        "zero elsewhere)"
    )


def render_dataset_card(dataset: SpectrumDataset, name: str) -> str:
    """Return the card of a data set as Markdown: contents, labels, accuracy, origin."""
    summary = summarise(dataset)
    lines = [
        f"# {name}",
        "",
        f"{summary['n_spectra']} {dataset.edge.replace('_', ' ')} spectra of "
        f"{summary['n_structures']} structures, {summary['n_phases']} phases.",
        "",
        dataset.description,
        "",
        "## Labels",
        "",
        "| label | sites | lowest | mean | highest |",
        "|---|---|---|---|---|",
    ]
    for spec in dataset.properties:
        row = summary["labels"][spec.name]
        numbers = [f"{row[key]:.4g}" for key in ("minimum", "mean", "maximum") if key in row]
        cells = [spec.label, str(row["n_known"]), *(numbers or ["", "", ""])]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        *(
            f"- **{spec.title}** ({spec.unit}): {spec.definition} {spec.source}."
            for spec in dataset.properties
        ),
    ]
    lines += ["", "## Sites", ""]
    lines += _table(("bonded neighbours", "sites"), summary["coordination"].items())
    lines += ["", "## Phases", "", "Structures of one phase never stand on both sides of a split."]
    lines += ["", *_table(("phase", "structures", "sites"), _phases(dataset))]
    if dataset.convergence:
        lines += [
            "",
            "## Accuracy",
            "",
            "The largest change by finer settings that was measured. Cosines are of spectra from "
            "-1 to 15 eV, broadened by σ = 0.5 eV; sharp ones by 0.1 eV.",
            "",
        ]
        lines += _convergence(dataset)
    lines += ["", "## Origin", ""]
    lines += _table(("source of the structures", "licence", "structures"), _origins(dataset))
    lines += [
        "",
        f"- Licence of the data: {dataset.licence}",
        f"- SHA-256 of the content: `{dataset.sha256}`",
        "",
    ]
    return "\n".join(lines)


def _table(header: Sequence[str], rows: Any) -> list[str]:
    cells = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(header)} |", "|---" * len(header) + "|", *cells]


def _convergence(dataset: SpectrumDataset) -> list[str]:
    """Table of the changes: the sizes of cells down, what was changed, and what that did."""
    rows = [
        {"supercell (Å³)": _limits(group["volume"]), **change}
        for group in dataset.convergence
        for change in group["changes"]
    ]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    header = [column.replace("_", " ") for column in columns]
    return _table(header, [[_cell(row.get(column)) for column in columns] for row in rows])


def _limits(volume: Sequence[float | None]) -> str:
    lowest, highest = volume
    if lowest is None:
        return "all" if highest is None else f"below {highest:g}"
    return f"{lowest:g} and more" if highest is None else f"{lowest:g} to {highest:g}"


def _cell(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str("" if value is None else value)


def _phases(dataset: SpectrumDataset) -> list[tuple[str, int, int]]:
    members: dict[str, list[str]] = {}
    for site in dataset.sites:
        members.setdefault(site.structure.phase, []).append(site.structure.name)
    return [(phase, len(set(names)), len(names)) for phase, names in sorted(members.items())]


def _origins(dataset: SpectrumDataset) -> list[tuple[str, str, int]]:
    """Count structures by source; what names the single file or citation is left out."""
    members: dict[tuple[str, str], set[str]] = {}
    for site in dataset.sites:
        part = site.structure
        origin = _SINGLE_FILE.sub("", part.source)
        members.setdefault((origin, part.licence), set()).add(part.name)
    return [(*origin, len(names)) for origin, names in sorted(members.items())]
