"""Components inside HyperSpy models: what they mean, and that fits recover what was put in."""

from __future__ import annotations

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest
import yaml
from hyperspy.components1d import PowerLaw
from hyperspy.signals import Signal1D
from scipy.integrate import trapezoid

from hyperspy_coreloss import components
from hyperspy_coreloss.components import EdgeStep, ELNESTemplate
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import DatasetError, EnergyAxisError, SignalError
from tests.components.fitting import QUIET, empty, energy_axis, model
from tests.fresh import run_fresh
from tests.paths import PACKAGE, ROOT

REGISTERED = yaml.safe_load((PACKAGE / "hyperspy_extension.yaml").read_text(encoding="utf-8"))[
    "components1D"
]
# HyperSpy says so when it falls back to NumPy in its own background component.
pytestmark = pytest.mark.filterwarnings("ignore:Numexpr is not installed")


def quartz(**parameters):
    return ELNESTemplate.from_dataset("alpha-quartz", **{"onset": 530.0, **parameters})


def stishovite(**parameters):
    return ELNESTemplate.from_dataset("stishovite", **{"onset": 531.0, **parameters})


def mixture(rng, navigation_shape=(6, 5), counts=(3e5, 1e5), noise=0.0):
    """Return a signal of known shares of two materials and a step, and the shares."""
    s = empty(navigation_shape)
    energy = s.axes_manager.signal_axes[0].axis
    shares = rng.uniform(0.2, 1.0, size=(2, *navigation_shape))
    parts = (quartz(broadening=0.3), stishovite(broadening=0.3))
    for part, share, count in zip(parts, shares, counts, strict=True):
        s.data += 0.1 * count * share[..., None] * part.function(energy)
    s.data += 0.1 * EdgeStep("arctan", 500.0, 530.0, 1.0).function(energy)
    s.data += noise * rng.standard_normal(s.data.shape)
    return s, shares * np.reshape(counts, (2, *(1,) * len(navigation_shape)))


def test_every_public_component_is_registered():
    assert sorted(entry["class"] for entry in REGISTERED.values()) == sorted(components.__all__)


@pytest.mark.parametrize("identifier", REGISTERED)
def test_the_registered_components_are_the_public_ones(identifier):
    made = getattr(components, REGISTERED[identifier]["class"])
    assert REGISTERED[identifier]["module"] == "hyperspy_coreloss.components"
    assert made.__name__ in components.__all__
    example = made(template_signal()) if made is ELNESTemplate else made()
    assert example._id_name == identifier


def template_signal():
    energy = np.arange(-5, 30, 0.1)
    axis = {"name": "Energy", "axis": energy, "units": "eV"}
    return Signal1D(np.exp(-0.5 * (energy - 3) ** 2), axes=[axis])


def test_intensity_is_counts_between_the_ends_of_the_template():
    energy = np.arange(520.0, 575.0, 0.05)
    template = quartz(intensity=7.0, broadening=0.0)
    within = (energy >= 525.0) & (energy <= 570.0)
    assert np.sum(template.function(energy)[within]) * 0.05 == pytest.approx(7.0, rel=2e-3)


def test_a_structure_is_the_mean_of_its_sites(sites):
    name = "mp-7648"  # tridymite, three sites
    times = {f"{name}_4": 4, f"{name}_8": 2, f"{name}_10": 2}  # in the cell
    energy = np.arange(530.0, 560.0, 0.1)
    parts = {part.name: part for part in sites.sites}
    edges = {one: parts[one].labels["excitation_energy"] for one in times}
    mean = sum(count * edges[one] for one, count in times.items()) / 8
    expected = sum(
        count * sites.take([sites.names.index(one)]).spectra(energy - edges[one], 0.3)[0]
        for one, count in times.items()
    )
    template = ELNESTemplate.from_dataset(name, broadening=0.3)
    assert template.onset.value == pytest.approx(mean)
    found = template.function(energy)
    inner = (energy > mean - 3) & (energy < mean + 15)
    scale = expected[inner].sum() / found[inner].sum()
    assert np.abs(found * scale - expected)[inner].max() < 5e-3 * expected.max()


def test_an_unknown_material_is_refused_with_those_that_are_near():
    with pytest.raises(DatasetError, match=r"Did you mean .*'COD-Quartz-alpha'"):
        ELNESTemplate.from_dataset("quartz-alpha")


def test_a_measured_spectrum_lies_where_it_was_measured(rng):
    s = empty(offset=520.0)
    energy = s.axes_manager.signal_axes[0].axis
    s.data = 1e4 * quartz(onset=537.0, broadening=0.5).function(energy)
    template = ELNESTemplate.from_signal(s)
    # The threshold is where the spectrum rises, the lowest empty state somewhat before.
    assert 537.0 < template.onset.value < 539.0
    np.testing.assert_allclose(
        template.function(energy) * trapezoid(s.data, energy), s.data, atol=1e-9 * s.data.max()
    )
    assert ELNESTemplate.from_signal(s, onset=536.5).onset.value == 536.5


def test_units_and_spacing_of_the_axis_do_not_matter():
    energy = np.concatenate([np.arange(520, 540, 0.1), np.arange(540, 580, 0.25)])
    values = quartz(onset=530.0, broadening=0.5).function(energy)
    uneven = Signal1D(values, axes=[{"axis": energy, "units": "eV"}])
    kilo = Signal1D(values, axes=[{"axis": energy / 1000, "units": "keV"}])
    templates = [ELNESTemplate.from_signal(one, onset=530.0) for one in (uneven, kilo)]
    points = np.arange(525.0, 570.0, 0.5)
    first, second = (template.function(points) for template in templates)
    np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("signal", "error", "message"),
    [
        (Signal1D(np.ones((3, 50))), SignalError, "one spectrum"),
        (Signal1D(np.ones(50)), EnergyAxisError, "energy units"),
        (Signal1D(-np.ones(50), axes=[energy_axis(size=50)]), SignalError, "positive area"),
        (Signal1D(np.full(50, np.nan), axes=[energy_axis(size=50)]), SignalError, "finite"),
    ],
)
def test_what_is_no_template_is_refused(signal, error, message):
    with pytest.raises(error, match=message):
        ELNESTemplate.from_signal(signal, onset=0.0)


def test_a_spectrum_without_threshold_needs_to_be_told_its_onset(rng):
    flat = Signal1D(100 + rng.normal(size=300), axes=[energy_axis(size=300)])
    with pytest.raises(SignalError, match="No threshold"):
        ELNESTemplate.from_signal(flat)


@pytest.mark.parametrize("optimizer", ["lstsq", "nnls"])
def test_a_linear_fit_finds_the_shares_of_materials(rng, optimizer):
    s, counts = mixture(rng)
    m = model(s, quartz(broadening=0.3), stishovite(broadening=0.3), EdgeStep(onset=530.0))
    m.set_parameters_not_free(only_nonlinear=True)
    m.multifit(optimizer=optimizer, **QUIET)
    for part, expected in zip(m, (*counts, np.full(counts.shape[1:], 500.0)), strict=True):
        np.testing.assert_allclose(part.intensity.map["values"], expected, rtol=1e-6)


def test_lazy_and_eager_linear_fits_agree(rng):
    s, _ = mixture(rng, noise=5.0)
    maps = []
    for signal in (s, s.as_lazy()):
        m = model(signal, quartz(broadening=0.3), stishovite(broadening=0.3))
        m.multifit(optimizer="lstsq", calculate_errors=True, **QUIET)
        fitted = m.as_signal(**QUIET)
        if fitted._lazy:
            fitted.compute(**QUIET)
        maps.append((m[0].intensity.map["values"], m[0].intensity.map["std"], fitted.data))
    for eager, lazy in zip(*maps, strict=True):
        np.testing.assert_allclose(lazy, eager, rtol=1e-6)


def test_the_standard_errors_of_a_fit_are_those_of_the_noise(rng):
    """Onset, broadening and intensity, from two hundred noisy spectra."""
    s = empty((200,), size=500)
    energy = s.axes_manager.signal_axes[0].axis
    truth = {"intensity": 2e4, "onset": 520.3, "broadening": 0.35}
    s.data += 0.1 * quartz(**truth).function(energy)
    s.data += 2.0 * rng.standard_normal(s.data.shape)
    s.set_noise_variance(4.0)
    template = quartz(onset=520.0, broadening=0.2, intensity=1e4)
    m = model(s, template)
    m.set_parameters_free()
    template.lifetime.free = False
    m.multifit(grad="analytical", **QUIET)
    for name, true in truth.items():
        parameter = getattr(template, name)
        pull = (parameter.map["values"] - true) / parameter.map["std"]
        assert abs(pull.mean()) < 4 / np.sqrt(200)
        assert 0.8 < pull.std() < 1.2, name


def test_all_positions_at_once_are_each_position_alone(rng):
    """Also where onset and broadening vary over the image."""
    s = empty((3, 4))
    template = quartz()
    m = model(s, template)
    for name, values in {
        "intensity": rng.uniform(1, 2, (3, 4)),
        "onset": rng.choice([528.0, 530.0, 531.5], (3, 4)),
        "broadening": rng.choice([0.2, 0.5], (3, 4)),
    }.items():
        getattr(template, name).map["values"] = values
        getattr(template, name).map["is_set"] = True
    template.lifetime.map["is_set"] = True
    together = m.as_signal(**QUIET)
    energy = s.axes_manager.signal_axes[0].axis
    np.testing.assert_allclose(together.data, 0.1 * template.function_nd(energy))
    for indices in ((0, 0), (3, 2)):
        m.axes_manager.indices = indices
        m.fetch_stored_values()
        alone = 0.1 * template.function(energy)
        np.testing.assert_allclose(together.inav[indices].data, alone, rtol=1e-12)


def test_plural_scattering_is_undone_by_the_low_loss_of_the_model(rng):
    s, low_loss = empty(size=600), empty(offset=-10.0, size=700)
    loss = low_loss.axes_manager.signal_axes[0].axis
    low_loss.data = np.exp(-0.5 * (loss / 0.3) ** 2) + 0.05 * np.exp(-0.5 * ((loss - 22) / 4) ** 2)
    low_loss.data /= low_loss.data.sum()
    m = model(s, quartz(onset=515.0, intensity=1e5, broadening=0.2), low_loss=low_loss)
    m.assign_current_values_to_all()
    s.data = m.as_signal(**QUIET).data
    fitted = quartz(onset=514.8, intensity=5e4, broadening=0.2)
    m = model(s, fitted, low_loss=low_loss)
    fitted.onset.free = True
    m.fit(grad="analytical")
    assert fitted.intensity.value == pytest.approx(1e5, rel=1e-4)
    assert fitted.onset.value == pytest.approx(515.0, abs=1e-3)


def test_they_work_on_any_signal_and_on_uneven_axes():
    energy = np.concatenate([np.arange(510, 530, 0.1), np.arange(530, 560, 0.2)])
    template = quartz(onset=520.0, broadening=0.3)
    s = Signal1D(5e3 * template.function(energy), axes=[{"axis": energy, "units": "eV"}])
    m = s.create_model()
    m.append(template)
    m.fit()
    assert template.intensity.value == pytest.approx(5e3, rel=1e-6)


def test_a_stored_model_comes_back_with_its_spectra(rng, tmp_path):
    s, _ = mixture(rng, (3, 2))
    m = model(s, quartz(broadening=0.3), stishovite(), EdgeStep("erf", 4.0, 530.0, 0.8))
    m.assign_current_values_to_all()
    m.store("fit")
    s.save(tmp_path / "fit.hspy")
    restored = hs.load(tmp_path / "fit.hspy").models.restore("fit")
    assert [part.name for part in restored] == ["alpha-quartz", "stishovite", "EdgeStep"]
    assert [type(part) for part in restored] == [ELNESTemplate, ELNESTemplate, EdgeStep]
    np.testing.assert_allclose(restored.as_signal(**QUIET).data, m.as_signal(**QUIET).data)


def test_components_are_drawn_and_adjusted(rng):
    s, _ = mixture(rng, (3, 2))
    m = model(s, quartz(broadening=0.3, intensity=1e5), EdgeStep(onset=530.0))
    m.plot(plot_components=True)
    m.enable_adjust_position()
    m.disable_adjust_position()
    drawn = m.signal._plot.signal_plot.ax.lines
    assert len(drawn) >= 4  # data, model, two components
    plt.close("all")


def test_slices_of_a_model_keep_their_templates(rng):
    s, _ = mixture(rng)
    m = model(s, quartz(broadening=0.3), stishovite(broadening=0.3))
    m.multifit(optimizer="lstsq", **QUIET)
    part = m.inav[1:3, 2:]
    assert part[0].intensity.map["values"].shape == (4, 2)
    np.testing.assert_array_equal(
        part.as_signal(**QUIET).data, m.as_signal(**QUIET).inav[1:3, 2:].data
    )


def test_samfire_fits_them(rng):
    s, counts = mixture(rng, (4, 3))
    parts = (quartz, stishovite, EdgeStep)
    m = model(s, *(part(onset=530.0 + (part is stishovite), intensity=1e3) for part in parts))
    for part in m[:2]:
        part.broadening.value = 0.3
    m.set_parameters_not_free(only_nonlinear=True)
    s.estimate_poissonian_noise_variance()
    m.multifit(mask=np.arange(12).reshape(4, 3) > 0, **QUIET)
    # HyperSpy 2.5 loses the results of worker processes, whatever the component.
    samf = m.create_samfire(workers=0)
    samf.metadata.goodness_test.tolerance = 10.0  # there is no noise
    samf.refresh_database()
    samf.start()
    assert samf.pixels_done == 12
    np.testing.assert_allclose(m[0].intensity.map["values"], counts[0], rtol=1e-4)


@pytest.mark.parametrize("shape", ["arctan", "erf"])
def test_a_step_rises_from_nothing_to_its_intensity(shape):
    step = EdgeStep(shape, intensity=3.0, onset=530.0, width=0.5)
    far = step.function(np.array([-1e6, 530.0, 1e6]))
    np.testing.assert_allclose(far, [0.0, 1.5, 3.0], atol=1e-5)


@pytest.mark.parametrize("shape", ["arctan", "erf"])
def test_a_fitted_step_finds_the_onset(rng, shape):
    s = empty(size=600)
    energy = s.axes_manager.signal_axes[0].axis
    truth = {"intensity": 400.0, "onset": 530.7, "width": 1.3}
    s.data = 0.1 * (EdgeStep(shape, **truth).function(energy) + 3e15 * energy**-5.0)
    s.data += 0.5 * rng.standard_normal(s.data.shape)
    s.set_noise_variance(0.25)
    step = EdgeStep(shape, intensity=300.0, onset=530.0)
    m = model(s, PowerLaw(A=2.5e15, r=5.0), step)
    m.fit(grad="analytical")
    for name, true in truth.items():
        parameter = getattr(step, name)
        assert abs(parameter.value - true) < 4 * parameter.std
    assert step.onset.std < 0.1


def test_an_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="one of arctan, erf"):
        EdgeStep("tanh")


def test_templates_and_steps_need_no_torch_and_emulators_load_it():
    run_fresh("""
        import sys
        import numpy as np
        from hyperspy_coreloss.components import EdgeStep, ELNESTemplate, PropertyELNES
        energy = np.arange(520.0, 550.0, 0.5)
        assert ELNESTemplate.from_dataset("stishovite", onset=530.0).function(energy).any()
        assert EdgeStep(onset=530.0).function(energy).any()
        assert "torch" not in sys.modules
        PropertyELNES()
        assert "torch" in sys.modules
        """)


def test_a_fit_of_noise_keeps_its_widths_within_bounds(rng, monkeypatch):
    """Without an edge, any width fits; curves of unlimited width would fill the memory."""
    s = empty((2, 2), size=400)
    s.data += rng.normal(0.0, 10.0, s.data.shape)
    part = quartz(intensity=1e3, lifetime=0.1)
    part.lifetime.free = part.broadening.free = True
    asked = []

    def watched(self, x, derivative=None, real=ELNESTemplate._basis):
        asked.append((self.broadening.value, self.lifetime.value))
        return real(self, x, derivative)

    monkeypatch.setattr(ELNESTemplate, "_basis", watched)
    model(s, part).multifit(iterpath="serpentine", **QUIET)
    assert (np.max(asked, axis=0) <= (10.0, 5.0)).all()
    assert np.min(asked) >= 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"broadening": np.nan}, "broadening must be a width of at most 10 eV, but it is nan"),
        ({"broadening": 11.0}, "broadening must be a width"),
        ({"lifetime": -6.0}, "lifetime must be a width of at most 5 eV"),
        ({"onset": np.inf}, "onset must be a finite number, but it is inf"),
        ({"intensity": "1"}, "intensity must be a finite number"),
    ],
)
def test_initial_values_without_sense_are_refused(given, message):
    with pytest.raises(SignalError, match=message):
        quartz(**given)


PARTS = (quartz, EdgeStep, components.PropertyELNES)


@pytest.mark.parametrize("make", PARTS)
@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ({"offset": 0.5, "scale": 1e-4, "units": "keV"}, r"in eV, but the axis is in 'keV'"),
        ({"units": "nm"}, "in eV, but the axis is in 'nm'"),
        ({"offset": 580.0, "scale": -0.1}, r"falls from 580 to 500\.1 eV.*isig\[::-1\]"),
    ],
)
def test_other_axes_than_rising_ones_in_ev_are_refused_and_leave_no_trace(make, axis, message):
    m = model(empty(**axis))
    part = make()
    with pytest.raises(EnergyAxisError, match=message):
        m.append(part)
    assert not len(m)
    assert part.model is None
    right = model(empty(), part)
    assert right[0] is part


def test_the_remedies_for_other_axes_give_the_same_fit(rng):
    s, counts = mixture(rng, (2, 2))
    kev, falling = s.deepcopy(), s.isig[::-1]
    axis = kev.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = axis.offset / 1e3, axis.scale / 1e3, "keV"
    axis.convert_to_units("eV")
    assert falling.axes_manager.signal_axes[0].scale < 0
    for mended in (kev, falling.isig[::-1]):
        parts = quartz(broadening=0.3), stishovite(broadening=0.3), EdgeStep(onset=530.0)
        m = model(mended, *parts)
        m.set_parameters_not_free(only_nonlinear=True)
        m.multifit(optimizer="lstsq", **QUIET)
        np.testing.assert_allclose(m[0].intensity.map["values"], counts[0], rtol=1e-4)


@pytest.mark.parametrize("shape", ["arctan", "erf"])
def test_a_step_without_width_is_a_step(shape):
    step = EdgeStep(shape, intensity=2.0, onset=530.0, width=0.0)
    np.testing.assert_allclose(step.function(np.array([529.0, 530.0, 531.0])), [0, 1, 2], atol=1e-4)


@pytest.mark.parametrize("lazy", [False, True])
def test_the_fit_of_the_documentation_runs_on_any_file(tmp_path, lazy, sites):
    page = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
    block = next(part for part in page.split("```python\n") if "m.multifit(" in part)
    silica_spectrum_image((4, 3))[0].save(tmp_path / "image.hspy")
    names = {"s": hs.load(tmp_path / "image.hspy", lazy=lazy)}
    exec(block.partition("```")[0], names)
    assert [part.name for part in names["m"]] == ["alpha-quartz", "stishovite"]
    for part in names["m"]:
        assert part.intensity.map["is_set"].all()
        assert np.isfinite(part.intensity.map["values"]).all()
