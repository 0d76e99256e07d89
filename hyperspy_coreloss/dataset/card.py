"""Markdown data card of a data set, generated from its content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hyperspy_coreloss.dataset.population import POPULATIONS
from hyperspy_coreloss.dataset.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

# Identifier, citation or modification at the end of the source of a structure.
_SINGLE_FILE = re.compile(r"[,;(].*| mp-\d+.*", re.DOTALL)


def render_dataset_card(dataset: SpectrumDataset, name: str) -> str:
    """Return the data card of a data set as Markdown: content, labels, accuracy and origin.

    Parameters
    ----------
    dataset
        The data set.
    name
        Title of the card.
    """
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
    lines += ["", "## Populations", "", "Mean and standard deviation of each label.", ""]
    lines += _populations(dataset, summary["populations"])
    lines += ["", "## Sites", ""]
    lines += markdown_table(("bonded neighbours", "sites"), summary["coordination"].items())
    lines += ["", "## Phases", "", "Structures of one phase never stand on both sides of a split."]
    lines += ["", *markdown_table(("phase", "structures", "sites"), _phases(dataset))]
    if dataset.convergence:
        lines += [
            "",
            "## Accuracy",
            "",
            "The largest change by finer settings that was measured. Cosines are of spectra from "
            "-1 to 15 eV, broadened by σ = 0.5 eV; sharp ones by 0.1 eV. Spectra are aligned where "
            "they first rise through 10 % of their highest intensity; networks align at 30 %.",
            "",
        ]
        lines += _convergence(dataset)
    lines += ["", "## Origin", ""]
    lines += markdown_table(
        ("source of the structures", "licence", "structures"), _origins(dataset)
    )
    lines += [
        "",
        f"- Licence of the data: {dataset.licence}",
        f"- SHA-256 of the content: `{dataset.sha256}`",
        "",
    ]
    return "\n".join(lines)


def markdown_table(header: Sequence[str], rows: Any) -> list[str]:
    """Return the lines of a Markdown table."""
    cells = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(header)} |", "|---" * len(header) + "|", *cells]


def _populations(dataset: SpectrumDataset, summary: dict[str, Any]) -> list[str]:
    """Return a table of the populations: sites, structures, phases, and labels."""
    header = ["population", "sites", "structures", "phases"]
    header += [spec.label for spec in dataset.properties]
    rows = []
    for name, part in summary.items():
        labels = [part["labels"][spec.name] for spec in dataset.properties]
        cells = [
            f"{row['mean']:.4g} ± {row['standard_deviation']:.2g}" if row["n_known"] else ""
            for row in labels
        ]
        rows.append(
            [
                f"{name}: {POPULATIONS[name]}",
                *(part[key] for key in ("n_spectra", "n_structures", "n_phases")),
                *cells,
            ]
        )
    return markdown_table(header, rows)


def _convergence(dataset: SpectrumDataset) -> list[str]:
    """Return a table of the changes by finer settings, grouped by the volume of the supercells."""
    rows = [
        {"supercell (Å³)": _limits(group["volume"]), **change}
        for group in dataset.convergence
        for change in group["changes"]
    ]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    header = [column.replace("_", " ") for column in columns]
    return markdown_table(header, [[_cell(row.get(column)) for column in columns] for row in rows])


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
    """Count structures by source, without identifiers of single files or citations."""
    members: dict[tuple[str, str], set[str]] = {}
    for site in dataset.sites:
        structure = site.structure
        origin = _SINGLE_FILE.sub("", structure.source)
        members.setdefault((origin, structure.licence), set()).add(structure.name)
    return [(*origin, len(names)) for origin, names in sorted(members.items())]
