"""What was measured of speed is still so, as a ratio: times depend on the machine."""

from __future__ import annotations

import json

from benchmarks.performance import processor_time_ratio
from tests.paths import ROOT

MEASURED = json.loads((ROOT / "results" / "performance.json").read_text(encoding="utf-8"))


def test_a_prediction_is_not_half_as_fast_as_was_measured():
    assert processor_time_ratio() > 0.5 * MEASURED["steps"]["processor_time_ratio"]


def test_what_was_measured_is_complete():
    assert set(MEASURED) == {"steps", "speed", "start", "memory", "graph"}
    assert all(part["machine"]["processor"] for part in MEASURED.values())
