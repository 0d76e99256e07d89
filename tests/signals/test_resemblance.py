"""Results tell which kinds of silica their spectra are like, and the errors of the model on it."""

from __future__ import annotations

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.data import oxygen_k_sites
from hyperspy_coreloss.dataset.population import NO_POPULATION, POPULATIONS
from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.metadata import POPULATION_ERRORS, map_path
from hyperspy_coreloss.spectra.quality import Quality

MODEL = "silica-o-k-40eV-sigma-0.5"


@pytest.fixture
def result(image):
    image[0].data[2, 1] = 0
    return image[0].predict_properties(MODEL, resolution=0.5, show_progressbar=False)


def test_the_population_of_a_pixel_is_that_of_its_nearest_site(image, result):
    sites, names = oxygen_k_sites(), list(POPULATIONS)
    codes = result.population.data
    assert codes[2, 1] == NO_POPULATION
    for x, y in ((0, 0), (3, 2), (6, 4)):
        (nearest,) = result.nearest_sites((x, y), image[0], 1).sites
        assert names[codes[y, x]] == nearest.population
        assert nearest.population == sites.populations[sites.names.index(nearest.name)]


def test_the_summary_counts_the_populations_of_predicted_spectra(result):
    summary = result.summary()
    good = result.quality.data == Quality.GOOD
    codes, numbers = np.unique(result.population.data[good], return_counts=True)
    expected = {list(POPULATIONS)[code]: n for code, n in zip(codes, numbers, strict=True)}
    assert dict(summary.populations) == expected
    assert list(summary.populations.values()) == sorted(expected.values(), reverse=True)
    assert sum(summary.populations.values()) == summary.counts[Quality.GOOD]
    first = next(iter(summary.populations))
    assert f"most like the computed spectra of: {first}" in str(summary)
    assert result.isig[:2].summary().populations == summary.populations


def test_the_errors_are_those_of_the_commonest_population(result):
    summary = result.summary()
    first = next(iter(summary.populations))
    errors = load_pretrained(MODEL).record.population_errors[first]
    np.testing.assert_allclose(summary.errors, [errors[name] for name in result.property_names])
    assert f"error on new phases of {first}" in str(summary)
    few = result.isig["mulliken_charge":].summary()
    np.testing.assert_allclose(few.errors, summary.errors[4:])


def test_populations_and_errors_stay_in_files_and_slices(result, tmp_path):
    whole = result.summary()
    result.save(tmp_path / "maps.hspy")
    loaded = hs.load(tmp_path / "maps.hspy")
    assert str(loaded.summary()) == str(whole)
    assert sum(loaded.inav[:3, :2].summary().populations.values()) <= 6


def test_without_them_the_summary_says_less(result):
    node = result.metadata.CoreLossProperty
    delattr(node, POPULATION_ERRORS)
    summary = result.summary()
    assert summary.populations
    assert not summary.errors
    delattr(node, "population")
    assert not result.summary().populations
    assert "most like" not in str(result.summary())


def test_damaged_errors_are_refused(result):
    result.metadata.set_item(map_path(POPULATION_ERRORS), np.ones((2, 3)))
    with pytest.raises(SignalError, match=r"population_errors"):
        result.summary()
