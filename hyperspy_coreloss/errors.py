"""The errors that this package raises.

::

    CoreLossError
    ├── EnergyAxisError (ValueError)          no energy units, wrong order, wrong dimension
    ├── EnergyRangeError (ValueError)         the axis does not cover the required energies
    ├── ResolutionError (ValueError)          dispersion or energy resolution too coarse
    ├── SignalError (ValueError)              data or options that preprocessing cannot use
    ├── CalibrationError (ValueError)         a reference, or a fit to it, that calibrates nothing
    ├── UnknownPropertyError (KeyError)       no property has this name
    ├── DatasetError (ValueError)             incomplete or inconsistent data set
    ├── PretrainedNotFoundError (LookupError) no pretrained model has this name
    ├── PretrainedFormatError (ValueError)    a file is not a complete pretrained model
    ├── StructureError (ValueError)           a crystal structure that cannot be used
    └── SimulationError (RuntimeError)        a first-principles calculation failed

Each error also inherits from the built-in error in brackets, so ``except ValueError`` catches it.
"""

from __future__ import annotations


class CoreLossError(Exception):
    """Base class of all errors of this package."""


class EnergyAxisError(CoreLossError, ValueError):
    """The signal axis cannot be read as an energy axis."""


class EnergyRangeError(CoreLossError, ValueError):
    """The energy axis does not cover the required energies."""


class ResolutionError(CoreLossError, ValueError):
    """The energy resolution or the dispersion is too coarse for the pretrained model."""


class SignalError(CoreLossError, ValueError):
    """The data or the options cannot be used in preprocessing."""


class CalibrationError(CoreLossError, ValueError):
    """A reference that calibrates nothing, or a calibration that does not apply."""


class UnknownPropertyError(CoreLossError, KeyError):
    """No property has the given name."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError shows the repr of the message.


class DatasetError(CoreLossError, ValueError):
    """A data set, or a file to be read as one, is incomplete or inconsistent."""


class PretrainedNotFoundError(CoreLossError, LookupError):
    """No pretrained model has the given name."""


class PretrainedFormatError(CoreLossError, ValueError):
    """The file is not a complete, readable pretrained model."""


class StructureError(CoreLossError, ValueError):
    """The crystal structure cannot be used."""


class SimulationError(CoreLossError, RuntimeError):
    """A first-principles calculation failed."""
