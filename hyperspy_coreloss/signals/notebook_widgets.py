"""The options of a prediction as widgets of notebooks, for HyperSpy's toolkit ``ipywidgets``."""

from __future__ import annotations

from html import escape
from typing import Any

from hyperspy_coreloss.signals.prediction_form import FIELDS, HELP, PredictionForm


def prediction_widget(obj: Any, display: bool = True, **_: Any) -> dict[str, Any] | None:
    """Show the widgets of an interactive prediction, or return them.

    HyperSpy calls this function. It needs ``hyperspy_gui_ipywidgets``.

    Parameters
    ----------
    obj
        The interactive prediction.
    display
        Whether to show the widgets.

    Returns
    -------
    dict or None
        The container as ``"widget"``, and by name in ``"wdict"`` what is in it; None if they are
        shown.
    """
    import ipywidgets
    from IPython.display import display as show
    from link_traits import link

    form = PredictionForm(obj)
    wide: dict[str, Any] = {
        "style": {"description_width": "9em"},
        "layout": ipywidgets.Layout(width="32em"),
        "continuous_update": False,
    }
    wdict: dict[str, Any] = {}
    for name, label, empty, meaning in FIELDS:
        given = {"description": label, "placeholder": empty, "tooltip": meaning, **wide}
        if name == "pretrained":
            # A list that takes other texts too, such as paths.
            wdict[name] = ipywidgets.Combobox(options=form.models, **given)
        else:
            wdict[name] = ipywidgets.Text(**given)
        link((form, name), (wdict[name], "value"))
    for name in ("status", "outcome"):
        wdict[name] = ipywidgets.HTML(_lines(getattr(form, name)))
        form.observe(lambda event: _tell(wdict[event.name], event.new), name)
    wdict["help_text"] = ipywidgets.HTML(_lines(HELP))
    explained = ipywidgets.Accordion(children=[wdict["help_text"]], selected_index=None)
    explained.set_title(0, "Help")
    wdict["predict_button"] = ipywidgets.Button(
        description="Predict", tooltip="Predict the properties of all pixels."
    )
    wdict["close_button"] = ipywidgets.Button(
        description="Close", tooltip="Close the widgets and remove the ranges from the plot."
    )
    fields = [wdict[name] for name, *_ in FIELDS]
    buttons = ipywidgets.HBox([wdict["predict_button"], wdict["close_button"]])
    box = ipywidgets.VBox([*fields, wdict["status"], explained, buttons, wdict["outcome"]])

    def predict(_: Any) -> None:
        form.predict = True

    def close(_: Any) -> None:
        form.close = True

    wdict["predict_button"].on_click(predict)
    wdict["close_button"].on_click(close)
    obj.observe(lambda event: box.close() if event.new else None, "closed")
    if display:
        show(box)
        return None
    return {"widget": box, "wdict": wdict}


def _tell(widget: Any, text: str) -> None:
    widget.value = _lines(text)


def _lines(text: str) -> str:
    """Return a text as HTML with the same lines."""
    return escape(text).replace("\n", "<br>")
