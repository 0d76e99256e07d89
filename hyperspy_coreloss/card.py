"""The card of a pretrained model, rendered from its record so that the two cannot disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperspy_coreloss.pretrained import PretrainedModel


def render_card(pretrained: PretrainedModel) -> str:
    """Return the card as Markdown: use, limits, data, errors, definitions."""
    record, recipe, window = pretrained.record, pretrained.recipe, pretrained.recipe.window
    baselines = sorted({name for row in record.metrics.values() for name in row["baselines"]})
    half_widths = pretrained.half_width(0.9)
    lines = [
        f"# {pretrained.name} {pretrained.version}",
        "",
        f"**Use.** {pretrained.intended_use}",
        "",
        f"**Limits.** {pretrained.limits}",
        "",
        "## Input",
        "",
        f"{recipe.edge} spectra on {window.n_channels} points, {window.start:g} to "
        f"{window.stop:g} eV from the {window.origin} in steps of {window.step:g} eV, Gaussian "
        f"broadening σ = {recipe.sigma:g} eV, threshold at {recipe.threshold_fraction:.0%} of the "
        "main peak, area normalised.",
        "",
        "## Training",
        "",
        f"{record.n_spectra} spectra of {record.n_structures} structures, "
        f"{record.n_phases} phases. {record.dataset}",
        "",
        f"Hidden layers: {' and '.join(str(nodes) for nodes in pretrained.hidden)} nodes. "
        f"Settings: {', '.join(f'{name} {value}' for name, value in record.settings.items())}.",
        "",
        "## Errors",
        "",
        f"Held out: {record.split}.",
        "",
        "| property | mean absolute error | R² | 90 % interval | on training spectra | "
        + " | ".join(f"{name} (baseline)" for name in baselines)
        + " |",
        "|---|" + "---|" * (4 + len(baselines)),
    ]
    for spec, half_width in zip(pretrained.properties, half_widths, strict=True):
        row = record.metrics[spec.name]
        cells = [
            spec.label,
            f"{row['mae']:.3g}",
            f"{row['r2']:.2f}",
            f"± {half_width:.3g}",
            f"{row['mae_training']:.3g}",
            *(f"{row['baselines'][name]:.3g}" for name in baselines),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    worse = [
        spec.title
        for spec in pretrained.properties
        if record.metrics[spec.name]["mae"] >= min(record.metrics[spec.name]["baselines"].values())
    ]
    if worse:
        lines += ["", f"**No better than a baseline on held-out phases:** {', '.join(worse)}."]
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
