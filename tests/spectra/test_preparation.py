from __future__ import annotations

import json

import numpy as np
import pytest

from hyperspy_coreloss.errors import EnergyRangeError, ResolutionError, SignalError
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.preparation import prepare, survey_axis
from hyperspy_coreloss.spectra.recipe import Recipe

RECIPE = Recipe()


def axis(start, stop, step=0.2):
    return np.arange(start, stop + step / 2, step)


def test_nominal_onset_is_exspys():
    from exspy.utils.eels import get_info_from_edges

    (info,) = get_info_from_edges([RECIPE.edge])
    assert info["onset_energy (eV)"] == RECIPE.nominal_onset


def test_recipe_survives_json():
    for window in (EnergyWindow(-2, 20, 0.05), EnergyWindow(530, 560, origin="absolute")):
        recipe = Recipe(window, "C_K", 284.0, 0.1, 0.2)
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_preparation_is_the_same_for_both_directions_of_the_axis():
    energy = axis(480, 580)
    up, down = prepare(RECIPE, energy), prepare(RECIPE, energy[::-1])
    assert (up.descending, down.descending) == (False, True)
    assert up.energy == down.energy
    assert hash(up) == hash(prepare(RECIPE, energy))


@pytest.mark.parametrize(
    ("energy", "message"),
    [
        (axis(480, 540), r"covers 480\.0 to 540\.0 eV: 7\.0 eV are missing on the high side"),
        (axis(534, 580), r"3\.0 eV are missing on the low side"),
        (
            axis(540, 545),
            r"9\.0 eV are missing on the low side and 2\.0 eV are missing on the high",
        ),
        (axis(200, 300), r"247\.0 eV are missing on the high side"),
    ],
)
def test_missing_window_is_told_in_ev_and_by_side(energy, message):
    with pytest.raises(EnergyRangeError, match=message):
        prepare(RECIPE, energy)


def test_missing_background_is_told_with_three_ways_out():
    with pytest.raises(
        EnergyRangeError,
        match=r"pre-edge region from 517\.0 eV.*3\.0 eV are missing.*background_range.*=None",
    ):
        prepare(RECIPE, axis(520, 580))
    # Without a background to fit, onsets are found from the first place the window fits on.
    assert prepare(RECIPE, axis(520, 580), background=None).onset_range[0] == 521.0
    fixed = prepare(RECIPE, axis(520, 580), background_range=(521.0, 529.0))
    assert fixed.onset_range[0] == fixed.background_range[1] == 529.0


def test_a_known_onset_serves_an_uncalibrated_axis():
    energy = axis(440, 533)
    with pytest.raises(EnergyRangeError, match="are missing on the high side"):
        prepare(RECIPE, energy)
    known = prepare(RECIPE, energy, onset_range=(512.0, 520.0))
    assert known.onset_range == pytest.approx((512.0, 518.0))
    with pytest.raises(EnergyRangeError, match="between 525 and 530 eV"):
        prepare(RECIPE, energy, onset_range=(525.0, 530.0))


@pytest.mark.parametrize("limits", [(530.0, 530.0), (540.0, 520.0)])
@pytest.mark.parametrize("option", ["onset_range", "background_range"])
def test_limits_must_rise(option, limits):
    with pytest.raises(EnergyRangeError, match=f"{option} needs two rising energies"):
        prepare(RECIPE, axis(480, 580), **{option: limits})


def test_background_range_must_lie_in_the_spectrum():
    with pytest.raises(EnergyRangeError, match="at least 4 channels"):
        prepare(RECIPE, axis(480, 580), background_range=(400.0, 470.0))


def test_a_background_range_may_end_above_the_tabulated_onset_but_not_above_all_others():
    """The axis may be off by 20 eV."""
    assert prepare(RECIPE, axis(480, 580), background_range=(500.0, 536.0)).onset_range == (
        536.0,
        552.0,
    )
    with pytest.raises(EnergyRangeError, match=r"searched for up to 552 eV.* it ends at 553 eV"):
        prepare(RECIPE, axis(480, 580), background_range=(500.0, 553.0))


def test_too_coarse_measurements_are_refused():
    with pytest.raises(ResolutionError, match="eV per channel or finer"):
        prepare(RECIPE, axis(480, 580, 0.6))
    with pytest.raises(ResolutionError, match="never sharpened"):
        prepare(RECIPE, axis(480, 580), resolution=1.3)


def test_only_the_dispersion_near_the_edge_counts():
    energy = np.concatenate([axis(400, 485, 1.0), axis(486, 600, 0.2), axis(601, 700, 1.0)])
    assert survey_axis(RECIPE, energy).dispersion == pytest.approx(0.2)
    assert prepare(RECIPE, energy).energy == tuple(energy)


@pytest.mark.parametrize("resolution", [-0.1, np.nan, np.inf])
def test_a_resolution_that_is_no_width_is_refused(resolution):
    with pytest.raises(SignalError, match="must be a width"):
        prepare(RECIPE, axis(480, 580), resolution=resolution)


def test_an_unknown_background_is_refused():
    with pytest.raises(SignalError, match="'power law' or None, but it is 'linear'"):
        prepare(RECIPE, axis(480, 580), background="linear")


def test_the_energy_offset_belongs_to_absolute_windows():
    absolute = Recipe(EnergyWindow(539.0, 560.0, origin="absolute"))
    assert prepare(absolute, axis(480, 580), energy_offset=5).energy_offset == 5.0
    with pytest.raises(SignalError, match="energy_offset is needed: the energy in eV to add"):
        prepare(absolute, axis(480, 580))
    with pytest.raises(SignalError, match=r"has no meaning, but it is 5\. Leave it out"):
        prepare(RECIPE, axis(480, 580), energy_offset=5)
    with pytest.raises(SignalError, match="must be a finite energy in eV, but it is nan"):
        prepare(absolute, axis(480, 580), energy_offset=np.nan)


def test_an_absolute_window_asks_for_no_more_of_the_axis():
    """It is the stretch around the threshold that must be covered, not the whole window."""
    absolute = Recipe(EnergyWindow(500.0, 600.0, origin="absolute"))
    ranges = [
        prepare(RECIPE, axis(500, 560)).onset_range,
        prepare(absolute, axis(500, 560), energy_offset=5.0).onset_range,
    ]
    assert ranges[0] == ranges[1]
