"""What a microscope makes of a spectrum: effects of specimen, optics and detector, to draw from.

One description serves the training of models, the simulated spectrum image and the tests of
robustness. :mod:`.measurement` applies it to computed spectra.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.spectra.spread import LogUniform, Normal, Spread, Uniform, smallest

if TYPE_CHECKING:
    from collections.abc import Mapping

# Effects that cannot be negative.
_NOT_NEGATIVE = (
    "relative_thickness",
    "resolution",
    "tail_fraction",
    "drift",
    "counts",
    "jump_ratio",
    "readout_noise",
    "gain_pattern",
    "mixed_fraction",
)


@dataclass(frozen=True, slots=True)
class Microscope:
    """Effects of a measurement on the spectrum of an edge.

    Each effect is a number, or a distribution (:class:`.Uniform`, :class:`.LogUniform` or
    :class:`.Normal`) from which each spectrum gets its own value. The defaults are those of a
    perfect measurement.

    Parameters
    ----------
    relative_thickness
        Thickness of the specimen divided by the inelastic mean free path (t/λ), for plural
        scattering.
    resolution
        Energy resolution that the user of the instrument states: full width at half maximum of
        the zero loss, in eV. It is drawn once for each acquisition.
    resolution_error
        The true resolution is the stated one times one plus this.
    tail_fraction
        Fraction of the intensity in the Lorentzian tails of the detector.
    tail_width
        Full width at half maximum of these tails, in eV.
    drift
        Standard deviation in eV of the energy drift within the acquisition of one spectrum.
    dispersion_error
        Relative error of the calibrated dispersion: above zero, the axis is shorter than it says.
    counts
        Electrons in the highest 0.1 eV of the edge; infinity for no counting noise.
    jump_ratio
        Height of the edge divided by that of the background at the threshold; infinity for no
        background.
    background_exponent
        Exponent of the background's power law.
    background_residue
        What a power law does not describe of the background: a straight line from zero at 30 eV
        before the threshold, in units of the edge's height at 70 eV behind it.
    intensity_error
        Slow relative change of the intensity with energy, as from the errors of the computed cross
        section and of the detector's response: the amplitude of a wave of 200 to 600 eV, slower
        than the oscillations that tell distances.
    readout_noise
        Standard deviation of the detector's noise, in counts of one channel.
    zero_error
        Intensity of the detector without electrons that is left after the dark correction, in
        counts of one channel.
    gain_pattern
        Standard deviation of the relative gain of the channels.
    gain_step
        Relative step of the gain between two parts of the detector, at a random channel.
    mixed_fraction
        Fraction of the spectra that are means over several sites.
    mixed_sites
        Number of sites of a mixed spectrum; rounded to a whole number of 2 or more.
    phases_mixed
        Number of phases from which the sites of a mixed spectrum are taken.
    neighbour_position
        Threshold of another edge in eV, relative to that of this one.
    neighbour_height
        Height of the other edge divided by that of this one; 0 for no other edge.

    Raises
    ------
    SignalError
        If a number is not finite or of the wrong sign.
    """

    relative_thickness: Spread = 0.0
    resolution: Spread = 0.0
    resolution_error: Spread = 0.0
    tail_fraction: Spread = 0.0
    tail_width: Spread = 4.0
    drift: Spread = 0.0
    dispersion_error: Spread = 0.0
    counts: Spread = float("inf")
    jump_ratio: Spread = float("inf")
    background_exponent: Spread = 3.0
    background_residue: Spread = 0.0
    intensity_error: Spread = 0.0
    readout_noise: Spread = 0.0
    zero_error: Spread = 0.0
    gain_pattern: Spread = 0.0
    gain_step: Spread = 0.0
    mixed_fraction: float = 0.0
    mixed_sites: Spread = 2.0
    phases_mixed: int = 1
    neighbour_position: Spread = 40.0
    neighbour_height: Spread = 0.0

    def __post_init__(self) -> None:
        for name in _NOT_NEGATIVE:
            value = getattr(self, name)
            if not smallest(value) >= 0:
                msg = f"{name} of a Microscope must be zero or more, but it is {value!r}."
                raise SignalError(msg)
        if not (self.mixed_fraction <= 1 and self.phases_mixed >= 1 and self.counts):
            msg = (
                "A Microscope needs a mixed_fraction of 1 or less, phases_mixed of 1 or more and "
                f"counts above 0, but they are {self.mixed_fraction!r}, {self.phases_mixed!r} and "
                f"{self.counts!r}."
            )
            raise SignalError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return the effects that differ from those of a perfect measurement, JSON-ready.

        A distribution is the list of its name and its two numbers.
        """
        perfect = Microscope()
        return {
            field.name: _as_json(getattr(self, field.name))
            for field in fields(self)
            if getattr(self, field.name) != getattr(perfect, field.name)
        }

    @classmethod
    def from_dict(cls, effects: Mapping[str, Any]) -> Microscope:
        """Create a microscope from the dictionary of :meth:`to_dict`."""
        return cls(**{name: _from_json(value) for name, value in effects.items()})


#: A good dedicated instrument and an ideal specimen: only the resolution is finite.
CLEAN = Microscope(resolution=Uniform(0.3, 0.6))

#: What most users measure, with a calibrated instrument and a specimen of up to one mean free path.
TYPICAL = Microscope(
    relative_thickness=Uniform(0.0, 1.0),
    resolution=Uniform(0.3, 0.8),
    resolution_error=Normal(0.0, 0.1),
    dispersion_error=Normal(0.0, 0.01),
    counts=LogUniform(300.0, 1e5),
    jump_ratio=LogUniform(0.2, 2.0),
    background_exponent=Uniform(2.5, 4.0),
    readout_noise=Uniform(0.0, 1.0),
    gain_pattern=0.001,
    mixed_fraction=0.5,
    mixed_sites=LogUniform(2.0, 20.0),
)

#: Thick specimens, few electrons, an instrument that nobody has calibrated.
HARSH = Microscope(
    relative_thickness=Uniform(0.0, 1.5),
    resolution=Uniform(0.3, 0.8),
    resolution_error=Normal(0.0, 0.3),
    tail_fraction=Uniform(0.0, 0.3),
    drift=Uniform(0.0, 0.2),
    dispersion_error=Normal(0.0, 0.03),
    counts=LogUniform(30.0, 1e3),
    jump_ratio=LogUniform(0.05, 2.0),
    background_exponent=Uniform(2.0, 5.0),
    background_residue=Normal(0.0, 0.05),
    readout_noise=Uniform(0.0, 3.0),
    zero_error=Normal(0.0, 1.0),
    gain_pattern=0.005,
    gain_step=Normal(0.0, 0.01),
    mixed_fraction=0.5,
    mixed_sites=LogUniform(2.0, 20.0),
    phases_mixed=2,
)

#: Named microscopes, from the easiest to the hardest.
MICROSCOPES: Mapping[str, Microscope] = MappingProxyType(
    {"clean": CLEAN, "typical": TYPICAL, "harsh": HARSH}
)


def named_microscope(name: str) -> Microscope:
    """Return a microscope to draw from by its name.

    Parameters
    ----------
    name
        ``"clean"``: an ideal specimen, and only the resolution is finite. ``"typical"``: up to one
        mean free path of thickness, 300 to 10⁵ counts in the highest 0.1 eV of the edge, a
        dispersion that is right to 1 %, and half of the pixels means over several sites.
        ``"harsh"``: thick specimens, few counts, and an instrument that nobody has calibrated.

    Raises
    ------
    SignalError
        If no microscope has this name.

    Examples
    --------
    >>> named_microscope("typical").relative_thickness
    Uniform(low=0.0, high=1.0)
    """
    if name not in MICROSCOPES:
        msg = f"No microscope has the name {name!r}. Choose from {', '.join(MICROSCOPES)}."
        raise SignalError(msg)
    return MICROSCOPES[name]


_DISTRIBUTIONS = {kind.__name__: kind for kind in (Uniform, LogUniform, Normal)}


def _as_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *asdict(value).values()]
    return value


def _from_json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        kind, *numbers = value
        return _DISTRIBUTIONS[kind](*numbers)
    return value
