"""The card of a pretrained model, a Markdown summary rendered from the model file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.dataset.card import markdown_table
from hyperspy_coreloss.dataset.splits import LEFT_OUT, PHASE_DISJOINT, RANDOM_SITE
from hyperspy_coreloss.errors import PretrainedFormatError
from hyperspy_coreloss.pages.tables import plain_table
from hyperspy_coreloss.pages.templates import page_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.spectra.energy import EnergyWindow

# Explanation of errors on left-out phases of networks that were trained on measured-like spectra.
_AS_MEASURED = (
    "Left-out phases: {n_test} spectra as a microscope measures them, each predicted by a network "
    "that was trained like this one but without its phase. Expect errors of this size for a new "
    "material that is measured so."
)
_SPLITS = {
    PHASE_DISJOINT: "New phases: {n_test} spectra of the test phases, predicted by networks that "
    "were trained without them. Expect errors of this size for a new material.",
    LEFT_OUT: "Left-out phases: {n_test} spectra, each predicted by the one network of this model "
    "that was trained without its phase.",
    RANDOM_SITE: "New sites: {n_test} spectra drawn at random, predicted by networks that were "
    "trained without them but on other sites of the same crystals. These errors are comparable "
    "with those of the paper and smaller than the errors for a new material.",
}
# What models read beside a spectrum.
_CONDITIONS = (
    "The network was trained on spectra as a microscope measures them, with the effects listed "
    "above, but with resolutions up to the coarsest that can be read, dispersions known to 0.1 "
    "to 3 %, and slow errors of the intensity of 5 %. Beside a spectrum it reads the energy of "
    "the threshold and the relative thickness if they are known, whether the resolution is, "
    "and how well the dispersion is. It predicts how far each property may be off, from which "
    "each spectrum has intervals of its own."
)


def render_card(pretrained: PretrainedModel) -> str:
    """Return the card of a model as Markdown: use, limits, input, training, errors, definitions.

    Parameters
    ----------
    pretrained
        The model; the card contains only what is stored in its file.

    Raises
    ------
    PretrainedFormatError
        If the record of the training is incomplete, in a damaged file of an early version.
    """
    with _complete(pretrained):
        return _rendered(pretrained)


def render_card_page(pretrained: PretrainedModel) -> str:
    """Return the card of a model as one HTML page, with what :func:`render_card` has.

    Parameters
    ----------
    pretrained
        The model; the card contains only what is stored in its file.

    Raises
    ------
    PretrainedFormatError
        If the record of the training is incomplete, in a damaged file of an early version.
    """
    with _complete(pretrained):
        tables = [(one, plain_table(one.header, one.rows)) for one in error_tables(pretrained)]
        template = page_environment("pretrained").get_template("card.html.jinja")
        return template.render(
            model=pretrained,
            input=_input(pretrained),
            training=_training(pretrained),
            errors=tables,
            provenance=_provenance(pretrained),
        )


@contextmanager
def _complete(pretrained: PretrainedModel) -> Iterator[None]:
    """Turn what a record lacks into an error of this package."""
    try:
        yield
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError) as error:
        msg = (
            f"The record of the training of the model {pretrained.name!r} is incomplete "
            f"({error!r}), so it has no card. Copy or download its file again."
        )
        raise PretrainedFormatError(msg) from error


def _rendered(pretrained: PretrainedModel) -> str:
    lines = [
        f"# {pretrained.name} {pretrained.version}",
        "",
        f"**Use.** {pretrained.intended_use}",
        "",
        f"**Limits.** {pretrained.limits}",
        "",
        "## Input",
        "",
        _input(pretrained),
        "",
        "## Training",
        "",
        *(line for text in _training(pretrained) for line in (text, "")),
        "## Errors",
        "",
        *_errors(pretrained),
    ]
    lines += ["", "## Definitions", ""]
    lines += [
        f"- **{spec.title}** ({spec.unit}): {spec.definition} {spec.source}."
        for spec in pretrained.properties
    ]
    lines += ["", "## Provenance", ""]
    for name, text in _provenance(pretrained):
        shown = f"`{text}`" if name.endswith("SHA-256") else text
        lines.append(f"- {name}: {shown}" if name != "Made with" else f"- Made with {text}.")
    return "\n".join([*lines, ""])


def _input(pretrained: PretrainedModel) -> str:
    recipe, window = pretrained.recipe, pretrained.recipe.window
    return (
        f"{recipe.edge} spectra on {window.n_channels} points, {_window_in_words(window)} in steps "
        f"of {window.step:g} eV, Gaussian broadening σ = {recipe.sigma:g} eV, threshold at "
        f"{recipe.threshold_fraction:.0%} of the main peak, area normalised."
    )


def _training(pretrained: PretrainedModel) -> list[str]:
    """Return the paragraphs about the training."""
    record = pretrained.record
    texts = [
        f"{record.n_spectra} spectra of {record.n_structures} structures, "
        f"{record.n_phases} phases. {record.dataset}",
        f"{_networks(pretrained.n_networks)} Hidden layers: "
        f"{', '.join(str(nodes) for nodes in pretrained.hidden)} nodes. "
        f"Settings: {_listed(record.settings)}.",
    ]
    if pretrained.reads_conditions:
        texts.append(_CONDITIONS)
    if record.withheld_phases:
        withheld = ", ".join(record.withheld_phases)
        texts.append(f"Not trained on these phases of the data set: {withheld}.")
    if record.start_sha256:
        texts.append(f"Training started from `{record.start_sha256}`.")
    return texts


def _provenance(pretrained: PretrainedModel) -> list[tuple[str, str]]:
    record = pretrained.record
    versions = ", ".join(f"{name} {version}" for name, version in record.software.items())
    return [
        ("Cite", record.citation),
        ("Licence of the weights", record.licence),
        ("Data set SHA-256", record.dataset_sha256),
        ("Model SHA-256", pretrained.sha256),
        ("Made with", versions),
    ]


def _networks(number: int) -> str:
    if number == 1:
        return "One network predicts the properties."
    return f"The prediction is the mean over {number} networks."


def _listed(settings: Mapping[str, Any]) -> str:
    """Return settings as words; groups of settings are in brackets."""
    words = []
    for name, value in settings.items():
        shown = f"({_listed(value)})" if isinstance(value, Mapping) else value
        if isinstance(value, list) and value and isinstance(value[0], str):
            shown = f"{value[0]}({', '.join(f'{number:g}' for number in value[1:])})"
        words.append(f"{name} {shown}")
    return ", ".join(words)


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """Errors of a model on the spectra of one split.

    Parameters
    ----------
    explanation
        Which spectra these are, in whole sentences.
    header, rows
        Headings, and cells of each property.
    verdict
        For which properties a baseline is as good.
    """

    explanation: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    verdict: str


def error_tables(pretrained: PretrainedModel) -> list[ErrorTable]:
    """Return the errors of a model for each split; that which is hardest to predict is first.

    Parameters
    ----------
    pretrained
        The model.
    """
    measured = pretrained.record.metrics
    return [_error_table(pretrained, split) for split in _SPLITS if measured.get(split) is not None]


def _error_table(pretrained: PretrainedModel, split: str) -> ErrorTable:
    metrics = pretrained.record.metrics[split]
    first = next(iter(metrics.values()))
    names = list(first["baselines"])
    header = ["property", "mean absolute error", "R²", *(f"{name} (baseline)" for name in names)]
    rows = []
    for spec in pretrained.properties:
        row = metrics[spec.name]
        errors = [f"{row['baselines'][name]:.3g}" for name in names]
        rows.append([spec.label, f"{row['mae']:.3g}", f"{row['r2']:.2f}", *errors])
    if split == LEFT_OUT:
        header.append("90 % interval")
        for cells, half_width in zip(rows, pretrained.half_width(0.9), strict=True):
            cells.append(f"± {half_width:.3g}")
        if all("mae_training" in row for row in metrics.values()):
            header.append("on training spectra")
            for spec, cells in zip(pretrained.properties, rows, strict=True):
                cells.append(f"{metrics[spec.name]['mae_training']:.3g}")
    words = _AS_MEASURED if pretrained.reads_conditions else _SPLITS[split]
    return ErrorTable(
        explanation=words.format(n_test=first["n_test"]),
        header=tuple(header),
        rows=tuple(map(tuple, rows)),
        verdict=_worse_than_baselines(pretrained, split),
    )


def _errors(pretrained: PretrainedModel) -> list[str]:
    lines: list[str] = []
    for one in error_tables(pretrained):
        lines += [f"**{one.explanation}**", "", *markdown_table(one.header, one.rows), ""]
        lines += [one.verdict, ""]
    return lines[:-1]


def _worse_than_baselines(pretrained: PretrainedModel, split: str) -> str:
    """List the properties for which a baseline is at least as accurate, with that baseline."""
    metrics = pretrained.record.metrics[split]
    worse = []
    for spec in pretrained.properties:
        row = metrics[spec.name]
        best = min(row["baselines"], key=row["baselines"].get)
        if row["mae"] >= row["baselines"][best]:
            worse.append(f"{spec.title} ({best} {row['baselines'][best]:.3g})")
    if not worse:
        names = list(next(iter(metrics.values()))["baselines"])
        which = f"the {names[0]}" if len(names) == 1 else "every baseline"
        return f"Better than {which} for every property."
    return f"No better than a baseline: {', '.join(worse)}."


def _window_in_words(window: EnergyWindow) -> str:
    limits = f"{window.start:g} to {window.stop:g} eV"
    if window.origin == "threshold":
        return f"{limits} from the threshold"
    low, high = window.read_range
    return (
        f"excitation energies of {limits} (intensities from {low:g} to {high:g} eV relative to the "
        "threshold, zero elsewhere)"
    )
