"""Results as a data frame of pandas, with a row for each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.signals.pixel_table import USUAL_LEVEL, WORDS, pixel_table, place_heads

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal


def data_frame(result: BaseSignal, level: float | None = USUAL_LEVEL) -> Any:
    """Return the columns of :func:`.pixel_table` as a data frame.

    Parameters
    ----------
    result
        Result in memory.
    level
        Coverage of the intervals, between 0 and 1; None leaves their half widths out.

    Returns
    -------
    pandas.DataFrame
        The index has the places of the pixels. Qualities and populations are categories, in the
        order of their codes.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.
    SignalError
        If `level` is not between 0 and 1, or the result is of a damaged file.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        msg = "A data frame needs the package pandas, which is not installed: pip install pandas."
        raise ModuleNotFoundError(msg, name="pandas") from error
    columns: dict[str, Any] = pixel_table(result, level)
    for name in columns.keys() & WORDS.keys():
        words = np.where(columns[name] == "", None, columns[name])
        columns[name] = pd.Categorical(words, categories=WORDS[name])
    places = place_heads(result, list(columns)[len(place_heads(result)) :])
    frame = pd.DataFrame(columns)
    return frame.set_index(places) if places else frame.rename_axis("spectrum")
