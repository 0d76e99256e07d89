"""A user is told how many spectra have no prediction, and what to do if none has one."""

from __future__ import annotations

import hyperspy.api as hs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hyperspy_coreloss.errors import SignalError
from hyperspy_coreloss.signals.summary import count_codes, counts_line, report
from hyperspy_coreloss.spectra.quality import Quality

QUIET = {"resolution": 0.5, "show_progressbar": False}


def said(caplog):
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "hyperspy.coreloss"
    ]


@pytest.fixture(params=["eager", "lazy"])
def spectra(request, image):
    """Spectra of which 3 of 35 are bad, for two reasons."""
    image[0].data[2, 1:3] = 0
    image[0].data[4, 4, 600] = np.nan
    return image[0].as_lazy() if request.param == "lazy" else image[0]


LINE = "35 spectra: 32 predicted, 2 empty, 1 not finite"


def test_many_spectra_without_a_prediction_are_told_when_they_are_computed(spectra, caplog):
    result = spectra.predict_properties(**QUIET)
    assert len(said(caplog)) == (not spectra._lazy)
    if spectra._lazy:
        result.compute(show_progressbar=False)
    assert said(caplog) == [("WARNING", LINE)]


def test_few_are_told_to_those_who_ask(image, caplog):
    image[0].data[2, 1] = 0
    with caplog.at_level("WARNING", logger="hyperspy"):
        image[0].predict_properties(**QUIET)
    assert said(caplog) == []
    with caplog.at_level("INFO", logger="hyperspy"):
        image[0].predict_properties(**QUIET)
    assert said(caplog) == [("INFO", "35 spectra: 34 predicted, 1 empty")]


def test_spectra_that_the_user_excluded_are_no_news(image, caplog):
    mask = np.zeros((7, 5), dtype=bool)
    mask[:6] = True
    with caplog.at_level("WARNING", logger="hyperspy"):
        result = image[0].predict_properties(navigation_mask=mask, **QUIET)
    assert said(caplog) == []
    assert result.summary().line == "35 spectra: 5 predicted, 30 masked"


def test_the_level_is_hyperspys(image, caplog):
    image[0].data[2] = 0
    hs.set_log_level("ERROR")
    try:
        image[0].predict_properties(**QUIET)
        assert said(caplog) == []
    finally:
        hs.set_log_level("WARNING")


def test_a_summary_counts_and_gives_medians(spectra):
    result = spectra.predict_properties(**QUIET)
    summary = result.summary()
    assert not result._lazy
    assert summary.counts == {Quality.GOOD: 32, Quality.EMPTY: 2, Quality.NOT_FINITE: 1}
    assert (summary.line, summary.resolution) == (LINE, 0.5)
    label, middle, width = summary.medians[1]
    assert label == "bond angle (°)"
    assert middle == pytest.approx(np.nanmedian(result.data[..., 1]))
    lower, upper = result.get_interval_map("bond_angle")
    assert width == pytest.approx(np.nanmedian(upper.data - lower.data) / 2, rel=1e-4)
    text = str(summary).split("\n")
    assert text[:2] == ["Properties of Simulated silica", LINE]
    assert text[2].startswith(f"model {result.metadata.CoreLossProperty.Pretrained.name}, version")
    shown = [" ".join(one.split()) for one in text]
    assert any(one.startswith(f"bond angle (°) {middle:.0f} ± {width:.0f} ") for one in shown)
    assert repr(summary) == str(summary)


def test_summaries_of_derived_results(image, spectra):
    result = spectra.predict_properties(**QUIET)
    assert result.inav[1:3, 2:4].summary().line == "4 spectra: 2 predicted, 2 empty"
    assert result.T.summary().line == LINE
    assert result.isig["bond_angle":].summary().medians[0][0] == "bond angle (°)"
    assert result.inav[0, 0].summary().line == "1 spectrum: 1 predicted"
    with pytest.raises(SignalError, match="is lost when spectra are combined"):
        result.mean("x").summary()
    with pytest.raises(SignalError):
        image[1].summary()


def spoil_background(spectra):
    spectra.data = spectra.data - 2 * spectra.data[..., :1]
    return spectra, {}


def spoil_range(spectra):
    return spectra, {"onset_range": (545.0, 560.0)}


def spoil_data(spectra):
    spectra.data[:] = 0
    return spectra, {}


def spoil_option(spectra):
    return spectra, {"background": None}


def spoil_mask(spectra):
    return spectra, {"navigation_mask": np.ones((7, 5), dtype=bool)}


def spoil_channels(spectra):
    spectra.data[..., 600] = np.inf
    return spectra, {}


def spoil_maximum(spectra):
    spectra.data = np.minimum(spectra.data, np.median(spectra.data))
    return spectra, {}


def spoil_single_channels(spectra):
    spectra.data[..., 300:900:40] *= 20
    return spectra, {}


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_background, "35 negative.*subtracted already, pass background=None"),
        (spoil_range, "35 no edge.*searched from 545 to 560 eV.*pass onset_range="),
        (spoil_option, "35 no edge.*still have their background, leave out background=None"),
        (spoil_data, "35 empty.*how the file was loaded"),
        (spoil_mask, "35 masked.*pass its inverse, ~mask"),
        (spoil_channels, "35 not finite.*Crop the channels"),
        (spoil_maximum, "35 saturated.*shorter exposure"),
        (spoil_single_channels, "35 spikes.*too narrow for it count as spikes"),
    ],
)
def test_if_all_are_refused_the_remedy_is_named(image, spoil, message, lazy):
    spectra, options = spoil(image[0])
    result = spectra.predict_properties(lazy_output=True, **options, **QUIET)
    with pytest.warns(UserWarning, match=r"No spectrum has a prediction\. 35 spectra.*" + message):
        if lazy:
            result.compute(show_progressbar=False)
        else:
            result = spectra.predict_properties(**options, **QUIET)
    assert np.isnan(result.data).all()


@pytest.mark.parametrize("code", [code for code in Quality if code is not Quality.GOOD])
def test_every_reason_has_a_remedy(code):
    with pytest.warns(
        UserWarning, match=rf"No spectrum has a prediction\. 7 spectra: .*{code.phrase}"
    ):
        report({code: 7}, None)


def test_the_remedy_of_a_forgotten_option_is_one(image):
    spectra = image[0].remove_background((490.0, 530.0), show_progressbar=False)
    result = spectra.predict_properties(background=None, **QUIET)
    assert (result.quality.data == Quality.GOOD).mean() > 0.9


@given(arrays(np.uint8, st.integers(1, 60), elements=st.integers(0, len(Quality) - 1)))
def test_every_spectrum_is_counted_once(quality):
    counts = count_codes(quality)
    assert sum(counts.values()) == quality.size
    assert all(counts[code] == (quality == code).sum() for code in counts)
    line = counts_line(counts)
    numbers = [int(part.split()[0]) for part in line.partition(": ")[2].split(", ")]
    assert sum(numbers) == quality.size == int(line.split()[0])
    assert numbers[1:] == sorted(numbers[1:], reverse=True)
