"""The study of Kiyohara et al. 2019 (sections 2 and 3), repeated on a data set, as one page."""

from hyperspy_coreloss.study.experiments import run_study
from hyperspy_coreloss.study.report import render_report

__all__ = ("render_report", "run_study")
