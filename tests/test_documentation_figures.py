"""The figures of the documentation show the numbers of the results."""

from __future__ import annotations

import json

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from benchmarks import accuracy_figures, accuracy_tables, robustness_figures, trust_figures
from benchmarks.figure_style import save, style
from tests.paths import ROOT


def results(name):
    return json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def accuracy():
    return results("accuracy")


@pytest.fixture(scope="module")
def trust():
    return results("trust")


@pytest.fixture(scope="module")
def robustness():
    return results("robustness")


@pytest.fixture(autouse=True)
def styled():
    with mpl.rc_context(style("light")):
        yield
    plt.close("all")


def lines(panel):
    """Return the values of the labelled lines of a panel."""
    return {line.get_label(): line.get_ydata() for line in panel.lines}


def test_the_map_of_windows_has_the_numbers_of_the_table(accuracy):
    figure = accuracy_figures.knowledge_figure(accuracy)
    _, rows = accuracy_tables.windows_table(accuracy, "typical")
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == [cell for row in rows for cell in row[1:]]
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == [row[0] for row in rows]


def test_coverages_are_beside_their_populations(accuracy):
    figure = accuracy_figures.coverage_figure(accuracy, "100", "typical")
    panel = figure.axes[0]
    labels = [text.get_text().partition(" ")[0] for text in panel.get_yticklabels()]
    (points,) = [line for line in panel.lines if line.get_marker() == "o"]
    shown = dict(zip(labels, points.get_xdata(), strict=True))
    found = accuracy["100"]["typical"]
    assert shown["glass"] == found["glass"]["bond_length"]["coverage_90"]
    assert set(shown) == set(found)


def test_materials_are_beside_their_shares(trust):
    alarms, oxides = trust_figures.detection_figure(trust).axes
    labels = [text.get_text() for text in oxides.get_yticklabels()]
    window, found = list(trust["windows"].items())[-1]
    (line,) = [line for line in oxides.lines if line.get_label() == f"reads to {window} eV"]
    shown = dict(zip(labels, line.get_xdata(), strict=True))
    assert shown["rutile, site 2"] == sum(found["foreign"]["rutile_2"].values())
    (line,) = [line for line in alarms.lines if line.get_label() == f"reads to {window} eV"]
    assert line.get_xdata()[0] == found["false_alarms"]


def test_effects_are_drawn_for_each_property(robustness):
    figure = robustness_figures.properties_figure(robustness)
    shown = lines(figure.axes[0])["bond length"]
    model = robustness["models"]["silica-o-k-100eV-sigma-0.5"]
    errors = np.array(model["effects"]["counts"]["mae"])[:, 0]
    np.testing.assert_allclose(shown, errors / model["error_of_mean"][0])


FIGURES = {
    "errors": lambda found: accuracy_figures.errors_figure(found["accuracy"]),
    "bins": lambda found: accuracy_figures.bins_figure(found["accuracy"]),
    "theories": lambda found: accuracy_figures.theories_figure(found["accuracy"]),
    "regions": lambda found: trust_figures.regions_figure(found["trust"]),
    "effects": lambda found: robustness_figures.models_figure(
        found["robustness"], "coverage", "coverage", 0.9
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_series_differ_in_colour_and_marker(name, accuracy, trust, robustness):
    figure = FIGURES[name]({"accuracy": accuracy, "trust": trust, "robustness": robustness})
    drawn = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", "", None)]
    markers = [line.get_marker() for line in drawn if line.get_marker() not in "_|"]
    assert len(markers) > 1
    assert len(set(markers)) == len(markers)


def test_a_page_shows_the_figure_of_its_colours(tmp_path):
    def draw():
        figure, panel = plt.subplots()
        panel.set_title("title")
        return figure

    save(draw, tmp_path, "figure", "What it shows")
    page = (tmp_path / "figure.md").read_text()
    for scheme in ("light", "dark"):
        assert f"figure_{scheme}.svg\n:class: only-{scheme}" in page
    light, dark = ((tmp_path / f"figure_{s}.svg").read_text() for s in ("light", "dark"))
    assert light != dark
    assert page.count(":alt: What it shows") == 2
    save(draw, tmp_path, "figure", "What it shows")
    assert (tmp_path / "figure_light.svg").read_text() == light
