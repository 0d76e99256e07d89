"""Computation of dask arrays with the progress bar of HyperSpy."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from hyperspy.api import preferences
from tqdm.dask import TqdmCallback


def progress_bar(show_progressbar: bool | None) -> AbstractContextManager[Any]:
    """Return a context that shows the progress of the computations of dask in it.

    Parameters
    ----------
    show_progressbar
        Whether to show a progress bar; None for HyperSpy's preference.
    """
    shown = preferences.General.show_progressbar if show_progressbar is None else show_progressbar
    bar: AbstractContextManager[Any] = TqdmCallback() if shown else nullcontext()
    return bar
