"""The error of a signal that is no complete result, as those of damaged files."""

from __future__ import annotations

from typing import Any

import numpy as np

from hyperspy_coreloss.errors import SignalError


def damaged(path: str, needed: str, found: Any) -> SignalError:
    """Return the error of an entry of the metadata that is missing or cannot be.

    Parameters
    ----------
    path
        Path of the entry in the metadata.
    needed
        What the entry must be.
    found
        What it is.
    """
    shown = ascii(found)[:60]
    if isinstance(found, np.ndarray):
        shown = f"an array of the type {found.dtype} and the shape {found.shape}"
    return SignalError(
        f"This signal is no complete result: metadata.{path} needs {needed}, but it has {shown}. "
        "Take the signal that predict_properties returned, or load an undamaged file of it."
    )
