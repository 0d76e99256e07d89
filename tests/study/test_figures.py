from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_coreloss.study.figures import plot_learning_curves, plot_parity, plot_relative_errors


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_lines_of_a_learning_curve_are_the_means_of_its_draws():
    curves = {"phases": ([10, 10, 20], {"bond length": [1.0, 0.8, 0.5]})}
    (panel,) = plot_learning_curves(curves).axes
    points, line = panel.lines[:2]
    np.testing.assert_allclose(points.get_ydata(), [1.0, 0.8, 0.5])
    np.testing.assert_allclose(line.get_xydata(), [[10, 0.9], [20, 0.5]])


def test_bars_are_as_high_as_the_errors():
    errors = {"New phases": {"ensemble": [0.5, 0.7], "ridge": [0.6, 0.8]}}
    figure = plot_relative_errors(errors, ["bond length", "bond angle"], {"New phases": [0.1, 0.2]})
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [0.5, 0.7, 0.6, 0.8]
    labels = [text.get_text() for text in figure.legends[0].texts]
    assert labels == ["ensemble", "ridge", "target"]


def test_parity_is_drawn_on_equal_axes_with_its_errors(sites):
    true = sites.targets[np.isfinite(sites.targets).all(axis=1)]
    errors = {spec.name: {"mae": 0.25, "r2": 0.75} for spec in sites.properties}
    figure = plot_parity(sites.properties, (true, true), (true, true + 0.1), errors)
    panel = figure.axes[0]
    assert panel.get_title(loc="left") == "MAE 0.250, R² 0.75"
    assert panel.get_xlim() == panel.get_ylim()
    assert panel.get_xlabel() == "true bond length (Å)"
    drawn = panel.collections[1].get_offsets()
    np.testing.assert_allclose(drawn, np.column_stack([true[:, 0], true[:, 0] + 0.1]))
