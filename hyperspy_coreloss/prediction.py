"""Prediction of properties from HyperSpy signals, and measurement of their energy resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hyperspy.signals import LazySignal

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.families import find_family
from hyperspy_coreloss.pretrained.inference import map_spectra
from hyperspy_coreloss.signals.lazy import lazy_prediction
from hyperspy_coreloss.signals.metadata import describe_prediction
from hyperspy_coreloss.signals.navigation_mask import excluded_spectra
from hyperspy_coreloss.signals.spectrum_axis import channel_energies, limits_in_ev
from hyperspy_coreloss.signals.summary import LOGGER
from hyperspy_coreloss.spectra.broadening import check_resolution
from hyperspy_coreloss.spectra.preparation import prepare_surveyed, survey_axis
from hyperspy_coreloss.spectra.zero_loss import median_fwhm

if TYPE_CHECKING:
    from pathlib import Path

    from hyperspy.signals import BaseSignal
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
    edges of silicon oxides. For each spectrum, the power-law background is subtracted, the spectrum
    is broadened to the resolution of the pretrained model and its energies are taken relative to
    its own threshold. A feed-forward network predicts the properties from the result.

    Parameters
    ----------
    signal
        Core-loss spectra with an energy axis in any unit of energy.
    pretrained
        Name of a model or of a family of models (see
        :func:`~hyperspy_coreloss.list_pretrained`), path of a model file, or a loaded model. The
        default is the family for oxygen K edges of silica. From a family, the model with the
        smallest broadening σ to which the spectra can be broadened is selected. A model given by
        its full name, by its file or as an object is used whatever its σ.
    resolution
        Energy resolution of the spectra in eV: the full width at half maximum of the zero-loss
        peak (see :func:`measure_resolution`). If None, the resolution is taken as 0 eV, and
        the model that has the name of the family is used; the result and its summary record this.
    background
        ``"power law"``, or None if the background is already subtracted.
    background_range
        Limits of the background fit, as for ``remove_background``: floats are axis values,
        integers are channel indices, and a ``SpanROI`` gives both limits. Integers that could also
        be energies on the axis are refused. The default is a range of up to 30 eV that ends 5 eV
        before the edge of each spectrum.
    onset_range
        Limits between which the edge onset is searched, in the same forms. The default is 20 eV
        on both sides of the tabulated onset, because energy axes are often not calibrated.
    energy_offset
        Energy in eV that is added to a threshold on the energy axis to give the computed
        excitation energy of the same material. It is required for models with an absolute energy
        window, and not allowed for other models. The user guide describes how to measure it.
    navigation_mask
        True excludes a spectrum. A signal, such as ``s.sum(-1) < 100``, or an array of the shape
        ``s.axes_manager.navigation_shape``, in which x comes first, as for HyperSpy's
        ``decomposition``. An array on a square map is refused unless it is symmetric, because its
        order cannot be told.
    lazy_output
        Whether to return a lazy signal. By default, the result is lazy if the input is.
    show_progressbar
        Whether to show a progress bar. The default is HyperSpy's preference.
    num_workers
        Number of dask workers. By default, all cores are used.

    Returns
    -------
    CoreLossPropertySignal
        Signal with the navigation axes of the input and the properties along the signal axis. If
        a spectrum allows no prediction, its values are NaN and the map ``quality`` has the reason;
        the method ``summary`` counts them. If many spectra allow none, the counts are logged when
        the result is computed.

    Warns
    -----
    UserWarning
        If no spectrum allows a prediction. The message says what to do.

    Raises
    ------
    SignalError
        If the signal does not contain real spectra along one signal axis, `navigation_mask` has
        the wrong shape, values or order, `background`, `resolution` or `num_workers` is not valid,
        or `energy_offset` is missing or not allowed.
    EnergyAxisError
        If the signal axis has no units of energy.
    EnergyRangeError
        If the spectra do not cover the energy window of the model or the range of the background
        fit, or if a range does not have two different limits, or has integers that could be
        energies.
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
    resolution = None if resolution is None else check_resolution(resolution)
    workers = _workers(num_workers)
    ranges: dict[str, Any] = {
        "background": background,
        "background_range": limits_in_ev(signal, background_range, "background_range"),
        "onset_range": limits_in_ev(signal, onset_range, "onset_range"),
    }
    family = find_family(pretrained)
    survey = survey_axis(family.named.recipe, energy, **ranges)
    model = family.sharpest(resolution, survey.dispersion)
    if resolution is None:
        LOGGER.info(
            "No resolution was given, so it is taken as 0 eV and the spectra are broadened by "
            "σ = %g eV. Pass resolution=, the full width at half maximum of the zero-loss peak in "
            "eV; hyperspy_coreloss.measure_resolution(low_loss) measures it.",
            model.recipe.sigma,
        )
    preparation = prepare_surveyed(
        model.recipe,
        survey,
        resolution=0.0 if resolution is None else resolution,
        binned=signal.axes_manager.signal_axes[0].is_binned,
        energy_offset=energy_offset,
    )
    excluded = excluded_spectra(signal, navigation_mask)
    prediction = map_spectra(signal.data, preparation, model, excluded)
    result = lazy_prediction(
        prediction,
        signal.axes_manager.navigation_axes[::-1],
        describe_prediction(signal, model, preparation, resolution),
    )
    if not (isinstance(signal, LazySignal) if lazy_output is None else lazy_output):
        result.compute(show_progressbar=show_progressbar, **workers)
    return result


def measure_resolution(low_loss: BaseSignal) -> float:
    """Measure the energy resolution: the full width at half maximum of the zero-loss peak.

    Parameters
    ----------
    low_loss
        Low-loss spectra that contain the zero-loss peak, near 0 eV. For a map, the result is the
        median of the widths of at most 256 evenly spaced spectra. Each width is measured in one
        spectrum, so energy drift between spectra does not increase the result. Spectra without a
        zero loss, such as dead pixels, are left out.

    Returns
    -------
    float
        Resolution in eV, for the argument `resolution` of :func:`predict_properties`. A pedestal
        of the camera and the width of the channels are not part of it.

    Raises
    ------
    SignalError
        If less than half of the spectra have a zero loss, or it is clipped, narrower than two
        channels or too noisy, or the signal does not contain real spectra along one signal axis.
    EnergyAxisError
        If the signal axis has no units of energy.
    EnergyRangeError
        If the axis does not hold 0 eV, or begins too close below the zero loss.
    """
    energy = channel_energies(low_loss)
    order = np.argsort(energy)
    spectra = low_loss.data.reshape(-1, energy.size)
    chosen = np.unique(np.linspace(0, len(spectra) - 1, 256).astype(int))
    return median_fwhm(np.asarray(spectra[chosen])[:, order], energy[order])


def _workers(num_workers: Any) -> dict[str, Any]:
    """Return the options of dask for a number of workers."""
    if num_workers is None:
        return {}
    given = np.asarray(num_workers)
    if given.shape or given.dtype.kind not in "iu" or given < 1:
        msg = f"num_workers must be a whole number above 0, but it is {num_workers!r}."
        raise SignalError(msg)
    return {"num_workers": int(given)}
