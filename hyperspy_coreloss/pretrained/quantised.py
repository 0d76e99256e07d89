"""Numbers of models stored as whole multiples of a step, in one byte each.

Rounding costs little beside the errors of predictions, which are measured with rounded weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Ends of the names of the weights of a layer, and of the steps that they are multiples of.
WEIGHT, STEP = ".weight", ".step"
# Largest multiple of a step, of both signs.
_LARGEST = 127


def quantise(
    values: NDArray[np.floating], axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return values as multiples of steps, and the steps.

    Parameters
    ----------
    values
        Numbers.
    axis
        Axis along which all values have one step: the smallest that reaches the largest of them.

    Returns
    -------
    multiples, steps : ndarray
        Of the shape of `values`, and of this shape without `axis`. A step is not finite if one of
        its values is not, so that no model can be made of them.
    """
    largest = np.abs(values).max(axis=axis, keepdims=True)
    steps = np.where(largest == 0, 1.0, largest / _LARGEST).astype(np.float32)
    finite = np.isfinite(values) & np.isfinite(steps)
    multiples = np.rint(np.divide(values, steps, out=np.zeros(values.shape), where=finite))
    return multiples.clip(-_LARGEST, _LARGEST).astype(np.int8), steps.squeeze(axis)
