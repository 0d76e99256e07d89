"""Calibration of measurements on a material whose spectrum is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.inputs import default_recipe
from hyperspy_coreloss.dataset.minerals import MINERALS
from hyperspy_coreloss.dataset.reference import reference_edge
from hyperspy_coreloss.dataset.shipped import oxygen_k_sites
from hyperspy_coreloss.errors import CalibrationError, EnergyAxisError
from hyperspy_coreloss.signals.spectrum_axis import channel_energies, limits_in_ev
from hyperspy_coreloss.spectra.reference_fit import calibrate_spectrum

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.spectra.calibration import Calibration

# The edge of an axis that is not calibrated lies this far from the tabulated onset, in eV.
_REACH = 20.0
# Other minerals are tried if theory and measurement differ by more than this fraction of the edge.
# One that differs by less than this fraction of the difference is the better name.
_DOUBTFUL = 0.03
_BETTER = 0.5


def calibrate(
    reference: BaseSignal,
    material: str,
    dataset: SpectrumDataset | None = None,
    *,
    onset_range: tuple[float, float] | None = None,
) -> Calibration:
    """Calibrate energy axis, resolution and thickness on a material whose spectrum is computed.

    The computed spectrum of the material, the mean over its sites at their own excitation
    energies, is fitted to the measured one on a power-law background: energy offset, dispersion,
    resolution and relative thickness (with the plural scattering of silica).

    Parameters
    ----------
    reference
        Core-loss spectra of the material with the background, on an evenly spaced energy axis: one
        spectrum, a map, whose sum is taken, or a region of one. Pixels with channels that are not
        finite, such as those outside a region of interest, are left out. The axis begins 10 eV or
        more before the edge and ends 25 eV or more behind it; 40 eV before it and 100 eV behind it
        are best. Crop other edges.
    material
        Name of a mineral, such as ``"alpha-quartz"``, or of a structure of the data set, or
        ``"amorphous silica"``: the mean over the glass of the data set.
    dataset
        Computed spectra with excitation energies. The default is that shipped with the package.
    onset_range
        Limits between which the edge lies on the axis: floats are axis values, integers are channel
        indices. The default is 20 eV on both sides of the tabulated onset.

    Returns
    -------
    Calibration
        For the argument `calibration` of :func:`~hyperspy_coreloss.predict_properties`.

    Raises
    ------
    CalibrationError
        If the reference has no clear edge, or its spectrum is not that of the material.
    DatasetError
        If the data set does not have the material or its excitation energies.
    SignalError
        If the signal does not contain real spectra along one signal axis.
    EnergyAxisError
        If the signal axis has no units of energy, or its channels are not evenly spaced.
    EnergyRangeError
        If the axis does not cover the edge, or `onset_range` is no range.
    """
    energy = channel_energies(reference)
    dataset = oxygen_k_sites() if dataset is None else dataset
    computed = reference_edge(dataset, material)
    limits = limits_in_ev(reference, onset_range, "onset_range")
    if limits is None:
        nominal = default_recipe(dataset).nominal_onset
        limits = nominal - _REACH, nominal + _REACH
    counts = _summed(reference)
    if energy[0] > energy[-1]:
        energy, counts = energy[::-1], counts[::-1]
    _check_even(energy)
    calibration = calibrate_spectrum(energy, counts, computed, limits)
    _check_others(calibration, energy, counts, dataset, limits)
    return calibration


def _summed(reference: BaseSignal) -> NDArray[np.float64]:
    """Return the sum of the spectra without the pixels that have channels without a value."""
    spectra = reference.data.reshape(-1, reference.data.shape[-1])
    if not isinstance(spectra, np.ma.MaskedArray):
        return _sum_of_whole(spectra)
    return _sum_of_whole(np.ma.filled(spectra.astype(np.float64), np.nan))


def _sum_of_whole(spectra: NDArray) -> NDArray[np.float64]:
    whole = np.isfinite(spectra).all(axis=-1)
    number = int(whole.sum())
    if not number:
        msg = (
            f"A reference needs spectra whose channels are all finite, but none of its "
            f"{len(spectra)} is. Choose another region, or crop the channels without a value."
        )
        raise CalibrationError(msg)
    kept = np.where(whole[:, None], spectra, np.zeros((), dtype=spectra.dtype))
    return np.asarray(kept.sum(axis=0, dtype=np.float64))


def _check_even(energy: NDArray[np.floating]) -> None:
    widths = np.diff(energy)
    if not np.allclose(widths, widths.mean(), rtol=1e-4):
        msg = (
            "A calibration needs evenly spaced channels, but their widths are "
            f"{widths.min():.6g} to {widths.max():.6g} eV. Interpolate the spectra on a uniform "
            "axis: s.interpolate_on_axis(...)."
        )
        raise EnergyAxisError(msg)


def _difference(calibration: Calibration) -> float:
    return float(np.mean([one.difference for one in calibration.agreement]))


def _check_others(
    calibration: Calibration,
    energy: NDArray[np.floating],
    counts: NDArray[np.floating],
    dataset: SpectrumDataset,
    limits: tuple[float, float],
) -> None:
    """Raise an error if the spectrum of another mineral fits much better."""
    found = _difference(calibration)
    if found <= _DOUBTFUL:
        return
    present = set(dataset.structures)
    for mineral, structure in MINERALS.items():
        if structure not in present or calibration.material in (mineral, structure):
            continue
        try:
            other = calibrate_spectrum(energy, counts, reference_edge(dataset, mineral), limits)
        except CalibrationError:
            continue
        if _difference(other) < _BETTER * found:
            msg = (
                f"The spectrum is not that of {calibration.material}, from which it differs by "
                f"{found:.1%} of the edge: that of {mineral} differs by {_difference(other):.1%}. "
                "Check which material the reference is."
            )
            raise CalibrationError(msg)
