"""Means over regions: their values, and intervals that shrink only as far as they may."""

from __future__ import annotations

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.pretrained.intervals import conformal_half_width

MODEL = "silica-o-k-100eV-sigma-0.5"


@pytest.fixture(scope="module")
def result():
    signal, _ = silica_spectrum_image((12, 9), seed=3)
    return signal.predict_properties(MODEL, resolution=0.5, show_progressbar=False)


def test_the_mean_is_that_of_the_pixels_with_a_prediction(result):
    mean = result.mean_over()
    values = result.data.reshape(-1, 6).astype(float)
    predicted = np.isfinite(values).all(axis=1)
    assert (mean.n_pixels, mean.n_predicted) == (108, predicted.sum())
    np.testing.assert_allclose(list(mean.means.values()), values[predicted].mean(axis=0))
    assert tuple(mean.means) == result.property_names


def test_intervals_shrink_with_the_pixels_but_not_below_the_error_of_the_model(result):
    floor = conformal_half_width(load_pretrained(MODEL).references.region_errors, 0.9)
    one = result.deepcopy()
    one.data = np.tile(one.data[:1, :1], (9, 12, 1))
    assert np.isfinite(one.data).all()
    sign = np.where(np.indices((9, 12)).sum(axis=0) % 2, 1.0, -1.0)[..., None]
    one.data = (one.data + sign * 100 * floor).astype(np.float32)
    widths = [
        np.array(list(part.mean_over().half_widths.values()))
        for part in (one.inav[:3, :3], one.inav[:, :])
    ]
    np.testing.assert_allclose(widths[1] / widths[0], np.sqrt(9 / 108), rtol=0.1)
    same = result.deepcopy()
    same.data = np.tile(same.data[:1, :1], (9, 12, 1))
    np.testing.assert_allclose(list(same.mean_over().half_widths.values()), floor, rtol=1e-5)


def test_a_mask_excludes_pixels(result):
    mask = np.zeros((12, 9), dtype=bool)
    mask[4:] = True
    masked, cut = result.mean_over(mask), result.inav[:4, :].mean_over()
    assert masked.n_pixels == cut.n_pixels == 36
    assert masked.means == cut.means
    assert masked.half_widths == cut.half_widths


def test_a_region_of_interest_has_a_mean(result):
    roi = hs.roi.RectangularROI(left=0, top=0, right=4, bottom=5)
    assert roi(result).mean_over().means == result.inav[:4, :5].mean_over().means


def test_some_properties_have_their_own_intervals(result):
    every, two = result.mean_over(), result.isig[1:3].mean_over()
    assert tuple(two.means) == result.property_names[1:3]
    for name, width in two.half_widths.items():
        assert width == every.half_widths[name]


def test_lazy_and_transposed_results_give_the_same(result):
    expected = result.mean_over().means
    assert result.as_lazy().mean_over().means == expected
    assert result.T.mean_over().means == pytest.approx(expected)


def test_a_saved_result_has_its_means(result, tmp_path):
    result.save(tmp_path / "maps.hspy")
    assert hs.load(tmp_path / "maps.hspy").mean_over().half_widths == result.mean_over().half_widths


def test_a_mean_prints_what_may_be_reported(result):
    text = str(result.mean_over(level=0.5))
    assert "mean over" in text
    assert "50%" in text
    assert " ± " in text


def test_nothing_predicted_gives_no_number(result):
    empty = result.deepcopy()
    empty.data[:] = np.nan
    mean = empty.mean_over()
    assert mean.n_predicted == 0
    assert np.isnan(list(mean.means.values())).all()
    assert "no prediction" in str(mean)


def test_a_single_pixel_has_no_interval_of_a_region(result):
    assert np.isinf(list(result.inav[0, 0].mean_over().half_widths.values())).all()


def test_combined_spectra_are_no_region(result):
    for combined in (result.mean(), result.rebin(scale=(3, 3, 1))):
        with pytest.raises(SignalError, match="pixels are single spectra"):
            combined.mean_over()
