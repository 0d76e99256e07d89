"""What was measured of speed is still so, as a ratio: times depend on the machine."""

from __future__ import annotations

import json

import pytest

from benchmarks.performance import processor_time_ratio
from benchmarks.performance_tables import extrapolated_table
from tests.paths import ROOT

MEASURED = json.loads((ROOT / "results" / "performance.json").read_text(encoding="utf-8"))


def test_a_prediction_is_not_half_as_fast_as_was_measured():
    assert processor_time_ratio() > 0.5 * MEASURED["steps"]["processor_time_ratio"]


def test_larger_graphs_are_multiples_of_the_measured_ones():
    _, (small, large) = extrapolated_table(MEASURED)
    assert [row[:2] for row in (small, large)] == [["512", "195,312"], ["4,096", "24,414"]]
    build = MEASURED["graph"]["graphs"][-1]["build_seconds"]
    assert float(small[2]) == pytest.approx(build * 195312 / 1e5 / 60, abs=0.05)
    assert small[-1] == large[-1]


def test_what_was_measured_is_complete():
    assert set(MEASURED) == {"steps", "speed", "start", "memory", "graph"}
    assert all(part["machine"]["processor"] for part in MEASURED.values())
