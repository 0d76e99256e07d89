"""The emulator of spectra, and the component whose parameters are properties."""

from __future__ import annotations

import dataclasses

import hyperspy.api as hs
import numpy as np
import pytest
from hyperspy.components1d import PowerLaw
from scipy.integrate import trapezoid

import hyperspy_coreloss as hc
from hyperspy_coreloss.components import EdgeStep, ELNESTemplate, PropertyELNES
from hyperspy_coreloss.components.emulator import load_emulator
from hyperspy_coreloss.components.emulator_training import fit_properties, train_emulator
from hyperspy_coreloss.dataset.splits import complete_sites, sites_without
from hyperspy_coreloss.errors import (
    DatasetError,
    PretrainedFormatError,
    PretrainedNotFoundError,
    SignalError,
    UnknownPropertyError,
)
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.spectra.recipe import Recipe
from tests.components.fitting import QUIET, empty, model

pytestmark = pytest.mark.filterwarnings("ignore:Numexpr is not installed")


@pytest.fixture(scope="module")
def emulator():
    return load_emulator()


@pytest.fixture(scope="module")
def charge(sites):
    """Return an emulator of one property, of a few phases."""
    chosen = np.flatnonzero(np.isin(sites.phases, ("quartz", "cristobalite", "tridymite", "SOD")))
    return train_emulator(sites.take(chosen), ["mulliken_charge"], name="charge", n_components=6)


def test_the_shipped_emulator_is_of_the_shipped_data_set(emulator, sites):
    sites = sites.take(complete_sites(sites))
    assert emulator.record["dataset_sha256"] == sites.sha256
    withheld = np.isin(sites.phases, emulator.record["withheld_phases"])
    assert emulator.record["n_spectra"] == len(sites) - withheld.sum()
    assert emulator.edge == sites.edge
    assert "excitation_energy" not in emulator.property_names


def test_an_emulator_is_not_trained_on_withheld_phases(charge, sites):
    phases = ("quartz", "cristobalite", "tridymite", "SOD")
    five = sites.take(np.flatnonzero(np.isin(sites.phases, (*phases, "AFY"))))
    options = {"name": "charge", "n_components": 6, "withheld_phases": ["AFY"]}
    emulator = train_emulator(five, ["mulliken_charge"], **options)
    assert emulator.record["dataset_sha256"] == five.sha256
    assert emulator.record["withheld_phases"] == ["AFY"]
    assert emulator.record["n_spectra"] == charge.record["n_spectra"] < len(five)
    np.testing.assert_array_equal(emulator.arrays["points"], charge.arrays["points"])


def test_emulated_spectra_have_unit_area(emulator, sites):
    spectra = emulator.spectra(sites.targets[::20, :5])
    np.testing.assert_allclose(trapezoid(spectra, dx=0.1, axis=1), 1.0, atol=1e-9)


def test_known_sites_are_nearer_to_their_emulated_spectra_than_to_the_mean(emulator, sites):
    sites, energy = sites.take(complete_sites(sites)), emulator.curves.energy
    spectra = sites.spectra(energy, emulator.sigma)
    spectra /= trapezoid(spectra, energy, axis=1)[:, None]
    emulated = emulator.spectra(sites.targets[:, :5])
    missed = np.mean((spectra - emulated) ** 2)
    assert missed < 0.7 * np.mean((spectra - spectra.mean(axis=0)) ** 2)


def test_far_from_all_sites_the_spectrum_is_the_mean(emulator):
    far = emulator.arrays["centre"] + 100 * emulator.arrays["scale"]
    np.testing.assert_allclose(emulator.spectra(far)[0], emulator.arrays["mean"], atol=1e-12)


def test_gradients_are_those_of_the_mixture(emulator, rng):
    arrays = emulator.arrays
    at = arrays["centre"] + 0.5 * arrays["scale"] * rng.standard_normal(5)
    found = emulator.mixture_gradient(at)
    for column, step in enumerate(1e-5 * arrays["scale"]):
        shift = step * np.eye(5)[column]
        both = emulator.mixture(np.array([at + shift, at - shift]))
        numeric = (both[0] - both[1]) / (2 * step)
        np.testing.assert_allclose(found[:, column], numeric, atol=1e-6 * np.abs(numeric).max())


def test_the_same_data_give_the_same_emulator(sites):
    chosen = np.flatnonzero(np.isin(sites.phases, ("quartz", "stishovite")))
    made = [
        train_emulator(sites.take(chosen), ["bond_length"], name="two", n_components=3)
        for _ in range(2)
    ]
    assert made[0].sha256 == made[1].sha256


def test_an_emulator_survives_its_file(charge, tmp_path):
    charge.save(tmp_path / "charge.safetensors")
    read = load_emulator(tmp_path / "charge.safetensors")
    assert read.sha256 == charge.sha256
    assert read.properties == charge.properties


def test_a_damaged_file_is_refused(charge, tmp_path):
    content = charge.to_bytes()
    for number, damaged in enumerate((content[:100], content[:-20], b"", b"\x00" * 50)):
        path = tmp_path / f"{number}.safetensors"
        path.write_bytes(damaged)
        with pytest.raises(PretrainedFormatError, match=f"{number}.safetensors"):
            load_emulator(path)


def test_a_damaged_bit_of_a_file_is_not_overlooked(charge, tmp_path):
    path = tmp_path / "charge.safetensors"
    charge.save(path)
    content = path.read_bytes()
    for place in range(0, len(content), len(content) // 50):
        damaged = bytearray(content)
        damaged[place] ^= 0x20
        path.write_bytes(damaged)
        with pytest.raises(PretrainedFormatError, match=r"charge\.safetensors"):
            load_emulator(path)
    path.write_bytes(charge.to_bytes())  # as early versions wrote it
    assert load_emulator(path).sha256 == charge.sha256


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("scale", lambda array: 0 * array),
        ("length_scales", lambda array: -array),
        ("mean", lambda array: array.astype("f4")),
        ("points", lambda array: array.astype(int)),
    ],
)
def test_arrays_of_another_type_and_scales_of_zero_are_refused(charge, name, change):
    arrays = {**charge.arrays, name: change(charge.arrays[name])}
    with pytest.raises(PretrainedFormatError, match=f"'{name}'.*must be of the type float64"):
        dataclasses.replace(charge, arrays=arrays)


@pytest.mark.parametrize(
    "changes",
    [
        {"start": np.nan},
        {"start": "-5"},
        {"start": None},
        {"sigma": -0.1},
        {"sigma": np.inf},
        {"sigma": None},
        {"record": 5},
    ],
)
def test_a_header_without_sense_is_refused(charge, changes):
    with pytest.raises(PretrainedFormatError, match=r"needs a start and a sigma .* and a record"):
        dataclasses.replace(charge, **changes)


def test_limits_the_wrong_way_round_are_refused(charge):
    swapped = {"lower": charge.arrays["upper"], "upper": charge.arrays["lower"]}
    with pytest.raises(PretrainedFormatError, match=r"lower limits .* below the upper ones"):
        dataclasses.replace(charge, arrays={**charge.arrays, **swapped})


@pytest.mark.parametrize(
    "name", ["intensity", "function", "__class__", "parameters", "bond length"]
)
def test_a_property_must_not_hide_a_part_of_the_component(charge, name):
    (spec,) = charge.properties
    hidden = dataclasses.replace(charge, properties=(dataclasses.replace(spec, name=name),))
    with pytest.raises(SignalError, match=f"needs a name of its own, but '{name}'"):
        PropertyELNES(hidden)


def test_a_network_is_no_emulator(pretrained, tmp_path):
    pretrained.save(tmp_path / "network.safetensors")
    with pytest.raises(PretrainedFormatError, match="emulator"):
        load_emulator(tmp_path / "network.safetensors")


def test_incomplete_arrays_are_refused(charge):
    arrays = {name: array for name, array in charge.arrays.items() if name != "upper"}
    with pytest.raises(PretrainedFormatError, match="incomplete"):
        type(charge)(
            charge.name, charge.edge, charge.properties, charge.sigma, charge.start, {}, arrays
        )


def test_an_unknown_emulator_is_refused():
    with pytest.raises(PretrainedNotFoundError, match=r"'carbon'.*silica-o-k"):
        load_emulator("carbon")


def test_what_cannot_be_learnt_is_refused(mixed, sites):
    with pytest.raises(UnknownPropertyError, match="bond_length"):
        train_emulator(sites, ["bond_lenth"], name="x")
    with pytest.raises(DatasetError, match="has no"):
        train_emulator(mixed, name="x")
    one_phase = sites.take(np.flatnonzero(np.array(sites.phases) == "quartz"))
    with pytest.raises(DatasetError, match="two or more phases"):
        train_emulator(one_phase, ["bond_length"], name="x")


def test_gradients_of_the_component_are_those_of_its_function(emulator):
    oxygen = PropertyELNES(onset=530.0, broadening=0.3, lifetime=0.1, intensity=5.0)
    energy = np.arange(520.0, 565.0, 0.5)
    for parameter in oxygen.parameters:
        spread = parameter.bmax - parameter.bmin if parameter.bmax is not None else 1.0
        value, step = parameter.value, 1e-5 * spread
        analytic = parameter.grad(energy)
        numeric = 0.0
        for sign in (1, -1):
            parameter.value = value + sign * step
            numeric = numeric + sign * oxygen.function(energy) / (2 * step)
        parameter.value = value
        limit = 2e-3 * np.abs(numeric).max()
        np.testing.assert_allclose(analytic, numeric, atol=limit, err_msg=parameter.name)


def test_parameters_have_the_units_and_bounds_of_the_training_sites(emulator, sites):
    oxygen = PropertyELNES()
    assert oxygen.bond_angle.units == "deg"
    sites = sites.take(complete_sites(sites))
    sites = sites.take(sites_without(sites, emulator.record["withheld_phases"]))
    for column, name in enumerate(emulator.property_names):
        parameter = getattr(oxygen, name)
        assert parameter.bmin == sites.targets[:, column].min()
        parameter.value = 1e6
        assert parameter.value == parameter.bmax == sites.targets[:, column].max()


def test_an_unknown_property_is_refused():
    with pytest.raises(UnknownPropertyError, match="Did you mean 'bond_length'"):
        PropertyELNES(bond_lenght=1.6)


def test_a_fit_recovers_properties_within_its_standard_errors(charge, rng):
    """Charge, onset and intensity beside a background, from a hundred noisy spectra."""
    s = empty((100,), size=600)
    energy = s.axes_manager.signal_axes[0].axis
    truth = {"mulliken_charge": -0.8, "onset": 520.2, "intensity": 2e5}
    true = PropertyELNES(charge, **truth)
    background = PowerLaw(A=3e15, r=4.5)
    expected = 0.1 * (true.function(energy) + background.function(energy))
    s.data += expected + 10.0 * rng.standard_normal(s.data.shape)
    s.set_noise_variance(100.0)
    fitted = PropertyELNES(charge, mulliken_charge=-0.79, onset=520.0, intensity=1.5e5)
    m = model(s, PowerLaw(A=2.9e15, r=4.5), fitted)
    fitted.onset.free = True
    m.multifit(grad="analytical", **QUIET)
    for name, value in truth.items():
        parameter = getattr(fitted, name)
        pull = (parameter.map["values"] - value) / parameter.map["std"]
        assert abs(pull.mean()) < 0.4, name
        assert 0.75 < pull.std() < 1.25, name


def test_a_fit_recovers_all_properties_of_a_clean_spectrum(emulator):
    s = empty(size=700)
    energy = s.axes_manager.signal_axes[0].axis
    centre, scale = emulator.arrays["centre"], emulator.arrays["scale"]
    truth = dict(
        zip(emulator.property_names, centre + [0.5, -0.5, 0.3, -0.3, 0.4] * scale, strict=True)
    )
    s.data = PropertyELNES(onset=520.0, intensity=1e6, **truth).function(energy) * 0.1
    fitted = PropertyELNES(onset=520.0, intensity=8e5)
    m = model(s, fitted)
    m.fit(optimizer="trf", bounded=True, grad="analytical", x_scale="jac")
    for (name, value), spread in zip(truth.items(), scale, strict=True):
        assert abs(getattr(fitted, name).value - value) < 0.02 * spread, name


def test_all_positions_at_once_are_each_position_alone(emulator, rng):
    s = empty((3, 2), size=500)
    oxygen = PropertyELNES(onset=515.0, intensity=1e4)
    m = model(s, oxygen)
    m.assign_current_values_to_all()
    oxygen.bond_angle.map["values"] = rng.uniform(130, 170, (3, 2))
    oxygen.onset.map["values"] = rng.choice([514.0, 515.0], (3, 2))
    together = m.as_signal(**QUIET)
    lazy = model(s.as_lazy(), PropertyELNES(onset=515.0, intensity=1e4))
    lazy.assign_current_values_to_all()
    for name in ("bond_angle", "onset"):
        getattr(lazy[0], name).map["values"] = getattr(oxygen, name).map["values"]
    computed = lazy.as_signal(**QUIET)
    computed.compute(**QUIET)
    np.testing.assert_allclose(computed.data, together.data)
    energy = s.axes_manager.signal_axes[0].axis
    m.axes_manager.indices = (1, 2)
    m.fetch_stored_values()
    alone = 0.1 * oxygen.function(energy)
    np.testing.assert_allclose(together.inav[1, 2].data, alone, atol=1e-12 * alone.max())


def test_a_stored_model_keeps_its_emulator(charge, tmp_path):
    s = empty((2, 2), size=500)
    m = model(s, PropertyELNES(charge, onset=515.0, mulliken_charge=-0.8), PropertyELNES())
    m.assign_current_values_to_all()
    m.store("fit")
    s.save(tmp_path / "fit.hspy")
    restored = hs.load(tmp_path / "fit.hspy").models.restore("fit")
    assert restored[0].emulator.sha256 == charge.sha256
    assert restored[0].mulliken_charge.value == -0.8
    np.testing.assert_allclose(restored.as_signal(**QUIET).data, m.as_signal(**QUIET).data)


def test_a_fit_starts_from_a_prediction():
    s, _ = hc.data.silica_spectrum_image((4, 3), drift=0.5)
    s.data[0, 0] = 0  # a dead pixel
    options = {"resolution": 0.5, "novelty_level": 0, **QUIET}
    prediction = s.predict_properties(**options)
    oxygen, lazily = PropertyELNES(onset=530.0), PropertyELNES(onset=530.0)
    m = model(s, oxygen, lazily)
    oxygen.start_from(prediction)
    lazily.start_from(s.predict_properties(lazy_output=True, **options))
    for one, other in zip(oxygen.parameters, lazily.parameters, strict=True):
        np.testing.assert_array_equal(one.map["values"], other.map["values"])
    alive = np.ones((3, 4), dtype=bool)
    alive[0, 0] = False
    angle = prediction.get_property_map("bond_angle").data
    np.testing.assert_allclose(oxygen.bond_angle.map["values"][alive], angle[alive])
    assert np.isfinite(oxygen.onset.map["values"]).all()
    assert oxygen.onset.map["values"][0, 0] == 530.0
    # From threshold to lowest empty state, every pixel goes as far as the mean spectrum does.
    behind = (prediction.onset.data - oxygen.onset.map["values"])[alive]
    np.testing.assert_allclose(behind, behind[0], atol=1e-4)
    assert 0.5 < behind[0] < 2.0
    assert np.isfinite(m.as_signal(**QUIET).data).all()
    # Where a fit stands does not matter to where it starts.
    before = [parameter.map["values"].copy() for parameter in oxygen.parameters]
    m.axes_manager.indices = (2, 1)
    m.fetch_stored_values()
    oxygen.start_from(prediction)
    for parameter, first in zip(oxygen.parameters, before, strict=True):
        np.testing.assert_array_equal(parameter.map["values"][alive], first[alive])


def emulated_edges(lowest_empty, offset, sigma):
    """Return noise-free spectra of the mean site, broadened to `sigma`, on a background."""
    s = empty(np.shape(lowest_empty), offset=offset, size=1024)
    energy = s.axes_manager.signal_axes[0].axis
    broadening = np.sqrt(sigma**2 - load_emulator().sigma ** 2)
    for place, onset in np.ndenumerate(lowest_empty):
        edge = PropertyELNES(onset=onset, intensity=1e5, broadening=broadening)
        s.data[place] = 0.1 * edge.function(energy) + 3e4 * (energy / 500) ** -3
    return s


@pytest.mark.parametrize(
    "name", ["silica-o-k-15eV-sigma-0.3", "silica-o-k-15eV", "silica-o-k-15eV-sigma-0.8"]
)
def test_a_start_has_the_lowest_empty_states_whatever_the_model(rng, name):
    """Models of other broadening put their thresholds elsewhere, up to half an eV apart."""
    sigma = 0.2
    lowest_empty = rng.uniform(535, 539, 8)
    s = emulated_edges(lowest_empty, 480.0, sigma)
    recipe = hc.load_pretrained(name).recipe
    # A channel, too, broadens; the emulator's own samples do not carry it.
    width = np.sqrt(max(sigma**2 - 0.1**2 / 12, 0)) * FWHM_PER_SIGMA
    prediction = s.predict_properties(hc.load_pretrained(name), resolution=width, **QUIET)
    oxygen = PropertyELNES(onset=530.0)
    model(s, oxygen)
    oxygen.start_from(prediction)
    # Measured: within 0.002 eV.
    np.testing.assert_allclose(oxygen.onset.map["values"], lowest_empty, atol=0.01)
    threshold = prediction.onset.data - lowest_empty
    del prediction.metadata.CoreLossProperty.Preprocessing.Recipe
    oxygen.start_from(prediction)
    off = oxygen.onset.map["values"] - lowest_empty
    if recipe == Recipe():
        np.testing.assert_allclose(off, 0, atol=0.01)
    else:
        assert (np.abs(off) > 0.05).all()  # so it matters
    assert np.ptp(threshold) < 0.01


def test_a_start_from_a_result_of_before_takes_the_default_recipe(rng):
    """Results that were saved before they told their recipe start as they did."""
    s = emulated_edges(rng.uniform(535, 539, 3), 480.0, 0.2)
    starts = {}
    for name in ("silica-o-k-15eV-sigma-0.8", "silica-o-k-15eV"):
        prediction = s.predict_properties(hc.load_pretrained(name), resolution=0.4, **QUIET)
        oxygen = PropertyELNES(onset=530.0)
        model(s, oxygen)
        del prediction.metadata.CoreLossProperty.Preprocessing.Recipe
        oxygen.start_from(prediction)
        starts[name] = prediction.onset.data - oxygen.onset.map["values"]
    # As far behind the lowest empty state as by the default recipe, whatever the model was.
    np.testing.assert_allclose(*starts.values(), atol=1e-4)


def test_a_prediction_of_another_image_is_refused():
    s, _ = hc.data.silica_spectrum_image((4, 3))
    prediction = s.predict_properties(resolution=0.5, **QUIET)
    oxygen = PropertyELNES()
    with pytest.raises(SignalError, match="Append the component"):
        oxygen.start_from(prediction)
    model(s.inav[:2], oxygen)
    with pytest.raises(SignalError, match=r"\(3, 2\)"):
        oxygen.start_from(prediction)


def test_discrepancy_is_what_spectra_of_new_phases_miss(emulator):
    oxygen = PropertyELNES(onset=530.0, intensity=1e5)
    energy = np.arange(500.0, 580.0, 0.1)
    missed = oxygen.discrepancy(energy)
    assert missed[energy < 525].max() < 1e-3 * missed.max()
    rise = oxygen.function(energy).max()
    assert 0.02 * rise < missed.max() < 0.5 * rise


def test_templates_and_properties_fit_side_by_side(charge):
    """The oxygen of a known and that of an unknown material in one spectrum."""
    s = empty(size=600)
    energy = s.axes_manager.signal_axes[0].axis
    known = ELNESTemplate.from_dataset("stishovite", onset=520.5, intensity=4e4, broadening=0.2)
    unknown = PropertyELNES(charge, onset=520.0, intensity=1e5, mulliken_charge=-0.77)
    s.data = 0.1 * (known.function(energy) + unknown.function(energy))
    known.intensity.value, unknown.intensity.value = 1e4, 1.3e5
    unknown.mulliken_charge.value = -0.79
    m = model(s, known, unknown)
    m.fit(optimizer="trf", bounded=True, grad="analytical", x_scale="jac")
    assert known.intensity.value == pytest.approx(4e4, rel=1e-2)
    assert unknown.mulliken_charge.value == pytest.approx(-0.77, abs=1e-3)


def test_fitting_an_emulated_spectrum_gives_its_properties_back(charge):
    true = np.array([-0.79])
    found = fit_properties(charge, charge.spectra(true)[0])
    assert found == pytest.approx(true, abs=1e-5)


def test_half_widths_are_the_conformal_ones_of_the_phases_left_out(emulator):
    """What they hold of new errors: tests/pretrained/test_intervals.py."""
    errors = np.sort(np.abs(emulator.arrays["residuals"]), axis=0)
    for level in (0.5, 0.9):
        expected = errors[int(np.ceil(level * (len(errors) + 1))) - 1]
        np.testing.assert_array_equal(emulator.half_width(level), expected)
        widths = PropertyELNES().half_width(level)
        assert list(widths) == list(emulator.property_names)
        np.testing.assert_array_equal(list(widths.values()), expected)


def test_a_property_is_fitted_beside_background_thickness_and_another_edge(charge):
    s, low_loss = empty(size=700), empty(offset=-10.0, size=600)
    loss = low_loss.axes_manager.signal_axes[0].axis
    low_loss.data = np.exp(-0.5 * (loss / 0.2) ** 2) + 0.1 * np.exp(-0.5 * ((loss - 22) / 4) ** 2)
    low_loss.data /= low_loss.data.sum()

    def parts(charge_of_oxygen, onset, intensity, height):
        return (
            PowerLaw(A=3e15, r=4.5),
            PropertyELNES(
                charge, mulliken_charge=charge_of_oxygen, onset=onset, intensity=intensity
            ),
            EdgeStep("arctan", intensity=height, onset=552.0, width=0.8),
        )

    true = model(s, *parts(-0.8, 520.0, 2e5, 900.0), low_loss=low_loss)
    true.assign_current_values_to_all()
    s.data = true.as_signal(**QUIET).data
    m = model(s, *parts(-0.79, 520.2, 1.8e5, 700.0), low_loss=low_loss)
    background, oxygen, step = m
    oxygen.onset.free = True
    step.onset.free = step.width.free = background.r.free = False
    m.fit(optimizer="trf", bounded=True, grad="analytical", x_scale="jac")
    assert oxygen.mulliken_charge.value == pytest.approx(-0.8, abs=1e-3)
    assert oxygen.onset.value == pytest.approx(520.0, abs=1e-2)
    assert step.intensity.value == pytest.approx(900.0, rel=1e-2)
    assert 0 < oxygen.mulliken_charge.std < 1e-2
