"""Calibration of a measured spectrum on the computed edge of its material, if they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.errors import CalibrationError
from hyperspy_coreloss.spectra.agreement import RANGES, agreement
from hyperspy_coreloss.spectra.calibration import UNCERTAINTIES, Calibration
from hyperspy_coreloss.spectra.edge_fit import fit_edge
from hyperspy_coreloss.spectra.edge_model import BOUNDS, PARAMETERS
from hyperspy_coreloss.spectra.edge_transforms import even_step, transform_edges
from hyperspy_coreloss.spectra.quality import Quality, input_quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.spectra.calibration import ReferenceEdge
    from hyperspy_coreloss.spectra.edge_fit import EdgeFit

# The intensity of the edge is this many times its counting noise.
_LEAST_SIGNIFICANCE = 30.0
# Largest difference of theory and measurement, in root mean squares of the edge. Two theories of
# one material differ by up to 0.2.
_LARGEST_DIFFERENCE = 0.3
# Largest uncertainties of the energy offset in eV, and of the dispersion relative to it.
_LARGEST_UNCERTAINTIES = (0.5, 0.01)
# Distance from a bound, in widths of its interval, that counts as having reached it.
_AT_BOUND = 1e-4


def calibrate_spectrum(
    energy: NDArray[np.floating],
    counts: NDArray[np.floating],
    reference: ReferenceEdge,
    position_range: tuple[float, float],
) -> Calibration:
    """Fit the computed edge of a material to its measured spectrum.

    Parameters
    ----------
    energy
        Ascending, evenly spaced energies of the channels in eV, shape (channels,).
    counts
        Intensities, shape (channels,).
    reference
        The computed edge.
    position_range
        Energies in eV between which the edge lies on the axis.

    Raises
    ------
    CalibrationError
        If the spectrum cannot be read, has no clear edge, or is not that of the material.
    EnergyRangeError
        If the channels are not evenly spaced, or the spectrum or the computed edge is too short.
    """
    _check_spectrum(counts)
    edges = transform_edges(reference.energy, reference.intensity[None], reference.sigma)
    # Squares of any number that a file can hold must not overflow.
    scale = counts.max()
    fit = fit_edge(energy, counts / scale, edges, position_range)
    position, dispersion_error, resolution, thickness = fit.values.tolist()
    nominal = even_step(energy)
    distance = (1.0 + dispersion_error) * (fit.energy - position)
    spectra = (distance, fit.measured, fit.fitted, fit.background, fit.variance)
    _check_edge(fit, distance, reference.material)
    whole = agreement(*spectra, (0.0, float(distance[-1])))
    _check_fit(fit, 0.0 if whole is None else whole.difference, reference.material)
    uncertainties = fit.uncertainties * (1.0, nominal, 1.0, 1.0)
    return Calibration(
        reference=reference,
        position=position,
        dispersion=(1.0 + dispersion_error) * nominal,
        nominal_dispersion=nominal,
        resolution=resolution,
        relative_thickness=thickness,
        uncertainties=dict(zip(UNCERTAINTIES, uncertainties.tolist(), strict=True)),
        energy=fit.energy,
        measured=scale * fit.measured,
        fitted=scale * fit.fitted,
        background=scale * fit.background,
        agreement=tuple(
            one for limits in RANGES if (one := agreement(*spectra, limits)) is not None
        ),
    )


def _check_spectrum(counts: NDArray[np.floating]) -> None:
    quality = Quality(int(input_quality(counts[None])[0]))
    if quality is Quality.GOOD and counts.max() <= 0:
        quality = Quality.NEGATIVE
    if quality is not Quality.GOOD:
        msg = f"The reference cannot be read: {quality.reason}. Choose another region of it."
        raise CalibrationError(msg)


def _check_edge(fit: EdgeFit, distance: NDArray[np.floating], material: str) -> None:
    behind = distance > 0
    edge = np.maximum(fit.fitted - fit.background, 0.0)[behind]
    variance = np.maximum(fit.variance[behind], np.finfo(np.float64).tiny)
    significance = np.sqrt(np.sum(np.square(edge) / variance))
    if not significance >= _LEAST_SIGNIFICANCE:
        msg = (
            f"No edge of {material}: it must stand {_LEAST_SIGNIFICANCE:g} times above the noise, "
            f"but what was found near {fit.values[0]:.1f} eV stands {significance:.1f} times above "
            "it. Sum more pixels, or give onset_range, the range of the edge on this axis."
        )
        raise CalibrationError(msg)


def _check_fit(fit: EdgeFit, difference: float, material: str) -> None:
    remedy = (
        "Check that the reference is this material, that its region holds nothing else, and that "
        "no other edge lies on the axis; crop what does."
    )
    for name, value, (low, high) in zip(PARAMETERS[1:], fit.values[1:], BOUNDS, strict=True):
        near = _AT_BOUND * (high - low)
        # Thin specimens and sharp spectra are at their bounds.
        if value > high - near or (name == "dispersion_error" and value < low + near):
            msg = (
                f"The spectrum is not that of {material} within the limits of a calibration: the "
                f"best fit has a {name.replace('_', ' ')} of {value:.3g}, at the limit. {remedy}"
            )
            raise CalibrationError(msg)
    if not difference <= _LARGEST_DIFFERENCE:
        msg = (
            f"The spectrum is not that of {material}: theory and measurement should differ by "
            f"{_LARGEST_DIFFERENCE:.0%} of the edge or less, but they differ by {difference:.0%}. "
            f"{remedy}"
        )
        raise CalibrationError(msg)
    if not (fit.uncertainties[:2] <= _LARGEST_UNCERTAINTIES).all():
        msg = (
            f"The spectrum does not tell its calibration: the energy offset is known to "
            f"{fit.uncertainties[0]:.2f} eV and the dispersion to {fit.uncertainties[1]:.1%}, but "
            f"{_LARGEST_UNCERTAINTIES[0]:g} eV and {_LARGEST_UNCERTAINTIES[1]:.0%} are needed. Sum "
            f"more pixels, or measure further behind the edge. {remedy}"
        )
        raise CalibrationError(msg)
