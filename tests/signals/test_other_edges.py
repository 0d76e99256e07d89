"""Other elements of the specimen whose edges disturb a prediction are named at the call."""

from __future__ import annotations

import warnings

import pytest

import hyperspy_coreloss
from hyperspy_coreloss.signals.other_edges import (
    edges_before,
    edges_in_window,
    major_edges,
    warn_of_other_edges,
)
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.recipe import Recipe

NARROW, WIDE, FAR = (Recipe(window=EnergyWindow(-1.0, stop, 0.1)) for stop in (15.0, 40.0, 110.0))


QUIET = {"resolution": 0.5, "show_progressbar": False}


def names(edges):
    return [edge.name for edge in edges]


def before(elements, recipe=NARROW, background_range=None):
    return names(edges_before(major_edges(elements, "O_K"), recipe, background_range))


def within(elements, recipe):
    return names(edges_in_window(major_edges(elements, "O_K"), recipe))


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("V", ["V_L3", "V_L2"]),
        ("Sb", ["Sb_M5"]),
        ("Sn", ["Sn_M5", "Sn_M4"]),  # Their maximum is delayed into the range.
        ("N", []),
        ("Ti", []),
        ("Cr", []),
        ("Si", []),
        ("Sc", []),
    ],
)
def test_edges_where_the_background_is_fitted_are_named(element, expected):
    assert before([element]) == expected


def test_a_background_range_of_ones_own_counts():
    assert before(["Ti", "V"], background_range=(440.0, 455.0)) == [
        "Ti_L3",
        "Ti_L2",
        "V_L3",
        "V_L2",
    ]
    assert before(["Sn"], background_range=(527.0, 531.0)) == ["Sn_M4"]


@pytest.mark.parametrize(
    ("element", "recipe", "expected"),
    [
        ("Cr", NARROW, []),
        ("Cr", WIDE, ["Cr_L3"]),
        ("Cr", FAR, ["Cr_L3", "Cr_L2"]),
        ("Te", WIDE, ["Te_M5"]),
        ("Sb", NARROW, ["Sb_M4"]),
        ("Mn", WIDE, []),
        ("Mn", FAR, ["Mn_L3"]),
        ("Ag", FAR, []),  # M3 and M2 are minor edges.
        ("F", FAR, []),
    ],
)
def test_edges_in_the_window_are_named(element, recipe, expected):
    assert within([element], recipe) == expected


def test_the_edge_itself_and_unknown_elements_are_no_other_edges():
    assert major_edges(["O"], "O_K") == []
    assert names(major_edges(["O"], "Si_K")) == ["O_K"]
    assert names(major_edges(["Si"], "Si_L3")) == ["Si_K"]
    assert major_edges(["Xx", "quartz", ""], "O_K") == []
    assert names(major_edges(["C", "C"], "O_K")) == ["C_K"]


def test_one_warning_at_the_call_names_edges_costs_and_remedies(image):
    spectra = image[0]
    spectra.metadata.set_item("Sample.elements", ["Cr", "O", "Si", "V"])
    with pytest.warns(
        UserWarning, match=r"Before O_K: V_L3 \(513 eV\), V_L2 \(521 eV\), w"
    ) as raised:
        spectra.predict_properties(
            "silica-o-k-40eV-sigma-0.5", resolution=0.5, show_progressbar=False
        )
    (warning,) = raised
    assert warning.filename == __file__
    text = str(warning.message)
    for words in (r"Cr_L3 (575 eV)", "40 eV above", "background_range=", "narrower window"):
        assert words in text


@pytest.mark.parametrize("elements", [None, [], ["O", "Si"], ["O", "Si", "Al", "N", "Ti", "Ca"]])
@pytest.mark.parametrize("model", ["silica-o-k", "silica-o-k-40eV"])
def test_without_disturbing_elements_nothing_is_said(image, elements, model):
    spectra = image[0]
    if elements is not None:
        spectra.metadata.set_item("Sample.elements", elements)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hyperspy_coreloss.predict_properties(
            spectra, model, resolution=0.5, show_progressbar=False, lazy_output=True
        )


def test_without_a_background_to_fit_edges_before_are_no_matter(image):
    spectra = image[0]
    spectra.metadata.set_item("Sample.elements", ["V"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_other_edges(spectra, NARROW, None, None)
    with pytest.warns(UserWarning, match="V_L3"):
        warn_of_other_edges(spectra, NARROW, "power law", None)
