"""Prediction of properties from HyperSpy signals, and measurement of their energy resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from hyperspy.signals import LazySignal

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.inference import LowLossSpectra, map_spectra
from hyperspy_coreloss.pretrained.results import as_prediction
from hyperspy_coreloss.pretrained.trust import NOVELTY_LEVEL
from hyperspy_coreloss.signals.interactive_prediction import InteractivePrediction
from hyperspy_coreloss.signals.lazy import computed, property_signal
from hyperspy_coreloss.signals.low_loss import median_resolution
from hyperspy_coreloss.signals.metadata import describe_prediction
from hyperspy_coreloss.signals.other_edges import warn_of_other_edges
from hyperspy_coreloss.signals.prediction_plan import USUAL_ENERGY_ERROR, plan_prediction
from hyperspy_coreloss.signals.spectrum_axis import channel_energies
from hyperspy_coreloss.signals.summary import LOGGER
from hyperspy_coreloss.spectra.low_loss import prepare_low_loss

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.model import PretrainedModel
    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal
    from hyperspy_coreloss.spectra.calibration import Calibration
    from hyperspy_coreloss.spectra.recipe import Background


@overload
def predict_properties(
    signal: BaseSignal,
    pretrained: str | Path | PretrainedModel | None = None,
    *,
    interactive: Literal[True],
    **options: Any,
) -> InteractivePrediction: ...


@overload
def predict_properties(
    signal: BaseSignal,
    pretrained: str | Path | PretrainedModel | None = None,
    *,
    resolution: float | None = None,
    low_loss: BaseSignal | None = None,
    background: Background = "power law",
    background_range: tuple[float, float] | None = None,
    onset_range: tuple[float, float] | None = None,
    energy_offset: float | None = None,
    energy_error: float = USUAL_ENERGY_ERROR,
    calibration: Calibration | None = None,
    navigation_mask: NDArray | BaseSignal | None = None,
    novelty_level: float = NOVELTY_LEVEL,
    lazy_output: bool | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
    interactive: Literal[False] = False,
    display: bool = True,
    toolkit: str | Iterable[str] | None = None,
) -> CoreLossPropertySignal: ...


def predict_properties(  # type: ignore[misc]  # with interactive=True, of the same options
    signal: BaseSignal,
    pretrained: str | Path | PretrainedModel | None = None,
    *,
    resolution: float | None = None,
    low_loss: BaseSignal | None = None,
    background: Background = "power law",
    background_range: tuple[float, float] | None = None,
    onset_range: tuple[float, float] | None = None,
    energy_offset: float | None = None,
    energy_error: float = USUAL_ENERGY_ERROR,
    calibration: Calibration | None = None,
    navigation_mask: NDArray | BaseSignal | None = None,
    novelty_level: float = NOVELTY_LEVEL,
    lazy_output: bool | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
    interactive: bool = False,
    display: bool = True,
    toolkit: str | Iterable[str] | None = None,
) -> CoreLossPropertySignal | InteractivePrediction:
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
        default is the family for oxygen K edges of silica. From a family, the model with the widest
        window is selected that the energy axis covers and that no edge of the elements in
        ``metadata.Sample.elements`` enters, and of these the one with the smallest broadening σ to
        which the spectra can be broadened. A model given by its full name, by its file or as an
        object is used whatever its window and σ.
    resolution
        Energy resolution of the spectra in eV: the full width at half maximum of the zero-loss
        peak (see :func:`measure_resolution`). If None, it is measured in `low_loss`. Without
        `low_loss`, the model of σ = 0.5 eV is used, which is told that the resolution is not known;
        the result and its summary record this.
    low_loss
        Low-loss spectra with the zero loss, on the same energy scale: a signal of the same
        navigation shape, or one spectrum for all pixels; eager or lazy, in any chunks, with any
        dispersion. Onsets are then relative to the zero loss of each pixel, unless a `calibration`
        sets the energy zero, and the result has the
        maps ``zero_loss``, ``resolution`` and ``relative_thickness``. Pixels whose low-loss
        spectrum has no zero loss, or which are thicker than the spectra that the model was trained
        on, have no prediction. If
        `resolution` is None, up to 256 evenly spaced spectra of a map are read at the call.
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
        excitation energy of the same material, as determined on quartz. Models that read what is
        known of the energies then also read the energy of the edge. It is required for models with
        an absolute energy window unless there is a calibration.
    energy_error
        Standard error of `energy_offset` in eV.
    calibration
        Calibration of the energy axis on a known material, from
        :func:`~hyperspy_coreloss.calibrate`. It corrects energy offset and dispersion before
        anything else: energies of the result, such as its onsets, are calibrated. Its standard
        errors are those of the energies that the model reads. Limits are given
        on the axis of the signal, as without it. Its resolution is used if `resolution` is None,
        and models with an absolute energy window need no `energy_offset`.
    navigation_mask
        True excludes a spectrum. A signal, such as ``s.sum(-1) < 100``, or an array of the shape
        ``s.axes_manager.navigation_shape``, in which x comes first, as for HyperSpy's
        ``decomposition``. An array on a square map is refused unless it is symmetric, because its
        order cannot be told.
    novelty_level
        Fraction of the spectra of new phases, of the kinds of material that the model was trained
        on, that are called unfamiliar. Spectra with a smaller ``novelty`` are unlike those of all
        computed sites and have no prediction; with 0, all have one.
    lazy_output
        Whether to return a lazy signal. By default, the result is lazy if the input is.
    show_progressbar
        Whether to show a progress bar. The default is HyperSpy's preference.
    num_workers
        Number of dask workers. By default, all cores are used.
    interactive
        Whether to choose the options with the mouse, in a plot of the spectra, before anything is
        predicted. The other options are those to begin with. An error of theirs is then a text in
        the plot.
    display
        Whether to show the widgets of the options, if `interactive`. The spans in the plot are
        there in any case.
    toolkit
        Toolkit of these widgets, or several: ``"ipywidgets"`` or ``"traitsui"``. By default, all
        are used for which HyperSpy has widgets (``hyperspy_gui_ipywidgets``,
        ``hyperspy_gui_traitsui``); without any, the plot is all there is.

    Returns
    -------
    CoreLossPropertySignal or InteractivePrediction
        :class:`~hyperspy_coreloss.signals.InteractivePrediction` if `interactive`: its method
        ``predict`` returns what this function returns with the chosen options.

        Otherwise a signal with the navigation axes of the input and the properties along the
        signal axis. If a spectrum allows no prediction, its values are NaN and the map ``quality``
        has the reason; the method ``summary`` counts them. If many spectra allow none, the counts
        are logged when the result is computed.

    Warns
    -----
    UserWarning
        If no spectrum allows a prediction, or if elements in ``metadata.Sample.elements`` have
        edges in the range of the background fit or in the window of the model. The message says
        what to do.

    Raises
    ------
    SignalError
        If the signal does not contain real spectra along one signal axis, `navigation_mask` has
        the wrong shape, values or order, `low_loss` has another navigation shape or too few zero
        losses, `background`, `resolution`, `novelty_level` or `num_workers` is not valid,
        or `energy_offset` is missing or not allowed.
    CalibrationError
        If `calibration` is none, or that of another edge or dispersion.
    EnergyAxisError
        If a signal axis has no units of energy.
    EnergyRangeError
        If the axis of `low_loss` does not hold 0 eV, the spectra do not cover the energy window of
        the model or the range of the background fit, or if a range does not have two different
        limits, or has integers that could be energies.
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
    options: dict[str, Any] = {
        "resolution": resolution,
        "low_loss": low_loss,
        "background": background,
        "background_range": background_range,
        "onset_range": onset_range,
        "energy_offset": energy_offset,
        "energy_error": energy_error,
        "calibration": calibration,
        "navigation_mask": navigation_mask,
        "novelty_level": novelty_level,
    }
    if interactive:
        options |= {
            "lazy_output": lazy_output,
            "show_progressbar": show_progressbar,
            "num_workers": num_workers,
        }
        chosen = InteractivePrediction(signal, predict_properties, pretrained, options)
        if display:
            try:
                chosen.gui(toolkit=toolkit)
            except Exception:
                chosen.close()
                raise
        return chosen
    plan = plan_prediction(signal, pretrained, **options)
    workers, model, preparation = _workers(num_workers), plan.model, plan.preparation
    if plan.resolution is None:
        LOGGER.info(
            "No resolution was given, so the spectra are broadened by σ = %g eV, as if the "
            "measurement had not broadened them. Pass resolution=, the full width at half maximum "
            "of the zero-loss peak in eV; hyperspy_coreloss.measure_resolution(low_loss) measures "
            "it.",
            model.recipe.sigma,
        )
    warn_of_other_edges(signal, model.recipe, background, preparation.background_range)
    lazily = isinstance(signal, LazySignal) if lazy_output is None else lazy_output
    # What is computed later must not depend on what has become of the spectra until then.
    kept = lazily and not isinstance(signal, LazySignal)
    spectra = signal.data.copy() if kept else signal.data
    results = map_spectra(
        spectra, preparation, model, plan.excluded, plan.low_loss, plan.novelty_level
    )
    return property_signal(
        as_prediction(results if lazily else computed(results, show_progressbar, **workers)),
        signal.axes_manager.navigation_axes[::-1],
        describe_prediction(
            signal,
            model,
            preparation,
            plan.resolution,
            calibration,
            low_loss,
            plan.novelty_level,
        ),
    )


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
    axis = prepare_low_loss(channel_energies(low_loss))
    return median_resolution(LowLossSpectra(low_loss.data, axis))


def _workers(num_workers: Any) -> dict[str, Any]:
    """Return the options of dask for a number of workers."""
    if num_workers is None:
        return {}
    given = np.asarray(num_workers)
    if given.shape or given.dtype.kind not in "iu" or given < 1:
        msg = f"num_workers must be a whole number above 0, but it is {num_workers!r}."
        raise SignalError(msg)
    return {"num_workers": int(given)}
