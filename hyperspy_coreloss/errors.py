"""Every error this package raises on purpose.

::

    CoreLossError
    ├── EnergyAxisError (ValueError)          no energy units, wrong order, wrong dimension
    ├── EnergyRangeError (ValueError)         the spectrum does not cover what is needed
    ├── ResolutionError (ValueError)          too coarse a dispersion, too poor a resolution
    ├── SignalError (ValueError)              data of a kind the pipeline cannot read
    ├── UnknownPropertyError (KeyError)       no property of that name
    ├── DatasetError (ValueError)             spectra, labels or groups disagree
    ├── PretrainedNotFoundError (LookupError) no pretrained model of that name
    ├── PretrainedFormatError (ValueError)    a file that is no (complete) pretrained model
    ├── StructureError (ValueError)           a crystal structure that cannot be used
    └── SimulationError (RuntimeError)        a first-principles calculation failed

Each one also inherits the built-in error it refines, so ``except ValueError`` works too.
"""

from __future__ import annotations


class CoreLossError(Exception):
    """Base of all errors of this package."""


class EnergyAxisError(CoreLossError, ValueError):
    """The signal axis cannot be read as an energy axis."""


class EnergyRangeError(CoreLossError, ValueError):
    """The energy axis does not cover what is needed."""


class ResolutionError(CoreLossError, ValueError):
    """The energy resolution or the dispersion is too coarse for the pretrained model."""


class SignalError(CoreLossError, ValueError):
    """The data are of a kind the pipeline cannot read."""


class UnknownPropertyError(CoreLossError, KeyError):
    """No property of that name."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr of the message


class DatasetError(CoreLossError, ValueError):
    """Spectra, labels or groups of a data set disagree."""


class PretrainedNotFoundError(CoreLossError, LookupError):
    """No pretrained model of that name."""


class PretrainedFormatError(CoreLossError, ValueError):
    """A file that is not a complete, readable pretrained model."""


class StructureError(CoreLossError, ValueError):
    """A crystal structure that cannot be used."""


class SimulationError(CoreLossError, RuntimeError):
    """A first-principles calculation failed."""
