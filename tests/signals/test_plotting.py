"""Figures of maps: everything that is drawn lies inside the figure."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.signals import plot_comparison

EDGE = 0.02  # inches that stay free


def assert_within(figure):
    figure.canvas.draw()
    inside = figure.get_tightbbox(figure.canvas.get_renderer())
    width, height = figure.get_size_inches()
    assert min(inside.x0, inside.y0) > EDGE
    assert inside.x1 < width - EDGE
    assert inside.y1 < height - EDGE


@pytest.mark.parametrize("shape", [(12, 12), (24, 5), (5, 24), (12,), (6, 1), (5, 4, 2)])
def test_no_label_is_clipped(shape):
    _, truth = silica_spectrum_image(shape, n_channels=2)
    assert_within(truth.plot_maps())
    assert_within(truth.plot_maps("bond_overlap_population"))
    if len(shape) < 3:
        figure = plot_comparison(truth, truth)
        figure.suptitle("A title of the figure")
        assert_within(figure)
    plt.close("all")


@pytest.mark.parametrize(("shape", "times"), [((24, 8), 1 / 3), ((8, 24), 3)])
def test_figures_have_the_shape_of_the_maps(shape, times):
    """A flat map has no tall colour bar beside it."""
    square, other = (silica_spectrum_image(each, n_channels=2)[1] for each in ((8, 8), shape))
    for plot in (type(square).plot_maps, lambda one: plot_comparison(one, one)):
        heights = [plot(one).get_size_inches()[1] for one in (square, other)]
        assert (heights[1] > heights[0]) == (times > 1)
    plt.close("all")
