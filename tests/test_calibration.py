"""A known material calibrates the axis, and predictions use it."""

from __future__ import annotations

from dataclasses import replace

import hyperspy.api as hs
import numpy as np
import pytest
from exspy.signals import EELSSpectrum
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

import hyperspy_coreloss as hc
from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.dataset.minerals import find_sites, mean_spectrum
from hyperspy_coreloss.dataset.reference import reference_edge
from hyperspy_coreloss.errors import (
    CalibrationError,
    DatasetError,
    EnergyAxisError,
    EnergyRangeError,
    SignalError,
)
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.quality import Quality
from tests.reference_spectra import AXIS, POSITION, measured_reference

QUIET = {"show_progressbar": False}
# Energies on the axis are too small by this fraction of their distance from the edge.
ERROR = 0.02


def signal_of(counts, axis=AXIS, units="eV", factor=1.0):
    energy = {
        "name": "Energy loss",
        "size": axis.size,
        "offset": axis[0] * factor,
        "scale": (axis[1] - axis[0]) * factor,
        "units": units,
    }
    shape = counts.shape[:-1]
    axes = [{"size": size, "navigate": True} for size in shape]
    return EELSSpectrum(counts, axes=[*axes, energy])


@pytest.fixture(scope="module")
def counts(quartz):
    return measured_reference(quartz, dispersion_error=ERROR)


@pytest.fixture(scope="module")
def calibration(counts):
    return hc.calibrate(signal_of(counts), "alpha-quartz")


@pytest.fixture(scope="module")
def thin(quartz):
    """A thin specimen of quartz on the same axis, nearly without noise."""
    effects = {"dispersion_error": ERROR, "relative_thickness": 0.0, "counts": 1e6}
    return signal_of(measured_reference(quartz, seed=9, **effects))


def values(calibration):
    return [getattr(calibration, name) for name in calibration.uncertainties]


def test_a_spectrum_made_by_other_means_is_calibrated(sites):
    energy, spectrum, excitation_energy = mean_spectrum(sites, "coesite", (-20.0, 130.0))
    broad = CubicSpline(energy, gaussian_filter1d(spectrum, 0.6 / 2.3548 / 0.05))
    axis = 480.0 + 0.2 * np.arange(750)
    edge = 1e5 * broad(0.985 * (axis - 529.4)) / broad(energy).max()
    edge[axis < 520] = 0.0
    counts = np.random.default_rng(4).poisson(edge + 8e4 * (axis / 530) ** -3.2)
    found = hc.calibrate(signal_of(counts, axis), "coesite")
    assert found.dispersion == pytest.approx(0.2 * 0.985, rel=0.002)
    assert found.position == pytest.approx(529.4, abs=0.03)
    assert found.energy_offset == pytest.approx(excitation_energy - 529.4, abs=0.03)
    assert found.resolution == pytest.approx(0.6, abs=0.05)
    assert found.relative_thickness == pytest.approx(0.0, abs=0.03)
    assert all(one.difference < 0.02 for one in found.agreement)


@pytest.mark.parametrize("lazy", [False, True])
def test_a_map_is_summed_and_pixels_without_values_are_left_out(quartz, lazy):
    """As one spectrum of the same counts."""
    pixels = np.stack(
        [
            measured_reference(quartz, dispersion_error=ERROR, counts=1e4, seed=seed)
            for seed in range(12)
        ]
    ).reshape(3, 4, -1)
    whole = hc.calibrate(signal_of(pixels.sum(axis=(0, 1))), "alpha-quartz")
    signal = signal_of(pixels)
    with_hole = signal_of(np.append(pixels, np.full_like(pixels[:1], np.nan), axis=0))
    for one in (signal, with_hole):
        found = hc.calibrate(one.as_lazy() if lazy else one, "alpha-quartz")
        np.testing.assert_allclose(values(found), values(whole), rtol=1e-4)
    region = hs.roi.CircleROI(cx=1, cy=1, r=1.2)(signal)
    part = hc.calibrate(region.as_lazy() if lazy else region, "alpha-quartz")
    assert part.uncertainties["dispersion"] > whole.uncertainties["dispersion"]
    assert part.dispersion == pytest.approx(whole.dispersion, rel=0.002)


def test_units_order_and_type_do_not_matter(counts, calibration):
    falling = signal_of(counts[::-1].copy(), AXIS[::-1])
    others = (
        signal_of(counts, units="keV", factor=1e-3),
        falling,
        signal_of(counts.astype(np.int32)),
        hs.signals.Signal1D(signal_of(counts)),
    )
    others[-1].axes_manager.signal_axes[0].units = "eV"
    others[-1].axes_manager.signal_axes[0].offset = AXIS[0]
    others[-1].axes_manager.signal_axes[0].scale = 0.1
    for other in others:
        found = hc.calibrate(other, "alpha-quartz")
        np.testing.assert_allclose(values(found), values(calibration), rtol=1e-3)


def test_the_range_of_the_edge_can_be_given(quartz):
    far = AXIS + 40.0
    counts = measured_reference(quartz, axis=far, position=POSITION + 40.0)
    found = hc.calibrate(signal_of(counts, far), "alpha-quartz", onset_range=(570.0, 585.0))
    assert found.position == pytest.approx(POSITION + 40.0, abs=0.02)
    with pytest.raises(CalibrationError):
        hc.calibrate(signal_of(counts, far), "alpha-quartz")


@pytest.mark.parametrize("material", ["beta-quartz", "coesite", "alpha-cristobalite", "stishovite"])
def test_another_material_is_refused(counts, material):
    with pytest.raises(CalibrationError, match=f"is not that of {material}"):
        hc.calibrate(signal_of(counts), material)


def test_a_mean_of_glass_is_calibrated(sites, quartz):
    chosen = [name for name in sites.names if name.startswith("MD-")][:6]
    glass = tuple(
        replace(site, population="glass", details={}) for site in sites.sites if site.name in chosen
    )
    made = SpectrumDataset((*glass, *find_sites(sites, "alpha-quartz").sites), "made up", "CC0")
    reference = reference_edge(made, "amorphous silica")
    counts = measured_reference(reference, dispersion_error=-0.03)
    found = hc.calibrate(signal_of(counts), "amorphous silica", made)
    assert found.dispersion_error == pytest.approx(-0.03, abs=0.002)
    assert found.energy_offset == pytest.approx(reference.excitation_energy - POSITION, abs=0.02)
    with pytest.raises(DatasetError, match="population 'glass'"):
        hc.calibrate(signal_of(counts), "amorphous silica", find_sites(sites, "alpha-quartz"))


def test_what_is_no_reference_is_refused(counts):
    with pytest.raises(SignalError, match="HyperSpy signal"):
        hc.calibrate(counts, "alpha-quartz")
    with pytest.raises(CalibrationError, match=r"all finite, but none of its 2"):
        hc.calibrate(signal_of(np.full((2, AXIS.size), np.nan)), "alpha-quartz")
    uneven = signal_of(counts)
    uneven.axes_manager.signal_axes[0].convert_to_functional_data_axis("x**1.01")
    with pytest.raises(EnergyAxisError, match=r"evenly spaced.*interpolate_on_axis"):
        hc.calibrate(uneven, "alpha-quartz")
    with pytest.raises(EnergyRangeError, match="needs 10 eV before"):
        hc.calibrate(signal_of(counts).isig[:530.0], "alpha-quartz", onset_range=(520.0, 545.0))


def test_a_calibrated_prediction_is_that_of_a_calibrated_axis(calibration, thin, ensemble):
    options = {"resolution": 0.5, **QUIET}
    result = thin.predict_properties(ensemble, calibration=calibration, **options)
    right = thin.deepcopy()
    axis = right.axes_manager.signal_axes[0]
    axis.offset, axis.scale = calibration.energies(AXIS)[0], calibration.dispersion
    expected = right.predict_properties(ensemble, onset_range=(523.0, 563.0), **options)
    np.testing.assert_allclose(result.data, expected.data, rtol=1e-3)
    np.testing.assert_allclose(result.onset.data, expected.onset.data, atol=1e-2)


def test_a_calibration_gives_back_what_a_wrong_dispersion_takes(calibration, thin, quartz):
    """The model reads up to 80 eV, where 2 % of dispersion are 1.6 eV."""
    effects = {"relative_thickness": 0.0, "counts": 1e6}
    calibrated_axis = signal_of(measured_reference(quartz, seed=9, **effects))
    exact = hc.calibrate(signal_of(measured_reference(quartz)), "alpha-quartz")
    # Tells the network as much, but leaves the dispersion as it is.
    blind = replace(calibration, dispersion=calibration.nominal_dispersion)
    lengths = [
        signal.predict_properties("silica-o-k-80eV", calibration=one, resolution=0.5, **QUIET)
        .get_property_map("bond_length")
        .data.item()
        for signal, one in ((calibrated_axis, exact), (thin, blind), (thin, calibration))
    ]
    true, wrong, right = lengths
    assert abs(wrong - true) > 0.002
    assert abs(right - true) < 0.2 * abs(wrong - true)


def test_onsets_of_the_reference_lie_at_its_threshold(calibration, thin, quartz):
    model = hc.load_pretrained("silica-o-k")
    result = thin.predict_properties(model, calibration=calibration, resolution=0.5, **QUIET)
    expected = quartz.excitation_energy + quartz.threshold(model.recipe)
    assert result.onset.data.ravel()[0] == pytest.approx(expected, abs=0.05)


def test_models_at_the_excitation_energy_need_no_offset(calibration, thin, quartz, absolute):
    result = thin.predict_properties(absolute, calibration=calibration, resolution=0.5, **QUIET)
    assert result.quality.data.ravel()[0] == Quality.GOOD
    energy = result.get_property_map("excitation_energy").data.ravel()[0]
    assert energy == pytest.approx(quartz.excitation_energy, abs=0.15)
    model = absolute
    recorded = result.metadata.CoreLossProperty.Preprocessing.energy_offset
    assert recorded == pytest.approx(-quartz.threshold(model.recipe))
    # The same by hand: the offset from a threshold on the axis to the computed energy.
    by_hand = thin.deepcopy()
    by_hand.axes_manager.signal_axes[0].scale = calibration.dispersion
    by_hand.axes_manager.signal_axes[0].offset = POSITION - (POSITION - AXIS[0]) * (1 + ERROR)
    aligned = hc.load_pretrained("silica-o-k-15eV")
    assert aligned.recipe.sigma == model.recipe.sigma
    aligned = by_hand.predict_properties(aligned, resolution=0.5, **QUIET)
    offset = quartz.excitation_energy - float(np.nanmedian(aligned.onset.data))
    other = by_hand.predict_properties(model, resolution=0.5, energy_offset=offset, **QUIET)
    np.testing.assert_allclose(result.data, other.data, rtol=5e-3)


def test_the_resolution_is_used_if_none_is_given(calibration, thin):
    given = thin.predict_properties(
        calibration=calibration, resolution=calibration.resolution, **QUIET
    )
    left_out = thin.predict_properties(calibration=calibration, **QUIET)
    np.testing.assert_array_equal(left_out.data, given.data)
    preprocessing = left_out.metadata.CoreLossProperty.Preprocessing
    assert preprocessing.resolution == calibration.resolution
    assert preprocessing.resolution_given
    other = thin.predict_properties(calibration=calibration, resolution=0.3, **QUIET)
    assert other.metadata.CoreLossProperty.Preprocessing.resolution == 0.3


def test_limits_are_those_of_the_axis(calibration, thin):
    limits = {"onset_range": (530.0, 545.0), "background_range": (495.0, 530.0)}
    result = thin.predict_properties(calibration=calibration, **limits, **QUIET)
    recorded = result.metadata.CoreLossProperty.Preprocessing
    for name, axis_values in limits.items():
        expected = calibration.energies(axis_values)
        np.testing.assert_allclose(recorded.get_item(name), expected, atol=1e-6)


@pytest.mark.parametrize("lazy", [False, True])
def test_metadata_record_the_calibration(calibration, thin, tmp_path, lazy):
    result = (thin.as_lazy() if lazy else thin).predict_properties(
        calibration=calibration, lazy_output=False, **QUIET
    )
    result.save(tmp_path / "p.hspy")
    for one in (result, hs.load(tmp_path / "p.hspy"), result.isig[:2]):
        node = one.metadata.CoreLossProperty.Preprocessing.Calibration
        assert node.material == "alpha-quartz"
        assert node.dispersion == pytest.approx(calibration.dispersion)
        assert node.energy_offset == pytest.approx(calibration.energy_offset)
        assert node.Uncertainties.dispersion == pytest.approx(
            calibration.uncertainties["dispersion"]
        )


def test_a_part_of_the_axis_is_calibrated_too_but_no_other_dispersion(calibration, thin):
    model = "silica-o-k-40eV"
    whole = thin.predict_properties(model, calibration=calibration, **QUIET)
    part = thin.isig[497.0:600.0].predict_properties(model, calibration=calibration, **QUIET)
    np.testing.assert_allclose(part.data, whole.data, rtol=1e-3)
    with pytest.raises(CalibrationError, match=r"0\.1 eV per channel, but this axis has 0\.2 eV"):
        thin.rebin(scale=(2,)).predict_properties(calibration=calibration, **QUIET)


def test_what_cannot_go_together_is_refused(calibration, thin):
    with pytest.raises(
        SignalError, match=r"offset of 5\.7.* eV, .*not be given too.*Leave one out"
    ):
        thin.predict_properties(calibration=calibration, energy_offset=1.0)
    for other in ("quartz.json", 5.7, {}):
        with pytest.raises(CalibrationError, match=r"calibration must be a Calibration"):
            thin.predict_properties(calibration=other)
    silicon = replace(calibration, reference=replace(calibration.reference, edge="Si_K"))
    with pytest.raises(CalibrationError, match=r"reads O_K edges.*Si_K edge"):
        thin.predict_properties(calibration=silicon)


def test_a_calibration_from_a_file_predicts_the_same(calibration, thin, tmp_path, absolute):
    calibration.save(tmp_path / "quartz.json")
    again = hc.Calibration.load(tmp_path / "quartz.json")
    for model in ("silica-o-k", absolute):
        one, other = (
            thin.predict_properties(model, calibration=c, resolution=0.5, **QUIET)
            for c in (calibration, again)
        )
        np.testing.assert_allclose(one.data, other.data, rtol=1e-4)


def test_a_low_loss_beside_a_calibration_tells_thickness_but_not_the_zero(calibration, thin):
    spectrum = thin.data.reshape(-1)
    signal = signal_of(np.stack([spectrum] * 3))
    energy = -15.0 + 0.1 * np.arange(1000)
    effects = {"zero_loss": np.array([-0.6, 0.0, 0.9]), "resolution": 0.5}
    low = simulate_low_loss(energy, np.array([0.1, 0.5, 0.8]), **effects)
    low_loss = signal_of(low, energy)
    options = {"calibration": calibration, **QUIET}
    plain = signal.predict_properties(resolution=0.5, **options)
    result = signal.predict_properties(low_loss=low_loss, **options)
    # Onsets are on the calibrated axis, wherever the zero losses lie.
    np.testing.assert_allclose(result.onset.data, plain.onset.data, atol=0.02)
    np.testing.assert_allclose(result.zero_loss.data, effects["zero_loss"], atol=0.01)
    np.testing.assert_allclose(result.relative_thickness.data, [0.1, 0.5, 0.8], atol=0.03)
    recorded = result.metadata.CoreLossProperty.Preprocessing
    assert recorded.resolution == pytest.approx(0.5, rel=0.02)  # of the low loss
    assert np.ptp(result.data, axis=0).max() > 0  # thickness is told
    lazy = signal.as_lazy().predict_properties(low_loss=low_loss.as_lazy(), **options)
    lazy.compute(show_progressbar=False)
    np.testing.assert_array_equal(lazy.data, result.data)


def test_a_known_energy_gives_the_excitation_energy_and_a_narrow_interval(
    calibration, thin, quartz
):
    known, unknown = (
        thin.predict_properties(calibration=one, resolution=0.5, **QUIET)
        for one in (calibration, None)
    )
    errors, widths = [], []
    for result in (known, unknown):
        energy = result.get_property_map("excitation_energy").data.item()
        errors.append(abs(energy - quartz.excitation_energy))
        lower, upper = result.get_interval_map("excitation_energy")
        widths.append((upper - lower).data.item())
    assert errors[0] < 0.2
    assert widths[0] < 0.9 * widths[1]


def test_an_offset_from_elsewhere_tells_the_energy(thin, quartz):
    model = hc.load_pretrained()
    plain = thin.predict_properties(model, resolution=0.5, **QUIET)
    offset = quartz.excitation_energy - plain.onset.data.item()

    def excitation_energy(added, **options):
        options |= {"energy_offset": offset + added, "resolution": 0.5, **QUIET}
        result = thin.predict_properties(model, **options)
        return result.get_property_map("excitation_energy").data.item()

    lower, right, higher = (excitation_energy(added, energy_error=0.05) for added in (-1, 0, 1))
    assert abs(right - quartz.excitation_energy) < 0.3
    assert lower < right < higher
    assert excitation_energy(0) == excitation_energy(0, energy_error=0.3) != right


@pytest.mark.parametrize("error", [0.0, -0.1, np.nan, np.inf, "0.1", None, True])
def test_an_energy_error_that_is_none_is_refused(thin, error):
    with pytest.raises(SignalError, match=r"energy_error must be an energy in eV above 0"):
        thin.predict_properties(energy_offset=1.0, energy_error=error, resolution=0.5, **QUIET)


@pytest.mark.parametrize("name", ["srtio3.dm3", "nmc_o_k_spectrum_image.dm3", "ice_o_k.msa"])
def test_measured_edges_of_other_materials_are_refused(real_eels, name):
    measured = hs.load(real_eels / name)
    with pytest.raises((CalibrationError, EnergyRangeError)):
        hc.calibrate(measured, "alpha-quartz")


def test_axes_are_calibrated_with_the_plural_scattering_of_a_measured_low_loss(real_eels, quartz):
    """The model of silica's losses gives too thin specimens, but does not move the axis."""
    low_loss = hs.load(real_eels / "silica_low_loss.msa")
    loss = low_loss.axes_manager.signal_axes[0].axis
    grid = 0.05 * np.arange(8192)
    inelastic = np.interp(grid, loss, np.where(loss > 4.5, low_loss.data, 0.0), right=0.0)
    step = loss[1] - loss[0]
    elastic = low_loss.data[np.abs(loss) <= 4.5].sum() * step / 0.05
    # Fourier-log deconvolution: the logarithm is the thickness times the single losses.
    logarithm = np.log(1.0 + np.fft.rfft(inelastic) / elastic)
    logarithm *= 0.5 / logarithm[0].real
    scattering = np.exp(logarithm - logarithm[0].real)
    spectrum = np.fft.irfft(np.fft.rfft(quartz.intensity, grid.size) * scattering)
    thick = replace(quartz, intensity=spectrum[: quartz.intensity.size])
    effects = {"relative_thickness": 0.0, "dispersion_error": ERROR}
    for seed in range(4):
        counts = measured_reference(thick, seed=seed, **effects)
        found = hc.calibrate(signal_of(counts), "alpha-quartz")
        dispersion = found.dispersion / (0.1 * (1 + ERROR)) - 1
        assert abs(dispersion) < 0.002
        assert abs(dispersion) < 2 * found.uncertainties["dispersion"] / 0.1
        assert abs(found.position - POSITION) < 2 * found.uncertainties["energy_offset"]
        assert found.relative_thickness == pytest.approx(0.5, rel=0.25)
