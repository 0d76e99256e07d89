"""Navigation masks, in the order of HyperSpy: that of ``axes_manager.navigation_shape``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hyperspy.signals import BaseSignal

from hyperspy_coreloss.errors import SignalError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_REMEDY = (
    "Give a signal, such as s.sum(-1) < 100, or turn an array in the order of s.data into one with "
    "hyperspy.api.signals.BaseSignal(mask).T."
)


def excluded_spectra(signal: BaseSignal, navigation_mask: Any) -> NDArray[np.bool_] | None:
    """Return which spectra a mask excludes, in the order of the array of the signal.

    Parameters
    ----------
    signal
        The spectra.
    navigation_mask
        True excludes a spectrum. An array has the shape ``axes_manager.navigation_shape``, (x, y),
        as for HyperSpy's ``decomposition``. A signal has the navigation axes of the spectra as
        navigation axes, or all as signal axes. None excludes nothing.

    Returns
    -------
    ndarray or None
        Shape of the array of the signal without the channels.

    Raises
    ------
    SignalError
        If the mask has another shape or other values than True and False, or if it is an array
        and its order cannot be told from its shape, as on square maps.
    """
    if navigation_mask is None:
        return None
    axes = signal.axes_manager
    if isinstance(navigation_mask, BaseSignal):
        mask, needed = np.asarray(navigation_mask.data), tuple(axes.navigation_shape[::-1])
        given = navigation_mask.axes_manager
        if given.signal_dimension and given.navigation_dimension:
            msg = (
                "A mask that is a signal needs the navigation axes of the spectra and no others, "
                f"but it is {navigation_mask}. {_REMEDY}"
            )
            raise SignalError(msg)
        if needed == ():  # a single spectrum, of which HyperSpy makes an axis of length 1
            mask = mask.reshape(()) if mask.size == 1 else mask
        excluded = mask
    else:
        try:
            mask = np.asarray(navigation_mask)
        except ValueError as error:
            msg = f"The navigation mask cannot be read as an array: {error}. {_REMEDY}"
            raise SignalError(msg) from error
        needed = tuple(axes.navigation_shape)
        excluded = mask.T
    if mask.shape != needed:
        order = " (x, y)" if len(needed) == 2 and excluded is not mask else ""
        msg = (
            f"The navigation mask needs the shape {needed}{order} of the navigation axes, but it "
            f"has {mask.shape}. {_REMEDY}"
        )
        raise SignalError(msg)
    if not np.isin(mask, (True, False)).all():
        msg = (
            "The navigation mask needs the values True, which excludes a spectrum, and False, but "
            f"it is of the type {mask.dtype} and has others. Compare it, for example mask > 0."
        )
        raise SignalError(msg)
    if excluded is not mask and mask.shape == mask.shape[::-1] and (mask != mask.T).any():
        msg = (
            "The order of this navigation mask cannot be told from its shape: HyperSpy's order is "
            f"that of navigation_shape, {needed}, in which x comes first, but the array of the "
            f"signal has the same shape with x last. {_REMEDY} If x comes first in it, use "
            "BaseSignal(mask.T).T."
        )
        raise SignalError(msg)
    return np.asarray(excluded, dtype=bool)
