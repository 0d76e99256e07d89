"""A calibration corrects an axis, and is itself again after a file."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_coreloss.errors import CalibrationError, CoreLossError
from hyperspy_coreloss.spectra.agreement import agreement
from hyperspy_coreloss.spectra.calibration import UNCERTAINTIES, Calibration, ReferenceEdge
from hyperspy_coreloss.spectra.recipe import Recipe
from hyperspy_coreloss.spectra.reference_fit import calibrate_spectrum
from tests.reference_spectra import AXIS, POSITION, measured_reference

RANGE = (512.0, 552.0)


@pytest.fixture(scope="module")
def calibration(quartz):
    return calibrate_spectrum(
        AXIS, measured_reference(quartz, dispersion_error=0.02), quartz, RANGE
    )


def test_energies_are_those_of_the_calculation(quartz, calibration):
    lines = np.array([0.0, 20.0, 80.0])
    on_the_axis = POSITION + lines / 1.02
    np.testing.assert_allclose(
        calibration.energies(on_the_axis), quartz.excitation_energy + lines, atol=0.03
    )
    assert calibration.dispersion == pytest.approx(0.102, rel=5e-4)
    assert calibration.dispersion_error == pytest.approx(0.02, abs=5e-4)
    assert calibration.energy_offset == pytest.approx(quartz.excitation_energy - POSITION, abs=0.01)


def test_it_tells_its_material_and_values_with_their_uncertainties(calibration):
    text = repr(calibration)
    assert "alpha-quartz" in text
    assert set(calibration.uncertainties) == set(UNCERTAINTIES)
    assert (
        f"{calibration.dispersion:.5f} ± {calibration.uncertainties['dispersion']:.5f} eV" in text
    )


def test_a_file_holds_all_of_it(calibration, tmp_path):
    calibration.save(tmp_path / "quartz.json")
    again = Calibration.load(tmp_path / "quartz.json")
    assert repr(again) == repr(calibration)
    assert again.agreement == calibration.agreement
    np.testing.assert_array_equal(again.energies(AXIS), calibration.energies(AXIS))
    np.testing.assert_allclose(again.energy, calibration.energy, rtol=1e-12)
    for name in ("measured", "fitted", "background"):
        np.testing.assert_allclose(getattr(again, name), getattr(calibration, name), rtol=1e-5)
    recipe = Recipe()
    assert again.reference.threshold(recipe) == pytest.approx(
        calibration.reference.threshold(recipe), abs=1e-3
    )
    assert again.to_dict() == json.loads(json.dumps(again.to_dict()))


def test_saving_leaves_nothing_else(calibration, tmp_path):
    (tmp_path / "quartz.json").write_text("old")
    calibration.save(tmp_path / "quartz.json")
    assert [path.name for path in tmp_path.iterdir()] == ["quartz.json"]


def test_arrays_cannot_be_changed(calibration):
    for array in (calibration.measured, copy.deepcopy(calibration).fitted):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def _paths(fields, before=()):
    for name, value in fields.items():
        yield (*before, name)
        if isinstance(value, dict):
            yield from _paths(value, (*before, name))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(data=st.data(), value=ANYTHING)
@settings(max_examples=200, deadline=None)
def test_other_fields_are_refused_or_make_a_calibration_that_works(calibration, data, value):
    fields = copy.deepcopy(calibration.to_dict())
    path = data.draw(st.sampled_from(list(_paths(fields))))
    node = fields
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = value
    try:
        changed = Calibration.from_dict(fields)
    except CalibrationError:
        return
    assert np.isfinite(changed.energies(AXIS)).all()
    assert repr(changed)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b"{}", b"\xff\xfe", b"[" * 100_000, b"nul", b'{"format": 1}'],
)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(CalibrationError, match=r"written by Calibration\.save"):
        Calibration.load(tmp_path / "c.json")


def test_a_file_of_another_version_is_refused(calibration):
    with pytest.raises(CalibrationError, match="of this version"):
        Calibration.from_dict({**calibration.to_dict(), "format_version": 2})


@pytest.mark.parametrize(
    "changes",
    [
        {"dispersion": 0.0},
        {"nominal_dispersion": -0.1},
        {"position": np.nan},
        {"resolution": -1.0},
        {"measured": np.ones(3)},
    ],
)
def test_a_calibration_of_impossible_numbers_is_refused(calibration, changes):
    with pytest.raises(CalibrationError, match="needs finite numbers"):
        replace(calibration, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"sigma": -1.0},
        {"excitation_energy": np.inf},
        {"intensity": np.ones(3)},
        {"energy": np.arange(1.0, 4.0), "intensity": np.ones(3)},
        {"energy": np.array([-1.0, 0.0, 2.0]), "intensity": np.ones(3)},
        {"energy": np.empty(0), "intensity": np.empty(0)},
    ],
)
def test_a_computed_edge_of_impossible_numbers_is_refused(quartz, changes):
    with pytest.raises(CalibrationError, match="computed edge needs"):
        replace(quartz, **changes)


def test_the_axis_may_begin_elsewhere_but_not_have_another_dispersion(calibration):
    calibration.check_axis(AXIS)
    calibration.check_axis(AXIS[::-1] + 73.0)
    for axis in (2 * AXIS, AXIS * 1.002, np.append(AXIS, AXIS[-1] + 0.3)):
        with pytest.raises(CalibrationError, match=r"0\.1 eV per channel, but this axis has"):
            calibration.check_axis(axis)


def test_agreement_is_the_difference_that_is_put_in(rng):
    energy = np.arange(0.0, 100.0, 0.1)
    edge = 1000.0 * np.exp(-energy / 100)
    wrong = 0.1 * edge * np.sign(np.sin(energy))
    noise = 30.0 * rng.standard_normal(energy.size)
    one = agreement(
        energy, edge + wrong + noise, edge, 0 * edge, np.full(edge.size, 900.0), (10.0, 40.0)
    )
    assert one.difference == pytest.approx(0.1, rel=0.05)
    assert one.residual > one.difference
    assert str(one).startswith("10 to 40 eV: ")
    nothing = agreement(energy, edge, edge, edge, 0 * edge, (10.0, 40.0))
    assert nothing.residual == np.inf
    assert agreement(energy, edge, edge, 0 * edge, 0 * edge, (80.0, 140.0)) is None


def test_agreement_tells_where_theory_is_wrong(quartz):
    counts = measured_reference(quartz)
    bump = 1 - 0.2 * np.exp(-0.5 * ((AXIS - POSITION - 55) / 4) ** 2) * (AXIS > 537)
    fitted = calibrate_spectrum(AXIS, counts * bump, quartz, RANGE)
    differences = {one.start: one.difference for one in fitted.agreement}
    assert set(differences) == {0.0, 15.0, 40.0, 70.0}
    assert differences[40.0] == max(differences.values())
    assert differences[40.0] > 0.03
    assert differences[0.0] < 0.02


def test_the_figure_shows_the_spectra(calibration):
    figure = calibration.plot()
    above, middle, below = figure.axes
    shown = {line.get_label(): line for line in above.get_lines()}
    np.testing.assert_array_equal(shown["measured"].get_ydata(), calibration.measured)
    np.testing.assert_array_equal(shown["computed, fitted"].get_ydata(), calibration.fitted)
    residual = middle.get_lines()[-1].get_ydata()
    np.testing.assert_array_equal(residual, calibration.measured - calibration.fitted)
    heights = [bar.get_height() for bar in below.patches]
    assert heights[::2] == [pytest.approx(100 * one.residual) for one in calibration.agreement]
    plt.close(figure)


def _background(rng):
    return rng.poisson(1e5 * (AXIS / 537.0) ** -3.0)


def test_noise_has_no_edge(quartz, rng):
    with pytest.raises(
        CalibrationError, match=r"No edge of alpha-quartz.*30 times above the noise"
    ):
        calibrate_spectrum(AXIS, _background(rng).astype(float), quartz, RANGE)


def test_too_few_counts_are_refused(quartz):
    with pytest.raises(CalibrationError, match=r"No edge|does not tell its calibration"):
        calibrate_spectrum(AXIS, measured_reference(quartz, counts=3.0), quartz, RANGE)


def test_a_step_or_a_peak_is_not_quartz(quartz, rng):
    background = _background(rng)
    step = 1e5 / (1 + np.exp(-2 * (AXIS - 537))) * (AXIS / 537) ** -3
    peak = 1e5 * np.exp(-0.5 * ((AXIS - 540) / 1.5) ** 2)
    for edge in (step, peak):
        with pytest.raises(CalibrationError, match="alpha-quartz"):
            calibrate_spectrum(AXIS, background + rng.poisson(edge), quartz, RANGE)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (np.zeros(AXIS.size), "all channels are zero"),
        (np.full(AXIS.size, np.nan), "NaN"),
        (np.minimum(1e4 * (AXIS / 500) ** -3.0, 8e3), "saturated"),
        (-((AXIS / 500) ** -3.0), "negative"),
    ],
)
def test_what_cannot_be_read_is_refused(quartz, counts, reason):
    with pytest.raises(CalibrationError, match=f"cannot be read.*{reason}"):
        calibrate_spectrum(AXIS, counts, quartz, RANGE)


SHAPES = {
    "flat": lambda e, rng: np.full(e.size, 5.0),
    "noise": lambda e, rng: rng.standard_normal(e.size),
    "heavy": lambda e, rng: rng.standard_cauchy(e.size),
    "counts": lambda e, rng: rng.poisson(0.1, e.size).astype(float),
    "rising": lambda e, rng: (e / 500) ** 3.0,
    "spike": lambda e, rng: np.where(np.abs(e - 540) < 0.3, 1e6, 1.0),
    "waves": lambda e, rng: 2 + np.sin(e / rng.uniform(0.1, 20)),
}


@given(
    shape=st.sampled_from(sorted(SHAPES)),
    scale=st.sampled_from([1e-300, 1e-30, 1.0, 1e30, 1e300]),
    width=st.floats(0.1, 3.0),
    seed=st.integers(0, 999),
)
@settings(max_examples=25, deadline=None)
def test_wild_spectra_are_refused_in_words(quartz, shape, scale, width, seed):
    axis = 490.0 + width * np.arange(max(round(120 / width), 2))
    counts = scale * SHAPES[shape](axis, np.random.default_rng(seed))
    with pytest.raises(CoreLossError):
        calibrate_spectrum(axis, counts, quartz, RANGE)


def test_thresholds_are_those_of_the_network_inputs(sites, quartz):
    from hyperspy_coreloss.dataset.inputs import site_thresholds
    from hyperspy_coreloss.dataset.minerals import find_sites

    for sigma in (0.1, 0.5):
        recipe = Recipe(sigma=sigma)
        expected = site_thresholds(find_sites(sites, "alpha-quartz"), recipe)[0]
        assert quartz.threshold(recipe) == pytest.approx(expected, abs=2e-3)
    assert isinstance(quartz, ReferenceEdge)
