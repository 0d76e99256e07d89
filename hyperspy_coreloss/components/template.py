"""The component that has a measured or computed spectrum as its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.components.curves import sample_curve
from hyperspy_coreloss.components.fine_structure import FineStructure
from hyperspy_coreloss.components.template_signals import (
    find_threshold,
    one_spectrum,
    template_signal,
    unit_area,
)
from hyperspy_coreloss.signals.metadata import title_of

if TYPE_CHECKING:
    from hyperspy.signals import BaseSignal, Signal1D
    from numpy.typing import NDArray
    from typing_extensions import Self

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset


class ELNESTemplate(FineStructure):
    r"""The spectrum of a reference site or material, shifted and broadened, as a component.

    .. math::

        f(E) = I \, (t * G_\sigma * L_\Gamma)(E - E_0)

    with the template :math:`t`, normalised to unit area over its energy range, a Gaussian
    :math:`G_\sigma` and a Lorentzian :math:`L_\Gamma`.

    ================ ============== ==============================================================
    Variable          Parameter      Meaning
    ================ ============== ==============================================================
    :math:`I`         intensity      Counts in the energy range of the template; linear, free
    :math:`E_0`       onset          Energy of the template's zero on the axis, in eV; fixed
    :math:`\sigma`    broadening     Additional Gaussian broadening, standard deviation in eV;
                                     fixed
    :math:`\Gamma`    lifetime       Additional Lorentzian broadening, half width at half maximum
                                     in eV; fixed
    ================ ============== ==============================================================

    Only the intensity is free by default, so a model of templates, a background and steps is
    linear: ``m.multifit(optimizer="lstsq")`` or ``"nnls"`` fits all spectra at once (multiple
    linear least squares). Lazy signals need ``"lstsq"``. Outside its energy range the template
    keeps its first and its last value: restrict the fit to this range with ``m.set_signal_range``.

    Parameters
    ----------
    template : Signal1D
        One spectrum without background, with energies counted from the onset.
    onset, intensity, broadening, lifetime : float
        Initial values of the parameters.

    Raises
    ------
    SignalError
        If the template is not one finite spectrum of positive area.

    See Also
    --------
    from_dataset, from_signal

    Examples
    --------
    >>> from hyperspy_coreloss.components import ELNESTemplate
    >>> from hyperspy_coreloss.data import silica_spectrum_image
    >>> s, truth = silica_spectrum_image((8, 6))
    >>> edge = s.remove_background((490.0, 530.0), show_progressbar=False)
    >>> m = edge.create_model(auto_background=False, auto_add_edges=False)
    >>> m.append(ELNESTemplate.from_dataset("alpha-quartz", onset=537, broadening=0.3))
    >>> m.multifit(optimizer="lstsq", show_progressbar=False)
    """

    def __init__(
        self,
        template: Signal1D,
        onset: float = 0.0,
        intensity: float = 1.0,
        broadening: float = 0.0,
        lifetime: float = 0.0,
    ) -> None:
        super().__init__(
            unit_area(template),
            (),
            intensity=intensity,
            onset=onset,
            broadening=broadening,
            lifetime=lifetime,
        )
        self._id_name = "cd29d1b2-6ee8-435f-9041-2964d88ea9c1"
        self._whitelist["template"] = ("init,sig", template)
        self.template = template
        self.name = title_of(template) or "ELNESTemplate"

    @classmethod
    def from_signal(
        cls, signal: BaseSignal, onset: float | None = None, **parameters: float
    ) -> Self:
        """Make a template from a measured or computed spectrum without background.

        Parameters
        ----------
        signal : BaseSignal
            One spectrum of an edge without background; the energy axis may be non-uniform.
        onset
            Onset of the edge on this axis, in eV; by default the threshold: the first lasting
            rise through 30 % of the highest intensity of the following 10 eV.
        **parameters
            Initial values of ``intensity``, ``broadening`` and ``lifetime``.

        Raises
        ------
        SignalError
            If the signal is not one spectrum, or has no threshold.
        EnergyAxisError
            If the axis has no energy units.
        """
        energy, values = one_spectrum(signal)
        zero = find_threshold(sample_curve(energy, values)) if onset is None else float(onset)
        template = template_signal(energy - zero, values, title_of(signal))
        return cls(template, onset=zero, **parameters)

    @classmethod
    def from_dataset(
        cls,
        name: str,
        dataset: SpectrumDataset | None = None,
        *,
        onset: float | None = None,
        intensity: float = 1.0,
        broadening: float = 0.2,
        lifetime: float = 0.0,
        energy_range: tuple[float, float] = (-5.0, 40.0),
    ) -> Self:
        """Make a template from a computed spectrum.

        The template has the lifetime broadening of the core hole only (a Lorentzian with a half
        width of 0.1 eV). Its energies are counted from the lowest empty state.

        Parameters
        ----------
        name
            Name of a site or of a structure of the data set, or a mineral: ``"alpha-quartz"``,
            ``"beta-quartz"``, ``"alpha-cristobalite"``, ``"coesite"``, ``"stishovite"``. The
            spectrum of a structure is the mean of its sites, each as often as it occurs and at its
            own excitation energy.
        dataset
            Computed spectra; by default the shipped data set.
        onset, intensity, broadening, lifetime
            Initial values of the parameters; by default the onset is the computed excitation
            energy.
        energy_range
            Energy range of the template, in eV from the onset.

        Raises
        ------
        DatasetError
            If there is no site or structure of this name.
        """
        from hyperspy_coreloss.data import oxygen_k_sites
        from hyperspy_coreloss.dataset.minerals import mean_spectrum

        sites = oxygen_k_sites() if dataset is None else dataset
        energy, values, edge = mean_spectrum(sites, name, energy_range)
        template = template_signal(energy, values, name)
        return cls(
            template,
            onset=edge if onset is None else onset,
            intensity=intensity,
            broadening=broadening,
            lifetime=lifetime,
        )

    def _mixtures(self, properties: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones((len(properties), 1))
