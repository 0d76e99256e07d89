from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_coreloss.components.emulator import load_emulator
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.dataset.splits import complete_sites
from hyperspy_coreloss.pretrained.families import list_pretrained, load_pretrained
from hyperspy_coreloss.spectra.microscope import TYPICAL, Microscope


@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (2, 3, 4), (2, 2, 2, 2)])
def test_navigation_shape_is_hyperspys(shape):
    spectra, truth = silica_spectrum_image(shape, n_channels=1024)
    assert spectra.axes_manager.navigation_shape == shape
    assert truth.axes_manager.navigation_shape == shape
    assert spectra.axes_manager.signal_shape == (1024,)
    assert spectra.metadata.Signal.signal_type == "EELS"
    assert type(spectra).__name__ == "EELSSpectrum"
    assert truth.onset.data.size == np.prod(shape)


def test_seed_decides_everything():
    first, same, other = (silica_spectrum_image((4, 4), seed=seed)[0].data for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_dose_is_the_height_of_the_edge_in_counts():
    noisy, _ = silica_spectrum_image((400,), dose=500.0, drift=0.0, n_grains=1)
    exact, _ = silica_spectrum_image((1,), dose=np.inf, drift=0.0, n_grains=1)
    np.testing.assert_allclose(noisy.data.mean(axis=0), 500 * exact.data[0], rtol=0.05)
    np.testing.assert_allclose(noisy.data.var(axis=0).mean(), noisy.data.mean(), rtol=0.02)


def test_jump_ratio_is_edge_over_background():
    exact, _ = silica_spectrum_image((1,), dose=np.inf, drift=0.0, jump_ratio=0.25)
    energy = exact.axes_manager.signal_axes[0].axis
    background = (energy / 537.0) ** -3 / 0.25
    edge = exact.data[0] - background
    assert edge.max() == pytest.approx(1.0, rel=1e-4)
    # Nothing but the tail of a Lorentzian lies below the lowest empty state, at 537 eV.
    assert np.abs(edge[energy < 537.0 - 4]).max() < 0.01
    assert edge[energy > 537.0 + 4].max() == edge.max()


def test_drift_shifts_the_axis_by_what_the_truth_says():
    exact, truth = silica_spectrum_image((2,), dose=np.inf, drift=3.0, n_grains=1, jump_ratio=1e9)
    energy = exact.axes_manager.signal_axes[0].axis
    shift = np.diff(truth.onset.data)[0]
    expected = np.interp(energy - shift, energy, exact.data[0])
    inside = (energy > 520) & (energy < 570)
    assert abs(shift) > 0.5
    np.testing.assert_allclose(exact.data[1][inside], expected[inside], atol=5e-3)


@pytest.mark.parametrize(("onset", "resolution"), [(537.0, 0.5), (531.0, 0.0), (540.0, 1.0)])
def test_the_truth_has_the_thresholds_of_edges_whose_lowest_empty_states_are_at_the_onset(
    sites, onset, resolution
):
    """Where spectra of σ = 0.5 eV pass 30 % of their main peak, whatever was measured."""
    options = {"dose": np.inf, "drift": 0.0, "n_grains": 20, "seed": 4}
    _, truth = silica_spectrum_image((6, 6), onset=onset, resolution=resolution, **options)
    sites = sites.take(complete_sites(sites))
    rows, pixels = np.unique(truth.data.reshape(-1, 6), axis=0, return_index=True)
    shown = [int(np.argmin(np.abs(sites.targets - row).max(axis=1))) for row in rows]
    energy = np.arange(-10.0, 20.0, 0.05)
    behind = truth.onset.data.ravel()[pixels] - onset
    for spectrum, at in zip(sites.take(shown).spectra(energy, 0.5), behind, strict=True):
        peak = spectrum[(energy >= at) & (energy <= at + 10)].max()
        assert np.interp(at, energy, spectrum) == pytest.approx(0.3 * peak, rel=0.01)
    assert behind.min() > 0
    assert np.ptp(behind) > 0.1


@pytest.mark.parametrize(
    ("seed", "options"),
    [
        (0, {}),
        (1, {"drift": 0.0}),
        (2, {"drift": 2.0}),
        (3, {"resolution": 0.2}),
        (4, {"resolution": 1.0}),
        (5, {"jump_ratio": 0.3}),
        (6, {"dispersion": 0.25, "n_channels": 512}),
    ],
)
def test_truth_and_prediction_mean_the_same_by_onset(seed, options):
    """Without noise every pixel's threshold is found. Measured: within 0.011 eV."""
    settings = {"dose": np.inf, "drift": 0.5, "n_grains": 25, "resolution": 0.5, **options}
    spectra, truth = silica_spectrum_image((8, 8), seed=seed, **settings)
    predicted = spectra.predict_properties(
        "silica-o-k-15eV-sigma-0.5", resolution=settings["resolution"], show_progressbar=False
    )
    np.testing.assert_allclose(predicted.onset.data, truth.onset.data, atol=0.03)


def test_no_shipped_model_was_trained_on_a_phase_of_the_image(sites):
    """Errors on sites of the training are several times smaller than those on new phases."""
    seen = np.array(sites.phases)
    shown = set()
    for seed in range(4):
        _, truth = silica_spectrum_image((12, 12), n_grains=30, seed=seed)
        rows = np.unique(truth.data.reshape(-1, 6), axis=0)
        of_rows = (sites.targets.astype(np.float32) == rows[:, None]).all(axis=-1)
        assert of_rows.any(axis=1).all()
        shown |= set(seen[of_rows.any(axis=0)])
    assert len(shown) >= 4
    for name in list_pretrained():
        record = load_pretrained(name).record
        assert shown <= set(record.withheld_phases), name
        assert record.n_spectra == len(sites) - np.isin(seen, record.withheld_phases).sum()
    record = load_emulator().record
    assert shown <= set(record["withheld_phases"])
    withheld = np.isin(seen, record["withheld_phases"])
    assert record["n_spectra"] == np.sum(~withheld & np.isfinite(sites.targets).all(axis=1))


def test_errors_on_the_image_are_those_on_new_phases(pretrained):
    """As large as on phases left out of the training, and not as on those in it."""
    spectra, truth = silica_spectrum_image((24, 24), dose=2e3, n_grains=200, seed=1)
    predicted = spectra.predict_properties(pretrained, resolution=0.5, show_progressbar=False)
    errors = np.nanmean(np.abs(predicted.data - truth.data), axis=(0, 1))
    metrics = pretrained.record.metrics["left_out_phases"]
    for name, error in zip(pretrained.property_names, errors, strict=True):
        assert 0.3 * metrics[name]["mae"] < error < 3 * metrics[name]["mae"], name


def test_every_grain_is_one_site(sites):
    _, truth = silica_spectrum_image((16, 16), n_grains=5)
    rows = np.unique(truth.data.reshape(-1, 6), axis=0)
    assert 1 < len(rows) <= 5
    for row in rows:
        assert np.isclose(sites.targets.astype(np.float32), row).all(axis=1).any()


def test_the_axis_reaches_650_ev_and_the_effects_are_recorded():
    spectra, _ = silica_spectrum_image((2,), microscope=TYPICAL, seed=1)
    axis = spectra.axes_manager.signal_axes[0].axis
    assert axis[-1] == pytest.approx(650.0, abs=0.2)
    drawn = Microscope.from_dict(spectra.original_metadata.Microscope.as_dictionary())
    assert 0.3 <= drawn.resolution <= 0.8
    assert replace(drawn, resolution=TYPICAL.resolution) == TYPICAL


def test_mixed_pixels_have_the_mean_of_sites_of_the_phase_of_their_grain(sites):
    mixed = Microscope(resolution=0.5, mixed_fraction=1.0, mixed_sites=3.0)
    _, truth = silica_spectrum_image((6, 6), n_grains=1, microscope=mixed, drift=0.0)
    lengths = truth.data[..., 0].ravel()
    assert np.unique(lengths).size > 3
    of_phase = [
        sites.targets[np.array(sites.phases) == phase, 0] for phase in sorted(set(sites.phases))
    ]
    assert any(own.min() <= lengths.min() and lengths.max() <= own.max() for own in of_phase)


def test_thickness_of_a_microscope_shows_in_the_spectra():
    options = {"drift": 0.0, "n_grains": 1, "dose": np.inf, "seed": 3}
    thin, thick = (
        silica_spectrum_image((1,), microscope=Microscope(relative_thickness=t), **options)[0]
        for t in (0.0, 1.0)
    )
    energy = thin.axes_manager.signal_axes[0].axis
    plasmon = (energy > 558) & (energy < 575)
    assert thick.data[0, plasmon].mean() > 1.2 * thin.data[0, plasmon].mean()
