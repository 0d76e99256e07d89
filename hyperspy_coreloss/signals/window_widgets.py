"""The options of a prediction in a window of the desktop, for HyperSpy's toolkit ``traitsui``."""

from __future__ import annotations

from typing import Any

from hyperspy_coreloss.signals.prediction_form import FIELDS, HELP, PredictionForm


def prediction_window(obj: Any, display: bool = True, **_: Any) -> dict[str, Any] | None:
    """Show the window of an interactive prediction, or return what is in it.

    HyperSpy calls this function. It needs ``hyperspy_gui_traitsui``, and a backend of Matplotlib
    that has windows: Qt or Wx.

    Parameters
    ----------
    obj
        The interactive prediction.
    display
        Whether to show the window.

    Returns
    -------
    dict or None
        The options as texts, ``"form"``, and the ``"view"`` of them; None if the window is shown.

    Raises
    ------
    NotImplementedError
        If the backend has no windows.
    """
    import hyperspy_gui_traitsui  # noqa: F401  # takes the toolkit of Matplotlib's backend
    import traitsui.api as tu

    form = PredictionForm(obj)
    items = [
        tu.Item(
            name,
            label=label,
            tooltip=f"{meaning} (empty: {empty})",
            # A text is read when it is complete.
            editor=tu.TextEditor(auto_set=False, enter_set=True, placeholder=empty)
            if name != "pretrained"
            else tu.EnumEditor(values=form.models, evaluate=str),
        )
        for name, label, empty, meaning in FIELDS
    ]
    told = [tu.UItem(name, style="readonly") for name in ("status", "outcome")]
    buttons = tu.HGroup(
        tu.UItem("predict", editor=tu.ButtonEditor(label="Predict")),
        tu.UItem("close", editor=tu.ButtonEditor(label="Close")),
        tu.UItem("help", editor=tu.ButtonEditor(label="Help")),
    )
    view = tu.View(
        tu.VGroup(tu.VGroup(*items), tu.VGroup(*told), buttons),
        title="Predict properties",
        resizable=True,
        width=460,
    )
    if not display:
        return {"form": form, "view": view}
    window = form.edit_traits(view=view)
    form.observe(lambda _: _show_help(), "help")
    obj.observe(lambda event: window.dispose() if event.new else None, "closed")
    return None


def _show_help() -> None:
    from pyface.api import information

    information(None, HELP, title="Predict properties")
