"""The computed sites that are like a pixel: those that it is made of, found wherever it lies."""

from __future__ import annotations

from dataclasses import replace

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_coreloss import calibrate, load_pretrained
from hyperspy_coreloss.data import oxygen_k_sites
from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.dataset.minerals import find_sites
from hyperspy_coreloss.errors import DatasetError, SignalError
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.measurement import measure
from hyperspy_coreloss.spectra.microscope import Microscope

MODEL = "silica-o-k-40eV-sigma-0.5"
QUIET = {"resolution": 0.5, "show_progressbar": False}
ENERGY = np.arange(480.0, 600.0, 0.1)


def measured(sites, rows, **effects):
    """Measure sites at 532 eV, and return a signal with a pixel for each row, of any shape."""
    sample = specimen(sites)
    usual = {"resolution": 0.5, "counts": 1e6, "jump_ratio": 1.0, "background_exponent": 3.0}
    intensities = measure(
        sample.edges,
        rows.reshape(-1, 1),
        np.full((rows.size, 1), 532.0),
        ENERGY,
        Microscope(**(usual | effects)),
        np.random.default_rng(0),
    ).intensities
    signal = hs.signals.Signal1D(intensities.reshape(*rows.shape, -1))
    signal.set_signal_type("EELS")
    energy = signal.axes_manager.signal_axes[0]
    energy.units, energy.scale, energy.offset = "eV", 0.1, float(ENERGY[0])
    return signal


@pytest.fixture(scope="module")
def spectra():
    """A map of 4 × 3 pixels, each of one site that the model was trained on, and their names."""
    references = load_pretrained(MODEL).references
    chosen = oxygen_k_sites().take(references.sites[:: len(references.sites) // 12][:12])
    signal = measured(chosen, np.arange(12).reshape(3, 4))
    for axis, name in zip(signal.axes_manager.navigation_axes, "xy", strict=True):
        axis.name, axis.units, axis.scale, axis.offset = name, "nm", 0.5, 10.0
    return signal, np.array(chosen.names).reshape(3, 4)


@pytest.fixture(scope="module")
def result(spectra):
    return spectra[0].predict_properties(MODEL, novelty_level=0, **QUIET)


def test_the_nearest_site_is_that_of_the_pixel(spectra, result):
    signal, names = spectra
    found = [
        [result.nearest_sites((x, y), signal, 1).sites[0].name for x in range(4)] for y in range(3)
    ]
    assert (np.array(found) == names).mean() > 0.9


def test_values_on_the_axes_select_the_same_pixel(spectra, result):
    signal, _ = spectra
    by_index = result.nearest_sites((3, 1), signal)
    assert "x = 11.5 nm, y = 10.5 nm" in str(by_index)
    for other in (
        result.nearest_sites((11.5, 10.5), signal),
        result.nearest_sites((-1, 1), signal),
        result.inav[2:, 1:].nearest_sites((1, 0), signal),
        result.inav[2:, 1:].nearest_sites((1, 0), signal.inav[1:, 1:]),
        result.T.nearest_sites((3, 1), signal),
        result.nearest_sites((3, 1), signal.as_lazy()),
    ):
        assert str(other) == str(by_index)


def test_the_table_has_the_predicted_and_the_computed_properties(spectra, result):
    signal, _ = spectra
    found = result.nearest_sites((0, 2), signal, 4)
    np.testing.assert_allclose(list(found.predicted.values()), result.inav[0, 2].data, rtol=1e-6)
    lower, upper = result.inav[0, 2].get_interval_map("bond_angle")
    half = (upper.data[0] - lower.data[0]) / 2
    assert found.half_widths["bond_angle"] == pytest.approx(half, rel=1e-4)
    distance = [site.distance for site in found.sites]
    assert len(distance) == 4
    assert distance == sorted(distance)
    sites = oxygen_k_sites()
    for site in found.sites:
        number = sites.names.index(site.name)
        assert site.site.name == site.name
        assert site.site.structure.equals(sites.sites[number].structure)
        assert site.structure == sites.structures[number]
        assert site.phase == sites.phases[number]
        assert site.population == sites.populations[number]
        np.testing.assert_allclose(list(site.properties.values()), sites.targets[number])
        computed = network_inputs(sites.take([number]), load_pretrained(MODEL).recipe)[0]
        np.testing.assert_array_equal(site.spectrum, computed)
        assert site.name in str(found)


def test_the_spectrum_is_the_one_that_the_network_reads(spectra, result):
    """At many counts, it is the computed one of the site."""
    signal, _ = spectra
    found = result.nearest_sites((1, 1), signal, 1)
    difference = found.spectrum - found.sites[0].spectrum
    assert np.abs(difference).max() < 0.1 * found.spectrum.max()
    assert found.energy.shape == found.spectrum.shape
    panels = found.plot().axes
    assert len(panels) == 1 + len(found.labels) + len(found.sites)
    drawn = panels[0].lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, found.spectrum)


def test_fewer_properties_and_unfamiliar_pixels_have_nearest_sites(spectra, result):
    signal, _ = spectra
    few = result.isig[1:3].nearest_sites((0, 0), signal)
    assert list(few.predicted) == ["bond_angle", "voronoi_volume"]
    unfamiliar = result.deepcopy()
    unfamiliar.data[0, 0] = np.nan
    blank = unfamiliar.nearest_sites((0, 0), signal)
    assert np.isnan(list(blank.predicted.values())).all()
    assert [one.name for one in blank.sites] == [one.name for one in few.sites]
    blank.plot()


def test_a_single_spectrum_needs_no_position(spectra, result):
    signal, _ = spectra
    single = signal.inav[2, 1]
    alone = single.predict_properties(MODEL, novelty_level=0, **QUIET)
    assert (
        alone.nearest_sites((), single).sites[0].name
        == result.nearest_sites((2, 1), signal).sites[0].name
    )


def test_thresholds_that_are_counted_from_the_zero_loss_are_those_of_the_spectra(spectra):
    signal, _ = spectra
    low = np.arange(-15.0, 85.0, 0.1)
    shift = np.linspace(-1.0, 1.0, 12).reshape(3, 4)
    low_loss = hs.signals.Signal1D(simulate_low_loss(low, np.full((3, 4), 0.3), zero_loss=shift))
    axis = low_loss.axes_manager.signal_axes[0]
    axis.units, axis.scale, axis.offset = "eV", 0.1, float(low[0])
    result = signal.predict_properties(
        MODEL, low_loss=low_loss, novelty_level=0, show_progressbar=False
    )
    for x, y in ((0, 0), (3, 2)):
        assert len(result.nearest_sites((x, y), signal).sites) == 3


def test_calibrated_energies_are_read_as_they_were(tmp_path):
    quartz = find_sites(oxygen_k_sites(), "alpha-quartz")
    signal = measured(quartz, np.zeros(3, dtype=np.int64), dispersion_error=0.02)
    calibration = calibrate(signal, "alpha-quartz")
    plain, calibrated = (
        signal.predict_properties(
            MODEL, calibration=one, novelty_level=0, show_progressbar=False, resolution=0.5
        )
        for one in (None, calibration)
    )
    first, second = (one.nearest_sites((1,), signal) for one in (plain, calibrated))
    expected = network_inputs(quartz.take([0]), load_pretrained(MODEL).recipe)[0]
    wrong, right = (np.abs(one.spectrum - expected).max() for one in (first, second))
    assert right < 0.5 * wrong
    calibrated.save(tmp_path / "maps.hspy")
    loaded = hs.load(tmp_path / "maps.hspy").nearest_sites((1,), signal)
    np.testing.assert_array_equal(loaded.spectrum, second.spectrum)


@pytest.mark.parametrize(
    ("position", "k", "message"),
    [
        (
            (1,),
            3,
            r"a number for each of the 2 navigation axes, as in inav\[...\], but it is \(1,\)",
        ),
        ((1, 2, 3), 3, r"a number for each of the 2 navigation axes"),
        ((slice(0, 2), 0), 3, r"a number for each of the 2 navigation axes"),
        ((4, 0), 3, r"'x' has 4 pixels, so that it has none at the index 4"),
        ((0, 0), 0, r"k must be a number of sites from 1 to \d+, but it is 0"),
        ((0, 0), 10**6, r"k must be a number of sites from 1 to \d+"),
        ((0, 0), 2.5, r"k must be a number of sites from 1 to \d+, but it is 2.5"),
    ],
)
def test_impossible_requests_are_refused(spectra, result, position, k, message):
    with pytest.raises(SignalError, match=message):
        result.nearest_sites(position, spectra[0], k)


def test_other_spectra_models_and_data_sets_are_refused(spectra, result):
    signal, _ = spectra
    with pytest.raises(SignalError, match=r"2 navigation axes of the result, but they have 1"):
        result.nearest_sites((0, 0), signal.inav[0])
    with pytest.raises(SignalError, match=r"Give pretrained=, the file of the model"):
        result.nearest_sites((0, 0), signal, pretrained="silica-o-k-15eV-sigma-0.5")
    model = load_pretrained(MODEL)
    assert str(result.nearest_sites((0, 0), signal, pretrained=model)) == str(
        result.nearest_sites((0, 0), signal)
    )
    few = oxygen_k_sites().take(range(10))
    with pytest.raises(DatasetError, match=r"Give dataset=, the data set of the training"):
        result.nearest_sites((0, 0), signal, dataset=few)
    shifted = signal.deepcopy()
    shifted.data = np.roll(shifted.data, 7, axis=-1)
    with pytest.raises(
        SignalError, match=r"has its threshold at [\d.]+ eV, but that of the result"
    ):
        result.nearest_sites((0, 0), shifted)
    with pytest.raises(SignalError, match=r"spectra were combined"):
        result.mean("y").nearest_sites((0,), signal.mean("y"))
    empty = signal.deepcopy()
    empty.data[:] = 0
    with pytest.raises(SignalError, match=r"x = 10 nm, y = 10 nm cannot be read"):
        result.nearest_sites((0, 0), empty)
    old = replace(model, references=None)
    without = signal.predict_properties(old, **QUIET)
    with pytest.raises(SignalError, match=r"no computed sites to compare spectra with"):
        without.nearest_sites((0, 0), signal, pretrained=old)
