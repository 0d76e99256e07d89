"""What users call: predict the properties of signals, and measure their resolution."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from hyperspy.signals import BaseSignal

from hyperspy_coreloss.errors import EnergyRangeError, SignalError
from hyperspy_coreloss.pretrained.families import find_family
from hyperspy_coreloss.pretrained.inference import map_spectra
from hyperspy_coreloss.signals.lazy import lazy_prediction
from hyperspy_coreloss.signals.metadata import describe_prediction
from hyperspy_coreloss.signals.spectrum_axis import channel_energies
from hyperspy_coreloss.spectra.broadening import zero_loss_fwhm
from hyperspy_coreloss.spectra.energy import axis_in_ev
from hyperspy_coreloss.spectra.preparation import prepare_surveyed, survey_axis

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal
    from hyperspy_coreloss.spectra.recipe import Background


def predict_properties(
    signal: BaseSignal,
    pretrained: str | Path | PretrainedModel | None = None,
    *,
    resolution: float | None = None,
    background: Background = "power law",
    background_range: tuple[float, float] | None = None,
    onset_range: tuple[float, float] | None = None,
    energy_offset: float | None = None,
    navigation_mask: NDArray | BaseSignal | None = None,
    lazy_output: bool | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> CoreLossPropertySignal:
    """Predict local properties of the absorbing atom from each core-loss spectrum.

    Implements Kiyohara et al. 2019, J. Phys. Mater. 2, 024003: mean bond length, mean bond angle,
    Voronoi volume, bond overlap population, Mulliken charge and excitation energy from oxygen K
    edges of silicon oxides. Each spectrum loses its power-law background, is broadened to the
    resolution of the pretrained model, counted from its own threshold and read by a feed-forward
    network.

    Parameters
    ----------
    signal
        Core-loss spectra with an energy axis in any unit of energy.
    pretrained
        Name (see :func:`~hyperspy_coreloss.list_pretrained`), file, or a loaded model. Of a
        family of models, by its name or by default, the sharpest is taken that the spectra can be
        broadened to; the full name of one, a file or a model is taken as it is.
    resolution
        Energy resolution of the spectra in eV: the full width at half maximum of the zero loss
        (see :func:`measure_resolution`). If None, the spectra are taken as perfectly sharp, with
        a warning, and read by the model that the family is named after.
    background
        ``"power law"``, or None if the spectra have no background any more.
    background_range
        Where to fit the background, as for ``remove_background``: floats are axis values,
        integers are channels, or a ``SpanROI``. By default up to 30 eV that end 5 eV before the
        edge of each spectrum.
    onset_range
        Where to look for the onset, in the same forms. By default within 20 eV of the tabulated
        one, because axes are often uncalibrated.
    energy_offset
        For models that read spectra at their excitation energies, and only for those: what to add
        to a threshold on the axis to get the computed excitation energy of the same material, in
        eV. The user guide tells how to measure it.
    navigation_mask
        True for spectra to leave out, of the navigation shape.
    lazy_output
        Whether to return a lazy signal; by default as the input.
    show_progressbar
        Whether to show a progress bar; by default HyperSpy's preference.
    num_workers
        Number of dask workers; by default all cores.

    Returns
    -------
    CoreLossPropertySignal
        Navigation axes of the input, and the properties along the signal axis. Spectra that
        cannot be read are NaN, with the reason in the map ``quality``.

    Raises
    ------
    SignalError
        If the signal is not made of real one-dimensional spectra, or `energy_offset` is missing
        or without meaning.
    EnergyAxisError
        If the signal axis has no units of energy.
    EnergyRangeError
        If the spectra do not cover the window, or leave no room for the background.
    ResolutionError
        If the dispersion or the resolution is too coarse for the pretrained model, or for all
        models of the family.

    Examples
    --------
    >>> import hyperspy_coreloss as hc
    >>> s, truth = hc.data.silica_spectrum_image((8, 6))
    >>> s.predict_properties(resolution=0.5)
    <CoreLossPropertySignal, title: Properties of Simulated silica, dimensions: (8, 6|6)>
    """
    energy = channel_energies(signal)
    ranges: dict[str, Any] = {
        "background": background,
        "background_range": _limits_in_ev(signal, background_range),
        "onset_range": _limits_in_ev(signal, onset_range),
    }
    family = find_family(pretrained)
    survey = survey_axis(family.named.recipe, energy, **ranges)
    model = family.sharpest(resolution, survey.dispersion)
    if resolution is None:
        msg = (
            "No resolution was given: the spectra are taken as perfectly sharp and broadened by "
            f"σ = {model.recipe.sigma:g} eV. Pass resolution=, the full width at half maximum of "
            "the zero loss in eV; hyperspy_coreloss.measure_resolution(low_loss) measures it."
        )
        warnings.warn(msg, stacklevel=2)
    preparation = prepare_surveyed(
        model.recipe,
        survey,
        resolution=0.0 if resolution is None else resolution,
        binned=signal.axes_manager.signal_axes[0].is_binned,
        energy_offset=energy_offset,
    )
    excluded = _excluded(signal, navigation_mask)
    prediction = map_spectra(signal.data, preparation, model, excluded)
    result = lazy_prediction(
        prediction,
        signal.axes_manager.navigation_axes[::-1],
        describe_prediction(signal, model, preparation, resolution),
    )
    if not (signal._lazy if lazy_output is None else lazy_output):
        workers: dict[str, Any] = {} if num_workers is None else {"num_workers": num_workers}
        result.compute(show_progressbar=show_progressbar, **workers)
    return result


def measure_resolution(low_loss: BaseSignal) -> float:
    """Measure the energy resolution: the full width at half maximum of the zero loss.

    Parameters
    ----------
    low_loss
        Low-loss spectra with their zero loss. Of a map, the median over at most 256 evenly
        spread spectra is taken, so that drift does not widen it.

    Returns
    -------
    float
        Resolution in eV, for the argument `resolution` of :func:`predict_properties`.

    Raises
    ------
    SignalError
        If a spectrum has no zero loss.
    """
    energy = channel_energies(low_loss)
    order = np.argsort(energy)
    spectra = low_loss.data.reshape(-1, energy.size)
    chosen = np.unique(np.linspace(0, len(spectra) - 1, 256).astype(int))
    read = np.asarray(spectra[chosen])
    widths = [zero_loss_fwhm(spectrum[order], energy[order]) for spectrum in read]
    return float(np.median(widths))


def _limits_in_ev(signal: BaseSignal, limits: Any) -> tuple[float, float] | None:
    """Return limits given as HyperSpy's signal ranges in eV, in rising order."""
    if limits is None:
        return None
    try:
        first, second = limits
    except (TypeError, ValueError) as error:
        msg = f"A range needs two limits, for example (490.0, 520.0), but it is {limits!r}."
        raise EnergyRangeError(msg) from error
    axis = signal.axes_manager.signal_axes[0]
    values = [
        axis.index2value(limit) if isinstance(limit, (int, np.integer)) else float(limit)
        for limit in (first, second)
    ]
    low, high = sorted(axis_in_ev(np.array(values), axis.units).tolist())
    return low, high


def _excluded(signal: BaseSignal, navigation_mask: Any) -> NDArray[np.bool_] | None:
    if navigation_mask is None:
        return None
    mask = navigation_mask.data if isinstance(navigation_mask, BaseSignal) else navigation_mask
    excluded = np.asarray(mask).astype(bool)
    shape = signal.data.shape[:-1]
    if excluded.shape != shape:
        msg = (
            f"The navigation mask needs the shape {shape} (True excludes a spectrum), but it has "
            f"{excluded.shape}."
        )
        raise SignalError(msg)
    return excluded
