"""Files of spectra, which are read lazily where their format can be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import hyperspy.api as hs

from hyperspy_coreloss.errors import CoreLossError, SignalError
from hyperspy_coreloss.signals.spectrum_axis import channel_energies

if TYPE_CHECKING:
    from pathlib import Path

    from hyperspy.signals import BaseSignal


def spectra_of(file: Path, edge: float) -> list[BaseSignal]:
    """Return the signals of a file that hold an edge.

    Parameters
    ----------
    file
        File in any format that HyperSpy reads.
    edge
        Energy in eV that their axes must hold.

    Raises
    ------
    SignalError
        If it has none.
    """
    loaded = _loaded(file)
    found = [signal for signal in loaded if _holds(signal, edge)]
    if not found:
        msg = (
            f"Spectra whose energy axis holds the edge at {edge:g} eV are needed, but the file has "
            f"{', '.join(map(str, loaded)) or 'no signal'}."
        )
        raise SignalError(msg)
    return found


def low_loss_of(file: Path) -> BaseSignal:
    """Return the low-loss spectra of a file.

    Parameters
    ----------
    file
        File in any format that HyperSpy reads.

    Raises
    ------
    SignalError
        If it has none.
    """
    found = [signal for signal in _loaded(file) if _holds(signal, 0.0)]
    if not found:
        msg = f"Low-loss spectra whose energy axis holds 0 eV are needed, but {file} has none."
        raise SignalError(msg)
    return found[0]


def _loaded(file: Path) -> list[BaseSignal]:
    """Return the signals of a file, lazily if its format can be read so."""
    reader = logging.getLogger("hyperspy.io")
    reader.addFilter(_is_no_error)  # that asks users to report each file; the table has the reason
    try:
        loaded = hs.load(file, lazy=True)
    except NotImplementedError:  # by .msa, for example, which holds one spectrum
        loaded = hs.load(file)
    finally:
        reader.removeFilter(_is_no_error)
    return list(loaded) if isinstance(loaded, list) else [loaded]


def _is_no_error(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR


def _holds(signal: BaseSignal, energy: float) -> bool:
    try:
        axis = channel_energies(signal)
    except CoreLossError:  # an image, or spectra of something else
        return False
    return bool(axis.min() < energy < axis.max())
