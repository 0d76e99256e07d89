"""Files as microscopes write them: read, calibrated badly, and of other materials than silica."""

from __future__ import annotations

import hyperspy.api as hs
import numpy as np
import pytest

import hyperspy_coreloss
from hyperspy_coreloss.errors import ResolutionError
from hyperspy_coreloss.spectra.quality import Quality

FILES = {"nmc_o_k_spectrum_image.dm3": (2, 21), "srtio3.dm3": ()}


def predict_file(path, lazy):
    """Load and predict, as a task on a worker that has imported nothing of ours."""
    import warnings

    import hyperspy.api as hs

    # No model knows these materials: numbers have to be asked for, and not all get some.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No spectrum has a prediction")
        result = hs.load(path, lazy=lazy).predict_properties(
            "silica-o-k-15eV", resolution=1.0, novelty_level=0, show_progressbar=False
        )
        if lazy:
            result.compute(show_progressbar=False)
    return result.data, result.onset.data, result.quality.data


@pytest.mark.parametrize("name", FILES)
def test_file_runs_through_eagerly_and_lazily(real_eels, name):
    values, onset, quality = predict_file(real_eels / name, lazy=False)
    lazy_values, lazy_onset, _ = predict_file(real_eels / name, lazy=True)
    assert values.shape == (*FILES[name], 6)
    np.testing.assert_array_equal(values, lazy_values)
    np.testing.assert_array_equal(onset, lazy_onset)
    good = quality == Quality.GOOD
    # They are no silica, so some predictions lie outside the labels.
    assert np.isin(quality, (Quality.GOOD, Quality.OUTSIDE_LABELS)).mean() > 0.9
    assert np.isfinite(values.reshape(good.size, 6)[good.ravel()]).all()


@pytest.mark.parametrize("model", ["silica-o-k-15eV", "silica-o-k-25eV", "silica-o-k-40eV"])
@pytest.mark.parametrize("name", FILES)
def test_other_materials_have_no_prediction(real_eels, name, model):
    signal = hs.load(real_eels / name)
    with pytest.warns(UserWarning, match=r"No spectrum has a prediction"):
        result = signal.predict_properties(model, resolution=1.0, show_progressbar=False)
    assert np.isnan(result.data).all()


def test_onsets_of_uncalibrated_axes_are_found(real_eels):
    """By eye they lie near 516 eV (before the pre-peak) and 523 eV."""
    _, onset, _ = predict_file(real_eels / "nmc_o_k_spectrum_image.dm3", lazy=False)
    read = np.isfinite(onset)
    assert read.mean() > 0.9
    assert abs(np.median(onset[read]) - 516.5) < 1
    assert onset[read].std() < 0.5
    _, onset, _ = predict_file(real_eels / "srtio3.dm3", lazy=False)
    assert abs(onset[0] - 523.3) < 0.5


def test_pixels_without_signal_are_not_predicted(real_eels):
    spectra = hs.load(real_eels / "nmc_o_k_spectrum_image.dm3")
    _, _, quality = predict_file(real_eels / "nmc_o_k_spectrum_image.dm3", lazy=False)
    counts = spectra.data.mean(axis=-1)
    dark = counts < 0.02 * np.median(counts)
    assert dark.any()
    assert (quality[dark] == Quality.NO_ONSET).all()


def test_measured_resolution_of_the_file_is_refused(real_eels):
    """Its zero loss is 2.3 eV wide, more than any shipped model's resolution."""
    width = hyperspy_coreloss.measure_resolution(hs.load(real_eels / "nmc_zero_loss.dm3"))
    assert width == pytest.approx(2.3, abs=0.1)
    spectra = hs.load(real_eels / "nmc_o_k_spectrum_image.dm3", lazy=True)
    with pytest.raises(ResolutionError, match=r"resolution given is 2\.26 eV"):
        spectra.predict_properties(resolution=width)


def predicted_in_workers(client, paths):
    tasks = [client.submit(predict_file, path, lazy) for path in paths for lazy in (False, True)]
    return client.gather(tasks)


@pytest.fixture
def client():
    """Two workers in processes of their own, as on a cluster."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with cluster, Client(cluster) as client:
        yield client


def test_tasks_on_a_cluster_predict_real_files(real_eels, client):
    paths = [str(real_eels / name) for name in FILES]
    for (values, _, _), path in zip(
        predicted_in_workers(client, paths), [p for p in paths for _ in range(2)], strict=True
    ):
        np.testing.assert_allclose(values, predict_file(path, lazy=False)[0], rtol=1e-6)


def test_tasks_on_a_cluster_predict_saved_files_and_lazy_signals(image, tmp_path, client):
    spectra, _ = image
    spectra.save(tmp_path / "silica.hspy")
    options = {"resolution": 1.0, "novelty_level": 0}
    expected = spectra.predict_properties("silica-o-k-15eV", **options, show_progressbar=False).data
    for values, _, _ in predicted_in_workers(client, [str(tmp_path / "silica.hspy")]):
        np.testing.assert_allclose(values, expected, rtol=1e-6)
    lazy = spectra.as_lazy()
    lazy.data = lazy.data.rechunk((2, 4, -1))
    result = lazy.predict_properties("silica-o-k-15eV", **options)
    np.testing.assert_allclose(client.compute(result.data).result(), expected, rtol=1e-6)
