"""What a result records of its prediction, in words: for a page that is read without HyperSpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.pretrained.card import error_tables
from hyperspy_coreloss.pretrained.families import list_pretrained, load_pretrained
from hyperspy_coreloss.properties import PROPERTIES
from hyperspy_coreloss.signals.metadata import (
    definitions_of,
    get_map,
    origin_nodes,
    recorded_model,
)
from hyperspy_coreloss.signals.positions import items_along, property_positions
from hyperspy_coreloss.signals.summary import remedy
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hyperspy.signals import BaseSignal

    from hyperspy_coreloss.pages.layers import Layer
    from hyperspy_coreloss.signals.options import RecordedOptions

Terms = list[tuple[str, str]]

_SHARES = (5, 50, 95)


def quality_rows(
    counts: Mapping[Quality, int], options: RecordedOptions | None
) -> list[dict[str, str]]:
    """Return for each code that occurs its name, its meaning, its number and what to do.

    Parameters
    ----------
    counts
        Number of spectra by code.
    options
        Options of the prediction, which remedies depend on.
    """
    total = sum(counts.values())
    return [
        {
            "code": str(int(code)),
            "name": code.name,
            "reason": code.reason,
            "number": f"{number}",
            "share": _share(number, total),
            "remedy": "See the intervals and the novelty before you rely on a number."
            if code is Quality.GOOD
            else remedy(code, options),
        }
        for code, number in counts.items()
    ]


def _share(number: int, total: int) -> str:
    share = 100 * number / total
    return f"{share:.0f} %" if share >= 1 or not number else "< 1 %"


def value_rows(layers: Sequence[Layer]) -> list[list[str]]:
    """Return a row for each quantity: number, lowest, percentiles, highest, half width.

    Parameters
    ----------
    layers
        Quantities on all pixels.
    """
    rows = []
    for layer in layers:
        known = layer.values[np.isfinite(layer.values)]
        numbers = ["–"] * 6
        if known.size:
            low, middle, high = np.percentile(known, _SHARES)
            found = (known.min(), low, middle, high, known.max(), known.mean(dtype=np.float64))
            numbers = [f"{value:.{layer.decimals}f}" for value in found]
        half = "–"
        if layer.half_widths is not None and known.size:
            half = f"± {np.nanmedian(layer.half_widths):.{layer.decimals}f}"
        rows.append([layer.label, str(known.size), *numbers, half])
    return rows


def measurement_terms(result: BaseSignal, options: RecordedOptions | None) -> Terms:
    """Return what is recorded of the measurement and of its preprocessing.

    Parameters
    ----------
    result
        Result in memory.
    options
        Options of the prediction, or None if the result is not predicted.
    """
    if options is None:
        return []
    given = "not given" if options.resolution is None else f"{options.resolution:.3g} eV"
    broadened = _number(options.broadening, "eV (standard deviation)", "not recorded")
    terms = [
        ("edge", options.edge.replace("_", " ") or "not recorded"),
        ("energy resolution", f"{given} (full width at half maximum)" if "eV" in given else given),
        ("broadened by", broadened),
        ("background", _background(options)),
        ("onset searched", _limits(options.onset_range)),
        ("energy offset", _with_error(options.energy_offset, options.energy_error)),
        ("dispersion known to", _percent(options.dispersion_error)),
        ("low loss", {"": "not recorded", "none": "none"}.get(options.low_loss, options.low_loss)),
        ("novelty level", _number(options.novelty_level, "", "not recorded")),
    ]
    for name, term, unit in (
        ("relative_thickness", "relative thickness (t/λ)", ""),
        ("zero_loss", "zero loss", "eV"),
        ("resolution", "width of the zero loss", "eV"),
    ):
        one = get_map(result, name)
        if one is not None and np.isfinite(one.data).any():
            # Zero is added so that there is no -0.000.
            low, middle, high = np.round(np.nanpercentile(one.data, _SHARES), 3) + 0.0
            words = f"median {middle:.3f}, from {low:.3f} (5 %) to {high:.3f} (95 %) {unit}"
            terms.append((term, words.strip()))
    return terms


def calibration_terms(options: RecordedOptions | None) -> Terms:
    """Return what is recorded of the calibration; nothing if there was none.

    Parameters
    ----------
    options
        Options of the prediction, or None if the result is not predicted.
    """
    numbers = None if options is None else options.calibration
    if options is None or numbers is None:
        return []
    errors = options.uncertainties
    nominal = numbers["nominal_dispersion"]
    terms = [
        ("calibrated on", options.material or "not recorded"),
        ("energy offset", _with_error(numbers["energy_offset"], errors.get("energy_offset"))),
        ("position on the axis", f"{numbers['position']:.3f} eV"),
        ("dispersion", _with_error(numbers["dispersion"], errors.get("dispersion"), 5)),
        (
            "dispersion of the axis",
            f"{nominal:.5f} eV ({numbers['dispersion'] / nominal - 1:+.2%})",
        ),
    ]
    for name, term, unit in (
        ("resolution", "resolution of the reference", "eV"),
        ("relative_thickness", "thickness of the reference (t/λ)", ""),
    ):
        if name in numbers:
            terms.append((term, _with_error(numbers[name], errors.get(name), 2, unit)))
    return terms


def _number(value: float | None, unit: str, none: str) -> str:
    return none if value is None else f"{value:.3g} {unit}".strip()


def _percent(value: float | None) -> str:
    return "not recorded" if value is None else f"{value:.2%}"


def _limits(limits: tuple[float, float] | None) -> str:
    return "not recorded" if limits is None else f"{limits[0]:g} to {limits[1]:g} eV"


def _with_error(value: float | None, error: float | None, digits: int = 3, unit: str = "eV") -> str:
    if value is None:
        return "not known"
    after = "" if error is None else f" ± {error:.{digits}f}"
    return f"{value:.{digits}f}{after} {unit}".strip()


def _background(options: RecordedOptions) -> str:
    if options.background is None:
        return "subtracted before"
    words = options.background.replace("_", " ")
    if options.background_range is None:
        return words
    return f"{words}, fitted from {_limits(options.background_range)}"


def model_content(result: BaseSignal) -> dict[str, Any]:
    """Return what is known of the model: its card if it is shipped, else what the result records.

    Parameters
    ----------
    result
        Result, of whose model the metadata hold name, version and SHA-256.

    Returns
    -------
    dict
        Empty if the result has no model. Else ``terms`` and, of shipped models, ``intended_use``,
        ``limits``, ``training``, ``errors`` (tables with their captions and verdicts) and
        ``citation``.
    """
    recorded = recorded_model(result)
    if not recorded:
        return {}
    content: dict[str, Any] = {
        "name": recorded.get("name", ""),
        "version": recorded.get("version", ""),
        "sha256": recorded.get("sha256", ""),
        "predicted_with": recorded.get("package_version", ""),
        "known": False,
    }
    if content["name"] not in list_pretrained():
        return content
    model = load_pretrained(content["name"])
    if model.sha256 != content["sha256"]:
        return content
    record = model.record
    return content | {
        "known": True,
        "intended_use": model.intended_use,
        "limits": model.limits,
        "training": f"{record.n_spectra} spectra of {record.n_structures} structures, "
        f"{record.n_phases} phases. {record.dataset}",
        "withheld": ", ".join(record.withheld_phases),
        "licence": record.licence,
        "errors": error_tables(model),
    }


def definition_terms(result: BaseSignal) -> Terms:
    """Return the label of each property of a result with its definition.

    Parameters
    ----------
    result
        Result; those of early versions hold no definitions, and have those of this package.
    """
    names, labels = items_along(result, "names"), items_along(result, "labels")
    recorded = definitions_of(result)
    usual = {spec.name: spec.definition for spec in PROPERTIES}
    return [
        (label, recorded[position] if recorded else usual.get(name, "not recorded"))
        for name, label, position in zip(names, labels, property_positions(result), strict=True)
    ]


def origin_terms(result: BaseSignal) -> Terms:
    """Return what is recorded of the specimen, the microscope and those who measured.

    Parameters
    ----------
    result
        Result, which has this from its spectra.
    """
    nodes = origin_nodes(result).values()
    return [term for node in nodes for term in _leaves(node, "")]


def _leaves(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, value in node.items():
        words = name.replace("_", " ")
        if isinstance(value, dict):
            yield from _leaves(value, words)
            continue
        text = _text(value)
        if text:
            yield f"{path} {words}".strip(), text


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, map(_text, value)))
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    return str(value) if isinstance(value, (str, int, np.integer)) else ""
