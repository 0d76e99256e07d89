"""The study of Kiyohara et al. 2019 (sections 2 and 3), repeated on a data set, as one page."""

from hyperspy_coreloss.study.experiments import run_study
from hyperspy_coreloss.study.figures import (
    plot_against,
    plot_learning_curves,
    plot_neighbours,
    plot_noisy_spectrum,
    plot_parity,
    plot_relative_errors,
)
from hyperspy_coreloss.study.report import render_report

__all__ = (
    "plot_against",
    "plot_learning_curves",
    "plot_neighbours",
    "plot_noisy_spectrum",
    "plot_parity",
    "plot_relative_errors",
    "render_report",
    "run_study",
)
