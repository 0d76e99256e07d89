"""The options of a prediction as texts, which are edited in the widgets of any toolkit."""

from __future__ import annotations

import re
from textwrap import fill
from typing import TYPE_CHECKING, Any

import traits.api as t
from hyperspy.signals import LazySignal

from hyperspy_coreloss.pretrained.families import DEFAULT, list_pretrained
from hyperspy_coreloss.pretrained.trust import NOVELTY_LEVEL
from hyperspy_coreloss.signals.prediction_plan import USUAL_ENERGY_ERROR

if TYPE_CHECKING:
    from hyperspy_coreloss.signals.interactive_prediction import InteractivePrediction

#: Name, label, text while it is empty, and explanation of each option, in the order of a form.
FIELDS = (
    ("pretrained", "Model", DEFAULT, "Name of a model or of a family of models, or path of a file"),
    (
        "resolution",
        "Resolution (eV)",
        "not known",
        "Full width at half maximum of the zero-loss peak",
    ),
    (
        "background_range",
        "Background range",
        "automatic",
        "Limits of the background fit on the axis of the spectra: the lower range in the plot",
    ),
    (
        "onset_range",
        "Onset range",
        "automatic",
        "Limits of the search for the threshold: the upper range in the plot",
    ),
    (
        "energy_offset",
        "Energy offset (eV)",
        "not known",
        "Energy to add to a threshold to obtain the computed excitation energy",
    ),
    ("energy_error", "Its error (eV)", f"{USUAL_ENERGY_ERROR:g}", "Standard error of the offset"),
    (
        "novelty_level",
        "Novelty level",
        f"{NOVELTY_LEVEL:g}",
        "Spectra with a smaller novelty are unfamiliar and have no prediction; 0 predicts all",
    ),
)
#: What a form is for.
HELP = (
    "Drag the two ranges in the plot of the spectra, by their edges or as a whole. The lower one "
    "is that of the background fit, the upper one that of the search for the threshold. The dashed "
    "line is the background, and the vertical line the threshold, of the pixel at the pointer. "
    "Move the pointer to see other pixels. An empty field means the default: ranges are then "
    "chosen for each spectrum. Write a range as two energies on the axis of the spectra, for "
    "example 495 to 528. Predict computes all pixels. The result is the attribute result of the "
    "object that predict_properties returned."
)
# Windows and notebooks do not break the lines of their labels.
_LETTERS = 64
_RANGES = ("background_range", "onset_range")
_USUAL = {"energy_error": USUAL_ENERGY_ERROR, "novelty_level": NOVELTY_LEVEL}
_NUMBER = r"\d+\.?\d*(?:[eE][+-]?\d+)?"
_TWO_NUMBERS = re.compile(rf"\s*({_NUMBER})\s*(?:to|,|;|-|–|\s)\s*({_NUMBER})\s*")


class PredictionForm(t.HasTraits):
    """The options of an interactive prediction as texts, in both directions.

    A text that is no number is passed on as it is, so that the prediction says what it needs.

    Parameters
    ----------
    prediction
        The options, which are changed with the texts, and change them.

    Attributes
    ----------
    pretrained, resolution, background_range, onset_range : str
        Options as texts; empty is the default.
    energy_offset, energy_error, novelty_level : str
        Options as texts; empty is the default.
    status : str
        What is wrong with the options, or what would become of the pixel at the pointer, in lines.
    outcome : str
        What the last prediction gave.
    """

    pretrained = t.Str()
    resolution = t.Str()
    background_range = t.Str()
    onset_range = t.Str()
    energy_offset = t.Str()
    energy_error = t.Str()
    novelty_level = t.Str()
    status = t.Str()
    outcome = t.Str()
    predict = t.Event()
    close = t.Event()
    help = t.Event()

    def __init__(self, prediction: InteractivePrediction) -> None:
        super().__init__()
        self._prediction = prediction
        self._given = prediction.pretrained
        for name, *_ in FIELDS:
            self._show(name)
            self.observe(self._edited, name)
            prediction.observe(self._changed, name)
        self._show_status()
        self.observe(self._predict, "predict")
        self.observe(self._close, "close")
        prediction.observe(self._show_status, ["problem", "words"])
        prediction.observe(self._show_outcome, "result")

    @property
    def models(self) -> list[str]:
        """Names of families and of models, for a list to choose from."""
        names = list_pretrained()
        windows = dict.fromkeys(name.partition("-sigma-")[0] for name in names)
        return list(dict.fromkeys([_text("pretrained", self._given), DEFAULT, *windows, *names]))

    def _show(self, name: str) -> None:
        value = getattr(self._prediction, name)
        if self._value(name, getattr(self, name)) != value or not getattr(self, name):
            setattr(self, name, _text(name, value))

    def _edited(self, event: Any) -> None:
        value = self._value(event.name, event.new)
        if value != getattr(self._prediction, event.name):
            setattr(self._prediction, event.name, value)

    def _changed(self, event: Any) -> None:
        self._show(event.name)

    def _show_status(self, _event: Any = None) -> None:
        text = self._prediction.problem or self._prediction.words
        lines = (fill(line, _LETTERS, break_on_hyphens=False) for line in text.splitlines())
        self.status = "\n".join(lines)

    def _show_outcome(self, _event: Any = None) -> None:
        result = self._prediction.result
        if result is None:
            self.outcome = ""
        elif isinstance(result, LazySignal):
            self.outcome = "The result is lazy: compute or save it."
        else:
            self.outcome = result.summary().line

    def _predict(self, _event: Any = None) -> None:
        self._prediction.try_to_predict()

    def _close(self, _event: Any = None) -> None:
        self._prediction.close()

    def _value(self, name: str, text: str) -> Any:
        """Return the option that a text means."""
        text = text.strip()
        if name == "pretrained":
            return self._given if text in ("", _text(name, self._given)) else text
        if not text:
            return _USUAL.get(name)
        if name in _RANGES:
            two = _TWO_NUMBERS.fullmatch(text)
            return text if two is None else (float(two[1]), float(two[2]))
        try:
            return float(text)
        except ValueError:
            return text


def _text(name: str, value: Any) -> str:
    """Return an option as a text."""
    if name == "pretrained":
        return DEFAULT if value is None else str(getattr(value, "name", value))
    if value is None:
        return ""
    if name not in _RANGES or isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    try:
        return " to ".join(f"{limit:g}" for limit in value)
    except (TypeError, ValueError):
        return str(value)
