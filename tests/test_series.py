"""Series of maps, as of time and tilt, are predicted as each of their maps."""

from __future__ import annotations

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.signals.pixel_table import pixel_table
from tests.test_low_loss import low_loss_of

# Otherwise the resolution is the median of all low-loss spectra, of which a part has another.
OPTIONS = {"show_progressbar": False, "resolution": 0.5}
# Time, tilt, y, x.
SHAPE = (2, 2, 3, 4)
MAPS = ("onset", "quality", "novelty", "population", "zero_loss", "relative_thickness")


@pytest.fixture(scope="module")
def series():
    """A series of spectrum images, its low-loss spectra, and the pixels to leave out."""
    spectra, _ = silica_spectrum_image(SHAPE[::-1], seed=10)
    for axis, name in zip(
        spectra.axes_manager.navigation_axes, ["x", "y", "tilt", "time"], strict=True
    ):
        axis.name = name
    thickness = np.random.default_rng(0).uniform(0.1, 0.9, SHAPE)
    left_out = np.zeros(SHAPE, dtype=bool)
    left_out[1, 0, :, 0] = True
    return spectra, low_loss_of(thickness, np.zeros(SHAPE)), hs.signals.BaseSignal(left_out).T


@pytest.fixture(scope="module")
def eager(series):
    spectra, low_loss, left_out = series
    return spectra.predict_properties(low_loss=low_loss, navigation_mask=left_out, **OPTIONS)


def test_a_series_is_predicted_as_its_maps(series, eager):
    spectra, low_loss, left_out = series
    for tilt in range(2):
        for time in range(2):
            one = spectra.inav[:, :, tilt, time].predict_properties(
                low_loss=low_loss.inav[:, :, tilt, time],
                navigation_mask=left_out.inav[:, :, tilt, time],
                **OPTIONS,
            )
            part = eager.inav[:, :, tilt, time]
            np.testing.assert_array_equal(part.data, one.data)
            for name in MAPS:
                np.testing.assert_array_equal(getattr(part, name).data, getattr(one, name).data)


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
def test_a_lazy_series_is_saved_as_one_in_memory(series, eager, tmp_path, extension):
    spectra, low_loss, left_out = series
    lazy = spectra.as_lazy()
    lazy.data = lazy.data.rechunk((1, 2, 2, 3, 400))
    result = lazy.predict_properties(
        low_loss=low_loss.as_lazy(), navigation_mask=left_out, resolution=0.5
    )
    assert result._lazy
    result.save(tmp_path / f"series.{extension}")
    saved = hs.load(tmp_path / f"series.{extension}")
    np.testing.assert_array_equal(saved.data, eager.data)
    for name in MAPS:
        np.testing.assert_array_equal(getattr(saved, name).data, getattr(eager, name).data)
    names = [axis.name for axis in saved.axes_manager.navigation_axes]
    assert names == ["x", "y", "tilt", "time"]


def test_all_that_a_map_can_do_a_series_can(series, eager):
    spectra, *_ = series
    table = pixel_table(eager)
    assert [name.split()[0] for name in list(table)[:4]] == ["x", "y", "tilt", "time"]
    assert {len(column) for column in table.values()} == {eager.quality.data.size}
    masked = int((eager.quality.data == 1).sum())
    assert masked == 3
    assert f"{masked} masked" in str(eager.summary())
    kept = np.ones(SHAPE, dtype=bool)
    kept[0, 1] = False
    region = eager.mean_over(hs.signals.BaseSignal(kept).T)
    expected = np.nanmean(eager.data[0, 1].reshape(-1, eager.data.shape[-1]), axis=0)
    np.testing.assert_allclose(list(region.means.values()), expected, rtol=1e-5)
    nearest = eager.nearest_sites((3, 1, 0, 1), spectra, k=2)
    assert len(nearest.sites) == 2
    assert eager.get_property_map("bond_length").data.shape == SHAPE
    eager.plot_maps()
